//! Text out of RTF, as Outlook keeps it beside or instead of plain text: decompressed (MS-OXRTFCP), and as the
//! HTML that it was made of, where it was (MS-OXRTFEX).

use super::charset;
use super::fields::hex_octet;

/// What the dictionary holds at the beginning (MS-OXRTFCP, section 2.1.2.1).
const DICTIONARY: &[u8] =
    b"{\\rtf1\\ansi\\mac\\deff0\\deftab720{\\fonttbl;}{\\f0\\fnil \\froman \\fswiss \\fmodern \
\\fscript \\fdecor MS Sans SerifSymbolArialTimes New RomanCourier{\\colortbl\\red0\\green0\\blue0\r\n\\par \
\\pard\\plain\\f0\\fs20\\b\\i\\u\\tab\\tx";
const WINDOW: usize = 4096;
/// Most octets that are unpacked, and deepest groups that are followed.
const SIZE_MAX: usize = 16 * 1024 * 1024;
const DEPTH_MAX: usize = 500;

/// The text of an RTF.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Text {
    Plain(String),
    Html(String),
}

/// Unpacks RTF; `None` when the bytes are no packed RTF. What is cut short is given as far as it goes.
pub(super) fn decompress(bytes: &[u8]) -> Option<Vec<u8>> {
    let word = |at: usize| Some(u32::from_le_bytes(bytes.get(at..at + 4)?.try_into().ok()?));
    let size = usize::try_from(word(4)?).ok()?.min(SIZE_MAX);
    let data = bytes.get(16..)?;
    match &word(8)?.to_le_bytes() {
        b"MELA" => Some(data.get(..size.min(data.len()))?.to_vec()),
        b"LZFu" => Some(unpack(data, size)),
        _ => None,
    }
}

fn unpack(data: &[u8], size: usize) -> Vec<u8> {
    let mut window = [b' '; WINDOW];
    for (slot, b) in window.iter_mut().zip(DICTIONARY) {
        *slot = *b;
    }
    let mut write = DICTIONARY.len();
    let mut out = Vec::new();
    let mut put = |window: &mut [u8; WINDOW], b: u8, out: &mut Vec<u8>| {
        if let Some(slot) = window.get_mut(write % WINDOW) {
            *slot = b;
        }
        write = (write + 1) % WINDOW;
        out.push(b);
        write
    };
    let mut place = DICTIONARY.len();
    let mut input = data.iter().copied();
    while let Some(control) = input.next() {
        for bit in 0..8 {
            if control >> bit & 1 == 0 {
                let Some(b) = input.next() else { return out };
                place = put(&mut window, b, &mut out);
            } else {
                let (Some(high), Some(low)) = (input.next(), input.next()) else { return out };
                let token = usize::from(high) << 8 | usize::from(low);
                let (from, length) = (token >> 4, (token & 0xf) + 2);
                if from == place % WINDOW {
                    return out;
                }
                for step in 0..length {
                    let b = window.get((from + step) % WINDOW).copied().unwrap_or_default();
                    place = put(&mut window, b, &mut out);
                }
            }
            if out.len() >= size {
                return out;
            }
        }
    }
    out
}

/// Gives the text of RTF.
pub(super) fn text(rtf: &[u8]) -> Text {
    let mut reader = Reader { rest: rtf, ..Reader::default() };
    while reader.step() {}
    reader.flush();
    if reader.from_html { Text::Html(reader.out) } else { Text::Plain(reader.out) }
}

/// What holds within a group.
#[derive(Clone, Copy)]
struct Group {
    /// Its text is not shown.
    hidden: bool,
    /// Its text stands for HTML that is given elsewhere.
    instead: bool,
    /// How many characters stand for one that was written as a number.
    fallback: usize,
}

