//! Screening: which of several opinions about a mail counts, and in which words.

use super::{Finding, Judge, Opinion, SenderRule};

/// What is done with a mail.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Screening {
    pub outcome: Outcome,
    /// Every opinion, in words.
    pub words: String,
}

/// What opinions about a mail come to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It goes on its way.
    Pass,
    Spam,
    /// It waits for a person.
    Quarantine,
}

/// Weighs opinions: what staff listed counts first, then anybody who is sure that it is spam.
///
/// The classifier of this desk says [`Finding::Spam`] only where it is very sure, so that its word is
/// worth that of the others. A judge who could not be asked decides nothing.
pub fn screen(listed: Option<SenderRule>, opinions: &[Opinion]) -> Screening {
    let outcome = match listed {
        Some(SenderRule::Block) => Outcome::Spam,
        Some(SenderRule::Quarantine) => Outcome::Quarantine,
        Some(SenderRule::Allow) => Outcome::Pass,
        None if opinions.iter().any(|o| o.finding == Finding::Spam) => Outcome::Spam,
        None => Outcome::Pass,
    };
    Screening { outcome, words: words(opinions) }
}

/// Says each opinion in its own words: `Rspamd says spam: score 16 of 15; …`.
fn words(opinions: &[Opinion]) -> String {
    opinions.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ")
}

impl std::fmt::Display for Opinion {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let phrase = match (self.by, self.finding) {
            (Judge::Senders, Finding::Unsure) => "asks for a person to look",
            (_, finding) => finding.phrase(),
        };
        match self.words.is_empty() {
            true => write!(f, "{} {phrase}", self.by.name()),
            false => write!(f, "{} {phrase}: {}", self.by.name(), self.words),
        }
    }
}

impl Judge {
    /// Gives what people call it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Senders => "a list of senders",
            Self::Headers => "a filter on the way",
            Self::Authentication => "the check of SPF, DKIM and DMARC",
            Self::Local => "what this desk learned",
            Self::Rspamd => "Rspamd",
            Self::Akismet => "Akismet",
        }
    }
}

impl Finding {
    fn phrase(self) -> &'static str {
        match self {
            Self::Spam => "says spam",
            Self::Ham => "says wanted",
            Self::Unsure => "decides nothing",
            Self::Unavailable => "could not be asked",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    type Case = (Option<SenderRule>, &'static [(Judge, Finding)], Outcome);

    fn opinion(by: Judge, finding: Finding) -> Opinion {
        Opinion { by, finding, words: String::new() }
    }

    #[test]
    fn lists_count_first_and_then_anybody_who_is_sure() {
        use Finding::{Ham, Spam, Unavailable, Unsure};
        use Judge::{Akismet, Authentication, Headers, Local, Rspamd};
        use Outcome::{Pass, Quarantine, Spam as Junk};
        let cases: [Case; 14] = [
            (None, &[], Pass),
            (None, &[(Headers, Spam)], Junk),
            (None, &[(Rspamd, Spam)], Junk),
            (None, &[(Akismet, Spam)], Junk),
            (None, &[(Authentication, Spam)], Junk),
            (None, &[(Local, Spam)], Junk),
            (None, &[(Local, Unsure), (Rspamd, Ham)], Pass),
            (None, &[(Local, Ham), (Rspamd, Spam)], Junk),
            (None, &[(Rspamd, Unavailable), (Akismet, Unavailable)], Pass),
            (None, &[(Rspamd, Unavailable), (Akismet, Spam)], Junk),
            (Some(SenderRule::Allow), &[(Rspamd, Spam), (Headers, Spam)], Pass),
            (Some(SenderRule::Block), &[(Rspamd, Ham)], Junk),
            (Some(SenderRule::Block), &[], Junk),
            (Some(SenderRule::Quarantine), &[(Rspamd, Spam)], Quarantine),
        ];
        for (listed, opinions, expected) in cases {
            let opinions: Vec<Opinion> = opinions.iter().map(|(by, f)| opinion(*by, *f)).collect();
            assert_eq!(screen(listed, &opinions).outcome, expected, "{listed:?} {opinions:?}");
        }
    }

    #[test]
    fn the_words_list_every_opinion() {
        let said = Opinion { by: Judge::Rspamd, finding: Finding::Spam, words: "score 16 of 15".to_owned() };
        let set_aside = opinion(Judge::Senders, Finding::Unsure);
        assert_eq!(set_aside.to_string(), "a list of senders asks for a person to look");
        let screening = screen(None, &[said, opinion(Judge::Akismet, Finding::Unavailable)]);
        assert_eq!(screening.words, "Rspamd says spam: score 16 of 15; Akismet could not be asked");
    }
}
