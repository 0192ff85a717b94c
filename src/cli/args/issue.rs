//! The arguments of `deskbell issue …`.

use super::{OrNone, optional, word};
use crate::domain::{EmailAddress, Priority, Reference, Status};
use clap::{Args, Subcommand, ValueHint};
use std::path::PathBuf;

#[derive(Debug, Subcommand)]
pub enum Issue {
    /// Lists what a query finds, the latest change first.
    #[command(after_help = "Examples:\n  deskbell issue list 'is:open waiting:us'\n  \
                            deskbell issue list 'from:ada invoice' --json")]
    List {
        /// The query, as on the screen; every issue unless given.
        query: Vec<String>,
        /// Within a view, by its name.
        #[arg(long, value_name = "NAME")]
        view: Option<String>,
        /// So many at most.
        #[arg(long, default_value_t = 50)]
        limit: u64,
        /// So many are left out at the beginning.
        #[arg(long, default_value_t = 0)]
        offset: u64,
    },
    /// Shows one issue with all its notes.
    Show {
        /// The issue: 12, #12 or acme/support#12.
        reference: Reference,
    },
    /// Lists every change of an issue: who, when and why.
    #[command(after_help = "Example:\n  deskbell issue history 12 --by sam --field labels")]
    History {
        /// The issue: 12, #12 or acme/support#12.
        reference: Reference,
        /// Only what this person changed.
        #[arg(long, value_name = "NAME")]
        by: Option<String>,
        /// Only changes of this field.
        #[arg(long)]
        field: Option<String>,
    },
    /// Finds issues whose texts are like the opening of this one, and what was answered there.
    #[command(after_help = "Example:\n  deskbell issue similar 12 --json")]
    Similar { reference: Reference },
    /// Writes one text to several issues in one step: its placeholders are filled for each.
    #[command(after_help = "Examples:\n  \
        deskbell issue note-each 12 13 14 -m 'Dear %{REQUESTER_NAME}, %{ISSUE_ID} is mended.' --close --dry-run\n  \
        deskbell issue note-each 12 13 14 -F outage.md\n\n\
        The placeholders are those of canned replies. An issue where one stands for nothing gets none, and is listed.")]
    NoteEach(NoteEachArgs),
    /// Prints the bytes of a note's mail.
    Raw {
        /// The issue: 12, #12 or acme/support#12.
        reference: Reference,
        /// The number of the note, as `issue show` has it.
        note: u64,
    },
    /// Gives the HTML of a note's mail as a page that loads nothing from elsewhere.
    Html {
        /// The issue: 12, #12 or acme/support#12.
        reference: Reference,
        /// The number of the note, as `issue show` has it.
        note: u64,
        /// Where to; - is standard output.
        #[arg(short, long, default_value = "-", value_hint = ValueHint::FilePath)]
        output: PathBuf,
        /// Opens it with $BROWSER, or with the browser that the system has.
        #[arg(long, conflicts_with = "output")]
        open: bool,
    },
    /// Writes a file of a note.
    Attachment {
        /// The issue: 12, #12 or acme/support#12.
        reference: Reference,
        /// The number of the note, as `issue show` has it.
        note: u64,
        name: String,
        /// Where to; - is standard output.
        #[arg(short, long, value_hint = ValueHint::FilePath)]
        output: PathBuf,
    },
    /// Opens a ticket for an outside person, or a plain issue.
    New {
        /// The project, as group/name.
        project: String,
        /// The title.
        #[arg(long)]
        title: String,
        /// The outside person it is for; they are mailed the text.
        #[arg(long)]
        to: Option<EmailAddress>,
        /// The text.
        #[arg(short, long, default_value = "")]
        message: String,
    },
    /// Writes a note. A public one is mailed to the participants.
    #[command(
        visible_alias = "reply",
        after_help = "Examples:\n  deskbell issue note 12 -m 'Fixed in 2.1.'\n  \
                            deskbell issue note 12 --internal -F thoughts.md\n  git log -1 | deskbell issue note 12 -F -"
    )]
    Note(NoteArgs),
    /// Hands an issue over: assigns it with an internal note that tells them, in one step.
    #[command(
        after_help = "Example:\n  deskbell issue hand-over 12 mia -m 'She calls back at four, please take it.'"
    )]
    HandOver {
        /// The issue: 12, #12 or acme/support#12.
        reference: Reference,
        /// The handle of who gets it.
        user: String,
        /// What they should know.
        #[arg(short, long)]
        message: String,
    },
    /// Changes issues, all in one step that one undo takes back.
    #[command(after_help = "Examples:\n  deskbell issue edit 12 13 --close\n  \
                            deskbell issue edit 12 --label bug --assign me --priority high")]
    Edit(Box<EditArgs>),
    /// Calls issues spam: closes them, hides their senders, and learns from them. One undo takes it back.
    Spam {
        /// The issues: 12, #12 or acme/support#12.
        #[arg(required = true)]
        references: Vec<Reference>,
    },
    /// Says that issues are no spam.
    Ham {
        /// The issues: 12, #12 or acme/support#12.
        #[arg(required = true)]
        references: Vec<Reference>,
    },
    /// Merges issues into another: their notes, people and drafts come along, their numbers lead there.
    #[command(after_help = "Examples:\n  deskbell issue merge 13 14 --into 12 --dry-run\n  \
                            deskbell issue unmerge 13")]
    Merge(MergeArgs),
    /// Parts issues from those they were merged into.
    Unmerge {
        /// The issues: 12, #12 or acme/support#12.
        #[arg(required = true)]
        references: Vec<Reference>,
    },
    /// Moves issues to another project: they get numbers there, and the old ones lead to them.
    #[command(after_help = "Example:\n  deskbell issue move 12 acme/office")]
    Move {
        /// The issues: 12, #12 or acme/support#12.
        #[arg(required = true)]
        references: Vec<Reference>,
        /// The project, as group/name.
        project: String,
    },
    /// Takes notes out into a new issue of their author; answers to them arrive there.
    #[command(after_help = "Example:\n  deskbell issue split 12 40 41 --title 'A second printer'")]
    Split {
        /// The issue: 12, #12 or acme/support#12.
        reference: Reference,
        /// The numbers of the notes, as `issue show` has them.
        #[arg(required = true)]
        notes: Vec<u64>,
        /// The title of the new issue; that of the old one unless given.
        #[arg(long)]
        title: Option<String>,
    },
    /// Mails notes with their files to somebody who does not take part; their answer joins as a note.
    #[command(
        after_help = "Example:\n  deskbell issue forward 12 40 --to vendor@printers.example -m 'Do you know this?'"
    )]
    Forward {
        /// The issue: 12, #12 or acme/support#12.
        reference: Reference,
        /// The numbers of the notes, as `issue show` has them.
        #[arg(required = true)]
        notes: Vec<u64>,
        /// To whom.
        #[arg(long, value_name = "ADDRESS")]
        to: EmailAddress,
        /// What is said with them.
        #[arg(short, long, default_value = "")]
        message: String,
        /// Waits this long before it is mailed, such as 10s or 1h.
        #[arg(long, value_name = "DURATION")]
        hold: Option<String>,
    },
    /// Says that an issue belongs together with others.
    #[command(after_help = "Example:\n  deskbell issue link 12 13 acme/office#4")]
    Link {
        /// The issue: 12, #12 or acme/support#12.
        reference: Reference,
        /// The other issues.
        #[arg(required = true)]
        others: Vec<Reference>,
    },
    /// Takes the links between an issue and others away.
    Unlink {
        /// The issue: 12, #12 or acme/support#12.
        reference: Reference,
        /// The other issues.
        #[arg(required = true)]
        others: Vec<Reference>,
    },
    /// Puts issues away until a moment, or until an answer comes.
    #[command(after_help = "Examples:\n  deskbell issue snooze 12 --until monday\n  \
                            deskbell issue snooze 12 --until none")]
    Snooze {
        /// The issues: 12, #12 or acme/support#12.
        #[arg(required = true)]
        references: Vec<Reference>,
        /// 2h, tomorrow, monday, 2026-12-01, '2026-12-01 14:00'; none wakes them.
        #[arg(long)]
        until: String,
    },
    /// Takes words or a file of a note out for good, wherever they stand on the desk; nothing takes that back.
    #[command(after_help = "Examples:\n  deskbell issue redact 12 34 '4111 1111 1111 1111'\n  \
                            deskbell issue redact 12 34 --file passport.png --yes\n  \
                            deskbell issue redact 12 34 '4111 1111 1111 1111' --dry-run\n\n\
                            What it changes is shown and counted first, and asked for on a terminal. Backups that were written before still hold it; those that are known are named.")]
    Redact {
        /// The issue: 12, #12 or acme/support#12.
        reference: Reference,
        /// The number of the note, as `issue show` has it.
        note: u64,
        /// Words; case and the breaking of lines do not count.
        #[arg(required_unless_present = "file")]
        words: Vec<String>,
        /// The name or the number of a file of the note.
        #[arg(long)]
        file: Vec<String>,
        /// Says what would change and changes nothing.
        #[arg(long)]
        dry_run: bool,
        /// Does it without asking.
        #[arg(short, long, conflicts_with = "dry_run")]
        yes: bool,
    },
}

