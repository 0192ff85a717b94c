//! Quick actions: lines such as `/close` in a text of the staff, as GitLab knows them.
//!
//! One line, one action, at the very beginning of the line; what stands in fenced code or behind `>` is
//! text. Owns the words and what they mean; who may do what is decided by the desk.

mod argument;

pub use argument::{Argument, Mark, argument, written};

use super::moment::{deadline, moment, work, work_in_words};
use super::project::{distance, path_fits};
use super::{Edit, EmailAddress, Fault, IssueKind, NoteId, Priority, Status};
use jiff::Timestamp;
use jiff::tz::TimeZone;

/// One kind of quick action.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct QuickAction {
    /// The word after the slash.
    pub name: &'static str,
    /// What follows it; empty when nothing does.
    pub takes: &'static str,
    /// What it does, for menus.
    pub does: &'static str,
}

const fn action(name: &'static str, takes: &'static str, does: &'static str) -> QuickAction {
    QuickAction { name, takes, does }
}

/// Every quick action there is, in the order of their names.
pub const QUICK_ACTIONS: [QuickAction; 36] = [
    action("add_email", "ADDRESS…", "make outside people participants"),
    action("assign", "@USER", "give it to somebody, or to @me"),
    action("cc", "ADDRESS…", "mail this one note to further people"),
    action("clear_weight", "", "take the weight away"),
    action("close", "", "close it"),
    action("confidential", "", "show it to members of the project only"),
    action("convert_to_ticket", "ADDRESS", "make it a ticket of this person"),
    action("due", "DATE", "say by when it must be done"),
    action("duplicate", "#12", "close it as a duplicate of another"),
    action("estimate", "1h 30m", "say how long it will take"),
    action("label", "~NAME…", "add labels"),
    action("link", "#12", "say that it belongs together with another"),
    action("merge", "#12", "merge it into another"),
    action("milestone", "%NAME", "put it into a milestone"),
    action("move", "GROUP/PROJECT", "move it to another project"),
    action("priority", "low|normal|high|urgent|none", "say how much it presses"),
    action("relabel", "~NAME…", "replace all labels"),
    action("remove_due_date", "", "take the due date away"),
    action("remove_email", "ADDRESS…", "take outside people out"),
    action("remove_estimate", "", "take the estimate away"),
    action("remove_milestone", "", "take it out of its milestone"),
    action("reopen", "", "open it again"),
    action("snooze", "UNTIL", "put it away until then, or until an answer"),
    action("spam", "", "close it as spam"),
    action("spend", "1h 30m", "note time that was spent; with a minus, take it back"),
    action("split", "NOTE[,NOTE…] [TITLE]", "take notes out into a new issue"),
    action("status", "open|pending|solved|closed", "say where the work stands"),
    action("subscribe", "ADDRESS", "mail a participant again"),
    action("title", "TEXT", "change the title"),
    action("unassign", "", "take the assignee away"),
    action("unlabel", "~NAME…", "remove labels, or all of them"),
    action("unlink", "#12", "say no more that it belongs together with another"),
    action("unmerge", "#12", "part an issue that was merged into it"),
    action("unsnooze", "", "bring it back now"),
    action("unsubscribe", "ADDRESS", "mail a participant no more"),
    action("weight", "NUMBER", "say how heavy it is"),
];

/// A text of the staff, taken apart.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct QuickText {
    /// What is left to be read, without the lines of quick actions.
    pub text: String,
    pub edits: Vec<Edit>,
    /// Who gets this one note besides.
    pub cc: Vec<EmailAddress>,
}

impl QuickText {
    /// Tells whether the text asks for anything.
    pub fn is_plain(&self) -> bool {
        self.edits.is_empty() && self.cc.is_empty()
    }

    /// Says what will be done, in the order of the text.
    pub fn plan(&self) -> Vec<String> {
        let copies = self.cc.iter().map(|email| format!("mail it to {email} too"));
        self.edits.iter().map(plan).chain(copies).collect()
    }
}

/// Writes the internal note with which an issue goes to somebody: it assigns it to them, and names them. What is said
/// comes last, so that nothing in it, such as code that does not end, hides the action.
pub fn handed_over(user: &str, text: &str) -> String {
    format!("/assign @{user}\n@{user} {}", text.trim())
}

