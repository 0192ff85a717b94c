//! The words by which mail programs say that an older mail begins: bars and header blocks.

use super::words::{self, Table};

/// What stands between the dashes of a bar, in lower case.
static BARS: Table = Table::new(include_str!("words/bars.txt"));

/// Lines that say the same without dashes.
pub(super) static BARE: Table = Table::new(include_str!("words/bars_without_dashes.txt"));

/// Longest of them, in octets.
const BARE_MAX: usize = 80;

/// How mail programs call the sender's field above a quote, and the others.
static SENDER_KEYS: Table = Table::new(include_str!("words/sender_keys.txt"));
static HEADER_KEYS: Table = Table::new(include_str!("words/header_keys.txt"));

/// Longest of them, in octets.
const KEY_MAX: usize = 60;

/// What help desks write above their mails, so that answers can be cut there.
static ABOVE: Table = Table::new(include_str!("words/reply_above.txt"));

/// Tells whether a line asks for answers above it; such lines begin with a sign, a person's sentence does not.
pub(super) fn asks_above(line: &str) -> bool {
    let line = line.trim();
    let marked = line.starts_with(|c: char| !c.is_alphanumeric()) && line.len() < 250;
    marked && ABOVE.within_any_case(line)
}

/// Tells whether a line is a bar such as `-----Original Message-----`.
pub(super) fn is_bar(line: &str) -> bool {
    let line = line.trim();
    let rule = |c: char| matches!(c, '-' | '_' | '=' | '*' | '—' | '–' | '─' | '+' | '~');
    let ruled = line.starts_with(rule);
    if line.len() > if ruled { 300 } else { BARE_MAX } {
        return false;
    }
    let bare = BARE.is_any_case(line);
    if bare || !ruled {
        return bare;
    }
    let leading = line.chars().take_while(|c| rule(*c)).count();
    let trailing = line.chars().rev().take_while(|c| rule(*c)).count();
    if leading < 2 && trailing < 2 {
        return false;
    }
    let lower = words::lower(line);
    let blank = |c: char| rule(c) || c.is_whitespace();
    let inner = lower.trim_matches(blank).trim_end_matches([':', '：']).trim();
    let known = |inner: &str| BARS.is(inner);
    let by = inner.starts_with("forwarded by ") || inner.starts_with("forwarded message from ");
    (leading >= 2 || leading >= 1 && trailing >= 2) && (known(inner) || by && trailing >= 2)
}

/// Tells whether a line is nothing but a long rule, as Outlook puts above a header block.
pub(super) fn is_rule(line: &str) -> bool {
    let line = line.trim();
    line.chars().all(|c| matches!(c, '_' | '-' | '=' | '—' | '─' | '*')) && line.chars().count() >= 10
}

/// Tells which header field a line names, if it does: `Some(true)` for the sender's.
fn header_key(line: &str) -> Option<bool> {
    let line = line.trim().trim_start_matches(['*', '>', '|', ' ']);
    let key = line.get(..colon(line)?)?;
    let key = key.trim_matches(|c: char| c.is_whitespace() || c == '*' || c == '_');
    let is_from = SENDER_KEYS.is_any_case(key);
    (is_from || HEADER_KEYS.is_any_case(key)).then_some(is_from)
}

/// Tells cheaply whether a line may name a header field.
pub(super) fn may_have_key(line: &str) -> bool {
    colon(line).is_some()
}

/// Finds the first colon of either width, if it stands near enough to the beginning to end a key.
fn colon(line: &str) -> Option<usize> {
    let octets = line.as_bytes();
    let beginning = octets.get(..octets.len().min(KEY_MAX + 1)).unwrap_or_default();
    let wide = "：".as_bytes();
    memchr::memchr2_iter(b':', 0xef, beginning).find(|at| {
        beginning.get(*at) == Some(&b':') || octets.get(*at..).is_some_and(|o| o.starts_with(wide))
    })
}

/// Gives what a line says of the sender, if it is the sender's line of a header block.
pub(super) fn sender_line(line: &str) -> Option<&str> {
    let (_, value) = line.split_once([':', '：'])?;
    (header_key(line) == Some(true)).then(|| value.trim_matches(|c: char| c.is_whitespace() || c == '*'))
}

