//! Names behind quick actions: members, labels, issues and milestones, as the desk tells who asks.
//!
//! Of each kind is known what was asked for last; what belongs to another project counts for nothing.

use super::app::App;
use super::asks::Purpose;
use crate::domain::quick::{Argument, Mark, argument, written};
use crate::domain::{CategoryKind, CategoryView, IssueQuery, IssueRow, Member, Request, User};
use std::collections::BTreeMap;

/// Issues that are looked through for a number or a word.
const ISSUES: u64 = 100;
/// Choices that are offered at once.
const OFFERS: usize = 6;

/// A name, and what is said beside it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Name {
    pub name: String,
    pub about: String,
}

/// What names were asked for: the project, and for issues the word they hold.
type Wanted = (String, String);

/// The names that are known.
#[derive(Debug, Default)]
pub struct Names {
    asked: BTreeMap<Mark, Wanted>,
    known: BTreeMap<Mark, (Wanted, Vec<Name>)>,
}

impl Names {
    /// Forgets all, so that what changed is asked for anew.
    pub fn clear(&mut self) {
        *self = Self::default();
    }
}

impl App {
    /// The word at the cursor that a name can complete, and the project whose names count.
    fn wanted_name(&self) -> Option<(Argument, String)> {
        let composer = self.composer.as_ref().filter(|c| c.focused && c.field >= c.fields.len())?;
        let found = argument(&composer.body.before_cursor())?;
        let project = match composer.target {
            Some(_) => self.composed_view()?.row.project.clone(),
            None => composer.field_value("Project"),
        };
        Some((found, project))
    }

    /// Asks for the names that the word at the cursor may become, unless they are known.
    pub fn ask_names(&mut self) {
        let Some((found, project)) = self.wanted_name() else { return };
        let word = word_of(&found);
        let wanted = (project.clone(), word.clone());
        if self.names.asked.get(&found.mark) == Some(&wanted) {
            return;
        }
        self.names.asked.insert(found.mark, wanted.clone());
        let project = Some(project);
        let request = match found.mark {
            Mark::User => Request::Members(wanted.0.clone()),
            Mark::Label => Request::Categories { kind: CategoryKind::Label, project },
            Mark::Milestone => Request::Categories { kind: CategoryKind::Milestone, project },
            Mark::Issue => {
                let word = if word.is_empty() { String::new() } else { format!(" {word}*") };
                let query = format!("project:{}{word} -is:spam sort:updated-desc", wanted.0);
                Request::Issues(IssueQuery { query, offset: 0, limit: ISSUES })
            }
        };
        self.ask(Purpose::Names(found.mark, wanted), request);
    }

    fn learn_names(&mut self, mark: Mark, wanted: Wanted, names: Vec<Name>) {
        if self.names.asked.get(&mark) == Some(&wanted) {
            self.names.known.insert(mark, (wanted, names));
        }
    }

    /// Takes the members of a project; one without members belongs to everybody.
    pub fn learn_members(&mut self, wanted: Wanted, members: &[Member]) {
        if members.is_empty() {
            return self.ask(Purpose::Names(Mark::User, wanted), Request::Users);
        }
        let name = |member: &Member| Name { name: member.user.clone(), about: member.role.word().to_owned() };
        self.learn_names(Mark::User, wanted, members.iter().map(name).collect());
    }

    /// Takes the users of the desk.
    pub fn learn_users(&mut self, wanted: Wanted, users: &[User]) {
        let name =
            |user: &User| Name { name: user.name.clone(), about: user.full_name.clone().unwrap_or_default() };
        let there = users.iter().filter(|user| !user.removed);
        self.learn_names(Mark::User, wanted, there.map(name).collect());
    }

    /// Takes labels or milestones; milestones that are over are not offered.
    pub fn learn_categories(&mut self, mark: Mark, wanted: Wanted, all: &[CategoryView]) {
        let name = |category: &CategoryView| Name {
            name: category.about.name.clone(),
            about: category.about.description.clone().unwrap_or_default(),
        };
        let open = all.iter().filter(|category| !category.about.closed);
        self.learn_names(mark, wanted, open.map(name).collect());
    }

    /// Takes issues, but for the one that is being written in.
    pub fn learn_issues(&mut self, wanted: Wanted, rows: &[IssueRow]) {
        let here = self.composer.as_ref().and_then(|c| c.target.as_ref()).map(|(id, _)| *id);
        let name = |row: &IssueRow| Name { name: row.iid.to_string(), about: row.title.clone() };
        let others = rows.iter().filter(|row| Some(row.id) != here);
        self.learn_names(Mark::Issue, wanted, others.map(name).collect());
    }

    /// Lists the names that the word at the cursor may become, the best first.
    pub fn name_choices(&self) -> Vec<Name> {
        let Some((found, project)) = self.wanted_name() else { return Vec::new() };
        let Some((wanted, names)) = self.names.known.get(&found.mark) else { return Vec::new() };
        if *wanted != (project, word_of(&found)) {
            return Vec::new();
        }
        let typed = found.typed.to_lowercase();
        if names.iter().any(|name| name.name == found.typed) {
            return Vec::new();
        }
        let score = |name: &Name| match name.name.to_lowercase() {
            // The desk found these by the word.
            _ if found.mark == Mark::Issue && !word_of(&found).is_empty() => Some(0),
            lower if lower.starts_with(&typed) => Some(0),
            lower if found.mark != Mark::Issue && lower.contains(&typed) => Some(1),
            _ if found.mark == Mark::User && name.about.to_lowercase().contains(&typed) => Some(2),
            _ => None,
        };
        let mut fits: Vec<(u8, &Name)> = names.iter().filter_map(|name| Some((score(name)?, name))).collect();
        fits.sort_by_key(|(score, _)| *score);
        fits.into_iter().take(OFFERS).map(|(_, name)| name.clone()).collect()
    }

    /// Gives the sign of the names that are offered.
    pub fn name_mark(&self) -> Option<Mark> {
        self.wanted_name().map(|(found, _)| found.mark)
    }

    /// Puts the first of the names in place of the word at the cursor; tells whether there was one.
    pub fn complete_name(&mut self) -> bool {
        let Some(name) = self.name_choices().into_iter().next() else { return false };
        let Some((found, _)) = self.wanted_name() else { return false };
        let text = written(found.mark, &name.name);
        self.with_edit(|edit| edit.put_in_place(found.length, &text));
        true
    }
}

impl App {
    /// Tells whether the word before the cursor begins as a name does.
    pub fn is_on_a_mark(&self) -> bool {
        let Some(before) = self.written_before() else { return false };
        let word = before.rsplit(char::is_whitespace).next().unwrap_or_default();
        word.starts_with(['@', '~', '#', '%']) && word.chars().count() > 1
    }

    /// Tells whether the cursor stands in a line that begins as quick actions do.
    pub fn is_on_a_quick_action(&self) -> bool {
        self.written_before().is_some_and(|before| before.starts_with('/'))
    }

    /// Gives the line before the cursor, while it is in the text.
    fn written_before(&self) -> Option<String> {
        let writing = |c: &&super::composer::Composer| c.focused && c.field >= c.fields.len();
        Some(self.composer.as_ref().filter(writing)?.body.before_cursor())
    }
}

/// Gives the word by which issues are looked for; a number is looked for among all.
fn word_of(found: &Argument) -> String {
    let word: String = found.typed.chars().filter(|c| c.is_alphanumeric()).collect();
    match found.mark {
        Mark::Issue if word.chars().any(|c| !c.is_ascii_digit()) => word.to_lowercase(),
        _ => String::new(),
    }
}
