//! Sending: from the composer to the desk, what may stop it, and what is said afterwards.

use super::action::Action;
use super::app::App;
use super::asks::Purpose;
use super::composer::{Composer, File, Held, Saved, encoded};
use super::input::Effect;
use super::overlay::{Ask, Prompt};
use super::picker::{Choice, Free, Item, Picker};
use crate::domain::{
    DraftKind, Edit, EmailAddress, Fault, FaultKind, IssueId, IssueRow, IssueView, NewIssue, NewNote,
    ParticipantView, Reference, Request,
};
use jiff::Timestamp;

/// How a text is to go.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Manner {
    pub close: bool,
    /// Until when the issue is put aside once it is sent.
    pub snooze: Option<Timestamp>,
    /// How long it waits, in milliseconds; `None` is the desk's undo window.
    pub hold_ms: Option<u64>,
}

impl App {
    /// Does an action in the composer.
    pub fn composer_act(&mut self, action: Action) {
        match action {
            Action::Attach | Action::Recipients | Action::SendSnooze if self.composes_many() => {
                self.say("not for several issues at once");
            }
            Action::Send => self.send(Manner::default()),
            Action::SendClose => self.send(Manner { close: true, ..Manner::default() }),
            Action::SendSnooze => {
                let hint = "then it is sent · 2h, tomorrow, monday, 2026-12-01 14:00";
                self.open_prompt(Prompt::new(Ask::SendSnooze, "Snooze until", "", hint));
            }
            Action::SendLater => {
                self.open_prompt(Prompt::new(
                    Ask::SendLater,
                    "Send after",
                    "",
                    "2h, tomorrow, monday, 14:00",
                ));
            }
            Action::Back => self.leave_composer(),
            Action::Editor => self.open_editor(),
            Action::Preview => self.ask_preview_of_many(),
            Action::Attach => {
                let folder = self.options.save_dir.clone();
                self.pick_file(folder);
            }
            Action::Help => self.open_help(),
            Action::Detach => self.detach(),
            Action::Canned => self.ask_canned(),
            Action::Recipients => self.pick_recipients(),
            Action::Quote => self.quote(),
            Action::SwitchKind => self.switch_kind(),
            Action::Pane => self.composer_pane(),
            Action::PageDown | Action::PageUp => {
                let height = self.thread_height();
                let page = i64::try_from(height.saturating_sub(1)).unwrap_or(1);
                if let Some(thread) = &mut self.thread {
                    thread.scroll(if action == Action::PageDown { page } else { -page }, height);
                }
            }
            _ => self.text_act(action),
        }
    }

    fn text_act(&mut self, action: Action) {
        let copied = self.with_edit(|edit| match action {
            Action::TextCut => edit.cut(),
            Action::TextCopy => edit.copy(),
            _ => {
                match action {
                    Action::TextUndo => drop(edit.undo()),
                    Action::TextRedo => drop(edit.redo()),
                    Action::TextPaste => drop(edit.paste()),
                    Action::TextAll => edit.select_all(),
                    _ => {}
                }
                None
            }
        });
        if !matches!(action, Action::TextCopy | Action::TextAll) {
            self.composer_touched();
        }
        if let Some(text) = copied.flatten() {
            self.want(Effect::Copy(text));
        }
    }

    /// Completes a quick action or a name behind one; else moves between fields and text, or in a note between text and thread.
    fn composer_pane(&mut self) {
        if let Some(rest) = self.quick_completion() {
            self.with_edit(|edit| edit.insert(&rest));
            return self.composer_touched();
        }
        if self.complete_name() {
            return self.composer_touched();
        }
        if self.is_on_a_mark() {
            return self.say("nothing completes this; names are completed behind a quick action");
        }
        if self.is_on_a_quick_action() {
            return self.say("nothing completes this quick action");
        }
        let Some(composer) = &mut self.composer else { return };
        match composer.fields.len() {
            0 => {
                composer.focused = false;
                self.say("keys are for the thread now; Tab goes back to the text");
            }
            fields => composer.field = (composer.field + 1) % (fields + 1),
        }
    }

