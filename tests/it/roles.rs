//! Roles: every request as each of them, and what the answers keep back.

use crate::support::room::{ADA, Room, draft_of, note};
use deskbell::desk::Caller;
use deskbell::domain::{
    AboutEdit, Arrival, AskedReport, Attend, CategoryKind, CustomAction, Deliver, Draft, DraftKind, Edit,
    Event, FaultKind, FillCanned, Forward, ImportAuthor, ImportIssue, IntakeAction, IntakeId, IssueKind,
    IssueQuery, IssueSplit, KeptFor, NewIssue, NewNote, NewNotes, NoteId, OutboxAction, OutboxId,
    PreviewTemplate, ProjectAddress, Redact, Reference, Request, Response, Role, SenderRule, SenderScope,
    Seq, ViewFrom, ViewId,
};
use std::collections::BTreeSet;

fn save_canned(scope: KeptFor) -> Request {
    Request::SaveCanned { scope, name: "none".into(), settings: vec![], new: false, attach: vec![] }
}

fn view(kept: KeptFor) -> ViewId {
    ViewId { from: ViewFrom::Kept(kept), name: "none".into() }
}

fn save_view(kept: KeptFor) -> Request {
    Request::SaveView { kept, name: "none".into(), settings: vec![], new: false }
}

fn many(dry_run: bool) -> NewNotes {
    let references = vec!["acme/support#2".parse().unwrap()];
    NewNotes { references, text: "Hello".into(), internal: false, hold_ms: None, close: false, dry_run }
}

fn preview(reference: Option<Reference>) -> Request {
    let (project, name) = ("acme/support".to_owned(), "new_note".to_owned());
    Request::PreviewTemplate(PreviewTemplate { project, name, reference, text: None })
}

fn imported(project: String) -> ImportIssue {
    let at = "2020-03-02T09:00:00Z".parse().unwrap();
    ImportIssue {
        project,
        key: "elsewhere-1".into(),
        iid: 0,
        title: "Old".into(),
        kind: IssueKind::Issue,
        closed: true,
        confidential: false,
        labels: vec![],
        milestone: None,
        weight: None,
        estimate: None,
        spent: 0,
        due_at: None,
        created_at: at,
        updated_at: at,
        closed_at: None,
        author: ImportAuthor::default(),
        assignees: vec![],
        participants: vec![],
        notes: vec![],
    }
}

const ROLES: [Option<Role>; 6] = [
    None,
    Some(Role::Guest),
    Some(Role::Reporter),
    Some(Role::Developer),
    Some(Role::Maintainer),
    Some(Role::Owner),
];

/// Who may do it.
#[derive(Clone, Copy, Debug)]
enum Who {
    Everybody,
    /// Members with at least this role.
    From(Role),
    /// Owners of the desk only.
    DeskOwner,
}

/// A desk with a confidential ticket (#1), an open one (#2), a mail that waits, and a user for each role.
async fn room() -> Room {
    let mut room = Room::new().await;
    room.mail(ADA).await;
    room.set("acme/support", "confidential", "false").await;
    room.mail(&ADA.replace("<a1@", "<a2@")).await;
    room.reply("acme/support#2", "We look into it.").await;
    let internal = NewNote { internal: true, ..note("acme/support#2", "She is a pest.") };
    room.ok(Request::AddNote(internal)).await;
    let (project, user_name) = ("acme/office".into(), "alice".into());
    room.ok(Request::SetMember { project, user: user_name, role: Role::Owner }).await;
    for role in ROLES {
        room.user(user(role)).await;
        if let Some(role) = role {
            let (project, user) = ("acme/support".into(), user(Some(role)).into());
            room.ok(Request::SetMember { project, user, role }).await;
        }
    }
    room
}

fn user(role: Option<Role>) -> &'static str {
    role.map_or("stranger", Role::word)
}

