//! The card of whoever opened an issue: their other issues, notes on them, who else takes part.

use super::app::App;
use super::asks::Purpose;
use super::clean;
use super::markup;
use super::overlay::{Ask, Prompt};
use super::picker::{Choice, Item, Picker};
use super::readers::{author_in_full, state};
use super::when;
use crate::domain::{
    AboutEdit, AboutNote, AboutView, AddressState, Edit, EmailAddress, IssuePage, IssueQuery,
    ParticipantRole, ParticipantView, Request, State,
};
use ratatui::style::Style;

/// What choosing a line about a person does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CardDeed {
    Add,
    /// What can be done with a note.
    Note(u64),
    Read(u64),
    Rewrite(u64),
    Remove(u64),
    Vip(bool),
}

impl App {
    /// Asks who opened the issue in front: first for the notes on them, which not everybody may see.
    pub fn ask_author(&mut self) {
        let Some(row) = self.front_row() else { return self.say("no issue is selected") };
        match row.author.email.clone() {
            Some(email) => self.ask(Purpose::About, Request::About(email)),
            None => self.say("no outside person opened this"),
        }
    }

    /// Takes the notes on a person, if they may be seen, and asks for their issues.
    pub fn take_about(&mut self, about: Option<AboutView>) {
        self.card = about;
        let Some(email) = self.front_row().and_then(|row| row.author.email.clone()) else { return };
        let query = IssueQuery { query: format!("from:{email} sort:updated-desc"), offset: 0, limit: 50 };
        self.ask(Purpose::AuthorIssues, Request::Issues(query));
    }

    /// Shows who somebody is, notes on them, their issues, and who else takes part.
    pub fn show_author(&mut self, page: &IssuePage) {
        let Some(row) = self.front_row() else { return };
        let Some(email) = row.author.email.clone() else { return };
        let mut title = clean::line(&author_in_full(&row.author));
        let all = match page.total {
            1 => "their only issue, in the list".to_owned(),
            n => format!("all {n} issues in the list"),
        };
        let mut items = vec![Item::new(&all, "", Choice::Query(format!("from:{email}")))];
        if let Some(about) = self.card.as_ref().filter(|about| about.email == email) {
            if about.vip {
                title.push_str("  VIP");
            }
            items.extend(self.about_items(about));
        }
        let people = self.front_view().map(|v| v.participants.as_slice()).unwrap_or_default();
        items.extend(people.iter().map(person));
        let (open, closed): (Vec<_>, Vec<_>) = page.rows.iter().partition(|row| row.state == State::Open);
        items.extend(open.into_iter().chain(closed).map(|row| {
            let detail = format!("{} {}", state(row), when::age(self.now, row.updated_at));
            let name = format!("#{} {}", row.iid, clean::line(&row.title));
            Item::new(&name, &detail, Choice::Query(format!("#{}", row.iid)))
        }));
        self.open_picker(Picker::new(&title, items));
    }

    fn about_items(&self, about: &AboutView) -> Vec<Item> {
        let age = |at| when::age(self.now, at);
        let note = |note: &AboutNote| {
            let edited = note.edited.as_ref().map_or(String::new(), |edited| {
                format!(", changed by {} {}", clean::line(&edited.by), age(edited.at))
            });
            let detail = format!("note of {} {}{edited}", clean::line(&note.by), age(note.at));
            Item::new(&clean::line(&first_line(&note.text)), &detail, Choice::Card(CardDeed::Note(note.id)))
        };
        let mut items: Vec<Item> = about.notes.iter().map(note).collect();
        let hint = "for the staff only, never mailed";
        items.push(Item::new("write a note on them", hint, Choice::Card(CardDeed::Add)));
        items.push(match &about.marked {
            Some(marked) => {
                let detail = format!("marked by {} {}", clean::line(&marked.by), age(marked.at));
                Item::new("not important any more", &detail, Choice::Card(CardDeed::Vip(false)))
            }
            None => {
                let hint = "their issues are marked VIP; is:vip finds them";
                Item::new("mark as important", hint, Choice::Card(CardDeed::Vip(true)))
            }
        });
        items
    }

