use super::*;
use crate::domain::query::fold;
use crate::domain::{
    Attachment, Author, EmailAddress, IssueKind, NoteKind, Participant, ParticipantRole, Party, Priority,
    SUPPORT_BOT, State, Status,
};
use crate::domain::{Rights, Role};
use jiff::Timestamp;
use tempfile::TempDir;

mod lists;
mod reports;
mod similar;
mod speed;
mod starts;

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(1_700_000_000 + second).unwrap()
}

fn viewer() -> Viewer {
    Viewer { user: "alice".to_owned(), now: at(1_000_000), rights: Rights::All }
}

fn ada() -> Author {
    Author::outside(Some("Ada Lovelace".to_owned()), EmailAddress::parse("ada@example.com").unwrap())
}

/// The issue `id`, number `id` of project 1, last changed at second `id`.
fn issue(id: u64, title: &str) -> Issue {
    Issue {
        id: IssueId(id),
        project: ProjectId(1),
        iid: id,
        kind: IssueKind::Ticket,
        title: title.to_owned(),
        state: State::Open,
        status: Status::Open,
        author: ada(),
        confidential: true,
        labels: Default::default(),
        assignee: None,
        priority: None,
        created_at: at(0),
        updated_at: at(id as i64),
        closed_at: None,
        due_at: None,
        waiting_on: None,
        waiting_since: None,
        snoozed_until: None,
        spam: false,
        spam_since: None,
        purged: false,
        idle_warned_at: None,
        status_since: None,
        consulted: Vec::new(),
        stood: Vec::new(),
        turns: Vec::new(),
        clock_told: None,
        participants: vec![Participant {
            name: None,
            email: EmailAddress::parse("ada@example.com").unwrap(),
            subscribed: true,
            role: ParticipantRole::Requester,
            address_state: Default::default(),
        }],
        links: Vec::new(),
        mailbox: None,
        arrived_to: None,
        notes: 1,
        last_note: None,
        merged_into: None,
        was_open: false,
        split_from: None,
        split_into: Vec::new(),
        reopened_at: None,
        rating: None,
        brought: Vec::new(),
        milestone: None,
        weight: None,
        estimate: None,
        spent: 0,
    }
}

fn note(id: u64, issue: u64, body: &str) -> Note {
    Note {
        id: NoteId(id),
        issue: IssueId(issue),
        kind: NoteKind::Incoming,
        author: ada(),
        body: body.to_owned(),
        folded: None,
        html: false,
        reduced: false,
        created_at: at(0),
        message_id: None,
        in_reply_to: None,
        automatic: false,
        auth: None,
        why: None,
        warnings: Vec::new(),
        attachments: Vec::new(),
        raw: None,
        cc: Vec::new(),
        read: false,
        seal: None,
        came_from: Vec::new(),
        aside: None,
        by_rule: None,
    }
}

fn file(name: &str) -> Attachment {
    let media_type = "application/octet-stream".to_owned();
    Attachment {
        name: name.to_owned(),
        media_type,
        size: 1,
        inline: false,
        part: None,
        within: vec![],
        raw: None,
    }
}

fn project() -> Update {
    Update::Project { id: ProjectId(1), path: "acme/support".to_owned() }
}

/// Issues with one note each, numbered from 1.
fn texts(bodies: &[&str]) -> Vec<Update> {
    let each = (1..)
        .zip(bodies)
        .flat_map(|(id, body)| [Update::Issue(issue(id, "untitled")), Update::Note(note(id, id, body))]);
    std::iter::once(project()).chain(each).collect()
}

fn open(dir: &TempDir) -> (Index, Seq) {
    Index::open(&dir.path().join("index")).unwrap()
}

/// What a query finds; it also makes sure that counts agree with finds.
fn find(index: &Index, query: &str) -> Vec<u64> {
    let query = Query::parse(query).unwrap();
    let found = index.find(&query, &viewer(), 0, 100);
    assert_eq!(found.total, found.issues.len() as u64, "{query}");
    assert_eq!(index.count(&query, &viewer()), found.total, "{query}");
    found.issues.iter().map(|id| id.0).collect()
}