/// Every request once, and who may make it.
fn table() -> Vec<(Request, Who)> {
    use Who::{DeskOwner, Everybody, From};
    let open = || "acme/support#2".parse().unwrap();
    let path = || "acme/support".to_owned();
    let here = || SenderScope::Project(path());
    let draft = Draft {
        kind: DraftKind::Issue,
        saved_at: "2026-03-02T09:00:00Z".parse().unwrap(),
        ..draft_of("", None, "x")
    };
    let ticket = |to: bool| NewIssue {
        project: path(),
        title: "New".into(),
        to: to.then(|| "eve@new.example".parse().unwrap()),
        text: "x".into(),
        hold_ms: None,
    };
    let deliver =
        Deliver { arrival: Arrival::default(), raw: b"From: x@y.example\r\n\r\nx".to_vec(), dry_run: true };
    vec![
        (Request::Whoami, Everybody),
        (Request::Status, Everybody),
        (Request::Attend(Attend::default()), Everybody),
        (Request::Attend(Attend { reference: Some(open()), ..Attend::default() }), From(Role::Guest)),
        (Request::Issues(IssueQuery { query: String::new(), offset: 0, limit: 9 }), Everybody),
        (Request::Counts(vec!["is:open".into()]), Everybody),
        (Request::Issue(open()), From(Role::Guest)),
        (Request::Issue("acme/support#1".parse().unwrap()), From(Role::Reporter)),
        (Request::History(open()), From(Role::Reporter)),
        (Request::Similar(open()), From(Role::Reporter)),
        (Request::RawMail { reference: open(), note: NoteId(2) }, From(Role::Reporter)),
        (Request::Attachment { reference: open(), note: NoteId(2), name: "1".into() }, From(Role::Guest)),
        (Request::OriginalHtml { reference: open(), note: NoteId(2) }, From(Role::Reporter)),
        (Request::Outbox { states: vec![], limit: 9 }, Everybody),
        (Request::Intake { fate: None, limit: 9 }, Everybody),
        (Request::IntakeEntry(IntakeId(1)), From(Role::Reporter)),
        (Request::IntakeRaw(IntakeId(1)), From(Role::Reporter)),
        (Request::Projects, Everybody),
        (Request::Project(path()), From(Role::Guest)),
        (Request::Users, Everybody),
        (Request::Members(path()), From(Role::Guest)),
        (Request::Desk, Everybody),
        (Request::Labels, Everybody),
        (Request::Templates { project: path() }, From(Role::Reporter)),
        (preview(Some(open())), From(Role::Reporter)),
        (preview(None), From(Role::Reporter)),
        (Request::Canned { project: None }, Everybody),
        (Request::Canned { project: Some(path()) }, From(Role::Guest)),
        (
            Request::FillCanned(FillCanned { scope: None, name: "none".into(), reference: open() }),
            From(Role::Guest),
        ),
        (save_canned(KeptFor::Mine), Everybody),
        (save_canned(KeptFor::Project(path())), From(Role::Maintainer)),
        (save_canned(KeptFor::Desk), DeskOwner),
        (Request::RemoveCanned { scope: KeptFor::Mine, name: "none".into() }, Everybody),
        (
            Request::RemoveCanned { scope: KeptFor::Project(path()), name: "none".into() },
            From(Role::Maintainer),
        ),
        (Request::RemoveCanned { scope: KeptFor::Desk, name: "none".into() }, DeskOwner),
        (Request::Views, Everybody),
        (Request::NoteMany(many(false)), From(Role::Reporter)),
        (Request::NoteMany(many(true)), From(Role::Reporter)),
        (
            Request::RunMacro { kept: None, name: "none".into(), references: vec![open()], hold_ms: None },
            From(Role::Reporter),
        ),
        (Request::MarkManyRead { references: vec![open()], read: true }, From(Role::Guest)),
        (Request::UndoOne(Seq(1)), Everybody),
        (Request::Changes { limit: 10 }, Everybody),
        (save_view(KeptFor::Mine), Everybody),
        (save_view(KeptFor::Project(path())), From(Role::Maintainer)),
        (save_view(KeptFor::Desk), DeskOwner),
        (Request::RemoveView(view(KeptFor::Mine)), Everybody),
        (Request::RemoveView(view(KeptFor::Project(path()))), From(Role::Maintainer)),
        (Request::RemoveView(view(KeptFor::Desk)), DeskOwner),
        (Request::OrderView { view: view(KeptFor::Mine), position: 1 }, Everybody),
        (Request::ShareView { view: view(KeptFor::Mine), with: KeptFor::Mine }, Everybody),
        (Request::Categories { kind: CategoryKind::Label, project: None }, Everybody),
        (Request::Categories { kind: CategoryKind::Label, project: Some(path()) }, From(Role::Guest)),
        (
            Request::AddCategory { kind: CategoryKind::Label, project: path(), settings: vec![] },
            From(Role::Reporter),
        ),
        (
            Request::SetCategory {
                kind: CategoryKind::Label,
                project: path(),
                name: "none".into(),
                settings: vec![],
            },
            From(Role::Reporter),
        ),
        (
            Request::RemoveCategory { kind: CategoryKind::Label, project: path(), name: "none".into() },
            From(Role::Reporter),
        ),
        (
            Request::SetClock { scope: here(), name: Some("none".into()), settings: vec![] },
            From(Role::Maintainer),
        ),
        (Request::RemoveClock { scope: here(), name: "none".into() }, From(Role::Maintainer)),
        (
            Request::SetClock { scope: SenderScope::Desk, name: Some("none".into()), settings: vec![] },
            DeskOwner,
        ),
        (Request::RemoveClock { scope: SenderScope::Desk, name: "none".into() }, DeskOwner),
        (Request::Clocks, Everybody),
        (Request::Report(AskedReport::default()), Everybody),
        (
            Request::SetRule { scope: here(), name: Some("none".into()), settings: vec![] },
            From(Role::Maintainer),
        ),
        (Request::RemoveRule { scope: here(), name: "none".into() }, From(Role::Maintainer)),
        (Request::OrderRule { scope: here(), name: "none".into(), position: 1 }, From(Role::Maintainer)),
        (
            Request::SetRule { scope: SenderScope::Desk, name: Some("none".into()), settings: vec![] },
            DeskOwner,
        ),
        (Request::RemoveRule { scope: SenderScope::Desk, name: "none".into() }, DeskOwner),
        (Request::OrderRule { scope: SenderScope::Desk, name: "none".into(), position: 1 }, DeskOwner),
        (Request::TestRule { scope: here(), name: "none".into() }, From(Role::Reporter)),
        (Request::Rules, Everybody),
        (Request::Drafts, Everybody),
        (Request::Draft { reference: Some(open()), kind: DraftKind::Reply }, From(Role::Guest)),
        (
            Request::DraftFile {
                reference: Some(open()),
                kind: DraftKind::Reply,
                name: "a.txt".into(),
                place: None,
            },
            From(Role::Guest),
        ),
        (Request::Verbs { limit: 9 }, Everybody),
        (Request::Cursors, Everybody),
        (Request::OutboxRaw(OutboxId(1)), From(Role::Reporter)),
        (Request::About("ada@customer.example".parse().unwrap()), From(Role::Reporter)),
        (
            Request::SetAbout { email: "ada@customer.example".parse().unwrap(), edit: AboutEdit::Vip(true) },
            From(Role::Reporter),
        ),
        (Request::Person("q@y.example".parse().unwrap()), DeskOwner),
        (Request::ErasePerson("q@y.example".parse().unwrap()), DeskOwner),
        (
            Request::Redact(Redact {
                reference: open(),
                note: NoteId(99),
                words: vec![],
                files: vec![],
                dry_run: false,
            }),
            From(Role::Maintainer),
        ),
        (Request::Senders(None), From(Role::Reporter)),
        (Request::Senders(Some(here())), From(Role::Reporter)),
        (
            Request::TestSender { scope: here(), address: Some("x@y.example".parse().unwrap()), raw: vec![] },
            From(Role::Reporter),
        ),
        (Request::NewIssue(ticket(false)), From(Role::Guest)),
        (Request::NewIssue(ticket(true)), From(Role::Reporter)),
        (Request::AddNote(note("acme/support#2", "Hello")), From(Role::Guest)),
        (Request::AddNote(note("acme/support#2", "Hello\n/label ~x")), From(Role::Reporter)),
        (
            Request::AddNote(NewNote { internal: true, ..note("acme/support#2", "Hello") }),
            From(Role::Reporter),
        ),
        (
            Request::Edit { references: vec![open()], edits: vec![Edit::Label("x".into())] },
            From(Role::Reporter),
        ),
        (
            Request::Merge {
                references: vec![open()],
                into: "acme/support#1".parse().unwrap(),
                dry_run: true,
            },
            From(Role::Reporter),
        ),
        (Request::Unmerge(open()), From(Role::Reporter)),
        (Request::UnmergeMany(vec![open()]), From(Role::Reporter)),
        (
            Request::Forward(Forward {
                reference: open(),
                notes: vec![],
                to: "eve@new.example".parse().unwrap(),
                text: String::new(),
                hold_ms: None,
            }),
            From(Role::Reporter),
        ),
        (Request::Split(IssueSplit { reference: open(), notes: vec![], title: None }), From(Role::Reporter)),
        (Request::Import(Box::new(imported(path()))), From(Role::Maintainer)),
        (Request::CommitsReached { project: path(), commits: vec![] }, From(Role::Developer)),
        (Request::MarkRead { reference: open(), read: true }, From(Role::Guest)),
        (Request::Undo, Everybody),
        (Request::Redo, Everybody),
        (Request::SaveDraft(Box::new(draft)), Everybody),
        (Request::DropDraft { reference: Some(open()), kind: DraftKind::Reply }, From(Role::Guest)),
        (Request::AddProject { path: path() }, DeskOwner),
        (
            Request::SetProject { path: path(), settings: vec![("thank_you".into(), "false".into())] },
            From(Role::Maintainer),
        ),
        (Request::EnableProject { path: path(), enabled: true }, From(Role::Maintainer)),
        (Request::RenameProject { path: path(), to: path() }, From(Role::Owner)),
        (Request::RotateKey { path: path() }, From(Role::Maintainer)),
        (
            Request::SetAddress {
                path: path(),
                address: ProjectAddress {
                    address: "sales@acme.example".parse().unwrap(),
                    labels: vec![],
                    assignee: None,
                },
            },
            From(Role::Maintainer),
        ),
        (
            Request::RemoveAddress { path: path(), address: "q@acme.example".parse().unwrap() },
            From(Role::Maintainer),
        ),
        (Request::CustomEmail { path: path(), action: CustomAction::Disable }, From(Role::Maintainer)),
        (
            Request::AddUser { name: "new".into(), full_name: None, emails: vec![], system_user: None },
            DeskOwner,
        ),
        (Request::SetUser { name: "guest".into(), settings: vec![] }, DeskOwner),
        (
            Request::SetUser { name: "alice".into(), settings: vec![("notify.note".into(), "off".into())] },
            DeskOwner,
        ),
        (Request::RemoveUser { name: "nobody".into() }, DeskOwner),
        (
            Request::SetMember { project: path(), user: "guest".into(), role: Role::Guest },
            From(Role::Maintainer),
        ),
        (Request::RemoveMember { project: path(), user: "nobody".into() }, From(Role::Maintainer)),
        (Request::SetDesk { settings: vec![] }, DeskOwner),
        (
            Request::SetSender { scope: here(), pattern: "x@y.example".into(), rule: SenderRule::Block },
            From(Role::Maintainer),
        ),
        (
            Request::SetSender {
                scope: SenderScope::Desk,
                pattern: "x@y.example".into(),
                rule: SenderRule::Block,
            },
            DeskOwner,
        ),
        (
            Request::RemoveSender { scope: Some(here()), pattern: "q@y.example".into() },
            From(Role::Maintainer),
        ),
        (Request::RemoveSender { scope: None, pattern: "q@y.example".into() }, From(Role::Maintainer)),
        (Request::Deliver(deliver), Everybody),
        (Request::OutboxAct { ids: vec![OutboxId(1)], action: OutboxAction::Retry }, From(Role::Reporter)),
        (Request::IntakeAct { id: IntakeId(1), action: IntakeAction::Retry }, From(Role::Reporter)),
        (Request::IntakeSender { id: IntakeId(1), rule: SenderRule::Allow }, From(Role::Reporter)),
        (Request::SyncNow, Everybody),
        (Request::Backup { path: String::new(), replace: false }, DeskOwner),
        (Request::Rebuild, DeskOwner),
        (Request::Compact, DeskOwner),
        (Request::Verify, DeskOwner),
        // The server answers this one itself.
        (Request::StepDown, Everybody),
        // The socket never lets this one through.
        (Request::SaveCursor(Box::default()), Everybody),
    ]
}

