//! The lines of a text, and what is counted in them.

/// Gives the lines of a text as [`str::lines`] does, found many octets at once.
pub(super) fn lines(text: &str) -> impl Iterator<Item = &str> + Clone {
    let mut rest = text;
    std::iter::from_fn(move || {
        let Some(end) = memchr::memchr(b'\n', rest.as_bytes()) else {
            return Some(std::mem::take(&mut rest)).filter(|last| !last.is_empty());
        };
        let (line, after) = rest.split_at_checked(end)?;
        rest = after.get(1..)?;
        Some(line.strip_suffix('\r').unwrap_or(line))
    })
}

/// Counts the octets that are so, many at once.
pub(super) fn count(octets: &[u8], is_so: impl Fn(u8) -> bool) -> usize {
    // So many that one octet can count them.
    let counted = |piece: &[u8]| piece.iter().map(|octet| u8::from(is_so(*octet))).sum::<u8>();
    octets.chunks(128).map(|piece| usize::from(counted(piece))).sum()
}

/// Counts the characters of a text as [`Iterator::count`] does.
pub(super) fn characters(text: &str) -> usize {
    count(text.as_bytes(), |octet| octet & 0xc0 != 0x80)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_split_as_usual() {
        for text in ["", "a", "a\n", "a\nb", "\n", "\n\na\r\n\r\nb\r", "a\rb\r\n", "\r\n", "\r"] {
            assert_eq!(lines(text).collect::<Vec<_>>(), text.lines().collect::<Vec<_>>(), "{text:?}");
        }
    }
}
