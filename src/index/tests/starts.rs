//! Rows that were saved are there again at the next start, and nothing else ever is.

use super::*;

/// Three issues as lists show them, with everything that a row can hold.
fn full() -> Vec<Update> {
    let mut rich = issue(1, "Drucker für Ämter");
    rich.labels = ["bug".to_owned(), "ÖPNV".to_owned()].into();
    rich.assignee = Some("alice".to_owned());
    rich.milestone = Some("1.0".to_owned());
    rich.priority = Some(Priority::High);
    rich.weight = Some(3);
    rich.estimate = Some(7200);
    rich.spent = 3600;
    (rich.due_at, rich.snoozed_until) = (Some(at(5_000)), Some(at(2_000_000)));
    (rich.waiting_on, rich.waiting_since) = (Some(Party::Us), Some(at(7)));
    let mut merged = issue(2, "the same again");
    (merged.state, merged.closed_at, merged.merged_into) = (State::Closed, Some(at(9)), Some(IssueId(1)));
    let mut spam = issue(3, "win");
    spam.spam = true;
    let mut with_file = note(11, 1, "see the file");
    with_file.attachments.push(file("a.pdf"));
    let trouble = Update::Trouble { issue: IssueId(1), state: Some(OutboxState::Bounced) };
    let read = Update::Read { user: "alice".to_owned(), issue: IssueId(1), note: NoteId(10) };
    let issues = [rich, merged, spam].map(Update::Issue);
    let notes =
        [Update::Note(note(10, 1, "hello")), Update::Note(with_file), Update::Note(note(12, 3, "buy"))];
    [project()].into_iter().chain(issues).chain(notes).chain([trouble, read]).collect()
}

fn rows(index: &Index) -> Vec<IssueRow> {
    index.rows(&[1, 2, 3, 4].map(IssueId), &viewer())
}

#[test]
fn a_start_shows_the_rows_that_were_saved_and_the_frame_they_stand_for() {
    let dir = TempDir::new().unwrap();
    let (index, _) = open(&dir);
    index.apply(Seq(7), &full());
    index.save_rows();
    let before = rows(&index);
    index.close();
    let (index, _) = open(&dir);
    assert_eq!(index.row_seq(), Seq(7));
    assert_eq!(rows(&index), before);
    assert_eq!(before.first().map(|row| (row.unread, row.has_attachment)), Some((1, true)));
    let cases: &[(&str, &[u64])] = &[
        ("is:open", &[1]),
        ("label:öpnv", &[1]),
        ("is:merged", &[2]),
        ("is:spam is:unread", &[3]),
        ("from:lovelace participant:ada@example.com is:open", &[1]),
        ("project:acme/support is:snoozed", &[1]),
    ];
    for (query, expected) in cases {
        assert_eq!(find(&index, query), *expected, "{query}");
    }
    assert_eq!(index.by_reference(Some("acme/support"), 2), Some(IssueId(2)));
}

#[test]
fn frames_after_the_saved_one_lead_to_the_newest_state_even_when_some_come_twice() {
    let dir = TempDir::new().unwrap();
    let (index, _) = open(&dir);
    index.apply(Seq(1), &full());
    let closed = Issue { state: State::Closed, ..issue(1, "closed") };
    let frames = [
        vec![Update::Issue(issue(1, "second title")), Update::Note(note(13, 1, "more"))],
        vec![Update::Issue(issue(4, "new")), Update::Note(note(14, 4, "new"))],
        vec![Update::IssueGone(IssueId(3)), Update::Issue(closed)],
    ];
    index.apply(Seq(2), &frames[0]);
    index.save_rows();
    for (seq, frame) in (3..).zip(&frames[1..]) {
        index.apply(Seq(seq), frame);
    }
    let newest = rows(&index);
    index.close();
    let (index, _) = open(&dir);
    assert_eq!(index.row_seq(), Seq(2));
    for (seq, frame) in (2..).zip(&frames) {
        index.load(Seq(seq), frame);
    }
    assert_eq!(rows(&index), newest);
    assert_eq!(newest.iter().map(|row| row.id.0).collect::<Vec<_>>(), [1, 2, 4]);
}

#[test]
fn a_file_that_is_cut_off_or_strange_counts_as_none() {
    let dir = TempDir::new().unwrap();
    let (index, _) = open(&dir);
    index.apply(Seq(7), &full());
    index.save_rows();
    index.close();
    let path = dir.path().join("index/rows");
    let whole = std::fs::read(&path).unwrap();
    for length in (0..whole.len()).step_by(7) {
        std::fs::write(&path, &whole[..length]).unwrap();
        assert!(saved::load(&dir.path().join("index")).is_none(), "{length} of {}", whole.len());
    }
    let mut other = whole.clone();
    other[1] = 77;
    std::fs::write(&path, &other).unwrap();
    let (index, _) = open(&dir);
    assert_eq!((index.row_seq(), rows(&index)), (Seq(0), Vec::new()));
}

#[test]
fn rows_that_are_thrown_away_do_not_come_back() {
    let dir = TempDir::new().unwrap();
    let (index, _) = open(&dir);
    index.apply(Seq(7), &full());
    index.save_rows();
    index.renew().unwrap();
    assert_eq!((index.row_seq(), rows(&index)), (Seq(0), Vec::new()));
    index.close();
    assert_eq!(open(&dir).0.row_seq(), Seq(0));
}