#[derive(Debug, Args)]
pub struct NoteArgs {
    /// The issue: 12, #12 or acme/support#12.
    pub reference: Reference,
    /// The text.
    #[arg(short, long, conflicts_with = "file")]
    pub message: Option<String>,
    /// A file with the text; - is standard input.
    #[arg(short = 'F', long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub file: Option<PathBuf>,
    /// A canned reply; what -m or -F says stands below it.
    #[arg(long, value_name = "NAME")]
    pub canned: Option<String>,
    /// Never mailed.
    #[arg(long)]
    pub internal: bool,
    /// A file that goes along; may be said again.
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub attach: Vec<PathBuf>,
    /// Further people who get this one note.
    #[arg(long, value_name = "ADDRESS")]
    pub cc: Vec<EmailAddress>,
    /// Waits this long before it is mailed, such as 10s or 1h.
    #[arg(long, value_name = "DURATION")]
    pub hold: Option<String>,
    /// Closes the issue in the same step.
    #[arg(long)]
    pub close: bool,
    /// Sets the status in the same step: open, pending, solved or closed.
    #[arg(long, value_parser = word::<Status>, conflicts_with = "close")]
    pub status: Option<Status>,
}

#[derive(Debug, Args)]
pub struct NoteEachArgs {
    /// The issues: 12, #12 or acme/support#12.
    #[arg(required = true)]
    pub references: Vec<Reference>,
    /// The text.
    #[arg(short, long, conflicts_with = "file")]
    pub message: Option<String>,
    /// A file with the text; - is standard input.
    #[arg(short = 'F', long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub file: Option<PathBuf>,
    /// Never mailed.
    #[arg(long)]
    pub internal: bool,
    /// Waits this long before it is mailed, such as 10s or 1h.
    #[arg(long, value_name = "DURATION")]
    pub hold: Option<String>,
    /// Closes the issues in the same step.
    #[arg(long)]
    pub close: bool,
    /// Says what each would get and writes nothing.
    #[arg(long)]
    pub dry_run: bool,
}

