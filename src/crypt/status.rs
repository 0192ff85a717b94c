//! What the status lines and key lists of GnuPG mean (its `doc/DETAILS`).

use crate::domain::{EmailAddress, SealKind, SealState};

/// One signature, as far as its status lines tell.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Found {
    pub state: SealState,
    /// The fingerprint of the primary key; of an unknown key what is known.
    pub key: Option<String>,
    pub name: Option<String>,
}

/// What the status lines of one call tell.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Report {
    /// The signature that counts: a broken one before all others, else the best.
    pub found: Option<Found>,
    pub decrypted: bool,
    /// Something was to be decrypted or read and was not.
    pub failed: bool,
    /// There was more than one text, so that nobody can tell which was signed.
    pub doubled: bool,
    /// The number of the hash of a signature that was made.
    pub hash: Option<u32>,
    no_key: bool,
    no_data: bool,
}

impl Report {
    /// Reads the status lines among the lines that a program said.
    pub fn of(said: &str) -> Self {
        let mut report = Self::default();
        let mut signatures = Vec::new();
        let mut texts = 0;
        for line in said.lines().filter_map(|line| line.strip_prefix("[GNUPG:] ")) {
            let (word, rest) = line.split_once(' ').unwrap_or((line, ""));
            match word {
                "PLAINTEXT" => texts += 1,
                "DECRYPTION_OKAY" => report.decrypted = true,
                "DECRYPTION_FAILED" => report.failed = true,
                "NO_SECKEY" => report.no_key = true,
                "NODATA" | "BADARMOR" => (report.no_data, report.failed) = (true, true),
                "SIG_CREATED" => report.hash = rest.split(' ').nth(2).and_then(|n| n.parse().ok()),
                _ => about_signature(&mut signatures, word, rest),
            }
        }
        report.doubled = texts > 1;
        report.found = signatures.into_iter().map(Signature::judged).min_by_key(|found| rank(found.state));
        report
    }

    /// Says in words why nothing could be read.
    pub fn trouble(&self) -> &'static str {
        match self {
            Self { doubled: true, .. } => "it holds more than one text",
            Self { no_key: true, .. } => "the key for it is not here",
            Self { no_data: true, .. } => "it is damaged",
            _ => "it could not be opened",
        }
    }
}

/// Orders signatures by which of them counts.
fn rank(state: SealState) -> usize {
    use SealState::{Broken, Expired, Unchecked, UnknownKey, Unreadable, Unsigned, Untrusted, Valid};
    let order = [Broken, Valid, Untrusted, Expired, UnknownKey, Unreadable, Unsigned, Unchecked];
    order.iter().position(|known| *known == state).unwrap_or(order.len())
}

/// A signature while its lines are read.
#[derive(Default)]
struct Signature {
    state: Option<SealState>,
    key: Option<String>,
    name: Option<String>,
    holds: bool,
    trusted: bool,
}

impl Signature {
    fn judged(self) -> Found {
        let state = match self.state {
            Some(SealState::Valid) if !self.holds => SealState::Unreadable,
            Some(SealState::Valid) if !self.trusted => SealState::Untrusted,
            Some(state) => state,
            None => SealState::Unreadable,
        };
        Found { state, key: self.key, name: self.name }
    }
}

fn about_signature(signatures: &mut Vec<Signature>, word: &str, rest: &str) {
    let result = match word {
        "GOODSIG" => Some(SealState::Valid),
        "EXPSIG" | "EXPKEYSIG" | "REVKEYSIG" => Some(SealState::Expired),
        "BADSIG" => Some(SealState::Broken),
        // The last but one number is the reason: 9 is that the key is not here.
        "ERRSIG" if rest.split(' ').nth(5) == Some("9") => Some(SealState::UnknownKey),
        "ERRSIG" => Some(SealState::Unreadable),
        _ => None,
    };
    if word == "NEWSIG" || result.is_some() && signatures.last().is_none_or(|s| s.state.is_some()) {
        signatures.push(Signature::default());
    }
    let Some(signature) = signatures.last_mut() else { return };
    if let Some(state) = result {
        let (key, name) = rest.split_once(' ').unwrap_or((rest, ""));
        signature.state = Some(state);
        signature.key = is_fingerprint(key).then(|| key.to_owned());
        signature.name = Some(unescaped(name, '%')).filter(|name| !name.is_empty() && word != "ERRSIG");
    }
    match word {
        "VALIDSIG" => {
            signature.holds = true;
            let primary = rest.split(' ').nth(9).filter(|key| is_fingerprint(key));
            signature.key = primary.or_else(|| rest.split(' ').next()).map(str::to_owned);
        }
        "TRUST_FULLY" | "TRUST_ULTIMATE" => signature.trusted = true,
        "NO_PUBKEY" if signature.state == Some(SealState::Unreadable) => {
            signature.state = Some(SealState::UnknownKey);
        }
        _ => {}
    }
}

/// Tells whether a text can stand for a key in an argument.
fn is_fingerprint(text: &str) -> bool {
    (16..=64).contains(&text.len()) && text.chars().all(|c| c.is_ascii_hexdigit())
}