/// Makes sure that a query finds the same before and after the texts are on disk.
fn finds(index: &Index, cases: &[(&str, &[u64])]) {
    for on_disk in [false, true] {
        if on_disk {
            index.flush();
        }
        for (query, expected) in cases {
            assert_eq!(find(index, query), *expected, "{query}, on disk: {on_disk}");
        }
    }
}

#[test]
fn words_are_found_at_once_and_still_when_they_are_on_disk() {
    let dir = TempDir::new().unwrap();
    let (index, seq) = open(&dir);
    assert_eq!(seq, Seq(0));
    let mut updates = texts(&[
        "The printer on floor 3 is on fire",
        "Ärger mit dem Drucker, Größe A4",
        "プリンターが動きません。東京支社",
        "My order #4711 for a printer, see https://example.com/order",
        "fire drill",
    ]);
    updates.push(Update::Issue(issue(6, "Rechnung ärgerlich")));
    updates
        .push(Update::Note(Note { attachments: vec![file("invoice-2026.pdf")], ..note(6, 6, "see file") }));
    updates.push(Update::Note(Note { kind: NoteKind::System, ..note(7, 5, "printer closed") }));
    index.apply(Seq(3), &updates);
    finds(
        &index,
        &[
            ("printer", &[4, 1]),
            ("PRINTER fire", &[1]),
            ("fire -printer", &[5]),
            ("-fire", &[6, 4, 3, 2]),
            ("arger", &[2]),
            ("ärger*", &[6, 2]),
            ("pri*", &[4, 1]),
            ("pri", &[]),
            ("\"on fire\"", &[1]),
            ("\"fire on\"", &[]),
            ("\"floor 3 is\"", &[1]),
            ("flo*", &[1]),
            ("grosse", &[2]),
            ("東京", &[3]),
            ("京支", &[3]),
            ("社", &[3]),
            ("東", &[3]),
            ("東社", &[]),
            ("動きません", &[3]),
            ("invoice-2026.pdf", &[6]),
            ("invo*", &[6]),
            ("invoice", &[6]),
            ("\"floor 3\" i*", &[1]),
            ("invoice-20*", &[6]),
            ("body:pri*", &[4, 1]),
            ("ada@example.com is:open", &[6, 5, 4, 3, 2, 1]),
            ("lovelace printer", &[4, 1]),
            ("title:rechnung", &[6]),
            ("rechnung file", &[6]),
            ("body:rechnung", &[]),
            ("body:fire,drucker", &[5, 2, 1]),
            ("-body:fire,drucker", &[6, 4, 3]),
            ("#4711", &[4]),
            ("4711", &[4]),
            ("#4", &[4]),
            ("https://example.com/order", &[4]),
            ("!!! printer", &[4, 1]),
            ("-\"!\" printer", &[4, 1]),
            ("printer sort:updated-asc", &[1, 4]),
        ],
    );
}

#[test]
fn the_issue_with_the_number_comes_first_and_then_those_that_mention_it() {
    let dir = TempDir::new().unwrap();
    let (index, _) = open(&dir);
    index.apply(Seq(1), &texts(&["first", "second", "like #1", "see #2 and #1", "1 and 12"]));
    finds(
        &index,
        &[("#1", &[1, 4, 3]), ("#1 sort:updated-asc", &[1, 3, 4]), ("#1 #2", &[4]), ("acme/support#2", &[2])],
    );
}

#[test]
fn a_changed_text_is_found_by_its_new_words_only() {
    let dir = TempDir::new().unwrap();
    let (index, _) = open(&dir);
    index.apply(Seq(1), &texts(&["secret word", "other"]));
    index.flush();
    index.apply(Seq(2), &[Update::Note(note(1, 1, "redacted")), Update::Issue(issue(2, "new title"))]);
    finds(&index, &[("secret", &[]), ("redacted", &[1]), ("new title", &[2]), ("untitled", &[1])]);
    index.apply(Seq(3), &[Update::IssueGone(IssueId(1))]);
    finds(&index, &[("redacted", &[]), ("", &[2])]);
    assert_eq!(index.row(IssueId(1), &viewer()), None);
}

