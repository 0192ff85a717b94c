//! The composer: a reply, an internal comment or a new issue while it is being written.
//!
//! What is typed is saved as a draft within a second, one for the reply and one for the comment.

use super::app::{App, Screen};
use super::edit::Edit;
use super::guard::Doubt;
use super::send::Manner;
use super::thread::Thread;
use crate::domain::quick::{QuickAction, QuickText, completions, quick_text};
use crate::domain::{
    AddressState, DefaultNote, DraftKind, EmailAddress, Fault, IssueId, IssueView, NoteId, NoteKind,
    ParticipantView, Reference, Upload,
};
use jiff::Timestamp;

/// A file that is to go out with the note.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct File {
    pub path: String,
    /// Its bytes, once they were read.
    pub upload: Option<Upload>,
    /// Why its bytes did not come; they can be asked for again.
    pub error: Option<String>,
    /// Its place among the files that the desk has of the draft, since the note that it went with was taken back.
    pub kept: Option<u32>,
}

/// How far the draft is saved.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Saved {
    /// The stored draft has not come yet; nothing may be saved over it.
    #[default]
    Loading,
    /// Nothing was typed yet.
    Nothing,
    Unsaved(Timestamp),
    /// Under way; whether more was typed meanwhile.
    Saving(Option<Timestamp>),
    Stored,
}

/// Why it was not sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Held {
    /// Somebody wrote meanwhile. The newer notes may not be on the screen yet.
    Stale { newer: Vec<NoteId>, shown: bool },
}

/// A text on its way into an issue.
#[derive(Debug)]
pub struct Composer {
    /// The issue it is for; `None` while it makes one.
    pub target: Option<(IssueId, Reference)>,
    /// The issues that all get this text; none of them where there is a target.
    pub many: Vec<Reference>,
    pub kind: DraftKind,
    pub body: Edit,
    /// Only for a new issue: project, addressee and title.
    pub fields: Vec<(&'static str, Edit)>,
    /// Which of the fields has the cursor; the body after the last one.
    pub field: usize,
    pub files: Vec<File>,
    /// Places of the desk's files that were taken off.
    pub off: Vec<u32>,
    /// Further people who get this one note.
    pub cc: Vec<EmailAddress>,
    /// Subscribed people who do not get it.
    pub without: Vec<EmailAddress>,
    pub seen: Option<NoteId>,
    pub saved: Saved,
    /// The text that the desk has of it, or soon has.
    pub stored: String,
    pub held: Option<Held>,
    /// What the guard asked and the writer sends anyway.
    pub accepted: Vec<Doubt>,
    pub sending: bool,
    /// Whether keys go here and not to the thread above.
    pub focused: bool,
    /// How it is to be sent, as soon as the draft under way is stored.
    pub send_wanted: Option<Manner>,
    /// Whether `$EDITOR` is to open as soon as the stored draft is here.
    pub editor_wanted: bool,
    /// The issue in which it was begun, where that was merged into the one it is for now.
    pub led_from: Option<Reference>,
}

impl Composer {
    /// Begins a note of an issue.
    pub fn note(target: (IssueId, Reference), kind: DraftKind, seen: Option<NoteId>) -> Self {
        Self {
            target: Some(target),
            many: Vec::new(),
            kind,
            body: Edit::text(""),
            fields: Vec::new(),
            field: 0,
            files: Vec::new(),
            off: Vec::new(),
            cc: Vec::new(),
            without: Vec::new(),
            seen,
            saved: Saved::Loading,
            stored: String::new(),
            held: None,
            accepted: Vec::new(),
            sending: false,
            focused: true,
            send_wanted: None,
            editor_wanted: false,
            led_from: None,
        }
    }

    /// Begins a new issue.
    pub fn issue(project: &str) -> Self {
        let fields =
            vec![("Project", Edit::line(project)), ("To", Edit::line("")), ("Title", Edit::line(""))];
        Self {
            target: None,
            kind: DraftKind::Issue,
            fields,
            field: 1,
            ..Self::note((IssueId(0), Reference { project: None, iid: 0 }), DraftKind::Issue, None)
        }
        .without_target()
    }

