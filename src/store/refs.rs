//! Finding the raw bytes that a document names, whatever kind of document it is.

use crate::domain::RawRef;
use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use std::fmt;

/// Gives every reference to raw bytes within a document; none for what does not read.
pub(super) fn raws_of(document: &[u8]) -> Vec<RawRef> {
    // Most documents name none.
    if memchr::memmem::find(document, b"segment").is_none() {
        return Vec::new();
    }
    rmp_serde::from_slice::<Found>(document).map(|found| found.raws).unwrap_or_default()
}

/// What a value is, as far as it matters here, and what was found within it.
#[derive(Default)]
struct Found {
    number: Option<u64>,
    name: Option<Field>,
    raws: Vec<RawRef>,
}

/// The fields of a reference.
#[derive(Clone, Copy, PartialEq)]
enum Field {
    Segment,
    Offset,
    Length,
    Size,
    From,
}

impl<'de> Deserialize<'de> for Found {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Finder)
    }
}

struct Finder;

impl<'de> Visitor<'de> for Finder {
    type Value = Found;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("anything")
    }
    fn visit_bool<E>(self, _: bool) -> Result<Found, E> {
        Ok(Found::default())
    }
    fn visit_i64<E>(self, number: i64) -> Result<Found, E> {
        Ok(Found { number: u64::try_from(number).ok(), ..Found::default() })
    }
    fn visit_u64<E>(self, number: u64) -> Result<Found, E> {
        Ok(Found { number: Some(number), ..Found::default() })
    }
    fn visit_f64<E>(self, _: f64) -> Result<Found, E> {
        Ok(Found::default())
    }
    fn visit_str<E>(self, text: &str) -> Result<Found, E> {
        let name = match text {
            "segment" => Some(Field::Segment),
            "offset" => Some(Field::Offset),
            "length" => Some(Field::Length),
            "size" => Some(Field::Size),
            "from" => Some(Field::From),
            _ => None,
        };
        Ok(Found { name, ..Found::default() })
    }
    fn visit_bytes<E>(self, _: &[u8]) -> Result<Found, E> {
        Ok(Found::default())
    }
    fn visit_unit<E>(self) -> Result<Found, E> {
        Ok(Found::default())
    }
    fn visit_none<E>(self) -> Result<Found, E> {
        Ok(Found::default())
    }
    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<Found, D::Error> {
        deserializer.deserialize_any(self)
    }
    fn visit_newtype_struct<D: Deserializer<'de>>(self, deserializer: D) -> Result<Found, D::Error> {
        deserializer.deserialize_any(self)
    }
    fn visit_seq<A: SeqAccess<'de>>(self, mut values: A) -> Result<Found, A::Error> {
        let mut found = Found::default();
        while let Some(value) = values.next_element::<Found>()? {
            found.raws.extend(value.raws);
        }
        Ok(found)
    }
    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Found, A::Error> {
        let mut found = Found::default();
        let mut fields = Vec::new();
        while let Some((name, value)) = entries.next_entry::<Found, Found>()? {
            found.raws.extend(value.raws);
            fields.extend(name.name.zip(value.number));
        }
        found.raws.extend(reference(&fields));
        Ok(found)
    }
}

fn reference(fields: &[(Field, u64)]) -> Option<RawRef> {
    let field = |wanted| fields.iter().find(|(name, _)| *name == wanted).map(|(_, number)| *number);
    Some(RawRef {
        segment: field(Field::Segment)?,
        offset: field(Field::Offset)?,
        length: u32::try_from(field(Field::Length)?).ok()?,
        size: field(Field::Size)?,
        from: field(Field::From).unwrap_or(0),
    })
}
