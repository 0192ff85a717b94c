//! Canned replies on the screen: chosen from a list, taken into what is being written.

use super::app::App;
use super::asks::Purpose;
use super::composer::{File, Saved};
use super::picker::{Choice, Item, Picker};
use crate::domain::{CannedView, DraftKind, FillCanned, FilledCanned, KeptFor, Reference, Request, unfilled};

impl App {
    /// Asks for the canned replies that suit the issue in front.
    pub fn ask_canned(&mut self) {
        if self.canned_target().is_none() && !self.composes_many() {
            return self.say("canned replies are taken into notes; no issue is selected");
        }
        let project = self.front_row().map(|row| row.project.clone());
        self.ask(Purpose::Canned, Request::Canned { project });
    }

    /// The issue whose data fills a canned reply: that of the composer, else the one in front.
    fn canned_target(&self) -> Option<Reference> {
        match &self.composer {
            Some(composer) => composer.target.as_ref().map(|(_, reference)| reference.clone()),
            None => self.one_target().map(|(_, reference)| reference),
        }
    }

    /// Offers them by name, keyword and first line.
    pub fn pick_canned(&mut self, known: Vec<CannedView>) {
        self.canned = known.into_iter().filter(|canned| canned.runs.is_none()).collect();
        let known = &self.canned;
        if known.is_empty() {
            return self.say("no canned replies yet: `deskbell canned add NAME -m TEXT` keeps one");
        }
        let item = |canned: &CannedView| {
            let whose = match &canned.scope {
                KeptFor::Mine => "mine".to_owned(),
                KeptFor::Project(path) => path.clone(),
                KeptFor::Desk => "the desk's".to_owned(),
            };
            let first = canned.text.lines().find(|line| !line.trim().is_empty()).unwrap_or_default();
            let words = [canned.keywords.join(" "), first.trim().to_owned(), whose];
            let detail =
                words.into_iter().filter(|word| !word.is_empty()).collect::<Vec<_>>().join(" \u{b7} ");
            Item::new(&canned.name, &detail, Choice::Canned(canned.scope.clone(), canned.name.clone()))
        };
        self.open_picker(Picker::new("Canned reply", known.iter().map(item).collect()));
    }

    /// Asks for the text of a canned reply with the data of the issue.
    pub fn take_canned(&mut self, scope: KeptFor, name: String) {
        let targets = self.targets();
        if self.composes_many() || self.on_list() && targets.len() > 1 {
            return self.take_canned_for_many(&scope, &name, targets);
        }
        if let Some(reference) = self.canned_target() {
            let asked = FillCanned { scope: Some(scope), name, reference: reference.clone() };
            self.ask(Purpose::FillCanned(reference), Request::FillCanned(asked));
        }
    }

    /// Puts the text into what is written to several; its placeholders are filled for each when it is sent.
    fn take_canned_for_many(&mut self, scope: &KeptFor, name: &str, targets: Vec<Reference>) {
        let found = self.canned.iter().find(|canned| canned.scope == *scope && canned.name == name);
        let Some(text) = found.map(|canned| canned.text.clone()) else { return };
        if !self.composes_many() {
            self.compose_many(targets, DraftKind::Reply);
        }
        let Some(composer) = &mut self.composer else { return };
        composer.body.insert(text.trim_end());
        self.composer_touched();
    }

    /// Puts the text where the cursor is; without a composer a reply is begun with it.
    pub fn insert_canned(&mut self, reference: &Reference, filled: &FilledCanned) {
        if self.canned_target().as_ref() != Some(reference) {
            return;
        }
        if self.composer.is_none() {
            self.compose(DraftKind::Reply);
        }
        let Some(composer) = &mut self.composer else { return };
        if composer.saved == Saved::Loading && !composer.body.is_blank() {
            composer.body.insert("\n");
        }
        composer.body.insert(filled.text.trim_end());
        for upload in &filled.files {
            let path = format!("canned: {}", upload.name);
            if !composer.files.iter().any(|file| file.path == path) {
                composer.files.push(File { path, upload: Some(upload.clone()), error: None, kept: None });
            }
        }
        self.composer_touched();
        if let Some(name) = filled.missing.first() {
            self.complain(format!("fill %{{{name}}} before it is sent: it stands for nothing here"));
        }
    }

    /// Tells, before a send, of a placeholder that is left in the text.
    pub fn left_unfilled(&self) -> Option<String> {
        let composer = self.composer.as_ref().filter(|composer| composer.kind != DraftKind::Internal)?;
        let name = unfilled(&composer.body.value()).into_iter().next()?;
        Some(format!("not sent: %{{{name}}} is not filled \u{b7} write it, or put it between ` and `"))
    }
}