/// Tells whether somebody was kept out, whatever else came of it.
fn kept_out(answer: &Result<Response, deskbell::domain::Fault>) -> bool {
    answer.as_ref().is_err_and(|fault| match fault.kind {
        FaultKind::NotAllowed => true,
        FaultKind::NotFound => ["there is no issue", "there is no project", "there is no mail"]
            .iter()
            .any(|w| fault.message.starts_with(w)),
        _ => false,
    })
}

#[tokio::test]
async fn every_request_is_answered_to_those_alone_whose_role_allows_it() {
    let mut room = room().await;
    for (request, who) in table() {
        for role in ROLES {
            let allowed = match who {
                Who::Everybody => true,
                Who::From(least) => role.is_some_and(|role| role >= least),
                Who::DeskOwner => false,
            };
            let answer = room.ask_as(user(role), request.clone()).await;
            assert_eq!(!kept_out(&answer), allowed, "{request:?} as {}: {answer:?}", user(role));
        }
        if let Who::DeskOwner = who {
            let request = match request {
                Request::Backup { .. } => continue,
                request => request,
            };
            let answer = room.ask(request.clone()).await;
            assert!(!kept_out(&answer), "{request:?} as the owner: {answer:?}");
        }
    }
}

#[test]
fn the_table_holds_every_request() {
    let source = include_str!("../../src/domain/request.rs");
    let (_, rest) = source.split_once("pub enum Request {").unwrap();
    let (body, _) = rest.split_once("\n}").unwrap();
    let names: BTreeSet<&str> = body
        .lines()
        .filter_map(|line| line.strip_prefix("    "))
        .filter(|line| line.starts_with(|c: char| c.is_ascii_uppercase()))
        .map(|line| line.split(['(', ' ', ',']).next().unwrap())
        .collect();
    let listed: BTreeSet<String> = table()
        .iter()
        .map(|(request, _)| format!("{request:?}").split(['(', ' ', '{']).next().unwrap().to_owned())
        .collect();
    assert_eq!(listed.iter().map(String::as_str).collect::<BTreeSet<_>>(), names);
}