    /// Begins one text for several issues.
    pub fn many(references: Vec<Reference>, kind: DraftKind) -> Self {
        let target = (IssueId(0), Reference { project: None, iid: 0 });
        Self { many: references, ..Self::note(target, kind, None) }.without_target()
    }

    fn without_target(mut self) -> Self {
        self.target = None;
        self
    }

    /// Gives how many lines stand between the title and the text.
    pub fn field_rows(&self) -> u16 {
        let files = u16::from(!self.files.is_empty());
        u16::try_from(self.fields.len()).unwrap_or(0) + files
    }

    /// Gives since when something is typed that no draft holds.
    pub fn unsaved_since(&self) -> Option<Timestamp> {
        match self.saved {
            Saved::Unsaved(since) => Some(since),
            _ => None,
        }
    }

    /// Gives the text of a field by its name.
    pub fn field_value(&self, name: &str) -> String {
        self.fields
            .iter()
            .find(|(n, _)| *n == name)
            .map_or(String::new(), |(_, e)| e.value().trim().to_owned())
    }

    fn focused_edit(&mut self) -> &mut Edit {
        match self.fields.get_mut(self.field) {
            Some((_, edit)) => edit,
            None => &mut self.body,
        }
    }

    fn touched(&mut self, now: Timestamp) {
        self.saved = match self.saved {
            Saved::Loading => Saved::Loading,
            Saved::Unsaved(since) => Saved::Unsaved(since),
            Saved::Saving(more) => Saved::Saving(more.or(Some(now))),
            Saved::Nothing | Saved::Stored => Saved::Unsaved(now),
        };
    }

    /// Gives the issue it is for.
    pub fn reference(&self) -> Option<Reference> {
        self.target.as_ref().map(|(_, reference)| reference.clone())
    }

    /// Gives what to call a file with the text.
    pub fn file_name(&self) -> String {
        match (&self.target, self.kind) {
            (Some((_, reference)), DraftKind::Internal) => format!("internal-{}", reference.iid),
            (Some((_, reference)), _) => format!("reply-{}", reference.iid),
            (None, DraftKind::Issue) => "issue".to_owned(),
            (None, DraftKind::Internal) => "internal-many".to_owned(),
            (None, DraftKind::Reply) => "reply-many".to_owned(),
        }
    }

    /// Tells whether there is nothing to lose.
    pub fn is_blank(&self) -> bool {
        self.body.is_blank()
            && self.files.is_empty()
            && self.fields.iter().skip(1).all(|(_, edit)| edit.is_blank())
    }

    /// Gives the octets of all files that were read.
    pub fn file_size(&self) -> u64 {
        self.files.iter().filter_map(|f| f.upload.as_ref()).map(|u| u.bytes.len() as u64).sum()
    }
}

/// Who gets a reply, in words.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Recipients {
    pub mailed: Vec<String>,
    /// Whose last mail came back.
    pub bounced: Vec<String>,
    pub unsubscribed: Vec<String>,
    /// Left out of this one by the writer.
    pub without: Vec<String>,
}

/// Finds who gets a public note of this issue.
pub fn recipients(participants: &[ParticipantView], composer: &Composer) -> Recipients {
    let mut found = Recipients::default();
    for person in participants {
        let email = person.email.as_str().to_owned();
        if !person.subscribed {
            found.unsubscribed.push(email);
            continue;
        }
        if composer.without.contains(&person.email) {
            found.without.push(email);
            continue;
        }
        if person.address_state == AddressState::Bounced {
            found.bounced.push(email.clone());
        }
        found.mailed.push(email);
    }
    found.mailed.extend(composer.cc.iter().map(ToString::to_string));
    found
}

impl App {
    /// Opens the composer in the issue in front.
    pub fn compose(&mut self, kind: DraftKind) {
        let targets = self.targets();
        if self.on_list() && targets.len() > 1 {
            return self.compose_many(targets, kind);
        }
        let Some((id, reference)) = self.one_target() else { return self.say("no issue is selected") };
        if self.composer.as_ref().is_some_and(|c| c.kind == kind && self.screen == Screen::Thread) {
            if let Some(composer) = &mut self.composer {
                composer.focused = true;
            }
            return;
        }
        self.leave_composer();
        self.open_issue(reference.clone());
        self.begin(id, reference, kind);
    }

