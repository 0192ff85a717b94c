//! Actions: everything a key or the palette can do, each with its name and its words.

/// Something a person can ask the screen to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Action {
    Down,
    Up,
    Top,
    Bottom,
    HalfDown,
    HalfUp,
    PageDown,
    PageUp,
    Open,
    Back,
    Leave,
    Quit,
    Suspend,
    Redraw,
    Pane,
    View(u8),
    NextIssue,
    PrevIssue,
    NextNote,
    PrevNote,
    Query,
    NextHit,
    PrevHit,
    Palette,
    Help,
    NewIssue,
    Reply,
    Comment,
    Editor,
    Assign,
    Take,
    Labels,
    Priority,
    Snooze,
    Close,
    Reopen,
    Spam,
    Unread,
    Undo,
    Redo,
    Repeat,
    Mark,
    Range,
    MarkAll,
    Copy,
    OpenLink,
    Author,
    History,
    Why,
    Raw,
    Original,
    NextBest,
    Projects,
    Outbox,
    Intake,
    SyncNow,
    Send,
    SendClose,
    SendSnooze,
    SendLater,
    Attach,
    Detach,
    SwitchKind,
    Recipients,
    Title,
    Status,
    TextUndo,
    TextRedo,
    TextCut,
    TextCopy,
    TextPaste,
    TextAll,
    Retry,
    Cancel,
    Release,
    Filter,
    AttachTo,
    MakeIssue,
    Change,
    Enable,
    AddProject,
    Accept,
    Complete,
    Later,
}

/// An action, its name in keymaps, its word in the footer, and what it does.
pub struct Entry {
    pub action: Action,
    pub name: &'static str,
    pub word: &'static str,
    pub about: &'static str,
}

const fn entry(action: Action, name: &'static str, word: &'static str, about: &'static str) -> Entry {
    Entry { action, name, word, about }
}

