//! Labels and milestones: their records, and the words for them on issues.
//!
//! A new name, or the end of one, reaches every issue of the project in the same commit.

use super::edits::checked_label;
use super::txn::{self, Txn};
use super::{Acting, Desk};
use crate::domain::counted;
use crate::domain::{
    Category, CategoryAbout, CategoryChange, CategoryKind, CategoryView, Fault, Issue, IssueId, Project,
    ProjectId, Response, meant, nearest, set_field,
};
use crate::store::record::category_key;
use std::collections::BTreeMap;

impl Desk {
    /// Lists the labels or milestones of a project, or of all that may be seen: those with a record, and
    /// the words that issues carry.
    pub(super) async fn categories(
        &self,
        acting: &Acting,
        kind: CategoryKind,
        path: Option<&str>,
    ) -> Result<Response, Fault> {
        let projects = match path {
            Some(path) => vec![self.project_by_path(&acting.rights, path).await?],
            None => self.all_projects().await?,
        };
        let seen = projects.iter().filter(|project| acting.rights.sees(project.id));
        let used = self.inner.index.used(kind, &self.viewer(acting));
        let mut views = Vec::new();
        for project in seen {
            views.extend(self.categories_of(project, kind, &used).await?);
        }
        Ok(Response::Categories(views))
    }

    async fn categories_of(
        &self,
        project: &Project,
        kind: CategoryKind,
        used: &BTreeMap<(ProjectId, String), (u64, u64)>,
    ) -> Result<Vec<CategoryView>, Fault> {
        let prefix = txn::below(project.id.0);
        let records = txn::all::<Category>(&self.inner.store, &prefix).await?;
        let mut all: BTreeMap<String, (CategoryAbout, bool)> = BTreeMap::new();
        for (_, name) in used.keys().filter(|(id, _)| *id == project.id) {
            all.insert(name.clone(), (CategoryAbout { name: name.clone(), ..Default::default() }, false));
        }
        for record in records.into_iter().filter(|record| record.kind == kind) {
            all.insert(record.about.name.clone(), (record.about, true));
        }
        let view = |(name, (about, recorded))| {
            let (issues, closed_issues) = used.get(&(project.id, name)).copied().unwrap_or_default();
            CategoryView { kind, project: project.path.clone(), about, recorded, issues, closed_issues }
        };
        Ok(all.into_iter().map(view).collect())
    }

    /// Gives the labels that somebody may choose from, with the number of issues that carry each.
    pub(super) async fn labels(&self, acting: &Acting) -> Result<Response, Fault> {
        let mut counts: BTreeMap<String, u64> =
            self.inner.index.labels(&self.viewer(acting)).into_iter().collect();
        for record in txn::all::<Category>(&self.inner.store, &[]).await? {
            if record.kind == CategoryKind::Label && acting.rights.sees(record.project) {
                counts.entry(record.about.name).or_default();
            }
        }
        Ok(Response::Labels(counts.into_iter().collect()))
    }

    pub(super) async fn add_category(
        &self,
        acting: &Acting,
        kind: CategoryKind,
        path: &str,
        settings: &[(String, String)],
    ) -> Result<Response, Fault> {
        let project = self.project_by_path(&acting.rights, path).await?;
        let about = changed(kind, &CategoryAbout::default(), settings)?;
        let (_gate, mut txn) = self.begin().await;
        let key = category_key(project.id, kind, &about.name);
        if txn.get::<Category>(&key).await?.is_some() {
            let word = kind.word();
            return Err(Fault::refused(format!("{path} has a {word} `{}` already", about.name))
                .hint(format!("`deskbell {word} set` changes it")));
        }
        let after = Category { project: project.id, kind, about };
        let label = format!("added the {} {} to {path}", kind.word(), after.about.name);
        self.write_category(&mut txn, None, Some(after.clone()))?;
        self.category_done(txn, acting, label, kind, path, &after.about.name).await
    }

    pub(super) async fn set_category(
        &self,
        acting: &Acting,
        kind: CategoryKind,
        path: &str,
        name: &str,
        settings: &[(String, String)],
    ) -> Result<Response, Fault> {
        let project = self.project_by_path(&acting.rights, path).await?;
        let (_gate, mut txn) = self.begin().await;
        let (before, carriers) = self.known_category(&mut txn, kind, &project, name).await?;
        let now = before.as_ref().map_or_else(
            || CategoryAbout { name: name.to_owned(), ..Default::default() },
            |before| before.about.clone(),
        );
        let after = Category { project: project.id, kind, about: changed(kind, &now, settings)? };
        let new = after.about.name.clone();
        if new != name {
            let taken = txn.get::<Category>(&category_key(project.id, kind, &new)).await?.is_some();
            if taken {
                return Err(Fault::refused(format!("{path} has a {} `{new}` already", kind.word())));
            }
            self.rewrite(&mut txn, &carriers, kind, name, Some(&new)).await?;
        }
        let label = match new == name {
            true => format!("changed the {} {name} of {path}", kind.word()),
            false => format!("renamed the {} {name} of {path} to {new}", kind.word()),
        };
        self.write_category(&mut txn, before, Some(after))?;
        self.category_done(txn, acting, label, kind, path, &new).await
    }

    pub(super) async fn remove_category(
        &self,
        acting: &Acting,
        kind: CategoryKind,
        path: &str,
        name: &str,
    ) -> Result<Response, Fault> {
        let project = self.project_by_path(&acting.rights, path).await?;
        let (_gate, mut txn) = self.begin().await;
        let (before, carriers) = self.known_category(&mut txn, kind, &project, name).await?;
        self.rewrite(&mut txn, &carriers, kind, name, None).await?;
        let from = counted(carriers.len(), "issue");
        let label = format!("removed the {} {name} from {path} and {from}", kind.word());
        self.write_category(&mut txn, before, None)?;
        self.category_done(txn, acting, label, kind, path, name).await
    }

