//! The line above a quote, "On … wrote:", in the languages of the world; and mobile signatures.

use super::safe::cut;
use super::words::{self, Table};

/// Most lines over which such a line may be wrapped.
pub(super) const LINES_MAX: usize = 6;
/// Longest such line when put together, in characters.
const LENGTH_MAX: usize = 400;

/// The verb at the end of the line, in lower case: `… wrote:`.
static LAST: Table = Table::new(include_str!("words/wrote.txt"));

/// The verb inside the line, before the name, and how such a line begins: `Am … schrieb Ada:`.
const INNER: &[(&str, &[&str])] = &[
    ("schrieb", &["am ", "um ", "on "]),
    ("hat", &["am "]),
    ("schreef", &["op ", "on "]),
    ("heeft", &["op "]),
    (
        "skrev",
        &[
            "den ", "på ", "am ", "on ", "i ", "kl", "man", "tir", "ons", "tor", "fre", "lör", "lør", "sön",
            "søn", "mån",
        ],
    ),
    ("написал", &["в ", "от "]),
    ("napsal", &["dne ", "on ", "po ", "út ", "st ", "čt ", "pá ", "so ", "ne "]),
    ("napisał", &["dnia ", "w dniu ", "on ", "pon", "wt", "śr", "czw", "pt", "sob", "niedz"]),
    ("a écrit", &["le "]),
    ("escribió", &["el "]),
    ("ha scritto", &["il "]),
    ("escreveu", &["em "]),
];

/// Finds a line above a quote that begins at the first of these lines; gives how many lines it takes.
///
/// `ends` says of each line whether it [may end one](may_end_one). `quoted(n)` tells whether a marked quote follows
/// when it takes `n` lines: then less is asked of it.
pub(super) fn attribution(lines: &[&str], ends: &[bool], quoted: &dyn Fn(usize) -> bool) -> Option<usize> {
    let first = lines.first()?.trim();
    if first.is_empty() || first.len() > 4 * LENGTH_MAX {
        return None;
    }
    let mut length = 0;
    for (count, line) in lines.iter().take(LINES_MAX).enumerate().map(|(i, line)| (i + 1, line.trim())) {
        let marked = count > 1 && line.starts_with('>');
        if line.is_empty() && lines.get(count).is_some_and(|next| is_verb(next)) {
            continue;
        }
        if line.is_empty() || marked || length > 4 * LENGTH_MAX {
            break;
        }
        length += line.len() + usize::from(length > 0);
        if ends.get(count - 1) != Some(&true) {
            continue;
        }
        let colon = line.ends_with([':', '：']);
        if !may_begin_one(first, line) {
            if colon { break } else { continue }
        }
        let (all, is_quoted) = (lines.get(..count).unwrap_or_default(), quoted(count));
        // Without a quote below, hardly a paragraph names what such a line has to.
        let text = (is_quoted || names_when_or_who(all)).then(|| folded(&joined(all)));
        if let Some(text) = text.filter(|text| is_attribution(text, is_quoted, count)) {
            let later =
                |from: &usize| begins_as_one(&all.get(*from..).unwrap_or_default().join(" "), is_quoted);
            let above = !opens_with_date(&text) && !is_quoting(&text);
            let prose_above = above && ((1..count).any(|from| later(&from)) || count > 1 && is_whole(line));
            return (!prose_above).then_some(count);
        }
        if colon {
            break;
        }
    }
    None
}

/// Tells whether four digits stand in some lines, or what every address holds.
fn names_when_or_who(lines: &[&str]) -> bool {
    let octets = || lines.iter().flat_map(|line| line.bytes());
    octets().filter(u8::is_ascii_digit).count() >= 4 || octets().any(|octet| octet == b'@')
}

/// Puts lines together, without those that are blank.
fn joined(lines: &[&str]) -> String {
    let mut joined = String::with_capacity(lines.iter().map(|line| line.len() + 1).sum());
    for line in lines.iter().map(|line| line.trim()).filter(|line| !line.is_empty()) {
        if !joined.is_empty() {
            joined.push(' ');
        }
        joined.push_str(line);
    }
    joined
}

