//! Rules at work: which of them fit an issue, and what they do to it.
//!
//! What a rule does is part of the step that set it off, and names the rule. No rule sets off another.

use super::intake::Passing;
use super::txn::{self, Txn};
use super::{Acting, Desk, system};
use crate::domain::query::{IssueFacts, Names, Viewer, fold};
use crate::domain::quick::quick_text;
use crate::domain::{
    Edit, Fault, FaultKind, Issue, IssueId, Note, NoteKind, Query, Rights, Rule, RuleMoment, SUPPORT_BOT, Via,
};
use crate::index::Index;
use jiff::SignedDuration;

/// Issues that one rule looks at in one round.
const ISSUES: u64 = 1_000;

/// What sets rules off.
#[derive(Clone, Copy)]
pub(super) struct Cause<'a> {
    pub moment: RuleMoment,
    /// The mail that came.
    pub passing: Option<&'a Passing<'a>>,
    /// How long what is mailed can be taken back.
    pub hold: Option<SignedDuration>,
}

impl<'a> Cause<'a> {
    pub fn arrival(passing: &'a Passing<'a>) -> Self {
        Self { moment: RuleMoment::Arrival, passing: Some(passing), hold: None }
    }

    pub fn change(hold: Option<SignedDuration>) -> Self {
        Self { moment: RuleMoment::Change, passing: None, hold }
    }

    fn time() -> Self {
        Self { moment: RuleMoment::Time, passing: None, hold: None }
    }
}

impl Desk {
    /// Carries out the rules of a moment that fit an issue; tells whether one of them wants no
    /// acknowledgement.
    pub(super) async fn run_rules(
        &self,
        txn: &mut Txn<'_>,
        id: IssueId,
        cause: Cause<'_>,
    ) -> Result<bool, Fault> {
        let mut quiet = false;
        for rule in self.rules_in_order(txn).await? {
            if rule.about.on == cause.moment && self.rule_fits(txn, &rule, id).await? {
                quiet |= rule.about.no_acknowledgement;
                self.run_rule(txn, &rule, id, cause).await?;
            }
        }
        Ok(quiet)
    }

    /// Does what one rule wants. What cannot be done stops neither the step nor the other rules; the team
    /// is told.
    async fn run_rule(
        &self,
        txn: &mut Txn<'_>,
        rule: &Rule,
        id: IssueId,
        cause: Cause<'_>,
    ) -> Result<(), Fault> {
        let name = &rule.about.name;
        let topic = format!("rule {name}");
        txn.begin_rule(Some(name.clone()));
        let done = self.carry_out(txn, rule, id, cause).await;
        txn.begin_rule(None);
        match done {
            Err(fault) if fault.kind == FaultKind::Internal => return Err(fault),
            Err(fault) if txn.is_rehearsal() => {
                txn.note_rule(format!("the rule {name} fails: {}", fault.message));
            }
            Err(fault) => {
                self.inner.board.notice(topic, format!("the rule {name} failed: {}", fault.message));
            }
            Ok(()) if txn.is_rehearsal() => {}
            Ok(()) => drop(self.inner.board.clear_notice(&topic)),
        }
        Ok(())
    }

    async fn carry_out(
        &self,
        txn: &mut Txn<'_>,
        rule: &Rule,
        id: IssueId,
        cause: Cause<'_>,
    ) -> Result<(), Fault> {
        let asked = quick_text(&rule.about.actions, txn.now, &self.time_zone().await?)?;
        let acting = as_rule(rule, txn.now);
        if !asked.edits.is_empty() {
            Box::pin(self.edit_one(txn, &acting, id, &asked.edits, None)).await?;
        }
        txn.note_rule(format!("the rule {} fits", rule.about.name));
        // What one of them cannot do stops not the other.
        let told = self.tell_of_rule(txn, rule, id).await;
        let replied = Box::pin(self.reply_by_rule(txn, rule, id, cause)).await;
        match replied {
            Err(fault) if fault.kind != FaultKind::Internal && !txn.is_rehearsal() => {
                // It stays, though the rule may do well by the next issue: somebody got no answer.
                let name = &rule.about.name;
                let words = format!("the rule {name} sent no reply: {}", fault.message);
                self.inner.board.notice(format!("rule {name} reply"), words);
                told
            }
            replied => told.and(replied),
        }
    }

    async fn rules_in_order(&self, txn: &mut Txn<'_>) -> Result<Vec<Rule>, Fault> {
        let mut rules = txn.list::<Rule>(&[]).await?;
        rules.retain(|rule| rule.about.enabled);
        rules.sort_by_key(|rule| (rule.project.is_some(), rule.position));
        Ok(rules)
    }