#[test]
fn texts_stand_after_reopening_and_rows_come_back_by_loading() {
    let dir = TempDir::new().unwrap();
    let (index, _) = open(&dir);
    index.apply(Seq(5), &texts(&["alpha", "beta"]));
    index.close();

    let (index, seq) = open(&dir);
    assert_eq!(seq, Seq(5));
    assert_eq!(find(&index, "alpha"), [0; 0]);
    index.load(Seq(5), &texts(&["alpha", "beta"]));
    assert_eq!(find(&index, "alpha"), [1]);
    index.load(Seq(7), &[Update::Note(note(3, 2, "gamma"))]);
    index.loaded(Seq(7));
    index.flush();
    assert_eq!(index.text_seq(), Seq(7));
    assert_eq!(find(&index, "gamma"), [2]);
}

#[test]
fn a_little_is_left_out_at_an_end_and_the_next_start_reads_it_again() {
    let dir = TempDir::new().unwrap();
    let (index, _) = open(&dir);
    index.apply(Seq(4), &texts(&["alpha", "other"]));
    index.close();
    let (index, seq) = open(&dir);
    assert_eq!(seq, Seq(4));
    let little = [Update::Note(note(3, 2, "beta"))];
    index.apply(Seq(5), &little);
    index.close();
    let (index, seq) = open(&dir);
    assert_eq!(seq, Seq(4));
    index.load(Seq(4), &texts(&["alpha", "other"]));
    index.apply(Seq(5), &little);
    assert_eq!((find(&index, "alpha"), find(&index, "beta")), (vec![1], vec![2]));
    index.apply(Seq(6), &[Update::Note(note(5, 2, &"gamma ".repeat(40_000)))]);
    index.close();
    assert_eq!(open(&dir).1, Seq(6));
}

#[test]
fn an_interrupted_load_is_begun_again() {
    let dir = TempDir::new().unwrap();
    let (index, _) = open(&dir);
    index.load(Seq(9), &texts(&["alpha"]));
    index.flush();
    drop(index);
    let (index, seq) = open(&dir);
    assert_eq!(seq, Seq(0));
    index.load(Seq(9), &texts(&["alpha"]));
    index.loaded(Seq(9));
    finds(&index, &[("alpha", &[1])]);
    index.close();
    assert_eq!(open(&dir).1, Seq(9));
}

#[test]
fn a_broken_full_text_is_thrown_away() {
    let damages: [fn(&Path); 4] = [
        |dir| std::fs::write(dir.join("meta.json"), "{}").unwrap(),
        |dir| std::fs::remove_file(dir.join("meta.json")).unwrap(),
        |dir| {
            let meta = std::fs::read_to_string(dir.join("meta.json")).unwrap();
            std::fs::write(dir.join("meta.json"), meta.replace("\"1 5\"", "\"0 5\"")).unwrap();
        },
        |dir| {
            let files = std::fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().path());
            files.filter(|path| path.extension().is_some_and(|e| e == "term")).for_each(|path| {
                std::fs::write(path, "").unwrap();
            });
        },
    ];
    for (n, damage) in damages.into_iter().enumerate() {
        let dir = TempDir::new().unwrap();
        let (index, _) = open(&dir);
        index.apply(Seq(5), &texts(&["alpha"]));
        index.close();
        damage(&dir.path().join("index"));
        let (index, seq) = open(&dir);
        assert_eq!(seq, Seq(0), "damage {n}");
        index.apply(Seq(5), &texts(&["alpha"]));
        finds(&index, &[("alpha", &[1])]);
    }
}

#[test]
fn a_full_text_in_use_is_left_alone() {
    let dir = TempDir::new().unwrap();
    let (index, _) = open(&dir);
    index.apply(Seq(5), &texts(&["alpha"]));
    index.flush();
    let second = Index::open(&dir.path().join("index"));
    assert!(matches!(second, Err(IndexError::Locked { .. })));
    assert_eq!(find(&index, "alpha"), [1]);
}