#[derive(Debug, Args)]
pub struct MergeArgs {
    /// The issues that go into another.
    #[arg(required = true)]
    pub references: Vec<Reference>,
    /// The one that lives on.
    #[arg(long)]
    pub into: Reference,
    /// Says what would happen and writes nothing.
    #[arg(long)]
    pub dry_run: bool,
}

#[derive(Debug, Args)]
pub struct EditArgs {
    /// The issues: 12, #12 or acme/support#12.
    #[arg(required = true)]
    pub references: Vec<Reference>,
    /// Closes them.
    #[arg(long, conflicts_with = "reopen")]
    pub close: bool,
    /// Opens them again.
    #[arg(long)]
    pub reopen: bool,
    /// Gives another title.
    #[arg(long)]
    pub title: Option<String>,
    /// Adds a label; may be said again.
    #[arg(long)]
    pub label: Vec<String>,
    /// Takes a label away; may be said again.
    #[arg(long)]
    pub unlabel: Vec<String>,
    /// A user's name, or me.
    #[arg(long, conflicts_with = "unassign")]
    pub assign: Option<String>,
    /// Assigns them to nobody.
    #[arg(long)]
    pub unassign: bool,
    /// Hides them from guests, or with false no longer.
    #[arg(long, num_args = 0..=1, default_missing_value = "true")]
    pub confidential: Option<bool>,
    /// Makes an outside person a participant; may be said again.
    #[arg(long)]
    pub add_email: Vec<EmailAddress>,
    /// Takes a participant away; may be said again.
    #[arg(long)]
    pub remove_email: Vec<EmailAddress>,
    /// Mails a participant again who was unsubscribed.
    #[arg(long)]
    pub subscribe: Vec<EmailAddress>,
    /// Mails a participant no more.
    #[arg(long)]
    pub unsubscribe: Vec<EmailAddress>,
    /// low, normal, high, urgent or none.
    #[arg(long, value_parser = optional::<Priority>)]
    pub priority: Option<OrNone<Priority>>,
    /// open, pending, solved or closed.
    #[arg(long, value_parser = word::<Status>)]
    pub status: Option<Status>,
    /// A date such as friday or 2026-12-24, a moment such as 3d, or none.
    #[arg(long)]
    pub due: Option<String>,
    /// A milestone's title, or none.
    #[arg(long)]
    pub milestone: Option<String>,
    /// A number, or none.
    #[arg(long)]
    pub weight: Option<String>,
    /// How long it will take, as 1h 30m, 2d or 1w; or none.
    #[arg(long)]
    pub estimate: Option<String>,
    /// Time that was spent, as 1h 30m; with a minus it is taken back.
    #[arg(long, allow_hyphen_values = true)]
    pub spend: Option<String>,
    /// Makes it a ticket of this person, who is not mailed for it.
    #[arg(long)]
    pub convert_to_ticket: Option<EmailAddress>,
    /// Closes it as a duplicate of another.
    #[arg(long)]
    pub duplicate: Option<Reference>,
}
