//! The words by which mail programs say that an older mail begins: bars and header blocks.

/// What stands between the dashes of a bar, in lower case.
const BARS: &[&str] = &[
    // en
    "original message",
    "original appointment",
    "original email",
    "forwarded message",
    "forwarded by",
    "forward message",
    "reply message",
    "replied message",
    "reply above this line",
    "original",
    // de
    "ursprüngliche nachricht",
    "originalnachricht",
    "original-nachricht",
    "original nachricht",
    "weitergeleitete nachricht",
    "ursprünglicher termin",
    // fr
    "message d'origine",
    "message d’origine",
    "message original",
    "message initial",
    "message transféré",
    "message transmis",
    "mail original",
    "e-mail d'origine",
    // es
    "mensaje original",
    "mensaje reenviado",
    "mensaje enviado",
    "correo original",
    // it
    "messaggio originale",
    "messaggio inoltrato",
    "messaggio originario",
    // pt
    "mensagem original",
    "mensagem encaminhada",
    "mensagem reencaminhada",
    // nl
    "oorspronkelijk bericht",
    "origineel bericht",
    "doorgestuurd bericht",
    "oorspronkelijke bericht",
    // pl
    "wiadomość oryginalna",
    "oryginalna wiadomość",
    "treść przekazanej wiadomości",
    "wiadomość przekazana",
    "przekazana wiadomość",
    "treść oryginalnej wiadomości",
    "wiadomość pierwotna",
    // ru, uk, bg
    "исходное сообщение",
    "пересылаемое сообщение",
    "пересланное сообщение",
    "оригинальное сообщение",
    "перенаправленное сообщение",
    "первоначальное сообщение",
    "вихідне повідомлення",
    "переслане повідомлення",
    "оригінальне повідомлення",
    "оригинално съобщение",
    "препратено съобщение",
    // cs, sk
    "původní zpráva",
    "přeposlaná zpráva",
    "původní e-mail",
    "pôvodná správa",
    "preposlaná správa",
    // sv, no, da
    "ursprungligt meddelande",
    "originalmeddelande",
    "ursprungsmeddelande",
    "vidarebefordrat meddelande",
    "opprinnelig melding",
    "videresendt melding",
    "original melding",
    "oprindelig meddelelse",
    "videresendt meddelelse",
    "original meddelelse",
    "videresendt besked",
    "oprindelig besked",
    // fi
    "alkuperäinen viesti",
    "välitetty viesti",
    "edelleenlähetetty viesti",
    // tr
    "özgün ileti",
    "orijinal mesaj",
    "özgün mesaj",
    "iletilen mesaj",
    "yönlendirilmiş ileti",
    "orijinal ileti",
    "yönlendirilen mesaj",
    "iletilmiş mesaj",
    // zh
    "原始邮件",
    "邮件原件",
    "原始郵件",
    "原邮件",
    "转发邮件",
    "转发的邮件",
    "轉寄郵件",
    "轉寄訊息",
    "转发邮件信息",
    "原始訊息",
    "原文",
    "转发信息",
    "已转发邮件",
    // ja
    "元のメッセージ",
    "転送メッセージ",
    "転送されたメッセージ",
    "オリジナルメッセージ",
    "original message / 元のメッセージ",
    "forwarded message / 転送メッセージ",
    "元のメール",
    // ko
    "원본 메시지",
    "원본 메세지",
    "전달된 메시지",
    "전달된 메일",
    "원본메시지",
    "원본 메일",
    "원본메일",
    // hu, ro, el, hr, vi, id
    "eredeti üzenet",
    "továbbított üzenet",
    "mesajul original",
    "mesaj original",
    "mesaj redirecționat",
    "αρχικό μήνυμα",
    "προωθημένο μήνυμα",
    "izvorna poruka",
    "proslijeđena poruka",
    "thư gốc",
    "pesan asli",
];

/// Lines that say the same without dashes.
const BARE: &[&str] = &[
    "begin forwarded message:",
    "start of forwarded message:",
    "anfang der weitergeleiteten nachricht:",
    "weitergeleitete nachricht:",
    "début du message réexpédié :",
    "début du message transféré :",
    "début du message réexpédié:",
    "inicio del mensaje reenviado:",
    "inizio messaggio inoltrato:",
    "início da mensagem encaminhada:",
    "início da mensagem reencaminhada:",
    "begin doorgestuurd bericht:",
    "początek przekazywanej wiadomości:",
    "początek przekazanej wiadomości:",
    "начало переадресованного сообщения:",
    "начало пересылаемого сообщения:",
    "початок переадресованого повідомлення:",
    "začátek přeposílané zprávy:",
    "vidarebefordrat brev:",
    "videresendt melding:",
    "start på videresendt meddelelse:",
    "videresendt meddelelse:",
    "välitetty viesti alkaa:",
    "välitetty viesti:",
    "iletilen ileti başlangıcı:",
    "下面是被转发的邮件：",
    "开始转发的邮件：",
    "以下為轉寄的訊息：",
    "開始轉寄訊息：",
    "転送されたメッセージ：",
    "転送されたメッセージ:",
    "전달된 메시지 시작:",
    "전달된 메시지:",
];

/// The names of header fields as mail programs print them above a quote, in lower case.
struct Keys {
    from: &'static [&'static str],
    other: &'static [&'static str],
}

