//! What is to vanish from a desk, as data, and how it leaves one document. Pure.
//!
//! A document is read as a tree of values whatever its kind, so that texts leave it without anybody knowing
//! what they mean, and so that places in the journal can be set anew.

use super::spool::{self, Span};
use super::{StoreError, Tree};
use crate::domain::{Border, Cut, Cuts, RawRef};
use serde::de::{Deserializer, MapAccess, SeqAccess, Visitor};
use serde::ser::{SerializeMap, SerializeSeq, Serializer};
use serde::{Deserialize, Serialize};
use std::collections::{HashMap, HashSet};
use std::fmt;
use std::fs::File;

/// A document by the number of its tree and its key.
pub type Site = (u8, serde_bytes::ByteBuf);

/// Names a document.
pub fn site(tree: Tree, key: Vec<u8>) -> Site {
    (tree as u8, key.into())
}

/// What is to vanish.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Scrub {
    /// Texts that vanish wherever they stand.
    pub everywhere: Vec<Cut>,
    /// Texts that vanish within `within` only.
    pub here: Vec<Cut>,
    /// Documents.
    pub within: HashSet<Site>,
    /// Documents, and the fields whose texts vanish whole, at any depth.
    pub fields: HashMap<Site, Vec<String>>,
    /// What takes the place of such a text.
    pub blank: String,
    /// Raw bytes, and what takes their place, as versions before the spool wrote it.
    #[serde(default)]
    pub raws: Vec<(RawRef, serde_bytes::ByteBuf)>,
    /// Raw bytes, and where in the spool stands what takes their place.
    #[serde(default)]
    pub spooled: Vec<(RawRef, Span)>,
    /// An address whose name vanishes wherever one stands beside it.
    pub nameless: Option<String>,
}

/// A [`Scrub`] that is ready to work.
#[derive(Debug)]
pub(super) struct Scrubber {
    pub scrub: Scrub,
    /// The addresses among the texts: they vanish from every text and from keys.
    addresses: Cuts,
    everywhere: Cuts,
    here: Cuts,
    raws: HashMap<RawRef, usize>,
    spooled: HashMap<RawRef, Span>,
    spool: Option<File>,
}

impl Scrubber {
    /// Gets ready; `spool` holds what the scrub names as spooled.
    pub fn new(scrub: Scrub, spool: Option<File>) -> Result<Self, StoreError> {
        let addresses: Vec<Cut> =
            scrub.everywhere.iter().filter(|cut| cut.border == Border::Address).cloned().collect();
        let addresses = Cuts::new(&addresses).map_err(StoreError::Other)?;
        let everywhere = Cuts::new(&scrub.everywhere).map_err(StoreError::Other)?;
        let here = Cuts::new(&scrub.here).map_err(StoreError::Other)?;
        let raws = scrub.raws.iter().enumerate().map(|(place, (raw, _))| (*raw, place)).collect();
        let spooled = scrub.spooled.iter().copied().collect();
        Ok(Self { scrub, addresses, everywhere, here, raws, spooled, spool })
    }

    /// Gives what takes the place of raw bytes, if anything does.
    pub fn raw(&self, raw: &RawRef) -> Result<Option<Vec<u8>>, StoreError> {
        match (self.spooled.get(raw), &self.spool) {
            (Some(span), Some(file)) => return spool::read(file, *span).map(Some),
            (Some(_), None) => {
                return Err(StoreError::Other("what takes the place of a mail is gone".into()));
            }
            (None, _) => {}
        }
        let place = self.raws.get(raw).and_then(|place| self.scrub.raws.get(*place));
        Ok(place.map(|(_, bytes)| bytes.to_vec()))
    }

    /// Says whether every text was really looked for, so far.
    pub fn check(&self) -> Result<(), StoreError> {
        let all = [&self.addresses, &self.everywhere, &self.here];
        all.into_iter().try_for_each(Cuts::check).map_err(StoreError::Other)
    }

    /// Tells whether a document is one of those from which more vanishes.
    pub fn is_within(&self, tree: u8, key: &[u8]) -> bool {
        let place = (tree, serde_bytes::ByteBuf::from(key));
        self.scrub.within.contains(&place) || self.scrub.fields.contains_key(&place)
    }

