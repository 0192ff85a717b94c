//! Canned replies: who keeps which, and what one says of an issue.

use super::issues::named_files;
use super::txn::{self, Txn};
use super::{Acting, Desk};
use crate::domain::{
    Attachment, AttachmentView, Canned, CannedChange, CannedView, Fault, FillCanned, FilledCanned, Issue,
    IssueView, Keeper, KeptFor, ParticipantRole, Project, Response, Rights, Role, Runs, Upload, fill_canned,
    nearest,
};
use crate::store::record::kept_key;

/// Characters of a name and of a keyword; octets of a text.
const NAME: usize = 80;
const TEXT: usize = 256 << 10;
/// Octets of all files of one.
const FILES: u64 = 20_000_000;

impl Desk {
    /// Lists the canned replies that somebody may use: their own, those of their projects, the desk's.
    pub(super) async fn canned(&self, acting: &Acting, project: Option<&str>) -> Result<Response, Fault> {
        let projects = self.all_projects().await?;
        let only = match project {
            Some(path) => Some(self.project_by_path(&acting.rights, path).await?.id),
            None => None,
        };
        let mut views = Vec::new();
        for canned in txn::all::<Canned>(&self.inner.store, &[]).await? {
            let Some(scope) = self.kept_for(acting, &canned.owner, &projects) else { continue };
            if let (Keeper::Project(id), Some(only)) = (&canned.owner, only)
                && *id != only
            {
                continue;
            }
            let files = canned.files.iter().map(AttachmentView::from).collect();
            let Canned { name, text, keywords, runs, .. } = canned;
            views.push(CannedView { scope, name, text, keywords, files, runs });
        }
        views.sort_by(|a, b| (rank(&a.scope), &a.name).cmp(&(rank(&b.scope), &b.name)));
        Ok(Response::Canned(views))
    }

    /// Writes a canned reply; with `new` there must be none of this name.
    pub(super) async fn save_canned(
        &self,
        acting: &Acting,
        scope: &KeptFor,
        name: &str,
        settings: &[(String, String)],
        new: bool,
        attach: &[Upload],
    ) -> Result<Response, Fault> {
        let added = self.keep_files(&named_files(attach)).await?;
        let owner = self.keeper_of(acting, scope).await?;
        let (_gate, mut txn) = self.begin().await;
        let before = txn.get::<Canned>(&kept_key(&owner, name)).await?;
        let was = match (&before, new) {
            (Some(_), true) => {
                return Err(Fault::refused(format!("there is a canned reply `{name}` already"))
                    .hint("`deskbell canned set` changes it"));
            }
            (None, false) => return Err(self.no_canned(acting, name).await?),
            (Some(before), false) => before.clone(),
            (None, true) => Canned {
                owner: owner.clone(),
                name: name.to_owned(),
                text: String::new(),
                keywords: Vec::new(),
                files: Vec::new(),
                runs: None,
            },
        };
        let after = with_files(changed(was, settings)?, added)?;
        if after.runs.is_some() {
            super::macros::check_macro(&after.text, self.now())?;
            self.refuse_same_key(acting, &after).await?;
        }
        if before.as_ref().is_none_or(|before| before.name != after.name)
            && txn.get::<Canned>(&kept_key(&owner, &after.name)).await?.is_some()
        {
            return Err(Fault::refused(format!("there is a canned reply `{}` already", after.name)));
        }
        let label = format!("{} the {} {}", if new { "added" } else { "changed" }, what(&after), after.name);
        self.canned_done(txn, acting, label, CannedChange { before, after: Some(after) }).await
    }

    /// Refuses a macro whose key runs another one, as far as whoever writes it sees that one and both may stand on
    /// one screen.
    async fn refuse_same_key(&self, acting: &Acting, macro_: &Canned) -> Result<(), Fault> {
        let Some(key) = macro_.runs.as_ref().and_then(|runs| runs.key.as_deref()) else { return Ok(()) };
        let projects = self.all_projects().await?;
        let apart = |owner: &Keeper| match (owner, &macro_.owner) {
            (Keeper::Project(one), Keeper::Project(other)) => one != other,
            _ => false,
        };
        let same = |other: &Canned| {
            let runs = other.runs.as_ref().and_then(|runs| runs.key.as_deref());
            let itself = (&other.owner, &other.name) == (&macro_.owner, &macro_.name);
            runs == Some(key) && !itself && !apart(&other.owner)
        };
        for other in txn::all::<Canned>(&self.inner.store, &[]).await?.iter().filter(|other| same(other)) {
            if let Some(scope) = self.kept_for(acting, &other.owner, &projects) {
                let words = format!("the key {key} runs the macro {} ({}) already", other.name, scope.word());
                return Err(Fault::refused(words).hint("say another with --key, or none"));
            }
        }
        Ok(())
    }