/// Tells cheaply whether such lines may begin so if they end so: without a colon in the end, dashes or a year
/// stand in front.
fn may_begin_one(first: &str, last: &str) -> bool {
    let first = first.trim_start_matches(|c: char| c.is_whitespace() || matches!(c, '*' | '_' | '>'));
    last.contains([':', '：']) || first.starts_with("--") || first.starts_with(|c: char| c.is_ascii_digit())
}

/// Tells whether a line is nothing but the verb, which some programs push below a blank line.
fn is_verb(line: &str) -> bool {
    let verb = line.trim().strip_suffix([':', '：']);
    verb.is_some_and(|verb| LAST.is_any_case(verb.trim_end()))
}

/// Tells cheaply whether a line may be the last of such lines.
pub(super) fn may_end_one(line: &str) -> bool {
    // Most lines end in a word.
    if line.as_bytes().last().is_some_and(u8::is_ascii_alphanumeric) {
        return false;
    }
    let line = line.trim_end();
    if line.ends_with(|c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | ',' | '?' | '!')) {
        return false;
    }
    line.trim_end_matches(['*', '_', ' ', '\u{a0}']).ends_with([':', '：', '-', '>'])
}

/// Tells whether lines further down are such a line by themselves, so that what stands above is text.
fn begins_as_one(text: &str, quoted: bool) -> bool {
    let text = folded(text);
    opens_with_date(&text) && is_attribution(&text, quoted, 1)
}

/// Tells whether a line by itself names who wrote, with an address, and when.
fn is_whole(line: &str) -> bool {
    let line = folded(line);
    let digits = line.chars().filter(char::is_ascii_digit).count();
    let named = line.find(['@']).is_some() && !line.starts_with(['<', '(', '"']);
    let said = line.trim_end_matches([':', '：', ' ']);
    named && digits >= 4 && (is_quoting(said) || names_verb(said, holds_word))
        || digits >= 7 && is_name_verb_date(said)
}

/// Gives a line as it is compared: in lower case, with plain blanks, without marks of emphasis.
fn folded(text: &str) -> String {
    let lower = words::lower(text);
    let lower = if lower.is_ascii() { lower } else { lower.replace(['\u{a0}', '\u{202f}'], " ") };
    let inner = lower.trim_matches(|c: char| c.is_whitespace() || matches!(c, '*' | '_' | '>'));
    let dashed = inner.starts_with("--") && !inner.ends_with("--");
    if dashed { inner.trim_start_matches(['-', ' ']).to_owned() } else { inner.to_owned() }
}

/// Tells whether a line opens with a date, or with a word that leads to one.
fn opens_with_date(text: &str) -> bool {
    let digits = text.chars().take(60).filter(char::is_ascii_digit).count();
    let numeric = text.chars().next().is_some_and(|c| c.is_ascii_digit());
    digits >= 3 && (numeric || OPENINGS.begins(text))
}

/// Tells whether a text, put together from its lines and [folded], introduces a quote.
fn is_attribution(lower: &str, quoted: bool, lines: usize) -> bool {
    if lower.chars().count() > LENGTH_MAX {
        return false;
    }
    let digits = lower.chars().filter(char::is_ascii_digit).count();
    let address = lower.contains('@') && lower.contains('.');
    if !quoted && digits < 4 && !address {
        return false;
    }
    if is_dashed(lower) || is_dated_address(lower, digits) && (quoted || lower.ends_with(':')) {
        return true;
    }
    let Some(said) = lower.strip_suffix([':', '：']).map(str::trim_end) else { return false };
    let whole = said;
    let said = said.trim_end_matches(['*', '_', ' ', ',', ')', '-', '.']);
    if is_quoting(said) {
        return quoted || address;
    }
    let verb_inside = INNER.iter().any(|(verb, starts)| {
        starts.iter().any(|start| said.starts_with(start)) && stands_between_blanks(said, verb)
    });
    if quoted {
        let verb = names_verb(said, holds_word);
        return verb || verb_inside || lines <= 4 && address && digits >= 4;
    }
    let verb_last = || names_verb(said, ends_in_word) || names_verb(whole, ends_in_word);
    let verb = || names_verb(said, holds_word);
    verb_inside && digits >= 5
        || verb_last() && (digits >= 5 || address) && opens_like_one(said, address, digits)
        || address && digits >= 4 && !is_speech(said) && verb()
        || address && digits >= 6 && said.len() < 250 && opens_with_date(said)
        || digits >= 7 && !is_speech(said) && is_name_verb_date(said)
}

