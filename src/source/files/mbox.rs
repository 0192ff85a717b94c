//! Mails in one file, parted by `From ` lines (RFC 4155), quoted as mboxo or mboxrd do it.

use super::{MAIL_MAX, too_large};
use jiff::{Timestamp, civil::DateTime, tz::TimeZone};
use std::io::{self, BufRead, Read};

/// Longest line that can be a separator, in octets.
const SEPARATOR_MAX: usize = 1_000;

/// Octets of a line that are read at once; a line without end must not fill the memory.
const CHUNK: u64 = 64 * 1024;

/// The mails of an mbox, read one by one.
#[derive(Debug)]
pub(super) struct Mbox<R> {
    reader: R,
    index: u32,
    /// When the mail that comes next was delivered.
    delivered: Option<Timestamp>,
    /// The file's own time.
    modified: Option<Timestamp>,
    state: State,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// Before the first separator.
    Fresh,
    /// Behind a separator.
    Inside,
    Ended,
}

/// Tells whether a file that begins like this is an mbox.
pub(super) fn begins(start: &[u8]) -> bool {
    start.split(|byte| *byte == b'\n').next().is_some_and(|line| separator(line).is_some())
}

/// Reads a separator; gives the time in it, where there is one that makes sense.
///
/// Asks for a clock time and a year, since mail that was not quoted may hold any line that begins so.
fn separator(line: &[u8]) -> Option<Option<Timestamp>> {
    let rest = line.strip_prefix(b"From ").filter(|rest| rest.len() < SEPARATOR_MAX)?;
    let text = String::from_utf8_lossy(rest);
    let words: Vec<&str> = text.split_ascii_whitespace().collect();
    let is_clock = |word: &str| word.contains(':') && word.chars().all(|c| c.is_ascii_digit() || c == ':');
    let is_year = |word: &str| word.len() == 4 && word.chars().all(|c| c.is_ascii_digit());
    let clock = words.iter().position(|word| is_clock(word))?;
    let year = words.iter().skip(clock).find(|word| is_year(word))?;
    let before = clock.checked_sub(2).and_then(|at| words.get(at..clock))?;
    let date = format!("{} {} {year}", before.join(" "), words.get(clock)?);
    let time = DateTime::strptime("%b %d %H:%M:%S %Y", &date).ok();
    Some(time.and_then(|time| TimeZone::UTC.to_timestamp(time).ok()))
}

impl<R: BufRead> Mbox<R> {
    pub fn new(reader: R, modified: Option<Timestamp>) -> Self {
        Self { reader, index: 0, delivered: None, modified, state: State::Fresh }
    }

    /// Gives the place of the mail that comes next.
    pub fn index(&self) -> u32 {
        self.index
    }

    /// Reads the mail that comes next and when it was delivered.
    pub fn next(&mut self) -> Option<io::Result<(Vec<u8>, Option<Timestamp>)>> {
        if self.state == State::Fresh {
            let mut first = Vec::new();
            self.state = State::Inside;
            match self.reader.read_until(b'\n', &mut first) {
                Ok(_) => self.delivered = separator(&first).flatten(),
                Err(e) => return Some(self.broken(e)),
            }
        }
        if self.state == State::Ended {
            return None;
        }
        let received_at = self.delivered.or(self.modified);
        let read = self.body();
        self.index += 1;
        match read {
            Ok(Some(bytes)) => Some(Ok((bytes, received_at))),
            Ok(None) => Some(Err(too_large())),
            Err(e) => Some(self.broken(e)),
        }
    }

