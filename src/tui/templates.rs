//! The templates screen of a project: where each comes from, and the mail it makes of an issue.

use super::action::Action;
use super::app::App;
use super::asks::Purpose;
use super::input::Effect;
use super::markup::plain;
use super::outbox::step;
use crate::domain::{PreviewTemplate, Reference, Request, Role, TemplateKind, TemplatePreview, TemplateView};
use ratatui::style::Style;
use ratatui::text::Line;

/// The place of a template that no file holds.
const BUILT_IN: &str = "built in";

/// The state of the templates screen.
#[derive(Debug, Default)]
pub struct TemplatesScreen {
    /// Whose templates these are.
    pub project: String,
    pub rows: Vec<TemplateView>,
    pub loaded: bool,
    pub selected: usize,
    /// The mail that the template makes which was asked for last.
    pub preview: Option<TemplatePreview>,
    /// Whether the text is shown as it is written.
    pub raw: bool,
    /// Why they are not shown.
    pub refused: Option<String>,
}

impl TemplatesScreen {
    /// Gives the template that is selected.
    pub fn current(&self) -> Option<&TemplateView> {
        self.rows.get(self.selected)
    }

    /// Gives the mail that the selected template makes, when it has come.
    pub fn made(&self) -> Option<&TemplatePreview> {
        let name = &self.current()?.name;
        self.preview.as_ref().filter(|preview| preview.name == *name)
    }

    /// Tells whether the text is shown as it is written: no mail is made of a description.
    pub fn shows_raw(&self) -> bool {
        self.raw || self.current().is_some_and(|row| row.kind == TemplateKind::Description)
    }

    /// Gives the lines of the text or of the mail, `width` cells wide.
    pub fn lines(&self, width: usize) -> Vec<Line<'static>> {
        match (self.current(), self.made()) {
            (Some(row), _) if self.shows_raw() => plain(&row.text, width, Style::new()),
            (_, Some(made)) => plain(&made.text, width, Style::new()),
            _ => Vec::new(),
        }
    }
}

/// Says where a template comes from, and how it is changed there.
pub fn how_changed(row: &TemplateView) -> String {
    let name = &row.name;
    let next = match row.kind {
        TemplateKind::Mail => "mail",
        TemplateKind::Description => "issue",
    };
    let folder = match row.kind {
        TemplateKind::Mail => "service_desk_templates",
        TemplateKind::Description => "issue_templates",
    };
    match row.place.as_str() {
        "nowhere" => format!("To have it, write {name}.md into .gitlab/{folder}/ of the repository."),
        BUILT_IN => format!(
            "To change it, write {name}.md into the folder of mail templates, or into .gitlab/{folder}/ of the repository."
        ),
        place if place.starts_with(".gitlab/") => {
            format!("To change it, commit to {place}; the next {next} has it.")
        }
        place => format!("To change it, edit {place}; the next {next} has it."),
    }
}

impl App {
    /// Asks for the templates of the project that is shown.
    pub fn ask_templates(&mut self) {
        let Some(project) = self.shown_path() else { return };
        if self.templates.project != project {
            self.templates = TemplatesScreen { raw: self.templates.raw, ..TemplatesScreen::default() };
        }
        self.templates.project.clone_from(&project);
        self.ask(Purpose::Templates(project.clone()), Request::Templates { project });
    }

    /// Takes the templates in, unless another project is shown by now.
    pub fn take_templates(&mut self, project: &str, rows: Vec<TemplateView>) {
        if self.templates.project != project {
            return;
        }
        let screen = &mut self.templates;
        screen.selected = screen.selected.min(rows.len().saturating_sub(1));
        (screen.rows, screen.loaded, screen.refused) = (rows, true, None);
        self.ask_template_preview();
    }

    /// Asks for the mail that the selected template makes of the issue in front.
    fn ask_template_preview(&mut self) {
        let Some(row) = self.templates.current().filter(|row| row.kind == TemplateKind::Mail) else { return };
        let project = self.templates.project.clone();
        let asked = PreviewTemplate {
            name: row.name.clone(),
            reference: self.example(&project),
            project,
            text: None,
        };
        self.ask(Purpose::TemplatePreview, Request::PreviewTemplate(asked));
    }

    /// Gives the issue in front, where it is one of this project.
    fn example(&self, project: &str) -> Option<Reference> {
        let row = self.front_row().filter(|row| row.project == project)?;
        row.reference.parse().ok()
    }

    /// Does an action on the templates screen; tells whether it was one of its own.
    pub fn templates_act(&mut self, action: Action) -> bool {
        let last = self.templates.rows.len().saturating_sub(1);
        let page = self.page() / 2;
        if let Some(to) = step(action, self.templates.selected, last, page) {
            self.templates.selected = to;
            self.ask_template_preview();
            return true;
        }
        match action {
            Action::Raw => self.templates.raw = !self.templates.raw,
            Action::Open => self.read_template(),
            Action::Copy => {
                if let Some(row) = self.templates.current() {
                    let (text, name) = (row.text.clone(), row.name.clone());
                    self.say(format!("sent to the terminal's clipboard: {name}.md"));
                    self.want(Effect::Copy(text));
                }
            }
            _ => return self.other_project(action),
        }
        true
    }

    fn read_template(&mut self) {
        let Some(row) = self.templates.current() else { return };
        let title = format!("{}, from {}", row.name, row.place);
        let lines = self.templates.lines(usize::from(self.width).saturating_sub(4));
        self.open_reader(&title, lines);
    }

    /// Says, on the screen itself, why the templates are not shown.
    pub fn templates_refused(&mut self, said: String) {
        let why = self.lacks(Role::Reporter).map(|why| format!("Reading templates {why}."));
        self.templates.refused = Some(why.unwrap_or(said));
    }
}
