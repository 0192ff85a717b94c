//! Forwarded mail: whose mail it was before somebody passed it on.

use super::bars::{is_header_block, sender_line};
use super::{Message, Reading, fields, part, read, visible};
use crate::domain::{Attachment, Mailbox};

/// How subjects of forwarded mail begin, in lower case and without the colon.
const PREFIXES: [&str; 22] = [
    "fw",
    "fwd",
    "wg",
    "weitergeleitet",
    "tr",
    "rv",
    "i",
    "enc",
    "doorst",
    "vb",
    "vs",
    "vl",
    "fs",
    "pd",
    "ilt",
    "továbbítás",
    "пересл",
    "转发",
    "轉寄",
    "転送",
    "전달",
    "yml",
];
/// Lines of a text that are looked at.
const LINES: usize = 400;

/// Tells at a glance whether a mail may pass another one on.
pub fn looks_forwarded(message: &Message) -> bool {
    says_forwarded(&message.subject) || only_mail(message).is_some()
}

/// Gives the sender of the mail that this one passes on; `None` when it passes none on, or does not name one.
///
/// A mail within the mail counts by itself. A copied text counts where the subject says that it is forwarded
/// and the text has a header block as mail programs print it.
pub fn forwarded(raw: &[u8], message: &Message) -> Option<Mailbox> {
    attached(raw, message).or_else(|| copied(message))
}

fn attached(raw: &[u8], message: &Message) -> Option<Mailbox> {
    let file = only_mail(message)?;
    let bytes = part(raw, file.part?, &file.within)?;
    read(&bytes).ok()?.from
}

/// Gives the mail within the mail, if there is just one.
fn only_mail(message: &Message) -> Option<&Attachment> {
    let mut mails = message.attachments.iter().filter(|file| file.media_type == "message/rfc822");
    let first = mails.next()?;
    mails.next().is_none().then_some(first)
}

fn copied(message: &Message) -> Option<Mailbox> {
    if !says_forwarded(&message.subject) {
        return None;
    }
    let text = visible(message, Reading::Opening).body;
    let lines: Vec<&str> = text.lines().take(LINES).collect();
    let start = (0..lines.len()).find(|at| lines.get(*at..).is_some_and(is_header_block))?;
    let line = lines.get(start..)?.iter().find_map(|line| sender_line(line))?;
    // Outlook writes `Ada [mailto:ada@x.example]`.
    let line = line.replace("[mailto:", "<").replace(']', ">");
    fields::mailboxes(line.as_bytes()).into_iter().next()
}

fn says_forwarded(subject: &str) -> bool {
    let Some((prefix, _)) = subject.split_once([':', '：']) else { return false };
    PREFIXES.contains(&prefix.trim().to_lowercase().as_str())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sender(raw: &str) -> Option<String> {
        let raw = raw.replace('\n', "\r\n");
        forwarded(raw.as_bytes(), &read(raw.as_bytes()).unwrap()).map(|from| from.to_string())
    }

    #[test]
    fn the_sender_of_a_copied_mail_is_found_as_programs_print_it() {
        for (subject, block) in [
            (
                "Fwd: Broken",
                "---------- Forwarded message ---------\nFrom: Ada Lovelace <ada@x.example>\nDate: Mon, 2 Mar 2026 at 09:00\nSubject: Broken\nTo: <me@desk.example>",
            ),
            (
                "WG: Kaputt",
                "Von: Ada Lovelace [mailto:ada@x.example]\nGesendet: Montag, 2. März 2026 09:00\nAn: Mia\nBetreff: Kaputt",
            ),
            (
                "FW: Broken",
                "________________________________\n*From:* Ada Lovelace <ada@x.example>\n*Sent:* Monday\n*To:* Mia\n*Subject:* Broken",
            ),
        ] {
            let raw =
                format!("From: mia@desk.example\nSubject: {subject}\n\nPlease look.\n\n{block}\n\nIt is.\n");
            assert_eq!(sender(&raw).as_deref(), Some("Ada Lovelace <ada@x.example>"), "{subject}");
        }
    }

    #[test]
    fn the_sender_of_an_attached_mail_is_found_whatever_the_subject() {
        let raw = "From: mia@desk.example\nSubject: see this\nMIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=x\n\n--x\nContent-Type: text/plain\n\nLook.\n--x\nContent-Type: message/rfc822\n\nFrom: Ada <ada@x.example>\nSubject: Broken\n\nIt is.\n--x--\n";
        assert_eq!(sender(raw).as_deref(), Some("Ada <ada@x.example>"));
    }

    #[test]
    fn an_answer_that_quotes_is_not_forwarded() {
        for raw in [
            "From: mia@desk.example\nSubject: Re: Broken\n\nYes.\n\nFrom: Ada <ada@x.example>\nSent: Monday\nTo: Mia\nSubject: Broken\n",
            "From: mia@desk.example\nSubject: Fwd: Broken\n\nNo header block here.\n",
            "From: mia@desk.example\nSubject: hello\n\nHi\n",
        ] {
            assert_eq!(sender(raw), None, "{raw}");
        }
    }
}