    /// Reads up to the next separator; `None` when that is too much for one mail.
    fn body(&mut self) -> io::Result<Option<Vec<u8>>> {
        let mut mail = Vec::new();
        let mut fits = true;
        let (mut blank, mut line_starts) = (true, true);
        loop {
            let start = mail.len();
            if (&mut self.reader).take(CHUNK).read_until(b'\n', &mut mail)? == 0 {
                self.state = State::Ended;
                break;
            }
            let piece = mail.get(start..).unwrap_or_default();
            if let Some(time) = (blank && line_starts).then(|| separator(piece)).flatten() {
                self.delivered = time;
                mail.truncate(start);
                break;
            }
            blank = line_starts && matches!(piece, b"\n" | b"\r\n");
            let quoted = line_starts && is_quoted(piece);
            line_starts = piece.ends_with(b"\n");
            if quoted {
                mail.remove(start);
            }
            if mail.len() as u64 > MAIL_MAX {
                fits = false;
                mail.clear();
            }
        }
        if self.state != State::Ended {
            drop_blank_line(&mut mail);
        }
        Ok(fits.then_some(mail))
    }

    fn broken<T>(&mut self, error: io::Error) -> io::Result<T> {
        self.state = State::Ended;
        Err(error)
    }
}

/// Tells whether a line was quoted so that it does not look like a separator.
fn is_quoted(line: &[u8]) -> bool {
    let unquoted = line.iter().position(|byte| *byte != b'>').unwrap_or(0);
    unquoted > 0 && line.get(unquoted..).is_some_and(|rest| rest.starts_with(b"From "))
}

/// Takes off the blank line that parts a mail from the next separator.
fn drop_blank_line(mail: &mut Vec<u8>) {
    for end in [&b"\n\r\n"[..], b"\n\n"] {
        if mail.ends_with(end) {
            mail.truncate(mail.len() - (end.len() - 1));
            return;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn mails(text: &str) -> Vec<(String, Option<String>)> {
        let mut mbox = Mbox::new(text.as_bytes(), None);
        let mut found = Vec::new();
        while let Some(mail) = mbox.next() {
            let (bytes, at) = mail.unwrap();
            found.push((String::from_utf8(bytes).unwrap(), at.map(|at| at.to_string())));
        }
        found
    }

    fn bodies(text: &str) -> Vec<String> {
        mails(text).into_iter().map(|(body, _)| body).collect()
    }

    #[test]
    fn mails_are_parted_at_from_lines_and_unquoted() {
        let text = "From a@b Thu Jan  1 10:00:00 2026\nS: 1\n\n>From me\n>>From you\n>> From\n\n\
                    From - Mon Feb 02 11:30:00 2026\r\nS: 2\r\n\r\nx\r\n\r\n\
                    From MAILER-DAEMON Fri Jul  8 12:08:34 2011 +0200\nS: 3\n\nend\n\n";
        assert_eq!(
            bodies(text),
            ["S: 1\n\nFrom me\n>From you\n>> From\n", "S: 2\r\n\r\nx\r\n", "S: 3\n\nend\n\n"]
        );
        assert_eq!(mails(text)[1].1.as_deref(), Some("2026-02-02T11:30:00Z"));
    }

    #[test]
    fn a_line_that_only_begins_like_a_separator_stays_in_the_mail() {
        let start = "From a Thu Jan  1 10:00:00 2026\n";
        for body in [
            "x\n\nFrom here on we talk of 2026.\n",
            "x\nFrom a Thu Jan  1 10:00:00 2026\n",
            "x\n\nFrom 10:00 on\n",
        ] {
            assert_eq!(bodies(&format!("{start}{body}")), [body]);
        }
        assert!(!begins(b"From: a@b\n\nFrom a Thu Jan 1 10:00:00 2026"));
        assert!(begins(start.as_bytes()));
        assert!(!begins(b"") && !begins(b"From "));
    }

    #[test]
    fn two_separators_in_a_row_are_an_empty_mail() {
        let start = "From a Thu Jan  1 10:00:00 2026\n";
        assert_eq!(bodies(&format!("{start}{start}x\n")), ["", "x\n"]);
        assert_eq!(bodies(start), [""]);
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic(text in proptest::collection::vec(any::<u8>(), 0..300)) {
            let mut mbox = Mbox::new(&text[..], None);
            while let Some(mail) = mbox.next() {
                mail.unwrap();
            }
        }
    }
}