#[derive(Default)]
struct Reader<'a> {
    rest: &'a [u8],
    groups: Vec<Group>,
    /// Groups beyond the deepest that is followed.
    deeper: usize,
    /// Whether the group has just begun with `\*`.
    optional: bool,
    skip: usize,
    from_html: bool,
    page: Option<u32>,
    pending: Vec<u8>,
    surrogate: Option<u16>,
    out: String,
}

/// Groups whose text is about the document.
const ABOUT: &[&str] = &[
    "fonttbl",
    "colortbl",
    "stylesheet",
    "info",
    "pict",
    "object",
    "header",
    "footer",
    "listtable",
    "listoverridetable",
    "generator",
    "themedata",
    "datastore",
];

impl<'a> Reader<'a> {
    fn group(&self) -> Group {
        self.groups.last().copied().unwrap_or(Group { hidden: false, instead: false, fallback: 1 })
    }

    /// Takes the next thing; false at the end.
    fn step(&mut self) -> bool {
        let Some((first, rest)) = self.rest.split_first() else { return false };
        self.rest = rest;
        match first {
            b'{' if self.groups.len() >= DEPTH_MAX => self.deeper += 1,
            b'{' => self.groups.push(self.group()),
            b'}' if self.deeper > 0 => self.deeper -= 1,
            b'}' => {
                self.flush();
                self.groups.pop();
            }
            b'\\' => self.control(),
            b'\r' | b'\n' => {}
            b => self.byte(*b),
        }
        true
    }

    fn control(&mut self) {
        let letters = self.rest.iter().take_while(|b| b.is_ascii_alphabetic()).count();
        if letters == 0 {
            return self.symbol();
        }
        let (word, rest) = self.rest.split_at_checked(letters).unwrap_or((self.rest, &[]));
        let digits =
            rest.iter().enumerate().take_while(|(i, b)| b.is_ascii_digit() || *i == 0 && **b == b'-').count();
        let (number, rest) = rest.split_at_checked(digits).unwrap_or((&[], rest));
        self.rest = rest.strip_prefix(b" ").unwrap_or(rest);
        let number = std::str::from_utf8(number).ok().and_then(|n| n.parse::<i32>().ok());
        let word = std::str::from_utf8(word).unwrap_or_default();
        self.word(word, number);
        self.optional = false;
    }

    fn symbol(&mut self) {
        let Some((first, rest)) = self.rest.split_first() else { return };
        self.rest = rest;
        match first {
            b'*' => self.optional = true,
            b'\'' => {
                let (digits, rest) = self.rest.split_at_checked(2).unwrap_or((self.rest, &[]));
                self.rest = rest;
                if let [high, low] = digits
                    && let Some(byte) = hex_octet(*high, *low)
                {
                    self.byte(byte);
                }
            }
            b'~' => self.character(' '),
            b'_' => self.character('-'),
            b'\r' | b'\n' => self.character('\n'),
            b @ (b'{' | b'}' | b'\\') => self.byte(*b),
            _ => {}
        }
    }

    fn word(&mut self, word: &str, number: Option<i32>) {
        let optional = self.optional;
        match word {
            "fromhtml" => self.from_html = number != Some(0),
            "ansicpg" => self.page = number.and_then(|n| u32::try_from(n).ok()),
            "htmltag" if optional => self.change(|group| group.instead = false),
            "htmlrtf" => self.change(|group| group.instead = number != Some(0)),
            "uc" => {
                let count = number.and_then(|n| usize::try_from(n).ok()).unwrap_or(1).min(16);
                self.change(|group| group.fallback = count);
            }
            "u" => self.unicode(number.unwrap_or_default()),
            "par" | "line" | "sect" | "page" | "row" => self.character('\n'),
            "tab" | "cell" => self.character('\t'),
            "emdash" => self.character('—'),
            "endash" => self.character('–'),
            "bullet" => self.character('•'),
            "lquote" => self.character('‘'),
            "rquote" => self.character('’'),
            "ldblquote" => self.character('“'),
            "rdblquote" => self.character('”'),
            _ if optional || ABOUT.contains(&word) => self.change(|group| group.hidden = true),
            _ => {}
        }
    }

