//! Bytes to text, when the charset is declared, wrongly declared, or not declared at all.

use encoding_rs::{Encoding, UTF_8, WINDOWS_1252};

/// Decodes text by its declared charset, or by what its bytes look like.
///
/// UTF-8 that is valid wins over any other declaration of a charset that ASCII is a part of: a wrong
/// declaration is far more common than another charset that happens to form valid UTF-8.
pub(super) fn decode(bytes: &[u8], declared: Option<&str>) -> String {
    let declared = declared.and_then(|label| Encoding::for_label(label.trim().as_bytes()));
    if declared.is_none() && is_iso_2022(bytes) {
        return encoding_rs::ISO_2022_JP.decode(bytes).0.into_owned();
    }
    if let Ok(text) = std::str::from_utf8(bytes)
        && (bytes.iter().any(|b| *b >= 0x80) || declared.is_none_or(Encoding::is_ascii_compatible))
    {
        return text.trim_start_matches('\u{feff}').to_owned();
    }
    let encoding = match declared {
        Some(encoding) if encoding != UTF_8 && !encoding.decode_without_bom_handling(bytes).1 => encoding,
        _ => guess(bytes),
    };
    encoding.decode(bytes).0.into_owned()
}

/// Tells whether the bytes switch to Japanese by escapes, as ISO-2022-JP does.
fn is_iso_2022(bytes: &[u8]) -> bool {
    bytes.contains(&0x1b) && bytes.windows(3).any(|w| w == b"\x1b$B" || w == b"\x1b$@")
}

/// Guesses a charset for bytes that are not valid UTF-8.
fn guess(bytes: &[u8]) -> &'static Encoding {
    let mostly_utf8 = String::from_utf8_lossy(bytes);
    let broken = mostly_utf8.matches('\u{fffd}').count();
    let whole = mostly_utf8.chars().filter(|c| !c.is_ascii()).count().saturating_sub(broken);
    if whole > 4 * broken {
        return UTF_8;
    }
    [encoding_rs::SHIFT_JIS, encoding_rs::EUC_KR, encoding_rs::GB18030, encoding_rs::BIG5]
        .into_iter()
        .find(|encoding| looks_east_asian(encoding, bytes))
        .or_else(|| cyrillic(bytes))
        .unwrap_or(WINDOWS_1252)
}

/// Tells whether the bytes decode cleanly and mostly to characters of that language.
fn looks_east_asian(encoding: &'static Encoding, bytes: &[u8]) -> bool {
    let (text, failed) = encoding.decode_without_bom_handling(bytes);
    let high = text.chars().filter(|c| !c.is_ascii()).count();
    let kana = text.chars().filter(|c| matches!(c, '\u{3040}'..='\u{30ff}')).count();
    let hangul = text.chars().filter(|c| matches!(c, '\u{ac00}'..='\u{d7a3}')).count();
    let common = text
        .chars()
        .filter(|c| matches!(c, '\u{4e00}'..='\u{9fff}' | '\u{3000}'..='\u{303f}' | '\u{ff00}'..='\u{ffef}'))
        .count();
    let fits = if encoding == encoding_rs::SHIFT_JIS {
        kana * 5 >= high && kana > 0
    } else if encoding == encoding_rs::EUC_KR {
        hangul * 2 >= high && hangul > 0
    } else {
        common * 10 >= high * 9 && common > 3
    };
    !failed && fits
}

/// Gives the Cyrillic charset that makes most of the bytes lower-case letters, if most are letters.
fn cyrillic(bytes: &[u8]) -> Option<&'static Encoding> {
    let score = |encoding: &'static Encoding| {
        let text = encoding.decode_without_bom_handling(bytes).0.into_owned();
        text.chars().filter(|c| matches!(c, 'а'..='я')).count()
    };
    let high = bytes.iter().filter(|b| **b >= 0x80).count();
    let longest = bytes.split(|b| *b < 0x80).map(<[u8]>::len).max().unwrap_or(0);
    [encoding_rs::WINDOWS_1251, encoding_rs::KOI8_R, encoding_rs::ISO_8859_5]
        .into_iter()
        .map(|encoding| (score(encoding), encoding))
        .max_by_key(|(score, _)| *score)
        .filter(|(score, _)| score * 10 >= high * 6 && longest >= 3)
        .map(|(_, encoding)| encoding)
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
            (b"\xc4\xe3\xba\xc3", Some("gb2312"), "你好"),
            (b"h\0i\0", Some("utf-16le"), "hi"),
        ] {
            assert_eq!(decode(bytes, label), text, "{label:?}");
        }
    }
}