    fn open_editor(&mut self) {
        let Some(composer) = &mut self.composer else { return };
        if composer.saved == Saved::Loading {
            composer.editor_wanted = true;
            return;
        }
        let name = composer.file_name();
        let text = composer.body.value();
        self.save_draft_now();
        self.want(Effect::Editor { text, name });
    }

    /// Opens `$EDITOR` where it had to wait.
    pub fn editor_if(&mut self, wanted: bool) {
        if wanted {
            self.open_editor();
        }
    }

    pub fn limit_in_words(&self) -> String {
        let used = self.composer.as_ref().map_or(0, Composer::file_size);
        match self.composed_view().and_then(|v| v.max_size) {
            Some(limit) => format!("{} of {} used", size(encoded(used)), size(limit)),
            None => String::new(),
        }
    }

    fn pick_recipients(&mut self) {
        let (Some(composer), Some(view)) = (&self.composer, self.composed_view()) else { return };
        if composer.kind != DraftKind::Reply {
            return self.say("an internal comment is mailed to nobody");
        }
        let person = |p: &ParticipantView| {
            let name = p.name.as_deref().unwrap_or_default();
            let standing = match (p.subscribed, composer.without.contains(&p.email)) {
                (false, _) => "unsubscribed, is not mailed",
                (true, false) => "is mailed · Enter leaves out this time",
                (true, true) => "left out this time · Enter takes in again",
            };
            let choice = Choice::Recipient(p.email.clone());
            Item::new(p.email.as_str(), &format!("{name}  {standing}"), choice)
        };
        let further = |address: &EmailAddress| {
            let choice = Choice::Recipient(address.clone());
            Item::new(address.as_str(), "gets a copy · Enter takes it off", choice)
        };
        let people = view.participants.iter().map(person).chain(composer.cc.iter().map(further)).collect();
        self.open_picker(Picker::new("Who gets it", people).free(Free::Copy));
    }

    /// Leaves a person out, takes them in again, or sends them a copy.
    pub fn toggle_recipient(&mut self, address: EmailAddress) {
        let takes_part = |v: &IssueView| v.participants.iter().any(|p| p.email == address && p.subscribed);
        let subscribed = self.composed_view().is_some_and(takes_part);
        let Some(composer) = &mut self.composer else { return };
        let list = if subscribed { &mut composer.without } else { &mut composer.cc };
        match list.iter().position(|a| *a == address) {
            Some(at) => drop(list.remove(at)),
            None => list.push(address),
        }
        self.composer_touched();
    }

    fn detach(&mut self) {
        let gone = self.composer.as_mut().and_then(|c| c.files.pop());
        if let Some(file) = gone {
            if let Some(composer) = &mut self.composer {
                composer.off.extend(file.kept);
            }
            self.composer_touched();
            self.say(format!("{} is off again", file.path));
        }
    }

    fn switch_kind(&mut self) {
        let Some(composer) = &self.composer else { return };
        if !composer.many.is_empty() {
            return self.switch_many();
        }
        match composer.kind {
            DraftKind::Reply => self.compose(DraftKind::Internal),
            DraftKind::Internal => self.compose(DraftKind::Reply),
            DraftKind::Issue => {}
        }
    }