fn stands_between_blanks(text: &str, words: &str) -> bool {
    text.match_indices(words).any(|(at, found)| {
        let before = text.get(..at).is_some_and(|before| before.ends_with(' '));
        before && text.get(at + found.len()..).is_some_and(|after| after.starts_with(' '))
    })
}

/// Tells whether a text is a name, the verb and a date in this order, or in scripts without blanks a name,
/// a date and the verb.
fn is_name_verb_date(text: &str) -> bool {
    names_verb(text, |text, verb| {
        if !holds_word(text, verb) {
            return false;
        }
        let (before, after) = text.split_once(verb).unwrap_or((text, ""));
        let words = before.split_whitespace().count();
        let digits = |text: &str| text.chars().filter(char::is_ascii_digit).count();
        let date = digits(after) >= 7 && after.split_whitespace().count() <= 8 && digits(before) == 0;
        let wide = verb.chars().next().is_some_and(|c| c > '\u{2e80}');
        (1..=5).contains(&words) && date || wide && words <= 8 && text.ends_with(verb)
    })
}

/// Tells whether a text begins as programs without a date begin such a line.
fn is_quoting(text: &str) -> bool {
    QUOTING.iter().any(|start| text.starts_with(start))
}

/// How programs without a date begin such a line.
const QUOTING: &[&str] = &[
    "quoting ",
    "citando a",
    "citando ",
    "zitat von ",
    "citeren ",
    "citat från ",
    "citat fra ",
    "cytowanie ",
    "quotando ",
    "wiadomość napisana przez ",
];

/// Tells whether a line is somebody's sentence about who wrote what.
fn is_speech(text: &str) -> bool {
    let first = text.split([' ', ',', '\'']).next().unwrap_or_default();
    [
        "i", "we", "you", "he", "she", "they", "it", "my", "our", "as", "when", "that", "this", "ich", "wir",
        "sie", "er", "mein", "wie", "da", "je", "nous", "vous", "il", "elle", "j", "yo", "nosotros", "usted",
        "io", "noi", "ik", "wij", "ja", "my", "я", "мы", "вы", "он",
    ]
    .contains(&first)
}

/// Tells whether one of the verbs stands in a text as it is asked for.
fn names_verb(text: &str, stands: impl Fn(&str, &str) -> bool) -> bool {
    LAST.within(text) && LAST.entries().any(|verb| stands(text, &verb))
}

/// Tells whether a text holds these words by themselves.
fn holds_word(text: &str, words: &str) -> bool {
    let joined = words.chars().next().is_some_and(|c| c > '\u{2e80}');
    let edge = |c: Option<char>| joined || !c.is_some_and(char::is_alphanumeric);
    text.match_indices(words).any(|(at, found)| {
        let before = text.get(..at).and_then(|t| t.chars().next_back());
        let after = text.get(at + found.len()..).and_then(|t| t.chars().next());
        edge(before) && edge(after)
    })
}

/// Tells whether a text ends in these words and not in a longer word; scripts without blanks may join.
fn ends_in_word(text: &str, words: &str) -> bool {
    let Some(before) = text.strip_suffix(words) else { return false };
    let joined = words.chars().next().is_some_and(|c| c > '\u{2e80}');
    joined || !before.chars().next_back().is_some_and(char::is_alphanumeric)
}