#[tokio::test]
async fn who_is_no_member_finds_nothing_counts_nothing_and_hears_nothing() {
    let mut room = room().await;
    let queries = ["", "log", "is:open", "#2", "from:ada", "acme/support#2"];
    for query in queries {
        assert_eq!(room.list_as("stranger", query).await, [""; 0], "{query}");
    }
    let Ok(Response::Counts(counts)) =
        room.ask_as("stranger", Request::Counts(queries.map(str::to_owned).to_vec())).await
    else {
        panic!()
    };
    assert!(counts.iter().all(|count| count.unwrap_or(0) == 0), "{counts:?}");
    let empty = |response: Response| match response {
        Response::Projects(all) => all.is_empty(),
        Response::Outbox(all) => all.is_empty(),
        Response::Intake(all) => all.is_empty(),
        Response::Labels(all) => all.is_empty(),
        other => panic!("{other:?}"),
    };
    for request in [
        Request::Projects,
        Request::Outbox { states: vec![], limit: 9 },
        Request::Intake { fate: None, limit: 9 },
        Request::Labels,
    ] {
        assert!(empty(room.ask_as("stranger", request.clone()).await.unwrap()), "{request:?}");
    }
    let Ok(Response::Status(status)) = room.ask_as("stranger", Request::Status).await else { panic!() };
    assert_eq!((status.outbox, status.triage), (Default::default(), 0));
    // An issue of theirs and one that does not exist are told apart by nobody.
    let asked = |text: &str| Request::Issue(text.parse().unwrap());
    let hidden = room.ask_as("stranger", asked("acme/support#2")).await.unwrap_err();
    let never = room.ask_as("stranger", asked("acme/nothing#2")).await.unwrap_err();
    assert_eq!(hidden.message.replace("support", "nothing"), never.message);
    let hidden = room.ask_as("guest", asked("acme/support#1")).await.unwrap_err();
    let never = room.ask_as("guest", asked("acme/support#99")).await.unwrap_err();
    assert_eq!((hidden.message.replace("#1", "#99"), hidden.hint), (never.message, never.hint));
    // A number alone must not name a project that is not theirs.
    let fault = room.ask_as("guest", asked("#77")).await.unwrap_err();
    assert!(!format!("{fault:?}").contains("office"), "{fault:?}");
}