/// Tells whether a header block as mail programs print it begins at the first of these lines.
///
/// It names the sender and two more fields within a few lines, each on a line of its own; wrapped
/// values and blank lines between are allowed.
pub(super) fn is_header_block(lines: &[&str]) -> bool {
    let Some(first) = lines.first().filter(|line| header_key(line).is_some()) else { return false };
    let mut from = false;
    let mut keys = Vec::new();
    let mut strangers = 0;
    for line in std::iter::once(first).chain(lines.iter().skip(1)).take(16) {
        if line.trim().is_empty() {
            continue;
        }
        match header_key(line) {
            Some(is_from) => {
                strangers = 0;
                from |= is_from;
                let key = line.split([':', '：']).next().unwrap_or_default().trim().to_lowercase();
                if !keys.contains(&key) {
                    keys.push(key);
                }
            }
            None => strangers += 1,
        }
        if strangers > 2 {
            break;
        }
    }
    from && (keys.len() >= 3 || keys.len() == 2 && is_dated_pair(lines))
}

/// Tells whether two lines name a sender by address and a date, which is all that some programs print.
fn is_dated_pair(lines: &[&str]) -> bool {
    let (Some(first), Some(second)) = (lines.first(), lines.get(1)) else { return false };
    let digits = second.chars().filter(char::is_ascii_digit).count();
    header_key(first) == Some(true) && first.contains('@') && header_key(second) == Some(false) && digits >= 4
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bars_are_known_and_rules_are_not_bars() {
        for line in [
            "-----Original Message-----",
            "-------- Weitergeleitete Nachricht --------",
            "---------- Forwarded message ---------",
            "________ Исходное сообщение ________",
            "-----邮件原件-----",
            "Begin forwarded message:",
            "------- Original Message -------",
        ] {
            assert!(is_bar(line), "{line}");
        }
        for line in
            ["---", "*", "-----", "- original message", "The original message", "--", "-- original idea --"]
        {
            assert!(!is_bar(line), "{line}");
        }
    }

    #[test]
    fn a_header_block_names_the_sender_and_two_more() {
        for block in [
            &["From: Ada", "Sent: Monday", "To: Bob", "Subject: x"][..],
            &["*Von:* Ada", "*Gesendet:* Montag", "*An:* Bob"],
            &["发件人: Ada", "发送时间: 2024", "收件人: Bob", "主题: x"],
            &["Date: Mon", "Subject: x", "From: ada@x.example"],
            &["From: Ada", "Sent: Monday", "To: Bob with a long", " name; and another", "Subject: x"],
        ] {
            assert!(is_header_block(block), "{block:?}");
        }
        for block in [
            &["From: here", "we go on", "to: somewhere"][..],
            &["To: do", "Date: x", "Subject: y"],
            &["hello"],
        ] {
            assert!(!is_header_block(block), "{block:?}");
        }
    }

    #[test]
    fn header_blocks_are_known_in_many_languages() {
        for keys in [
            "Von Gesendet An Betreff",
            "De Envoyé À Objet",
            "De Enviado_el Para Asunto",
            "Da Inviato A Oggetto",
            "De Enviada_em Para Assunto",
            "Van Verzonden Aan Onderwerp",
            "Od Wysłano Do Temat",
            "От Отправлено Кому Тема",
            "Від Надіслано Кому Тема",
            "Od Odesláno Komu Předmět",
            "Från Skickat Till Ämne",
            "Fra Sendt Til Emne",
            "Lähettäjä Lähetetty Vastaanottaja Aihe",
            "Kimden Gönderildi Kime Konu",
            "发件人 发送时间 收件人 主题",
            "寄件者 寄件日期 收件者 主旨",
            "差出人 送信日時 宛先 件名",
            "보낸_사람 보낸_날짜 받는_사람 제목",
            "Feladó Elküldve Címzett Tárgy",
            "De_la Trimis Către Subiect",
            "Od Odoslané Komu Predmet",
            "Από Στάλθηκε Προς Θέμα",
            "От Изпратено До Относно",
            "Od Poslano Prima Predmet",
            "מאת נשלח אל נושא",
            "من تاريخ_الإرسال إلى الموضوع",
            "Dari Dikirim Kepada Subjek",
            "Từ Đã_gửi Đến Chủ_đề",
            "Saatja Saadetud Adressaat Teema",
            "Nuo Išsiųsta Kam Tema",
            "No Nosūtīts Kam Temats",
            "De Enviat Per_a Assumpte",
            "จาก ส่ง ถึง เรื่อง",
        ] {
            let lines: Vec<String> =
                keys.split(' ').map(|key| format!("{}: x", key.replace('_', " "))).collect();
            let lines: Vec<&str> = lines.iter().map(String::as_str).collect();
            assert!(is_header_block(&lines), "{keys}");
            for line in &lines {
                assert!(header_key(line).is_some(), "{line}");
            }
        }
    }
}