    /// Gives a key as it stands afterwards.
    pub fn key(&self, key: Vec<u8>) -> Vec<u8> {
        self.addresses.out_of(&key).unwrap_or(key)
    }

    /// Gives a document as it stands afterwards. `place` is its tree and key, `moved` the new place of raw bytes.
    pub fn document(
        &self,
        octets: Vec<u8>,
        place: Option<(u8, &[u8])>,
        within: bool,
        moved: &impl Fn(&RawRef) -> RawRef,
    ) -> Result<Vec<u8>, StoreError> {
        let blanked = place.and_then(|(tree, key)| {
            self.scrub.fields.get(&(tree, serde_bytes::ByteBuf::from(key))).map(Vec::as_slice)
        });
        let within = within || place.is_some_and(|(tree, key)| self.is_within(tree, key));
        let touched = blanked.is_some()
            || self.everywhere.may_be_in(&octets)
            || within && self.here.may_be_in(&octets)
            || memchr::memmem::find(&octets, b"segment").is_some();
        if !touched {
            return Ok(octets);
        }
        let unreadable =
            |error: &dyn fmt::Display| StoreError::Other(format!("a document does not read: {error}"));
        let value: Value = rmp_serde::from_slice(&octets).map_err(|error| unreadable(&error))?;
        let pass = Pass { scrubber: self, within, blanked: blanked.unwrap_or_default(), moved };
        let value = pass.value(value, Field::Fixed);
        rmp_serde::to_vec_named(&value).map_err(|error| unreadable(&error))
    }
}

/// What may happen to the texts of a field.
#[derive(Clone, Copy, PartialEq)]
enum Field {
    /// They mean something to the program: a user, a state, a time, a name. Only addresses leave them.
    Fixed,
    /// People wrote them.
    Written,
    /// They vanish whole.
    Blank,
    /// They stand in notes on the person: what was written there vanishes whole.
    About,
}

/// Fields that hold what people wrote, wherever they stand.
const WRITTEN: [&str; 16] = [
    "body",
    "folded",
    "html",
    "title",
    "subject",
    "text",
    "from",
    "reason",
    "why",
    "warnings",
    "words",
    "label",
    "error",
    "keywords",
    "auth",
    "description",
];

/// Fields of a change that hold what stood in one of [`WRITTEN`].
const VALUES: [&str; 2] = ["before", "after"];

/// One document on its way.
struct Pass<'a, M> {
    scrubber: &'a Scrubber,
    within: bool,
    blanked: &'a [String],
    moved: &'a M,
}

impl<M: Fn(&RawRef) -> RawRef> Pass<'_, M> {
    fn value(&self, value: Value, field: Field) -> Value {
        match value {
            Value::Text(_) if field == Field::Blank => Value::Text(self.scrubber.scrub.blank.clone()),
            Value::Text(text) => Value::Text(self.text(text, field)),
            Value::List(values) => {
                Value::List(values.into_iter().map(|value| self.value(value, field)).collect())
            }
            Value::Map(entries) => self.map(entries, field),
            other => other,
        }
    }

    fn text(&self, text: String, field: Field) -> String {
        let cuts = if field == Field::Written { &self.scrubber.everywhere } else { &self.scrubber.addresses };
        let text = cuts.out_of_text(&text).unwrap_or(text);
        match self.within && field == Field::Written {
            true => self.scrubber.here.out_of_text(&text).unwrap_or(text),
            false => text,
        }
    }

    fn map(&self, entries: Vec<(Value, Value)>, outer: Field) -> Value {
        if let Some(raw) = reference(&entries) {
            return raw_value(&(self.moved)(&raw));
        }
        let nameless = self.is_nameless(&entries);
        let has = |wanted: &str| entries.iter().any(|(name, _)| name.text() == Some(wanted));
        // A name is what people wrote where it is that of a person or a file.
        let named = has("email") || (has("type") && has("size"));
        let changed = entries.iter().find(|(name, _)| name.text() == Some("field"));
        let changed = changed.and_then(|(_, field)| field.text());
        let changed = changed.is_some_and(|f| WRITTEN.contains(&f) || f == "participants" || f == "author");
        let of = |name: &str| match name {
            _ if outer == Field::Blank || self.blanked.iter().any(|field| field == name) => Field::Blank,
            "notes" if nameless => Field::About,
            "text" if outer == Field::About => Field::Blank,
            "name" if named => Field::Written,
            // To whom a draft goes, as somebody typed it.
            "to" if has("text") => Field::Written,
            _ if WRITTEN.contains(&name) || (changed && VALUES.contains(&name)) => Field::Written,
            _ => Field::Fixed,
        };
        let each: Vec<Field> = entries.iter().map(|(name, _)| name.text().map_or(Field::Fixed, of)).collect();
        let entry = |((name, value), field): ((Value, Value), Field)| {
            if nameless && name.text() == Some("name") {
                return (name, Value::Nothing);
            }
            (name, self.value(value, field))
        };
        Value::Map(entries.into_iter().zip(each).map(entry).collect())
    }

    fn is_nameless(&self, entries: &[(Value, Value)]) -> bool {
        let Some(address) = &self.scrubber.scrub.nameless else { return false };
        let field = |wanted: &str| entries.iter().find(|(name, _)| name.text() == Some(wanted));
        field("email")
            .and_then(|(_, email)| email.text())
            .is_some_and(|email| email.to_lowercase() == *address)
    }
}

