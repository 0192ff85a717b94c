//! The line above a quote, "On … wrote:", in the languages of the world; and mobile signatures.

/// Most lines over which such a line may be wrapped.
const LINES_MAX: usize = 6;
/// Longest such line when put together, in characters.
const LENGTH_MAX: usize = 400;

/// The verb at the end of the line, in lower case: `… wrote:`.
const LAST: &[&str] = &[
    "wrote",
    "writes",
    "said",
    "schrieb",
    "geschrieben",
    "a écrit",
    "écrit",
    "a ecrit",
    "escribió",
    "escribio",
    "escribe",
    "ha scritto",
    "scrive",
    "scritto",
    "escreveu",
    "escrito",
    "escreve",
    "schreef",
    "geschreven",
    "schreef het volgende",
    "het volgende geschreven",
    "napisał",
    "napisała",
    "napisał(a)",
    "napisał/a",
    "napisał(-a)",
    "pisze",
    "написал",
    "написала",
    "написал(а)",
    "пишет",
    "писал",
    "писал(а)",
    "писала",
    "написав",
    "написала",
    "написав(ла)",
    "пише",
    "писав",
    "писав(ла)",
    "napsal",
    "napsala",
    "napsal(a)",
    "napsal/a",
    "píše",
    "napísal",
    "napísala",
    "napísal(a)",
    "skrev",
    "skrev följande",
    "skrev følgende",
    "kirjoitti",
    "yazdı",
    "şunları yazdı",
    "yazmış",
    "写道",
    "寫道",
    "写到",
    "書きました",
    "は書きました",
    "wrote (ja)",
    "のメール",
    "のメッセージ",
    "작성",
    "님이 작성",
    "님이 씀",
    "작성함",
    "írta",
    "ezt írta",
    "a scris",
    "έγραψε",
    "написа",
    "je napisao",
    "je napisala",
    "napisao",
    "כתב",
    "כתב/ה",
    "كتب",
    "đã viết",
    "menulis",
    "skrifaði",
    "kirjutas",
    "rašė",
    "parašė",
    "rakstīja",
    "va escriure",
    "idatzi du",
];

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
    ("wrote", &["on "]),
    ("a écrit", &["le "]),
    ("escribió", &["el "]),
    ("ha scritto", &["il "]),
    ("escreveu", &["em "]),
];

/// Finds a line above a quote that begins at the first of these lines; gives how many lines it takes.
///
/// `quoted(n)` tells whether a marked quote follows when it takes `n` lines: then less is asked of it.
pub(super) fn attribution(lines: &[&str], quoted: &dyn Fn(usize) -> bool) -> Option<usize> {
    let first = lines.first()?.trim();
    if first.is_empty() || first.len() > 4 * LENGTH_MAX {
        return None;
    }
    let mut joined = String::new();
    for (count, line) in lines.iter().take(LINES_MAX).enumerate().map(|(i, line)| (i + 1, line.trim())) {
        if line.is_empty() || joined.chars().count() > LENGTH_MAX {
            break;
        }
        if !joined.is_empty() {
            joined.push(' ');
        }
        joined.push_str(line);
        if is_attribution(&joined, quoted(count), count) {
            return Some(count);
        }
    }
    None
}

/// Tells whether a text, put together from its lines, introduces a quote.
fn is_attribution(text: &str, quoted: bool, lines: usize) -> bool {
    let lower = text.to_lowercase().replace(['\u{a0}', '\u{202f}'], " ");
    let lower = lower.trim_matches(|c: char| c.is_whitespace() || matches!(c, '*' | '_' | '>'));
    if lower.chars().count() > LENGTH_MAX {
        return false;
    }
    let digits = lower.chars().filter(char::is_ascii_digit).count();
    let address = lower.contains('@') && lower.contains('.');
    if is_dashed(lower) || is_dated_address(lower, digits) && (quoted || lower.ends_with(':')) {
        return true;
    }
    let Some(said) = lower.strip_suffix([':', '：']).map(str::trim_end) else { return false };
    let said = said.trim_end_matches(['*', '_', ' ', ',']);
    let verb_last = LAST.iter().any(|verb| ends_in_word(said, verb));
    let verb_inside = INNER.iter().any(|(verb, starts)| {
        said.contains(&format!(" {verb} ")) && starts.iter().any(|start| said.starts_with(start))
    });
    if quoted {
        return verb_last || verb_inside || lines <= 4 && address && digits >= 4;
    }
    (verb_last && (digits >= 3 || address) || verb_inside && digits >= 3)
        && opens_like_one(said, address, digits)
}

