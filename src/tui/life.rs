//! The life of an issue on the screen: where the work stands, where it goes, what it belongs to.

use super::action::Action;
use super::app::App;
use super::asks::Purpose;
use super::overlay::{Ask, Prompt};
use super::picker::{Choice, Free, Item, Picker};
use crate::domain::quick::quick_text;
use crate::domain::{
    CategoryKind, CategoryView, Edit, EmailAddress, Forward, IssueSplit, IssueView, LinkKind, NoteId,
    NoteKind, Reference, Request, Status,
};

/// A thing of an issue that is typed into a prompt, and the quick actions that do the same.
pub struct Field {
    pub action: Action,
    title: &'static str,
    hint: &'static str,
    set: &'static str,
    clear: Option<&'static str>,
}

/// Every thing that is typed so.
pub const FIELDS: [Field; 5] = [
    Field {
        action: Action::Due,
        title: "Due",
        hint: "friday, 2026-12-24, 3d; empty takes the date away",
        set: "due",
        clear: Some("remove_due_date"),
    },
    Field {
        action: Action::Weight,
        title: "Weight",
        hint: "a number; empty takes the weight away",
        set: "weight",
        clear: Some("clear_weight"),
    },
    Field {
        action: Action::Estimate,
        title: "Estimate",
        hint: "1h 30m, 2d, 1w; empty takes it away",
        set: "estimate",
        clear: Some("remove_estimate"),
    },
    Field {
        action: Action::Spend,
        title: "Time spent",
        hint: "1h 30m is added; -30m is taken back",
        set: "spend",
        clear: None,
    },
    Field {
        action: Action::ToTicket,
        title: "Ticket of",
        hint: "an address; nobody is mailed until the next reply",
        set: "convert_to_ticket",
        clear: None,
    },
];

impl App {
    /// Asks for one thing of those in front or marked.
    pub fn ask_field(&mut self, field: &Field) {
        if self.targets().is_empty() {
            return self.say("no issue is selected");
        }
        let ask = Ask::Field { set: field.set, clear: field.clear };
        self.open_prompt(Prompt::new(ask, field.title, "", field.hint));
    }

    /// Does what a quick action would do with the text that was typed.
    pub fn set_typed(&mut self, set: &str, clear: Option<&str>, text: &str) {
        let line = match (text, clear) {
            ("", Some(clear)) => format!("/{clear}"),
            ("", None) => return,
            (text, _) => format!("/{set} {text}"),
        };
        match quick_text(&line, self.now, &self.options.time_zone) {
            Ok(quick) => self.change(quick.edits, false),
            Err(fault) => self.complain(fault.message.trim_start_matches("line 1: ").to_owned()),
        }
    }

    /// Parts those in front or marked from what they were merged into.
    pub fn unmerge(&mut self) {
        let request = match <[Reference; 1]>::try_from(self.targets()) {
            Ok([reference]) => Request::Unmerge(reference),
            Err(none) if none.is_empty() => return self.say("no issue is selected"),
            Err(references) => Request::UnmergeMany(references),
        };
        let listed = self.on_list();
        self.ask(Purpose::Edit { advance: false, listed }, request);
    }

    /// Offers the projects to which those in front or marked can go.
    pub fn pick_project(&mut self) {
        let meant = self.meant_rows();
        if meant.is_empty() {
            return self.say("no issue is selected");
        }
        let is_left = |path: &str| meant.iter().any(|row| row.project != path);
        let others = self.projects.iter().flatten().filter(|project| is_left(&project.path));
        let items: Vec<Item> = others
            .map(|project| Item::new(&project.path, "", Choice::Change(Edit::MoveTo(project.path.clone()))))
            .collect();
        match items.is_empty() {
            true => self.say("there is no other project \u{b7} P, then a, adds one"),
            false => self.open_picker(Picker::new("Move to", items)),
        }
    }

    /// Offers the links of the issue in front, to be taken away; what is typed becomes one.
    pub fn pick_link(&mut self) {
        if self.targets().is_empty() {
            return self.say("no issue is selected");
        }
        let shown = self.thread.as_ref().filter(|_| !self.on_list());
        let links = shown.map(|thread| thread.view.links.clone()).unwrap_or_default();
        let items = links.iter().filter(|link| link.kind == LinkKind::RelatesTo).filter_map(|link| {
            let detail = format!("{} \u{b7} Enter takes the link away", link.title);
            let reference = link.reference.parse::<Reference>().ok()?;
            Some(Item::new(&link.reference, &detail, Choice::Change(Edit::Unlink(reference))))
        });
        let items = items.collect();
        self.open_picker(Picker::new("Link to which issue (its number)", items).free(Free::Link));
    }