fn reference(entries: &[(Value, Value)]) -> Option<RawRef> {
    let field = |wanted: &str| {
        let value = entries.iter().find(|(name, _)| name.text() == Some(wanted)).map(|(_, value)| value)?;
        if let Value::Number(number) = value { Some(*number) } else { None }
    };
    Some(RawRef {
        segment: field("segment")?,
        offset: field("offset")?,
        length: u32::try_from(field("length")?).ok()?,
        size: field("size")?,
        from: field("from").unwrap_or(0),
    })
}

fn raw_value(raw: &RawRef) -> Value {
    let field = |name: &str, number: u64| (Value::Text(name.to_owned()), Value::Number(number));
    let mut fields = vec![
        field("segment", raw.segment),
        field("offset", raw.offset),
        field("length", raw.length.into()),
        field("size", raw.size),
    ];
    if raw.from > 0 {
        fields.push(field("from", raw.from));
    }
    Value::Map(fields)
}

/// A value of MessagePack.
#[derive(Clone, Debug, PartialEq)]
enum Value {
    Nothing,
    Truth(bool),
    Number(u64),
    Negative(i64),
    Real(f64),
    Text(String),
    Octets(Vec<u8>),
    List(Vec<Value>),
    Map(Vec<(Value, Value)>),
}

impl Value {
    fn text(&self) -> Option<&str> {
        if let Self::Text(text) = self { Some(text) } else { None }
    }
}

impl Serialize for Value {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Nothing => serializer.serialize_unit(),
            Self::Truth(truth) => serializer.serialize_bool(*truth),
            Self::Number(number) => serializer.serialize_u64(*number),
            Self::Negative(number) => serializer.serialize_i64(*number),
            Self::Real(number) => serializer.serialize_f64(*number),
            Self::Text(text) => serializer.serialize_str(text),
            Self::Octets(octets) => serializer.serialize_bytes(octets),
            Self::List(values) => {
                let mut list = serializer.serialize_seq(Some(values.len()))?;
                values.iter().try_for_each(|value| list.serialize_element(value))?;
                list.end()
            }
            Self::Map(entries) => {
                let mut map = serializer.serialize_map(Some(entries.len()))?;
                entries.iter().try_for_each(|(name, value)| map.serialize_entry(name, value))?;
                map.end()
            }
        }
    }
}

impl<'de> Deserialize<'de> for Value {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Reader)
    }
}

struct Reader;

