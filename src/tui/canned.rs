//! Canned replies on the screen: chosen from a list, taken into what is being written; and the screen on which they
//! and the macros are kept.

use super::action::Action;
use super::app::App;
use super::asks::Purpose;
use super::clean;
use super::composer::{File, Saved};
use super::input::Effect;
use super::outbox::step;
use super::overlay::{Ask, Prompt};
use super::picker::{Choice, Item, Picker};
use crate::domain::{CannedView, DraftKind, FillCanned, FilledCanned, KeptFor, Reference, Request, unfilled};

/// The state of the screen of canned replies and macros.
#[derive(Debug, Default)]
pub struct TextsScreen {
    /// One's own first, then those of projects and of the desk.
    pub rows: Vec<CannedView>,
    pub loaded: bool,
    pub selected: usize,
    /// The one whose text `$EDITOR` has.
    pub written: Option<WrittenText>,
}

/// A canned reply whose text is being written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WrittenText {
    scope: KeptFor,
    name: String,
    before: String,
    new: bool,
}

impl TextsScreen {
    /// Takes them in; the one in front stays in front.
    pub fn take(&mut self, rows: Vec<CannedView>) {
        let front = self.rows.get(self.selected).map(|row| (row.scope.clone(), row.name.clone()));
        let same = |row: &CannedView| front.as_ref().is_some_and(|f| f.0 == row.scope && f.1 == row.name);
        let at = rows.iter().position(same).unwrap_or(self.selected);
        self.selected = at.min(rows.len().saturating_sub(1));
        (self.rows, self.loaded) = (rows, true);
    }
}

impl App {
    /// Asks for the canned replies that suit the issue in front.
    pub fn ask_canned(&mut self) {
        if self.canned_target().is_none() && !self.composes_many() {
            return self.say("canned replies are taken into notes; no issue is selected");
        }
        let project = self.meant_rows().first().map(|row| row.project.clone());
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
            return self.say("no canned replies yet: a on their screen keeps one, or `deskbell canned add`");
        }
        let item = |canned: &CannedView| {
            let whose = canned.scope.word().to_owned();
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

impl App {
    /// Asks for every canned reply and macro that one may use.
    pub fn ask_texts(&mut self) {
        self.ask(Purpose::Texts, Request::Canned { project: None });
    }

    /// Does an action on the screen of canned replies; tells whether it was one of its own.
    pub fn texts_act(&mut self, action: Action) -> bool {
        let last = self.texts.rows.len().saturating_sub(1);
        if let Some(to) = step(action, self.texts.selected, last, self.page()) {
            self.texts.selected = to;
            return true;
        }
        if action == Action::AddText {
            self.ask_text_name("");
            return true;
        }
        let Some(row) = self.texts.rows.get(self.texts.selected).cloned() else { return false };
        match action {
            Action::Open | Action::Editor => self.write_text(row.scope, row.name, row.text, false),
            Action::Change => self.pick_text_setting(&row),
            Action::Remove => self.ask_text_removal(row),
            Action::Copy => self.want(Effect::Copy(row.text)),
            _ => return false,
        }
        true
    }

    fn ask_text_name(&mut self, name: &str) {
        let hint = "then its text, in $EDITOR";
        self.open_prompt(Prompt::new(Ask::NewText, "Name of the new canned reply", name, hint));
    }

    /// Begins a canned reply of one's own.
    pub fn begin_text(&mut self, name: String) {
        let known = |row: &CannedView| row.scope == KeptFor::Mine && row.name == name;
        match (name.is_empty(), self.texts.rows.iter().any(known)) {
            (true, _) => self.complain("a canned reply needs a name"),
            (_, true) => self.complain(format!("there is a canned reply {} already", clean::line(&name))),
            _ => self.write_text(KeptFor::Mine, name, String::new(), true),
        }
    }

    fn write_text(&mut self, scope: KeptFor, name: String, text: String, new: bool) {
        self.want(Effect::Editor { text: text.clone(), name: "canned".to_owned() });
        self.texts.written = Some(WrittenText { scope, name, before: text, new });
    }

    /// Keeps the text that comes back from `$EDITOR`.
    pub fn text_written(&mut self, written: WrittenText, result: Result<String, String>) {
        let WrittenText { scope, name, before, new } = written;
        match result {
            Err(said) => {
                self.complain(said);
                if new {
                    self.ask_text_name(&name);
                }
            }
            Ok(text) if text.trim().is_empty() => self.say("nothing was written, so nothing is changed"),
            Ok(text) if text.trim_end() == before.trim_end() => self.say("nothing is changed"),
            Ok(text) => {
                let said = format!("kept {}; z takes it back", clean::line(&name));
                self.save_text(scope, name, ("text", text.trim_end().to_owned()), new, said);
            }
        }
    }

    fn save_text(
        &mut self,
        scope: KeptFor,
        name: String,
        (key, value): (&str, String),
        new: bool,
        said: String,
    ) {
        let settings = vec![(key.to_owned(), value)];
        let request = Request::SaveCanned { scope, name, settings, new, attach: Vec::new() };
        self.ask(Purpose::TextAct(said), request);
    }

    fn pick_text_setting(&mut self, row: &CannedView) {
        let item = |key: &'static str, value: String| {
            Item::new(
                key,
                &clean::line(&value),
                Choice::TextSetting(row.scope.clone(), row.name.clone(), key),
            )
        };
        let items = vec![item("name", row.name.clone()), item("keywords", row.keywords.join(", "))];
        self.open_picker(Picker::new(&format!("Change {}", clean::line(&row.name)), items));
    }

    /// Asks for another name, or other words by which it is found.
    pub fn ask_text_setting(&mut self, scope: KeptFor, name: String, key: &'static str) {
        let row = self.texts.rows.iter().find(|row| row.scope == scope && row.name == name);
        let Some(row) = row else { return };
        let (value, hint) = match key {
            "name" => (row.name.clone(), "its name"),
            _ => (row.keywords.join(", "), "further words by which it is found, with commas between"),
        };
        let title = format!("{}: {key}", clean::line(&name));
        self.open_prompt(Prompt::new(Ask::TextSetting(scope, name, key), &title, &value, hint));
    }

    /// Changes one thing of a canned reply.
    pub fn set_text(&mut self, scope: KeptFor, name: String, key: &'static str, value: String) {
        if key == "name" && value.is_empty() {
            return self.complain("a canned reply needs a name");
        }
        let said = format!("changed {}; z takes it back", clean::line(&name));
        self.save_text(scope, name, (key, value), false, said);
    }

    fn ask_text_removal(&mut self, row: CannedView) {
        let title = format!("Remove {}?", clean::line(&row.name));
        let what = match &row.scope {
            KeptFor::Mine => "z brings it back",
            _ => "nobody has it any more; z brings it back",
        };
        let yes = Choice::RemoveText(row.scope, row.name);
        let items = vec![Item::new("no", "nothing changes", Choice::Nothing), Item::new("yes", what, yes)];
        self.open_picker(Picker::new(&title, items));
    }

    /// Takes a canned reply away.
    pub fn remove_text(&mut self, scope: KeptFor, name: String) {
        let said = format!("removed {}; z brings it back", clean::line(&name));
        self.ask(Purpose::TextAct(said), Request::RemoveCanned { scope, name });
    }
}