#[test]
fn damage_inside_a_file_shows_when_it_is_verified() {
    let dir = TempDir::new().unwrap();
    let (index, _) = open(&dir);
    index.apply(Seq(5), &texts(&["alpha"]));
    index.flush();
    assert_eq!(index.verify(), [""; 0]);
    let files = std::fs::read_dir(dir.path().join("index")).unwrap().map(|entry| entry.unwrap().path());
    let file = files.into_iter().find(|path| path.extension().is_some_and(|e| e == "idx")).unwrap();
    let mut bytes = std::fs::read(&file).unwrap();
    bytes[0] ^= 1;
    std::fs::write(&file, bytes).unwrap();
    let name = file.file_name().unwrap().to_str().unwrap().to_owned();
    assert_eq!(index.verify(), [format!("{name} is damaged")]);
}

#[test]
fn a_folder_that_cannot_be_written_stops_neither_search_nor_the_end() {
    let dir = TempDir::new().unwrap();
    let (index, _) = open(&dir);
    std::fs::remove_dir_all(dir.path().join("index")).unwrap();
    index.apply(Seq(5), &texts(&["alpha"]));
    index.flush();
    assert!(index.trouble().is_some());
    index.apply(Seq(6), &[Update::Note(note(9, 1, "beta"))]);
    assert_eq!((find(&index, "alpha"), find(&index, "beta")), (vec![1], vec![1]));
    assert_eq!(index.text_seq(), Seq(0));
    index.close();
}

#[test]
fn unread_notes_are_counted_for_each_user() {
    let dir = TempDir::new().unwrap();
    let (index, _) = open(&dir);
    let staff = Author { user: Some("alice".to_owned()), ..Author::default() };
    let reply = Note { author: staff, kind: NoteKind::Reply, ..note(3, 1, "answer") };
    index.apply(Seq(1), &texts(&["question", "other"]));
    index.apply(Seq(2), &[Update::Note(reply)]);
    let unread = |user: &str, issue| {
        let viewer = Viewer { user: user.to_owned(), ..viewer() };
        index.row(IssueId(issue), &viewer).unwrap().unread
    };
    let read =
        |user: &str, note| Update::Read { user: user.to_owned(), issue: IssueId(1), note: NoteId(note) };
    assert_eq!((unread("alice", 1), unread("bob", 1)), (1, 2));
    index.apply(Seq(3), &[read("alice", 1)]);
    assert_eq!((unread("alice", 1), unread("bob", 1)), (0, 2));
    assert_eq!(find(&index, "is:unread"), [2]);
    index.apply(Seq(4), &[read("bob", 3), read("alice", 0)]);
    assert_eq!((unread("alice", 1), unread("bob", 1)), (1, 0));
    assert_eq!(find(&index, "is:unread"), [2, 1]);
}

#[test]
fn spam_and_merged_issues_are_hidden_and_not_counted() {
    let dir = TempDir::new().unwrap();
    let (index, _) = open(&dir);
    let labelled = |id| Issue { labels: ["bug".to_owned()].into(), ..issue(id, "offer") };
    let updates = [
        project(),
        Update::Issue(labelled(1)),
        Update::Issue(Issue { spam: true, ..labelled(2) }),
        Update::Issue(Issue { merged_into: Some(IssueId(1)), ..labelled(3) }),
    ];
    index.apply(Seq(1), &updates);
    finds(
        &index,
        &[
            ("", &[1]),
            ("offer", &[1]),
            ("is:spam", &[2]),
            ("offer is:spam,merged", &[3, 2]),
            ("label:bug", &[1]),
        ],
    );
    assert_eq!(index.labels(&viewer()), [("bug".to_owned(), 1)]);
    let row = index.row(IssueId(3), &viewer()).unwrap();
    assert_eq!(row.merged_into.as_deref(), Some("acme/support#1"));
}

