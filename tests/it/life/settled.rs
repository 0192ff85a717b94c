//! What the desk does by itself in the life of an issue, as a project wants it: a setting has a command, a line on
//! the screen and a field in JSON. It has no quick action, since it is about a project and not about an issue; and
//! `undo` takes back what one did oneself, so each row says what puts right what the desk did.

use super::{ONE, at};
use crate::support::TestDesk;
use crate::support::room::{ADA, Room, address, field, note};
use deskbell::domain::{Edit, MailKind, NoteKind, Request, Status};
use jiff::SignedDuration;
use serde_json::{Value, json};

/// What happens, from outside, so that the desk acts.
#[derive(Clone, Copy)]
enum Story {
    /// It was closed, and the customer answers.
    Answer,
    /// The staff close it.
    Close,
    /// The staff open it again.
    Reopen,
    /// It is pending, and nobody says anything for so many days.
    Idle(i64),
}

/// One thing that the desk does by itself.
struct Settled {
    name: &'static str,
    /// The setting, and what switches it on or off.
    key: &'static str,
    on: &'static str,
    off: &'static str,
    /// What it is called on the project screen.
    screen: &'static str,
    story: Story,
    /// Where JSON shows what was done: something stands there then, and nothing before.
    at: &'static str,
    query: &'static str,
    /// Words of the desk's own note; none where a person did it, whose note says so.
    says: &'static str,
    /// The mail that goes out for it.
    mails: Option<MailKind>,
    /// Taken back by the writer's own undo, or else by this edit.
    undo: Option<Edit>,
}

fn all() -> Vec<Settled> {
    vec![
        Settled {
            name: "reopen on an answer",
            key: "reopen_on_reply",
            on: "true",
            off: "false",
            screen: "Reopen on reply",
            story: Story::Answer,
            at: "/reopened_at",
            query: "is:reopened",
            says: "reopened, because ada",
            mails: None,
            // The answer is the customer's own: closing it again is all there is to take back.
            undo: Some(Edit::Close),
        },
        Settled {
            name: "a mail on closing",
            key: "closed_mail",
            on: "true",
            off: "false",
            screen: "Mail on close",
            story: Story::Close,
            at: "/closed_at",
            query: "is:closed",
            says: "alice closed this",
            mails: Some(MailKind::Closed),
            undo: None,
        },
        Settled {
            name: "a mail on reopening",
            key: "closed_mail",
            on: "true",
            off: "false",
            screen: "Mail on close",
            story: Story::Reopen,
            at: "/reopened_at",
            query: "is:reopened",
            says: "alice reopened this",
            mails: Some(MailKind::Reopened),
            undo: None,
        },
        Settled {
            name: "a warning when idle",
            key: "idle_warn_after",
            on: "7d",
            off: "",
            screen: "Warn when idle for",
            story: Story::Idle(7),
            at: "/idle_warned_at",
            query: "is:warned",
            says: "told the customer that it will be closed",
            mails: Some(MailKind::IdleWarning),
            // The mail is out; a new status begins the waiting anew.
            undo: Some(Edit::Status(Status::Pending)),
        },
        Settled {
            name: "closing when idle",
            key: "idle_close_after",
            on: "10d",
            off: "0",
            screen: "Close when idle for",
            story: Story::Idle(10),
            at: "/closed_at",
            query: "is:closed",
            says: "closed, because nobody answered",
            mails: None,
            undo: Some(Edit::Reopen),
        },
    ]
}

/// Ada's issue, answered, with nothing left to send.
async fn room(settled: &Settled, value: &str) -> Room {
    let mut room = Room::new().await;
    room.set("acme/support", settled.key, value).await;
    room.mail(ADA).await;
    room.reply(ONE, "Does it work?").await;
    match settled.story {
        Story::Answer | Story::Reopen => room.edit(ONE, Edit::Close).await,
        Story::Idle(_) => room.edit(ONE, Edit::Status(Status::Pending)).await,
        Story::Close => {}
    }
    room
}

