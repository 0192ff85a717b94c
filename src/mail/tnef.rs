//! What stands in a `winmail.dat` (MS-OXTNEF): files and the text, as Outlook packs them.
//!
//! Reads the attributes and properties that carry those and steps over the rest. Every length is checked
//! against what is left, so a lying one ends the reading and nothing else.

use super::charset;

const SIGNATURE: u32 = 0x223E_9F78;
/// Most files that are taken out, and most properties that are read of one.
const FILES_MAX: usize = 500;
const PROPERTIES_MAX: usize = 5000;

/// Attributes that are read.
const BODY: u32 = 0x0002_800C;
const MESSAGE_PROPERTIES: u32 = 0x0006_9003;
const CODE_PAGE: u32 = 0x0006_9007;
const FILE_BEGIN: u32 = 0x0006_9002;
const FILE_DATA: u32 = 0x0006_800F;
const FILE_TITLE: u32 = 0x0001_8010;
const FILE_PROPERTIES: u32 = 0x0006_9005;

/// Properties that are read.
const PR_BODY: u16 = 0x1000;
const PR_RTF: u16 = 0x1009;
const PR_HTML: u16 = 0x1013;
const PR_DATA: u16 = 0x3701;
const PR_FILE_NAME: u16 = 0x3704;
const PR_LONG_NAME: u16 = 0x3707;
const PR_MIME: u16 = 0x370E;
const PR_CONTENT_ID: u16 = 0x3712;

/// A file that was packed.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Packed {
    pub(super) name: String,
    pub(super) media_type: Option<String>,
    pub(super) content_id: Option<String>,
    pub(super) bytes: Vec<u8>,
}

/// What was packed.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Contents {
    pub(super) plain: Option<String>,
    pub(super) html: Option<String>,
    pub(super) files: Vec<Packed>,
    /// Whether it was read to its end.
    pub(super) whole: bool,
}

/// Reads the bytes of a `winmail.dat`; `None` when they are none.
pub(super) fn read(bytes: &[u8]) -> Option<Contents> {
    let mut from = Cursor(bytes);
    if from.u32()? != SIGNATURE {
        return None;
    }
    from.u16()?;
    let mut found = Reading::default();
    while !from.0.is_empty() {
        let Some((id, data)) = from.attribute() else { return Some(found.done(false)) };
        found.take(id, data);
    }
    Some(found.done(true))
}

/// What has been read so far.
#[derive(Default)]
struct Reading {
    contents: Contents,
    code_page: Option<u32>,
    rtf: Option<Vec<u8>>,
}

impl Reading {
    fn take(&mut self, id: u32, data: &[u8]) {
        match id {
            CODE_PAGE => self.code_page = Cursor(data).u32(),
            BODY => self.contents.plain = Some(self.text(data)),
            MESSAGE_PROPERTIES => self.message_properties(data),
            FILE_BEGIN if self.contents.files.len() < FILES_MAX => {
                self.contents.files.push(Packed::default())
            }
            FILE_DATA => self.file(|file, _| file.bytes = data.to_vec()),
            FILE_TITLE => {
                let name = self.text(data);
                self.file(|file, _| file.name = name);
            }
            FILE_PROPERTIES => self.file_properties(data),
            _ => {}
        }
    }

    /// Gives 8-bit text in the charset that the container names.
    fn text(&self, data: &[u8]) -> String {
        let label = match self.code_page {
            Some(65001) => Some("utf-8".to_owned()),
            Some(932) => Some("shift_jis".to_owned()),
            Some(936) => Some("gbk".to_owned()),
            Some(949) => Some("euc-kr".to_owned()),
            Some(950) => Some("big5".to_owned()),
            Some(page @ (874 | 1250..=1258)) => Some(format!("windows-{page}")),
            _ => None,
        };
        charset::decode(data, label.as_deref()).trim_end_matches('\0').to_owned()
    }

    fn file(&mut self, change: impl FnOnce(&mut Packed, Option<u32>)) {
        let page = self.code_page;
        if let Some(file) = self.contents.files.last_mut() {
            change(file, page);
        }
    }

    fn message_properties(&mut self, data: &[u8]) {
        for (id, value) in properties(data) {
            match (id, value) {
                (PR_BODY, value) => self.contents.plain = Some(self.string(&value)),
                (PR_HTML, Value::Binary(bytes) | Value::Bytes(bytes)) => {
                    self.contents.html = Some(self.text(bytes));
                }
                (PR_RTF, Value::Binary(bytes)) => self.rtf = super::rtf::decompress(bytes),
                _ => {}
            }
        }
    }

