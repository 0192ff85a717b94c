//! What can be said on the command line.

mod init;
mod issue;
mod whose;

pub use init::{Init, Tls};
pub use issue::{EditArgs, Issue, MergeArgs, NoteArgs, NoteEachArgs};
pub use whose::{Named, NamedWithin, Whose, Within};

use super::here::Deeds;
use crate::domain::{EmailAddress, Fate, IntakeId, OutboxId, Reference, Role};
use clap::{Args, Parser, Subcommand, ValueHint};
use std::path::PathBuf;

/// A service desk in the terminal: customers write mail, you answer from the keyboard.
#[derive(Debug, Parser)]
#[command(
    name = "deskbell",
    version,
    max_term_width = 100,
    after_help = "Without a command the desk opens on the screen.\n\n\
                  Begin with:\n  \
                  deskbell demo    see everything on a throw-away desk, no server needed\n  \
                  deskbell init    write a config, try both connections, make the first project\n\n\
                  Exit codes: 0 done, 1 failed, 2 wrong usage or config, 3 partly done."
)]
pub struct Cli {
    #[command(flatten)]
    pub global: Global,
    #[command(subcommand)]
    pub command: Option<Command>,
}

/// What every command takes.
#[derive(Clone, Debug, Args)]
pub struct Global {
    /// The config file.
    #[arg(long, global = true, env = "DESKBELL_CONFIG", value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub config: Option<PathBuf>,
    /// The folder with the desk's data.
    #[arg(long, global = true, env = "DESKBELL_DATA_DIR", value_name = "DIR", value_hint = ValueHint::DirPath)]
    pub data_dir: Option<PathBuf>,
    /// Works on the desk over there: ssh://user@host.
    #[arg(long, global = true, value_name = "URL")]
    pub host: Option<String>,
    /// Prints JSON instead of text.
    #[arg(long, global = true)]
    pub json: bool,
    /// Whether the config was named by --config, and not by the environment or not at all.
    #[arg(skip)]
    pub config_is_named: bool,
    /// What the command has changed so far; nobody says it.
    #[arg(skip)]
    pub deeds: Deeds,
}

