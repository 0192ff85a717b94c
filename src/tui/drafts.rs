//! Drafts: what is typed goes to the desk within a second and is found again; so are attached files.

use super::app::{App, DRAFT_MILLIS};
use super::asks::Purpose;
use super::composer::{Composer, File, Saved, encoded};
use super::edit::Edit;
use super::input::Effect;
use crate::domain::{Draft, DraftKind, EmailAddress, ProjectId, Reference, Request, Upload, led_on_after};
use jiff::Timestamp;

impl Composer {
    fn draft(&self, user: &str, project: Option<ProjectId>, now: Timestamp) -> Draft {
        let fields = (!self.fields.is_empty()).then_some(());
        Draft {
            user: user.to_owned(),
            issue: self.target.as_ref().map(|(id, _)| *id),
            project,
            kind: self.kind,
            text: self.body.value(),
            title: fields.map(|()| self.field_value("Title")),
            to: match self.many.as_slice() {
                [] => fields.map(|()| self.field_value("To")),
                many => Some(many.iter().map(ToString::to_string).collect::<Vec<_>>().join(" ")),
            },
            cc: self.cc.iter().map(ToString::to_string).collect(),
            files: self.files.iter().filter(|f| f.kept.is_none()).map(|f| f.path.clone()).collect(),
            kept: Vec::new(),
            off: self.off.clone(),
            over: Some(self.stored.clone()),
            seen: self.seen,
            saved_at: now,
        }
    }
}

impl App {
    /// Asks for the stored draft, where it has not come yet.
    pub fn ask_draft(&mut self) {
        let Some(composer) = self.composer.as_ref().filter(|c| c.saved == Saved::Loading) else { return };
        let (reference, kind) = (composer.reference(), composer.kind);
        self.ask(Purpose::Draft, Request::Draft { reference, kind });
    }

    /// Puts the stored draft into the composer; what was typed before it came stays after it.
    pub fn take_draft(&mut self, draft: Option<Draft>) {
        let now = self.now;
        let Some(composer) = self.composer.as_mut().filter(|c| c.saved == Saved::Loading) else { return };
        let typed = composer.body.value();
        let wanted = std::mem::take(&mut composer.editor_wanted);
        let Some(draft) = draft.filter(|d| d.kind == composer.kind) else {
            composer.saved = if composer.is_blank() { Saved::Nothing } else { Saved::Unsaved(now) };
            if let Some(manner) = composer.send_wanted.take() {
                return self.send(manner);
            }
            return self.editor_if(wanted);
        };
        if composer.send_wanted.take().is_some() {
            self.complain("not sent: an earlier draft was here, look at both");
        }
        let Some(composer) = self.composer.as_mut() else { return };
        let known = self.projects.as_deref().unwrap_or_default();
        let path = known.iter().find(|p| Some(p.id) == draft.project).map(|p| p.path.clone());
        let text = match composer.led_from {
            None => format!("{}{typed}", draft.text),
            Some(_) => led_on_after(&draft.text, &composer.stored, &typed),
        };
        composer.stored.clone_from(&draft.text);
        composer.body = Edit::text(&text);
        composer.body.go_to_end();
        let cc: Vec<EmailAddress> =
            draft.cc.iter().filter_map(|address| EmailAddress::parse(address)).collect();
        // What was chosen before it was led here stays chosen.
        composer.cc.retain(|address| composer.led_from.is_some() && !cc.contains(address));
        composer.cc.extend(cc);
        for (name, edit) in &mut composer.fields {
            match *name {
                "Project" => {
                    if let Some(path) = &path {
                        edit.replace(path);
                    }
                }
                "To" => edit.insert(&draft.to.clone().unwrap_or_default()),
                "Title" => edit.insert(&draft.title.clone().unwrap_or_default()),
                _ => {}
            }
        }
        composer.seen = draft.seen.filter(|_| composer.target.is_some()).or(composer.seen);
        composer.saved = if typed.is_empty() { Saved::Stored } else { Saved::Unsaved(now) };
        for (place, file) in draft.kept_files() {
            let (path, kept) = (file.name.clone(), Some(place));
            composer.files.push(File { path, upload: None, error: None, kept });
        }
        for path in draft.files {
            self.attach(path);
        }
        self.fetch_kept();
        self.editor_if(wanted);
    }

    /// Shows the draft that a cancelled send left.
    pub fn reopen_draft(&mut self, draft: Draft) {
        let known = self.last_sent.clone().filter(|(id, _)| Some(*id) == draft.issue);
        let Some((id, reference)) = known else {
            return match draft.issue {
                None if draft.kind != DraftKind::Issue => self.reopen_many(draft),
                None => self.compose_issue(),
                Some(_) => self.say("taken back; its draft stands in the issue again"),
            };
        };
        self.leave_composer();
        self.open_issue(reference.clone());
        self.composer = Some(Composer::note((id, reference), draft.kind, draft.seen));
        self.take_draft(Some(draft));
        self.keep_note_in_sight();
    }

    /// Saves the draft when it has waited long enough.
    pub fn save_due_draft(&mut self) {
        let due = |since: Timestamp| self.now.as_millisecond() - since.as_millisecond() >= DRAFT_MILLIS;
        if self.composer.as_ref().and_then(Composer::unsaved_since).is_some_and(due) {
            self.save_draft_now();
        }
    }