/// Takes a text apart: what is to be read, and what is to be done.
///
/// `now` and `zone` are what dates count from. A line whose word is no quick action is text, unless it
/// is nearly one. Fails with the line that cannot be carried out, and what it takes; lines count from 1.
pub fn quick_text(text: &str, now: Timestamp, zone: &TimeZone) -> Result<QuickText, Fault> {
    let mut found = QuickText::default();
    let mut kept: Vec<&str> = Vec::new();
    let mut fence: Option<&str> = None;
    for (at, line) in text.lines().enumerate() {
        let mark = ["```", "~~~"].into_iter().find(|mark| line.trim_start().starts_with(mark));
        match (fence, mark) {
            (Some(open), Some(mark)) if open == mark => fence = None,
            (None, Some(mark)) => fence = Some(mark),
            _ => {}
        }
        let asked = if fence.is_none() && mark.is_none() { command(line) } else { None };
        let Some((name, rest)) = asked else {
            kept.push(line);
            continue;
        };
        let is_known = QUICK_ACTIONS.iter().any(|action| action.name == name);
        if !is_known && meant(&name).is_none() {
            kept.push(line);
            continue;
        }
        run(&mut found, &name, rest, now, zone).map_err(|fault| in_line(fault, at + 1))?;
    }
    found.text = if found.is_plain() { text.to_owned() } else { tidy(&kept) };
    Ok(found)
}

/// Lists the actions that the word at the cursor could become, by how it begins.
///
/// `line` is the line up to the cursor. Empty when it is no quick action, or a finished one.
pub fn completions(line: &str) -> Vec<QuickAction> {
    let Some(word) = line.strip_prefix('/') else { return Vec::new() };
    let begins = |action: &&QuickAction| action.name.starts_with(word) && action.name != word;
    if !word.chars().all(|c| c.is_ascii_lowercase() || c == '_') {
        return Vec::new();
    }
    QUICK_ACTIONS.iter().filter(begins).copied().collect()
}

/// Splits `/word rest`; `None` for every other line.
fn command(line: &str) -> Option<(String, &str)> {
    let rest = line.strip_prefix('/')?;
    let end = rest.find(|c: char| !(c.is_ascii_alphabetic() || c == '_')).unwrap_or(rest.len());
    let (name, rest) = rest.split_at_checked(end)?;
    let parted = rest.is_empty() || rest.starts_with(char::is_whitespace);
    (!name.is_empty() && parted).then(|| (name.to_ascii_lowercase(), rest.trim()))
}

/// Gives the action that a word was meant to be: one letter is off, or two changed places.
fn meant(name: &str) -> Option<&'static str> {
    let sorted = |word: &str| {
        let mut letters: Vec<char> = word.chars().collect();
        letters.sort_unstable();
        letters
    };
    let near = |known: &&str| distance(name, known) == 1 || sorted(name) == sorted(known);
    QUICK_ACTIONS.iter().map(|action| action.name).filter(|_| name.len() > 3).find(near)
}

fn in_line(fault: Fault, line: usize) -> Fault {
    let message = format!("line {line}: {}", fault.message);
    Fault { message, ..fault }
}

/// Joins what is left, without the gaps that the actions leave at both ends.
fn tidy(lines: &[&str]) -> String {
    let blank = |line: &&&str| line.trim().is_empty();
    let before = lines.iter().take_while(blank).count();
    let after = lines.iter().rev().take_while(blank).count();
    let end = lines.len().saturating_sub(after).max(before);
    lines.get(before..end).unwrap_or_default().join("\n")
}

fn run(found: &mut QuickText, name: &str, rest: &str, now: Timestamp, zone: &TimeZone) -> Result<(), Fault> {
    let Some(action) = QUICK_ACTIONS.iter().find(|action| action.name == name) else {
        let near = meant(name).unwrap_or_default();
        return Err(Fault::usage(format!("there is no quick action `/{name}`"))
            .hint(format!("did you mean `/{near}`? With a blank before it, it is text")));
    };
    if action.takes.is_empty() && !rest.is_empty() {
        return Err(Fault::usage(format!("`/{name}` takes nothing, but `{rest}` follows"))
            .hint("put the text on a line of its own"));
    }
    if name == "cc" {
        found.cc.extend(addresses(action, rest)?);
        return Ok(());
    }
    found.edits.extend(edits(action, rest, now, zone)?);
    Ok(())
}