    /// Sends what stands in the composer, unless something speaks against it.
    pub fn send(&mut self, manner: Manner) {
        if let Err(reason) = self.may_send() {
            self.complain(reason);
            return self.fetch_kept();
        }
        if self.composes_many() {
            if !self.asks_before_sending(manner) {
                self.send_many(manner);
            }
            return;
        }
        if let Some(words) = self.left_unfilled() {
            return self.complain(&words);
        }
        if self.asks_before_sending(manner) {
            return;
        }
        let Some(composer) = &mut self.composer else { return };
        if matches!(composer.saved, Saved::Saving(_) | Saved::Loading) {
            // The desk drops the draft with the note; a draft that arrived later would come back to life.
            composer.send_wanted = Some(manner);
            return;
        }
        composer.sending = true;
        composer.held = None;
        match composer.target.clone() {
            Some((id, reference)) => {
                let note = NewNote {
                    reference: reference.clone(),
                    text: composer.body.value(),
                    internal: composer.kind == DraftKind::Internal,
                    attach: composer.files.iter().filter_map(|f| f.upload.clone()).collect(),
                    cc: composer.cc.clone(),
                    without: composer.without.clone(),
                    hold_ms: manner.hold_ms,
                    seen: composer.seen,
                    close: manner.close,
                    status: None,
                };
                self.last_sent = Some((id, reference));
                let purpose = Purpose::Send { issue: Some(id), snooze: manner.snooze };
                self.ask(purpose, Request::AddNote(note));
            }
            None => self.send_issue(manner),
        }
    }

    fn send_issue(&mut self, manner: Manner) {
        let Some(composer) = &self.composer else { return };
        let issue = NewIssue {
            project: composer.field_value("Project"),
            title: composer.field_value("Title"),
            to: EmailAddress::parse(&composer.field_value("To")),
            text: composer.body.value(),
            hold_ms: manner.hold_ms,
        };
        self.ask(Purpose::Send { issue: None, snooze: manner.snooze }, Request::NewIssue(issue));
    }

    fn may_send(&self) -> Result<(), String> {
        let Some(composer) = &self.composer else { return Err("nothing to send".to_owned()) };
        if let Some(reason) = &self.lost {
            return Err(format!("not sent, the desk cannot be reached: {reason}"));
        }
        if composer.sending {
            return Err("this is being sent already".to_owned());
        }
        let failed = |f: &File| f.error.as_ref().map(|error| (f.path.clone(), error.clone()));
        if let Some((name, error)) = composer.files.iter().find_map(failed) {
            return Err(format!("not sent, {name} did not come: {error} · Alt-o takes the last file off"));
        }
        if composer.files.iter().any(|f| f.upload.is_none()) {
            return Err("wait, a file is being read".to_owned());
        }
        if matches!(composer.held, Some(Held::Stale { shown: false, .. })) {
            return Err("wait, the newer note is being fetched".to_owned());
        }
        let limit = self.composed_view().and_then(|v| v.max_size);
        if composer.kind == DraftKind::Reply && limit.is_some_and(|l| encoded(composer.file_size()) > l) {
            return Err("not sent, the files are too large for one mail · Alt-o takes one off".to_owned());
        }
        if composer.target.is_none() && composer.many.is_empty() {
            return Self::issue_fits(composer);
        }
        if composer.many.is_empty() && self.composed_view().is_none() {
            return Err("wait, the issue is being fetched".to_owned());
        }
        if let Err(fault) = self.quick() {
            let hint = fault.hint.map_or(String::new(), |hint| format!(" · {hint}"));
            return Err(format!("not sent, {}{hint}", fault.message));
        }
        if composer.body.is_blank() && composer.files.is_empty() {
            return Err("there is nothing to send yet".to_owned());
        }
        Ok(())
    }

    fn issue_fits(composer: &Composer) -> Result<(), String> {
        let to = composer.field_value("To");
        if composer.field_value("Title").is_empty() {
            return Err("a new issue needs a title".to_owned());
        }
        if !to.is_empty() && EmailAddress::parse(&to).is_none() {
            return Err(format!("`{to}` is not an email address"));
        }
        Ok(())
    }