    fn change(&mut self, change: impl FnOnce(&mut Group)) {
        self.flush();
        if let Some(group) = self.groups.last_mut() {
            change(group);
        }
    }

    fn is_shown(&self) -> bool {
        let group = self.group();
        !(group.hidden || self.from_html && group.instead)
    }

    fn byte(&mut self, b: u8) {
        if self.skip > 0 {
            self.skip -= 1;
        } else if self.is_shown() {
            self.pending.push(b);
        }
    }

    fn character(&mut self, c: char) {
        self.flush();
        if self.is_shown() {
            self.out.push(c);
        }
    }

    /// Writes a character given as the number of a UTF-16 unit.
    fn unicode(&mut self, number: i32) {
        self.flush();
        self.skip = self.group().fallback;
        let unit = u16::try_from(number.rem_euclid(0x1_0000)).unwrap_or_default();
        let units = match self.surrogate.take() {
            Some(high) => vec![high, unit],
            None if (0xd800..0xdc00).contains(&unit) => {
                self.surrogate = Some(unit);
                return;
            }
            None => vec![unit],
        };
        if self.is_shown() {
            self.out.push_str(&String::from_utf16_lossy(&units));
        }
    }

    /// Decodes the octets that have come since the last character.
    fn flush(&mut self) {
        if self.pending.is_empty() {
            return;
        }
        let label = self.page.map(|page| format!("windows-{page}"));
        self.out.push_str(&charset::decode(&self.pending, label.as_deref()));
        self.pending.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn plain(rtf: &str) -> Text {
        text(rtf.as_bytes())
    }

    #[test]
    fn packed_text_is_unpacked() {
        // The two examples of MS-OXRTFCP, section 4.
        let simple = b"\x2d\0\0\0\x2b\0\0\0LZFu\xf1\xc5\xc7\xa7\x03\0\x0a\0rcpg125B2\x0a\xf3 hel\x09\0 bw\x05\xb0ld}\x0a\x80\x0f\xa0";
        assert_eq!(decompress(simple).unwrap(), b"{\\rtf1\\ansi\\ansicpg1252\\pard hello world}\r\n");
        let crossing = b"\x1a\0\0\0\x1c\0\0\0LZFu\xe2\xd4KQA\0\x04 WXYZ\x0dn}\x01\x0e\xb0";
        assert_eq!(decompress(crossing).unwrap(), b"{\\rtf1 WXYZWXYZWXYZWXYZWXYZ}");
        assert_eq!(decompress(b"short"), None);
    }

    #[test]
    fn rtf_reads_as_text_or_as_the_html_it_was() {
        let rtf =
            "{\\rtf1\\ansi\\ansicpg1252{\\fonttbl{\\f0 Arial;}}\\pard Gr\\'fc\\u223?e\\par two \\{x\\}}";
        assert_eq!(plain(rtf), Text::Plain("Grüße\ntwo {x}".to_owned()));
        let html = "{\\rtf1\\ansi\\fromhtml1{\\*\\htmltag64 <p>}\\htmlrtf {\\htmlrtf0 Hello{\\*\\htmltag84 &nbsp;}\
            \\htmlrtf \\'a0\\htmlrtf0 you\\htmlrtf \\par}\\htmlrtf0{\\*\\htmltag72 </p>}}";
        assert_eq!(plain(html), Text::Html("<p>Hello&nbsp;you</p>".to_owned()));
    }

    proptest! {
        #[test]
        fn no_bytes_stop_the_reading(bytes in prop::collection::vec(any::<u8>(), 0..300), rtf in "(\\\\[a-z*'{}]{0,4}[0-9]?|\\{|\\}|x){0,60}") {
            let _ = text(&bytes);
            let _ = text(rtf.as_bytes());
            let packed = [&[0; 4][..], &[0xff; 4], b"LZFu", &[0; 4], &bytes].concat();
            let _ = decompress(&packed);
        }
    }
}
