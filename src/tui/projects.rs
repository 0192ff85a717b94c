//! The project screen: Service Desk on or off, the address to publish, and every setting in words.

use super::action::Action;
use super::app::App;
use super::asks::Purpose;
use super::input::Effect;
use super::outbox::step;
use super::overlay::{Ask, Prompt};
use super::picker::{Choice, Item, Picker};
use crate::domain::{ProjectSettings, ProjectView, Request, Role};

/// A setting: its key, what people call it, what it does.
pub struct Setting {
    pub key: &'static str,
    pub name: &'static str,
    pub about: &'static str,
    /// The words it takes, where those are few.
    pub words: &'static [&'static str],
}

const fn setting(
    key: &'static str,
    name: &'static str,
    about: &'static str,
    words: &'static [&'static str],
) -> Setting {
    Setting { key, name, about, words }
}

const YES_NO: &[&str] = &["yes", "no"];

/// The settings on the screen, in GitLab's words where GitLab has them.
pub const SETTINGS: &[Setting] = &[
    setting("display_name", "Email display name", "the sender's name in customers' mail", &[]),
    setting("suffix", "Project name suffix", "the end of the address: letters, digits, _", &[]),
    setting("issue_template", "Template to append to all Service Desk issues", "a description template", &[]),
    setting("public_address", "Alias to publish", "an address of yours that leads here", &[]),
    setting("mailbox", "Mailbox", "the one answers leave by, by its name in the config", &[]),
    setting("thank_you", "Thank-you mail", "acknowledge each new issue", YES_NO),
    setting("closed_mail", "Mail on close", "tell the customer that it was closed", YES_NO),
    setting("reopen_on_reply", "Reopen on reply", "an answer opens a closed issue again", YES_NO),
    setting("pending_on_reply", "Pending on reply", "an answer of ours sets the status to pending", YES_NO),
    setting("idle_warn_after", "Warn when idle for", "a pending issue: one mail, as 7d; empty: never", &[]),
    setting("idle_close_after", "Close when idle for", "then, counted from the warning, as 3d", &[]),
    setting("hours", "Working hours", "mon-fri 09:00-17:00; empty: those of the desk", &[]),
    setting("holidays", "Holidays", "2026-12-25, 01-01; empty: those of the desk", &[]),
    setting("time_zone", "Time zone of these", "Europe/Berlin; empty: that of the desk", &[]),
    setting("default_note", "Composer opens as", "reply or internal", &["reply", "internal"]),
    setting("strangers", "Mail of strangers", "accept, or quarantine", &["accept", "quarantine"]),
    setting("import_cc", "People in Cc take part", "never, ask or always", &["never", "ask", "always"]),
    setting("one_mail_to_all", "One mail to all", "else one mail for each person", YES_NO),
    setting("confidential", "Issues are confidential", "new ones, that is", YES_NO),
    setting("labels", "Labels", "of every new issue, parted by commas", &[]),
    setting("assignee", "Assignee", "who gets every new issue", &[]),
    setting("signature", "Signature", "below every reply", &[]),
    setting("internal_words", "Words for the staff only", "asked about before a mail, parted by commas", &[]),
    setting("templates_dir", "Folder of mail templates", "thank_you.md, new_note.md …", &[]),
];

/// Gives the setting without which another one does nothing.
fn needs(key: &str) -> Option<&'static str> {
    match key {
        "idle_close_after" => Some("idle_warn_after"),
        _ => None,
    }
}

/// The state of the project screen.
#[derive(Debug, Default)]
pub struct ProjectScreen {
    /// Which project, by its place.
    pub index: usize,
    /// Which line: 0 is the switch, then the settings.
    pub selected: usize,
}

/// Gives a setting's value as people read it; empty when nothing is set.
pub fn value_of(settings: &ProjectSettings, key: &str) -> String {
    let all = serde_json::to_value(settings).unwrap_or_default();
    match all.get(key) {
        Some(serde_json::Value::String(text)) => text.clone(),
        Some(serde_json::Value::Bool(yes)) => if *yes { "yes" } else { "no" }.to_owned(),
        Some(serde_json::Value::Array(list)) => {
            list.iter().filter_map(|v| v.as_str()).collect::<Vec<_>>().join(", ")
        }
        Some(serde_json::Value::Number(number)) => number.to_string(),
        _ => String::new(),
    }
}