/// Tells whether a line without a marked quote below opens as such lines do: with a date or an address.
fn opens_like_one(text: &str, address: bool, digits: usize) -> bool {
    let numeric = text.chars().next().is_some_and(|c| c.is_ascii_digit() || c > '\u{2e80}');
    numeric && digits >= 3
        || address && digits >= 1
        || digits >= 4 && OPENINGS.begins(text)
        || address && text.starts_with(['<', '"'])
}

/// How such lines begin.
static OPENINGS: Table = Table::new(include_str!("words/openings.txt"));

/// Tells whether a line is the one of Zoho and its kin: `---- On … wrote ----`.
fn is_dashed(text: &str) -> bool {
    let inner = text.trim_matches(['-', ' ', '=']);
    let dashed = text.starts_with("--") && text.ends_with("--");
    dashed && names_verb(inner.trim_end_matches(':').trim_end(), ends_in_word)
}

/// Tells whether a line is a date and an address and nothing else: `2014-10-17 11:28 GMT+3 Ada <ada@…>:`.
fn is_dated_address(text: &str, digits: usize) -> bool {
    let text = text.trim_end_matches(':').trim_end();
    let year_first = text.chars().take(4).filter(char::is_ascii_digit).count() == 4;
    year_first && digits >= 6 && text.ends_with('>') && text.contains('<') && text.contains('@')
}

/// How a line begins that a mobile program puts below a text, in lower case.
pub(super) static MOBILE: Table = Table::new(include_str!("words/mobile.txt"));

/// What such a line speaks of, in lower case.
static DEVICES: Table = Table::new(include_str!("words/devices.txt"));

/// How such a line ends where the verb comes last.
const MOBILE_ENDS: &[&str] = &[
    "gesendet",
    "gesendet.",
    "beziehen",
    "downloaden",
    "gönderildi",
    "edinin",
    "から送信",
    "を入手",
    "보냄",
    "다운로드",
    "받기",
    "傳送",
    "发送",
    "lähetetty",
];

/// No entry of [`MOBILE`] is longer, in octets.
const OPENING_MAX: usize = 80;
/// Shorter than that is a line that ends so, in characters.
const ENDS_MAX: usize = 60;

/// Words by which the writer asks for patience with what a small keyboard does.
const EXCUSES: &[&str] = &[
    "excuse",
    "brevity",
    "brief",
    "typo",
    "forgive",
    "pardon",
    "auto-correct",
    "autocorrect",
    "kürze",
    "tippfehler",
];

/// Tells whether a line is what a mobile mail program adds by itself.
pub(super) fn is_mobile_signature(line: &str) -> bool {
    let line = line.trim();
    if line.is_empty() || line.len() > 400 || line.ends_with([':', ',', ';', '?']) {
        return false;
    }
    let is_word = |octet: Option<&u8>| octet.is_some_and(u8::is_ascii_alphanumeric);
    // Most lines are words from one end to the other.
    let bare = if is_word(line.as_bytes().first()) && is_word(line.as_bytes().last()) {
        line
    } else {
        line.trim_matches(['*', '_', '(', ')', '[', ']', '-', ' '])
    };
    let ends = may_end_as_one(bare) && ends_as_one(bare) && bare.chars().count() < ENDS_MAX;
    if !ends && !MOBILE.begins_any_case(cut(bare, OPENING_MAX)) {
        return false;
    }
    let lower = words::lower(bare);
    lower.chars().count() <= 110 && DEVICES.within(&lower) && !is_sentence(&lower)
}

/// Tells cheaply of a line that begins with a word whether it may end as one of [`MOBILE_ENDS`] does.
pub(super) fn may_end_as_mobile(line: &str) -> bool {
    match line.as_bytes().last() {
        Some(last) if last.is_ascii_alphanumeric() || *last == b'.' => may_end_as_one(line),
        last => !matches!(last, Some(b',' | b';' | b'?' | b'!' | b'"' | b'\'')),
    }
}

