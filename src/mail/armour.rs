//! Armour in the text of a mail: blocks between `-----BEGIN PGP …-----` lines.

/// A block of armour and what stands around it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Armour<'a> {
    pub before: &'a [u8],
    /// From the first to the last line of the armour.
    pub block: &'a [u8],
    pub after: &'a [u8],
    /// Whether it hides its text; else it is signed text that anybody can read.
    pub encrypted: bool,
}

const SIGNED: &[u8] = b"-----BEGIN PGP SIGNED MESSAGE-----";
const SIGNATURE: &[u8] = b"-----BEGIN PGP SIGNATURE-----";
const SIGNATURE_END: &[u8] = b"-----END PGP SIGNATURE-----";
const MESSAGE: &[u8] = b"-----BEGIN PGP MESSAGE-----";
const MESSAGE_END: &[u8] = b"-----END PGP MESSAGE-----";

/// Finds the first whole block; quoted ones do not count.
pub(super) fn find(text: &[u8]) -> Option<Armour<'_>> {
    let mut begun: Option<(usize, bool)> = None;
    let mut at = 0;
    for line in text.split_inclusive(|b| *b == b'\n') {
        let end = at + line.len();
        match (line.trim_ascii_end(), begun) {
            (SIGNED, None) => begun = Some((at, false)),
            (MESSAGE, None) => begun = Some((at, true)),
            (SIGNATURE_END, Some((from, false))) | (MESSAGE_END, Some((from, true))) => {
                return Some(Armour {
                    before: text.get(..from)?,
                    block: text.get(from..end)?,
                    after: text.get(end..)?,
                    encrypted: line.trim_ascii_end() == MESSAGE_END,
                });
            }
            _ => {}
        }
        at = end;
    }
    None
}

/// Gives the text without its armour, the lines that went, and whether nothing stood around the block.
///
/// `inside` stands in for the block; without it signed text is taken out of its armour, and a block that
/// hides its text goes as a whole.
pub(super) fn without(text: &str, inside: Option<String>) -> Option<(String, String, bool)> {
    let Armour { before, block, after, encrypted } = find(text.as_bytes())?;
    let [before, block, after] = [before, block, after].map(|bytes| String::from_utf8_lossy(bytes));
    let (body, lines) = if encrypted { (String::new(), block.to_string()) } else { signed_text(&block) };
    let alone = before.trim().is_empty() && after.trim().is_empty();
    let shown = [before.trim_end(), inside.as_deref().unwrap_or(&body), after.trim_start()];
    let shown: Vec<&str> = shown.into_iter().filter(|piece| !piece.trim().is_empty()).collect();
    Some((shown.join("\n\n"), lines, alone))
}

/// Splits a signed text into its words and its armour (RFC 9580, section 7.2).
fn signed_text(block: &str) -> (String, String) {
    let (mut body, mut lines) = (String::new(), String::new());
    let (mut head, mut tail) = (true, false);
    for line in block.lines() {
        tail |= line.trim_end().as_bytes() == SIGNATURE;
        let kept = if head || tail { &mut lines } else { &mut body };
        let line = if head || tail { line } else { line.strip_prefix("- ").unwrap_or(line) };
        kept.push_str(line);
        kept.push('\n');
        head &= !line.trim().is_empty();
    }
    (body, lines)
}

#[cfg(test)]
mod tests {
    use super::*;

    const CLEAR: &str = "-----BEGIN PGP SIGNED MESSAGE-----\nHash: SHA256\n\nHello\n- -- \nAda\n\
                         -----BEGIN PGP SIGNATURE-----\n\nabc\n-----END PGP SIGNATURE-----\n";

    #[test]
    fn signed_text_is_shown_without_its_armour() {
        let (shown, lines, alone) = without(CLEAR, None).unwrap();
        assert_eq!((shown.as_str(), alone), ("Hello\n-- \nAda\n", true));
        assert!(lines.starts_with("-----BEGIN PGP SIGNED") && lines.ends_with("END PGP SIGNATURE-----\n"));
        let (shown, _, alone) = without(&format!("Before\n{CLEAR}After\n"), Some("Inside".into())).unwrap();
        assert_eq!((shown.as_str(), alone), ("Before\n\nInside\n\nAfter\n", false));
    }

    #[test]
    fn only_whole_blocks_at_the_margin_count() {
        let quoted: String = CLEAR.lines().map(|line| format!("> {line}\n")).collect();
        let cut = CLEAR.replace("-----END PGP SIGNATURE-----", "");
        for text in ["", "-----BEGIN PGP MESSAGE-----\n", "-----END PGP MESSAGE-----\n", &quoted, &cut] {
            assert_eq!(find(text.as_bytes()), None, "{text}");
        }
        let hidden = "-----BEGIN PGP MESSAGE-----\r\n\r\nabc\r\n-----END PGP MESSAGE-----";
        assert!(find(hidden.as_bytes()).unwrap().encrypted);
        assert_eq!(without(hidden, None).unwrap().0, "");
    }
}
