//! Templates: where the text of each mail and of new issues comes from, and how a mail would look.
//!
//! A project's folder comes first, then its watched repository, then the desk's folder, then what is built in.
//! One that is broken stops nothing: the next one goes out, and the team is told.

use super::letters::{Told, signed_text, subject};
use super::txn::{self, Txn};
use super::{Acting, Desk};
use crate::domain::quick::{QuickText, quick_text};
use crate::domain::{
    DeskSettings, Edit, Fault, IssueId, MailKind, Note, NoteKind, PreviewTemplate, Project, ProjectId, Query,
    Response, TemplateKind, TemplatePreview, TemplateView,
};
use crate::{git, mail};
use std::collections::{BTreeMap, HashMap};
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::sync::Mutex;

/// The mails that have a template, and the names of these.
const MAIL_TEMPLATES: [(MailKind, &str); 8] = [
    (MailKind::ThankYou, "thank_you"),
    (MailKind::NewNote, "new_note"),
    (MailKind::NewParticipant, "new_participant"),
    (MailKind::Closed, "closed"),
    (MailKind::Reopened, "reopened"),
    (MailKind::IdleWarning, "idle_warning"),
    (MailKind::Forward, "forward"),
    (MailKind::Rejection, "rejection"),
];
/// Where a repository keeps them, as GitLab has it.
const OF_MAILS: &str = ".gitlab/service_desk_templates";
const OF_ISSUES: &str = ".gitlab/issue_templates";
/// How long what was read of a repository counts, unless it is seen to change.
const FRESH: Duration = Duration::from_secs(60);
/// How long a mail waits for git.
const PATIENCE: Duration = Duration::from_secs(5);
/// Octets of a template.
const OCTETS: u64 = 256 << 10;
/// What stands in place of a key in a preview.
const NO_KEY: &str = "0000000000000000000000000";

type Files = Arc<BTreeMap<String, String>>;

/// What is known of the templates of watched repositories.
#[derive(Default)]
pub(super) struct Repositories {
    known: std::sync::Mutex<HashMap<ProjectId, Read>>,
    /// Held while git is asked.
    reading: Mutex<()>,
}

#[derive(Clone)]
struct Read {
    wanted: git::Wanted,
    files: Files,
    at: Instant,
}