const KEYS: Keys = Keys {
    from: &[
        "from",
        "von",
        "de",
        "da",
        "van",
        "od",
        "nadawca",
        "от",
        "від",
        "från",
        "fra",
        "lähettäjä",
        "kimden",
        "gönderen",
        "发件人",
        "寄件者",
        "寄件人",
        "差出人",
        "送信元",
        "送信者",
        "보낸 사람",
        "보낸사람",
        "expéditeur",
        "feladó",
        "από",
        "de la",
        "remitente",
        "mittente",
        "dari",
        "từ",
        "от кого",
        "šalje",
        "avsender",
        "afsender",
    ],
    other: &[
        "sent",
        "date",
        "to",
        "cc",
        "bcc",
        "subject",
        "reply-to",
        "importance",
        "sent by",
        "attachments",
        "organization",
        "gesendet",
        "datum",
        "an",
        "kopie",
        "betreff",
        "gesendet am",
        "antwort an",
        "wichtigkeit",
        "envoyé",
        "envoyé le",
        "date d'envoi",
        "à",
        "a",
        "objet",
        "copie à",
        "copie",
        "pour",
        "enviado",
        "enviado el",
        "fecha",
        "para",
        "asunto",
        "con copia a",
        "inviato",
        "data",
        "oggetto",
        "per",
        "data invio",
        "enviada",
        "enviada em",
        "enviado em",
        "assunto",
        "com cópia",
        "verzonden",
        "verstuurd",
        "aan",
        "onderwerp",
        "kopie aan",
        "wysłano",
        "wysłane",
        "do",
        "dw",
        "temat",
        "data wysłania",
        "udw",
        "отправлено",
        "дата",
        "кому",
        "копия",
        "тема",
        "отправлен",
        "послано",
        "надіслано",
        "копія",
        "odesláno",
        "datum odeslání",
        "komu",
        "předmět",
        "kopie",
        "odoslané",
        "predmet",
        "dátum",
        "skickat",
        "till",
        "kopia",
        "ämne",
        "sendt",
        "dato",
        "til",
        "kopi",
        "emne",
        "lähetetty",
        "päivämäärä",
        "päiväys",
        "vastaanottaja",
        "kopio",
        "aihe",
        "gönderildi",
        "gönderme",
        "gönderilme",
        "tarih",
        "kime",
        "bilgi",
        "konu",
        "gönderim tarihi",
        "发送时间",
        "发送日期",
        "日期",
        "收件人",
        "抄送",
        "主题",
        "時間",
        "寄件日期",
        "收件者",
        "副本",
        "主旨",
        "主題",
        "传送时间",
        "傳送時間",
        "日付",
        "送信日時",
        "宛先",
        "件名",
        "送信日",
        "日時",
        "보낸 날짜",
        "보낸날짜",
        "날짜",
        "받는 사람",
        "받는사람",
        "참조",
        "제목",
        "küldve",
        "címzett",
        "tárgy",
        "dátum",
        "trimis",
        "către",
        "subiect",
        "dată",
        "στάλθηκε",
        "προς",
        "θέμα",
        "ημερομηνία",
        "kirim",
        "kepada",
        "subjek",
        "tanggal",
        "đã gửi",
        "ngày",
        "đến",
        "tới",
        "chủ đề",
        "poslano",
        "za",
        "изпратено",
        "до",
        "относно",
    ],
};

/// Tells whether a line is a bar such as `-----Original Message-----`.
pub(super) fn is_bar(line: &str) -> bool {
    let line = line.trim();
    if line.len() > 300 {
        return false;
    }
    let lower = line.to_lowercase();
    if BARE.contains(&lower.as_str()) {
        return true;
    }
    let rule = |c: char| matches!(c, '-' | '_' | '=' | '*' | '—' | '–' | '─' | '+' | '~');
    let blank = |c: char| rule(c) || c.is_whitespace();
    let inner = lower.trim_matches(blank).trim_end_matches([':', '：']).trim();
    let leading = lower.chars().take_while(|c| rule(*c)).count();
    let trailing = lower.chars().rev().take_while(|c| rule(*c)).count();
    let known = |inner: &str| BARS.contains(&inner);
    let by = inner.starts_with("forwarded by ") || inner.starts_with("forwarded message from ");
    (leading >= 2 || leading >= 1 && trailing >= 2) && (known(inner) || by && trailing >= 2)
}

/// Tells whether a line is nothing but a long rule, as Outlook puts above a header block.
pub(super) fn is_rule(line: &str) -> bool {
    let line = line.trim();
    line.chars().count() >= 10 && line.chars().all(|c| matches!(c, '_' | '-' | '=' | '—' | '─' | '*'))
}

/// Tells which header field a line names, if it does: `Some(true)` for the sender's.
fn header_key(line: &str) -> Option<bool> {
    let line = line.trim().trim_start_matches(['*', '>', '|', ' ']);
    let (key, _) = line.split_once([':', '：'])?;
    if key.len() > 60 {
        return None;
    }
    let key = key.trim_matches(|c: char| c.is_whitespace() || c == '*' || c == '_').to_lowercase();
    let is_from = KEYS.from.contains(&key.as_str());
    (is_from || KEYS.other.contains(&key.as_str())).then_some(is_from)
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
    from && keys.len() >= 3
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
}
