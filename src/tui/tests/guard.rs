//! Before a send: what is asked, what is sent anyway, and how a text can be sent.

use super::desk::email;
use super::{Screen, now};
use crate::domain::{Draft, DraftKind, Event, IssueId, NewNote, ParticipantRole, Request, Seq};
use crate::tui::files::Entry;
use crate::tui::input::{Effect, Input};
use insta::assert_snapshot;
use jiff::ToSpan;

fn sent(screen: &Screen) -> Vec<NewNote> {
    let note = |request: &Request| match request {
        Request::AddNote(note) => Some(note.clone()),
        _ => None,
    };
    screen.asked.iter().filter_map(note).collect()
}

/// A screen of which a further participant of #128 never got a mail.
fn joined() -> Screen {
    let mut screen = Screen::new(80, 24);
    let mut further = screen.desk.issues[0].participants[0].clone();
    further.email = email("bob@example.com");
    further.role = ParticipantRole::Cc;
    screen.desk.issues[0].participants.push(further);
    screen
}

#[test]
fn a_promised_file_that_is_not_there_is_asked_about_once() {
    let mut screen = Screen::new(80, 24);
    screen.keys("rThe log is attached.<ctrl-s>");
    assert_snapshot!("promised", screen.text());
    assert!(sent(&screen).is_empty());
    screen.keys("<esc><ctrl-s>send any<enter>");
    assert_eq!(sent(&screen)[0].text, "The log is attached.");
}

#[test]
fn what_is_promised_in_a_comment_or_quoted_or_attached_goes_at_once() {
    for keys in ["cthe log is attached<ctrl-s>", "r> it is attached<enter>No.<ctrl-s>"] {
        let mut screen = Screen::new(80, 24);
        assert_eq!(sent(screen.keys(keys)).len(), 1, "{keys}");
    }
}

#[test]
fn who_joined_since_the_last_mail_is_marked_and_asked_about() {
    let mut screen = joined();
    screen.resize(120, 24).keys("rDone.");
    assert!(screen.text().contains("since the last mail: +bob@example.com"), "{}", screen.text());
    screen.keys("<ctrl-s>");
    assert!(screen.text().contains("new since the last mail: bob@example.com"), "{}", screen.text());
    assert!(sent(&screen).is_empty());
    // Leaving them out by hand is an answer.
    screen.keys("<enter>bob<enter><ctrl-s>");
    assert_eq!(sent(&screen)[0].without, [email("bob@example.com")]);
}

#[test]
fn a_copy_that_the_writer_chose_is_not_asked_about() {
    let mut screen = Screen::new(80, 24);
    screen.keys("rDone.<alt-c>kim@example.org<enter><ctrl-s>");
    assert_eq!(sent(&screen)[0].cc, [email("kim@example.org")]);
}

#[test]
fn a_word_for_the_staff_only_is_asked_about() {
    let mut screen = Screen::new(80, 24);
    screen.app.projects.as_mut().unwrap()[0].settings.internal_words = vec!["bluebird".into()];
    screen.keys("rIt comes with Bluebird.<ctrl-s>");
    assert!(screen.text().contains("\"bluebird\" is a word for the staff only"), "{}", screen.text());
    assert!(sent(&screen).is_empty());
    screen.keys("<esc><esc>cIt comes with Bluebird.<ctrl-s>");
    assert!(sent(&screen)[0].internal);
}

#[test]
fn a_text_is_sent_later_and_what_speaks_against_it_is_asked_first() {
    let mut screen = Screen::new(80, 24);
    screen.keys("rSee attached.<alt-l>2h<enter>");
    assert!(sent(&screen).is_empty());
    screen.keys("<down><enter>");
    assert_eq!(sent(&screen)[0].hold_ms, Some(2 * 60 * 60 * 1000));
    let mut screen = Screen::new(80, 24);
    screen.keys("rDone.<alt-l>yesterday<enter>");
    assert!(sent(&screen).is_empty() && screen.text().contains("no moment to come"));
}

#[test]
fn a_text_is_sent_and_the_issue_put_aside() {
    let mut screen = Screen::new(80, 24);
    screen.keys("rWe look into it.<alt-s>2h<enter>");
    assert_eq!((sent(&screen).len(), sent(&screen)[0].close), (1, false));
    let snoozed = screen.desk.issues[0].row.snoozed_until.unwrap();
    assert_eq!(snoozed, now() + 2.hours());
}