    fn file_properties(&mut self, data: &[u8]) {
        for (id, value) in properties(data) {
            let text = self.string(&value);
            self.file(|file, _| match (id, value) {
                (PR_LONG_NAME, _) => file.name = text,
                (PR_FILE_NAME, _) if file.name.is_empty() => file.name = text,
                (PR_MIME, _) => file.media_type = Some(text),
                (PR_CONTENT_ID, _) => file.content_id = Some(text),
                // An object is a message or a drawing behind an identifier of 16 octets.
                (PR_DATA, Value::Binary(bytes)) => file.bytes = bytes.to_vec(),
                _ => {}
            });
        }
    }

    fn string(&self, value: &Value<'_>) -> String {
        match value {
            Value::Wide(bytes) => charset::decode(bytes, Some("utf-16le")).trim_end_matches('\0').to_owned(),
            Value::Bytes(bytes) => self.text(bytes),
            Value::Binary(_) | Value::Other => String::new(),
        }
    }

    fn done(mut self, whole: bool) -> Contents {
        let has = |text: &Option<String>| text.as_ref().is_some_and(|text| !text.trim().is_empty());
        if let Some(rtf) = self.rtf.filter(|_| !has(&self.contents.html) && !has(&self.contents.plain)) {
            match super::rtf::text(&rtf) {
                super::rtf::Text::Html(html) => self.contents.html = Some(html),
                super::rtf::Text::Plain(plain) => self.contents.plain = Some(plain),
            }
        }
        self.contents.plain = self.contents.plain.filter(|text| !text.trim().is_empty());
        self.contents.html = self.contents.html.filter(|text| !text.trim().is_empty());
        self.contents.whole = whole;
        self.contents
    }
}

