//! What the desk's own classifier looks at in a mail, as numbers.
//!
//! Lessons are kept as these numbers, so that no mail has to be read again: how they are made must stay
//! as it is. The three highest bits say where a feature stood.

use super::Suspect;
use crate::domain::query::fold;
use rustc_hash::FxHashSet;

/// Characters of text that are looked at.
const TEXT_MAX: usize = 20_000;
const SUBJECT_MAX: usize = 500;
/// Lines of the header that are looked at.
const LINES_MAX: usize = 300;
const WORD_MAX: usize = 24;

/// Where a feature stood.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place {
    Sender = 0,
    Subject = 1,
    Text = 2,
    Link = 3,
    Header = 4,
}

impl Place {
    /// Most features from there: 600 together.
    fn share(self) -> usize {
        match self {
            Self::Sender => 20,
            Self::Subject => 60,
            Self::Text => 430,
            Self::Link => 30,
            Self::Header => 60,
        }
    }

    /// Tells from where a feature is.
    pub fn of(feature: u32) -> Option<Self> {
        let all = [Self::Sender, Self::Subject, Self::Text, Self::Link, Self::Header];
        all.get((feature >> 29) as usize).copied()
    }

    /// Gives the word for it.
    pub fn word(self) -> &'static str {
        match self {
            Self::Sender => "sender",
            Self::Subject => "subject",
            Self::Text => "text",
            Self::Link => "links",
            Self::Header => "header",
        }
    }
}

/// Gives the features of a mail, sorted, each once: at most 600.
pub fn features(mail: &Suspect) -> Vec<u32> {
    let mut found = Found::default();
    sender(mail, &mut found.at(Place::Sender));
    let subject: String = mail.subject.chars().take(SUBJECT_MAX).collect();
    shout(&subject, &mut found.at(Place::Header));
    words(&subject, &mut found.at(Place::Subject));
    header(&mail.raw, &mut found.at(Place::Header));
    let text: String = mail.text.chars().take(TEXT_MAX).collect();
    links(&text, &mut found.at(Place::Link));
    words(&text, &mut found.at(Place::Text));
    let mut all: Vec<u32> = found.all.into_iter().collect();
    all.sort_unstable();
    all
}

/// What was found so far.
#[derive(Default)]
struct Found {
    all: FxHashSet<u32>,
}

/// Takes the features of one place, until its share is full.
struct Taker<'a> {
    all: &'a mut FxHashSet<u32>,
    place: Place,
    left: usize,
}

impl Found {
    fn at(&mut self, place: Place) -> Taker<'_> {
        let taken = self.all.iter().filter(|feature| Place::of(**feature) == Some(place)).count();
        Taker { all: &mut self.all, place, left: place.share().saturating_sub(taken) }
    }
}

impl Taker<'_> {
    fn add(&mut self, parts: &[&str]) {
        if self.left > 0 && self.all.insert(feature(self.place, parts)) {
            self.left -= 1;
        }
    }

    fn is_full(&self) -> bool {
        self.left == 0
    }
}

/// FNV-1a of 64 bits, folded to 29: the same for ever, on every machine.
fn feature(place: Place, parts: &[&str]) -> u32 {
    let octets = parts.iter().flat_map(|part| part.bytes().chain([0]));
    let hash = octets.fold(0xcbf2_9ce4_8422_2325_u64, |hash, octet| {
        (hash ^ u64::from(octet)).wrapping_mul(0x0000_0100_0000_01b3)
    });
    let [a, b, c, d, e, f, g, h] = (hash ^ (hash >> 29)).to_le_bytes();
    let mixed = u32::from_le_bytes([a ^ e, b ^ f, c ^ g, d ^ h]);
    (mixed & 0x1fff_ffff) | ((place as u32) << 29)
}

/// The address, its domain and the domains above, and the words of the name.
fn sender(mail: &Suspect, found: &mut Taker<'_>) {
    let address = mail.from.as_ref().map_or(String::new(), |from| from.as_str().to_lowercase());
    found.add(&["address", &address]);
    let mut domain = address.rsplit_once('@').map_or("", |(_, domain)| domain);
    while domain.contains('.') {
        found.add(&["domain", domain]);
        domain = domain.split_once('.').map_or("", |(_, above)| above);
    }
    found.add(&["domain", domain]);
    let name = fold(mail.from_name.as_deref().unwrap_or_default());
    name.split(|c: char| !c.is_alphanumeric())
        .filter(|word| !word.is_empty())
        .for_each(|word| found.add(&["name", word]));
}

/// How loud a subject is.
fn shout(subject: &str, found: &mut Taker<'_>) {
    let letters = || subject.chars().filter(|c| c.is_alphabetic());
    if letters().count() > 5 && !letters().any(char::is_lowercase) {
        found.add(&["capitals"]);
    }
    if subject.contains('!') {
        found.add(&["exclamation"]);
    }
    if subject.contains(['$', '€', '£', '%']) {
        found.add(&["money"]);
    }
}