/// Undoes `%41`, or `\x41`, as status lines and key lists write them.
fn unescaped(text: &str, mark: char) -> String {
    let sign = if mark == '%' { "%" } else { "\\x" };
    let mut pieces = text.split(sign);
    let mut bytes = pieces.next().unwrap_or_default().as_bytes().to_vec();
    for piece in pieces {
        let code = piece.get(..2).and_then(|hex| u8::from_str_radix(hex, 16).ok());
        match code {
            Some(code) => {
                bytes.push(code);
                bytes.extend(piece.as_bytes().iter().skip(2));
            }
            None => {
                bytes.extend(sign.as_bytes());
                bytes.extend(piece.as_bytes());
            }
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

/// One name that a key carries.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Name {
    pub text: String,
    pub address: Option<EmailAddress>,
    /// Whether the owner of this desk trusts that the name is right.
    pub vouched: bool,
}

/// Reads the names in a key list. An authority vouches for all names of a certificate at once.
pub(super) fn names(list: &str, kind: SealKind) -> Vec<Name> {
    let name = |line: &str| {
        let mut fields = line.split(':');
        let record = fields.next()?;
        let validity = fields.next()?;
        let text = unescaped(fields.nth(7)?, '\\');
        let bare = text.rsplit_once('<').and_then(|(_, rest)| rest.strip_suffix('>')).unwrap_or(&text);
        let address = EmailAddress::parse(bare);
        let vouched = kind == SealKind::Smime || matches!(validity, "f" | "u");
        let gone = matches!(validity, "r" | "e");
        (record == "uid" && !gone).then_some(Name { text, address, vouched })
    };
    list.lines().filter_map(name).collect()
}

/// Gives `Ada Byrne <ada@x.example>`; a certificate has name and address apart.
pub(super) fn label(name: &Name, subject: Option<&str>) -> String {
    let common = subject.and_then(|subject| subject.split("/CN=").nth(1)).and_then(|s| s.split('/').next());
    match (name.text.starts_with('<'), common) {
        (true, Some(common)) => format!("{common} {}", name.text),
        _ => name.text.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: &str = "3109CF9360F4670DEBF59E6D3AE9AE431858E502";

    fn state(lines: &[&str]) -> Option<SealState> {
        let said: String = lines.iter().map(|line| format!("[GNUPG:] {line}\n")).collect();
        Report::of(&said).found.map(|found| found.state)
    }

    #[test]
    fn a_signature_is_what_its_worst_line_says() {
        let good = "GOODSIG 3AE9AE431858E502 Ada <ada@x.example>";
        let holds = format!("VALIDSIG {KEY} 2026-11-27 1 0 4 0 22 8 00 {KEY}");
        for (lines, expected) in [
            (vec!["NEWSIG", good, &holds, "TRUST_FULLY 0 pgp"], Some(SealState::Valid)),
            (vec!["NEWSIG", good, &holds, "TRUST_UNDEFINED 0 pgp"], Some(SealState::Untrusted)),
            (vec!["NEWSIG", good, &holds, "TRUST_MARGINAL 0 pgp"], Some(SealState::Untrusted)),
            // Trust without a signature that holds is worth nothing.
            (vec!["NEWSIG", good, "TRUST_FULLY 0 pgp"], Some(SealState::Unreadable)),
            (vec!["NEWSIG", "BADSIG 3AE9AE431858E502 Ada"], Some(SealState::Broken)),
            (vec!["NEWSIG", "EXPKEYSIG 3AE9AE431858E502 Ada", &holds], Some(SealState::Expired)),
            (vec!["NEWSIG", "REVKEYSIG 3AE9AE431858E502 Ada", &holds], Some(SealState::Expired)),
            (vec!["NEWSIG", "ERRSIG 3AE9AE431858E502 22 8 00 1 9 -"], Some(SealState::UnknownKey)),
            (vec!["ERRSIG 3AE9AE431858E502 22 8 00 1 4 -", "NO_PUBKEY 3AE9"], Some(SealState::UnknownKey)),
            (
                vec!["NEWSIG", good, &holds, "TRUST_FULLY 0 pgp", "NEWSIG", "BADSIG 3AE9AE431858E502 Eve"],
                Some(SealState::Broken),
            ),
            (vec!["NODATA 4"], None),
        ] {
            assert_eq!(state(&lines), expected, "{lines:?}");
        }
    }

    #[test]
    fn words_for_people_are_no_status() {
        let said = "gpg: [GNUPG:] GOODSIG 3AE9AE431858E502 Ada\n x [GNUPG:] DECRYPTION_OKAY\n";
        assert_eq!(Report::of(said), Report::default());
        assert!(Report::of("[GNUPG:] PLAINTEXT 62 0 \n[GNUPG:] PLAINTEXT 62 0 \n").doubled);
    }

    #[test]
    fn a_key_vouches_for_the_names_that_somebody_signed() {
        let list = "pub:f:255:22:3AE9:1:::-:::sc:\nuid:f::::1::AA::Eve <eve@x.example>::::::::::0:\n\
                    uid:-::::1::BB::Ada\\x3a the real <ada@x.example>::::::::::0:\nuid:r::::1::CC::Old <old@x.example>:\n";
        let names = names(list, SealKind::Pgp);
        let short: Vec<_> = names.iter().map(|n| (n.text.as_str(), n.vouched)).collect();
        assert_eq!(short, [("Eve <eve@x.example>", true), ("Ada: the real <ada@x.example>", false)]);
        assert_eq!(names[1].address, EmailAddress::parse("ada@x.example"));
    }
}
