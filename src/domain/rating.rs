//! Ratings: what a customer thought of how their issue was handled.

use super::EmailAddress;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// One of three words.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Rating {
    Good,
    SoSo,
    Bad,
}

/// What the subject of a mail that rates begins with.
const SUBJECT: &str = "rating";

impl Rating {
    pub const ALL: [Self; 3] = [Self::Good, Self::SoSo, Self::Bad];

    /// Gives the word for it, as JSON and queries have it.
    pub fn word(self) -> &'static str {
        match self {
            Self::Good => "good",
            Self::SoSo => "so-so",
            Self::Bad => "bad",
        }
    }

    /// Gives the subject of the mail that says so about the issue to which a key leads.
    pub fn subject(self, key: &str) -> String {
        format!("{SUBJECT} {} {key}", self.word())
    }

    /// Reads such a subject; gives the rating and the key.
    pub fn read(subject: &str) -> Option<(Self, String)> {
        let lower = subject.to_lowercase();
        let mut words = lower.split_whitespace();
        let first = words.next()?;
        let first = if first == "re:" { words.next()? } else { first };
        let (word, key) = (words.next()?, words.next()?);
        let rating = Self::ALL.into_iter().find(|rating| rating.word() == word)?;
        (first == SUBJECT && words.next().is_none()).then(|| (rating, key.to_owned()))
    }
}

/// A rating of an issue; the last one counts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rated {
    pub rating: Rating,
    pub email: EmailAddress,
    pub at: Timestamp,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_subject_is_read_as_it_was_written_and_no_other_is() {
        for rating in Rating::ALL {
            assert_eq!(Rating::read(&rating.subject("k3y")), Some((rating, "k3y".to_owned())));
        }
        assert_eq!(Rating::read("Re: Rating  SO-SO K3Y"), Some((Rating::SoSo, "k3y".to_owned())));
        for other in
            ["rating", "rating good", "rating great k3y", "my rating good k3y", "rating good k3y now", ""]
        {
            assert_eq!(Rating::read(other), None, "{other}");
        }
    }
}