impl<'de> Visitor<'de> for Reader {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("anything")
    }
    fn visit_bool<E>(self, truth: bool) -> Result<Value, E> {
        Ok(Value::Truth(truth))
    }
    fn visit_i64<E>(self, number: i64) -> Result<Value, E> {
        Ok(u64::try_from(number).map_or(Value::Negative(number), Value::Number))
    }
    fn visit_u64<E>(self, number: u64) -> Result<Value, E> {
        Ok(Value::Number(number))
    }
    fn visit_f64<E>(self, number: f64) -> Result<Value, E> {
        Ok(Value::Real(number))
    }
    fn visit_str<E>(self, text: &str) -> Result<Value, E> {
        Ok(Value::Text(text.to_owned()))
    }
    fn visit_bytes<E>(self, octets: &[u8]) -> Result<Value, E> {
        Ok(Value::Octets(octets.to_vec()))
    }
    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Nothing)
    }
    fn visit_none<E>(self) -> Result<Value, E> {
        Ok(Value::Nothing)
    }
    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(self)
    }
    fn visit_seq<A: SeqAccess<'de>>(self, mut values: A) -> Result<Value, A::Error> {
        let mut list = Vec::new();
        while let Some(value) = values.next_element()? {
            list.push(value);
        }
        Ok(Value::List(list))
    }
    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Value, A::Error> {
        let mut map = Vec::new();
        while let Some(entry) = entries.next_entry()? {
            map.push(entry);
        }
        Ok(Value::Map(map))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::Border;
    use proptest::prelude::*;

    fn values() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Nothing),
            any::<bool>().prop_map(Value::Truth),
            any::<u64>().prop_map(Value::Number),
            (i64::MIN..0).prop_map(Value::Negative),
            (-1e9..1e9).prop_map(Value::Real),
            any::<String>().prop_map(Value::Text),
            any::<Vec<u8>>().prop_map(Value::Octets),
        ];
        leaf.prop_recursive(4, 32, 5, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..5).prop_map(Value::List),
                prop::collection::vec((any::<String>().prop_map(Value::Text), inner), 0..5)
                    .prop_map(Value::Map),
            ]
        })
    }

    proptest! {
        #[test]
        fn a_document_is_written_as_it_was_read(value in values()) {
            let octets = rmp_serde::to_vec_named(&value).unwrap();
            let again: Value = rmp_serde::from_slice(&octets).unwrap();
            prop_assert_eq!(&again, &value);
            prop_assert_eq!(rmp_serde::to_vec_named(&again).unwrap(), octets);
        }
    }

    #[test]
    fn texts_names_fields_and_places_change_and_nothing_else() {
        #[derive(Serialize)]
        struct Person<'a> {
            name: &'a str,
            email: &'a str,
        }
        #[derive(Serialize)]
        struct Document<'a> {
            author: Person<'a>,
            other: Person<'a>,
            body: &'a str,
            raw: RawRef,
            count: i32,
        }
        let raw = RawRef { segment: 1, offset: 40, length: 99, size: 7, from: 0 };
        let document = |name, email, other, body, raw| {
            let author = Person { name, email };
            let other = Person { name: other, email: "eve@x.example" };
            rmp_serde::to_vec_named(&Document { author, other, body, raw, count: -3 }).unwrap()
        };
        let key = serde_bytes::ByteBuf::from(b"key".to_vec());
        let scrubber = Scrubber::new(
            Scrub {
                everywhere: vec![Cut {
                    text: "ada@x.example".into(),
                    with: "gone@x.invalid".into(),
                    border: Border::Address,
                }],
                fields: [((9, key), vec!["body".to_owned()])].into(),
                blank: "(erased)".into(),
                nameless: Some("ada@x.example".into()),
                ..Scrub::default()
            },
            None,
        )
        .unwrap();
        let moved = |raw: &RawRef| RawRef { offset: 50, from: 2, ..*raw };
        let before = document("Ada", "Ada@x.example", "Eve, not ada@x.example", "all of it", raw);
        let after = scrubber.document(before, Some((9, b"key")), false, &moved).unwrap();
        let wanted = document("-", "gone@x.invalid", "Eve, not gone@x.invalid", "(erased)", moved(&raw));
        let read = |octets: &[u8]| format!("{:?}", rmp_serde::from_slice::<Value>(octets).unwrap());
        assert_eq!(read(&after), read(&wanted).replace("Text(\"-\")", "Nothing"));
    }
}