    fn begin(&mut self, id: IssueId, reference: Reference, kind: DraftKind) {
        let seen = self.thread.as_ref().filter(|t| t.view.row.id == id).and_then(Thread::last_note);
        self.composer = Some(Composer::note((id, reference), kind, seen));
        self.ask_draft();
        self.keep_note_in_sight();
    }

    /// Scrolls the thread so that its end is seen above the composer.
    pub fn keep_note_in_sight(&mut self) {
        let height = self.thread_height();
        if let Some(thread) = &mut self.thread {
            thread.top = thread.line_count().saturating_sub(height + 1);
        }
    }

    /// Opens what the project's settings say a note begins as.
    pub fn compose_default(&mut self) {
        let shown = self.thread.as_ref().or(self.preview.as_ref());
        let internal = shown.is_some_and(|t| t.view.default_note == DefaultNote::Internal);
        self.compose(if internal { DraftKind::Internal } else { DraftKind::Reply });
    }

    /// Opens the composer for a new issue.
    pub fn compose_issue(&mut self) {
        self.leave_composer();
        let known = self.projects.as_deref().unwrap_or_default();
        let Some(first) = known.first() else {
            return self.complain("there is no project yet · add one with P, then a");
        };
        let here = self.list.current().map(|row| row.project.clone());
        let path = here.unwrap_or_else(|| first.path.clone());
        if self.screen != Screen::Thread {
            self.back.push(self.screen);
            self.screen = Screen::Thread;
        }
        self.thread = None;
        self.opened = None;
        self.composer = Some(Composer::issue(&path));
        self.ask_draft();
    }

    /// Learns from the thread that has come which note the writer has before them.
    pub fn composer_follows(&mut self) {
        let height = self.thread_height();
        let Some(thread) = &mut self.thread else { return };
        let Some(composer) = &mut self.composer else { return };
        if composer.target.as_ref().is_none_or(|(id, _)| *id != thread.view.row.id) {
            return;
        }
        let place = |id: &NoteId| thread.view.notes.iter().position(|n| n.id == *id);
        match &mut composer.held {
            Some(Held::Stale { newer, shown }) if !*shown => {
                let places: Option<Vec<usize>> = newer.iter().map(place).collect();
                if let Some(first) = places.and_then(|all| all.into_iter().min()) {
                    *shown = true;
                    composer.seen = thread.last_note();
                    thread.go_to(first, height);
                }
            }
            _ if composer.seen.is_none() => composer.seen = thread.last_note(),
            _ => {}
        }
    }

    /// Leads what is being written to the issue into which its own was merged meanwhile.
    pub fn composer_led(&mut self, from: &Reference) {
        let Some((view, home)) = self.thread.as_ref().map(|t| (&t.view.row, t.reference.clone())) else {
            return;
        };
        let (id, iid) = (view.id, view.iid);
        let Some(composer) = &mut self.composer else { return };
        let mine = composer.target.as_ref().is_some_and(|(own, at)| at == from && *own != id);
        if !mine || composer.sending {
            return;
        }
        composer.target = Some((id, home));
        composer.led_from = Some(from.clone());
        // The desk led the stored draft there as well, perhaps to another one.
        (composer.saved, composer.seen) = (Saved::Loading, None);
        composer.files.retain(|file| file.kept.is_none());
        composer.off.clear();
        composer.accepted.clear();
        self.ask_draft();
        self.complain(format!("#{} was merged into #{iid}: what you write goes there now", from.iid));
    }

    /// Tells whether somebody else wrote since the writer began.
    pub fn newer_note(&self) -> bool {
        let Some(seen) = self.composer.as_ref().and_then(|c| c.seen) else { return false };
        let me = self.me.as_ref().map(|me| me.name.as_str());
        let notes = self.thread.as_ref().map(|t| t.view.notes.as_slice()).unwrap_or_default();
        notes.iter().any(|n| n.id > seen && n.kind != NoteKind::System && n.author.user.as_deref() != me)
    }

