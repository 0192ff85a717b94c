//! Choices from a list that typing narrows: people, labels, files, and every action by its name.

use super::action::{ACTIONS, Action};
use super::app::App;
use super::asks::Purpose;
use super::card::CardDeed;
use super::edit::Edit;
use super::keymap::Place;
use super::overlay::Overlay;
use super::send::Manner;
use crate::domain::{
    CategoryKind, Edit as Change, EmailAddress, KeptFor, NoteId, Priority, Reference, Request, Role,
    SenderScope, Seq, ViewId,
};
use crossterm::event::KeyEvent;
use std::path::PathBuf;

/// What choosing an item does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Choice {
    Act(Action),
    Assign(String),
    Unassign,
    Label(String),
    Unlabel(String),
    Priority(Option<Priority>),
    Browse(String),
    OpenFile {
        reference: Reference,
        note: NoteId,
        name: String,
    },
    SaveFile {
        reference: Reference,
        note: NoteId,
        name: String,
    },
    Query(String),
    Setting {
        project: String,
        key: String,
        value: String,
    },
    /// One thing of one's own notifications: its choices, or its value.
    Own(String),
    OwnSet {
        key: String,
        value: String,
    },
    Recipient(EmailAddress),
    Canned(KeptFor, String),
    Change(Change),
    /// Asks what merging these would do.
    MergeInto {
        references: Vec<Reference>,
        into: Reference,
    },
    Merge {
        references: Vec<Reference>,
        into: Reference,
    },
    /// Asks for the role of somebody who is to be a member.
    MemberRole(String),
    SetMember {
        user: String,
        role: Role,
    },
    RemoveMember(String),
    RemoveCategory {
        kind: CategoryKind,
        name: String,
    },
    RemoveRule {
        scope: SenderScope,
        name: String,
    },
    RemoveText(KeptFor, String),
    /// One thing of a canned reply: asks for another value.
    TextSetting(KeptFor, String, &'static str),
    /// Lets somebody else keep a view.
    ShareView(ViewId, KeptFor),
    /// Sends although something speaks against it.
    SendAnyway(Manner),
    AttachFile(PathBuf),
    /// Looks into a folder for a file to attach.
    Folder(PathBuf),
    /// Runs a command of one's own.
    RunOwn(u8),
    Issue(Reference),
    /// What was answered in an issue.
    Answers(Reference),
    /// An issue that the desk found by its text.
    Found(Reference),
    /// What cannot be done now, and why.
    Off(String),
    /// One thing of a view: asks for another value.
    ViewSetting(ViewId, &'static str),
    RemoveView(ViewId),
    Macro(KeptFor, String),
    /// The note with which issues go to somebody is asked for.
    HandOver(Vec<Reference>, String),
    /// Goes along with somebody.
    Follow(String),
    /// Takes this change of one's own back.
    TakeBack(Seq),
    /// Something on the card of a person.
    Card(CardDeed),
    Nothing,
}

/// One line of a choice.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Item {
    pub name: String,
    pub detail: String,
    /// The keys that do the same.
    pub keys: String,
    pub choice: Choice,
}

impl Item {
    /// Makes an item without keys.
    pub fn new(name: &str, detail: &str, choice: Choice) -> Self {
        Self { name: name.to_owned(), detail: detail.to_owned(), keys: String::new(), choice }
    }
}

/// What a text that is no item stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Free {
    Label,
    /// The address of somebody who gets a copy.
    Copy,
    Milestone,
    /// The number of an issue to link to.
    Link,
    /// The path of a file to attach, or of a folder.
    Path,
}

/// A choice from a list that typing narrows.
#[derive(Debug)]
pub struct Picker {
    pub title: String,
    pub edit: Edit,
    pub items: Vec<Item>,
    /// The items that fit what was typed, best first.
    pub found: Vec<usize>,
    pub selected: usize,
    /// What a text that is no item stands for.
    pub free: Option<Free>,
    /// The place in which a chosen action is done.
    pub origin: Option<Place>,
    /// Whether this is the palette, which goes on being filled and tells keys.
    pub palette: bool,
    /// Whether the key of an item chooses it at once.
    pub by_key: bool,
}