impl Repositories {
    /// Has the files of a project read anew when they are next needed.
    pub fn forget(&self, project: ProjectId) {
        if let Some(read) = self.lock().get_mut(&project) {
            read.at = read.at.checked_sub(FRESH).unwrap_or(read.at);
        }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<ProjectId, Read>> {
        self.known.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    fn known(&self, project: ProjectId, wanted: &git::Wanted) -> Option<Read> {
        self.lock().get(&project).filter(|read| read.wanted == *wanted).cloned()
    }
}

/// A template that was found.
pub(super) struct Found {
    pub text: String,
    pub place: String,
    pub trouble: Option<String>,
}

/// A place that may hold a template.
enum Source {
    /// A folder; whether it has to be there.
    Folder(PathBuf, bool),
    Repository(&'static str),
}

impl Desk {
    /// Finds the template of a kind of mail, that of the desk where there is no project.
    pub(super) async fn template(
        &self,
        kind: MailKind,
        project: Option<&Project>,
        desk: &DeskSettings,
    ) -> Found {
        let name = mail_template(kind);
        let own = project.and_then(|project| project.settings.templates_dir.as_deref());
        let own = own.map(|dir| Source::Folder(self.folder(dir), true));
        let desks = desk.templates_dir.as_deref().map(|dir| Source::Folder(self.folder(dir), true));
        let sources = [own, Some(Source::Repository(OF_MAILS)), desks];
        let (found, trouble) = self.first(project, sources.into_iter().flatten(), name).await;
        let topic = format!("template {name} {}", project.map_or("", |project| project.path.as_str()));
        let (text, place) =
            found.unwrap_or_else(|| (mail::default_template(kind).to_owned(), "built in".to_owned()));
        match &trouble {
            Some(why) if place == "built in" => {
                self.inner.board.notice(topic, format!("the template {why}; the built-in one was used"));
            }
            Some(why) => self.inner.board.notice(topic, format!("the template {why}; {place} was used")),
            None => drop(self.inner.board.clear_notice(&topic)),
        }
        Found { text, place, trouble }
    }

    /// Gives the text that the project appends to new issues.
    async fn description_template(&self, project: &Project) -> Option<String> {
        let name = chosen(project)?;
        let topic = format!("issue template {}", project.path);
        match self.find_description(project, name).await {
            Ok(found) => {
                self.inner.board.clear_notice(&topic);
                Some(found.text)
            }
            Err(why) => {
                let words = format!("the issue template `{name}` of {} cannot be read: {why}", project.path);
                self.inner.board.notice(topic, words);
                None
            }
        }
    }

    /// Takes apart what a project appends to a new issue: the text, and what its quick actions ask for.
    ///
    /// With `silent` nothing is asked for that would be mailed. A wrong one makes the whole template text.
    pub(super) async fn appended(&self, project: &Project, silent: bool) -> Result<QuickText, Fault> {
        let Some(text) = self.description_template(project).await else { return Ok(QuickText::default()) };
        match quick_text(&text, self.now(), &self.time_zone().await?) {
            Ok(mut quick) => {
                quick.edits.retain(|edit| suits_a_template(edit, silent));
                self.inner.board.clear_notice(&actions_topic(project));
                Ok(quick)
            }
            Err(fault) => {
                self.template_trouble(project, &fault);
                Ok(QuickText { text, ..QuickText::default() })
            }
        }
    }

    /// Carries out the quick actions of a description template. What they cannot do stops no mail.
    pub(super) async fn run_template(
        &self,
        txn: &mut Txn<'_>,
        project: &Project,
        issue: IssueId,
        appended: &QuickText,
    ) {
        if appended.edits.is_empty() {
            return;
        }
        let acting = Acting::system(txn.now);
        let done = match self.check_people(txn, &appended.edits).await {
            Ok(()) => Box::pin(self.edit_one(txn, &acting, issue, &appended.edits, None)).await.map(drop),
            Err(fault) => Err(fault),
        };
        if let Err(fault) = done {
            self.template_trouble(project, &fault);
        }
    }

    fn template_trouble(&self, project: &Project, fault: &Fault) {
        let words = format!("the issue template of {}: {}", project.path, fault.message);
        self.inner.board.notice(actions_topic(project), words);
    }

    async fn find_description(&self, project: &Project, name: &str) -> Result<Found, String> {
        if name.starts_with('.') || name.chars().any(|c| c.is_control() || c == '/') {
            return Err("its name is not a file name".to_owned());
        }
        let desk = self.desk_settings().await.map_err(|fault| fault.message)?;
        let (found, trouble) = self.first(Some(project), self.description_places(project, &desk), name).await;
        let nowhere = || format!("there is no {name}.md in the folders of issue templates");
        match found {
            Some((text, place)) => Ok(Found { text, place, trouble }),
            None => Err(trouble.unwrap_or_else(nowhere)),
        }
    }

    /// Lists where description templates are looked for: in or beside the folder of the mails' templates.
    fn description_places(&self, project: &Project, desk: &DeskSettings) -> Vec<Source> {
        let beside = |dir: &str| {
            let base = self.folder(dir);
            [base.join("issue_templates"), base.join("../issue_templates")].map(|f| Source::Folder(f, false))
        };
        let own = project.settings.templates_dir.as_deref().map(beside);
        let desks = desk.templates_dir.as_deref().unwrap_or(".");
        let repository = std::iter::once(Source::Repository(OF_ISSUES));
        own.into_iter().flatten().chain(repository).chain(beside(desks)).collect()
    }

    fn folder(&self, dir: &str) -> PathBuf {
        self.inner.ways.config_dir.join(dir)
    }

    /// Gives the first sound template of this name with its place, and what is wrong with those before it.
    async fn first(
        &self,
        project: Option<&Project>,
        sources: impl IntoIterator<Item = Source>,
        name: &str,
    ) -> (Option<(String, String)>, Option<String>) {
        let mut trouble = None;
        for source in sources {
            let looked = match source {
                Source::Folder(folder, needed) => in_folder(&folder, needed, name),
                Source::Repository(folder) => match project {
                    Some(project) => self.in_repository(project, folder, name).await,
                    None => Ok(None),
                },
            };
            match looked {
                Ok(Some(found)) => return (Some(found), trouble),
                Ok(None) => {}
                Err(why) => trouble = trouble.or(Some(why)),
            }
        }
        (None, trouble)
    }

    async fn in_repository(
        &self,
        project: &Project,
        folder: &str,
        name: &str,
    ) -> Result<Option<(String, String)>, String> {
        let path = format!("{folder}/{name}.md");
        let files = self.repository_files(project).await?;
        let Some(text) = files.get(&path) else { return Ok(None) };
        let place = format!("{path} of {}", project.settings.repository.as_deref().unwrap_or_default());
        sound(name, text).map_err(|why| format!("{place} {why}"))?;
        Ok(Some((text.clone(), place)))
    }

    /// Gives the templates of a project's repository. Where git cannot tell, the last ones count.
    async fn repository_files(&self, project: &Project) -> Result<Files, String> {
        let Some(folder) = self.repository(project) else { return Ok(Files::default()) };
        let wanted = git::Wanted {
            folder,
            branch: project.settings.repository_branch.clone().filter(|name| !name.is_empty()),
            fetch: project.settings.repository_fetch,
            name: project.id.to_string(),
        };
        let shelf = &self.inner.repositories;
        let _reading = shelf.reading.lock().await;
        let known = shelf.known(project.id, &wanted);
        if let Some(read) = known.as_ref().filter(|read| read.at.elapsed() < FRESH) {
            return Ok(Arc::clone(&read.files));
        }
        let asked = tokio::time::timeout(PATIENCE, git::files(&wanted, &[OF_MAILS, OF_ISSUES])).await;
        let read = match asked {
            Ok(Ok(files)) => Ok(Arc::new(files)),
            Ok(Err(error)) => Err(format!("of the repository cannot be read: {error}")),
            Err(_) => Err("of the repository cannot be read: git did not answer".to_owned()),
        };
        let files = match (&read, known) {
            (Ok(files), _) => Arc::clone(files),
            (Err(_), Some(read)) => read.files,
            (Err(_), None) => Files::default(),
        };
        shelf.lock().insert(project.id, Read { wanted, files, at: Instant::now() });
        read
    }

    /// Lists where the templates of a project come from.
    pub(super) async fn templates(&self, acting: &Acting, path: &str) -> Result<Response, Fault> {
        let project = self.project_by_path(&acting.rights, path).await?;
        let desk = self.desk_settings().await?;
        let mut list = Vec::new();
        for (kind, name) in MAIL_TEMPLATES {
            let Found { text, place, trouble } = self.template(kind, Some(&project), &desk).await;
            let (name, kind) = (name.to_owned(), TemplateKind::Mail);
            list.push(TemplateView { name, kind, place, chosen: true, text, trouble });
        }
        let chosen = chosen(&project);
        for name in self.description_names(&project, &desk).await {
            let found = self.find_description(&project, &name).await;
            let chosen = chosen == Some(name.as_str());
            let kind = TemplateKind::Description;
            list.push(match found {
                Ok(Found { text, place, trouble }) => {
                    TemplateView { name, kind, place, chosen, text, trouble }
                }
                Err(why) => {
                    let (place, text) = ("nowhere".to_owned(), String::new());
                    TemplateView { name, kind, place, chosen, text, trouble: Some(why) }
                }
            });
        }
        Ok(Response::Templates(list))
    }

    /// Names the description templates that a project can choose from, and the one it has chosen.
    async fn description_names(&self, project: &Project, desk: &DeskSettings) -> Vec<String> {
        let mut names = std::collections::BTreeSet::new();
        for source in self.description_places(project, desk) {
            match source {
                Source::Folder(folder, _) => names.extend(names_in(&folder)),
                Source::Repository(folder) => {
                    let files = self.repository_files(project).await.unwrap_or_default();
                    let name = |path: &String| {
                        Some(path.strip_prefix(folder)?.strip_prefix('/')?.strip_suffix(".md")?.to_owned())
                    };
                    names.extend(files.keys().filter_map(name));
                }
            }
        }
        names.extend(chosen(project).map(str::to_owned));
        names.into_iter().collect()
    }

    /// Shows how a mail would look with the data of an issue. Nothing is written.
    pub(super) async fn preview_template(
        &self,
        acting: &Acting,
        asked: PreviewTemplate,
    ) -> Result<Response, Fault> {
        let kind = mail_kind(&asked.name)?;
        let id = match &asked.reference {
            Some(reference) => Some(self.resolve(&acting.rights, reference).await?),
            None => {
                let project = self.project_by_path(&acting.rights, &asked.project).await?;
                let query = Query::parse(&format!("type:ticket project:{} sort:created-desc", project.path))?;
                self.inner.index.find(&query, &self.viewer(acting), 0, 1).issues.first().copied()
            }
        };
        let mut project = match id {
            Some(id) => self.project_of_issue(id).await?,
            None => self.project_by_path(&acting.rights, &asked.project).await?,
        };
        let desk = self.desk_settings().await?;
        let found = match asked.text {
            Some(text) => {
                Found { trouble: sound(mail_template(kind), &text).err(), text, place: "as written".into() }
            }
            None => self.template(kind, Some(&project), &desk).await,
        };
        // What is written into this step is thrown away with it.
        let mut txn = Txn::new(&self.inner.store, self.now());
        let (issue, notes) = match id {
            Some(id) => (self.load_issue(&mut txn, id).await?, txn.list::<Note>(&txn::below(id.0)).await?),
            None => (self.number_issue(&mut txn, &mut project, "Cannot log in").await?, Vec::new()),
        };
        let last = notes.iter().rev().find(|note| note.kind == NoteKind::Reply);
        let text = last.map_or("This is what you write.".to_owned(), |note| signed_text(note, &project));
        let description = match id {
            Some(_) => self.description(&mut txn, &issue).await?,
            None => "It says that my token is invalid.".to_owned(),
        };
        let author = last.map_or(acting.user.display_name(), |note| note.author.label());
        let told = Told { author, text: &text, description: &description };
        let filled = self.filled(&found.text, &issue, &project, &desk, NO_KEY, &told);
        Ok(Response::TemplatePreview(Box::new(TemplatePreview {
            name: mail_template(kind).to_owned(),
            place: found.place,
            reference: id.map(|_| super::letters::reference(&project, &issue)),
            subject: subject(kind, &issue, &project.path),
            text: mail::markdown_to_text(&filled),
            html: mail::markdown_to_html(&filled),
            trouble: found.trouble,
        })))
    }
}

/// Tells whether a template may ask for this: nothing that needs a person to have looked, and in a silent
/// import nothing that is mailed.
fn suits_a_template(edit: &Edit, silent: bool) -> bool {
    match edit {
        Edit::Spam(_) | Edit::DuplicateOf(_) | Edit::MergeInto(_) => false,
        Edit::Assign(name) => name != "me",
        Edit::AddEmail(_) | Edit::Close | Edit::Reopen => !silent,
        _ => true,
    }
}

/// Looks for a template in a folder. Fails with its path and what is wrong with it.
fn in_folder(folder: &Path, needed: bool, name: &str) -> Result<Option<(String, String)>, String> {
    let path = folder.join(format!("{name}.md"));
    let place = path.display().to_string();
    let cannot = |error: std::io::Error| format!("{place} cannot be read ({error})");
    match std::fs::metadata(&path) {
        // A folder need not hold all of them; one that is not there is a mistake.
        Err(error) if error.kind() == ErrorKind::NotFound => match needed && !folder.is_dir() {
            true => return Err(cannot(error)),
            false => return Ok(None),
        },
        Err(error) => return Err(cannot(error)),
        Ok(file) if !file.is_file() => return Err(format!("{place} is no file")),
        Ok(file) if file.len() > OCTETS => return Err(format!("{place} is larger than 256 KB")),
        Ok(_) => {}
    }
    let text = std::fs::read_to_string(&path).map_err(cannot)?;
    sound(name, &text).map_err(|why| format!("{place} {why}"))?;
    Ok(Some((text, place)))
}

fn names_in(folder: &Path) -> Vec<String> {
    let files = std::fs::read_dir(folder).into_iter().flatten().flatten();
    files.filter_map(|file| Some(file.file_name().to_str()?.strip_suffix(".md")?.to_owned())).collect()
}

/// Refuses a template that cannot be used: a mail made of it would not say what it is sent for.
fn sound(name: &str, text: &str) -> Result<(), String> {
    if text.trim().is_empty() {
        return Err("is empty".to_owned());
    }
    let is_note = name == mail_template(MailKind::NewNote);
    match is_note && !mail::has_placeholder(text, "NOTE_TEXT") {
        true => Err("does not hold %{NOTE_TEXT}".to_owned()),
        false => Ok(()),
    }
}

fn actions_topic(project: &Project) -> String {
    format!("issue template actions {}", project.path)
}

/// Names the description template that a project appends to new issues.
fn chosen(project: &Project) -> Option<&str> {
    let name = project.settings.issue_template.as_deref().filter(|name| !name.is_empty())?;
    Some(name.strip_suffix(".md").unwrap_or(name))
}

/// Gives the name of the template of a kind of mail; kinds without one get the note's.
fn mail_template(kind: MailKind) -> &'static str {
    MAIL_TEMPLATES.iter().find(|(of, _)| *of == kind).map_or("new_note", |(_, name)| name)
}

fn mail_kind(name: &str) -> Result<MailKind, Fault> {
    let wanted = name.trim_end_matches(".md");
    let known = MAIL_TEMPLATES.iter().find(|(_, name)| *name == wanted);
    known.map(|(kind, _)| *kind).ok_or_else(|| {
        let names: Vec<&str> = MAIL_TEMPLATES.iter().map(|(_, name)| *name).collect();
        Fault::usage(format!("no mail is made from a template `{name}`"))
            .hint(format!("there are {}", names.join(", ")))
    })
}