    pub(super) async fn remove_canned(
        &self,
        acting: &Acting,
        scope: &KeptFor,
        name: &str,
    ) -> Result<Response, Fault> {
        let owner = self.keeper_of(acting, scope).await?;
        let (_gate, mut txn) = self.begin().await;
        let Some(before) = txn.get::<Canned>(&kept_key(&owner, name)).await? else {
            return Err(self.no_canned(acting, name).await?);
        };
        let label = format!("removed the {} {name}", what(&before));
        self.canned_done(txn, acting, label, CannedChange { before: Some(before), after: None }).await
    }

    /// Gives the text of a canned reply with the data of an issue.
    pub(super) async fn fill_canned(&self, acting: &Acting, asked: FillCanned) -> Result<Response, Fault> {
        let id = self.resolve(&acting.rights, &asked.reference).await?;
        let view = self.issue_view(acting, id).await?;
        let Response::Canned(mut known) = self.canned(acting, Some(&view.row.project)).await? else {
            return Err(Fault::internal("canned replies came back as something else"));
        };
        known.retain(|c| {
            c.runs.is_none()
                && c.name == asked.name
                && asked.scope.as_ref().is_none_or(|scope| *scope == c.scope)
        });
        let Some(canned) = known.first() else { return Err(self.no_canned(acting, &asked.name).await?) };
        let values = Values::of(&view, acting.user.display_name());
        let filled = fill_canned(&canned.text, |name| values.get(name));
        let files = self.canned_files(acting, &view.row.project, &canned.scope, &canned.name).await?;
        Ok(Response::FilledCanned(FilledCanned { files, ..filled }))
    }

    /// Reads the files of a canned reply.
    async fn canned_files(
        &self,
        acting: &Acting,
        project: &str,
        scope: &KeptFor,
        name: &str,
    ) -> Result<Vec<Upload>, Fault> {
        let owner = match scope {
            // Whose it is was found out with the rights of who asks.
            KeptFor::Project(_) => Keeper::Project(self.project_by_path(&acting.rights, project).await?.id),
            scope => self.keeper_of(acting, scope).await?,
        };
        let kept = self.inner.store.get::<Canned>(&kept_key(&owner, name)).await.map_err(txn::store_fault)?;
        let mut files = Vec::new();
        for file in kept.map(|kept| kept.record.files).unwrap_or_default() {
            let Some(raw) = file.raw else { continue };
            let bytes = self.inner.store.raw(raw).await.map_err(txn::store_fault)?;
            files.push(Upload { name: file.name, bytes });
        }
        Ok(files)
    }

    /// Gives whose something is that the caller keeps for these.
    pub(super) async fn keeper_of(&self, acting: &Acting, scope: &KeptFor) -> Result<Keeper, Fault> {
        Ok(match scope {
            KeptFor::Mine => Keeper::User(acting.user.name.clone()),
            KeptFor::Desk => Keeper::Desk,
            KeptFor::Project(path) => Keeper::Project(self.project_by_path(&acting.rights, path).await?.id),
        })
    }

    async fn no_canned(&self, acting: &Acting, name: &str) -> Result<Fault, Fault> {
        let Response::Canned(known) = self.canned(acting, None).await? else {
            return Err(Fault::internal("canned replies came back as something else"));
        };
        let names: Vec<String> = known.into_iter().map(|canned| canned.name).collect();
        let fault = Fault::not_found(format!("there is no canned reply `{name}` there"));
        Ok(match nearest(name, &names) {
            None => fault.hint("`deskbell canned list` shows them"),
            Some(likely) => {
                fault.hint(format!("did you mean `{likely}`? `deskbell canned list` shows whose it is"))
            }
        })
    }

    async fn canned_done(
        &self,
        mut txn: Txn<'_>,
        acting: &Acting,
        label: String,
        change: CannedChange,
    ) -> Result<Response, Fault> {
        write(&mut txn, &change)?;
        let name = change.after.as_ref().map(|after| after.name.clone());
        txn.deed().canned.push(change);
        txn.deed().label.clone_from(&label);
        txn.deed().undoable = true;
        self.finish(txn, acting.actor(), Some(label), Some(acting.request.clone())).await?;
        match self.canned(acting, None).await? {
            Response::Canned(mut views) => {
                views.retain(|view| Some(&view.name) == name.as_ref());
                Ok(Response::Canned(views))
            }
            other => Ok(other),
        }
    }

