//! Drafts: what somebody is writing, saved as they type.

use super::{Attachment, IssueId, NoteId, ProjectId};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// What a draft will become. A person may have one of each kind in one issue.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DraftKind {
    Reply,
    Internal,
    /// A new issue, before it has a number.
    Issue,
}

/// A text that was not sent yet.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Draft {
    pub user: String,
    /// `None` for a new issue.
    pub issue: Option<IssueId>,
    pub project: Option<ProjectId>,
    pub kind: DraftKind,
    pub text: String,
    pub title: Option<String>,
    pub to: Option<String>,
    pub cc: Vec<String>,
    /// Paths of files to attach, as typed.
    pub files: Vec<String>,
    /// Files of notes that were taken back; the desk has them, so that nobody attaches them again.
    ///
    /// Each stays at its place as long as the draft lives, so that front ends can name it by that. One that was
    /// taken off has no bytes. Only the desk writes here: what a request says of it is not looked at.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub kept: Vec<Attachment>,
    /// Places of kept files that the writer took off, counted from 0. Only requests say so; none is stored.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub off: Vec<u32>,
    /// The text that the writer takes for the stored one: another that stands there is of another window, and is kept.
    /// Only requests say so; none is stored.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub over: Option<String>,
    /// The last note the writer had seen.
    pub seen: Option<NoteId>,
    pub saved_at: Timestamp,
}

/// Where the text of a draft goes that joins another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    Before,
    Behind,
}

impl Draft {
    /// Takes in another draft; nothing of either is lost.
    ///
    /// It stays what this one is for, and the kept files of this one stay at their places.
    #[must_use]
    pub fn join(self, other: Self, side: Side) -> Self {
        let text = match side {
            Side::Before => joined(&other.text, &self.text),
            Side::Behind => joined(&self.text, &other.text),
        };
        Self {
            text,
            project: self.project.or(other.project),
            title: filled(self.title).or(other.title),
            to: filled(self.to).or(other.to),
            cc: both(self.cc, other.cc),
            files: both(self.files, other.files),
            kept: self.kept.into_iter().chain(other.kept).collect(),
            // Of what came later, the writer of one of the texts knew nothing.
            seen: self.seen.into_iter().chain(other.seen).min(),
            saved_at: self.saved_at.max(other.saved_at),
            ..self
        }
    }

    /// Puts this draft where its issue was merged to: behind what stands there, of which it may be a later version.
    #[must_use]
    pub fn led_to(self, home: Self) -> Self {
        let text = led_on(&home.text, &self.text);
        // Of kept files only those at home are known.
        let joined = home.join(Self { kept: Vec::new(), off: Vec::new(), ..self }, Side::Behind);
        Self { text, ..joined }
    }

    /// Goes on from what stands there now, if that is not what the writer knew; says whether it was another's.
    pub fn goes_on_from(&mut self, stored: &str) -> bool {
        let over = self.over.take().filter(|over| over != stored && !stored.trim().is_empty());
        let Some(over) = over else { return false };
        let text = led_on_after(stored, &over, &self.text);
        let was_strange = text != self.text;
        self.text = text;
        was_strange
    }

    /// Takes off the kept file at a place; the others stay where they are.
    pub fn take_off(&mut self, place: u32) {
        let file = usize::try_from(place).ok().and_then(|place| self.kept.get_mut(place));
        if let Some(file) = file {
            *file = Attachment {
                name: String::new(),
                media_type: String::new(),
                size: 0,
                inline: false,
                part: None,
                within: Vec::new(),
                raw: None,
            };
        }
    }

    /// Lists the kept files that were not taken off, with their places.
    pub fn kept_files(&self) -> impl Iterator<Item = (u32, &Attachment)> {
        (0..).zip(&self.kept).filter(|(_, file)| file.raw.is_some())
    }
}

