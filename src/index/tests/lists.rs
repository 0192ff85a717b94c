//! Lists that are kept find what working everything out anew finds.

use super::*;
use crate::index::text::Hits;

const QUERIES: [&str; 9] = [
    "",
    "is:open",
    "is:open assignee:me",
    "is:open waiting:us -is:snoozed sort:waiting",
    "is:snoozed sort:title",
    "is:overdue",
    "is:unread",
    "is:spam sort:created-asc",
    "label:bug sort:priority",
];

/// Numbers that look thrown, the same in every run.
struct Dice(u64);

impl Dice {
    fn throw(&mut self, sides: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % sides
    }
}

/// An issue as some change may leave it.
fn some(dice: &mut Dice, id: u64) -> Issue {
    let mut issue = issue(id, &format!("title {}", dice.throw(50)));
    issue.state = if dice.throw(3) == 0 { State::Closed } else { State::Open };
    issue.updated_at = at(dice.throw(2_000) as i64);
    issue.waiting_on = (dice.throw(2) == 0).then_some(Party::Us);
    issue.waiting_since = issue.waiting_on.map(|_| at(dice.throw(1_000) as i64));
    issue.snoozed_until = (dice.throw(4) == 0).then(|| at(1_000_000 + dice.throw(2_000) as i64));
    issue.due_at = (dice.throw(4) == 0).then(|| at(1_000_000 + dice.throw(2_000) as i64));
    issue.assignee = (dice.throw(3) == 0).then(|| "alice".to_owned());
    issue.spam = dice.throw(9) == 0;
    issue.labels = if dice.throw(3) == 0 { ["bug".to_owned()].into() } else { Default::default() };
    issue
}

fn change(dice: &mut Dice, note_id: u64) -> Update {
    let id = 1 + dice.throw(120);
    match dice.throw(8) {
        0 => Update::IssueGone(IssueId(id)),
        1 => Update::Note(note(note_id, id, "text")),
        2 => Update::Read {
            user: "alice".to_owned(),
            issue: IssueId(id),
            note: NoteId(dice.throw(note_id + 1)),
        },
        3 => Update::Trouble { issue: IssueId(id), state: Some(OutboxState::Failed) },
        _ => Update::Issue(some(dice, id)),
    }
}

#[test]
fn a_kept_list_finds_what_a_new_one_finds_after_any_changes_and_as_time_goes_by() {
    let dir = TempDir::new().unwrap();
    let (index, _) = open(&dir);
    index.load(Seq(1), &[project()]);
    let mut dice = Dice(7);
    let mut now = 1_000_000;
    for round in 0..300 {
        // Now and then more changes at once than are remembered, so that everything is looked at anew.
        let many = if round % 90 == 89 { 9_000 } else { dice.throw(12) };
        for step in 0..many {
            index.load(Seq(2), &[change(&mut dice, round * 12 + step + 1)]);
        }
        if round % 70 == 69 {
            let path = format!("acme/renamed{round}");
            index.load(Seq(2), &[Update::Project { id: ProjectId(1), path }]);
        }
        now += dice.throw(15) as i64;
        let viewer = Viewer { now: at(now), ..viewer() };
        for text in QUERIES {
            let query = Query::parse(text).unwrap();
            let anew = find::find(&index.read(), &query, &viewer, &Hits::default(), (0, 1_000));
            assert_eq!(index.find(&query, &viewer, 0, 1_000), anew, "{text}, round {round}");
            assert_eq!(index.count(&query, &viewer), anew.total, "{text}, round {round}");
        }
    }
}

#[test]
fn a_list_of_one_person_is_not_shown_to_another() {
    let dir = TempDir::new().unwrap();
    let (index, _) = open(&dir);
    index.load(Seq(1), &[project()]);
    for id in 1..=10 {
        let mut issue = issue(id, "printer");
        issue.assignee = Some(if id <= 3 { "alice" } else { "bob" }.to_owned());
        index.load(Seq(2), &[Update::Issue(issue)]);
    }
    let mine = Query::parse("is:open assignee:me").unwrap();
    let bob = Viewer { user: "bob".to_owned(), ..viewer() };
    assert_eq!((index.count(&mine, &viewer()), index.count(&mine, &bob)), (3, 7));
    let elsewhere = Viewer { rights: Rights::Of([(ProjectId(2), Role::Reporter)].into()), ..viewer() };
    assert_eq!(index.count(&mine, &elsewhere), 0);
}
