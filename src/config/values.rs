//! Values as people write them: `10s`, `1d`, `25MB`, `move:Done`.

use serde::{Deserialize, Deserializer, de};
use std::{fmt, marker::PhantomData, time::Duration};

/// What happens to a mail on its server once the desk holds it durably.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum AfterDelivery {
    /// It is marked as read.
    #[default]
    Seen,
    /// It is marked as deleted and, with `expunge`, removed at once.
    Delete {
        expunge: bool,
    },
    /// It goes into another folder.
    Move(String),
    Nothing,
}

impl AfterDelivery {
    /// Reads `seen`, `delete`, `move:FOLDER` or `nothing`.
    pub fn parse(text: &str) -> Option<Self> {
        match text {
            "seen" => Some(Self::Seen),
            "delete" => Some(Self::Delete { expunge: true }),
            "nothing" => Some(Self::Nothing),
            _ => text
                .strip_prefix("move:")
                .map(str::trim)
                .filter(|folder| !folder.is_empty() && !folder.contains(char::is_control))
                .map(|folder| Self::Move(folder.to_owned())),
        }
    }
}

/// Writes a text as a value of the config.
pub fn quoted(text: &str) -> String {
    toml::Value::String(text.to_owned()).to_string()
}

/// Reads a length of time: numbers with `ms`, `s`, `m`, `h`, `d` or `w`, one after the other.
pub fn parse_duration(text: &str) -> Option<Duration> {
    let mut rest = text.trim();
    let mut total = Duration::ZERO;
    if rest == "0" {
        return Some(total);
    }
    if rest.is_empty() {
        return None;
    }
    while !rest.is_empty() {
        let (number, unit, after) = number_and_unit(rest)?;
        let millis = match unit {
            "ms" => 1,
            "s" => 1_000,
            "m" | "min" => 60_000,
            "h" => 3_600_000,
            "d" => 86_400_000,
            "w" => 604_800_000,
            _ => return None,
        };
        total = total.checked_add(Duration::from_millis(number.checked_mul(millis)?))?;
        rest = after.trim_start();
    }
    Some(total)
}

/// Reads a number of octets: `25MB`, `512 KB`, `1GB`, `1MiB`; a bare number counts octets.
pub fn parse_size(text: &str) -> Option<u64> {
    let text = text.trim();
    if let Ok(octets) = text.parse() {
        return Some(octets);
    }
    let (number, unit, rest) = number_and_unit(text)?;
    let factor = match unit.to_ascii_lowercase().as_str() {
        "b" => 1,
        "kb" | "k" => 1_000,
        "mb" | "m" => 1_000_000,
        "gb" | "g" => 1_000_000_000,
        "kib" => 1 << 10,
        "mib" => 1 << 20,
        "gib" => 1 << 30,
        _ => return None,
    };
    rest.is_empty().then(|| number.checked_mul(factor)).flatten()
}

/// Parts `10 s rest` into 10, `s` and ` rest`.
fn number_and_unit(text: &str) -> Option<(u64, &str, &str)> {
    let (digits, rest) = text.split_at(text.find(|c: char| !c.is_ascii_digit())?);
    let rest = rest.trim_start();
    let (unit, rest) = rest.split_at(rest.find(|c: char| !c.is_ascii_alphabetic()).unwrap_or(rest.len()));
    Some((digits.parse().ok()?, unit, rest))
}

/// A value that a config writes as a whole number or as text.
struct Written<T> {
    from_number: fn(u64) -> T,
    from_text: fn(&str) -> Option<T>,
    what: &'static str,
    kind: PhantomData<T>,
}

impl<T> de::Visitor<'_> for Written<T> {
    type Value = T;

    fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str(self.what)
    }

    fn visit_i64<E: de::Error>(self, number: i64) -> Result<T, E> {
        let number = u64::try_from(number).map_err(|_| E::custom(format!("expected {}", self.what)))?;
        Ok((self.from_number)(number))
    }

    fn visit_u64<E: de::Error>(self, number: u64) -> Result<T, E> {
        Ok((self.from_number)(number))
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<T, E> {
        (self.from_text)(text).ok_or_else(|| E::custom(format!("`{text}` is not {}", self.what)))
    }
}

const A_DURATION: &str = "a length of time like \"10s\", \"15m\" or \"1d\"";

/// Reads a length of time; a bare number counts seconds.
pub(super) fn duration<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Duration, D::Error> {
    deserializer.deserialize_any(Written {
        from_number: Duration::from_secs,
        from_text: parse_duration,
        what: A_DURATION,
        kind: PhantomData,
    })
}

/// Reads a length of time that may be left empty.
pub(super) fn optional_duration<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<Duration>, D::Error> {
    deserializer.deserialize_any(Written {
        from_number: |seconds| Some(Duration::from_secs(seconds)),
        from_text: |text| match text.trim() {
            "" => Some(None),
            text => parse_duration(text).map(Some),
        },
        what: A_DURATION,
        kind: PhantomData,
    })
}

/// Reads a number of octets.
pub(super) fn size<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u64, D::Error> {
    deserializer.deserialize_any(Written {
        from_number: |octets| octets,
        from_text: parse_size,
        what: "a size like \"25MB\"",
        kind: PhantomData,
    })
}

/// Reads a text; an empty one is none.
pub(super) fn filled<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<String>, D::Error> {
    Ok(Option::<String>::deserialize(deserializer)?.filter(|text| !text.trim().is_empty()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_of_time_are_read_with_their_units() {
        for (text, seconds) in [
            ("10s", 10),
            ("1d", 86_400),
            ("15m", 900),
            ("1h30m", 5_400),
            ("1h 30m", 5_400),
            ("0", 0),
            ("2w", 1_209_600),
        ] {
            assert_eq!(parse_duration(text), Some(Duration::from_secs(seconds)), "{text}");
        }
        assert_eq!(parse_duration("250ms"), Some(Duration::from_millis(250)));
        for bad in ["", "10", "s", "10x", "-1s", "1h30", "99999999999999999999s", "18446744073709551615w"] {
            assert_eq!(parse_duration(bad), None, "{bad}");
        }
    }

    #[test]
    fn sizes_are_read_with_their_units() {
        for (text, octets) in [("25MB", 25_000_000), ("1 GiB", 1 << 30), ("512k", 512_000), ("17", 17)] {
            assert_eq!(parse_size(text), Some(octets), "{text}");
        }
        for bad in ["", "MB", "25XB", "25MB more", "99999999999GB", "-1"] {
            assert_eq!(parse_size(bad), None, "{bad}");
        }
    }

    #[test]
    fn what_happens_after_delivery_is_one_of_four() {
        assert_eq!(AfterDelivery::parse("move: Done"), Some(AfterDelivery::Move("Done".into())));
        assert_eq!(AfterDelivery::parse("delete"), Some(AfterDelivery::Delete { expunge: true }));
        for bad in ["move:", "move:a\r\nb", "shred", ""] {
            assert_eq!(AfterDelivery::parse(bad), None, "{bad}");
        }
    }
}
