//! The palette: every command, view, project, person, canned reply and issue by its name, each with its key.
//!
//! What cannot be done now says why. Whoever takes the same thing from here again and again is told its key.

use super::action::{ACTIONS, Action, Entry};
use super::app::App;
use super::asks::Purpose;
use super::clean;
use super::keymap::Place;
use super::overlay::Overlay;
use super::picker::{Choice, Item, Picker, about_in};
use super::said::Notice;
use crate::domain::{CannedView, IssueQuery, IssueRow, Party, Query, Request, State, User};
use std::collections::BTreeMap;

/// So many of the issues that changed last are offered by name.
const RECENT: u64 = 200;
/// So many issues are offered that the desk found by their text.
const FOUND: u64 = 20;
/// From so many letters on, the desk is asked.
const ASK_FROM: usize = 3;
/// From its so-manieth use on, an entry tells its key.
const TELL_FROM: u32 = 3;

/// What the palette knows.
#[derive(Debug, Default)]
pub struct Palette {
    people: Vec<User>,
    canned: Vec<CannedView>,
    issues: Vec<IssueRow>,
    found: Vec<IssueRow>,
    /// What the desk was last asked to find.
    asked: String,
    /// How often each command was taken from here, by its name; kept for this person on this machine.
    pub uses: BTreeMap<String, u32>,
    /// The key of what was just taken from here.
    pub lesson: Option<Notice>,
}

/// One part of what the palette offers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    People,
    Canned,
    Issues,
    Found,
}

impl App {
    /// Offers everything by name.
    pub fn open_palette(&mut self) {
        let place = self.place();
        self.palette.found.clear();
        self.palette.asked.clear();
        let mut picker = Picker::new("Commands", self.palette_items(place));
        picker.origin = Some(place);
        picker.palette = true;
        self.open_picker(picker);
        let project = self.front_row().map(|row| row.project.clone());
        self.ask(Purpose::Palette(Part::People), Request::Users);
        self.ask(Purpose::Palette(Part::Canned), Request::Canned { project });
        self.ask_palette_issues(Part::Issues, String::from("sort:updated-desc"), RECENT);
    }

    fn ask_palette_issues(&mut self, part: Part, query: String, limit: u64) {
        let query = IssueQuery { query, offset: 0, limit };
        self.ask(Purpose::Palette(part), Request::Issues(query));
    }

    /// Takes the people in that can be offered.
    pub fn palette_people(&mut self, people: Vec<User>) {
        self.palette.people = people;
        self.palette_anew();
    }

    /// Takes the canned replies in that can be offered.
    pub fn palette_canned(&mut self, canned: Vec<CannedView>) {
        self.palette.canned = canned;
        self.palette_anew();
    }

    /// Takes issues in: the latest ones, or those that the desk found.
    pub fn palette_issues(&mut self, part: Part, rows: Vec<IssueRow>) {
        match part {
            Part::Found => self.palette.found = rows,
            _ => self.palette.issues = rows,
        }
        self.palette_anew();
    }

    /// Asks the desk for issues with what was typed in their text.
    pub fn palette_typed(&mut self) {
        let Some(Overlay::Picker(picker)) = &self.overlay else { return };
        let typed = picker.edit.value().trim().to_owned();
        if !picker.palette || typed == self.palette.asked {
            return;
        }
        self.palette.asked.clone_from(&typed);
        if typed.chars().count() >= ASK_FROM && Query::parse(&typed).is_ok() {
            self.ask_palette_issues(Part::Found, typed, FOUND);
        }
    }

    /// Offers what is known by now, with the same line selected.
    fn palette_anew(&mut self) {
        let place = match &self.overlay {
            Some(Overlay::Picker(picker)) if picker.palette => picker.origin.unwrap_or(Place::List),
            _ => return,
        };
        let items = self.palette_items(place);
        if let Some(Overlay::Picker(picker)) = &mut self.overlay {
            picker.offer(items);
        }
    }

    fn palette_items(&self, place: Place) -> Vec<Item> {
        let known = ACTIONS.iter().filter(|e| !is_typing(e.action) && !matches!(e.action, Action::View(_)));
        let (on, off): (Vec<Item>, Vec<Item>) =
            known.map(|e| self.command(place, e)).partition(|i| !matches!(i.choice, Choice::Off(_)));
        let shown = self.list.views.len();
        let views = ACTIONS.iter().filter(|e| matches!(e.action, Action::View(n) if usize::from(n) <= shown));
        let mut items = on;
        items.extend(self.own_commands(place));
        items.extend(views.map(|e| self.view_item(place, e.action)));
        items.extend(self.projects.iter().flatten().map(|project| {
            let query = format!("project:{} is:open", project.path);
            Item::new(&project.path, "project: its open issues", Choice::Query(query))
        }));
        items.extend(self.palette.people.iter().filter(|user| !user.removed).map(|user| {
            let name = clean::line(user.display_name());
            let query = format!("assignee:{} is:open", user.name);
            Item::new(&name, &format!("person: open issues of {}", user.name), Choice::Query(query))
        }));
        items.extend(self.customers());
        let (macros, canned): (Vec<_>, Vec<_>) = self.palette.canned.iter().partition(|c| c.runs.is_some());
        if matches!(place, Place::List | Place::Thread) {
            items.extend(macros.into_iter().map(super::macros::named_item));
        }
        items.extend(canned.into_iter().map(|canned| {
            let choice = Choice::Canned(canned.scope.clone(), canned.name.clone());
            let words = clean::line(&canned.keywords.join(", "));
            let choice = self.issue_choice(choice);
            Item::new(&clean::line(&canned.name), &format!("canned reply: {words}"), choice)
        }));
        items.extend(self.palette_rows());
        items.extend(off);
        items
    }