    /// Saves what is typed, if anything is unsaved.
    pub fn save_draft_now(&mut self) {
        let user = self.me.as_ref().map_or(String::new(), |me| me.name.clone());
        let (now, lost) = (self.now, self.lost.is_some());
        let Some(composer) = &mut self.composer else { return };
        let unsaved = matches!(composer.saved, Saved::Unsaved(_) | Saved::Saving(Some(_)));
        if !unsaved || lost || composer.sending {
            return;
        }
        composer.saved = Saved::Saving(None);
        let path = composer.field_value("Project");
        let known = self.projects.as_deref().unwrap_or_default();
        let project = known.iter().find(|p| p.path == path).map(|p| p.id);
        let draft = composer.draft(&user, project, now);
        if composer.is_blank() {
            let (reference, kind) = (composer.reference(), composer.kind);
            // With the draft go its files: the places of a later one are others.
            composer.off.clear();
            composer.stored.clear();
            self.ask(Purpose::SaveDraft, Request::DropDraft { reference, kind });
        } else {
            composer.stored.clone_from(&draft.text);
            self.ask(Purpose::SaveDraft, Request::SaveDraft(Box::new(draft)));
        }
    }

    /// Gives the text that no draft holds, and what to call a file for it.
    pub fn unsaved_text(&self) -> Option<(String, String)> {
        let composer = self.composer.as_ref()?;
        let held = matches!(composer.saved, Saved::Stored | Saved::Nothing) || composer.body.is_blank();
        (!held).then(|| (composer.body.value(), composer.file_name()))
    }

    /// Learns that the draft is stored.
    pub fn draft_saved(&mut self) {
        if let Some(composer) = &mut self.composer
            && let Saved::Saving(more) = composer.saved
        {
            composer.saved = more.map_or(Saved::Stored, Saved::Unsaved);
            if let Some(manner) = composer.send_wanted.take() {
                self.send(manner);
            }
        }
    }

    /// Learns that another window of the same person wrote into the draft: both texts go on here.
    pub fn draft_joined(&mut self, draft: &Draft) {
        let now = self.now;
        let Some(composer) = &mut self.composer else { return };
        if composer.kind != draft.kind || composer.target.as_ref().map(|(id, _)| *id) != draft.issue {
            return;
        }
        let typed = composer.body.value();
        let text = led_on_after(&draft.text, &composer.stored, &typed);
        composer.stored.clone_from(&draft.text);
        composer.saved = if text == draft.text { Saved::Stored } else { Saved::Unsaved(now) };
        composer.body = Edit::text(&text);
        composer.body.go_to_end();
        self.say("another window of yours writes here too: its text stands above");
    }

    /// Learns that the draft could not be stored: it is tried again.
    pub fn draft_unsaved(&mut self) {
        let now = self.now;
        if let Some(composer) = &mut self.composer
            && matches!(composer.saved, Saved::Saving(_))
        {
            composer.saved = Saved::Unsaved(now);
        }
    }

    /// Reads a file to go out with the note.
    pub fn attach(&mut self, path: String) {
        let Some(composer) = &mut self.composer else { return };
        if path.is_empty() || composer.files.iter().any(|f| f.kept.is_none() && f.path == path) {
            return;
        }
        composer.files.push(File { path: path.clone(), upload: None, error: None, kept: None });
        self.want(Effect::Attach { path });
    }

    /// Asks the desk for its files of the draft whose bytes are not here yet.
    pub fn fetch_kept(&mut self) {
        let Some(composer) = &mut self.composer else { return };
        let (reference, kind) = (composer.reference(), composer.kind);
        let mut missing = Vec::new();
        for file in composer.files.iter_mut().filter(|file| file.upload.is_none()) {
            if let Some(place) = file.kept {
                file.error = None;
                missing.push((place, file.path.clone()));
            }
        }
        for (place, name) in missing {
            let purpose = Purpose::DraftFile { reference: reference.clone(), kind, place };
            if !self.asks.waits_for(|waiting| *waiting == purpose) {
                let reference = reference.clone();
                self.ask(purpose, Request::DraftFile { reference, kind, name, place: Some(place) });
            }
        }
    }

    /// Takes in one of the desk's files of a draft; one that did not come stays, so that it is asked for again.
    pub fn kept_came(
        &mut self,
        (reference, kind): (&Option<Reference>, DraftKind),
        place: u32,
        bytes: Result<Vec<u8>, String>,
    ) {
        let mine = |composer: &&mut Composer| composer.kind == kind && composer.reference() == *reference;
        let Some(composer) = self.composer.as_mut().filter(mine) else { return };
        let Some(file) = composer.files.iter_mut().find(|f| f.kept == Some(place)) else { return };
        match bytes {
            Ok(bytes) => {
                file.upload = Some(Upload { name: file.path.clone(), bytes });
                file.error = None;
                self.warn_of_size();
            }
            Err(error) => {
                let words = format!("{} did not come: {error} · sending asks for it again", file.path);
                file.error = Some(error);
                self.complain(words);
            }
        }
    }

    /// Takes a file in that was read.
    pub fn attached(&mut self, path: &str, file: Result<Upload, String>) {
        let Some(composer) = &mut self.composer else { return };
        let mine = |f: &File| f.kept.is_none() && f.path == path;
        let Some(place) = composer.files.iter().position(mine) else { return };
        let error = match (file, composer.files.get_mut(place)) {
            (Ok(upload), Some(file)) => {
                file.upload = Some(upload);
                None
            }
            (Err(error), _) => {
                composer.files.remove(place);
                Some(error)
            }
            _ => None,
        };
        self.composer_touched();
        match error {
            Some(error) => self.complain(error),
            None => self.warn_of_size(),
        }
    }

    fn warn_of_size(&mut self) {
        let limit = self.thread.as_ref().and_then(|t| t.view.max_size);
        let size = self.composer.as_ref().map_or(0, Composer::file_size);
        if limit.is_some_and(|limit| encoded(size) > limit) {
            self.complain("these files are too large for one mail · Alt-o takes the last one off");
        }
    }
}