    /// Learns that the note was taken.
    pub fn sent(
        &mut self,
        issue: Option<IssueId>,
        view: IssueView,
        held_until: Option<Timestamp>,
        snooze: Option<Timestamp>,
    ) {
        let reference: Option<Reference> = view.row.reference.parse().ok();
        let closed = view.row.state == crate::domain::State::Closed;
        let composed = self.composer.take_if(|c| c.sending);
        let internal = composed.as_ref().is_some_and(|c| c.kind == DraftKind::Internal);
        let what = if internal { "comment on" } else { "reply to" };
        self.sent_until(format!("{what} #{}", view.row.iid), held_until);
        let Some(reference) = reference else { return };
        if self.thread.as_ref().is_some_and(|t| Some(t.view.row.id) == issue) {
            self.take_thread(reference.clone(), view);
            let height = self.thread_height();
            if let Some(thread) = &mut self.thread {
                thread.go_to(usize::MAX, height);
            }
            if closed && self.options.auto_advance && !self.on_list() {
                self.advance_from = issue;
            }
        }
        self.ask_rows();
        self.ask_views();
        self.put_aside(vec![reference], snooze);
    }

    /// Puts issues aside whose text was sent, where a moment was chosen.
    fn put_aside(&mut self, references: Vec<Reference>, until: Option<Timestamp>) {
        if until.is_some() {
            let edits = vec![Edit::Snooze(until)];
            self.last_edits.clone_from(&edits);
            let purpose = Purpose::Edit { advance: true, listed: false };
            self.ask(purpose, Request::Edit { references, edits });
        }
    }

    /// Learns that a text of quick actions alone was carried out.
    pub fn acted(&mut self, rows: &[IssueRow], label: String, snooze: Option<Timestamp>) {
        self.composer = None;
        self.edited_issues(rows, label, false, self.on_list());
        self.put_aside(rows.iter().filter_map(|row| row.reference.parse().ok()).collect(), snooze);
    }

    /// Learns that the new issue exists, and opens it.
    pub fn issue_made(&mut self, view: IssueView, snooze: Option<Timestamp>) {
        self.composer = None;
        self.say(format!("opened {}", view.row.reference));
        if let Ok(reference) = view.row.reference.parse() {
            self.last_sent = Some((view.row.id, reference));
            if let Some((_, reference)) = self.last_sent.clone() {
                self.opened = Some(reference.clone());
                self.take_thread(reference.clone(), view);
                self.put_aside(vec![reference], snooze);
            }
        }
        self.ask_rows();
        self.ask_views();
    }

    /// Learns that the desk refused to send; the text stays.
    pub fn send_refused(&mut self, fault: Fault) {
        let Some(composer) = &mut self.composer else { return self.complain_of(&fault) };
        composer.sending = false;
        let FaultKind::Stale { newer } = fault.kind.clone() else { return self.complain_of(&fault) };
        composer.held = Some(Held::Stale { newer, shown: false });
        let reference = composer.target.as_ref().map(|(_, reference)| reference.clone());
        if let Some(reference) = reference {
            self.ask_thread(reference);
        }
    }
}

/// Gives a number of octets as people say it.
pub fn size(octets: u64) -> String {
    const UNITS: [&str; 4] = ["kB", "MB", "GB", "TB"];
    if octets < 1000 {
        return format!("{octets} B");
    }
    let mut value = octets as f64 / 1000.0;
    let mut units = UNITS.iter();
    let mut unit = units.next().copied().unwrap_or_default();
    while value >= 999.5 {
        let Some(next) = units.next() else { break };
        value /= 1000.0;
        unit = next;
    }
    if value < 9.95 && unit != "kB" { format!("{value:.1} {unit}") } else { format!("{value:.0} {unit}") }
}

#[cfg(test)]
mod tests {
    #[test]
    fn sizes_are_said_shortly() {
        for (octets, said) in
            [(0, "0 B"), (999, "999 B"), (84_211, "84 kB"), (2_540_000, "2.5 MB"), (25_000_000, "25 MB")]
        {
            assert_eq!(super::size(octets), said);
        }
    }
}