impl Picker {
    /// Offers `items`.
    pub fn new(title: &str, items: Vec<Item>) -> Self {
        let found = (0..items.len()).collect();
        let title = title.to_owned();
        Self {
            title,
            edit: Edit::line(""),
            items,
            found,
            selected: 0,
            free: None,
            origin: None,
            palette: false,
            by_key: false,
        }
    }

    /// Takes other texts as well.
    #[must_use]
    pub fn free(mut self, free: Free) -> Self {
        self.free = Some(free);
        self
    }

    /// Gives a key to the line that narrows.
    pub fn key(&mut self, key: KeyEvent) {
        if self.edit.key(key) {
            self.narrow();
        }
    }

    /// Selects the item whose key was typed, where that chooses it at once.
    pub fn select_by_key(&mut self) -> bool {
        let typed = self.edit.value();
        let is = |item: &Item| !typed.is_empty() && item.keys == typed;
        let at = self.items.iter().position(is).filter(|_| self.by_key);
        let row = at.and_then(|at| self.found.iter().position(|found| *found == at));
        self.selected = row.unwrap_or(self.selected);
        row.is_some()
    }

    /// Looks again for what fits.
    pub fn narrow(&mut self) {
        self.found = super::fuzzy::order(&self.edit.value(), &self.items);
        self.selected = 0;
    }

    /// Offers other items; what was selected stays selected where it is still offered.
    pub fn offer(&mut self, items: Vec<Item>) {
        let selected = self.chosen().filter(|_| self.selected > 0);
        self.items = items;
        self.narrow();
        let is_it = |at: &usize| self.items.get(*at).map(|item| &item.choice) == selected.as_ref();
        self.selected = self.found.iter().position(|at| selected.is_some() && is_it(at)).unwrap_or(0);
    }

    /// Gives the text that stands for something new, when it is no item's name.
    pub fn new_text(&self) -> Option<String> {
        let typed = self.edit.value().trim().to_owned();
        let known = self.items.iter().any(|item| item.name == typed);
        (self.free.is_some() && !typed.is_empty() && !known).then_some(typed)
    }

    /// Goes one down or up.
    pub fn step(&mut self, down: bool) {
        let rows = self.found.len() + usize::from(self.new_text().is_some());
        let last = rows.saturating_sub(1);
        self.selected = if down { (self.selected + 1).min(last) } else { self.selected.saturating_sub(1) };
    }

    fn selected_item(&self) -> Option<&Item> {
        self.found.get(self.selected).and_then(|i| self.items.get(*i))
    }

    fn chosen(&self) -> Option<Choice> {
        self.selected_item().map(|item| item.choice.clone())
    }
}

impl App {
    /// Offers the keys of this place.
    pub fn open_help(&mut self) {
        let place = self.place();
        let mut rows = self.keymap.listing(place);
        // What this place alone has comes first; then the keys of every place.
        let order = |action: &Action| {
            let everywhere = self.keymap.everywhere(*action) && place != Place::List;
            (everywhere, ACTIONS.iter().position(|e| e.action == *action))
        };
        let views = self.list.views.len();
        rows.retain(|(action, _)| !matches!(action, Action::View(n) if usize::from(*n) > views));
        rows.sort_by_key(|(action, _)| order(action));
        let items = rows.into_iter().map(|(action, keys)| Item {
            name: self.name_of(action),
            detail: about_in(place, action).map_or_else(|| self.about(action), str::to_owned),
            keys: keys.join(" "),
            choice: Choice::Act(action),
        });
        let mut picker = Picker::new("Keys of this place", items.collect());
        picker.origin = Some(place);
        self.open_picker(picker);
    }