#[tokio::test]
async fn events_name_only_issues_that_may_be_seen() {
    let mut room = room().await;
    let mut news = room.desk.subscribe();
    room.edit("acme/support#1", Edit::Label("x".into())).await;
    room.edit("acme/support#2", Edit::Label("x".into())).await;
    let mut heard = [("alice", 0), ("stranger", 0), ("guest", 0), ("reporter", 0)];
    while let Ok(event) = news.try_recv() {
        if !matches!(event, Event::Issues { .. }) {
            continue;
        }
        for (user, count) in &mut heard {
            let caller = Caller { user: (*user).into(), owns_desk: false };
            *count += usize::from(room.desk.event_for(&caller, event.clone()).await.is_some());
        }
    }
    assert_eq!(heard, [("alice", 2), ("stranger", 0), ("guest", 1), ("reporter", 2)]);
}

#[tokio::test]
async fn guests_see_neither_addresses_nor_internal_notes_nor_the_desks_own_address() {
    let mut room = room().await;
    room.edit("acme/support#2", Edit::AddEmail("carl@other.example".parse().unwrap())).await;
    let asked = || Request::Issue("acme/support#2".parse().unwrap());
    let Ok(Response::Issue(issue)) = room.ask_as("guest", asked()).await else { panic!() };
    let all = serde_json::to_string(&issue).unwrap();
    for hidden in ["ada@customer.example", "carl@other.example", "She is a pest"] {
        assert!(!all.contains(hidden), "{hidden} in {all}");
    }
    assert!(all.contains("a*****@c*****.e**"), "{all}");
    let page = IssueQuery { query: String::new(), offset: 0, limit: 9 };
    let Ok(Response::Issues(page)) = room.ask_as("guest", Request::Issues(page)).await else { panic!() };
    assert!(!serde_json::to_string(&page).unwrap().contains("ada@customer.example"));
    let Ok(Response::Issue(issue)) = room.ask_as("reporter", asked()).await else { panic!() };
    let all = serde_json::to_string(&issue).unwrap();
    assert!(all.contains("ada@customer.example") && all.contains("She is a pest"));
    for (user, sees) in [("developer", false), ("maintainer", true)] {
        let Ok(Response::Project(project)) = room.ask_as(user, Request::Project("acme/support".into())).await
        else {
            panic!()
        };
        assert_eq!(!project.addresses.is_empty(), sees, "{user}");
    }
}

