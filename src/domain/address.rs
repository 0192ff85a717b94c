//! Addresses and Message-IDs, normalised once, here.

use serde::{Deserialize, Deserializer, Serialize};
use std::fmt;

/// An email address: as it was written, compared without regard to case.
///
/// Local parts are compared without case as well, which RFC 5321 section 2.4 leaves to the receiving
/// host and which every large mail provider does.
#[derive(Clone, Debug, Serialize)]
#[serde(transparent)]
pub struct EmailAddress(String);

impl EmailAddress {
    /// Longest address that is accepted, in octets (RFC 5321, section 4.5.3.1.3).
    pub const MAX: usize = 254;

    /// Reads one bare address, `local@domain`; `None` when it is not one.
    ///
    /// Refuses control characters, blanks, angle brackets and anything over [`Self::MAX`], so that
    /// an address can never add a header line or a second recipient. Quoted local parts are refused.
    pub fn parse(text: &str) -> Option<Self> {
        let text = text.trim().trim_start_matches('<').trim_end_matches('>');
        let (local, domain) = text.rsplit_once('@')?;
        let bad = |b: u8| matches!(b, b'<' | b'>' | b',' | b';' | b'"' | b'(' | b')' | b'\\');
        let fits = !local.is_empty() && !domain.is_empty() && text.len() <= Self::MAX;
        let domain_fits = !domain.starts_with(['.', '-'])
            && !domain.ends_with(['.', '-'])
            && !domain.as_bytes().array_windows().any(|pair| pair == b"..")
            && !domain.bytes().any(|b| matches!(b, b'/' | b':'));
        let local_fits = !local.contains('@') && !local.starts_with('-');
        (fits && domain_fits && local_fits && !holds(text, bad)).then(|| Self(text.to_owned()))
    }

    /// Gives the address as it was written.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Gives the form under which two spellings of one address are equal.
    pub fn key(&self) -> String {
        // Most are of ASCII, which is much quicker.
        if self.0.is_ascii() { self.0.to_ascii_lowercase() } else { self.0.to_lowercase() }
    }

    /// Gives the address as those see it who may not know it: `a*****@c*****.e**`.
    #[must_use]
    pub fn masked(&self) -> Self {
        let first = |text: &str| text.chars().next().unwrap_or('*');
        let domain = self.domain();
        let (host, end) = domain.rsplit_once('.').unwrap_or((&domain, "*"));
        Self(format!("{}*****@{}*****.{}**", first(self.local()), first(host), first(end)))
    }

    /// Gives what stands before the last `@`.
    pub fn local(&self) -> &str {
        self.0.rsplit_once('@').map_or("", |(local, _)| local)
    }

    /// Gives what stands after the last `@`, in lower case.
    pub fn domain(&self) -> String {
        self.0.rsplit_once('@').map_or(String::new(), |(_, domain)| domain.to_lowercase())
    }
}

/// Masks every address in a text.
pub fn mask_addresses(text: &str) -> String {
    let border =
        |c: char| c.is_whitespace() || matches!(c, '<' | '>' | ',' | ';' | '(' | ')' | '"' | '“' | '”');
    text.split_inclusive(border)
        .map(|piece| {
            let word = piece.trim_end_matches(border).trim_end_matches(['.', ':']);
            match EmailAddress::parse(word).filter(|_| word.contains('@')) {
                Some(address) => piece.replacen(word, address.masked().as_str(), 1),
                None => piece.to_owned(),
            }
        })
        .collect()
}

impl PartialEq for EmailAddress {
    fn eq(&self, other: &Self) -> bool {
        self.key() == other.key()
    }
}
impl Eq for EmailAddress {}
impl PartialOrd for EmailAddress {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}
impl Ord for EmailAddress {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.key().cmp(&other.key())
    }
}
impl std::hash::Hash for EmailAddress {
    fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
        self.key().hash(state);
    }
}
impl fmt::Display for EmailAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
impl std::str::FromStr for EmailAddress {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        Self::parse(text).ok_or_else(|| format!("`{text}` is not an email address"))
    }
}
impl<'de> Deserialize<'de> for EmailAddress {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Self::parse(&text)
            .ok_or_else(|| serde::de::Error::custom(format!("`{text}` is not an email address")))
    }
}

/// A name beside an address, as header fields write it (RFC 5322, `mailbox`).
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Mailbox {
    pub name: Option<String>,
    pub email: EmailAddress,
}

impl fmt::Display for Mailbox {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.name {
            Some(name) if !name.is_empty() => write!(f, "{name} <{}>", self.email),
            _ => self.email.fmt(f),
        }
    }
}

/// The identifier of a mail (RFC 5322, section 3.6.4), kept without its angle brackets.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct MessageId(String);

impl MessageId {
    /// Longest identifier that is kept, in octets; a header line holds at most 998 (RFC 5322, 2.1.1).
    pub const MAX: usize = 990;

    /// Reads one identifier with or without brackets; `None` when nothing usable is left.
    pub fn parse(text: &str) -> Option<Self> {
        let text = text.trim().trim_start_matches('<').trim_end_matches('>').trim();
        let bad = |b: u8| matches!(b, b'<' | b'>');
        let fits = !text.is_empty() && text.len() <= Self::MAX && !holds(text, bad);
        fits.then(|| Self(text.to_owned()))
    }

    /// Gives the identifier without its brackets.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for MessageId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "<{}>", self.0)
    }
}

/// Tells whether a text holds a blank, a control character or such a sign of ASCII; most are of ASCII, where that is
/// seen of many octets at once.
fn holds(text: &str, such: impl Fn(u8) -> bool) -> bool {
    if text.is_ascii() {
        return text.bytes().fold(false, |any, b| any | (b <= b' ') | (b == 0x7f) | such(b));
    }
    text.contains(|c: char| c.is_control() || c.is_whitespace() || u8::try_from(c).is_ok_and(&such))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_holds_nothing_that_could_end_a_header() {
        for bad in
            ["a@b\r\nBcc: x@y", "a b@c", "a@b,c@d", "@b", "a@", "a", "a@b@c", "a@.b", "a@b..c", "-oQ@b"]
        {
            assert_eq!(EmailAddress::parse(bad), None, "{bad:?}");
        }
        assert!(EmailAddress::parse(&format!("{}@b.example", "a".repeat(300))).is_none());
    }

    #[test]
    fn two_spellings_of_one_address_are_equal_and_the_first_is_kept() {
        let one = EmailAddress::parse("<Ada@Example.COM>").unwrap();
        assert_eq!(Some(one.clone()), EmailAddress::parse("ada@example.com"));
        assert_eq!(one.as_str(), "Ada@Example.COM");
        assert_eq!((one.local(), one.domain().as_str()), ("Ada", "example.com"));
    }

    #[test]
    fn a_message_id_is_kept_without_brackets_and_refused_when_hostile() {
        assert_eq!(MessageId::parse(" <a@b> ").unwrap().as_str(), "a@b");
        for bad in ["", "<>", "<a b>", "a\r\nb", "<a><b>"] {
            assert_eq!(MessageId::parse(bad), None, "{bad:?}");
        }
    }
}