#[test]
fn every_order_is_total_and_what_lacks_its_key_comes_last() {
    let dir = TempDir::new().unwrap();
    let (index, _) = open(&dir);
    let mut one = Issue { priority: Some(Priority::Low), due_at: Some(at(50)), ..issue(1, "beta") };
    (one.waiting_on, one.waiting_since) = (Some(Party::Us), Some(at(20)));
    let mut two = Issue { priority: Some(Priority::Urgent), created_at: at(9), ..issue(2, "Älpha") };
    (two.waiting_on, two.waiting_since) = (Some(Party::Them), Some(at(10)));
    let three =
        Issue { due_at: Some(at(40)), author: Author::system(), created_at: at(5), ..issue(3, "gamma") };
    index.apply(Seq(1), &[one, two, three].map(Update::Issue));
    for (query, expected) in [
        ("", [3, 2, 1]),
        ("sort:updated-asc", [1, 2, 3]),
        ("sort:created", [2, 3, 1]),
        ("sort:title", [2, 1, 3]),
        ("sort:title-desc", [3, 1, 2]),
        ("sort:from", [2, 1, 3]),
        ("sort:waiting", [2, 1, 3]),
        ("sort:waiting-asc", [1, 2, 3]),
        ("sort:priority", [2, 1, 3]),
        ("sort:priority-asc", [1, 2, 3]),
        ("sort:due", [3, 1, 2]),
        ("sort:due-desc", [1, 3, 2]),
    ] {
        assert_eq!(find(&index, query), expected, "{query}");
    }
}

#[test]
fn windows_of_a_long_list_fit_together() {
    let dir = TempDir::new().unwrap();
    let (index, _) = open(&dir);
    let all: Vec<_> = (1..=3000).map(|id| Update::Issue(issue(id, "x"))).collect();
    index.apply(Seq(1), &all);
    index.apply(Seq(2), &[Update::Issue(Issue { updated_at: at(9999), ..issue(7, "x") })]);
    for query in ["", "is:open sort:updated-asc", "sort:created-asc", "is:closed"] {
        let query = Query::parse(query).unwrap();
        let whole = index.find(&query, &viewer(), 0, 10_000);
        assert_eq!(whole.total, whole.issues.len() as u64);
        let windows: Vec<_> =
            (0..31).flat_map(|n| index.find(&query, &viewer(), n * 100, 100).issues).collect();
        assert_eq!(windows, whole.issues, "{query}");
        assert_eq!(index.find(&query, &viewer(), u64::MAX, u64::MAX).issues, []);
    }
    assert_eq!(index.find(&Query::default(), &viewer(), 0, 2).issues, [IssueId(7), IssueId(3000)]);
}

#[test]
fn updates_may_come_in_any_order() {
    let dir = TempDir::new().unwrap();
    let (index, _) = open(&dir);
    let trouble = Some(OutboxState::Deferred);
    let with_file = Note { attachments: vec![file("a.txt")], ..note(1, 1, "hello") };
    index.apply(
        Seq(1),
        &[
            Update::Note(with_file),
            Update::Trouble { issue: IssueId(1), state: trouble },
            Update::Issue(issue(1, "title")),
            project(),
        ],
    );
    let row = index.row(IssueId(1), &viewer()).unwrap();
    assert_eq!((row.reference.as_str(), row.unread, row.trouble), ("acme/support#1", 1, trouble));
    assert!(row.has_attachment);
    finds(&index, &[("hello title has:attachment,trouble", &[1]), ("project:acme", &[1])]);
    index.apply(Seq(2), &[Update::Project { id: ProjectId(1), path: "new/path".to_owned() }]);
    assert_eq!(index.rows(&[IssueId(9), IssueId(1)], &viewer())[0].project, "new/path");
    index.apply(Seq(3), &[Update::Trouble { issue: IssueId(1), state: None }]);
    assert_eq!(find(&index, "has:trouble"), [0; 0]);
}