    /// Links those in front or marked to the issue whose number was typed.
    pub fn link_to(&mut self, typed: &str) {
        match typed.parse::<Reference>() {
            Ok(other) => self.change(vec![Edit::Link(other)], false),
            Err(fault) => self.complain_of(&fault),
        }
    }

    /// Asks for the title of the issue into which the note in front goes.
    pub fn ask_split(&mut self) {
        let Some((reference, note)) = self.note_in_front() else { return };
        let title = self.front_row().map_or(String::new(), |row| row.title.clone());
        let hint = "the title of the new issue; answers to this note arrive there";
        self.open_prompt(Prompt::new(Ask::Split { reference, note }, "Split out", &title, hint));
    }

    /// Asks to whom the note in front is mailed.
    pub fn ask_forward(&mut self) {
        let Some((reference, note)) = self.note_in_front() else { return };
        let hint = "an address; who gets it takes no part, and their answer joins as a note";
        self.open_prompt(Prompt::new(Ask::Forward { reference, note }, "Forward to", "", hint));
    }

    /// Gives the note that somebody wrote and that is in front, or says what is missing.
    fn note_in_front(&mut self) -> Option<(Reference, NoteId)> {
        let shown = self.thread.as_ref().filter(|_| !self.on_list());
        let Some(thread) = shown else {
            self.say("this is for one note: open the issue with Enter and go to it with J and K");
            return None;
        };
        let note = thread.current().filter(|note| note.kind != NoteKind::System);
        let found = note.map(|note| (thread.reference.clone(), note.id));
        if found.is_none() {
            self.say("go to a note that somebody wrote");
        }
        found
    }

    /// Mails a note to the address that was typed.
    pub fn forward(&mut self, reference: Reference, note: NoteId, typed: &str) {
        match EmailAddress::parse(typed) {
            Some(to) => {
                let forward =
                    Forward { reference, notes: vec![note], to, text: String::new(), hold_ms: None };
                self.ask(Purpose::Forward, Request::Forward(forward));
            }
            None => self.complain(format!("`{typed}` is not an email address")),
        }
    }

    /// Shows that a note was forwarded, and until when that can be taken back.
    pub fn was_forwarded(&mut self, view: &IssueView) {
        let deliveries = view.notes.iter().filter(|note| note.aside.is_some()).flat_map(|n| &n.delivery);
        let held_until = deliveries.filter_map(|delivery| delivery.held_until).max();
        self.sent_until("forwarded a note".to_owned(), held_until);
        if let Some(thread) = &self.thread {
            let reference = thread.reference.clone();
            self.ask_thread(reference);
        }
    }

    /// Takes a note out into a new issue.
    pub fn split(&mut self, reference: Reference, note: NoteId, title: String) {
        let title = Some(title).filter(|title| !title.is_empty());
        self.ask(Purpose::Split, Request::Split(IssueSplit { reference, notes: vec![note], title }));
    }

    /// Shows the issue that was made of a note.
    pub fn was_split(&mut self, view: &IssueView) {
        if let Ok(reference) = view.row.reference.parse() {
            self.open_issue(reference);
        }
        self.ask_rows();
        self.ask_views();
        self.say(format!("split out into #{} \u{b7} z takes it back", view.row.iid));
    }

    /// Asks for the milestones of the project of the issue in front.
    pub fn ask_milestones(&mut self) {
        match self.meant_rows().first().map(|row| row.project.clone()) {
            Some(project) => {
                let (kind, project) = (CategoryKind::Milestone, Some(project));
                self.ask(Purpose::Milestones, Request::Categories { kind, project });
            }
            None => self.say("no issue is selected"),
        }
    }

    /// Offers the milestones that are not over; what is typed becomes one.
    pub fn pick_milestone(&mut self, all: &[CategoryView]) {
        let out = Item::new("none", "takes it out of its milestone", Choice::Change(Edit::Milestone(None)));
        let item = |view: &CategoryView| {
            let due = view.about.due.map_or(String::new(), |due| format!(" \u{b7} due {due}"));
            let detail = format!("{} of {} closed{due}", view.closed_issues, view.issues);
            let choice = Choice::Change(Edit::Milestone(Some(view.about.name.clone())));
            Item::new(&view.about.name, &detail, choice)
        };
        let open = all.iter().filter(|view| !view.about.closed).map(item);
        self.open_picker(Picker::new("Milestone", open.chain([out]).collect()).free(Free::Milestone));
    }

    /// Offers what the work can stand at.
    pub fn pick_status(&mut self) {
        let items = [
            ("open", "it is our turn", Status::Open),
            ("pending", "we wait for the customer", Status::Pending),
            ("solved", "done, as far as we know", Status::Solved),
            ("closed", "done", Status::Closed),
        ];
        let item = |(name, detail, status)| Item::new(name, detail, Choice::Change(Edit::Status(status)));
        self.open_picker(Picker::new("Status", items.into_iter().map(item).collect()));
    }
}