/// Gives what stands at home with a text that goes on there: in place of an earlier version of it, else behind.
fn led_on(home: &str, text: &str) -> String {
    // Only whole paragraphs: "ok" does not stand there because of "look".
    let whole = |text: &str| format!("\n\n{}\n\n", text.trim());
    if text.trim().is_empty() || whole(home).contains(&whole(text)) {
        return home.to_owned();
    }
    let starts = std::iter::once(0).chain(home.match_indices("\n\n").map(|(at, _)| at + 2));
    let earlier = |at: &usize| {
        let rest = home.get(*at..).unwrap_or_default().trim();
        !rest.is_empty() && text.trim_start().starts_with(rest)
    };
    match starts.into_iter().find(earlier) {
        Some(at) => format!("{}{text}", home.get(..at).unwrap_or_default()),
        None => joined(home, text),
    }
}

/// As `led_on`, for a text whose earlier version is known: at the end of what stands at home it is replaced.
pub fn led_on_after(home: &str, earlier: &str, text: &str) -> String {
    let known = !earlier.trim().is_empty() && !text.trim().is_empty();
    let rest = home.trim_end().strip_suffix(earlier.trim_end());
    match rest.filter(|rest| known && (rest.is_empty() || rest.ends_with("\n\n"))) {
        Some(rest) => format!("{rest}{text}"),
        None => led_on(home, text),
    }
}

fn joined(first: &str, second: &str) -> String {
    match (first.trim().is_empty(), second.trim().is_empty()) {
        (true, _) => second.to_owned(),
        (_, true) => first.to_owned(),
        _ => format!("{}\n\n{second}", first.trim_end()),
    }
}

fn filled(text: Option<String>) -> Option<String> {
    text.filter(|text| !text.trim().is_empty())
}

/// Gives what stands in either list, once.
fn both(mut first: Vec<String>, second: Vec<String>) -> Vec<String> {
    for one in second {
        if !first.contains(&one) {
            first.push(one);
        }
    }
    first
}

#[cfg(test)]
mod tests {
    use super::super::{RawRef, Request};
    use super::*;

    fn draft(text: &str, file: &str, kept: &str) -> Draft {
        let raw = RawRef { segment: 1, offset: 1, length: 1, size: 1, from: 0 };
        let kept = Attachment {
            name: kept.into(),
            media_type: "text/csv".into(),
            size: 1,
            inline: false,
            part: None,
            within: vec![],
            raw: Some(raw),
        };
        Draft {
            user: "alice".into(),
            issue: Some(IssueId(1)),
            project: None,
            kind: DraftKind::Reply,
            text: text.into(),
            title: None,
            to: None,
            cc: vec!["eve@x.example".into()],
            files: vec![file.into()],
            kept: vec![kept],
            off: vec![],
            over: None,
            seen: None,
            saved_at: Timestamp::UNIX_EPOCH,
        }
    }

    fn names(draft: &Draft) -> Vec<(u32, &str)> {
        draft.kept_files().map(|(place, file)| (place, file.name.as_str())).collect()
    }

    #[test]
    fn what_another_window_wrote_meanwhile_is_kept() {
        for (stored, over, text, kept) in [
            ("", Some(""), "b", "b"),
            ("one", Some("one"), "two", "two"),
            ("one", None, "two", "two"),
            ("one", Some(""), "two", "one\n\ntwo"),
            ("one\n\ntwo", Some("two"), "two and more", "one\n\ntwo and more"),
            ("one\n\ntwo", Some("one"), "one and more", "one\n\ntwo\n\none and more"),
            // It was stored all the same, though no answer came.
            ("on", Some(""), "one", "one"),
        ] {
            let mut draft = Draft { over: over.map(str::to_owned), ..draft(text, "/a", "list.csv") };
            assert_eq!(draft.goes_on_from(stored), kept != text, "{stored} {over:?} {text}");
            assert_eq!((draft.text.as_str(), draft.over), (kept, None), "{stored} {over:?} {text}");
        }
    }