    /// Gives the name of an action as hints show it.
    pub fn name_of(&self, action: Action) -> String {
        match action {
            Action::Own(number) => self.own_name(number).to_owned(),
            _ => action.entry().name.replace('-', " "),
        }
    }

    pub fn about(&self, action: Action) -> String {
        match action {
            Action::View(n) => {
                let view = self.list.views.get(usize::from(n).saturating_sub(1));
                view.map_or(String::new(), |view| {
                    format!("view {n}: {}", super::clean::line(&view.about.name))
                })
            }
            _ => action.entry().about.to_owned(),
        }
    }

    /// Does what was chosen.
    pub fn answer_picker(&mut self) {
        let Some(Overlay::Picker(picker)) = self.overlay.take() else { return };
        if let (true, Some(Item { keys, choice: Choice::Act(action), .. })) =
            (picker.palette, picker.selected_item())
        {
            self.learn(*action, keys);
        }
        match (picker.chosen(), picker.new_text()) {
            (Some(choice), _) => self.choose(picker.origin, choice),
            (None, Some(typed)) => self.take_free(picker.free, typed),
            (None, None) => {}
        }
    }

    fn take_free(&mut self, free: Option<Free>, typed: String) {
        match (free, EmailAddress::parse(&typed)) {
            (Some(Free::Label), _) => self.change(vec![Change::Label(typed)], false),
            (Some(Free::Milestone), _) => self.change(vec![Change::Milestone(Some(typed))], false),
            (Some(Free::Link), _) => self.link_to(&typed),
            (Some(Free::Path), _) => self.take_path(&typed),
            (Some(Free::Copy), Some(address)) => self.toggle_recipient(address),
            (Some(Free::Copy), None) => self.complain(format!("`{typed}` is not an email address")),
            (None, _) => {}
        }
    }

    fn choose(&mut self, origin: Option<Place>, choice: Choice) {
        match choice {
            Choice::Act(action) => self.act(origin.unwrap_or(Place::List), action),
            Choice::Assign(user) => self.change(vec![Change::Assign(user)], false),
            Choice::Unassign => self.change(vec![Change::Unassign], false),
            Choice::Label(label) => self.change(vec![Change::Label(label)], false),
            Choice::Unlabel(label) => self.change(vec![Change::Unlabel(label)], false),
            Choice::Priority(priority) => self.change(vec![Change::Priority(priority)], false),
            Choice::Browse(url) => self.want(super::input::Effect::Browse(url)),
            Choice::OpenFile { reference, note, name } => self.fetch_file(reference, note, name, None),
            Choice::SaveFile { reference, note, name } => self.ask_where(reference, note, name),
            Choice::Query(query) => {
                self.to_list();
                self.show_query(query);
            }
            Choice::Recipient(address) => self.toggle_recipient(address),
            Choice::Canned(scope, name) => self.take_canned(scope, name),
            Choice::MergeInto { references, into } => self.plan_merge(references, into),
            Choice::Merge { references, into } => self.merge(references, into),
            Choice::ShareView(view, with) => self.share_view(view, with),
            Choice::Nothing => {}
            Choice::SendAnyway(manner) => self.send_anyway(manner),
            Choice::AttachFile(path) => self.attach(path.to_string_lossy().into_owned()),
            Choice::Folder(folder) => self.pick_file(folder),
            Choice::RunOwn(number) => self.start_own(number),
            Choice::Issue(reference) | Choice::Found(reference) => self.open_issue(reference),
            Choice::Answers(reference) => self.ask_answers(reference),
            Choice::Off(why) => self.say(why),
            Choice::Change(edit) => self.change(vec![edit], false),
            Choice::Setting { project, key, value } => self.set_project(project, key, value),
            Choice::Own(key) => self.change_notification(key),
            Choice::OwnSet { key, value } => self.set_own(key, value),
            Choice::MemberRole(user) => self.pick_role(user),
            Choice::SetMember { user, role } => self.set_member(user, role),
            Choice::RemoveMember(user) => self.remove_member(user),
            Choice::RemoveCategory { kind, name } => self.remove_category(kind, name),
            Choice::RemoveRule { scope, name } => self.remove_rule(scope, name),
            Choice::RemoveText(scope, name) => self.remove_text(scope, name),
            Choice::TextSetting(scope, name, key) => self.ask_text_setting(scope, name, key),
            Choice::ViewSetting(view, key) => self.ask_view_setting(&view, key),
            Choice::RemoveView(view) => self.remove_view(view),
            Choice::Macro(kept, name) => self.run_macro(kept, name),
            Choice::HandOver(references, user) => self.ask_hand_over_note(references, user),
            Choice::TakeBack(seq) => self.ask(Purpose::Undo, Request::UndoOne(seq)),
            Choice::Follow(user) => self.go_along(user),
            Choice::Card(deed) => self.card_act(deed),
        }
    }
}

