//! What a report gives back of the mail it is about: identifiers, addresses and fields of its header.
//!
//! Reads nested mails, headers in a part of their own, and headers that stand in plain text.

use super::bounce::part_text;
use super::fields;
use super::lines::lines;
use super::message;
use crate::domain::MessageId;

/// Most identifiers, and most addresses, that one report is read for.
const MOST: usize = 200;
/// From so many octets on a field in a text is taken for ended.
const VALUE_MAX: usize = 2000;
/// The fields that are read.
const WANTED: &[&str] = &[
    "message-id",
    "original-message-id",
    "x-original-message-id",
    "reply-to",
    "return-path",
    "original-mail-from",
    "x-original-sender",
    "list-unsubscribe",
    "x-deskbell-issue",
    "subject",
    "to",
];

/// What a report tells of the mail that it is about.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Returned {
    /// Every Message-ID it names, in the order in which they stand there.
    pub ids: Vec<MessageId>,
    /// What stands in Reply-To, Return-Path and such fields: one of them may be an address with our key.
    pub addresses: Vec<String>,
    /// The issue that a field of ours names, `mygroup/myproject#12`.
    pub reference: Option<String>,
    pub subject: Option<String>,
    /// Whom the mail was addressed to, as text.
    pub to: Option<String>,
}

/// A field as it is put together from its lines.
struct Field<'a> {
    name: &'a str,
    /// Empty where nobody asks for the field.
    value: String,
    length: usize,
}

impl<'a> Field<'a> {
    fn of(line: &'a str) -> Option<Self> {
        let colon = memchr::memchr(b':', line.as_bytes())?;
        let (name, value) = (line.get(..colon)?.trim(), line.get(colon + 1..)?);
        let is_wanted = WANTED.iter().any(|wanted| name.eq_ignore_ascii_case(wanted));
        let kept = if is_wanted { value } else { "" };
        Some(Self { name: if is_wanted { name } else { "" }, value: kept.to_owned(), length: value.len() })
    }

    fn add(&mut self, line: &str) {
        self.length += line.len() + 1;
        if !self.name.is_empty() {
            self.value.push(' ');
            self.value.push_str(line);
        }
    }
}

impl Returned {
    /// Collects what the parts of a report give back.
    pub(super) fn of(parsed: &mail_parser::Message<'_>) -> Self {
        let mut found = Self::default();
        for (index, part) in parsed.parts.iter().enumerate() {
            if let Some(nested) = message::nested(part) {
                for (name, raw) in message::raw_fields(nested) {
                    found.take(name, &String::from_utf8_lossy(raw));
                }
                // A gateway wraps the report of another one.
                for (index, part) in nested.parts.iter().enumerate().filter(|(_, part)| part.is_text()) {
                    if super::body::media_type(part).ends_with("headers") {
                        found.take_lines(&part_text(nested, index));
                    }
                }
            } else if !part.is_multipart() {
                found.take_lines(&part_text(parsed, index));
            }
        }
        found
    }

    /// Reads fields that stand in a text, quoted or not, folded or not.
    fn take_lines(&mut self, text: &str) {
        let mut field: Option<Field<'_>> = None;
        for line in lines(text) {
            let folded = line.starts_with([' ', '\t']);
            let line = line.trim_start_matches([' ', '\t', '>', '|']);
            match &mut field {
                Some(field) if folded && field.length < VALUE_MAX => field.add(line),
                field => {
                    if let Some(next) = Field::of(line)
                        && let Some(whole) = field.replace(next)
                    {
                        self.take(whole.name, &whole.value);
                    }
                }
            }
        }
        if let Some(whole) = field {
            self.take(whole.name, &whole.value);
        }
    }

    fn take(&mut self, name: &str, value: &str) {
        let first = |place: &mut Option<String>| {
            if place.is_none() {
                *place = Some(fields::text(value.as_bytes())).filter(|v| !v.is_empty());
            }
        };
        match name.to_ascii_lowercase().as_str() {
            "message-id" | "original-message-id" | "x-original-message-id" if self.ids.len() < MOST => {
                self.ids.extend(fields::message_id(value.as_bytes()));
            }
            "reply-to" | "return-path" | "original-mail-from" | "x-original-sender" | "list-unsubscribe"
                if self.addresses.len() < MOST =>
            {
                let pieces = value.split(|c: char| c.is_whitespace() || "<>,;?\"()".contains(c));
                let pieces = pieces.map(|piece| piece.trim_start_matches("mailto:"));
                self.addresses.extend(pieces.filter(|piece| piece.contains('@')).take(4).map(str::to_owned));
            }
            "x-deskbell-issue" => first(&mut self.reference),
            "subject" => first(&mut self.subject),
            "to" => first(&mut self.to),
            _ => {}
        }
    }
}