/// Every action, in the order in which help and palette list them.
pub const ACTIONS: &[Entry] = &[
    entry(Action::Reply, "reply", "reply", "answer the customer by mail"),
    entry(Action::Comment, "comment", "comment", "write an internal comment, never mailed"),
    entry(Action::Close, "close", "close", "close the issue"),
    entry(Action::Reopen, "reopen", "reopen", "open the issue again"),
    entry(Action::Take, "take", "take", "assign the issue to yourself"),
    entry(Action::Assign, "assign", "assign", "assign the issue to somebody"),
    entry(Action::Labels, "labels", "labels", "add or remove a label"),
    entry(Action::Priority, "priority", "priority", "say how much it presses"),
    entry(Action::Snooze, "snooze", "snooze", "put it aside until a moment"),
    entry(Action::Spam, "spam", "spam", "call it spam, or not spam"),
    entry(Action::Title, "title", "title", "give the issue another title"),
    entry(Action::Unread, "unread", "unread", "mark as unread"),
    entry(Action::Undo, "undo", "undo", "take back your last change or send"),
    entry(Action::Redo, "redo", "redo", "do again what was taken back"),
    entry(Action::Repeat, "repeat", "repeat", "do the last change again here"),
    entry(Action::NewIssue, "new-issue", "new", "open an issue, or write to a customer first"),
    entry(Action::Open, "open", "open", "open what is selected; unfold a quote"),
    entry(Action::Back, "back", "back", "leave this place"),
    entry(Action::Leave, "leave", "leave", "leave this place; at the list, leave the program"),
    entry(Action::Query, "query", "query", "search and filter"),
    entry(Action::Palette, "palette", "commands", "every command, by name"),
    entry(Action::Help, "help", "help", "the keys of this place"),
    entry(Action::View(1), "view-1", "mine", "view 1"),
    entry(Action::View(2), "view-2", "waiting", "view 2"),
    entry(Action::View(3), "view-3", "all open", "view 3"),
    entry(Action::View(4), "view-4", "snoozed", "view 4"),
    entry(Action::View(5), "view-5", "spam", "view 5"),
    entry(Action::View(6), "view-6", "view 6", "view 6"),
    entry(Action::View(7), "view-7", "view 7", "view 7"),
    entry(Action::View(8), "view-8", "view 8", "view 8"),
    entry(Action::View(9), "view-9", "view 9", "view 9"),
    entry(Action::NextBest, "next-best", "next best", "go to what has waited on us the longest"),
    entry(Action::NextIssue, "next-issue", "next", "the next issue of the list"),
    entry(Action::PrevIssue, "previous-issue", "previous", "the previous issue of the list"),
    entry(Action::NextNote, "next-note", "next note", "the next note"),
    entry(Action::PrevNote, "previous-note", "previous note", "the previous note"),
    entry(Action::NextHit, "next-hit", "next hit", "the next place that the query found"),
    entry(Action::PrevHit, "previous-hit", "previous hit", "the previous place that the query found"),
    entry(Action::Down, "down", "down", "one down"),
    entry(Action::Up, "up", "up", "one up"),
    entry(Action::Top, "top", "top", "to the first"),
    entry(Action::Bottom, "bottom", "bottom", "to the last"),
    entry(Action::HalfDown, "half-page-down", "half down", "half a page down"),
    entry(Action::HalfUp, "half-page-up", "half up", "half a page up"),
    entry(Action::PageDown, "page-down", "page down", "a page down"),
    entry(Action::PageUp, "page-up", "page up", "a page up"),
    entry(Action::Pane, "pane", "pane", "to the other pane"),
    entry(Action::Mark, "mark", "mark", "mark it, so that the next change is for all marked"),
    entry(Action::Range, "range", "range", "mark from here to there"),
    entry(Action::MarkAll, "mark-all", "mark all", "mark all that the query finds, or none"),
    entry(Action::Copy, "copy", "copy", "copy the reference"),
    entry(Action::OpenLink, "open-link", "files and links", "open or save an attachment, open a link"),
    entry(Action::Author, "author", "author", "who this is, and their other issues"),
    entry(Action::History, "history", "history", "every change of the issue"),
    entry(Action::Why, "why", "why", "why this note stands here, and what became of its mail"),
    entry(Action::Raw, "raw", "raw mail", "the mail as it came"),
    entry(Action::Original, "original", "original", "the mail as it was designed, in the browser"),
    entry(Action::Editor, "editor", "editor", "write in $EDITOR"),
    entry(Action::Projects, "projects", "project", "settings of the projects"),
    entry(Action::Outbox, "outbox", "outbox", "mails on their way out"),
    entry(Action::Intake, "intake", "intake", "every mail that came in, and what became of it"),
    entry(Action::Status, "status", "status", "how every mailbox and outlet is doing"),
    entry(Action::SyncNow, "sync-now", "sync", "look into every mailbox now"),
    entry(Action::Send, "send", "send", "send it"),
    entry(Action::SendClose, "send-close", "send+close", "send it and close the issue"),
    entry(Action::SendSnooze, "send-snooze", "send+snooze", "send it and put the issue aside"),
    entry(Action::SendLater, "send-later", "send later", "send it after a while"),
    entry(Action::Attach, "attach", "attach", "attach a file"),
    entry(Action::Detach, "detach", "detach", "take the last file off again"),
    entry(Action::SwitchKind, "switch-kind", "reply/internal", "switch between reply and internal comment"),
    entry(Action::Recipients, "recipients", "who gets it", "leave people out, send copies to others"),
    entry(Action::TextUndo, "text-undo", "undo typing", "undo typing"),
    entry(Action::TextRedo, "text-redo", "redo typing", "redo typing"),
    entry(Action::TextCut, "text-cut", "cut", "cut"),
    entry(Action::TextCopy, "text-copy", "copy", "copy"),
    entry(Action::TextPaste, "text-paste", "paste", "paste"),
    entry(Action::TextAll, "text-all", "select all", "select everything"),
    entry(Action::Retry, "retry", "retry", "try it again now"),
    entry(Action::Cancel, "cancel", "cancel", "do not send it"),
    entry(Action::Release, "release", "release", "let a held mail go"),
    entry(Action::Filter, "filter", "filter", "show the next kind only"),
    entry(Action::AttachTo, "attach-to", "attach to issue", "make it a note of an issue"),
    entry(Action::MakeIssue, "make-issue", "make issue", "make it an issue of a project"),
    entry(Action::Change, "change", "change", "change this setting"),
    entry(Action::Enable, "enable", "on/off", "switch Service Desk on or off for the project"),
    entry(Action::AddProject, "add-project", "add", "add a project"),
    entry(Action::Accept, "accept", "accept", "take it"),
    entry(Action::Complete, "complete", "complete", "take the word over"),
    entry(Action::Suspend, "suspend", "suspend", "to the shell and back with fg; the desk goes on"),
    entry(Action::Redraw, "redraw", "redraw", "draw the screen anew"),
    entry(Action::Quit, "quit", "quit", "leave; drafts stay"),
    entry(Action::Later, "not-yet", "", "comes with a later version"),
];

impl Action {
    /// Gives the action of this name.
    pub fn named(name: &str) -> Option<Self> {
        ACTIONS.iter().find(|e| e.name == name).map(|e| e.action)
    }

    /// Gives the words for this action.
    pub fn entry(self) -> &'static Entry {
        const UNNAMED: &Entry = &entry(Action::Later, "not-yet", "", "comes with a later version");
        ACTIONS.iter().find(|e| e.action == self).unwrap_or(UNNAMED)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn every_action_has_one_name_and_every_name_one_action() {
        let names: BTreeSet<_> = ACTIONS.iter().map(|e| e.name).collect();
        let actions: BTreeSet<_> = ACTIONS.iter().map(|e| e.action).collect();
        assert_eq!((names.len(), actions.len()), (ACTIONS.len(), ACTIONS.len()));
    }
}
