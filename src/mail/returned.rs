//! What a report gives back of the mail it is about: identifiers, addresses and fields of its header.
//!
//! Reads nested mails, headers in a part of their own, and headers that stand in plain text.

use super::bounce::part_text;
use super::fields;
use super::message;
use crate::domain::MessageId;

/// Most identifiers, and most addresses, that one report is read for.
const MOST: usize = 200;

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
        let mut field: Option<(String, String)> = None;
        for line in text.lines() {
            let folded = line.starts_with([' ', '\t']);
            let line = line.trim_start_matches([' ', '\t', '>', '|']);
            match (folded, &mut field, line.split_once(':')) {
                (true, Some((_, value)), _) if value.len() < 2000 => {
                    value.push(' ');
                    value.push_str(line);
                }
                (_, _, Some((name, value))) => {
                    if let Some((name, value)) = field.replace((name.trim().to_owned(), value.to_owned())) {
                        self.take(&name, &value);
                    }
                }
                _ => {}
            }
        }
        if let Some((name, value)) = field {
            self.take(&name, &value);
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
