//! A project's export of GitLab: `tree/project/*.ndjson`, one record a line, and `uploads/SECRET/NAME`.
//!
//! Reads it into the desk's own words. What does not read is named and left out; the rest goes on.

use crate::domain::{
    CategoryKind, EmailAddress, ImportAuthor, ImportIssue, ImportNote, IssueKind, NoteKind, Upload,
};
use crate::source::archive::{self, Packed};
use jiff::Timestamp;
use jiff::civil::Date;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use tempfile::TempDir;

/// The largest file that is taken over, in octets.
const FILE_MAX: u64 = 256 << 20;
/// The most octets of files of one note.
const NOTE_MAX: u64 = 512 << 20;
/// The longest line, and the most of a small table.
const LINE_MAX: u64 = 256 << 20;
/// The name under which GitLab's own account writes what came by mail.
const BOT: &str = "GitLab Support Bot";

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Row {
    id: u64,
    iid: u64,
    project_id: u64,
    title: String,
    description: Option<String>,
    state: Option<String>,
    author_id: Option<u64>,
    confidential: Option<bool>,
    created_at: Option<Timestamp>,
    updated_at: Option<Timestamp>,
    closed_at: Option<Timestamp>,
    due_date: Option<Date>,
    weight: Option<u32>,
    time_estimate: Option<i64>,
    timelogs: Vec<Timelog>,
    milestone: Option<Titled>,
    label_links: Vec<LabelLink>,
    issue_assignees: Vec<Assignee>,
    issue_email_participants: Vec<Address>,
    service_desk_reply_to: Option<String>,
    external_author: Option<String>,
    notes: Vec<RowNote>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct RowNote {
    id: u64,
    note: Option<String>,
    author_id: Option<u64>,
    author: Option<Named>,
    created_at: Option<Timestamp>,
    system: bool,
    internal: Option<bool>,
    confidential: Option<bool>,
    note_metadata: Option<Metadata>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Metadata {
    email_participant: Option<String>,
    external_author: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Named {
    name: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Titled {
    title: String,
    color: Option<String>,
    description: Option<String>,
    start_date: Option<Date>,
    due_date: Option<Date>,
    state: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Timelog {
    time_spent: i64,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct LabelLink {
    label: Option<Titled>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Assignee {
    user_id: u64,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Address {
    email: String,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct MemberRow {
    user: Option<Account>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
struct Account {
    id: u64,
    email: Option<String>,
    public_email: Option<String>,
    username: Option<String>,
}

/// An export that was opened: its small tables, and where the rest lies.
pub struct Export {
    folder: TempDir,
    project: String,
    accounts: BTreeMap<u64, Account>,
    labels: Vec<Titled>,
    milestones: Vec<Titled>,
    /// Uploaded files by the secret part of their path: the name, and the file that holds the bytes.
    uploads: BTreeMap<String, (String, PathBuf)>,
    /// What was left out, in words.
    pub left_out: Vec<String>,
}

impl Export {
    /// Reads an archive once; large parts go into a folder of their own that vanishes with this.
    pub fn open(path: &Path, project: &str) -> io::Result<Self> {
        let mut export = Self {
            folder: tempfile::tempdir()?,
            project: project.to_owned(),
            accounts: BTreeMap::new(),
            labels: Vec::new(),
            milestones: Vec::new(),
            uploads: BTreeMap::new(),
            left_out: Vec::new(),
        };
        let left_out = archive::each_file(path, |file| export.take(file))?;
        export.left_out.extend(left_out);
        if !export.issues_file().exists() {
            return Err(io::Error::other("it holds no tree/project/issues.ndjson"));
        }
        Ok(export)
    }

    fn issues_file(&self) -> PathBuf {
        self.folder.path().join("issues")
    }

    fn take(&mut self, file: Packed<'_>) -> io::Result<()> {
        match file.path.as_str() {
            "tree/project/issues.ndjson" => {
                io::copy(file.content, &mut File::create(self.issues_file())?)?;
            }
            "tree/project/labels.ndjson" => self.labels = self.rows(file)?,
            "tree/project/milestones.ndjson" => self.milestones = self.rows(file)?,
            "tree/project/project_members.ndjson" => {
                let members: Vec<MemberRow> = self.rows(file)?;
                let accounts = members.into_iter().filter_map(|member| member.user);
                self.accounts = accounts.map(|account| (account.id, account)).collect();
            }
            path => {
                if let Some((secret, name)) = upload(path) {
                    self.keep(secret.to_owned(), name.to_owned(), file)?;
                }
            }
        }
        Ok(())
    }

    fn keep(&mut self, secret: String, name: String, file: Packed<'_>) -> io::Result<()> {
        if file.size > FILE_MAX {
            self.left_out.push(format!("{}: larger than {} MiB", file.path, FILE_MAX >> 20));
            return Ok(());
        }
        // Under a number, whatever it is called over there.
        let place = self.folder.path().join(format!("upload-{}", self.uploads.len()));
        io::copy(&mut file.content.take(FILE_MAX), &mut File::create(&place)?)?;
        self.uploads.insert(secret, (name, place));
        Ok(())
    }

    fn rows<T: DeserializeOwned>(&mut self, file: Packed<'_>) -> io::Result<Vec<T>> {
        let mut rows = Vec::new();
        for (number, line) in (1..).zip(BufReader::new(file.content.take(LINE_MAX)).split(b'\n')) {
            match serde_json::from_slice(&line?) {
                Ok(row) => rows.push(row),
                Err(error) => self.left_out.push(format!("{}, line {number}: {error}", file.path)),
            }
        }
        Ok(rows)
    }

    /// Gives the labels and milestones as they are added here.
    pub fn categories(&self) -> Vec<(CategoryKind, Vec<(String, String)>)> {
        let field = |name: &str, value: Option<String>| {
            value.filter(|value| !value.is_empty()).map(|value| (name.to_owned(), value))
        };
        let label = |row: &Titled| {
            let fields = [
                field("name", Some(row.title.clone())),
                field("colour", row.color.clone()),
                field("description", row.description.clone()),
            ];
            (CategoryKind::Label, fields.into_iter().flatten().collect())
        };
        let milestone = |row: &Titled| {
            let closed = (row.state.as_deref() == Some("closed")).then(|| "true".to_owned());
            let fields = [
                field("title", Some(row.title.clone())),
                field("start", row.start_date.map(|date| date.to_string())),
                field("due", row.due_date.map(|date| date.to_string())),
                field("closed", closed),
                field("description", row.description.clone()),
            ];
            (CategoryKind::Milestone, fields.into_iter().flatten().collect())
        };
        self.labels.iter().map(label).chain(self.milestones.iter().map(milestone)).collect()
    }

    /// Goes through the issues; one that does not read is told of in words.
    pub fn issues(&self) -> io::Result<impl Iterator<Item = Result<ImportIssue, String>> + '_> {
        let mut lines = BufReader::new(File::open(self.issues_file())?);
        let mut number = 0;
        Ok(std::iter::from_fn(move || {
            let mut line = Vec::new();
            number += 1;
            match (&mut lines).take(LINE_MAX).read_until(b'\n', &mut line) {
                Ok(0) => None,
                Ok(_) => Some(self.issue(&line).map_err(|error| format!("issue on line {number}: {error}"))),
                Err(error) => Some(Err(format!("line {number}: {error}"))),
            }
        }))
    }

    fn issue(&self, line: &[u8]) -> Result<ImportIssue, String> {
        let row: Row = serde_json::from_slice(line).map_err(|error| error.to_string())?;
        let created_at = row.created_at.ok_or("it has no created_at")?;
        let people = people(&row);
        let ticket = !people.is_empty();
        let place = format!("gitlab-{}-{}-{}", row.project_id, row.id, created_at.as_millisecond());
        let requester = people.first().cloned();
        let opener = match &requester {
            Some(email) => ImportAuthor { email: Some(email.clone()), ..ImportAuthor::default() },
            None => self.account(row.author_id, None),
        };
        let text = row.description.clone().unwrap_or_default();
        let opening = ImportNote {
            key: format!("{place}-description"),
            kind: if ticket { NoteKind::Incoming } else { NoteKind::Internal },
            author: opener.clone(),
            files: self.files(&text)?,
            body: text,
            created_at,
        };
        let mut notes = vec![opening];
        for note in &row.notes {
            notes.push(self.note(note, &place, requester.as_ref(), created_at)?);
        }
        // Over there they come as the database gave them.
        notes.get_mut(1..).unwrap_or_default().sort_by_key(|note| note.created_at);
        let labels: BTreeSet<String> =
            row.label_links.iter().filter_map(|link| Some(link.label.as_ref()?.title.clone())).collect();
        Ok(ImportIssue {
            project: self.project.clone(),
            key: place,
            iid: row.iid,
            title: row.title,
            kind: if ticket { IssueKind::Ticket } else { IssueKind::Issue },
            closed: row.state.as_deref() == Some("closed"),
            confidential: row.confidential.unwrap_or(false),
            labels: labels.into_iter().collect(),
            milestone: row.milestone.map(|milestone| milestone.title),
            weight: row.weight,
            estimate: row.time_estimate.filter(|seconds| *seconds > 0),
            spent: row.timelogs.iter().map(|log| log.time_spent).fold(0, i64::saturating_add),
            due_at: row.due_date.and_then(|date| Some(date.in_tz("UTC").ok()?.timestamp())),
            created_at,
            updated_at: row.updated_at.unwrap_or(created_at),
            closed_at: row.closed_at,
            author: opener,
            assignees: row.issue_assignees.iter().map(|who| self.account(Some(who.user_id), None)).collect(),
            participants: people,
            notes,
        })
    }

    fn note(
        &self,
        note: &RowNote,
        place: &str,
        requester: Option<&EmailAddress>,
        opened: Timestamp,
    ) -> Result<ImportNote, String> {
        let name = note.author.as_ref().and_then(|author| author.name.clone());
        let told = note.note_metadata.as_ref().and_then(|told| {
            told.email_participant
                .as_deref()
                .or(told.external_author.as_deref())
                .and_then(EmailAddress::parse)
        });
        let by_mail = told.is_some() || name.as_deref() == Some(BOT);
        let outside = told.or_else(|| requester.cloned()).filter(|_| by_mail && !note.system);
        let hidden = note.internal.or(note.confidential).unwrap_or(false);
        let kind = match (note.system, &outside) {
            (true, _) => NoteKind::System,
            (false, _) if hidden => NoteKind::Internal,
            (false, Some(_)) => NoteKind::Incoming,
            (false, None) => NoteKind::Reply,
        };
        let author = match outside {
            Some(email) => ImportAuthor { email: Some(email), ..ImportAuthor::default() },
            None => self.account(note.author_id, name),
        };
        let body = note.note.clone().unwrap_or_default();
        let files = self.files(&body)?;
        let created_at = note.created_at.unwrap_or(opened);
        Ok(ImportNote { key: format!("{place}-note-{}", note.id), kind, author, body, created_at, files })
    }

    fn account(&self, id: Option<u64>, name: Option<String>) -> ImportAuthor {
        let Some(account) = id.and_then(|id| self.accounts.get(&id)) else {
            return ImportAuthor { name, ..ImportAuthor::default() };
        };
        let email = account.email.as_deref().or(account.public_email.as_deref());
        ImportAuthor { name, email: email.and_then(EmailAddress::parse), username: account.username.clone() }
    }

    /// Reads the files that a text links to.
    fn files(&self, text: &str) -> Result<Vec<Upload>, String> {
        let mut files = Vec::new();
        let mut octets = 0;
        for secret in linked(text) {
            let Some((name, place)) = self.uploads.get(secret) else { continue };
            let bytes = std::fs::read(place).map_err(|error| format!("{name}: {error}"))?;
            octets += bytes.len() as u64;
            if octets > NOTE_MAX {
                return Err(format!("the files of a note take more than {} MiB", NOTE_MAX >> 20));
            }
            files.push(Upload { name: name.clone(), bytes });
        }
        Ok(files)
    }
}

/// Lists the outside persons, the one whose ticket it is first.
fn people(row: &Row) -> Vec<EmailAddress> {
    let first = row.service_desk_reply_to.as_deref().or(row.external_author.as_deref());
    let others = row.issue_email_participants.iter().map(|person| person.email.as_str());
    let mut people: Vec<EmailAddress> = Vec::new();
    for email in first.into_iter().chain(others).filter_map(EmailAddress::parse) {
        if !people.contains(&email) {
            people.push(email);
        }
    }
    people
}

/// Reads the path of an uploaded file: its secret and its name.
fn upload(path: &str) -> Option<(&str, &str)> {
    let (secret, name) = path.strip_prefix("uploads/")?.split_once('/')?;
    (is_secret(secret) && !name.contains('/')).then_some((secret, name))
}

/// Lists the secrets of the files that a text links to, each once.
fn linked(text: &str) -> Vec<&str> {
    let mut found: Vec<&str> = Vec::new();
    for rest in text.split("/uploads/").skip(1) {
        if let Some((secret, _)) = rest.split_once('/')
            && is_secret(secret)
            && !found.contains(&secret)
        {
            found.push(secret);
        }
    }
    found
}

fn is_secret(text: &str) -> bool {
    (32..=64).contains(&text.len()) && text.bytes().all(|octet| octet.is_ascii_hexdigit())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_files_of_a_text_are_found_by_their_secret() {
        let secret = "0123456789abcdef0123456789abcdef";
        let text = format!(
            "see ![a](/uploads/{secret}/a.png) and [b](/uploads/nothing/b.txt) /uploads/{secret}/a.png"
        );
        assert_eq!(linked(&text), [secret]);
        assert_eq!(upload(&format!("uploads/{secret}/a.png")), Some((secret, "a.png")));
        for other in ["uploads/x/a.png", "lfs-objects/1", &format!("uploads/{secret}/b/a.png")] {
            assert_eq!(upload(other), None, "{other}");
        }
    }
}