#[test]
fn the_notes_in_front_are_quoted_one_after_the_other() {
    let mut screen = Screen::new(80, 24);
    screen.keys("<enter>>");
    let first = "Ada Lovelace, 2026-11-23 10:00:\n> I did, and it is the same.\n>\n> Ada\n\n";
    assert_eq!(screen.app.composer.as_ref().unwrap().body.value(), first);
    screen.keys("<tab>K>");
    assert!(screen.text().contains("an internal comment is not quoted into a mail"), "{}", screen.text());
    screen.keys("K><tab>");
    let text = screen.app.composer.as_ref().unwrap().body.value();
    assert!(text.starts_with(first) && text.contains("> thank you. Could you"), "{text}");
}

#[test]
fn a_file_is_chosen_from_a_folder() {
    let mut screen = Screen::new(80, 24);
    screen.keys("rHere.<ctrl-o>");
    assert_eq!(screen.wanted.last(), Some(&Effect::ListFiles { folder: ".".into() }));
    let entry = |name: &str, size| Entry { name: name.into(), size };
    let entries =
        vec![entry("invoice\u{202e}.pdf", Some(84_000)), entry("notes.txt", Some(12)), entry("old", None)];
    screen.input(Input::Listed { folder: "/home/a".into(), entries: Ok(entries) });
    assert_snapshot!("attach_picker", screen.text());
    screen.keys("old<enter>");
    assert_eq!(screen.wanted.last(), Some(&Effect::ListFiles { folder: "/home/a/old".into() }));
    screen.input(Input::Listed { folder: "/home/a/old".into(), entries: Err("old: no permission".into()) });
    assert!(screen.text().contains("no permission"));
    let entries = vec![entry("notes.txt", Some(12))];
    screen.input(Input::Listed { folder: "/home/a/old".into(), entries: Ok(entries) }).keys("no<enter>");
    assert_eq!(screen.wanted.last(), Some(&Effect::Attach { path: "/home/a/old/notes.txt".into() }));
}

#[test]
fn what_is_written_follows_its_issue_into_another_and_the_guard_tells_it() {
    let mut screen = Screen::new(80, 24);
    screen.keys("3<enter>rMy answer").wait(600);
    let kind = DraftKind::Reply;
    let draft = screen.desk.drafts.remove(&(Some(128), kind)).unwrap();
    screen.desk.merged = Some((128, 127));
    let joined = Draft { text: "Another one\n\nMy answer".into(), issue: Some(IssueId(1127)), ..draft };
    screen.desk.drafts.insert((Some(127), kind), joined);
    screen.forget().event(Event::Issues { seq: Seq(2), issues: vec![IssueId(1128), IssueId(1127)] });
    assert!(
        screen.text().contains("#128 was merged into #127: what you write goes there now"),
        "{}",
        screen.text()
    );
    screen.keys(" in full").wait(600);
    let saved: Vec<_> = screen
        .asked
        .iter()
        .filter_map(|request| match request {
            Request::SaveDraft(draft) => Some((draft.issue, draft.text.clone())),
            _ => None,
        })
        .collect();
    assert_eq!(saved.last().unwrap(), &(Some(IssueId(1127)), "Another one\n\nMy answer in full".into()));
    assert!(saved.iter().all(|(issue, _)| *issue == Some(IssueId(1127))), "{saved:?}");
    screen.keys("<ctrl-s>");
    let text = screen.text();
    assert!(text.contains("NOT SENT YET") && text.contains("#128 was merged while you wrote"), "{text}");
    screen.keys("anyway<enter>");
    let sent = screen.asked.iter().find_map(|request| match request {
        Request::AddNote(new) => Some(new.reference.iid),
        _ => None,
    });
    assert_eq!(sent, Some(127));
}

#[test]
fn a_text_that_was_corrected_while_its_issue_was_merged_stands_there_once() {
    let mut screen = Screen::new(80, 24);
    screen.keys("3<enter>rDear Eve, thx").wait(600);
    let kind = DraftKind::Reply;
    let draft = screen.desk.drafts.remove(&(Some(128), kind)).unwrap();
    screen.desk.merged = Some((128, 127));
    let text = "Another one\n\nDear Eve, thx".into();
    let joined = Draft { text, issue: Some(IssueId(1127)), ..draft };
    screen.desk.drafts.insert((Some(127), kind), joined);
    screen.keys("<backspace>anks");
    screen.event(Event::Issues { seq: Seq(2), issues: vec![IssueId(1128), IssueId(1127)] }).wait(600);
    let saved = screen.asked.iter().rev().find_map(|request| match request {
        Request::SaveDraft(draft) => Some((draft.issue, draft.text.as_str())),
        _ => None,
    });
    assert_eq!(saved, Some((Some(IssueId(1127)), "Another one\n\nDear Eve, thanks")));
}