#[tokio::test]
async fn a_project_without_members_is_everybodys_and_its_last_member_stays() {
    let mut room = Room::new().await;
    room.mail(ADA).await;
    room.user("bob").await;
    room.user("eve").await;
    assert_eq!(room.list_as("bob", "").await, ["acme/support#1"]);
    let (project, user) = ("acme/support".to_owned(), "eve".to_owned());
    room.ok(Request::SetMember { project: project.clone(), user: user.clone(), role: Role::Reporter }).await;
    assert_eq!(room.list_as("bob", "").await, [""; 0]);
    assert_eq!(room.list_as("eve", "").await, ["acme/support#1"]);
    assert!(room.ask(Request::RemoveMember { project, user }).await.is_err());
}

#[tokio::test]
async fn nobody_gives_a_role_above_their_own() {
    let mut room = room().await;
    let set =
        |user: &str, role| Request::SetMember { project: "acme/support".into(), user: user.into(), role };
    assert!(room.ask_as("maintainer", set("guest", Role::Owner)).await.is_err());
    assert!(room.ask_as("maintainer", set("owner", Role::Guest)).await.is_err());
    let remove = Request::RemoveMember { project: "acme/support".into(), user: "owner".into() };
    assert!(room.ask_as("maintainer", remove).await.is_err());
    room.ask_as("maintainer", set("guest", Role::Maintainer)).await.unwrap();
    room.ask_as("owner", set("guest", Role::Owner)).await.unwrap();
}

