//! The rulebook: which rules there are, in which order, and what each would do.

use super::rules::check_actions;
use super::{Acting, Desk, txn};
use crate::domain::quick::quick_text;
use crate::domain::{
    Edit, Fault, Project, ProjectId, Response, Rights, Role, Rule, RuleAbout, RuleChange, RuleView,
    SenderScope, set_field,
};
use crate::store::record::rule_key;

impl Desk {
    pub(super) async fn rules(&self, acting: &Acting) -> Result<Response, Fault> {
        let mut rules = txn::all::<Rule>(&self.inner.store, &[]).await?;
        rules.retain(|rule| match rule.project {
            Some(project) => acting.rights.may(project, Role::Reporter),
            None => true,
        });
        rules.sort_by_key(|rule| (rule.project, rule.position));
        self.shown_rules(rules).await
    }

    /// Writes a rule: a new one where `name` is none, which comes last; else what is said of it changes.
    pub(super) async fn set_rule(
        &self,
        acting: &Acting,
        scope: &SenderScope,
        name: Option<&str>,
        settings: &[(String, String)],
    ) -> Result<Response, Fault> {
        let project = self.rule_scope(acting, scope).await?;
        let (_gate, mut txn) = self.begin().await;
        let others = txn.list::<Rule>(&rules_of(project)).await?;
        let before = match name {
            Some(name) => Some(named(&others, name)?.clone()),
            None => None,
        };
        let mut about = before.as_ref().map_or_else(RuleAbout::default, |rule| rule.about.clone());
        for (key, value) in settings {
            about = set_field(&about, key, value)?;
        }
        self.check_rule(acting, &mut txn, project, &about).await?;
        let kept = before.as_ref().is_some_and(|before| before.about.name == about.name);
        if !kept && others.iter().any(|rule| rule.about.name == about.name) {
            return Err(Fault::refused(format!("there is a rule `{}` already", about.name)));
        }
        let last = others.iter().map(|rule| rule.position).max().unwrap_or(0);
        let position = before.as_ref().map_or(last + 1, |before| before.position);
        let rule = Rule { project, position, about };
        let label = format!("wrote the rule {}", rule.about.name);
        let change = RuleChange { before, after: Some(rule.clone()) };
        self.rules_done(txn, acting, label, vec![change], vec![rule]).await
    }

    pub(super) async fn remove_rule(
        &self,
        acting: &Acting,
        scope: &SenderScope,
        name: &str,
    ) -> Result<Response, Fault> {
        let project = self.rule_scope(acting, scope).await?;
        let (_gate, mut txn) = self.begin().await;
        let others = txn.list::<Rule>(&rules_of(project)).await?;
        let rule = named(&others, name)?.clone();
        let change = RuleChange { before: Some(rule.clone()), after: None };
        self.rules_done(txn, acting, format!("removed the rule {name}"), vec![change], vec![rule]).await
    }

    /// Puts a rule at a place, counted from 1; the others keep their order.
    pub(super) async fn order_rule(
        &self,
        acting: &Acting,
        scope: &SenderScope,
        name: &str,
        position: u32,
    ) -> Result<Response, Fault> {
        let project = self.rule_scope(acting, scope).await?;
        let (_gate, mut txn) = self.begin().await;
        let mut rules = txn.list::<Rule>(&rules_of(project)).await?;
        let rule = named(&rules, name)?.clone();
        rules.retain(|other| other.about.name != name);
        rules.sort_by_key(|rule| rule.position);
        let at = usize::try_from(position.max(1) - 1).unwrap_or(0).min(rules.len());
        rules.insert(at, rule);
        let mut changes = Vec::new();
        for (place, rule) in (1..).zip(&mut rules) {
            let before = Some(rule.clone());
            rule.position = place;
            let after = Some(rule.clone());
            if before != after {
                changes.push(RuleChange { before, after });
            }
        }
        let label = format!("put the rule {name} at place {position}");
        self.rules_done(txn, acting, label, changes, rules).await
    }

    /// Restores rules as they were before or after a verb.
    pub(super) async fn restore_rules(
        &self,
        txn: &mut txn::Txn<'_>,
        changes: &[RuleChange],
        back: bool,
    ) -> Result<(), Fault> {
        let turned = |RuleChange { before, after }: &RuleChange| match back {
            true => RuleChange { before: after.clone(), after: before.clone() },
            false => RuleChange { before: before.clone(), after: after.clone() },
        };
        let changes: Vec<RuleChange> = changes.iter().map(turned).collect();
        for change in &changes {
            let Some(rule) = change.before.as_ref().or(change.after.as_ref()) else { continue };
            let stands = txn.get::<Rule>(&rule_key(rule.project, &rule.about.name)).await?;
            if stands != change.before {
                return Err(Fault::refused(format!("somebody changed the rule {} since", rule.about.name))
                    .hint("`deskbell rule list` shows it; change it by hand"));
            }
        }
        write(txn, &changes)?;
        if !back {
            txn.deed().rules = changes;
        }
        Ok(())
    }

