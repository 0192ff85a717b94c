//! One text for several; macros; the list of changes; completion.

use super::Screen;
use super::desk::ago;
use crate::domain::*;
use insta::assert_snapshot;
use ratatui::style::Modifier;

/// Answers what the other rooms of the canned desk leave.
pub fn answer(request: &Request) -> Result<Response, Fault> {
    Ok(match request {
        Request::NoteMany(many) if many.dry_run => Response::NotesPlanned(
            many.references
                .iter()
                .map(|reference| PlannedNote {
                    reference: reference.to_string(),
                    title: "Cannot log in".into(),
                    to: vec![format!("person{}@example.com", reference.iid)],
                    text: many.text.replace("%{ISSUE_ID}", &format!("#{}", reference.iid)),
                    missing: if reference.iid == 119 { vec!["REQUESTER_NAME".into()] } else { vec![] },
                })
                .collect(),
        ),
        Request::NoteMany(many) => Response::Edited {
            rows: Vec::new(),
            label: format!("answered {} issues", many.references.len() - 1),
            failed: vec![Failed {
                reference: many.references[0].clone(),
                reason: "nobody takes part".into(),
            }],
            held_until: Some(super::now() + jiff::SignedDuration::from_secs(10)),
        },
        Request::RunMacro { name, references, .. } => Response::Edited {
            rows: Vec::new(),
            label: format!("{name} on {} issues", references.len()),
            failed: Vec::new(),
            held_until: None,
        },
        Request::UndoOne(_) => Response::Undone {
            label: "took back: closed #128".into(),
            skipped: vec![],
            draft: None,
            issues: vec![],
        },
        Request::Changes { .. } => Response::Changes(changes()),
        _ => Response::Done,
    })
}

fn changes() -> Vec<DeedView> {
    let row = |seq, hours, user: &str, via, label: &str, undoable| DeedView {
        seq: Seq(seq),
        at: ago(hours),
        actor: Actor { user: user.into(), email: None, via },
        label: label.into(),
        references: vec!["acme/support#128".into()],
        rules: Vec::new(),
        held_until: None,
        undoable,
        why_not: None,
    };
    let mut overtaken = row(7, 30, "alice", Via::Command, "assigned #127", false);
    overtaken.why_not = Some("#127: sam changed the assignee since".into());
    let mut mailed = row(8, 20, "support-bot", Via::Mail, "reopened this", false);
    mailed.actor.email = EmailAddress::parse("ada@example.com");
    let mut ruled = row(9, 5, "sam", Via::Tui, "closed 3 issues", false);
    ruled.rules = vec!["vip".into()];
    vec![row(10, 1, "alice", Via::Tui, "closed #128", true), ruled, mailed, overtaken]
}

#[test]
fn a_canned_reply_on_one_mark_is_filled_for_the_marked_issue() {
    let mut screen = Screen::new(120, 40);
    screen.keys("3j<space>k").forget();
    screen.keys("tthanks<enter>");
    let filled = |r: &&Request| matches!(r, Request::FillCanned(asked) if asked.reference.iid == 127);
    assert_eq!(screen.asked.iter().filter(filled).count(), 1, "{:?}", screen.asked);
    let composer = screen.app.composer.as_ref().unwrap();
    assert_eq!(composer.target.as_ref().unwrap().1.iid, 127);
}

#[test]
fn one_text_for_several_is_looked_through_sent_and_says_what_failed() {
    let mut screen = Screen::new(80, 24);
    screen.keys("3*r");
    assert_snapshot!("several_80x24", screen.text());
    screen.keys("Dear all: %{ISSUE_ID} works.<alt-p>");
    assert_snapshot!("several_preview_80x24", screen.text());
    assert!(screen.text().contains("NOT SENT HERE"), "what cannot go out comes first");
    screen.keys("]");
    assert!(screen.text().contains("2 of 5") && screen.text().contains("Dear all: #"), "{}", screen.text());
    screen.keys("<esc>").wait(600).keys("<ctrl-s>");
    assert!(screen.asked.iter().any(|r| matches!(r, Request::SaveDraft(d) if d.to.as_deref().is_some_and(|to| to.contains("acme/support#121")))));
    let text = screen.text();
    assert!(screen.app.on_list() && text.contains("0 done, 1 failed: #117: nobody takes part"), "{text}");
    assert_eq!(screen.app.list.marks.len(), 1, "what failed stays marked");
}