fn edits(action: &QuickAction, rest: &str, now: Timestamp, zone: &TimeZone) -> Result<Vec<Edit>, Fault> {
    let wrong = || takes(action, rest);
    let one = match action.name {
        "add_email" => return Ok(addresses(action, rest)?.into_iter().map(Edit::AddEmail).collect()),
        "remove_email" => return Ok(addresses(action, rest)?.into_iter().map(Edit::RemoveEmail).collect()),
        "label" => return Ok(labels(rest).ok_or_else(wrong)?.into_iter().map(Edit::Label).collect()),
        "unlabel" if rest.is_empty() => Edit::Relabel(Vec::new()),
        "unlabel" => return Ok(labels(rest).ok_or_else(wrong)?.into_iter().map(Edit::Unlabel).collect()),
        "relabel" => Edit::Relabel(labels(rest).ok_or_else(wrong)?),
        "assign" => Edit::Assign(word(rest.strip_prefix('@').unwrap_or(rest)).ok_or_else(wrong)?),
        "unassign" => Edit::Unassign,
        "clear_weight" => Edit::Weight(None),
        "close" => Edit::Close,
        "reopen" => Edit::Reopen,
        "confidential" => Edit::Confidential(true),
        "convert_to_ticket" => Edit::ConvertToTicket(EmailAddress::parse(rest).ok_or_else(wrong)?),
        "subscribe" => Edit::Subscribe(EmailAddress::parse(rest).ok_or_else(wrong)?),
        "unsubscribe" => Edit::Unsubscribe(EmailAddress::parse(rest).ok_or_else(wrong)?),
        "due" => Edit::Due(Some(deadline(rest, now, zone).ok_or_else(wrong)?)),
        "remove_due_date" => Edit::Due(None),
        "duplicate" => Edit::DuplicateOf(rest.parse().map_err(|_| wrong())?),
        "merge" => Edit::MergeInto(rest.parse().map_err(|_| wrong())?),
        "link" => Edit::Link(rest.parse().map_err(|_| wrong())?),
        "unlink" => Edit::Unlink(rest.parse().map_err(|_| wrong())?),
        "unmerge" => Edit::Part(rest.parse().map_err(|_| wrong())?),
        "split" => split(rest).ok_or_else(wrong)?,
        "move" => Edit::MoveTo(word(rest).filter(|path| path_fits(path)).ok_or_else(wrong)?),
        "status" => Edit::Status(status(rest).ok_or_else(wrong)?),
        "estimate" => Edit::Estimate(Some(work(rest).filter(|s| *s > 0).ok_or_else(wrong)?)),
        "remove_estimate" => Edit::Estimate(None),
        "spend" => Edit::Spend(work(rest).ok_or_else(wrong)?),
        "milestone" => Edit::Milestone(Some(names(rest, '%').and_then(only).ok_or_else(wrong)?)),
        "remove_milestone" => Edit::Milestone(None),
        "priority" => Edit::Priority(priority(rest).ok_or_else(wrong)?),
        "snooze" => Edit::Snooze(Some(moment(rest, now, zone).filter(|at| *at > now).ok_or_else(wrong)?)),
        "unsnooze" => Edit::Snooze(None),
        "spam" => Edit::Spam(true),
        "title" => Edit::Title(Some(rest).filter(|t| !t.is_empty()).ok_or_else(wrong)?.to_owned()),
        "weight" => Edit::Weight(Some(rest.parse().map_err(|_| wrong())?)),
        _ => return Err(wrong()),
    };
    Ok(vec![one])
}

fn takes(action: &QuickAction, rest: &str) -> Fault {
    let said = if rest.is_empty() {
        format!("`/{}` needs more", action.name)
    } else {
        format!("`/{}` cannot take `{rest}`", action.name)
    };
    Fault::usage(said).hint(format!("write `/{} {}`", action.name, action.takes))
}

fn addresses(action: &QuickAction, rest: &str) -> Result<Vec<EmailAddress>, Fault> {
    let words = rest.split([' ', ',', ';', '\t']).filter(|word| !word.is_empty());
    let found: Option<Vec<EmailAddress>> = words.map(EmailAddress::parse).collect();
    found.filter(|all| !all.is_empty()).ok_or_else(|| takes(action, rest))
}