/// Tells cheaply whether a text may end as one of [`MOBILE_ENDS`], by its last four octets.
fn may_end_as_one(text: &str) -> bool {
    let Some(last) = text.as_bytes().last_chunk::<4>() else { return false };
    let ends = [b"ndet", b"det.", b"ehen", b"aden", b"inin", b"ildi", b"etty"];
    !last.is_ascii() || ends.iter().any(|end| last.eq_ignore_ascii_case(*end))
}

/// Tells whether a text, when it is made lower, ends as one of [`MOBILE_ENDS`].
fn ends_as_one(text: &str) -> bool {
    if text.is_ascii() {
        return MOBILE_ENDS.iter().any(|end| words::ends_in(text, end));
    }
    MOBILE_ENDS.iter().any(|end| {
        let mut lower = text.chars().rev().flat_map(char::to_lowercase).filter(|c| *c != '\u{307}');
        end.chars().rev().all(|letter| lower.next() == Some(letter))
    })
}

/// Tells whether a line that begins like a mobile signature goes on as a person's sentence.
fn is_sentence(lower: &str) -> bool {
    let Some((_, more)) = lower.split_once(", ") else { return lower.matches(". ").count() > 1 };
    let device = DEVICES.within(more) && !lower.ends_with('.') || more.contains("wireless");
    !device && !EXCUSES.iter().any(|excuse| more.contains(excuse))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_mobile_programs_end_with_is_told_by_its_last_octets() {
        for end in MOBILE_ENDS {
            assert!(may_end_as_one(end) && may_end_as_one(&end.to_uppercase()), "{end}");
            assert!(may_end_as_mobile(&format!("Von unterwegs {end}")), "{end}");
        }
    }

    fn begins(lines: &[&str], quoted: bool) -> Option<usize> {
        let ends: Vec<bool> = lines.iter().map(|line| may_end_one(line)).collect();
        attribution(lines, &ends, &|_| quoted)
    }

    /// One client's line for each language, without a marked quote below it.
    const ALONE: &[&str] = &[
        "On Mon, Jan 1, 2024 at 3:00 PM Ada Lovelace <ada@x.example> wrote:",
        "Am 01.01.2024 um 10:00 schrieb Ada Lovelace:",
        "Am Mo., 1. Jan. 2024 um 10:00 Uhr schrieb Ada <ada@x.example>:",
        "Le lun. 1 janv. 2024 à 10:00, Ada <ada@x.example> a écrit :",
        "El lun, 1 ene 2024 a las 10:00, Ada (<ada@x.example>) escribió:",
        "Il giorno lun 1 gen 2024 alle ore 10:00 Ada <ada@x.example> ha scritto:",
        "Em seg., 1 de jan. de 2024 às 10:00, Ada <ada@x.example> escreveu:",
        "Op ma 1 jan 2024 om 10:00 schreef Ada <ada@x.example>:",
        "pon., 1 sty 2024 o 10:00 Ada <ada@x.example> napisał(a):",
        "W dniu 1.01.2024 o 10:00, Ada pisze:",
        "пн, 1 янв. 2024 г. в 10:00, Ада <ada@x.example>:",
        "1 января 2024 г., в 10:00, Ада <ada@x.example> написал(а):",
        "пн, 1 січ. 2024 р. о 10:00 Ада <ada@x.example> пише:",
        "po 1. 1. 2024 v 10:00 odesílatel Ada <ada@x.example> napsal:",
        "Den mån 1 jan. 2024 kl 10:00 skrev Ada <ada@x.example>:",
        "man. 1. jan. 2024 kl. 10:00 skrev Ada <ada@x.example>:",
        "Den man. 1. jan. 2024 kl. 10.00 skrev Ada <ada@x.example>:",
        "ma 1. tammik. 2024 klo 10.00 Ada (ada@x.example) kirjoitti:",
        "Ada <ada@x.example>, 1 Oca 2024 Pzt, 10:00 tarihinde şunu yazdı:",
        "Ada <ada@x.example> 于2024年1月1日周一 10:00写道：",
        "2024年1月1日(月) 10:00 Ada <ada@x.example>:",
        "2024년 1월 1일 (월) 오전 10:00, Ada <ada@x.example>님이 작성:",
        "Ada <ada@x.example> schrieb am Mo. 1. Jan. 2024 um 10:00:",
        "Op ma 1 jan. 2024 10:00 schreef \"Ada\" <ada@x.example>:",
        "Ada <ada@x.example> schreef op 1 januari 2024 10:00:",
        "Понедельник, 1 января 2024, 10:00 +03:00 от Ada <ada@x.example>:",
        "01.01.2024, 10:00, \"Ada\" <ada@x.example>:",
        "Ada <ada@x.example> ezt írta (időpont: 2024. jan. 1., H, 10:00):",
        "----- Am 1. Jan 2024 um 10:00 schrieb Ada ada@x.example:",
        "Quoting Ada Lovelace <ada@x.example>:",
        "At 2024-01-01 10:00:00, \"Ada\" <ada@x.example> wrote:",
        "2024/01/01 10:00、Ada <ada@x.example>のメール:",
        "2024. 1. 1. 오전 10:00, Ada <ada@x.example> 작성:",
        "在 2024年1月1日，10:00，Ada <ada@x.example> 写道：",
        "Ada <ada@x.example> 於 2024年1月1日 週一 上午10:00 寫道：",
        "În lun., 1 ian. 2024 la 10:00, Ada <ada@x.example> a scris:",
        "pon, 1. sij 2024. u 10:00 Ada <ada@x.example> napisao je:",
        "Στις Δευ 1 Ιαν 2024 στις 10:00 π.μ., ο χρήστης Ada <ada@x.example> έγραψε:",
        "På mandag 1. januar 2024, Ada <ada@x.example> skrev:",
        "Vào Th 2, 1 thg 1, 2024 vào lúc 10:00 Ada <ada@x.example> đã viết:",
    ];

    #[test]
    fn the_line_above_a_quote_is_known_in_many_languages() {
        for line in ALONE {
            assert_eq!(begins(&[line], true), Some(1), "{line}");
        }
        let missed: Vec<_> = ALONE.iter().filter(|line| begins(&[line], false).is_none()).collect();
        assert_eq!(missed, Vec::<&&str>::new());
    }

    #[test]
    fn it_may_be_wrapped() {
        let lines = ["On Mon, Jan 1, 2024 at 3:00 PM, Ada Lovelace", "<ada@x.example> wrote:", "> hi"];
        assert_eq!(begins(&lines, false), Some(2));
    }

    #[test]
    fn prose_is_not_a_line_above_a_quote() {
        for line in [
            "As I wrote:",
            "On Monday we tried three things:",
            "I wrote to you on 1 May 2024 about this: nothing happened",
            "He said:",
            "See the steps below:",
            "1. Open the file, as Ada wrote",
            "On version 1234 I wrote the following:",
            "I wrote to ada@x.example on 12/05/2024 these lines:",
            "Please send it to ada@x.example by 12/05/2024:",
        ] {
            assert_eq!(begins(&[line], false), None, "{line}");
        }
    }

    #[test]
    fn mobile_signatures_are_known_and_sentences_are_not() {
        for line in [
            "Sent from my iPhone",
            "Sent from Mail for Windows 10",
            "Get Outlook for iOS",
            "Von meinem iPhone gesendet",
            "Envoyé de mon iPad",
            "Verstuurd vanaf mijn iPhone",
            "Отправлено с iPhone",
            "发自我的iPhone",
            "iPhoneから送信",
            "나의 iPhone에서 보냄",
            "Sent from my Verizon Wireless BlackBerry",
        ] {
            assert!(is_mobile_signature(line), "{line}");
        }
        for line in [
            "Sent from my desk, is much easier then my mobile phone.",
            "The phone was sent from my office",
            "Get Outlook",
            "",
        ] {
            assert!(!is_mobile_signature(line), "{line}");
        }
    }
}
