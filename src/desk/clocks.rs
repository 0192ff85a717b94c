//! Clocks: which there are, what they are made of, and who is told that one of them is near its end.

use super::txn::{self, Txn, Wrote};
use super::{Acting, Desk, hours, system};
use crate::domain::{
    Clock, ClockAbout, ClockKind, ClockTold, ClockView, Clocks, Fault, IssueId, Plan, Project, ProjectId,
    ProjectSettings, Query, Response, Role, SenderScope, State, Target, WorkingHours, set_field,
};
use crate::store::record::rule_key;
use crate::store::{Tree, record};
use jiff::{SignedDuration, Timestamp};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

/// How long after its end a clock is still told of.
const STALE: SignedDuration = SignedDuration::from_hours(24);

/// What the hours of a project depend on, of its own settings: hours, holidays, zone.
type Own = [Option<String>; 3];

/// What the clocks that count now were made of.
#[derive(Default)]
pub(super) struct Wound(Mutex<Kept>);

#[derive(Default)]
struct Kept {
    /// Queries of clocks may name a path.
    projects: BTreeMap<ProjectId, (String, Own)>,
    clocks: Arc<Clocks>,
}

fn own(settings: &ProjectSettings) -> Own {
    [settings.hours.clone(), settings.holidays.clone(), settings.time_zone.clone()]
}

fn known(project: &Project) -> (String, Own) {
    (project.path.clone(), own(&project.settings))
}

impl Desk {
    /// Lets the index count by the clocks and the hours that are set now.
    pub(super) async fn wind_clocks(&self) -> Result<(), Fault> {
        let projects = self.all_projects().await?;
        let desk = self.desk_settings().await?;
        let mut clocks = txn::all::<Clock>(&self.inner.store, &[]).await?;
        clocks.sort_by_key(|clock| (clock.project.is_none(), clock.position));
        let mut read: BTreeMap<Own, Arc<WorkingHours>> = BTreeMap::new();
        let mut plan = |project: &Project| {
            let hours = read.entry(own(&project.settings));
            let hours = Arc::clone(hours.or_insert_with(|| Arc::new(hours::of(project, &desk))));
            let its = clocks.iter().filter(|clock| clock.project.is_none_or(|id| id == project.id));
            let targets = its.filter_map(|clock| Target::read(&clock.about, &hours)).collect();
            (project.id, Plan { hours, targets })
        };
        let clocks = Arc::new(Clocks { plans: projects.iter().map(&mut plan).collect() });
        {
            let mut kept = self.inner.clocks.0.lock().unwrap_or_else(PoisonError::into_inner);
            kept.projects = projects.iter().map(|project| (project.id, known(project))).collect();
            kept.clocks = Arc::clone(&clocks);
        }
        self.inner.index.set_clocks(clocks);
        Ok(())
    }

    /// Gives the hours and clocks that count now.
    pub(super) fn wound_clocks(&self) -> Arc<Clocks> {
        Arc::clone(&self.inner.clocks.0.lock().unwrap_or_else(PoisonError::into_inner).clocks)
    }

    /// Winds the clocks anew when a step changed what they are made of.
    pub(super) async fn follow_clocks(&self, records: &[Wrote]) -> Result<(), Fault> {
        let changed = {
            let kept = self.inner.clocks.0.lock().unwrap_or_else(PoisonError::into_inner);
            let is_new = |project: &Project| kept.projects.get(&project.id) != Some(&known(project));
            records.iter().any(|wrote| match wrote.tree {
                Tree::Clocks | Tree::Desk => true,
                Tree::Projects => wrote.record::<Project>().is_some_and(is_new),
                _ => false,
            })
        };
        if changed { self.wind_clocks().await } else { Ok(()) }
    }

    pub(super) async fn clocks(&self, acting: &Acting) -> Result<Response, Fault> {
        let mut clocks = txn::all::<Clock>(&self.inner.store, &[]).await?;
        clocks.retain(|clock| match clock.project {
            Some(project) => acting.rights.may(project, Role::Reporter),
            None => true,
        });
        clocks.sort_by_key(|clock| (clock.project.is_none(), clock.project, clock.position));
        self.shown_clocks(clocks).await
    }