    #[test]
    fn joined_drafts_hold_the_texts_and_files_of_both() {
        for (ours, theirs, side, text) in [
            ("one \n", "two", Side::Behind, "one\n\ntwo"),
            ("one", "two\n", Side::Before, "two\n\none"),
            (" ", "two", Side::Behind, "two"),
            ("one\n", "", Side::Before, "one\n"),
            ("", "", Side::Behind, ""),
        ] {
            let there = draft(ours, "/a", "list.csv");
            let came = Draft { seen: Some(NoteId(4)), issue: None, ..draft(theirs, "/b", "list.csv") };
            let both = there.join(came, side);
            assert_eq!(both.text, text);
            assert_eq!((both.files.as_slice(), both.cc.len()), (&["/a".to_owned(), "/b".to_owned()][..], 1));
            assert_eq!(names(&both), [(0, "list.csv"), (1, "list.csv")]);
            assert_eq!((both.issue, both.seen), (Some(IssueId(1)), Some(NoteId(4))));
        }
        let late = Draft { seen: Some(NoteId(9)), ..draft("", "/a", "a") };
        let early = Draft { seen: Some(NoteId(4)), ..draft("", "/a", "b") };
        assert_eq!(late.join(early, Side::Before).seen, Some(NoteId(4)), "so that nobody misses a note");
    }

    #[test]
    fn a_text_that_goes_on_elsewhere_is_never_lost_there() {
        for (home, text, both) in [
            ("Please look at the token", "ok", "Please look at the token\n\nok"),
            ("Please look\n\nok\n\nYours", "ok", "Please look\n\nok\n\nYours"),
            ("For Ada\n\nDear", "Dear Eve", "For Ada\n\nDear Eve"),
            ("For Ada", " ", "For Ada"),
            ("", "Dear Eve", "Dear Eve"),
        ] {
            assert_eq!(led_on(home, text), both);
        }
    }

    #[test]
    fn a_corrected_text_takes_the_place_of_its_earlier_version() {
        for (home, earlier, text, both) in [
            ("For Ada\n\nDear Eve, thx", "Dear Eve, thx", "Dear Eve, thanks", "For Ada\n\nDear Eve, thanks"),
            ("Dear Eve, thx", "Dear Eve, thx\n", "Dear Eve, thanks", "Dear Eve, thanks"),
            // What only ends alike is another text.
            ("We look", "look", "looked", "We look\n\nlooked"),
            ("For Ada\n\nold\n\nmore", "old", "new", "For Ada\n\nold\n\nmore\n\nnew"),
            ("For Ada", "", "new", "For Ada\n\nnew"),
            ("For Ada\n\nold", "old", "", "For Ada\n\nold"),
        ] {
            assert_eq!(led_on_after(home, earlier, text), both);
        }
    }

    #[test]
    fn a_file_that_was_taken_off_moves_no_other() {
        let mut both = draft("", "/a", "a.csv").join(draft("", "/a", "b.csv"), Side::Behind);
        both.take_off(0);
        both.take_off(0);
        both.take_off(7);
        assert_eq!(names(&both), [(1, "b.csv")]);
        let more = both.join(draft("", "/a", "c.csv"), Side::Before);
        assert_eq!(names(&more), [(1, "b.csv"), (2, "c.csv")]);
    }

    #[test]
    fn what_older_front_ends_ask_still_reads() {
        let asked = r#"{"draft_file":{"reference":null,"kind":"reply","name":"a.csv"}}"#;
        let asked: Request = serde_json::from_str(asked).unwrap();
        assert!(matches!(asked, Request::DraftFile { place: None, .. }));
        let mut old = serde_json::to_value(draft("text", "/a", "a.csv")).unwrap();
        assert!(old.get("off").is_none(), "nor is it told them");
        old.as_object_mut().unwrap().remove("kept");
        let read: Draft = serde_json::from_value(old).unwrap();
        assert_eq!((read.kept.len(), read.off.len()), (0, 0));
    }
}