/// Tells whether a text ends in these words and not in a longer word; scripts without blanks may join.
fn ends_in_word(text: &str, words: &str) -> bool {
    let Some(before) = text.strip_suffix(words) else { return false };
    let joined = words.chars().next().is_some_and(|c| c > '\u{2e80}');
    joined || !before.chars().next_back().is_some_and(char::is_alphanumeric)
}

/// Tells whether a line without a marked quote below opens as such lines do: with a date or an address.
fn opens_like_one(text: &str, address: bool, digits: usize) -> bool {
    const OPENINGS: &[&str] = &[
        "on ",
        "am ",
        "le ",
        "el ",
        "il ",
        "em ",
        "op ",
        "w dniu ",
        "dnia ",
        "dne ",
        "den ",
        "på ",
        "pe ",
        "в ",
        "от ",
        "on:",
        "a ",
        "na ",
        "ven",
        "lun",
        "mar",
        "mer",
        "jeu",
        "sam",
        "dim",
        "mon",
        "tue",
        "wed",
        "thu",
        "fri",
        "sat",
        "sun",
        "pon",
        "wt",
        "śr",
        "czw",
        "pt",
        "sob",
        "niedz",
        "ma ",
        "ti ",
        "ke ",
        "to ",
        "pe ",
        "la ",
        "su ",
        "пн",
        "вт",
        "ср",
        "чт",
        "пт",
        "сб",
        "вс",
        "нд",
        "понедельник",
        "вторник",
        "среда",
        "четверг",
        "пятница",
        "суббота",
        "воскресенье",
        "понеділок",
        "вівторок",
        "середа",
        "четвер",
        "п'ятниця",
        "субота",
        "неділя",
        "po ",
        "út ",
        "st ",
        "čt ",
        "pá ",
        "so ",
        "ne ",
        "tir",
        "ons",
        "tor",
        "fre",
        "lør",
        "lör",
        "søn",
        "sön",
        "mån",
        "man",
        "at ",
        "hi ",
        "za ",
        "în ",
        "στις ",
        "vào ",
        "pada ",
        "dna ",
        "dňa ",
        "у ",
        "kl",
    ];
    let numeric = text.chars().next().is_some_and(|c| c.is_ascii_digit() || c > '\u{2e80}');
    numeric && digits >= 3
        || address && digits >= 1
        || digits >= 4 && OPENINGS.iter().any(|open| text.starts_with(open))
        || address && text.starts_with(['<', '"'])
}

/// Tells whether a line is the one of Zoho and its kin: `---- On … wrote ----`.
fn is_dashed(text: &str) -> bool {
    let inner = text.trim_matches(['-', ' ', '=']);
    let dashed = text.starts_with("--") && text.ends_with("--");
    dashed && LAST.iter().any(|verb| ends_in_word(inner.trim_end_matches(':').trim_end(), verb))
}

/// Tells whether a line is a date and an address and nothing else: `2014-10-17 11:28 GMT+3 Ada <ada@…>:`.
fn is_dated_address(text: &str, digits: usize) -> bool {
    let text = text.trim_end_matches(':').trim_end();
    let year_first = text.chars().take(4).filter(char::is_ascii_digit).count() == 4;
    year_first && digits >= 6 && text.ends_with('>') && text.contains('<') && text.contains('@')
}

