//! Finding: which rows a query finds, and in which order.

use super::Found;
use super::rows::Rows;
use super::text::Hits;
use crate::domain::IssueId;
use crate::domain::query::{IssueFacts, Query, Sort, SortKey, Sought, Viewer};
use rustc_hash::FxHashMap;
use std::cmp::{Ordering, Reverse};

/// Up to this many finds are sorted rather than picked from all issues in order.
const FEW: usize = 1024;

/// A set of slots.
#[derive(Clone, Debug, Default)]
pub(super) struct Slots {
    bits: Vec<u64>,
    count: usize,
}

impl Slots {
    pub fn with_room(slots: usize) -> Self {
        Self { bits: vec![0; slots.div_ceil(64)], count: 0 }
    }

    pub fn insert(&mut self, slot: u32) {
        if let Some(bits) = self.bits.get_mut(slot as usize / 64) {
            let bit = 1 << (slot % 64);
            self.count += usize::from(*bits & bit == 0);
            *bits |= bit;
        }
    }

    pub fn contains(&self, slot: u32) -> bool {
        self.bits.get(slot as usize / 64).is_some_and(|bits| bits & (1 << (slot % 64)) != 0)
    }

    /// How many there are.
    pub fn total(&self) -> u64 {
        self.count as u64
    }
}

/// Gives the slots of the issues that texts were found in.
fn slots_of(issues: &[IssueId], rows: &Rows) -> Slots {
    let mut slots = Slots::with_room(rows.slot_count());
    issues.iter().filter_map(|id| rows.slot(*id)).for_each(|slot| slots.insert(slot));
    slots
}

/// Finds all issues for `viewer`.
pub(super) fn matching(rows: &Rows, query: &Query, viewer: &Viewer, hits: &Hits) -> Slots {
    let mut by_term: Vec<Option<Slots>> = vec![None; query.terms().len()];
    for (at, issues) in &hits.issues {
        by_term.get_mut(*at).into_iter().for_each(|term| *term = Some(slots_of(issues, rows)));
    }
    let read = rows.read_by(&viewer.user);
    let found = |slot, facts: &IssueFacts| {
        let seen = read.and_then(|read| read.get(&facts.id)).copied();
        query.holds(facts, viewer, seen, |at, term| match by_term.get(at) {
            Some(Some(slots)) => slots.contains(slot),
            // Nothing to look for: such a condition holds, whichever way it is put.
            _ => !term.is_negated(),
        })
    };
    // The rarest words that must be found say where to look at all.
    let rarest = hits.required.iter().min_by_key(|at| hits.of(**at).map_or(usize::MAX, <[_]>::len));
    let mut slots = Slots::with_room(rows.slot_count());
    match rarest.and_then(|at| hits.of(*at)) {
        Some(issues) => {
            let here = issues.iter().filter_map(|id| rows.slot(*id));
            let here = here.filter(|slot| rows.at(*slot).is_some_and(|facts| found(*slot, facts)));
            here.for_each(|slot| slots.insert(slot));
        }
        None => {
            rows.iter().filter(|(slot, facts)| found(*slot, facts)).for_each(|(slot, _)| slots.insert(slot))
        }
    }
    slots
}

/// Finds a window, given as offset and limit, of the issues for `viewer`.
pub(super) fn find(rows: &Rows, query: &Query, viewer: &Viewer, hits: &Hits, window: (u64, u64)) -> Found {
    let slots = matching(rows, query, viewer, hits);
    let (offset, limit) = window;
    let offset = usize::try_from(offset).unwrap_or(usize::MAX);
    let limit = usize::try_from(limit).unwrap_or(usize::MAX);
    let sort = query.sort();
    let issues = if sort.key == SortKey::Updated && slots.count > FEW && !query.has_numbers() {
        picked(rows, &slots, sort.descending, offset, limit)
    } else {
        let scores = (sort.key == SortKey::Relevance).then(|| Scores::of(rows, query, hits));
        sorted(rows, &slots, query, scores.as_ref(), (offset, limit))
    };
    Found { total: slots.total(), issues }
}

/// Picks the window from all issues in the order that is kept.
fn picked(rows: &Rows, slots: &Slots, descending: bool, offset: usize, limit: usize) -> Vec<IssueId> {
    let all: Box<dyn Iterator<Item = u32>> =
        if descending { Box::new(rows.by_update().rev()) } else { Box::new(rows.by_update()) };
    let window = all.filter(|slot| slots.contains(*slot)).skip(offset).take(limit);
    window.filter_map(|slot| rows.at(slot)).map(|facts| facts.id).collect()
}

