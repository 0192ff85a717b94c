//! Bytes to text, when the charset is declared, wrongly declared, or not declared at all.

use chardetng::{EncodingDetector, Iso2022JpDetection, Utf8Detection};
use encoding_rs::{Encoding, UTF_8};
use mail_parser::decoders::charsets::map::charset_decoder;

/// Most octets that a guess looks at.
const SAMPLE: usize = 64 * 1024;

/// Decodes text by its declared charset, or by what its bytes look like.
///
/// UTF-8 that is valid wins over any other declaration of a charset that ASCII is a part of: a wrong
/// declaration is far more common than another charset that happens to form valid UTF-8.
pub(super) fn decode(bytes: &[u8], declared: Option<&str>) -> String {
    let label = declared.map(str::trim);
    let declared = label.and_then(|label| Encoding::for_label(label.as_bytes()));
    if let Some(label) = label.filter(|label| declared.is_none() && !label.is_empty())
        && !(label.to_ascii_lowercase().contains("utf-7") && bytes.iter().any(|b| *b >= 0x80))
        && let Some(decoder) = charset_decoder(label.as_bytes())
    {
        return decoder(bytes);
    }
    if declared.is_none() && is_iso_2022(bytes) {
        return encoding_rs::ISO_2022_JP.decode(bytes).0.into_owned();
    }
    if let Ok(text) = std::str::from_utf8(bytes)
        && (bytes.iter().any(|b| *b >= 0x80) || declared.is_none_or(Encoding::is_ascii_compatible))
    {
        return text.trim_start_matches('\u{feff}').to_owned();
    }
    if let Some(encoding) = declared.filter(|encoding| *encoding != UTF_8) {
        let (text, used, broken) = encoding.decode(bytes);
        if !(broken && used == encoding) {
            return text.into_owned();
        }
    }
    guess(bytes).decode(bytes).0.into_owned()
}

/// Tells whether the bytes switch to Japanese by escapes, as ISO-2022-JP does.
fn is_iso_2022(bytes: &[u8]) -> bool {
    bytes.contains(&0x1b) && bytes.windows(3).any(|w| w == b"\x1b$B" || w == b"\x1b$@")
}

/// Guesses a charset for bytes that are not valid UTF-8; a few broken ones do not make it another.
fn guess(bytes: &[u8]) -> &'static Encoding {
    let lossy = String::from_utf8_lossy(bytes);
    let broken = lossy.matches('\u{fffd}').count();
    let whole = lossy.chars().filter(|c| !c.is_ascii()).count().saturating_sub(broken);
    if whole > 4 * broken {
        return UTF_8;
    }
    let mut detector = EncodingDetector::new(Iso2022JpDetection::Allow);
    detector.feed(bytes.get(..bytes.len().min(SAMPLE)).unwrap_or_default(), true);
    detector.guess(None, Utf8Detection::Deny)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_decoded_whatever_its_label_says() {
        for (bytes, label, text) in [
            (&b"caf\xe9"[..], None, "café"),
            (b"caf\xc3\xa9", Some("iso-8859-1"), "café"),
            (b"caf\xe9", Some("utf-8"), "café"),
            (b"caf\xe9", Some("x-unknown"), "café"),
            (b"plain", Some("us-ascii"), "plain"),
            (b"\x1b$B$3$s\x1b(B", Some("iso-2022-jp"), "こん"),
            (b"\x1b$B$3$s\x1b(B", None, "こん"),
            (b"\xef\xf0\xe8\xe2\xe5\xf2", None, "привет"),
            (b"\xd0\xd2\xc9\xd7\xc5\xd4", None, "привет"),
            (
                b"Die Hasen und die Fr\xf6sche, \xfcber ihre mi\xdfliche Lage",
                None,
                "Die Hasen und die Frösche, über ihre mißliche Lage",
            ),
            (b"\xc4\xe3\xba\xc3", Some("gb2312"), "你好"),
            (b"h\0i\0", Some("utf-16le"), "hi"),
            (b"Fr+APY-sche", Some("utf-7"), "Frösche"),
        ] {
            assert_eq!(decode(bytes, label), text, "{label:?}");
        }
    }
}