    /// Gives an issue's choice; without an issue, why there is none.
    fn issue_choice(&self, choice: Choice) -> Choice {
        let none = Choice::Off("no issue is selected".to_owned());
        if self.target().is_some() { choice } else { none }
    }

    fn command(&self, place: Place, entry: &Entry) -> Item {
        let name = entry.name.replace('-', " ");
        match self.unavailable(place, entry.action) {
            Some(why) => Item::new(&name, &why, Choice::Off(why.clone())),
            None => Item {
                name,
                detail: about_in(place, entry.action).unwrap_or(entry.about).to_owned(),
                keys: self.key_of(place, entry.action),
                choice: Choice::Act(entry.action),
            },
        }
    }

    fn view_item(&self, place: Place, view: Action) -> Item {
        let about = self.about(view);
        let name = about.split_once(": ").map_or(about.as_str(), |(_, name)| name);
        let keys = self.key_of(place, view);
        Item { name: name.to_owned(), detail: "view".to_owned(), keys, choice: Choice::Act(view) }
    }

    fn key_of(&self, place: Place, action: Action) -> String {
        self.keymap.keys_of(place, action).into_iter().next().unwrap_or_default()
    }

    fn customers(&self) -> Vec<Item> {
        let rows = self.palette.issues.iter().chain(&self.list.rows);
        let known: BTreeMap<&str, &str> = rows
            .filter(|row| row.author.is_outside())
            .filter_map(|row| Some((row.author.email.as_ref()?.as_str(), row.author.label())))
            .collect();
        let item = |(email, name): (&str, &str)| {
            let detail = format!("person: issues from {}", clean::line(email));
            Item::new(&clean::line(name), &detail, Choice::Query(format!("from:{email} sort:updated-desc")))
        };
        known.into_iter().map(item).collect()
    }

    fn palette_rows(&self) -> Vec<Item> {
        let item = |row: &IssueRow, found: bool| {
            let reference = row.reference.parse().ok()?;
            let state = if row.state == State::Open { "open" } else { "closed" };
            let waits = if row.waiting_on == Some(Party::Us) { ", waits on us" } else { "" };
            let detail = format!("issue from {}, {state}{waits}", clean::line(row.author.label()));
            let choice = if found { Choice::Found(reference) } else { Choice::Issue(reference) };
            Some(Item::new(&format!("#{} {}", row.iid, clean::line(&row.title)), &detail, choice))
        };
        let found = &self.palette.found;
        let recent = self.palette.issues.iter().filter(|row| !found.iter().any(|f| f.id == row.id));
        let recent = recent.filter_map(|row| item(row, false));
        recent.chain(found.iter().filter_map(|row| item(row, true))).collect()
    }

    /// Says why an action cannot be done in this place now.
    fn unavailable(&self, place: Place, action: Action) -> Option<String> {
        if self.keymap.keys_of(place, action).is_empty() && action != Action::Query {
            return Some(match self.keymap.places_of(action).first() {
                Some(place) => format!("not here: {}", place.in_words()),
                None => "no key is bound to it".to_owned(),
            });
        }
        if !matches!(place, Place::List | Place::Thread) {
            return None;
        }
        let row = self.front_row();
        let state = row.filter(|_| self.list.marks.is_empty()).map(|row| row.state);
        let why = match action {
            action if row.is_none() && needs_issue(action) => "no issue is selected",
            Action::Close if state == Some(State::Closed) => "it is closed already",
            Action::Reopen if state == Some(State::Open) => "it is open already",
            Action::NextHit if !self.is_search() => "there is no search",
            _ => return None,
        };
        Some(why.to_owned())
    }

    /// Counts what was taken from the palette, and tells the key of what is taken often.
    pub fn learn(&mut self, action: Action, keys: &str) {
        let name = self.name_of(action);
        let uses = self.palette.uses.entry(name.clone()).or_default();
        *uses = uses.saturating_add(1);
        if *uses >= TELL_FROM && !keys.is_empty() {
            let text = format!("{keys} does this: {name}");
            self.palette.lesson = Some(Notice { text, bad: false, at: self.now });
        }
        let uses = self.palette.uses.clone();
        self.want(super::input::Effect::KeepUses(uses));
    }
}

/// Tells whether an action is part of typing or of choosing, so that nobody looks for it by name.
fn is_typing(action: Action) -> bool {
    matches!(
        action,
        Action::Later
            | Action::Accept
            | Action::Complete
            | Action::TextUndo
            | Action::TextRedo
            | Action::TextCut
            | Action::TextCopy
            | Action::TextPaste
            | Action::TextAll
    )
}

/// Tells whether an action of list and thread is one on an issue.
fn needs_issue(action: Action) -> bool {
    matches!(
        action,
        Action::Open
            | Action::Reply
            | Action::Comment
            | Action::Editor
            | Action::Close
            | Action::Reopen
            | Action::Take
            | Action::HandOver
            | Action::Assign
            | Action::Labels
            | Action::Priority
            | Action::Snooze
            | Action::Merge
            | Action::Move
            | Action::Link
            | Action::Split
            | Action::Forward
            | Action::SetStatus
            | Action::Canned
            | Action::Milestone
            | Action::Spam
            | Action::Title
            | Action::Unread
            | Action::Copy
            | Action::OpenLink
            | Action::Author
            | Action::Similar
            | Action::History
            | Action::Why
            | Action::Mark
            | Action::Range
            | Action::MarkAll
    )
}