    /// Leaves the composer; the draft stays.
    pub fn leave_composer(&mut self) {
        self.names.clear();
        self.save_draft_now();
        let Some(composer) = self.composer.take() else { return };
        if composer.target.is_none() && self.screen == Screen::Thread {
            self.screen = self.back.pop().unwrap_or(Screen::List);
        }
        if !composer.is_blank() && !composer.sending {
            self.say("the draft stays");
        }
        let height = self.thread_height();
        if let Some(thread) = &mut self.thread {
            thread.scroll(0, height);
        }
    }

    /// Reads the quick actions of the text; the fault names the line that is wrong.
    pub fn quick(&self) -> Result<QuickText, Fault> {
        match &self.composer {
            Some(composer) if composer.body.has_line_with('/') => {
                quick_text(&composer.body.value(), self.now, &self.options.time_zone)
            }
            _ => Ok(QuickText::default()),
        }
    }

    /// Lists the quick actions that the word at the cursor could become.
    pub fn quick_choices(&self) -> Vec<QuickAction> {
        let in_text = |c: &&Composer| c.focused && c.field >= c.fields.len();
        let body = self.composer.as_ref().filter(in_text).map(|c| &c.body);
        body.map_or_else(Vec::new, |body| completions(&body.before_cursor()))
    }

    /// Gives what is missing to the first of them.
    pub fn quick_completion(&self) -> Option<String> {
        let action = self.quick_choices().into_iter().next()?;
        let typed = self.composer.as_ref()?.body.before_cursor().len().checked_sub(1)?;
        let blank = if action.takes.is_empty() { "" } else { " " };
        Some(format!("{}{blank}", action.name.get(typed..)?))
    }

    /// Notes that something was typed.
    pub fn composer_touched(&mut self) {
        let now = self.now;
        if let Some(composer) = &mut self.composer {
            composer.touched(now);
        }
        self.ask_names();
    }

    /// Gives the issue view that the composer stands below.
    pub fn composed_view(&self) -> Option<&IssueView> {
        let (id, _) = self.composer.as_ref()?.target.as_ref()?;
        self.thread.as_ref().map(|t| &t.view).filter(|view| view.row.id == *id)
    }

    /// Takes the text back from `$EDITOR`.
    pub fn edited(&mut self, result: Result<String, String>) {
        if let Some(written) = self.texts.written.take() {
            return self.text_written(written, result);
        }
        match (result, &mut self.composer) {
            (Ok(text), Some(composer)) => {
                composer.body.replace(text.trim_end_matches('\n'));
                composer.focused = true;
                self.composer_touched();
            }
            (Ok(_), None) => {}
            (Err(said), _) => self.complain(said),
        }
    }

    /// Gives a key to the field that has the cursor.
    pub fn composer_key(&mut self, key: crossterm::event::KeyEvent) {
        let Some(composer) = self.composer.as_mut().filter(|c| !c.sending) else { return };
        if key.code == crossterm::event::KeyCode::Enter && composer.field < composer.fields.len() {
            composer.field += 1;
        } else if composer.focused_edit().key(key) {
            self.composer_touched();
        }
    }

    /// Puts pasted text into the field that has the cursor.
    pub fn composer_paste(&mut self, text: &str) {
        let Some(composer) = self.composer.as_mut().filter(|c| !c.sending) else { return };
        composer.focused_edit().insert(text);
        self.composer_touched();
    }

    /// Does something to the field that has the cursor.
    pub fn with_edit<T>(&mut self, work: impl FnOnce(&mut Edit) -> T) -> Option<T> {
        let composer = self.composer.as_mut().filter(|c| !c.sending)?;
        Some(work(composer.focused_edit()))
    }
}

/// Gives the octets that files of `size` octets take within a mail: base64 and its line ends.
pub fn encoded(size: u64) -> u64 {
    size.saturating_mul(78) / 57
}
