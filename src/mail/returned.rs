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
/// The fields that are read, and what they tell.
const FIELDS: &[(&str, Told)] = &[
    ("Message-ID", Told::Id),
    ("Original-Message-ID", Told::Id),
    ("X-Original-Message-ID", Told::Id),
    ("Reply-To", Told::Address),
    ("Return-Path", Told::Address),
    ("Original-Mail-From", Told::Address),
    ("X-Original-Sender", Told::Address),
    ("List-Unsubscribe", Told::Address),
    ("X-Deskbell-Issue", Told::Reference),
    ("Subject", Told::Subject),
    ("To", Told::To),
];

/// What a field tells.
#[derive(Clone, Copy)]
enum Told {
    Id,
    Address,
    Reference,
    Subject,
    To,
}

impl Told {
    fn by(name: &str) -> Option<Self> {
        FIELDS.iter().find(|(known, _)| name.eq_ignore_ascii_case(known)).map(|(_, told)| *told)
    }
}

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

/// A field that stands in a text, as it is put together from its lines.
struct TextField {
    /// `None` where nobody asks for it; then its value stays empty.
    told: Option<Told>,
    value: String,
    /// Octets of the value, kept or not.
    length: usize,
}

impl TextField {
    fn of(line: &str) -> Option<Self> {
        let colon = memchr::memchr(b':', line.as_bytes())?;
        let (name, value) = (line.get(..colon)?, line.get(colon + 1..)?);
        let told = Told::by(name.trim());
        let kept = if told.is_some() { value } else { "" };
        Some(Self { told, value: kept.to_owned(), length: value.len() })
    }

    fn add(&mut self, line: &str) {
        self.length += line.len() + 1;
        if self.told.is_some() {
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
                    found.take(Told::by(name), &String::from_utf8_lossy(raw));
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
        let mut field: Option<TextField> = None;
        for line in lines(text) {
            let folded = line.starts_with([' ', '\t']);
            let line = line.trim_start_matches([' ', '\t', '>', '|']);
            match &mut field {
                Some(field) if folded && field.length < VALUE_MAX => field.add(line),
                field => {
                    if let Some(next) = TextField::of(line)
                        && let Some(whole) = field.replace(next)
                    {
                        self.take(whole.told, &whole.value);
                    }
                }
            }
        }
        if let Some(whole) = field {
            self.take(whole.told, &whole.value);
        }
    }

    fn take(&mut self, told: Option<Told>, value: &str) {
        let first = |place: &mut Option<String>| {
            if place.is_none() {
                *place = Some(fields::text(value.as_bytes())).filter(|v| !v.is_empty());
            }
        };
        match told {
            Some(Told::Id) if self.ids.len() < MOST => {
                self.ids.extend(fields::message_id(value.as_bytes()));
            }
            Some(Told::Address) if self.addresses.len() < MOST => {
                let pieces = value.split(|c: char| c.is_whitespace() || "<>,;?\"()".contains(c));
                let pieces = pieces.map(|piece| piece.trim_start_matches("mailto:"));
                self.addresses.extend(pieces.filter(|piece| piece.contains('@')).take(4).map(str::to_owned));
            }
            Some(Told::Reference) => first(&mut self.reference),
            Some(Told::Subject) => first(&mut self.subject),
            Some(Told::To) => first(&mut self.to),
            _ => {}
        }
    }
}