fn word(text: &str) -> Option<String> {
    (!text.is_empty() && !text.contains(char::is_whitespace)).then(|| text.to_owned())
}

fn only(mut names: Vec<String>) -> Option<String> {
    names.pop().filter(|_| names.is_empty())
}

/// Reads labels: `~bug ~"needs info"`, `bug`, `"needs info"`.
fn labels(text: &str) -> Option<Vec<String>> {
    names(text, '~')
}

/// Reads names that may have a mark before them, and need quotes where they hold a blank.
fn names(text: &str, mark: char) -> Option<Vec<String>> {
    let mut found = Vec::new();
    let mut rest = text.trim();
    while !rest.is_empty() {
        rest = rest.strip_prefix(mark).unwrap_or(rest);
        let (name, after) = match rest.strip_prefix('"') {
            Some(quoted) => quoted.split_once('"')?,
            None => rest.split_once(char::is_whitespace).unwrap_or((rest, "")),
        };
        found.push(Some(name.trim()).filter(|name| !name.is_empty())?.to_owned());
        rest = after.trim_start();
    }
    (!found.is_empty()).then_some(found)
}

/// Reads the numbers of notes, with commas between, and the title that may follow.
fn split(text: &str) -> Option<Edit> {
    let (numbers, title) = text.split_once(char::is_whitespace).unwrap_or((text, ""));
    let notes: Option<Vec<NoteId>> = numbers.split(',').map(|n| n.parse().ok().map(NoteId)).collect();
    Some(Edit::Split { notes: notes?, title: Some(title.trim().to_owned()).filter(|t| !t.is_empty()) })
}

fn priority(text: &str) -> Option<Option<Priority>> {
    Some(match text.to_lowercase().as_str() {
        "low" => Some(Priority::Low),
        "normal" => Some(Priority::Normal),
        "high" => Some(Priority::High),
        "urgent" => Some(Priority::Urgent),
        "none" => None,
        _ => return None,
    })
}

fn status(text: &str) -> Option<Status> {
    Some(match text.to_lowercase().as_str() {
        "open" => Status::Open,
        "pending" => Status::Pending,
        "solved" => Status::Solved,
        "closed" => Status::Closed,
        _ => return None,
    })
}

/// Says what an edit will do, for a preview.
fn plan(edit: &Edit) -> String {
    let priority = |p: &Priority| format!("{p:?}").to_lowercase();
    match edit {
        Edit::Close => "close it".into(),
        Edit::Reopen => "reopen it".into(),
        Edit::Title(title) => format!("call it “{title}”"),
        Edit::Label(label) => format!("label it {label}"),
        Edit::Unlabel(label) => format!("remove the label {label}"),
        Edit::Relabel(labels) if labels.is_empty() => "remove all labels".into(),
        Edit::Relabel(labels) => format!("label it {} and nothing else", labels.join(", ")),
        Edit::Assign(who) => format!("assign it to {who}"),
        Edit::Unassign => "take the assignee away".into(),
        Edit::Confidential(true) => "make it confidential".into(),
        Edit::Confidential(false) => "make it visible to all".into(),
        Edit::AddEmail(email) => format!("add {email}"),
        Edit::RemoveEmail(email) => format!("take {email} out"),
        Edit::Subscribe(email) => format!("mail {email} again"),
        Edit::Unsubscribe(email) => format!("mail {email} no more"),
        Edit::Priority(Some(p)) => format!("set the priority to {}", priority(p)),
        Edit::Priority(None) => "take the priority away".into(),
        Edit::Status(status) => format!("set the status to {}", format!("{status:?}").to_lowercase()),
        Edit::Due(Some(at)) => format!("make it due {at}"),
        Edit::Due(None) => "take the due date away".into(),
        Edit::Milestone(Some(name)) => format!("put it into the milestone {name}"),
        Edit::Milestone(None) => "take it out of its milestone".into(),
        Edit::Weight(Some(weight)) => format!("give it the weight {weight}"),
        Edit::Weight(None) => "take the weight away".into(),
        Edit::Estimate(Some(seconds)) => format!("estimate {}", work_in_words(*seconds)),
        Edit::Estimate(None) => "take the estimate away".into(),
        Edit::Spend(seconds) if *seconds < 0 => format!("take {} back", work_in_words(-seconds)),
        Edit::Spend(seconds) => format!("note {} of work", work_in_words(*seconds)),
        Edit::Snooze(Some(at)) => format!("snooze it until {at}"),
        Edit::Snooze(None) => "wake it".into(),
        Edit::Spam(true) => "close it as spam".into(),
        Edit::Spam(false) => "say it is no spam".into(),
        Edit::Kind(IssueKind::Ticket) => "make it a ticket".into(),
        Edit::Kind(IssueKind::Issue) => "make it an issue".into(),
        Edit::ConvertToTicket(email) => format!("make it a ticket of {email}"),
        Edit::MoveTo(path) => format!("move it to {path}"),
        Edit::Link(reference) => format!("link it to {reference}"),
        Edit::Unlink(reference) => format!("unlink it from {reference}"),
        Edit::Split { notes, title } => split_plan(notes, title.as_deref()),
        Edit::Part(reference) => format!("part {reference} from it"),
        Edit::MergeInto(reference) => format!("merge it into {reference}"),
        Edit::DuplicateOf(reference) => format!("close it as a duplicate of {reference}"),
    }
}