    /// Restores a canned reply as it was before or after a verb.
    pub(super) async fn restore_canned(
        &self,
        txn: &mut Txn<'_>,
        change: &CannedChange,
        back: bool,
    ) -> Result<(), Fault> {
        let CannedChange { before, after } = change.clone();
        let (from, to) = if back { (after, before) } else { (before, after) };
        for (canned, is_from) in [(&from, true), (&to, false)] {
            let Some(canned) = canned else { continue };
            let stands = txn.get::<Canned>(&kept_key(&canned.owner, &canned.name)).await?;
            let moved = from.as_ref().map(|c| &c.name) != to.as_ref().map(|c| &c.name);
            let fits = if is_from { stands == from } else { !moved || stands.is_none() };
            if !fits {
                return Err(Fault::refused(format!(
                    "somebody changed the canned reply {} since",
                    canned.name
                ))
                .hint("`deskbell canned list` shows it; change it by hand"));
            }
        }
        let change = CannedChange { before: from, after: to };
        write(txn, &change)?;
        if !back {
            txn.deed().canned.push(change);
        }
        Ok(())
    }

    /// Refuses to restore what the caller may not change any more.
    pub(super) async fn still_may_canned(&self, acting: &Acting, change: &CannedChange) -> Result<(), Fault> {
        for canned in [&change.before, &change.after].into_iter().flatten() {
            self.may_keep(acting, &canned.owner).await?;
        }
        Ok(())
    }

    /// Refuses whoever may not change what is kept for these.
    pub(super) async fn may_keep(&self, acting: &Acting, keeper: &Keeper) -> Result<(), Fault> {
        match keeper {
            Keeper::User(_) => Ok(()),
            Keeper::Project(id) => {
                self.demand(acting, &self.stored_project_by_id(*id).await?, Role::Maintainer)
            }
            Keeper::Desk if acting.rights == Rights::All => Ok(()),
            Keeper::Desk => Err(Fault::refused("only an owner of the desk changes what is the whole desk's")),
        }
    }

    /// Tells for whom something is kept that the caller may use; `None` where it is not for them.
    pub(super) fn kept_for(&self, acting: &Acting, keeper: &Keeper, projects: &[Project]) -> Option<KeptFor> {
        match keeper {
            Keeper::User(user) => (*user == acting.user.name).then_some(KeptFor::Mine),
            Keeper::Desk => Some(KeptFor::Desk),
            Keeper::Project(id) => {
                let project = projects.iter().find(|project| project.id == *id)?;
                acting.rights.may(*id, Role::Guest).then(|| KeptFor::Project(project.path.clone()))
            }
        }
    }
}

/// Says what it is.
fn what(canned: &Canned) -> &'static str {
    if canned.runs.is_some() { "macro" } else { "canned reply" }
}

/// Writes what a change made of a canned reply.
fn write(txn: &mut Txn<'_>, change: &CannedChange) -> Result<(), Fault> {
    if let Some(before) = &change.before {
        txn.remove::<Canned>(kept_key(&before.owner, &before.name));
    }
    change.after.as_ref().map_or(Ok(()), |after| txn.put(after))
}

/// What the placeholders stand for.
pub(super) struct Values {
    list: Vec<(&'static str, String)>,
}

impl Values {
    pub fn of(view: &IssueView, me: &str) -> Self {
        let requester = view.participants.iter().find(|p| p.role == ParticipantRole::Requester);
        let requester = requester.map(|p| (p.name.clone(), p.email.to_string()));
        Self::new(requester, view.row.iid, (&view.row.reference, &view.row.title, &view.row.project), me)
    }

    /// What they stand for in an issue as a step has left it.
    pub fn of_issue(issue: &Issue, project: &Project, me: &str) -> Self {
        let requester = issue.requester().map(|p| (p.name.clone(), p.email.to_string()));
        let reference = super::letters::reference(project, issue);
        Self::new(requester, issue.iid, (&reference, &issue.title, &project.path), me)
    }