#[derive(Debug, Subcommand)]
pub enum Command {
    /// Shows everything on a throw-away desk, filled from the mails of a small vendor's week.
    Demo(Demo),
    /// Writes a config, tries both connections and makes the first project.
    Init(Init),
    /// Tries every connection and says what fails and what cures it.
    Doctor {
        /// Also mails itself through each keyed mailbox and waits for that mail.
        #[arg(long)]
        round_trip: bool,
    },
    /// Says how the desk is doing; exits 1 when something has failed for too long.
    Status,
    /// Says who is at which issue now, and what they write there.
    Who,
    /// Serves the desk: reads the mailboxes, sends the outbox, until it is stopped.
    Sync(Sync),
    /// Takes mail in from files, folders or standard input.
    #[command(
        after_help = "Examples:\n  deskbell deliver mail.eml\n  deskbell deliver old.mbox --silent\n  \
                            cat mail.eml | deskbell deliver - --to help+acme-1-issue-@example.com"
    )]
    Deliver(Deliver),
    /// Makes and changes projects.
    #[command(subcommand)]
    Project(Project),
    /// Says who the staff are.
    #[command(subcommand)]
    User(User),
    /// Says who belongs to a project.
    #[command(subcommand)]
    Member(Member),
    /// Shows and changes the settings of the whole desk.
    #[command(subcommand)]
    Desk(Desk),
    /// Lists, shows, opens, answers and changes issues.
    #[command(subcommand)]
    Issue(Issue),
    /// Shows outgoing mail, and tries, cancels or releases it.
    #[command(subcommand)]
    Outbox(Outbox),
    /// Shows every mail that came in, what became of it and why.
    #[command(subcommand)]
    Intake(Intake),
    /// Keeps texts that are written again and again.
    #[command(subcommand)]
    Canned(super::canned::Canned),
    /// Keeps macros: quick actions and a reply that are carried out at once, on one issue or on many.
    #[command(subcommand)]
    Macro(super::macros::Macro),
    /// Keeps queries that are looked at again and again: the tabs over the list.
    #[command(subcommand)]
    View(super::view::Views),
    /// Keeps the labels of a project.
    #[command(subcommand)]
    Label(super::category::Label),
    /// Keeps the milestones of a project, and says how far they are.
    #[command(subcommand)]
    Milestone(super::category::Milestone),
    /// Says what the desk does by itself with issues that a query finds.
    #[command(subcommand)]
    Rule(super::rule::Rule),
    /// Shows figures about issues: volume, backlog, answers, clocks, hours, groups.
    #[command(
        after_help = "Times are working time, by the settings `hours` and `holidays`; in CSV and JSON they are seconds.\n\n\
                      Example:\n  deskbell report response 'project:acme/support' --since 2026-01-01 --format html > response.html"
    )]
    Report(super::report::Report),
    /// Makes, lists and changes clocks: how long people may wait.
    #[command(subcommand)]
    Clock(super::clock::Clock),
    /// Keeps the lists of senders: allowed, blocked, set aside.
    #[command(subcommand)]
    Sender(super::sender::Sender),
    /// Shows where the texts of mails and new issues come from, and how a mail would look.
    #[command(subcommand)]
    Template(super::template::Template),
    /// Takes news of commits, from hooks and CI: what they say they fix is closed.
    #[command(subcommand)]
    Hook(super::hook::Hook),
    /// Signs in at the provider of a mailbox or outlet (OAuth2).
    Login(super::login::Asked),
    /// Shows, gives out or erases what is kept of an outside person.
    #[command(subcommand)]
    Person(super::person::Person),
    /// Takes back your own last change, or the one that is named.
    #[command(after_help = "Examples:\n  deskbell undo\n  deskbell undo --list\n  deskbell undo 4711")]
    Undo {
        /// The number of a change of yours, as --list gives it.
        #[arg(conflicts_with = "list")]
        id: Option<u64>,
        /// Lists the last changes of everybody, with their causes.
        #[arg(long)]
        list: bool,
        /// So many at most.
        #[arg(long, default_value_t = 50)]
        limit: u64,
    },
    /// Does again what you took back.
    Redo,
    /// Writes every issue as files: a folder for each with Markdown, JSON, the raw mails as mbox, and attachments.
    #[command(
        after_help = "Example:\n  deskbell export desk && git -C desk add . && git -C desk commit -m 'the desk'"
    )]
    Export {
        /// The folder to write into.
        #[arg(value_hint = ValueHint::DirPath)]
        dir: PathBuf,
    },
    /// Takes over what another desk or mail program kept; nobody is mailed.
    #[command(subcommand)]
    Import(super::import::Import),
    /// Writes a consistent copy of the desk into one file, while it runs.
    Backup {
        /// The file to write.
        #[arg(value_hint = ValueHint::FilePath)]
        file: PathBuf,
        /// Replaces a file that is there.
        #[arg(long)]
        force: bool,
    },
    /// Makes a desk from a backup, in a data dir that holds none. Unsent mail is held for review.
    Restore {
        /// The backup.
        #[arg(value_hint = ValueHint::FilePath)]
        file: PathBuf,
    },
    /// Checks and rebuilds what the desk keeps.
    #[command(subcommand)]
    Maintenance(Maintenance),
    /// Speaks the desk's protocol on standard input and output, for ssh.
    Attach {
        /// On standard input and output, the only way there is.
        #[arg(long, required = true)]
        stdio: bool,
        /// Who acts, for an account that several people share.
        #[arg(long = "as", value_name = "USER")]
        user: Option<String>,
    },
    /// Prints completions for a shell.
    Completions { shell: clap_complete::Shell },
    /// Prints the manual page.
    Man,
}

#[derive(Debug, Args)]
pub struct Demo {
    /// Keeps the throw-away desk in this folder instead of a temporary one.
    #[arg(long, value_hint = ValueHint::DirPath)]
    pub keep: Option<PathBuf>,
    /// Fills the desk, prints its issues and leaves, without a screen.
    #[arg(long)]
    pub list: bool,
}

#[derive(Debug, Args)]
pub struct Sync {
    /// One pass over every mailbox and all that is due in the outbox.
    #[arg(long)]
    pub once: bool,
    /// Ends when the last front end has left and nothing is held or due.
    #[arg(long, hide = true, conflicts_with = "once")]
    pub while_used: bool,
}

#[derive(Debug, Args)]
pub struct Deliver {
    /// A message, an mbox, a Maildir, any folder, or - for standard input.
    #[arg(required = true, value_hint = ValueHint::AnyPath)]
    pub paths: Vec<PathBuf>,
    /// The envelope recipient.
    #[arg(long, value_name = "ADDRESS")]
    pub to: Option<String>,
    /// The mailbox it counts as having come by.
    #[arg(long, value_name = "NAME")]
    pub mailbox: Option<String>,
    /// Causes no mail to anyone.
    #[arg(long)]
    pub silent: bool,
    /// Says what would happen and writes nothing.
    #[arg(long)]
    pub dry_run: bool,
}

