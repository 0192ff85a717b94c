//! The guard before a send: what a second look would have found.
//!
//! It asks once for each doubt; whoever sends anyway is not asked again. Comments that nobody is mailed pass.

use super::action::Action;
use super::app::App;
use super::composer::{Composer, recipients};
use super::keymap::Place;
use super::picker::{Choice, Item, Picker};
use super::promises;
use super::send::Manner;
use crate::domain::{DraftKind, IssueView, NoteKind};

/// Something that speaks against sending now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Doubt {
    /// A file is promised by this word, and none goes out.
    Promised(String),
    /// A word that is not for customers.
    Internal(String),
    /// They get this one and did not get the last one.
    Joined(Vec<String>),
    /// They got the last one and do not get this one.
    Left(Vec<String>),
    /// It was begun in this issue, which was merged into the one that it goes to.
    Led(String, Vec<String>),
}

impl Doubt {
    /// Says it in a line: what it is about, and what is wrong.
    fn words(&self) -> (&'static str, String) {
        match self {
            Self::Promised(word) => {
                ("attach a file", format!("\"{word}\" stands in the text, and no file goes out"))
            }
            Self::Internal(word) => ("change the text", format!("\"{word}\" is a word for the staff only")),
            Self::Joined(who) => ("see who gets it", format!("new since the last mail: {}", who.join(", "))),
            Self::Left(who) => {
                ("see who gets it", format!("not any more since the last mail: {}", who.join(", ")))
            }
            Self::Led(from, who) => {
                let who = if who.is_empty() { "nobody".to_owned() } else { who.join(", ") };
                let said = format!("{from} was merged while you wrote; look at the text, it goes to {who}");
                ("see who gets it", said)
            }
        }
    }

    /// Gives what puts it right.
    fn cure(&self) -> Choice {
        match self {
            Self::Promised(_) => Choice::Act(Action::Attach),
            Self::Internal(_) => Choice::Nothing,
            Self::Joined(_) | Self::Left(_) | Self::Led(..) => Choice::Act(Action::Recipients),
        }
    }
}

/// Says who joined and who left since the last mail to the outside, beside what the writer chose for this one.
pub fn changed(view: &IssueView, composer: &Composer) -> (Vec<String>, Vec<String>) {
    let public = |kind: NoteKind| kind == NoteKind::Reply;
    let last =
        view.notes.iter().rev().find(|n| public(n.kind) && n.aside.is_none() && !n.delivery.is_empty());
    let Some(last) = last.filter(|_| composer.kind == DraftKind::Reply) else { return Default::default() };
    let before: Vec<String> = last.delivery.iter().map(|mail| mail.to.to_string()).collect();
    let now = recipients(&view.participants, composer).mailed;
    let chosen = |list: &[crate::domain::EmailAddress], email: &str| list.iter().any(|a| a.as_str() == email);
    let joined = now.iter().filter(|a| !before.contains(a) && !chosen(&composer.cc, a));
    let left = before.iter().filter(|a| !now.contains(a) && !chosen(&composer.without, a));
    (joined.cloned().collect(), left.cloned().collect())
}

impl App {
    fn doubts(&self) -> Vec<Doubt> {
        let Some(composer) = self.composer.as_ref().filter(|c| c.kind != DraftKind::Internal) else {
            return Vec::new();
        };
        let text = composer.body.value();
        let promise = promises::promised(&text).filter(|_| composer.files.is_empty());
        let path =
            self.composed_view().map_or_else(|| composer.field_value("Project"), |v| v.row.project.clone());
        let named = |project: &str| {
            project == path || composer.many.iter().any(|one| one.project.as_deref() == Some(project))
        };
        let projects = self.projects.iter().flatten().filter(|project| named(&project.path));
        let words: Vec<String> = projects.flat_map(|p| p.settings.internal_words.iter().cloned()).collect();
        let internal = promises::internal(&text, &words).map(str::to_owned);
        let (joined, left) = self.composed_view().map(|view| changed(view, composer)).unwrap_or_default();
        let mut doubts: Vec<Doubt> = promise.map(Doubt::Promised).into_iter().collect();
        doubts.extend(internal.map(Doubt::Internal));
        doubts.extend((!joined.is_empty()).then_some(Doubt::Joined(joined)));
        doubts.extend((!left.is_empty()).then_some(Doubt::Left(left)));
        if let (Some(from), Some(view)) = (&composer.led_from, self.composed_view()) {
            let mailed = recipients(&view.participants, composer).mailed;
            doubts.push(Doubt::Led(format!("#{}", from.iid), mailed));
        }
        doubts.retain(|doubt| !composer.accepted.contains(doubt));
        doubts
    }

    /// Asks where something speaks against sending; tells whether the send waits for the answer.
    pub fn asks_before_sending(&mut self, manner: Manner) -> bool {
        let doubts = self.doubts();
        if doubts.is_empty() {
            return false;
        }
        // A text to several takes no file.
        let many = self.composes_many();
        let item = |doubt: &Doubt| match (doubt, doubt.words()) {
            (Doubt::Promised(_), (_, detail)) if many => {
                Item::new("change the text", &detail, Choice::Nothing)
            }
            (_, (name, detail)) => Item::new(name, &detail, doubt.cure()),
        };
        let mut items: Vec<Item> = doubts.iter().map(item).collect();
        items.push(Item::new("send anyway", "", Choice::SendAnyway(manner)));
        items.push(Item::new("back to the text", "Esc does the same", Choice::Nothing));
        let mut picker = Picker::new("NOT SENT YET", items);
        picker.origin = Some(Place::Composer);
        self.open_picker(picker);
        true
    }

    /// Sends although something spoke against it.
    pub fn send_anyway(&mut self, manner: Manner) {
        let doubts = self.doubts();
        if let Some(composer) = &mut self.composer {
            composer.accepted.extend(doubts);
        }
        self.send(manner);
    }
}