    /// Tells whether an issue is found by the query of a rule, as this step has left it.
    async fn rule_fits(&self, txn: &mut Txn<'_>, rule: &Rule, id: IssueId) -> Result<bool, Fault> {
        let issue = self.load_issue(txn, id).await?;
        if rule.project.is_some_and(|project| project != issue.project) {
            return Ok(false);
        }
        let Ok(query) = Query::parse(&rule.about.query) else { return Ok(false) };
        let project = self.load_project(txn, issue.project).await?;
        let notes = txn.list::<Note>(&txn::below(id.0)).await?;
        Ok(fits(&query, &issue, &project.path, &notes, &viewer(txn.now), &self.inner.index))
    }

    /// Carries out the rules that look at the clock; gives how many issues they changed.
    pub async fn tend_rules(&self) -> Result<u64, Fault> {
        let rules = txn::all::<Rule>(&self.inner.store, &[]).await?;
        let mut changed = 0;
        for rule in rules.iter().filter(|rule| rule.about.enabled && rule.about.on == RuleMoment::Time) {
            for id in self.found_by(rule)? {
                changed += u64::from(self.tend_with(rule, id).await?);
            }
        }
        Ok(changed)
    }

    /// Tells whether any rule looks at the clock.
    pub(super) async fn has_timed_rules(&self) -> Result<bool, Fault> {
        let rules = txn::all::<Rule>(&self.inner.store, &[]).await?;
        Ok(rules.iter().any(|rule| rule.about.enabled && rule.about.on == RuleMoment::Time))
    }

    async fn tend_with(&self, rule: &Rule, id: IssueId) -> Result<bool, Fault> {
        let (_gate, mut txn) = self.begin().await;
        if !self.rule_fits(&mut txn, rule, id).await? {
            return Ok(false);
        }
        self.run_rule(&mut txn, rule, id, Cause::time()).await?;
        if txn.changes().is_empty() && txn.deed().ruled.is_empty() {
            return Ok(false);
        }
        let reason = format!("rule {}", rule.about.name);
        self.finish(txn, system(), Some(reason), None).await?;
        Ok(true)
    }

    /// Lists the issues that a rule finds now.
    pub(super) fn found_by(&self, rule: &Rule) -> Result<Vec<IssueId>, Fault> {
        let viewer = viewer(self.now());
        let found = self.inner.index.find(&Query::parse(&rule.about.query)?, &viewer, 0, ISSUES).issues;
        let rows = self.inner.index.projects_of(&found);
        let here = |(_, project): &(IssueId, _)| rule.project.is_none_or(|wanted| wanted == *project);
        Ok(rows.into_iter().filter(here).map(|(id, _)| id).collect())
    }
}

/// Holds a query against an issue and the texts of its notes.
fn fits(query: &Query, issue: &Issue, path: &str, notes: &[Note], viewer: &Viewer, index: &Index) -> bool {
    let mut names = Names::default();
    let mut facts = IssueFacts::new(issue, path, &mut names);
    facts.vip = index.is_vip(&facts);
    let mut bodies = String::new();
    for note in notes.iter().filter(|note| note.kind != NoteKind::System) {
        facts.add_note(note, &mut names);
        bodies.push_str(&note.body);
        bodies.push('\n');
        bodies.push_str(note.folded.as_deref().unwrap_or_default());
        bodies.push('\n');
    }
    let bodies = fold(&bodies);
    let all = format!("{}\n{}\n{bodies}", fold(&issue.title), fold(issue.author.label()));
    query.holds(&facts, viewer, None, |_, term| {
        term.text().is_some_and(|asked| {
            let text = if asked.body_only { &bodies } else { &all };
            asked.any.iter().any(|words| words.found_in(text))
        })
    })
}

fn viewer(now: jiff::Timestamp) -> Viewer {
    Viewer { user: SUPPORT_BOT.to_owned(), now, rights: Rights::All }
}

/// Makes a rule somebody who acts, so that notes and history name it.
fn as_rule(rule: &Rule, now: jiff::Timestamp) -> Acting {
    let mut acting = Acting::system(now);
    acting.user.name = format!("rule {}", rule.about.name);
    Acting { via: Via::Rule, ..acting }
}

/// Refuses what a rule cannot do.
pub(super) fn check_actions(edits: &[Edit]) -> Result<(), Fault> {
    let alone = |edit: &&Edit| {
        matches!(
            edit,
            Edit::DuplicateOf(_)
                | Edit::MergeInto(_)
                | Edit::Part(_)
                | Edit::Split { .. }
                | Edit::Link(_)
                | Edit::Unlink(_)
                | Edit::Spend(_)
        ) || matches!(edit, Edit::Assign(name) if name == "me")
    };
    match edits.iter().find(alone) {
        Some(edit) => Err(Fault::usage(format!("a rule cannot do that: {edit:?}"))
            .hint("it can label, assign, prioritise, move, snooze, close, mark as spam and the like")),
        None => Ok(()),
    }
}