#[derive(Debug, Subcommand)]
pub enum Project {
    /// Makes a project; it is enabled at once.
    Add {
        /// The project, as group/name.
        path: String,
    },
    /// Lists the projects.
    List,
    /// Shows a project with its addresses and settings.
    Show {
        /// The project, as group/name.
        path: String,
    },
    /// Changes settings: key=value…
    #[command(
        after_help = "Example:\n  deskbell project set acme/support suffix=help display_name='Acme Support'"
    )]
    Set {
        /// The project, as group/name.
        path: String,
        /// Settings, as key=value.
        #[arg(required = true, value_parser = setting)]
        settings: Vec<(String, String)>,
    },
    /// Activates Service Desk.
    Enable {
        /// The project, as group/name.
        path: String,
    },
    /// Turns Service Desk off; new mail waits in triage.
    Disable {
        /// The project, as group/name.
        path: String,
    },
    /// Gives a project another path; its published addresses go on working.
    Rename {
        /// The project, as group/name.
        path: String,
        /// The new path, as group/name.
        to: String,
    },
    /// Gives the generated address another key; mail to the old one waits in triage.
    RotateKey {
        /// The project, as group/name.
        path: String,
    },
    /// Further addresses, whose issues can be labelled and assigned.
    #[command(subcommand)]
    Address(super::project::Address),
    /// The project's own sender address, through an outlet of its own.
    #[command(subcommand)]
    CustomEmail(super::custom::CustomEmail),
}

#[derive(Debug, Subcommand)]
pub enum User {
    /// Adds one of the staff.
    Add {
        name: String,
        /// The name that customers read.
        #[arg(long)]
        full_name: Option<String>,
        /// An address of theirs; may be said again.
        #[arg(long)]
        email: Vec<EmailAddress>,
        /// The system user who acts as this person.
        #[arg(long)]
        system_user: Option<String>,
    },
    /// Lists the staff.
    List,
    /// Shows one of the staff, and what they are told by mail.
    Show { name: String },
    /// Changes somebody: full_name, emails, system_user, owner; and what they may change themselves:
    /// notify.EVENT, quiet_hours, digest_at, time_zone, address+, address-.
    #[command(
        after_help = "Events: new_issue, answer, my_answer, note, assigned, mentioned, closed, reopened, rule; each \
                            is told at_once, with the day's digest, or off.\nExamples:\n  \
                            deskbell user set mia notify.new_issue=digest notify.note@acme/support=at_once\n  \
                            deskbell user set mia quiet_hours=22:00-07:00 digest_at=08:00 time_zone=Europe/Berlin\n  \
                            deskbell user set mia address+=mia@home.example"
    )]
    Set {
        name: String,
        /// Settings, as key=value.
        #[arg(required = true, value_parser = setting)]
        settings: Vec<(String, String)>,
    },
    /// Takes somebody off the staff; what they wrote stays.
    Remove { name: String },
}

#[derive(Debug, Subcommand)]
pub enum Member {
    /// Makes somebody a member of a project.
    Add {
        /// The project, as group/name.
        project: String,
        /// The user's name.
        user: String,
        /// guest, reporter, developer, maintainer or owner.
        #[arg(long, default_value = "developer", value_parser = word::<Role>)]
        role: Role,
    },
    /// Lists the members of a project.
    List {
        /// The project, as group/name.
        project: String,
    },
    /// Changes a member's role.
    Set {
        /// The project, as group/name.
        project: String,
        /// The user's name.
        user: String,
        /// guest, reporter, developer, maintainer or owner.
        #[arg(long, value_parser = word::<Role>)]
        role: Role,
    },
    /// Takes somebody out of a project.
    Remove {
        /// The project, as group/name.
        project: String,
        /// The user's name.
        user: String,
    },
}

#[derive(Debug, Subcommand)]
pub enum Desk {
    /// Shows the settings of the whole desk.
    Show,
    /// Changes settings: key=value…; `holidays=@FILE` reads a calendar (iCalendar).
    #[command(
        after_help = "Example:\n  deskbell desk set time_zone=Europe/Berlin hours='mon-fri 09:00-17:00' holidays='12-25, 12-26, 2026-05-14'"
    )]
    Set {
        /// Settings, as key=value.
        #[arg(required = true, value_parser = setting)]
        settings: Vec<(String, String)>,
    },
}