    /// Does what was chosen on the card.
    pub fn card_act(&mut self, deed: CardDeed) {
        let Some(about) = self.card.clone() else { return };
        let noted = |id: u64| about.notes.iter().find(|note| note.id == id);
        match deed {
            CardDeed::Add => self.ask_note_text(about.email, None, ""),
            CardDeed::Vip(vip) => self.set_about(about.email, AboutEdit::Vip(vip)),
            CardDeed::Remove(note) => self.set_about(about.email, AboutEdit::Remove { note }),
            CardDeed::Note(id) => {
                let Some(note) = noted(id) else { return };
                let change = match note.text.contains('\n') {
                    false => Choice::Card(CardDeed::Rewrite(id)),
                    true => Choice::Off(format!(
                        "it has several lines: `deskbell person note {} --edit {id} -` changes it",
                        clean::line(about.email.as_str())
                    )),
                };
                let items = vec![
                    Item::new("read", "the whole note", Choice::Card(CardDeed::Read(id))),
                    Item::new("change", "", change),
                    Item::new("remove", "z takes it back", Choice::Card(CardDeed::Remove(id))),
                ];
                self.open_picker(Picker::new(&first_line(&note.text), items));
            }
            CardDeed::Rewrite(id) => {
                let Some(text) = noted(id).map(|note| note.text.clone()) else { return };
                self.ask_note_text(about.email, Some(id), &text);
            }
            CardDeed::Read(id) => {
                let Some(note) = noted(id) else { return };
                let lines = markup::plain(&note.text, self.reader_width(), Style::new());
                self.open_reader(&format!("Note on {}", clean::line(about.email.as_str())), lines);
            }
        }
    }

    fn ask_note_text(&mut self, email: EmailAddress, note: Option<u64>, text: &str) {
        let title = format!("Note on {}", clean::line(email.as_str()));
        let hint = "for the staff only, never mailed";
        self.open_prompt(Prompt::new(Ask::AboutNote { email, note }, &title, text, hint));
    }

    /// Writes a note on a person, or writes one anew.
    pub fn write_about(&mut self, email: EmailAddress, note: Option<u64>, text: String) {
        let edit = match note {
            Some(note) => AboutEdit::Rewrite { note, text },
            None => AboutEdit::Add(text),
        };
        self.set_about(email, edit);
    }

    fn set_about(&mut self, email: EmailAddress, edit: AboutEdit) {
        self.ask(Purpose::AboutAct, Request::SetAbout { email, edit });
    }

    /// Shows the card as it is after a change.
    pub fn about_changed(&mut self, about: AboutView) {
        self.say("saved; z takes it back");
        self.take_about(Some(about));
    }
}

fn first_line(text: &str) -> String {
    let mut lines = text.lines();
    let first = lines.next().unwrap_or_default();
    if lines.next().is_some() { format!("{first} (and more)") } else { first.to_owned() }
}

fn person(p: &ParticipantView) -> Item {
    let role = match p.role {
        ParticipantRole::Requester => "opened it",
        ParticipantRole::Cc => "in Cc",
        ParticipantRole::Stranger => "joined unasked",
    };
    let bounced = if p.address_state == AddressState::Bounced { ", last mail came back" } else { "" };
    let email = p.email.clone();
    let (standing, edit) = match p.subscribed {
        true => ("gets mail · Enter unsubscribes", Edit::Unsubscribe(email)),
        false => ("gets no mail · Enter subscribes", Edit::Subscribe(email)),
    };
    let detail = format!("{role}{bounced}, {standing}");
    Item::new(&clean::line(p.email.as_str()), &detail, Choice::Change(edit))
}
