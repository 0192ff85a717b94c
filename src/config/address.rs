//! Address patterns: how the address of a mailbox carries a key.

use crate::domain::EmailAddress;
use std::fmt;

const KEY: &str = "%{key}";

/// An address with a place for a key, `contact+%{key}@example.com`, or without one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AddressPattern {
    /// What stands before the key in the local part; without a key, the whole local part.
    pub prefix: String,
    /// What stands between the key and the `@`.
    pub tail: String,
    /// The domain, in lower case.
    pub domain: String,
    pub keyed: bool,
}

impl AddressPattern {
    /// Longest local part in octets (RFC 5321, section 4.5.3.1.1).
    pub const LOCAL_MAX: usize = 64;

    /// Reads a pattern; the error says what is wrong with it.
    pub fn parse(text: &str) -> Result<Self, String> {
        // Brackets around it are no part of an address, and no mail would match them.
        let text = text.trim_matches(|c: char| c.is_whitespace() || matches!(c, '<' | '>'));
        let (local, domain) = text.rsplit_once('@').ok_or("it has no `@`")?;
        if domain.contains(KEY) {
            return Err("`%{key}` belongs before the `@`".to_owned());
        }
        if local.matches(KEY).count() > 1 {
            return Err("`%{key}` may stand in it only once".to_owned());
        }
        if EmailAddress::parse(&text.replace(KEY, "k")).is_none() {
            return Err("it is not an email address".to_owned());
        }
        let (prefix, tail) = local.split_once(KEY).unwrap_or((local, ""));
        if prefix.contains("%{") || tail.contains("%{") {
            return Err("the only placeholder is `%{key}`".to_owned());
        }
        Ok(Self {
            prefix: prefix.to_owned(),
            tail: tail.to_owned(),
            domain: domain.to_lowercase(),
            keyed: local.contains(KEY),
        })
    }

    /// Puts a key in its place; `None` without a place, or when the local part would be too long.
    pub fn with_key(&self, key: &str) -> Option<EmailAddress> {
        let local = format!("{}{key}{}", self.prefix, self.tail);
        let fits = self.keyed && !key.is_empty() && local.len() <= Self::LOCAL_MAX;
        fits.then(|| EmailAddress::parse(&format!("{local}@{}", self.domain))).flatten()
    }

    /// Finds the key in an address of this pattern, as it was written there.
    ///
    /// Prefix, tail and domain are compared literally, from end to end and without regard to case.
    pub fn key_of(&self, address: &str) -> Option<String> {
        let (local, domain) = address.trim().rsplit_once('@')?;
        let same_domain = domain.to_lowercase() == self.domain;
        let rest = strip_start(local, &self.prefix)?;
        let key = strip_end(rest, &self.tail)?;
        (self.keyed && same_domain && !key.is_empty()).then(|| key.to_owned())
    }

    /// Gives the address without any key: `contact@example.com`; `None` for a pure catch-all.
    pub fn plain(&self) -> Option<EmailAddress> {
        let local = match self.keyed {
            true => self.prefix.trim_end_matches(['+', '-', '.', '_', '=']),
            false => &self.prefix,
        };
        EmailAddress::parse(&format!("{local}@{}", self.domain))
    }
}

impl fmt::Display for AddressPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let key = if self.keyed { KEY } else { "" };
        write!(f, "{}{key}{}@{}", self.prefix, self.tail, self.domain)
    }
}

fn strip_start<'a>(text: &'a str, start: &str) -> Option<&'a str> {
    let (head, rest) = text.split_at_checked(start.len())?;
    head.eq_ignore_ascii_case(start).then_some(rest)
}

fn strip_end<'a>(text: &'a str, end: &str) -> Option<&'a str> {
    let (rest, tail) = text.split_at_checked(text.len().checked_sub(end.len())?)?;
    tail.eq_ignore_ascii_case(end).then_some(rest)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_key_stands_at_most_once_and_before_the_at() {
        for (bad, why) in [
            ("a+%{key}-%{key}@b.example", "only once"),
            ("a@%{key}.example", "before"),
            ("a b@c", "not an email address"),
            ("contact", "no `@`"),
            ("a+%{id}@b.example", "only placeholder"),
        ] {
            let error = AddressPattern::parse(bad).unwrap_err();
            assert!(error.contains(why), "{bad}: {error}");
        }
    }

    #[test]
    fn a_key_is_found_only_in_an_address_of_the_pattern() {
        let pattern = AddressPattern::parse("Contact+%{key}@Example.com").unwrap();
        assert_eq!(pattern.key_of("contact+Group-1-issue-@EXAMPLE.COM").as_deref(), Some("Group-1-issue-"));
        for other in [
            "contact@example.com",
            "contact+@example.com",
            "xcontact+k@example.com",
            "contact+k@example.com.evil.example",
            "contact+k@sub.example.com",
            "cöntact+k@example.com",
            "",
        ] {
            assert_eq!(pattern.key_of(other), None, "{other}");
        }
    }

    #[test]
    fn a_key_that_makes_the_local_part_too_long_gives_no_address() {
        let pattern = AddressPattern::parse("contact+%{key}@example.com").unwrap();
        assert!(pattern.with_key(&"k".repeat(56)).is_some());
        assert_eq!(pattern.with_key(&"k".repeat(57)), None);
        assert_eq!(pattern.with_key("a\r\nb"), None);
        assert_eq!(pattern.plain().unwrap().as_str(), "contact@example.com");
    }

    #[test]
    fn a_catch_all_and_a_plain_address_are_patterns_too() {
        let all = AddressPattern::parse("%{key}@in.example.com").unwrap();
        assert_eq!(all.key_of("k-1@in.example.com").as_deref(), Some("k-1"));
        assert_eq!(all.plain(), None);
        let plain = AddressPattern::parse("help@example.com").unwrap();
        assert!(!plain.keyed);
        assert_eq!((plain.with_key("k"), plain.key_of("help@example.com")), (None, None));
        assert_eq!(plain.plain().unwrap().as_str(), "help@example.com");
    }

    proptest! {
        #[test]
        fn what_is_put_in_comes_out(key in "[a-z0-9-]{1,40}") {
            let pattern = AddressPattern::parse("in.%{key}-desk@example.com").unwrap();
            let address = pattern.with_key(&key).unwrap();
            prop_assert_eq!(pattern.key_of(address.as_str()), Some(key));
        }

        #[test]
        fn no_text_makes_it_panic(text in any::<String>()) {
            let pattern = AddressPattern::parse("in.%{key}-desk@example.com").unwrap();
            let _ = (AddressPattern::parse(&text), pattern.key_of(&text), pattern.with_key(&text));
        }
    }
}