    async fn shown_clocks(&self, clocks: Vec<Clock>) -> Result<Response, Fault> {
        let projects = self.all_projects().await?;
        let path = |id: ProjectId| projects.iter().find(|p| p.id == id).map(|p| p.path.clone());
        let view = |clock: Clock| ClockView {
            project: clock.project.and_then(path),
            position: clock.position,
            about: clock.about,
        };
        Ok(Response::Clocks(clocks.into_iter().map(view).collect()))
    }

    /// Writes a clock: a new one where `name` is none, which comes last; else what is said of it changes.
    pub(super) async fn set_clock(
        &self,
        acting: &Acting,
        scope: &SenderScope,
        name: Option<&str>,
        settings: &[(String, String)],
    ) -> Result<Response, Fault> {
        let project = self.clock_scope(acting, scope).await?;
        let (_gate, mut txn) = self.begin().await;
        let others = clocks_of(&mut txn, project.as_ref()).await?;
        let before = name.map(|name| named(&others, name).cloned()).transpose()?;
        let mut about = before.as_ref().map_or_else(ClockAbout::default, |clock| clock.about.clone());
        let last = others.iter().map(|clock| clock.position).max().unwrap_or(0);
        let mut position = before.as_ref().map_or(last + 1, |clock| clock.position);
        for (key, value) in settings {
            match key.as_str() {
                "position" => position = place(value)?,
                _ => about = set_field(&about, key, value)?,
            }
        }
        self.check_clock(project.as_ref(), &about).await?;
        let kept = before.as_ref().is_some_and(|before| before.about.name == about.name);
        if !kept && others.iter().any(|clock| clock.about.name == about.name) {
            return Err(Fault::refused(format!("there is a clock `{}` already", about.name)));
        }
        let id = project.as_ref().map(|project| project.id);
        if let Some(before) = &before {
            txn.remove::<Clock>(rule_key(id, &before.about.name));
        }
        let moved = before.as_ref().is_some_and(|before| before.position != position);
        for other in others.iter().filter(|clock| moved && clock.position >= position) {
            let itself = before.as_ref().is_some_and(|before| before.about.name == other.about.name);
            if !itself {
                txn.put(&Clock { position: other.position + 1, ..other.clone() })?;
            }
        }
        let clock = Clock { project: id, position, about };
        txn.put(&clock)?;
        txn.deed().label = format!("wrote the clock {}", clock.about.name);
        self.finish(txn, acting.actor(), None, Some(acting.request.clone())).await?;
        self.shown_clocks(vec![clock]).await
    }

    pub(super) async fn remove_clock(
        &self,
        acting: &Acting,
        scope: &SenderScope,
        name: &str,
    ) -> Result<Response, Fault> {
        let project = self.clock_scope(acting, scope).await?;
        let (_gate, mut txn) = self.begin().await;
        let clock = named(&clocks_of(&mut txn, project.as_ref()).await?, name)?.clone();
        txn.remove::<Clock>(rule_key(clock.project, name));
        txn.deed().label = format!("removed the clock {name}");
        self.finish(txn, acting.actor(), None, Some(acting.request.clone())).await?;
        self.shown_clocks(vec![clock]).await
    }

    async fn clock_scope(&self, acting: &Acting, scope: &SenderScope) -> Result<Option<Project>, Fault> {
        match scope {
            SenderScope::Desk => Ok(None),
            SenderScope::Project(path) => self.project_by_path(&acting.rights, path).await.map(Some),
        }
    }