#[tokio::test]
async fn of_several_issues_only_those_are_changed_in_which_one_has_the_role() {
    let mut room = room().await;
    let references =
        ["acme/support#2", "acme/office#1", "acme/support#1"].map(|r| r.parse().unwrap()).to_vec();
    let edits = vec![Edit::Label("bulk".into())];
    let request = Request::Edit { references, edits };
    let guest = room.ask_as("guest", request.clone()).await.unwrap_err();
    assert_eq!(guest.kind, FaultKind::NotAllowed);
    let Response::Edited { rows, failed, .. } = room.ask_as("reporter", request).await.unwrap() else {
        panic!()
    };
    assert_eq!((rows.len(), failed.len()), (2, 1));
    assert_eq!(failed[0].reference.to_string(), "acme/office#1");
    assert!(failed[0].reason.starts_with("there is no "), "{failed:?}");
}

#[tokio::test]
async fn the_list_of_changes_shows_what_one_works_on_and_takes_back_what_is_ones_own() {
    let mut room = room().await;
    room.edit("acme/support#2", Edit::Label("seen".into())).await;
    let changes =
        async |room: &mut Room, user: &str| match room.ask_as(user, Request::Changes { limit: 500 }).await {
            Ok(Response::Changes(rows)) => rows,
            other => panic!("{other:?}"),
        };
    for role in ROLES {
        let rows = changes(&mut room, user(role)).await;
        let works = role.is_some_and(|role| role >= Role::Reporter);
        assert_eq!(rows.iter().any(|row| row.label.contains("seen")), works, "{role:?}");
        assert!(rows.iter().all(|row| !row.undoable), "{role:?} did none of it");
    }
    let mine = changes(&mut room, "alice").await;
    let labelled = mine.iter().find(|row| row.label.contains("seen")).unwrap();
    assert!(labelled.undoable, "{labelled:?}");
    let other = room.ask_as("reporter", Request::UndoOne(labelled.seq)).await.unwrap_err();
    assert!(other.message.contains("of yours"), "{other:?}");
}