    fn new(
        requester: Option<(Option<String>, String)>,
        iid: u64,
        (reference, title, project): (&str, &str, &str),
        me: &str,
    ) -> Self {
        let (name, email) = requester.unwrap_or_default();
        let name = name.unwrap_or_default();
        // A name in brackets or with a comma is no first name.
        let first = name.split_whitespace().next().filter(|word| word.chars().all(char::is_alphabetic));
        let list = vec![
            ("REQUESTER_FIRST_NAME", first.unwrap_or_default().to_owned()),
            ("REQUESTER_NAME", name),
            ("REQUESTER_EMAIL", email),
            ("ISSUE_ID", format!("#{iid}")),
            ("ISSUE_PATH", reference.to_owned()),
            ("ISSUE_TITLE", title.to_owned()),
            ("PROJECT", project.to_owned()),
            ("MY_NAME", me.to_owned()),
        ];
        Self { list }
    }

    pub fn get(&self, name: &str) -> Option<&str> {
        self.list.iter().find(|(known, _)| *known == name).map(|(_, value)| value.as_str())
    }
}

fn rank(scope: &KeptFor) -> (u8, &str) {
    match scope {
        KeptFor::Mine => (0, ""),
        KeptFor::Project(path) => (1, path),
        KeptFor::Desk => (2, ""),
    }
}

/// Puts files to it, each in place of one of its name.
fn with_files(mut canned: Canned, added: Vec<Attachment>) -> Result<Canned, Fault> {
    canned.files.retain(|file| !added.iter().any(|new| new.name == file.name));
    canned.files.extend(added);
    if canned.files.iter().map(|file| file.size).sum::<u64>() > FILES {
        return Err(Fault::refused("the files of a canned reply have at most 20 MB together"));
    }
    Ok(canned)
}

/// Takes settings over: `name`, `text`, `keywords` with commas between; `detach` takes a file away.
fn changed(mut canned: Canned, settings: &[(String, String)]) -> Result<Canned, Fault> {
    for (key, value) in settings {
        match key.as_str() {
            "name" => canned.name = value.trim().to_owned(),
            "text" => canned.text.clone_from(value),
            "keywords" => {
                let words = value.split(',').map(|word| word.trim().to_lowercase());
                canned.keywords = words.filter(|word| !word.is_empty()).collect();
            }
            "detach" => {
                if !canned.files.iter().any(|file| file.name == *value) {
                    return Err(Fault::not_found(format!("{} has no file `{value}`", canned.name)));
                }
                canned.files.retain(|file| file.name != *value);
            }
            "macro" => drop(canned.runs.get_or_insert_default()),
            key => run_setting(canned.runs.as_mut(), key, value)?,
        }
    }
    let fits =
        |name: &str| !name.is_empty() && name.chars().count() <= NAME && !name.chars().any(char::is_control);
    if !fits(&canned.name) || !canned.keywords.iter().all(|word| fits(word)) || canned.keywords.len() > 50 {
        return Err(Fault::usage(format!("a name and a keyword have 1 to {NAME} characters in one line")));
    }
    let replies = canned.runs.as_ref().is_some_and(|runs| runs.reply.is_some());
    if canned.text.trim().is_empty() && !replies || canned.text.len() > TEXT {
        return Err(match canned.runs {
            Some(_) if canned.text.trim().is_empty() => {
                Fault::usage(format!("the macro {} would do nothing", canned.name)).hint(
                    "say what it does: --do '/close', a text with -m or -F, or a canned reply with --canned",
                )
            }
            _ => Fault::usage("the text is empty, or longer than 256 KB").hint("say it with -m or -F"),
        });
    }
    Ok(canned)
}

/// Takes a setting over that only a macro has: `key`, `reply`, `internal`.
fn run_setting(runs: Option<&mut Runs>, key: &str, value: &str) -> Result<(), Fault> {
    let unknown = || {
        Err(Fault::usage(format!("there is no `{key}` there"))
            .hint("a canned reply has name, text and keywords; a macro has key, reply and internal too"))
    };
    let Some(runs) = runs else { return unknown() };
    let given = Some(value.trim()).filter(|value| !value.is_empty() && *value != "none");
    match key {
        "key" => {
            let key = given.map(str::to_owned);
            if key.as_ref().is_some_and(|key| key.chars().count() != 1) {
                return Err(Fault::usage("the key of a macro is one character"));
            }
            runs.key = key;
        }
        "reply" => runs.reply = given.map(str::to_owned),
        "internal" => runs.internal = value == "true",
        _ => return unknown(),
    }
    Ok(())
}