/// How a line begins that a mobile program puts below a text, in lower case.
const MOBILE: &[&str] = &[
    "sent from my ",
    "sent from mail for ",
    "sent from outlook",
    "sent from yahoo",
    "sent from proton",
    "sent from spark",
    "sent from mailbox",
    "sent from samsung",
    "sent from a ",
    "sent from gmail",
    "sent from aol",
    "sent from mobile",
    "sent from windows mail",
    "sent from nine",
    "sent from bluemail",
    "sent from an ",
    "sent from iphone",
    "sent from ipad",
    "sent from android",
    "sent from blackberry",
    "sent from myyahoo",
    "sent via my ",
    "sent via blackberry",
    "sent via the samsung",
    "sent via iphone",
    "sent with proton",
    "sent using proton",
    "sent with airmail",
    "sent with spark",
    "sent by my ",
    "sent using my ",
    "sent using hushmail",
    "get outlook for ",
    "get bluemail for ",
    "download outlook for",
    "sent on the go",
    "sent while mobile",
    "von meinem ",
    "von mein ",
    "gesendet von ",
    "gesendet mit der ",
    "diese nachricht wurde von mein",
    "outlook für ",
    "holen sie sich outlook",
    "gesendet mit proton",
    "envoyé de mon ",
    "envoyé depuis ",
    "envoyé à partir d",
    "envoyé avec ",
    "télécharger outlook pour",
    "obtenir outlook pour",
    "obtenez outlook pour",
    "enviado desde mi ",
    "enviado desde ",
    "enviado do meu ",
    "enviado a partir d",
    "enviado do ",
    "enviado con ",
    "obtener outlook para",
    "obter o outlook para",
    "enviado de mi ",
    "inviato da ",
    "inviato dal mio ",
    "scarica outlook per",
    "ottieni outlook per",
    "verstuurd vanaf mijn ",
    "verzonden vanaf mijn ",
    "verstuurd met ",
    "verzonden met ",
    "outlook voor ",
    "download outlook voor",
    "verstuurd vanuit ",
    "verzonden vanaf ",
    "verstuurd vanaf ",
    "wysłane z ",
    "wysłano z ",
    "pobierz program outlook",
    "отправлено с ",
    "отправлено из ",
    "отправлено от ",
    "надіслано з ",
    "надіслано від ",
    "получить outlook для",
    "odesláno z ",
    "odoslané z ",
    "skickat från min ",
    "skickat från ",
    "hämta outlook för",
    "sendt fra min ",
    "sendt fra ",
    "hent outlook for",
    "lähetetty ",
    "hanki outlook",
    "iphone'umdan gönderildi",
    "ipad'imden gönderildi",
    "android için outlook",
    "发自我的",
    "从我的",
    "發自我的",
    "從我的",
    "来自我的",
    "发自 ",
    "iphoneから送信",
    "ipadから送信",
    "androidから",
    "私のiphoneから",
    "나의 iphone에서",
    "내 iphone에서",
    "나의 ipad에서",
    "iphone에서 보냄",
    "trimis de pe ",
    "küldve ",
    "poslano z ",
    "poslano s ",
    "dikirim dari ",
];

/// What such a line speaks of, in lower case.
const DEVICES: &[&str] = &[
    "iphone",
    "ipad",
    "ipod",
    "android",
    "blackberry",
    "mobile",
    "phone",
    "tablet",
    "samsung",
    "galaxy",
    "windows",
    "htc",
    "nokia",
    "huawei",
    "xiaomi",
    "outlook",
    "mail",
    "proton",
    "spark",
    "yahoo",
    "gmail",
    "aol",
    "smartphone",
    "handy",
    "handheld",
    "wireless",
    "palm",
    "treo",
    "nexus",
    "pixel",
    "ios",
    "sony",
    "xperia",
    "lumia",
    "motorola",
    "oneplus",
    "oppo",
    "redmi",
    "mobil",
    "móvil",
    "celular",
    "telefon",
    "телефон",
    "смартфон",
    "айфон",
    "планшет",
    "手机",
    "手機",
    "puhelimesta",
    "puhelime",
    "watch",
    "airmail",
    "bluemail",
    "hushmail",
    "laptop",
    "verizon",
    "t-mobile",
    "go",
];

/// Tells whether a line is what a mobile mail program adds by itself.
pub(super) fn is_mobile_signature(line: &str) -> bool {
    let lower = line.trim().trim_matches(['*', '_', '(', ')', '[', ']', '-', ' ']).to_lowercase();
    if lower.chars().count() > 110 || lower.is_empty() {
        return false;
    }
    let ends = ["gesendet", "gönderildi", "から送信", "보냄", "傳送", "发送", "lähetetty"];
    let opens = MOBILE.iter().any(|start| lower.starts_with(start))
        || ends.iter().any(|end| lower.ends_with(end)) && lower.chars().count() < 60;
    let device = DEVICES.iter().any(|device| lower.contains(device));
    let sentence = lower.contains(", ") && !lower.contains("wireless") || lower.matches(". ").count() > 1;
    opens && device && !sentence
}

#[cfg(test)]
mod tests {
    use super::*;

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
    ];

    #[test]
    fn the_line_above_a_quote_is_known_in_many_languages() {
        for line in ALONE {
            assert_eq!(attribution(&[line], &|_| true), Some(1), "{line}");
        }
        let missed: Vec<_> = ALONE.iter().filter(|line| attribution(&[line], &|_| false).is_none()).collect();
        assert!(missed.len() <= 1, "{missed:?}");
    }

    #[test]
    fn it_may_be_wrapped() {
        let lines = ["On Mon, Jan 1, 2024 at 3:00 PM, Ada Lovelace", "<ada@x.example> wrote:", "> hi"];
        assert_eq!(attribution(&lines, &|_| false), Some(2));
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
        ] {
            assert_eq!(attribution(&[line], &|_| false), None, "{line}");
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