    /// Finds the record of a word and the issues that carry it; of the two there may be only one.
    async fn known_category(
        &self,
        txn: &mut Txn<'_>,
        kind: CategoryKind,
        project: &Project,
        name: &str,
    ) -> Result<(Option<Category>, Vec<IssueId>), Fault> {
        let record = txn.get::<Category>(&category_key(project.id, kind, name)).await?;
        let carriers = self.inner.index.carrying(kind, project.id, name);
        match record.is_none() && carriers.is_empty() {
            true => Err(self.no_category(txn, kind, project, name).await?),
            false => Ok((record, carriers)),
        }
    }

    /// Writes a record, or takes it away, so that undo can restore it.
    fn write_category(
        &self,
        txn: &mut Txn<'_>,
        before: Option<Category>,
        after: Option<Category>,
    ) -> Result<(), Fault> {
        if let Some(before) = &before {
            txn.remove::<Category>(category_key(before.project, before.kind, &before.about.name));
        }
        if let Some(after) = &after {
            txn.put(after)?;
        }
        if before.is_some() || after.is_some() {
            txn.deed().categories.push(CategoryChange { before, after });
        }
        Ok(())
    }

    async fn category_done(
        &self,
        mut txn: Txn<'_>,
        acting: &Acting,
        label: String,
        kind: CategoryKind,
        path: &str,
        name: &str,
    ) -> Result<Response, Fault> {
        txn.deed().label.clone_from(&label);
        txn.deed().undoable = true;
        self.finish(txn, acting.actor(), Some(label), Some(acting.request.clone())).await?;
        self.shown_category(acting, kind, path, name).await
    }

    /// Shows one category; an empty list where it is gone.
    pub(super) async fn shown_category(
        &self,
        acting: &Acting,
        kind: CategoryKind,
        path: &str,
        name: &str,
    ) -> Result<Response, Fault> {
        let Response::Categories(mut views) = self.categories(acting, kind, Some(path)).await? else {
            return Err(Fault::internal("categories came back as something else"));
        };
        views.retain(|view| view.about.name == name);
        Ok(Response::Categories(views))
    }

    /// Gives issues another word for one, or none.
    async fn rewrite(
        &self,
        txn: &mut Txn<'_>,
        issues: &[IssueId],
        kind: CategoryKind,
        old: &str,
        new: Option<&str>,
    ) -> Result<(), Fault> {
        for id in issues {
            let before = self.load_issue(txn, *id).await?;
            let mut after = before.clone();
            rename(&mut after, kind, old, new);
            txn.put_issue(Some(&before), &after)?;
        }
        Ok(())
    }

    async fn no_category(
        &self,
        txn: &mut Txn<'_>,
        kind: CategoryKind,
        project: &Project,
        name: &str,
    ) -> Result<Fault, Fault> {
        let word = kind.word();
        let fault = Fault::not_found(format!("{} has no {word} `{name}`", project.path));
        let records = txn.list::<Category>(&txn::below(project.id.0)).await?;
        let known: Vec<String> =
            records.into_iter().filter(|record| record.kind == kind).map(|r| r.about.name).collect();
        Ok(match nearest(name, &known) {
            None => fault.hint(format!("`deskbell {word} list` shows them")),
            Some(likely) => fault.hint(format!("did you mean `{likely}`?")),
        })
    }

    /// Restores the record that a verb changed.
    pub(super) async fn restore_category(
        &self,
        txn: &mut Txn<'_>,
        change: &CategoryChange,
        back: bool,
    ) -> Result<(), Fault> {
        let (from, to) = if back { (&change.after, &change.before) } else { (&change.before, &change.after) };
        if let Some(from) = from {
            let key = category_key(from.project, from.kind, &from.about.name);
            if txn.get::<Category>(&key).await?.as_ref() != Some(from) {
                let word = from.kind.word();
                return Err(Fault::refused(format!("somebody changed the {word} {} since", from.about.name))
                    .hint(format!("`deskbell {word} list` shows it; change it by hand")));
            }
        } else if let Some(to) = to {
            let key = category_key(to.project, to.kind, &to.about.name);
            if txn.get::<Category>(&key).await?.is_some() {
                let word = to.kind.word();
                return Err(Fault::refused(format!("there is another {word} {} now", to.about.name)));
            }
        }
        self.write_category(txn, from.clone(), to.clone())
    }
}

/// Gives what is said of a category once some of it is set.
fn changed(
    kind: CategoryKind,
    about: &CategoryAbout,
    settings: &[(String, String)],
) -> Result<CategoryAbout, Fault> {
    let known: Vec<String> = kind.settings().iter().map(|key| (*key).to_owned()).collect();
    let mut about = about.clone();
    for (key, value) in settings {
        if !known.contains(key) {
            return Err(Fault::usage(format!("a {} has no `{key}`", kind.word())).hint(meant(key, &known)));
        }
        let key = if key == "title" { "name" } else { key.as_str() };
        about = set_field(&about, key, value)?;
    }
    about.name = checked_label(&about.name)?;
    about.check()?;
    Ok(about)
}

fn rename(issue: &mut Issue, kind: CategoryKind, old: &str, new: Option<&str>) {
    match kind {
        CategoryKind::Label => {
            issue.labels.remove(old);
            issue.labels.extend(new.map(str::to_owned));
        }
        CategoryKind::Milestone => issue.milestone = new.map(str::to_owned),
    }
}