#[test]
fn a_reference_needs_a_project_where_there_are_several() {
    let dir = TempDir::new().unwrap();
    let (index, _) = open(&dir);
    index.apply(Seq(1), &texts(&["a", "b"]));
    assert_eq!(index.by_reference(None, 2), Some(IssueId(2)));
    index.apply(Seq(2), &[Update::Project { id: ProjectId(2), path: "other".to_owned() }]);
    for (path, iid, expected) in [
        (None, 2, None),
        (Some("Acme/Support"), 2, Some(IssueId(2))),
        (Some("other"), 2, None),
        (Some("x"), 1, None),
    ] {
        assert_eq!(index.by_reference(path, iid), expected, "{path:?}#{iid}");
    }
}

#[test]
fn what_a_viewer_may_not_see_is_neither_found_nor_shown() {
    let dir = TempDir::new().unwrap();
    let (index, _) = open(&dir);
    index.apply(Seq(1), &texts(&["secret"]));
    let stranger = Viewer { rights: Rights::Of([(ProjectId(2), Role::Reporter)].into()), ..viewer() };
    let query = Query::parse("secret").unwrap();
    assert_eq!(index.find(&query, &stranger, 0, 10), Found::default());
    assert_eq!(index.row(IssueId(1), &stranger), None);
    assert_eq!(index.labels(&stranger), []);
    assert_eq!(index.find(&query, &viewer(), 0, 10).total, 1);
    assert_eq!(index.row(IssueId(1), &viewer()).unwrap().author.user.as_deref(), Some(SUPPORT_BOT));
}

#[test]
fn searching_goes_on_while_texts_pour_in() {
    let dir = TempDir::new().unwrap();
    let (index, _) = open(&dir);
    index.apply(Seq(1), &[project()]);
    let reader = index.clone();
    std::thread::scope(|scope| {
        scope.spawn(move || {
            for id in 1..=1000 {
                let body = format!("common word{id}");
                index.apply(Seq(id + 1), &[Update::Issue(issue(id, "t")), Update::Note(note(id, id, &body))]);
                assert_eq!(find_one(&index, &format!("word{id}")), [id]);
            }
        });
        let (query, mut last) = (Query::parse("common").unwrap(), 0);
        while last < 1000 {
            let total = reader.count(&query, &viewer());
            assert!(total >= last, "{total} after {last}");
            last = total;
        }
    });
    reader.close();
    assert_eq!(open(&dir).1, Seq(1001));
}

fn find_one(index: &Index, query: &str) -> Vec<u64> {
    let found = index.find(&Query::parse(query).unwrap(), &viewer(), 0, 1);
    found.issues.iter().map(|id| id.0).collect()
}

proptest::proptest! {
    #![proptest_config(proptest::prelude::ProptestConfig::with_cases(8))]

    #[test]
    fn memory_and_disk_agree_on_every_text(
        bodies in proptest::collection::vec("[ab日本語é#12 .-]{0,16}", 1..30),
        words in proptest::collection::vec("[ab日本語é12]{0,4}[ab日本語é12][*]?|[abé.12-]{0,4}[abé12][*]?|\"[ab日本語é#12 -]{0,8}[a語]\"", 1..40),
    ) {
        let dir = TempDir::new().unwrap();
        let (index, _) = open(&dir);
        let bodies: Vec<&str> = bodies.iter().map(String::as_str).collect();
        index.apply(Seq(1), &texts(&bodies));
        let folded: Vec<_> = bodies.iter().map(|body| fold(body)).collect();
        let query = |word: &str| Query::parse(&format!("body:{word} sort:updated-asc")).unwrap();
        let found = |query: &Query, text: &str| {
            query.words().all(|(_, term)| term.any.iter().any(|words| words.found_in(text)))
        };
        for on_disk in [false, true] {
            if on_disk {
                index.flush();
            }
            for word in &words {
                let query = query(word);
                let expected = (1..).zip(&folded).filter(|(_, text)| found(&query, text));
                let expected: Vec<_> = expected.map(|(id, _)| IssueId(id)).collect();
                let issues = index.find(&query, &viewer(), 0, 100).issues;
                proptest::prop_assert_eq!(issues, expected, "{} on disk: {}", word, on_disk);
            }
        }
    }
}
