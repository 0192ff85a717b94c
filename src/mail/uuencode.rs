//! Files that stand in a text between `begin` and `end` (POSIX, `uuencode`).

/// Most files that are taken out of one text.
const FILES_MAX: usize = 200;
/// Most octets of one line after decoding.
const LINE_MAX: usize = 63;

/// A file that stood in a text.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Inlaid {
    /// As it was written: it may be anything.
    pub(super) name: Vec<u8>,
    pub(super) bytes: Vec<u8>,
}

/// Takes the files out of a text; gives what remains of it, and them.
///
/// A block that does not end, or that holds a line which does not decode, is text and stays where it is.
pub(super) fn take_out(text: &[u8]) -> (Vec<u8>, Vec<Inlaid>) {
    let mut rest = text;
    let mut kept = Vec::with_capacity(text.len());
    let mut files = Vec::new();
    // A block without an end is looked for only once: what follows it is text.
    let mut broken = 0;
    while let Some((line, after)) = next_line(rest) {
        let block = if files.len() < FILES_MAX && broken < FILES_MAX { block(line, after) } else { None };
        match block {
            Some(Ok((file, after))) => {
                files.push(file);
                rest = after;
            }
            other => {
                broken += usize::from(other.is_some());
                kept.extend_from_slice(line);
                rest = after;
            }
        }
    }
    (kept, files)
}

/// Tells whether a text may hold a file.
pub(super) fn may_hold(text: &[u8]) -> bool {
    text.starts_with(b"begin ") || memchr::memmem::find(text, b"\nbegin ").is_some()
}

/// Decodes a part whose transfer encoding says that it is one block, with or without its first line.
pub(super) fn decode(text: &[u8]) -> Vec<u8> {
    match take_out(text).1.into_iter().next() {
        Some(file) => file.bytes,
        None => {
            let mut bytes = Vec::with_capacity(text.len() / 4 * 3);
            for line in text.split(|b| *b == b'\n') {
                let Some(decoded) = decode_line(trimmed(line)) else { continue };
                bytes.extend(decoded);
            }
            bytes
        }
    }
}

fn next_line(text: &[u8]) -> Option<(&[u8], &[u8])> {
    let line = text.split_inclusive(|b| *b == b'\n').next()?;
    Some((line, text.get(line.len()..)?))
}

fn trimmed(line: &[u8]) -> &[u8] {
    let line = line.strip_suffix(b"\n").unwrap_or(line);
    line.strip_suffix(b"\r").unwrap_or(line)
}

/// Reads a block whose first line was read; `Some(Err)` when one begins and does not end.
fn block<'a>(first: &[u8], after: &'a [u8]) -> Option<Result<(Inlaid, &'a [u8]), ()>> {
    let name = file_name(trimmed(first))?;
    let mut rest = after;
    let mut bytes = Vec::new();
    while let Some((line, after)) = next_line(rest) {
        let line = trimmed(line);
        rest = after;
        if line == b"end" && !bytes.is_empty() {
            return Some(Ok((Inlaid { name: name.to_vec(), bytes }, rest)));
        }
        match decode_line(line) {
            Some(decoded) => bytes.extend(decoded),
            None => return Some(Err(())),
        }
    }
    Some(Err(()))
}

/// Gives the name out of `begin 644 name`.
fn file_name(line: &[u8]) -> Option<&[u8]> {
    let rest = line.strip_prefix(b"begin ")?;
    let digits = rest.iter().take_while(|b| matches!(b, b'0'..=b'7')).count();
    let name = rest.get(digits..)?.strip_prefix(b" ")?.trim_ascii();
    (matches!(digits, 3 | 4) && !name.is_empty()).then_some(name)
}

/// Decodes a line; blanks at its end may have been lost on the way.
fn decode_line(line: &[u8]) -> Option<Vec<u8>> {
    let (count, digits) = match line.split_first() {
        Some((count, digits)) => (usize::from(value(*count)?), digits),
        None => (0, line),
    };
    let wanted = count.div_ceil(3) * 4;
    let fits = count <= LINE_MAX && digits.len() <= wanted + 4 && digits.iter().all(|b| value(*b).is_some());
    if !fits || count > 0 && digits.is_empty() {
        return None;
    }
    let mut bytes = Vec::with_capacity(count + 3);
    let mut padded = digits.iter().copied().chain(std::iter::repeat(b' ')).take(wanted);
    while let (Some(a), Some(b), Some(c), Some(d)) =
        (padded.next(), padded.next(), padded.next(), padded.next())
    {
        let [a, b, c, d] = [value(a)?, value(b)?, value(c)?, value(d)?];
        bytes.extend([a << 2 | b >> 4, b << 4 | c >> 2, c << 6 | d]);
    }
    bytes.truncate(count);
    Some(bytes)
}

/// Gives the six bits of a character.
fn value(b: u8) -> Option<u8> {
    matches!(b, b' '..=b'`').then(|| (b - b' ') & 0x3f)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn encode(name: &str, bytes: &[u8]) -> Vec<u8> {
        let digit = |v: u8| if v == 0 { b'`' } else { v + b' ' };
        let mut out = format!("begin 644 {name}\n").into_bytes();
        for line in bytes.chunks(45) {
            out.push(digit(u8::try_from(line.len()).unwrap()));
            for c in line.chunks(3) {
                let [a, b, c] = [c[0], c.get(1).copied().unwrap_or(0), c.get(2).copied().unwrap_or(0)];
                out.extend([a >> 2, (a << 4 | b >> 4) & 63, (b << 2 | c >> 6) & 63, c & 63].map(digit));
            }
            out.push(b'\n');
        }
        out.extend(b"`\nend\n");
        out
    }

    #[test]
    fn a_block_comes_out_of_its_text() {
        let text = [b"Before\r\n".to_vec(), encode("a b.txt", b"Cat"), b"After\n".to_vec()].concat();
        let (kept, files) = take_out(&text);
        assert_eq!(kept, b"Before\r\nAfter\n");
        assert_eq!(files, [Inlaid { name: b"a b.txt".to_vec(), bytes: b"Cat".to_vec() }]);
        assert_eq!(decode(&encode("x", b"Dog")), b"Dog");
        assert_eq!(decode(b"#0V%T\n`\n"), b"Cat");
    }

    #[test]
    fn what_only_looks_like_a_block_stays_text() {
        for text in [
            "begin 644 me\nI begin to wonder.\nend\n",
            "begin 644 cut.txt\n#0V%T\n",
            "begin\nend\n",
            "begin 999 x\n#0V%T\n`\nend\n",
            "begin 644 x\nend\n",
        ] {
            assert_eq!(take_out(text.as_bytes()), (text.as_bytes().to_vec(), vec![]), "{text}");
        }
    }

    proptest! {
        #[test]
        fn any_file_comes_back(bytes in prop::collection::vec(any::<u8>(), 1..400), before in "[a-z\n]{0,20}") {
            let text = [format!("{before}\n").into_bytes(), encode("f", &bytes)].concat();
            let (kept, files) = take_out(&text);
            prop_assert_eq!(kept, format!("{before}\n").into_bytes());
            prop_assert_eq!(&files[0].bytes, &bytes);
        }

        #[test]
        fn no_text_loses_more_than_its_files(text in "(begin 644 a\n|end\n|`\n|#0V%T\n|x|\n){0,30}") {
            let (kept, files) = take_out(text.as_bytes());
            prop_assert!(!files.is_empty() || kept == text.as_bytes());
        }
    }
}