/// The value of a property, as far as its kind matters here.
enum Value<'a> {
    Wide(&'a [u8]),
    Bytes(&'a [u8]),
    Binary(&'a [u8]),
    Other,
}

/// Reads a list of properties up to the first that makes no sense.
fn properties(data: &[u8]) -> Vec<(u16, Value<'_>)> {
    let mut from = Cursor(data);
    let count = from.u32().map_or(0, |n| usize::try_from(n).unwrap_or(0)).min(PROPERTIES_MAX);
    let mut list = Vec::new();
    for _ in 0..count {
        let Some(property) = from.property() else { break };
        list.push(property);
    }
    list
}

/// What is left to be read.
struct Cursor<'a>(&'a [u8]);

impl<'a> Cursor<'a> {
    fn bytes(&mut self, count: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(count)?;
        self.0 = rest;
        Some(taken)
    }

    fn u8(&mut self) -> Option<u8> {
        self.bytes(1)?.first().copied()
    }

    fn u16(&mut self) -> Option<u16> {
        Some(u16::from_le_bytes(self.bytes(2)?.try_into().ok()?))
    }

    fn u32(&mut self) -> Option<u32> {
        Some(u32::from_le_bytes(self.bytes(4)?.try_into().ok()?))
    }

    fn length(&mut self) -> Option<usize> {
        usize::try_from(self.u32()?).ok()
    }

    /// Reads an attribute: level, number, length, data, checksum.
    fn attribute(&mut self) -> Option<(u32, &'a [u8])> {
        self.u8()?;
        let id = self.u32()?;
        let length = self.length()?;
        let data = self.bytes(length)?;
        self.u16()?;
        Some((id, data))
    }

    fn property(&mut self) -> Option<(u16, Value<'a>)> {
        let kind = self.u16()?;
        let id = self.u16()?;
        if id >= 0x8000 {
            self.name()?;
        }
        let many = kind & 0x1000 != 0;
        let value = match kind & 0x0fff {
            0x0002 | 0x000B => self.fixed(4, many)?,
            0x0003 | 0x0004 | 0x000A => self.fixed(4, many)?,
            0x0005 | 0x0006 | 0x0007 | 0x0014 | 0x0040 => self.fixed(8, many)?,
            0x0048 => self.fixed(16, many)?,
            0x001E => Value::Bytes(self.values()?),
            0x001F => Value::Wide(self.values()?),
            0x000D | 0x0102 => Value::Binary(self.values()?),
            _ => return None,
        };
        Some((id, value))
    }

    /// Steps over the name of a named property.
    fn name(&mut self) -> Option<()> {
        self.bytes(16)?;
        if self.u32()? == 0 {
            self.u32()?;
        } else {
            self.padded()?;
        }
        Some(())
    }

    fn fixed(&mut self, size: usize, many: bool) -> Option<Value<'a>> {
        let count = if many { self.length()? } else { 1 };
        self.bytes(size.checked_mul(count)?)?;
        Some(Value::Other)
    }

    /// Reads the values of a property of any length; the first is given.
    fn values(&mut self) -> Option<&'a [u8]> {
        let count = self.length()?;
        let mut first = None;
        for _ in 0..count {
            let value = self.padded()?;
            first = first.or(Some(value));
        }
        Some(first.unwrap_or_default())
    }

    /// Reads a value that is filled up to a multiple of four octets.
    fn padded(&mut self) -> Option<&'a [u8]> {
        let length = self.length()?;
        let value = self.bytes(length)?;
        self.bytes(length.next_multiple_of(4) - length)?;
        Some(value)
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use proptest::prelude::*;

    fn attribute(id: u32, data: &[u8]) -> Vec<u8> {
        let sum = data.iter().fold(0_u16, |sum, b| sum.wrapping_add(u16::from(*b)));
        let length = u32::try_from(data.len()).unwrap();
        [&[1][..], &id.to_le_bytes(), &length.to_le_bytes(), data, &sum.to_le_bytes()].concat()
    }

    fn property(kind: u16, id: u16, value: &[u8]) -> Vec<u8> {
        let length = u32::try_from(value.len()).unwrap();
        let fill = vec![0; value.len().next_multiple_of(4) - value.len()];
        let head = [kind.to_le_bytes(), id.to_le_bytes()].concat();
        [&head[..], &1_u32.to_le_bytes(), &length.to_le_bytes(), value, &fill].concat()
    }

    fn list(properties: &[Vec<u8>]) -> Vec<u8> {
        [u32::try_from(properties.len()).unwrap().to_le_bytes().to_vec(), properties.concat()].concat()
    }

    /// Packs a text and a file, as Outlook does.
    pub(in super::super) fn pack(text: &str, name: &str, bytes: &[u8]) -> Vec<u8> {
        let wide: Vec<u8> = name.encode_utf16().chain([0]).flat_map(u16::to_le_bytes).collect();
        let named = [&[0x1f, 0, 1, 0x80][..], &[7; 16], &[0; 8], &1_u32.to_le_bytes(), &[0; 4]].concat();
        [
            SIGNATURE.to_le_bytes().to_vec(),
            vec![1, 0],
            attribute(CODE_PAGE, &1252_u32.to_le_bytes()),
            attribute(MESSAGE_PROPERTIES, &list(&[named, property(0x1e, PR_BODY, text.as_bytes())])),
            attribute(FILE_BEGIN, &[0; 14]),
            attribute(FILE_TITLE, b"SHORT~1.TXT\0"),
            attribute(FILE_DATA, bytes),
            attribute(FILE_PROPERTIES, &list(&[property(0x1f, PR_LONG_NAME, &wide)])),
        ]
        .concat()
    }

    #[test]
    fn files_and_text_come_out() {
        let found = read(&pack("Gr\u{fc}\u{df}e", "Übersicht.txt", b"hi")).unwrap();
        assert_eq!(found.plain.as_deref(), Some("Grüße"));
        assert_eq!((found.files[0].name.as_str(), &found.files[0].bytes[..]), ("Übersicht.txt", &b"hi"[..]));
        assert!(found.whole);
        assert_eq!(read(b"not one"), None);
    }

    proptest! {
        #[test]
        fn any_damage_ends_quietly(at in 0_usize..300, with in any::<u8>(), cut in 0_usize..300) {
            let mut bytes = pack("text", "name.txt", b"some bytes");
            bytes.truncate(bytes.len().saturating_sub(cut));
            if let Some(b) = bytes.get_mut(at) { *b = with; }
            if let Some(found) = read(&bytes) {
                prop_assert!(found.files.iter().map(|f| f.bytes.len()).sum::<usize>() <= bytes.len());
            }
        }

        #[test]
        fn any_bytes_end_quietly(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
            let _ = read(&[&SIGNATURE.to_le_bytes()[..], &[0, 0], &bytes].concat());
        }
    }
}
