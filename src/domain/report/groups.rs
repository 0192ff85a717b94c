//! Groups: the same figures for each project, label or assignee, and which clocks were kept.

use super::ranges::percentile;
use super::{Parts, Picture, ReportRow, ReportSpan, Unit, column, figure, lives};
use crate::domain::query::IssueFacts;
use crate::domain::{ClockKind, Clocks, Ends, IssueKind, State, Waits, WorkingHours};
use std::collections::BTreeMap;
use std::sync::Arc;

/// Says of each end of an issue's clocks within a report's time whether it was kept, and of which clock.
fn ends(
    facts: &IssueFacts,
    waits: &Waits,
    clocks: &Clocks,
    span: &ReportSpan,
) -> Vec<(Arc<str>, ClockKind, bool)> {
    let Some((plan, target)) = clocks.target(facts) else { return Vec::new() };
    let mut found = Vec::new();
    // What is still waited for is broken once its time is over; before that nobody knows.
    let mut open = |kind: ClockKind, waits: &[_]| {
        let Some(length) = target.of(kind).filter(|_| !waits.is_empty()) else { return };
        if let Ends::At(at) = plan.hours.ends(waits, length)
            && at < span.until
            && span.holds(at)
        {
            found.push((Arc::clone(&target.name), kind, false));
        }
    };
    if facts.state == State::Open {
        if facts.kind == IssueKind::Ticket {
            open(waits.open.0, &waits.open.1);
        }
        open(ClockKind::Resolve, &waits.all);
    }
    let answers = waits.answers.iter().filter(|_| facts.kind == IssueKind::Ticket);
    let closed = facts.closed_at.filter(|_| facts.state == State::Closed);
    let end = closed.map(|at| (ClockKind::Resolve, at, waits.all.clone()));
    for (kind, at, waits) in answers.chain(&end) {
        let Some(length) = target.of(*kind).filter(|_| span.holds(*at)) else { continue };
        found.push((Arc::clone(&target.name), *kind, plan.hours.waited(waits, *at) <= length));
    }
    found
}

fn share(kept: i64, broken: i64) -> Option<i64> {
    let all = kept + broken;
    (all > 0).then(|| (kept * 100 + all / 2) / all)
}

/// Kept and broken ends, by clock and kind.
#[derive(Default)]
pub(super) struct Kept {
    counts: BTreeMap<(String, ClockKind), (i64, i64)>,
}

impl Kept {
    pub fn add(&mut self, facts: &IssueFacts, clocks: &Clocks, span: &ReportSpan) {
        for (name, kind, kept) in ends(facts, &Waits::of(facts), clocks, span) {
            let counts = self.counts.entry((name.to_string(), kind)).or_default();
            let count = if kept { &mut counts.0 } else { &mut counts.1 };
            *count += 1;
        }
    }

    pub fn finish(self) -> Parts {
        let row = |((name, kind), (kept, broken)): (&(String, ClockKind), &(i64, i64))| ReportRow {
            label: format!("{name}, {}", kind.word()),
            cells: vec![Some(*kept), Some(*broken), share(*kept, *broken)],
        };
        let rows = self.counts.iter().map(row).collect();
        let kept: i64 = self.counts.values().map(|counts| counts.0).sum();
        let broken: i64 = self.counts.values().map(|counts| counts.1).sum();
        let figures = vec![
            figure("kept", Unit::Count, Some(kept)),
            figure("broken", Unit::Count, Some(broken)),
            figure("share kept", Unit::Percent, share(kept, broken)),
        ];
        let columns =
            vec![column("kept", Unit::Count), column("broken", Unit::Count), column("share", Unit::Percent)];
        (figures, columns, rows, Picture::Bars(2))
    }
}

#[derive(Default)]
struct Group {
    opened: i64,
    closed: i64,
    open: i64,
    first: Vec<i64>,
    took: Vec<i64>,
    kept: i64,
    broken: i64,
}

/// Figures by name.
#[derive(Default)]
pub(super) struct Groups {
    groups: BTreeMap<String, Group>,
}

impl Groups {
    pub fn add(
        &mut self,
        names: Vec<String>,
        facts: &IssueFacts,
        hours: &WorkingHours,
        clocks: &Clocks,
        span: &ReportSpan,
    ) {
        let life = lives::of(facts);
        let open = life.iter().rev().find(|(at, _)| *at <= span.until).is_some_and(|(_, open)| *open);
        let waits = Waits::of(facts);
        let first = waits.answers.iter().filter(|(kind, at, _)| {
            *kind == ClockKind::First && facts.kind == IssueKind::Ticket && span.holds(*at)
        });
        let first: Vec<i64> = first.map(|(_, at, waits)| hours.waited(waits, *at)).collect();
        let closed = facts.closed_at.filter(|at| facts.state == State::Closed && span.holds(*at));
        let took = closed.map(|at| hours.waited(&waits.all, at));
        let ends = ends(facts, &waits, clocks, span);
        let kept = i64::try_from(ends.iter().filter(|(_, _, kept)| *kept).count()).unwrap_or(0);
        let broken = i64::try_from(ends.len()).unwrap_or(0) - kept;
        for name in names {
            let group = self.groups.entry(name).or_default();
            group.opened += i64::from(span.holds(facts.created_at));
            group.closed += i64::from(closed.is_some());
            group.open += i64::from(open);
            group.first.extend(&first);
            group.took.extend(took);
            group.kept += kept;
            group.broken += broken;
        }
    }

    pub fn finish(self) -> Parts {
        let median = |mut all: Vec<i64>| {
            all.sort_unstable();
            percentile(&all, 50)
        };
        let mut groups: Vec<(String, Group)> = self.groups.into_iter().collect();
        groups.retain(|(_, group)| group.opened + group.closed + group.open > 0);
        groups.sort_by_key(|(_, group)| std::cmp::Reverse(group.opened + group.closed + group.open));
        let row = |(label, group): (String, Group)| ReportRow {
            label,
            cells: vec![
                Some(group.opened),
                Some(group.closed),
                Some(group.open),
                median(group.first),
                median(group.took),
                Some(group.kept),
                Some(group.broken),
                share(group.kept, group.broken),
            ],
        };
        let rows: Vec<ReportRow> = groups.into_iter().map(row).collect();
        let columns = vec![
            column("opened", Unit::Count),
            column("closed", Unit::Count),
            column("open", Unit::Count),
            column("first", Unit::Seconds),
            column("resolve", Unit::Seconds),
            column("kept", Unit::Count),
            column("broken", Unit::Count),
            column("share", Unit::Percent),
        ];
        (Vec::new(), columns, rows, Picture::Bars(1))
    }
}
