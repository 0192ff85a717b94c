//! The life of an issue, feature by feature: a command, a quick action, a key, a field in JSON, a field of
//! queries, a note of the desk, and one undo that takes it back.

mod settled;

use crate::support::TestDesk;
use crate::support::room::{ADA, Room, note};
use deskbell::domain::{NewIssue, NoteKind, Request};
use serde_json::{Value, json};

/// One feature. `ONE` stands for the issue that is changed, `TWO` for another, `NOTE` for the last note in it.
struct Feature {
    name: &'static str,
    /// Arguments of the command.
    command: &'static [&'static str],
    /// Quick actions that have to come before it.
    first: &'static str,
    quick: &'static str,
    /// The action of the screen, by its name in the keymap.
    key: &'static str,
    /// Where JSON shows it, and what stands there then.
    at: &'static str,
    then: Then,
    /// A query that finds the issue then, and not before.
    query: &'static str,
    /// Words of the desk's own note.
    says: &'static str,
}

#[derive(Clone, Copy)]
enum Then {
    Is(&'static str),
    Number(i64),
    True,
    Begins(&'static str),
    Holds(&'static str),
    Null,
}

impl Then {
    fn holds(self, value: &Value) -> bool {
        match self {
            Self::Is(text) => value == text,
            Self::Number(number) => *value == json!(number),
            Self::True => *value == json!(true),
            Self::Begins(text) => value.as_str().is_some_and(|value| value.starts_with(text)),
            Self::Holds(text) => !value.is_null() && value.to_string().contains(text),
            Self::Null => value.is_null(),
        }
    }
}

const fn feature(name: &'static str, key: &'static str) -> Feature {
    Feature { name, command: &[], first: "", quick: "", key, at: "", then: Then::Null, query: "", says: "" }
}

fn features() -> Vec<Feature> {
    use Then::{Begins, Holds, Is, Null, Number, True};
    vec![
        Feature {
            command: &["issue", "edit", "ONE", "--convert-to-ticket", "zoe@customer.example"],
            quick: "/convert_to_ticket zoe@customer.example",
            at: "/type",
            then: Is("ticket"),
            query: "type:ticket participant:zoe@customer.example",
            says: "zoe@customer.example",
            ..feature("ticket", "convert-to-ticket")
        },
        Feature {
            command: &["issue", "edit", "ONE", "--priority", "urgent"],
            quick: "/priority urgent",
            at: "/priority",
            then: Is("urgent"),
            query: "priority:urgent",
            says: "urgent",
            ..feature("priority", "priority")
        },
        Feature {
            command: &["issue", "edit", "ONE", "--status", "pending"],
            quick: "/status pending",
            at: "/status",
            then: Is("pending"),
            query: "status:pending",
            says: "pending",
            ..feature("status", "set-status")
        },
        Feature {
            command: &["issue", "edit", "ONE", "--close"],
            quick: "/close",
            at: "/state",
            then: Is("closed"),
            query: "is:closed",
            says: "closed",
            ..feature("close", "close")
        },
        Feature {
            command: &["issue", "edit", "ONE", "--reopen"],
            first: "/close",
            quick: "/reopen",
            at: "/state",
            then: Is("open"),
            query: "is:open",
            says: "reopened",
            ..feature("reopen", "reopen")
        },
        Feature {
            command: &["issue", "snooze", "ONE", "--until", "2099-12-24"],
            quick: "/snooze 2099-12-24",
            at: "/snoozed_until",
            then: Begins("2099-12-2"),
            query: "snoozed:>2099-01-01",
            says: "snoozed",
            ..feature("snooze", "snooze")
        },
        Feature {
            command: &["issue", "edit", "ONE", "--due", "2099-12-24"],
            quick: "/due 2099-12-24",
            at: "/due_at",
            then: Begins("2099-12-2"),
            query: "due:>2099-01-01",
            says: "due",
            ..feature("due date", "due")
        },
        Feature {
            command: &["issue", "edit", "ONE", "--milestone", "2.0"],
            quick: "/milestone %2.0",
            at: "/milestone",
            then: Is("2.0"),
            query: "milestone:2.0",
            says: "2.0",
            ..feature("milestone", "milestone")
        },
        Feature {
            command: &["issue", "edit", "ONE", "--milestone", "none"],
            first: "/milestone %2.0",
            quick: "/remove_milestone",
            at: "/milestone",
            then: Null,
            query: "milestone:none",
            says: "2.0",
            ..feature("no milestone", "milestone")
        },
        Feature {
            command: &["issue", "edit", "ONE", "--weight", "7"],
            quick: "/weight 7",
            at: "/weight",
            then: Number(7),
            query: "weight:>5",
            says: "weight",
            ..feature("weight", "weight")
        },
        Feature {
            command: &["issue", "edit", "ONE", "--weight", "none"],
            first: "/weight 7",
            quick: "/clear_weight",
            at: "/weight",
            then: Null,
            query: "weight:none",
            says: "weight",
            ..feature("no weight", "weight")
        },
        Feature {
            command: &["issue", "edit", "ONE", "--estimate", "1d"],
            quick: "/estimate 1d",
            at: "/estimate",
            then: Number(8 * 3600),
            query: "estimate:>=8h",
            says: "1d",
            ..feature("estimate", "estimate")
        },
        Feature {
            command: &["issue", "edit", "ONE", "--spend", "2h"],
            quick: "/spend 2h",
            at: "/spent",
            then: Number(7200),
            query: "spent:2h",
            says: "2h",
            ..feature("time spent", "spend")
        },
        Feature {
            command: &["issue", "edit", "ONE", "--spend", "-30m"],
            first: "/spend 2h",
            quick: "/spend -30m",
            at: "/spent",
            then: Number(5400),
            query: "spent:<2h",
            says: "30m",
            ..feature("time taken back", "spend")
        },
        Feature {
            command: &["issue", "edit", "ONE", "--label", "bug"],
            quick: "/label ~bug",
            at: "/labels",
            then: Holds("bug"),
            query: "label:bug",
            says: "bug",
            ..feature("label", "labels")
        },
        Feature {
            command: &["issue", "edit", "ONE", "--assign", "alice"],
            quick: "/assign @alice",
            at: "/assignee",
            then: Is("alice"),
            query: "assignee:alice",
            says: "alice",
            ..feature("assignee", "assign")
        },
        Feature {
            command: &["issue", "edit", "ONE", "--title", "Slow export"],
            quick: "/title Slow export",
            at: "/title",
            then: Is("Slow export"),
            query: "title:export",
            says: "Slow export",
            ..feature("title", "title")
        },
        Feature {
            command: &["issue", "link", "ONE", "TWO"],
            quick: "/link TWO",
            at: "/links/0/kind",
            then: Is("relates_to"),
            query: "is:linked",
            says: "#2",
            ..feature("link", "link")
        },
        Feature {
            command: &["issue", "unlink", "ONE", "TWO"],
            first: "/link TWO",
            quick: "/unlink TWO",
            at: "/links/0",
            then: Null,
            query: "-is:linked",
            says: "#2",
            ..feature("no link", "link")
        },
        Feature {
            command: &["issue", "edit", "ONE", "--duplicate", "TWO"],
            quick: "/duplicate TWO",
            at: "/links/0/kind",
            then: Is("duplicate_of"),
            query: "is:closed is:linked",
            says: "duplicate",
            ..feature("duplicate", "link")
        },
        Feature {
            command: &["issue", "move", "ONE", "acme/office"],
            quick: "/move acme/office",
            at: "/project",
            then: Is("acme/office"),
            query: "is:moved",
            says: "acme/office",
            ..feature("move", "move")
        },
        Feature {
            command: &["issue", "merge", "ONE", "--into", "TWO"],
            quick: "/merge TWO",
            at: "/ref",
            then: Is("acme/support#2"),
            query: "is:merged",
            says: "merged",
            ..feature("merge", "merge")
        },
        Feature {
            command: &["issue", "unmerge", "ONE"],
            first: "/merge TWO",
            quick: "/unmerge ONE",
            at: "/ref",
            then: Is("acme/support#1"),
            query: "is:open -is:merged title:slow",
            says: "parted",
            ..feature("unmerge", "unmerge")
        },
        Feature {
            command: &["issue", "split", "ONE", "NOTE", "--title", "A printer"],
            first: "And the printer is slow as well.",
            quick: "/split NOTE A printer",
            at: "/split_into/0",
            then: Is("acme/support#3"),
            query: "is:split",
            says: "split 1 note out into acme/support#3",
            ..feature("split", "split")
        },
        Feature {
            command: &["issue", "spam", "ONE"],
            quick: "/spam",
            at: "/spam",
            then: True,
            query: "is:spam",
            says: "spam",
            ..feature("spam", "spam")
        },
    ]
}

const ONE: &str = "acme/support#1";

/// Gives what stands at a place, whether the row of the list holds it or the issue.
fn at(issue: &Value, place: &str) -> Value {
    let row = issue.get("row").and_then(|row| row.pointer(place));
    row.or_else(|| issue.pointer(place)).cloned().unwrap_or(Value::Null)
}

fn filled(text: &str, shown: &Value) -> String {
    text.replace("NOTE", &last_note(shown)).replace("ONE", "#1").replace("TWO", "#2")
}

/// Gives the number of the last note that somebody wrote.
fn last_note(shown: &Value) -> String {
    let notes = shown.pointer("/notes").and_then(Value::as_array).unwrap();
    let last = notes.iter().rfind(|note| note.pointer("/kind") != Some(&json!("system"))).unwrap();
    last.pointer("/id").unwrap().to_string()
}

/// An issue nobody outside asked for, and a ticket beside it.
async fn room() -> Room {
    let mut room = Room::new().await;
    let new = |title: &str| NewIssue {
        project: "acme/support".into(),
        title: title.into(),
        to: None,
        text: "It is about this.".into(),
        hold_ms: None,
    };
    room.ok(Request::NewIssue(new("Slow start"))).await;
    room.mail(ADA).await;
    room
}

async fn shown(room: &mut Room) -> Value {
    serde_json::to_value(room.issue(ONE).await).unwrap()
}

#[tokio::test]
async fn each_has_a_quick_action_a_field_in_json_and_in_queries_a_note_and_one_undo() {
    for feature in features() {
        let name = feature.name;
        let mut room = room().await;
        if !feature.first.is_empty() {
            let first = filled(feature.first, &shown(&mut room).await);
            room.ok(Request::AddNote(note(ONE, &first))).await;
        }
        let stood = shown(&mut room).await;
        let before = at(&stood, feature.at);
        assert!(!feature.then.holds(&before), "{name}: {before} already before");
        let found = room.list(feature.query).await;
        assert!(!found.iter().any(|found| found == ONE), "{name}: `{}` finds it already", feature.query);
        room.ok(Request::AddNote(note(ONE, &filled(feature.quick, &stood)))).await;
        let issue = room.issue(ONE).await;
        let reference = issue.row.reference.clone();
        let after = at(&serde_json::to_value(&issue).unwrap(), feature.at);
        assert!(feature.then.holds(&after), "{name}: {after}");
        let found = room.list(feature.query).await;
        // What was merged is found under its own number.
        let is_it = |found: &String| *found == reference || found == ONE;
        assert!(found.iter().any(is_it), "{name}: `{}` finds {found:?}", feature.query);
        let said: Vec<&str> =
            issue.notes.iter().filter(|n| n.kind == NoteKind::System).map(|n| n.body.as_str()).collect();
        let told = said.iter().any(|body| body.contains("alice") && body.contains(feature.says));
        assert!(told, "{name}: `{}` is not in {said:?}", feature.says);
        room.ok(Request::Undo).await;
        assert_eq!(at(&shown(&mut room).await, feature.at), before, "{name}: undone");
        let found = room.list(feature.query).await;
        assert!(!found.iter().any(|found| found == ONE), "{name}: `{}` still finds it", feature.query);
    }
}

#[test]
fn each_has_a_command_that_one_undo_takes_back() {
    let desk = TestDesk::between_maildirs("");
    desk.ok(&["project", "add", "acme/office"]);
    desk.ok(&["issue", "new", "acme/support", "--title", "Slow start"]);
    desk.feed(&["deliver", "-"], &crate::support::mail("ada@customer.test", "printer"));
    for feature in features() {
        let name = feature.name;
        if !feature.first.is_empty() {
            let first = feature.first.replace("TWO", "acme/support#2");
            desk.ok(&["issue", "note", ONE, "--internal", "-m", &first]);
        }
        let stood = desk.json(&["issue", "show", ONE]);
        let before = at(&stood, feature.at);
        let named = |word: &&str| {
            let word = if *word == "NOTE" { last_note(&stood) } else { (*word).to_owned() };
            word.replace("ONE", ONE).replace("TWO", "acme/support#2")
        };
        let command: Vec<String> = feature.command.iter().map(named).collect();
        let command: Vec<&str> = command.iter().map(String::as_str).collect();
        let printed = desk.json(&command);
        assert!(!printed.is_null(), "{name}: the command prints what it changed");
        let after = at(&desk.json(&["issue", "show", ONE]), feature.at);
        assert!(feature.then.holds(&after), "{name}: {after}");
        desk.ok(&["undo"]);
        assert_eq!(at(&desk.json(&["issue", "show", ONE]), feature.at), before, "{name}: undone");
        if !feature.first.is_empty() {
            desk.ok(&["undo"]);
        }
    }
}

#[test]
fn each_has_a_key_and_a_name_in_the_palette_on_the_list_and_in_the_thread() {
    let keymap = include_str!("../../assets/keymap.toml");
    let readme = include_str!("../../README.md");
    for feature in features() {
        for place in ["list", "thread"] {
            let (_, part) = keymap.split_once(&format!("\n[{place}]\n")).unwrap();
            let part = part.split("\n[").next().unwrap();
            let bound = format!(" = \"{}\"", feature.key);
            assert!(part.contains(&bound), "{}: no key in the {place}", feature.name);
        }
        let action = feature.quick.split(' ').next().unwrap();
        assert!(readme.contains(action), "{action} is not in README.md");
    }
}