    /// Refuses to restore what the caller may not change any more.
    pub(super) async fn still_may_rule(&self, acting: &Acting, change: &RuleChange) -> Result<(), Fault> {
        for rule in [&change.before, &change.after].into_iter().flatten() {
            match rule.project {
                Some(id) => self.demand(acting, &self.stored_project_by_id(id).await?, Role::Maintainer)?,
                None if acting.rights == Rights::All => {}
                None => {
                    return Err(Fault::refused("only an owner of the desk changes what is the whole desk's"));
                }
            }
        }
        Ok(())
    }

    /// Ends a step that changed rules, and shows them.
    async fn rules_done(
        &self,
        mut txn: txn::Txn<'_>,
        acting: &Acting,
        label: String,
        changes: Vec<RuleChange>,
        rules: Vec<Rule>,
    ) -> Result<Response, Fault> {
        write(&mut txn, &changes)?;
        txn.deed().rules = changes;
        txn.deed().undoable = true;
        txn.deed().label = label;
        self.finish(txn, acting.actor(), None, Some(acting.request.clone())).await?;
        self.shown_rules(rules).await
    }

    async fn shown_rules(&self, rules: Vec<Rule>) -> Result<Response, Fault> {
        let projects = self.all_projects().await?;
        Ok(Response::Rules(rules.into_iter().map(|rule| view(rule, &projects)).collect()))
    }

    /// Says which issues a rule finds now and what it would do with them; writes nothing.
    pub(super) async fn test_rule(
        &self,
        acting: &Acting,
        scope: &SenderScope,
        name: &str,
    ) -> Result<Response, Fault> {
        let project = self.rule_scope(acting, scope).await?;
        let rules = txn::all::<Rule>(&self.inner.store, &rules_of(project)).await?;
        let rule = named(&rules, name)?;
        let mut plan = quick_text(&rule.about.actions, self.now(), &self.time_zone().await?)?.plan();
        plan.extend(rule.about.further());
        if let Some(Err(fault)) = rule.about.hook.as_deref().map(|hook| self.known_hook(hook)) {
            plan.push(fault.message);
        }
        let plan = plan.join("; ");
        let rows = self.inner.index.rows(&self.found_by(rule)?, &self.viewer(acting));
        let line = |row: &crate::domain::IssueRow| format!("{} “{}”: {plan}", row.reference, row.title);
        Ok(Response::Plan(rows.iter().map(line).collect()))
    }

    async fn rule_scope(&self, acting: &Acting, scope: &SenderScope) -> Result<Option<ProjectId>, Fault> {
        match scope {
            SenderScope::Desk => Ok(None),
            SenderScope::Project(path) => Ok(Some(self.project_by_path(&acting.rights, path).await?.id)),
        }
    }

    async fn check_rule(
        &self,
        acting: &Acting,
        txn: &mut txn::Txn<'_>,
        project: Option<ProjectId>,
        about: &RuleAbout,
    ) -> Result<(), Fault> {
        let name = crate::mail::sanitize_line(&about.name);
        if name.trim().is_empty() || name != about.name || name.chars().count() > 100 {
            return Err(Fault::usage("a rule needs a name of 1 to 100 characters"));
        }
        crate::domain::Query::parse(&about.query)?;
        let asked = quick_text(&about.actions, self.now(), &self.time_zone().await?)?;
        if !asked.text.trim().is_empty() || !asked.cc.is_empty() {
            return Err(Fault::usage("a rule does quick actions, one a line")
                .hint("such as --do '/label ~bug' --do '/assign @alice'"));
        }
        if asked.edits.is_empty() && !about.no_acknowledgement && about.further().is_empty() {
            return Err(Fault::usage("the rule would do nothing")
                .hint("say what with --do '/label ~bug', --reply, --notify or --hook"));
        }
        check_actions(&asked.edits)?;
        self.check_people(txn, &asked.edits).await?;
        if about.enabled {
            self.check_further(txn, project, about).await?;
        }
        // Nobody does by a rule what they may not do by hand.
        for edit in &asked.edits {
            if let Edit::MoveTo(path) = edit {
                let to = self.project_by_path(&acting.rights, path).await?;
                self.demand(acting, &to, Role::Reporter)?;
                if project == Some(to.id) {
                    return Err(Fault::usage(format!("its issues stand in {path} already")));
                }
            }
        }
        Ok(())
    }
}

/// Writes what changes made of rules: what stood there goes first, so that names may change places.
fn write(txn: &mut txn::Txn<'_>, changes: &[RuleChange]) -> Result<(), Fault> {
    for before in changes.iter().filter_map(|change| change.before.as_ref()) {
        txn.remove::<Rule>(rule_key(before.project, &before.about.name));
    }
    changes.iter().filter_map(|change| change.after.as_ref()).try_for_each(|after| txn.put(after))
}

/// Where the rules of a project stand; those of the desk count as project 0.
fn rules_of(project: Option<ProjectId>) -> Vec<u8> {
    txn::below(project.map_or(0, |id| id.0))
}

fn named<'a>(rules: &'a [Rule], name: &str) -> Result<&'a Rule, Fault> {
    rules.iter().find(|rule| rule.about.name == name).ok_or_else(|| {
        Fault::not_found(format!("there is no rule `{name}`")).hint("`deskbell rule list` shows them")
    })
}

fn view(rule: Rule, projects: &[Project]) -> RuleView {
    let path = rule.project.and_then(|id| projects.iter().find(|project| project.id == id));
    RuleView { project: path.map(|project| project.path.clone()), position: rule.position, about: rule.about }
}