fn split_plan(notes: &[NoteId], title: Option<&str>) -> String {
    let named: Vec<String> = notes.iter().map(ToString::to_string).collect();
    let word = if notes.len() == 1 { "note" } else { "notes" };
    let called = title.map_or(String::new(), |title| format!(" called “{title}”"));
    format!("split {word} {} out into a new issue{called}", named.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<QuickText, Fault> {
        // A Monday.
        quick_text(text, "2026-11-23T12:00:00Z".parse().unwrap(), &TimeZone::UTC)
    }

    fn email(text: &str) -> EmailAddress {
        EmailAddress::parse(text).unwrap()
    }

    #[test]
    fn every_action_is_read_from_its_own_example() {
        let examples = [
            (
                "/add_email a@x.example, b@x.example",
                vec![Edit::AddEmail(email("a@x.example")), Edit::AddEmail(email("b@x.example"))],
            ),
            ("/assign @alice", vec![Edit::Assign("alice".into())]),
            ("/clear_weight", vec![Edit::Weight(None)]),
            ("/close", vec![Edit::Close]),
            ("/confidential", vec![Edit::Confidential(true)]),
            ("/convert_to_ticket ada@x.example", vec![Edit::ConvertToTicket(email("ada@x.example"))]),
            ("/due 2026-12-01", vec![Edit::Due(Some("2026-12-01T23:59:59Z".parse().unwrap()))]),
            ("/duplicate #12", vec![Edit::DuplicateOf("#12".parse().unwrap())]),
            ("/estimate 1d 2h", vec![Edit::Estimate(Some(36_000))]),
            (
                "/label ~bug ~\"needs info\"",
                vec![Edit::Label("bug".into()), Edit::Label("needs info".into())],
            ),
            ("/link a/b#12", vec![Edit::Link("a/b#12".parse().unwrap())]),
            ("/move acme/office", vec![Edit::MoveTo("acme/office".into())]),
            ("/status pending", vec![Edit::Status(Status::Pending)]),
            (
                "/split 40,41 A second printer",
                vec![Edit::Split {
                    notes: vec![NoteId(40), NoteId(41)],
                    title: Some("A second printer".into()),
                }],
            ),
            ("/split 40", vec![Edit::Split { notes: vec![NoteId(40)], title: None }]),
            ("/unmerge #12", vec![Edit::Part("#12".parse().unwrap())]),
            ("/unlink #12", vec![Edit::Unlink("#12".parse().unwrap())]),
            ("/merge #12", vec![Edit::MergeInto("#12".parse().unwrap())]),
            ("/milestone %\"v 1.0\"", vec![Edit::Milestone(Some("v 1.0".into()))]),
            ("/priority HIGH", vec![Edit::Priority(Some(Priority::High))]),
            ("/priority none", vec![Edit::Priority(None)]),
            ("/relabel ~api", vec![Edit::Relabel(vec!["api".into()])]),
            ("/remove_due_date", vec![Edit::Due(None)]),
            ("/remove_email a@x.example", vec![Edit::RemoveEmail(email("a@x.example"))]),
            ("/remove_estimate", vec![Edit::Estimate(None)]),
            ("/remove_milestone", vec![Edit::Milestone(None)]),
            ("/reopen", vec![Edit::Reopen]),
            ("/snooze tomorrow", vec![Edit::Snooze(Some("2026-11-24T09:00:00Z".parse().unwrap()))]),
            ("/spam", vec![Edit::Spam(true)]),
            ("/spend -15m", vec![Edit::Spend(-900)]),
            ("/subscribe a@x.example", vec![Edit::Subscribe(email("a@x.example"))]),
            ("/title A better title", vec![Edit::Title("A better title".into())]),
            ("/unassign", vec![Edit::Unassign]),
            ("/unlabel ~bug", vec![Edit::Unlabel("bug".into())]),
            ("/unlabel", vec![Edit::Relabel(Vec::new())]),
            ("/unsnooze", vec![Edit::Snooze(None)]),
            ("/unsubscribe a@x.example", vec![Edit::Unsubscribe(email("a@x.example"))]),
            ("/weight 3", vec![Edit::Weight(Some(3))]),
        ];
        for (text, edits) in &examples {
            let found = read(text).unwrap();
            assert_eq!(&found.edits, edits, "{text}");
            assert_eq!(found.text, "", "{text}");
            assert_eq!(found.plan().len(), edits.len());
        }
        for action in QUICK_ACTIONS.iter().filter(|a| a.name != "cc") {
            let shown = |text: &&str| text.split(' ').next() == Some(&format!("/{}", action.name));
            assert!(examples.iter().any(|(text, _)| shown(text)), "{}", action.name);
        }
        assert_eq!(read("/cc a@x.example").unwrap().cc, [email("a@x.example")]);
    }

    #[test]
    fn the_text_is_what_the_actions_leave() {
        let found = read("/assign me\n\nDear Ada,\n\nit works.\n/close\n\n").unwrap();
        assert_eq!(found.text, "Dear Ada,\n\nit works.");
        assert_eq!(found.edits, [Edit::Assign("me".into()), Edit::Close]);
    }

    #[test]
    fn what_only_looks_like_an_action_stays_text() {
        for text in [
            "/etc/passwd is a file",
            "/tmp is full",
            " /close",
            "> /close",
            "see /close",
            "```\n/close\n```",
            "~~~ sh\n/spam\n~~~\n",
            "/usr",
            "//close",
            "/close/it",
            "and/or",
            "/ close",
        ] {
            assert_eq!(read(text).unwrap(), QuickText { text: text.to_owned(), ..QuickText::default() });
        }
    }

    #[test]
    fn a_wrong_action_is_refused_with_its_line_and_what_it_takes() {
        for (text, message) in [
            ("Hello\n/clsoe", "line 2: there is no quick action `/clsoe`"),
            ("/close now", "line 1: `/close` takes nothing, but `now` follows"),
            ("/due whenever", "line 1: `/due` cannot take `whenever`"),
            ("/assign", "line 1: `/assign` needs more"),
            ("/assign two people", "line 1: `/assign` cannot take `two people`"),
            ("/add_email ada", "line 1: `/add_email` cannot take `ada`"),
            ("/weight heavy", "line 1: `/weight` cannot take `heavy`"),
            ("/snooze 2020-01-01", "line 1: `/snooze` cannot take `2020-01-01`"),
            ("/split", "line 1: `/split` needs more"),
            ("/split 40,x", "line 1: `/split` cannot take `40,x`"),
            ("/split the printer", "line 1: `/split` cannot take `the printer`"),
            ("/unmerge it", "line 1: `/unmerge` cannot take `it`"),
            ("/label ~\"open", "line 1: `/label` cannot take `~\"open`"),
        ] {
            let fault = read(text).unwrap_err();
            assert_eq!(fault.message, message);
            assert!(fault.hint.is_some());
        }
    }

    #[test]
    fn a_word_that_begins_like_an_action_is_completed() {
        let names = |line| completions(line).iter().map(|a| a.name).collect::<Vec<_>>();
        assert_eq!(names("/cl"), ["clear_weight", "close"]);
        assert_eq!(names("/unas"), ["unassign"]);
        assert_eq!(names("/"), QUICK_ACTIONS.map(|a| a.name));
        for none in ["/close", "/close ", "close", " /cl", "/xyz", ""] {
            assert_eq!(names(none), [""; 0], "{none}");
        }
    }
}