/// Sorts no more than it takes to give the window.
fn sorted(
    rows: &Rows,
    slots: &Slots,
    query: &Query,
    scores: Option<&Scores>,
    (offset, limit): (usize, usize),
) -> Vec<IssueId> {
    let first = |facts: &IssueFacts| {
        let named = query.has_numbers() && query.names(facts);
        (named, scores.map_or(0, |scores| scores.score(facts, query.sort().descending)))
    };
    let mut found: Vec<((bool, i64), &IssueFacts)> = rows
        .iter()
        .filter(|(slot, _)| slots.contains(*slot))
        .map(|(_, facts)| (first(facts), facts))
        .collect();
    let order = |a: &((bool, i64), &IssueFacts), b: &((bool, i64), &IssueFacts)| {
        b.0.cmp(&a.0).then_with(|| compare(query.sort(), a.1, b.1))
    };
    let end = offset.saturating_add(limit);
    if end < found.len() {
        found.select_nth_unstable_by(end, order);
        found.truncate(end);
    }
    found.sort_unstable_by(order);
    found.iter().skip(offset).map(|(_, facts)| facts.id).collect()
}

/// How much issues are about the words that are looked for.
///
/// Each condition counts the more, the fewer issues it finds; a title counts as much as many notes, and each
/// further note less than the one before.
struct Scores {
    by_issue: FxHashMap<IssueId, f64>,
    titles: Vec<(f64, Sought)>,
}

/// So many notes a title counts for.
const TITLE: f64 = 8.0;

impl Scores {
    fn of(rows: &Rows, query: &Query, hits: &Hits) -> Self {
        let all = rows.slot_count().max(1) as f64;
        let mut by_issue: FxHashMap<IssueId, f64> = FxHashMap::default();
        let mut titles = Vec::new();
        for (place, issues) in &hits.issues {
            let mut texts: FxHashMap<IssueId, u32> = FxHashMap::default();
            for issue in issues {
                *texts.entry(*issue).or_default() += 1;
            }
            let rare = (1.0 + all / texts.len().max(1) as f64).ln();
            for (issue, count) in texts {
                *by_issue.entry(issue).or_default() += rare * (1.0 + f64::from(count)).ln();
            }
            titles.push((rare * (1.0 + TITLE).ln(), query.sought_at(*place)));
        }
        Self { by_issue, titles }
    }

    /// Gives a number to order by, the greater the earlier.
    fn score(&self, facts: &IssueFacts, descending: bool) -> i64 {
        let titles = self.titles.iter().filter(|(_, sought)| sought.is_in_folded(&facts.title.folded));
        let score = titles.map(|(weight, _)| weight).sum::<f64>()
            + self.by_issue.get(&facts.id).copied().unwrap_or(0.0);
        let score = (score * 1_000_000.0) as i64;
        if descending { score } else { -score }
    }
}

/// Compares two issues; the latest change decides between equals.
pub(super) fn compare(sort: Sort, a: &IssueFacts, b: &IssueFacts) -> Ordering {
    let way = |order: Ordering| if sort.descending { order.reverse() } else { order };
    let latest = |facts: &IssueFacts| Reverse((facts.updated_at, facts.id));
    let order = match sort.key {
        SortKey::Created => way(a.created_at.cmp(&b.created_at)),
        // How much it is about the words is known to whoever looked for them.
        SortKey::Updated | SortKey::Relevance => way((a.updated_at, a.id).cmp(&(b.updated_at, b.id))),
        SortKey::Title => way(a.title.folded.cmp(&b.title.folded)),
        SortKey::From => way(a.author.folded.cmp(&b.author.folded)),
        SortKey::Waiting => optional(waiting_since(a).map(Reverse), waiting_since(b).map(Reverse), way),
        SortKey::Priority => optional(a.priority, b.priority, way),
        SortKey::Due => optional(a.due_at, b.due_at, way),
        SortKey::Clock => optional(ends(a), ends(b), way)
            .then_with(|| optional(waiting_since(a), waiting_since(b), |order| order)),
    };
    order.then_with(|| latest(a).cmp(&latest(b)))
}

/// Gives when the clock of an issue runs out; one that stands comes after those that run.
fn ends(facts: &IssueFacts) -> Option<crate::domain::Ends> {
    facts.clock.as_ref().map(|clock| clock.ends)
}

fn waiting_since(facts: &IssueFacts) -> Option<jiff::Timestamp> {
    facts.waiting_on.and(facts.waiting_since)
}

/// Compares what may be absent; that comes last, whichever way it goes.
fn optional<T: Ord>(a: Option<T>, b: Option<T>, way: impl Fn(Ordering) -> Ordering) -> Ordering {
    match (a, b) {
        (Some(a), Some(b)) => way(a.cmp(&b)),
        (a, b) => b.is_some().cmp(&a.is_some()),
    }
}