async fn play(room: &mut Room, story: Story) {
    match story {
        Story::Answer => {
            let sent = room.send().await;
            let to = sent.iter().find_map(|mail| field(mail, "Reply-To")).map(address).unwrap().to_owned();
            let raw = format!(
                "From: ada@customer.example\nTo: {to}\nSubject: Re\nMessage-ID: <r1@customer.example>\n\nNo.\n"
            );
            room.mail(&raw).await;
        }
        Story::Close => drop(room.ok(Request::AddNote(note(ONE, "/close"))).await),
        Story::Reopen => drop(room.ok(Request::AddNote(note(ONE, "/reopen"))).await),
        Story::Idle(days) => {
            room.later(SignedDuration::from_hours(24 * days));
            room.desk.tend_idle().await.unwrap();
        }
    }
}

async fn shown(room: &mut Room) -> Value {
    serde_json::to_value(room.issue(ONE).await).unwrap()
}

async fn mails(room: &mut Room, kind: MailKind) -> usize {
    room.outbox().await.iter().filter(|row| row.kind == kind).count()
}

#[tokio::test]
async fn each_is_shown_in_json_and_found_by_a_query_told_in_a_note_and_put_right() {
    for settled in all() {
        let name = settled.name;
        let mut room = room(&settled, settled.on).await;
        let before = at(&shown(&mut room).await, settled.at);
        assert!(before.is_null(), "{name}: {before} already before");
        assert!(room.list(settled.query).await.is_empty(), "{name}: `{}` finds it already", settled.query);
        let mailed = match settled.mails {
            Some(kind) => mails(&mut room, kind).await,
            None => 0,
        };
        play(&mut room, settled.story).await;
        assert!(!at(&shown(&mut room).await, settled.at).is_null(), "{name}");
        assert_eq!(room.list(settled.query).await, [ONE], "{name}: `{}`", settled.query);
        let issue = room.issue(ONE).await;
        let told =
            |n: &deskbell::domain::NoteView| n.kind == NoteKind::System && n.body.contains(settled.says);
        assert!(issue.notes.iter().any(told), "{name}: nobody says `{}`", settled.says);
        if let Some(kind) = settled.mails {
            assert_eq!(mails(&mut room, kind).await, mailed + 1, "{name}: one mail");
        }
        match settled.undo {
            None => drop(room.ok(Request::Undo).await),
            Some(edit) => {
                // What the desk did is no verb of anybody, so that undo leaves it alone.
                let undone = room.ask(Request::Undo).await;
                assert_eq!(room.list(settled.query).await, [ONE], "{name}: {undone:?}");
                room.edit(ONE, edit).await;
            }
        }
        assert!(at(&shown(&mut room).await, settled.at).is_null() || name == "reopen on an answer", "{name}");
        assert!(room.list(settled.query).await.is_empty(), "{name}: `{}` still finds it", settled.query);
    }
}

#[tokio::test]
async fn none_happens_where_the_project_does_not_want_it() {
    for settled in all() {
        let name = settled.name;
        let mut room = room(&settled, settled.off).await;
        play(&mut room, settled.story).await;
        match settled.mails {
            Some(kind) => assert_eq!(mails(&mut room, kind).await, 0, "{name}"),
            None => assert!(at(&shown(&mut room).await, settled.at).is_null(), "{name}"),
        }
    }
}

#[test]
fn each_setting_has_a_command_a_field_in_json_a_line_on_the_screen_and_one_in_the_readme() {
    let screen = include_str!("../../../src/tui/projects.rs");
    let readme = include_str!("../../../README.md");
    let desk = TestDesk::between_maildirs("");
    for settled in all() {
        let name = settled.name;
        desk.ok(&["project", "set", "acme/support", &format!("{}={}", settled.key, settled.on)]);
        let project = desk.json(&["project", "show", "acme/support"]);
        let value = project.get(settled.key).cloned().unwrap_or_default();
        let expected = match settled.on {
            "true" => json!(true),
            text => json!(text),
        };
        assert_eq!(value, expected, "{name}: {project}");
        let line = format!("setting(\"{}\", \"{}\"", settled.key, settled.screen);
        assert!(screen.contains(&line), "{name}: no line on the project screen");
        assert!(readme.contains(settled.key), "{name}: {} is not in README.md", settled.key);
    }
}