#[derive(Debug, Subcommand)]
pub enum Outbox {
    /// Lists outgoing mail, the latest first.
    List {
        /// So many at most.
        #[arg(long, default_value_t = 50)]
        limit: u64,
    },
    /// Tries a deferred or failed mail now.
    Retry {
        /// The numbers of mails, as `outbox list` has them.
        #[arg(required = true, value_parser = outbox_id)]
        ids: Vec<OutboxId>,
    },
    /// Takes a mail out that was not sent yet.
    Cancel {
        /// The numbers of mails, as `outbox list` has them.
        #[arg(required = true, value_parser = outbox_id)]
        ids: Vec<OutboxId>,
    },
    /// Lets a held mail go.
    Release {
        /// The numbers of mails, as `outbox list` has them.
        #[arg(required = true, value_parser = outbox_id)]
        ids: Vec<OutboxId>,
    },
}

#[derive(Debug, Subcommand)]
pub enum Intake {
    /// Lists arrivals, the latest first.
    List {
        /// Only mails with this fate, such as issue, reply, spam or triage.
        #[arg(long, value_parser = word::<Fate>)]
        fate: Option<Fate>,
        /// So many at most.
        #[arg(long, default_value_t = 50)]
        limit: u64,
    },
    /// Shows one arrival.
    Show {
        /// The number of the mail, as `intake list` has it.
        #[arg(value_parser = intake_id)]
        id: IntakeId,
        /// Prints the bytes of the mail.
        #[arg(long)]
        raw: bool,
    },
    /// Runs a mail through the intake again.
    Retry {
        /// The number of the mail, as `intake list` has it.
        #[arg(value_parser = intake_id)]
        id: IntakeId,
    },
    /// Makes a mail a note of an issue.
    Attach {
        /// The number of the mail, as `intake list` has it.
        #[arg(value_parser = intake_id)]
        id: IntakeId,
        /// The issue: 12, #12 or acme/support#12.
        reference: Reference,
    },
    /// Makes a mail an issue of a project.
    Issue {
        /// The number of the mail, as `intake list` has it.
        #[arg(value_parser = intake_id)]
        id: IntakeId,
        /// The project, as group/name.
        project: String,
    },
    /// Says that a mail is no spam: it becomes an issue, with its acknowledgement.
    Ham {
        /// The number of the mail, as `intake list` has it.
        #[arg(value_parser = intake_id)]
        id: IntakeId,
        /// Lets further mail of its sender in as well.
        #[arg(long)]
        allow_sender: bool,
    },
    /// Lets further mail of the sender of a mail in; `retry` takes this one.
    Allow {
        /// The number of the mail, as `intake list` has it.
        #[arg(value_parser = intake_id)]
        id: IntakeId,
    },
    /// Takes further mail of the sender of a mail for spam.
    Block {
        /// The number of the mail, as `intake list` has it.
        #[arg(value_parser = intake_id)]
        id: IntakeId,
    },
}

#[derive(Clone, Copy, Debug, Subcommand)]
pub enum Maintenance {
    /// Makes everything anew that is derived from the journal.
    Rebuild,
    /// Gives space back, while the desk is in use: changes wait meanwhile, reading does not.
    ///
    /// The journal is written anew without what nothing names any more, and the documents and the full text are
    /// made anew from it. It needs as much free space as the desk has.
    Compact,
    /// Checks everything against the journal.
    Verify,
}

/// A value, or plainly none.
#[derive(Clone, Debug)]
pub struct OrNone<T>(pub Option<T>);

/// Reads `key=value`.
pub fn setting(text: &str) -> Result<(String, String), String> {
    let (key, value) = text.split_once('=').ok_or("write it as key=value")?;
    // What stands behind an `@` is a path, and a dash at the end takes something away.
    let (name, rest) = key.trim().find(['@', '+']).map_or((key.trim(), ""), |at| key.trim().split_at(at));
    let (name, taken) = name.strip_suffix('-').map_or((name, ""), |name| (name, "-"));
    Ok((format!("{}{taken}{rest}", name.replace('-', "_")), value.to_owned()))
}

/// Reads a word that JSON knows as well.
fn word<T: serde::de::DeserializeOwned>(text: &str) -> Result<T, String> {
    serde_json::from_value(serde_json::Value::String(text.replace('-', "_"))).map_err(|e| e.to_string())
}

fn optional<T: serde::de::DeserializeOwned>(text: &str) -> Result<OrNone<T>, String> {
    match text {
        "none" | "" => Ok(OrNone(None)),
        other => word(other).map(|value| OrNone(Some(value))),
    }
}

fn outbox_id(text: &str) -> Result<OutboxId, String> {
    text.parse().map(OutboxId).map_err(|_| "write the number that `outbox list` shows".to_owned())
}

fn intake_id(text: &str) -> Result<IntakeId, String> {
    text.parse().map(IntakeId).map_err(|_| "write the number that `intake list` shows".to_owned())
}