impl App {
    /// Gives the project that the screen shows.
    pub fn shown_project(&self) -> Option<&ProjectView> {
        self.projects.as_ref()?.get(self.project.index)
    }

    /// Does an action on the project screen; tells whether it was one of its own.
    pub fn project_act(&mut self, action: Action) -> bool {
        if let Some(to) = step(action, self.project.selected, SETTINGS.len(), 8) {
            self.project.selected = to;
            return true;
        }
        let shown = self.shown_project().cloned();
        match (action, shown) {
            (Action::AddProject, _) => {
                let prompt = Prompt::new(Ask::NewProject, "Add the project", "", "mygroup/myproject");
                self.open_prompt(prompt);
            }
            (Action::Enable, Some(project)) => self.switch(&project),
            (Action::Open, Some(project)) => self.change_setting(&project),
            (Action::Copy, Some(project)) => {
                if let Some(address) = project.addresses.first() {
                    self.say(format!("sent to the terminal's clipboard: {address}"));
                    self.want(Effect::Copy(address.to_string()));
                }
            }
            _ => return self.other_project(action),
        }
        true
    }

    fn switch(&mut self, project: &ProjectView) {
        if self.stopped_by_role("switching Service Desk on or off", Role::Maintainer) {
            return;
        }
        let request = Request::EnableProject { path: project.path.clone(), enabled: !project.enabled };
        self.ask(Purpose::ProjectAct, request);
    }

    /// Says which role or setting a line of the screen lacks, so that it cannot be changed; 0 is the switch.
    pub fn disabled(&self, project: &ProjectView, line: usize) -> Option<String> {
        let needed = line.checked_sub(1).and_then(|at| SETTINGS.get(at)).and_then(|s| needs(s.key));
        let missing = needed.filter(|key| value_of(&project.settings, key).is_empty());
        let name = missing.and_then(|key| SETTINGS.iter().find(|s| s.key == key)).map(|s| s.name);
        let role = self.lacks(Role::Maintainer).map(|_| "needs the role maintainer".to_owned());
        role.or_else(|| name.map(|name| format!("needs “{name}”")))
    }

    fn change_setting(&mut self, project: &ProjectView) {
        let line = self.project.selected;
        if let Some(why) = self.disabled(project, line) {
            let name = line.checked_sub(1).and_then(|at| SETTINGS.get(at)).map_or("this", |s| s.name);
            return self.complain(format!("{name}: {why}"));
        }
        let Some(at) = line.checked_sub(1) else { return self.switch(project) };
        let Some(setting) = SETTINGS.get(at) else { return };
        let value = value_of(&project.settings, setting.key);
        let path = project.path.clone();
        if setting.words.is_empty() {
            let ask = Ask::Setting { project: path, key: setting.key.to_owned() };
            return self.open_prompt(Prompt::new(ask, setting.name, &value, setting.about));
        }
        let item = |word: &&str| {
            let now = if *word == value { "now" } else { "" };
            let (key, value) = (setting.key.to_owned(), (*word).to_owned());
            Item::new(word, now, Choice::Setting { project: path.clone(), key, value })
        };
        self.open_picker(Picker::new(setting.name, setting.words.iter().map(item).collect()));
    }

    /// Changes one setting of a project.
    pub fn set_project(&mut self, path: String, key: String, value: String) {
        let settings = vec![(key, value)];
        self.ask(Purpose::ProjectAct, Request::SetProject { path, settings });
    }

    /// Adds a project.
    pub fn add_project(&mut self, path: String) {
        if crate::domain::path_fits(&path) {
            self.ask(Purpose::ProjectAct, Request::AddProject { path });
        } else {
            self.complain(format!("`{path}` cannot name a project · write mygroup/myproject"));
        }
    }

    /// Takes a changed project in.
    pub fn project_changed(&mut self, project: ProjectView) {
        let projects = self.projects.get_or_insert_default();
        let place = projects.iter().position(|p| p.id == project.id);
        match place.and_then(|i| projects.get_mut(i)) {
            Some(held) => *held = project,
            None => projects.push(project),
        }
        self.project.index = place.unwrap_or(projects.len().saturating_sub(1));
        self.say("saved");
    }
}