    async fn check_clock(&self, project: Option<&Project>, about: &ClockAbout) -> Result<(), Fault> {
        let name = crate::mail::sanitize_line(&about.name);
        if name.trim().is_empty() || name != about.name || name.chars().count() > 100 {
            return Err(Fault::usage("a clock needs a name of 1 to 100 characters"));
        }
        if !Query::parse(&about.query)?.is_lasting() {
            return Err(Fault::usage("a clock cannot ask for that")
                .hint("ask for what stands in an issue: project, label, priority, from, title, assignee"));
        }
        let hours = match project {
            Some(project) => hours::of(project, &self.desk_settings().await?),
            None => hours::of_desk(&self.desk_settings().await?),
        };
        let lengths = [&about.first, &about.next, &about.resolve, &about.warn];
        for text in lengths.into_iter().flatten() {
            if hours.length(text).is_none() {
                return Err(Fault::usage(format!("`{text}` is not a length of time"))
                    .hint("write working time as 30m, 4h, 3d or 1w"));
            }
        }
        match [&about.first, &about.next, &about.resolve].into_iter().all(Option::is_none) {
            false => Ok(()),
            true => Err(Fault::usage("the clock would measure nothing")
                .hint("say how long with --first 4h, --next 8h or --resolve 3d")),
        }
    }

    /// Tells the staff of clocks that are near their end, or over, each once; gives how many those were.
    pub async fn tend_clocks(&self) -> Result<u64, Fault> {
        let mut told = 0;
        let now = self.now();
        // What ran out long ago, as before there was this clock, would only be a flood of mail.
        let recent = |near: &(IssueId, ClockKind, Timestamp)| now.duration_since(near.2) < STALE;
        for near in self.inner.index.near(now).into_iter().filter(recent) {
            told += u64::from(self.tell_of_clock(near).await?);
        }
        Ok(told)
    }

    /// Tells whether any clock may run out some day.
    pub(super) fn has_clocks(&self) -> bool {
        self.wound_clocks().plans.values().any(|plan| !plan.targets.is_empty())
    }

    async fn tell_of_clock(&self, near: (IssueId, ClockKind, Timestamp)) -> Result<bool, Fault> {
        let (id, kind, due_at) = near;
        let known = self.inner.store.get::<crate::domain::Issue>(&record::issue_key(id)).await;
        let known = known.map_err(txn::store_fault)?.and_then(|kept| kept.record.clock_told);
        let now = ClockTold { due_at, breached: due_at < self.now() };
        if known == Some(now) {
            return Ok(false);
        }
        let (_gate, mut txn) = self.begin().await;
        // Looked at again under the lock: the answer may have gone out at this moment.
        let still = self.inner.index.near(txn.now).contains(&near);
        let mut issue = self.load_issue(&mut txn, id).await?;
        if !still || issue.state == State::Closed || issue.clock_told == Some(now) {
            return Ok(false);
        }
        issue.clock_told = Some(now);
        txn.put(&issue)?;
        txn.tell_of_clock(id, clock_in_words(kind, now));
        self.finish(txn, system(), Some("clock".to_owned()), None).await?;
        Ok(true)
    }
}

async fn clocks_of(txn: &mut Txn<'_>, project: Option<&Project>) -> Result<Vec<Clock>, Fault> {
    // Those of the desk count as project 0.
    txn.list::<Clock>(&txn::below(project.map_or(0, |project| project.id.0))).await
}

fn named<'a>(clocks: &'a [Clock], name: &str) -> Result<&'a Clock, Fault> {
    clocks.iter().find(|clock| clock.about.name == name).ok_or_else(|| {
        Fault::not_found(format!("there is no clock `{name}`")).hint("`deskbell clock list` shows them")
    })
}

/// Says what becomes of a clock, for a mail; times in UTC, as in all output.
fn clock_in_words(kind: ClockKind, told: ClockTold) -> String {
    let what = match kind {
        ClockKind::First => "the time for a first answer",
        ClockKind::Next => "the time for an answer",
        ClockKind::Resolve => "the time to resolve it",
    };
    let at = told.due_at.strftime("%Y-%m-%d %H:%M UTC");
    if told.breached { format!("{what} ran out at {at}") } else { format!("{what} runs out at {at}") }
}

fn place(text: &str) -> Result<u32, Fault> {
    text.parse()
        .ok()
        .filter(|place| *place > 0)
        .ok_or_else(|| Fault::usage(format!("`{text}` is no position")).hint("positions are counted from 1"))
}