/// Gives what an action does in a place, where that is not what it does elsewhere.
pub fn about_in(place: Place, action: Action) -> Option<&'static str> {
    match (place, action) {
        (Place::Members, Action::Open) => Some("change the member's role"),
        (Place::Members, Action::Remove) => Some("take the member out of the project"),
        (Place::Text, Action::Reply) => Some("take the answer that is read into a reply"),
        (Place::Text, Action::Quote) => Some("quote the answer that is read in a reply"),
        (Place::Templates, Action::Open) => Some("read the whole text"),
        (Place::Templates, Action::Raw) => Some("the text as it is written, or the mail that it makes"),
        (Place::Templates, Action::Copy) => Some("copy the text as it is written"),
        (Place::Categories, Action::Open) => Some("give it another name, on every issue"),
        (Place::Categories, Action::Remove) => Some("take it away, off every issue"),
        (Place::Reports, Action::Open | Action::Query) => Some("which issues count"),
        (Place::Rules, Action::Open) => Some("which issues it finds now, and what it would do"),
        (Place::Rules, Action::Enable) => Some("switch the rule on or off"),
        (Place::Rules, Action::Remove) => Some("take the rule away; what it did stays"),
        (Place::Texts, Action::Open) => Some("write its text anew in $EDITOR"),
        (Place::Texts, Action::Change) => Some("its name, and words by which it is found"),
        (Place::Texts, Action::Remove) => Some("take it away; z brings it back"),
        (Place::Texts, Action::Copy) => Some("copy its text"),
        (Place::Views, Action::Open) => Some("show what it finds"),
        (Place::Views, Action::Change) => Some("its name, query, columns, order and limit"),
        (Place::Changes, Action::Open) => Some("open its issue"),
        (Place::Changes, Action::Filter) => Some("only your own, or those of all"),
        (Place::Changes, Action::Copy) => Some("copy its words"),
        (Place::Views, Action::Remove) => Some("take the view away; z brings it back"),
        (Place::Members | Place::Categories | Place::Rules | Place::Views, Action::Copy) => {
            Some("copy the name")
        }
        (Place::Members | Place::Templates | Place::Categories, Action::NextIssue) => {
            Some("the next project")
        }
        (Place::Members | Place::Templates | Place::Categories, Action::PrevIssue) => {
            Some("the project before")
        }
        _ => intake_about(place, action),
    }
}

/// Gives what an action does in the intake, where that is not what it does elsewhere.
fn intake_about(place: Place, action: Action) -> Option<&'static str> {
    match action {
        _ if place != Place::Intake => None,
        Action::Open => Some("open its issue; without one, the raw mail"),
        Action::Why => Some("why it has this fate, and who thought what"),
        Action::Filter => Some("only the next fate; every fate after the last"),
        Action::Retry => Some("take it in anew, by the lists of now"),
        Action::Ham => Some("it is no spam: it becomes an issue"),
        Action::HamAllow => Some("no spam, and its sender is let in"),
        Action::Block => Some("further mail of its sender is spam"),
        Action::Copy => Some("copy its Message-ID"),
        _ => None,
    }
}