/// The names of the header's fields, the types of the mail, and what wrote it.
fn header(raw: &[u8], found: &mut Taker<'_>) {
    let lines = raw.split(|octet| *octet == b'\n').take(LINES_MAX);
    for line in lines.take_while(|line| !matches!(line, [] | [b'\r'])) {
        if line.first().is_some_and(|octet| octet.is_ascii_whitespace()) {
            continue;
        }
        let line = String::from_utf8_lossy(line.get(..line.len().min(200)).unwrap_or(line)).to_lowercase();
        let Some((name, value)) = line.split_once(':') else { continue };
        found.add(&["field", name]);
        if matches!(
            name,
            "content-type" | "x-mailer" | "user-agent" | "precedence" | "content-transfer-encoding"
        ) {
            let value = value.split([';', '/', ' ', '(']).find(|part| !part.trim().is_empty());
            found.add(&["value", name, value.unwrap_or_default().trim()]);
        }
    }
}

/// The hosts that a text links to, and the domains above them.
fn links(text: &str, found: &mut Taker<'_>) {
    for rest in text.split("://").skip(1) {
        let host =
            rest.split(|c: char| !(c.is_alphanumeric() || matches!(c, '.' | '-'))).next().unwrap_or_default();
        let mut host = host.to_lowercase();
        while host.contains('.') {
            found.add(&["host", &host]);
            host = host.split_once('.').map_or(String::new(), |(_, above)| above.to_owned());
        }
        found.add(&["host", &host]);
    }
}

/// Words, and for scripts without blanks every two characters.
///
/// No pairs of words: most stand in one mail only, and where lessons are mostly of one kind they drag
/// everything there.
fn words(text: &str, found: &mut Taker<'_>) {
    for word in fold(text).split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty()) {
        if found.is_full() {
            return;
        }
        if word.chars().any(has_no_blanks) {
            word.chars().zip(word.chars().skip(1)).for_each(|(a, b)| found.add(&["two", &format!("{a}{b}")]));
        } else if word.chars().count() > WORD_MAX {
            found.add(&["long"]);
        } else {
            let word: String = word.chars().map(|c| if c.is_numeric() { '0' } else { c }).collect();
            found.add(&["word", &word]);
        }
    }
}

/// Chinese, Japanese, Korean and Thai letters.
fn has_no_blanks(c: char) -> bool {
    matches!(c, '\u{0e00}'..='\u{0e7f}' | '\u{1100}'..='\u{11ff}' | '\u{3040}'..='\u{30ff}'
        | '\u{3400}'..='\u{9fff}' | '\u{ac00}'..='\u{d7af}' | '\u{f900}'..='\u{faff}' | '\u{20000}'..='\u{3ffff}')
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::EmailAddress;
    use proptest::prelude::*;

    fn suspect(subject: &str, text: &str) -> Suspect {
        Suspect {
            raw: b"From: a\r\nX-Mailer: Foo 1.2\r\n folded: no\r\nContent-Type: text/html; x\r\n\r\nBcc: no\r\n".to_vec().into(),
            from: EmailAddress::parse("Ada@Shop.X.example"),
            from_name: Some("Ada Lovelace".to_owned()),
            subject: subject.to_owned(),
            text: text.to_owned(),
            ..Suspect::default()
        }
    }

    #[test]
    fn a_lesson_of_today_is_understood_for_ever() {
        // These numbers stand in journals.
        assert_eq!(feature(Place::Text, &["word", "printer"]), KNOWN.0);
        assert_eq!(feature(Place::Sender, &["domain", "x.example"]), KNOWN.1);
    }

    const KNOWN: (u32, u32) = (1_300_709_319, 400_691_291);

    #[test]
    fn every_place_gives_its_features() {
        let found = features(&suspect("BUY NOW!", "Café 12 https://evil.example/x?y 日本語"));
        let has = |place, parts: &[&str]| found.contains(&feature(place, parts));
        for domain in ["shop.x.example", "x.example", "example"] {
            assert!(has(Place::Sender, &["domain", domain]), "{domain}");
        }
        assert!(
            has(Place::Sender, &["address", "ada@shop.x.example"])
                && has(Place::Sender, &["name", "lovelace"])
        );
        assert!(has(Place::Header, &["capitals"]) && has(Place::Header, &["exclamation"]));
        assert!(
            has(Place::Header, &["field", "x-mailer"]) && has(Place::Header, &["value", "x-mailer", "foo"])
        );
        assert!(
            has(Place::Header, &["value", "content-type", "text"]) && !has(Place::Header, &["field", "bcc"])
        );
        assert!(has(Place::Subject, &["word", "buy"]) && has(Place::Text, &["word", "cafe"]));
        assert!(has(Place::Text, &["word", "00"]));
        assert!(has(Place::Link, &["host", "evil.example"]));
        assert!(has(Place::Text, &["two", "日本"]) && has(Place::Text, &["two", "本語"]));
        assert_eq!(Place::of(feature(Place::Link, &["x"])), Some(Place::Link));
    }

    proptest! {
        #[test]
        fn any_mail_has_features_and_not_too_many(raw in prop::collection::vec(any::<u8>(), 0..2000), subject in ".{0,80}", text in "(.{0,12} ){0,400}") {
            let mail = Suspect { raw: raw.into(), ..suspect(&subject, &text) };
            let found = features(&mail);
            prop_assert!(found.len() <= 600 && found.is_sorted());
            prop_assert_eq!(found, features(&mail));
        }
    }
}