#[test]
fn a_text_that_was_taken_back_is_open_again_for_the_same_issues() {
    let mut screen = Screen::new(80, 24);
    let draft = Draft {
        user: "alice".into(),
        issue: None,
        project: None,
        kind: DraftKind::Reply,
        text: "Dear all".into(),
        title: None,
        to: Some("acme/support#128 acme/support#121".into()),
        cc: vec![],
        files: vec![],
        kept: vec![],
        off: vec![],
        over: None,
        seen: None,
        saved_at: super::now(),
    };
    screen.app.reopen_draft(draft);
    let composer = screen.app.composer.as_ref().unwrap();
    assert_eq!((composer.many.len(), composer.body.value().as_str()), (2, "Dear all"));
    assert!(screen.text().contains("One text for 2 issues"), "{}", screen.text());
}

#[test]
fn a_macro_is_run_by_its_key_and_from_the_commands() {
    let mut screen = Screen::new(80, 24);
    screen.keys("3;");
    assert_snapshot!("macros_80x24", screen.text());
    screen.keys("f");
    let ran = |r: &&Request| matches!(r, Request::RunMacro { name, references, .. } if name == "refund" && references[0].iid == 128);
    assert_eq!(screen.asked.iter().filter(ran).count(), 1);
    assert!(screen.app.overlay.is_none());
    screen.keys(":macro refund<enter>");
    assert_eq!(screen.asked.iter().filter(ran).count(), 2);
}

#[test]
fn the_last_changes_are_listed_filtered_and_taken_back() {
    let mut screen = Screen::new(80, 24);
    screen.keys("U");
    assert_snapshot!("changes_80x24", screen.text());
    screen.keys("jx");
    assert!(screen.text().contains("everybody takes back their own"), "{}", screen.text());
    screen.keys("f");
    assert!(!screen.text().contains("vip"), "{}", screen.text());
    screen.keys("kx");
    assert!(screen.asked.contains(&Request::UndoOne(Seq(10))));
    screen.resize(120, 40);
    assert_snapshot!("changes_120x40", screen.text());
    screen.keys("<enter>");
    assert!(!screen.app.on_list() && screen.app.thread.is_some());
}

#[test]
fn the_history_is_filtered_by_person_and_field() {
    let mut screen = Screen::new(80, 24);
    screen.keys("Hflab<enter>");
    let text = screen.text();
    assert!(
        text.contains("1 of 2 changes: lab") && text.contains("labels") && !text.contains("assignee"),
        "{text}"
    );
    screen.keys("fsam assi<enter>");
    assert!(screen.text().contains("assignee"), "{}", screen.text());
}

#[test]
fn fields_and_values_are_completed_and_hits_are_shown() {
    let mut screen = Screen::new(80, 24);
    screen.keys("3/la<tab>");
    assert_eq!(screen.app.list.edit.as_ref().unwrap().value(), "is:open label:");
    screen.keys("b");
    assert_snapshot!("query_completion", screen.text());
    screen.keys("<tab>");
    assert_eq!(screen.app.list.query, "is:open label:bug");
    screen.keys("<tab>");
    assert_eq!(screen.app.list.query, "is:open label:billing");
    screen.keys("<esc>3/cannot<enter>");
    assert!(screen.style_of("Cannot").add_modifier.contains(Modifier::UNDERLINED));
    assert!(!screen.style_of("log in").add_modifier.contains(Modifier::UNDERLINED));
}
