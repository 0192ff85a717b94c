//! The header fields of a mail: kept as they came, each decoded when somebody first asks for it.

use super::fields;
use super::safe::cut;
use std::fmt;
use std::ops::Range;
use std::sync::OnceLock;

/// Longest text of a field that is given, in octets.
const FIELD_MAX: usize = 16 * 1024;

/// The fields of a mail in their order.
#[derive(Clone, Default)]
pub struct Headers {
    /// Names and values of all fields, one after the other.
    octets: Vec<u8>,
    fields: Vec<Field>,
    /// One bit for each name that there is, shared by some: most names that are asked for are not there.
    names: u64,
}

#[derive(Clone)]
struct Field {
    bit: u64,
    name: Range<usize>,
    value: Range<usize>,
    text: OnceLock<String>,
}

impl Headers {
    /// Keeps fields as they came, by their names and octets.
    pub(super) fn new<'a>(fields: impl Iterator<Item = (&'a str, &'a [u8])> + Clone) -> Self {
        let length =
            |(count, octets), (name, value): (&str, &[u8])| (count + 1, octets + name.len() + value.len());
        let (count, octets) = fields.clone().fold((0, 0), length);
        let mut kept =
            Self { octets: Vec::with_capacity(octets), fields: Vec::with_capacity(count), names: 0 };
        for (name, value) in fields {
            let bit = bit(name.as_bytes());
            let (name, value) = (kept.keep(name.as_bytes()), kept.keep(value));
            kept.names |= bit;
            kept.fields.push(Field { bit, name, value, text: OnceLock::new() });
        }
        kept
    }

    fn keep(&mut self, octets: &[u8]) -> Range<usize> {
        let from = self.octets.len();
        self.octets.extend_from_slice(octets);
        from..self.octets.len()
    }

    /// Gives the text of every field of that name, from the top. Names are compared without case.
    #[inline]
    pub fn all<'a>(&'a self, name: &str) -> impl Iterator<Item = &'a str> {
        self.named(name).map(|field| self.text(field))
    }

    /// Gives every field by its name and text, in their order.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        let name =
            |field: &Field| self.octets.get(field.name.clone()).and_then(|n| std::str::from_utf8(n).ok());
        self.fields.iter().map(move |field| (name(field).unwrap_or_default(), self.text(field)))
    }

    /// Tells whether there is a field of that name; its text need not be decoded for this.
    #[inline]
    pub fn has(&self, name: &str) -> bool {
        self.named(name).next().is_some()
    }

    /// Gives the octets of every field of that name.
    #[inline]
    pub(super) fn octets<'a>(&'a self, name: &str) -> impl Iterator<Item = &'a [u8]> {
        self.named(name).filter_map(|field| self.octets.get(field.value.clone()))
    }

    #[inline]
    fn named<'a>(&'a self, name: &str) -> impl Iterator<Item = &'a Field> {
        let bit = bit(name.as_bytes());
        let fields = if self.names & bit != 0 { self.fields.as_slice() } else { &[] };
        fields.iter().filter(move |field| {
            field.bit == bit
                && field.name.len() == name.len()
                && self
                    .octets
                    .get(field.name.clone())
                    .is_some_and(|n| n.eq_ignore_ascii_case(name.as_bytes()))
        })
    }

    fn text<'a>(&'a self, field: &'a Field) -> &'a str {
        let decode = || {
            let text = fields::text(self.octets.get(field.value.clone()).unwrap_or_default());
            if text.len() > FIELD_MAX { cut(&text, FIELD_MAX).to_owned() } else { text }
        };
        field.text.get_or_init(decode)
    }
}

/// Gives the bit of a name: by its length and its first and last letter.
#[inline]
fn bit(name: &[u8]) -> u64 {
    let letter = |octet: Option<&u8>| usize::from(octet.map_or(0, u8::to_ascii_lowercase));
    1 << ((name.len() * 11 + letter(name.first()) * 3 + letter(name.last())) % 64)
}

impl PartialEq for Headers {
    fn eq(&self, other: &Self) -> bool {
        self.iter().eq(other.iter())
    }
}

impl fmt::Debug for Headers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(self.iter()).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_field_is_found_by_its_name_in_any_case_and_decoded() {
        let fields: &[(&str, &[u8])] = &[
            ("Subject", b" =?utf-8?Q?Caf=C3=A9?=\r\n"),
            ("Received", b" one\r\n two\r\n"),
            ("X-Odd", b""),
            ("received", b" three\r\n"),
        ];
        let headers = Headers::new(fields.iter().copied());
        assert_eq!(headers.all("subject").collect::<Vec<_>>(), ["Café"]);
        assert_eq!(headers.all("Received").collect::<Vec<_>>(), ["one two", "three"]);
        assert_eq!(headers.octets("RECEIVED").next(), Some(&b" one\r\n two\r\n"[..]));
        assert!(headers.has("x-odd") && !headers.has("x-add") && !headers.has("") && !headers.has("To"));
        let names: Vec<&str> = headers.iter().map(|(name, _)| name).collect();
        assert_eq!(names, ["Subject", "Received", "X-Odd", "received"]);
    }
}
