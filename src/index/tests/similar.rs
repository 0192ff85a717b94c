//! Issues like another one: by their most telling words, on disk and before.

use super::*;

const OPENING: &str = "Hello, since Monday the nightly export to the warehouse stops with error E4711.";

fn texts() -> Vec<Update> {
    let of = |id, text| Update::Note(note(id * 10, id, text));
    let mut updates = vec![
        Update::Issue(issue(1, "Export stops")),
        of(1, OPENING),
        Update::Issue(issue(2, "Error E4711")),
        of(2, "Hello, the export stops at night with error E4711. Our warehouse waits."),
        Update::Issue(issue(3, "Export of addresses")),
        of(3, "Hello, how does the export of addresses work?"),
        Update::Issue(issue(4, "Thank you")),
        of(4, "Hello, thank you for everything."),
    ];
    for id in 10..60 {
        updates.push(Update::Issue(issue(id, "Question")));
        updates.push(of(id, "Hello, with the usual question since Monday."));
    }
    updates
}

fn found(index: &Index, viewer: &Viewer) -> Vec<(u64, Vec<String>)> {
    let similar = index.similar((IssueId(1), "Export stops", OPENING, "Ada"), viewer, 3);
    assert!(similar.iter().all(|one| (0.0..=1.0).contains(&one.share)), "{similar:?}");
    similar.into_iter().map(|one| (one.issue.0, one.words)).collect()
}

#[test]
fn what_shares_the_most_telling_words_comes_first_on_disk_or_not() {
    let dir = TempDir::new().unwrap();
    let (index, _) = open(&dir);
    index.apply(Seq(1), &[project()]);
    index.apply(Seq(2), &texts());
    let before = found(&index, &viewer());
    assert_eq!((before[0].0, before[1].0), (2, 3), "{before:?}");
    let telling = &before[0].1;
    for word in ["e4711", "warehouse", "stops", "error"] {
        assert!(telling.contains(&word.to_owned()), "{word} is telling: {telling:?}");
    }
    assert!(before.iter().all(|(id, _)| *id != 1), "not the issue itself");
    index.flush();
    let after = found(&index, &viewer());
    assert_eq!((after[0].0, after[1].0), (2, 3), "{after:?}");
    // A text that was changed counts as it is now, one that is gone not at all.
    index.apply(Seq(3), &[Update::Note(note(20, 2, "Never mind."))]);
    assert_eq!(found(&index, &viewer())[0].0, 2, "by its title");
    index.apply(Seq(4), &[Update::IssueGone(IssueId(2))]);
    assert_eq!(found(&index, &viewer())[0].0, 3);
}

#[test]
fn only_issues_that_one_works_on_are_found_and_neither_spam_nor_merged_ones() {
    let dir = TempDir::new().unwrap();
    let (index, _) = open(&dir);
    index.apply(Seq(1), &[project()]);
    index.apply(Seq(2), &texts());
    let as_role = |role| Viewer { rights: Rights::Of([(ProjectId(1), role)].into()), ..viewer() };
    assert_eq!(found(&index, &as_role(Role::Guest)), []);
    assert_eq!(found(&index, &as_role(Role::Reporter))[0].0, 2);
    let merged = Issue { merged_into: Some(IssueId(1)), ..issue(2, "Error E4711") };
    index.apply(Seq(3), &[Update::Issue(merged)]);
    assert_eq!(found(&index, &viewer())[0].0, 3);
    index.apply(Seq(4), &[Update::Issue(Issue { spam: true, ..issue(3, "Export of addresses") })]);
    assert!(found(&index, &viewer()).iter().all(|(id, _)| ![2, 3].contains(id)));
}

#[test]
fn names_of_who_wrote_tell_nothing_and_a_text_without_words_finds_nothing() {
    let dir = TempDir::new().unwrap();
    let (index, _) = open(&dir);
    index.apply(Seq(1), &[project()]);
    let two = [1, 2].map(|id| Update::Issue(issue(id, "x")));
    index.apply(Seq(2), &two);
    index.apply(Seq(3), &[1, 2].map(|id| Update::Note(note(id * 10, id, "Yours, Lovelace"))));
    let find = |passed| index.similar((IssueId(1), "", "Lovelace", passed), &viewer(), 3).len();
    assert_eq!((find(""), find("Ada Lovelace")), (1, 0));
    assert!(index.similar((IssueId(1), "", " \u{1f600} -- 1 ", ""), &viewer(), 3).is_empty());
}
