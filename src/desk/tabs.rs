//! Views: who keeps which, in which order each sees them, and what they find.

use super::txn::{self, Txn};
use super::{Acting, Desk};
use crate::domain::{
    Fault, Keeper, KeptFor, Query, Response, SavedView, Tabs, View, ViewAbout, ViewChange, ViewFrom, ViewId,
    changed_view, default_views, nearest, ordered_views,
};
use crate::store::record::{kept_key, text_key};

/// So many views may one keep for oneself, a project or the desk.
const MOST: usize = 100;

impl Desk {
    /// Lists the views that somebody sees, in their order, with what they find.
    pub(super) async fn views(&self, acting: &Acting) -> Result<Response, Fault> {
        let mut views = self.views_of(acting).await?;
        for view in &mut views {
            self.count_view(acting, view);
        }
        Ok(Response::Views(views))
    }

    async fn views_of(&self, acting: &Acting) -> Result<Vec<View>, Fault> {
        let projects = self.all_projects().await?;
        let mut views = default_views();
        for saved in txn::all::<SavedView>(&self.inner.store, &[]).await? {
            if let Some(kept) = self.kept_for(acting, &saved.keeper, &projects) {
                let (from, about) = (ViewFrom::Kept(kept), saved.about);
                views.push(View { from, about, count: None, unread: None, oldest: None });
            }
        }
        let tabs = self.inner.store.get::<Tabs>(&text_key(&acting.user.name)).await;
        let tabs = tabs.map_err(txn::store_fault)?.map(|kept| kept.record);
        Ok(ordered_views(views, tabs.as_ref()))
    }

    /// Says what a view finds. The index keeps what its queries found, so that this costs what changed.
    fn count_view(&self, acting: &Acting, view: &mut View) {
        let Ok(query) = Query::parse(&view.about.query) else { return };
        let viewer = self.viewer(acting);
        let index = &self.inner.index;
        view.count = Some(index.count(&query, &viewer));
        view.unread = Some(index.count(&query.clone().unread(), &viewer));
        if view.about.limit.is_some() {
            let first = index.find(&query.longest_waiting(), &viewer, 0, 1).issues;
            let row = first.first().and_then(|id| index.row(*id, &viewer));
            view.oldest = row.and_then(|row| row.waiting_since);
        }
    }

    /// Keeps a view; with `new` there must be none of this name. What is changed of a view of the program is
    /// kept as one of this name.
    pub(super) async fn save_view(
        &self,
        acting: &Acting,
        kept: &KeptFor,
        name: &str,
        settings: &[(String, String)],
        new: bool,
    ) -> Result<Response, Fault> {
        let keeper = self.keeper_of(acting, kept).await?;
        let (_gate, mut txn) = self.begin().await;
        let before = txn.get::<SavedView>(&kept_key(&keeper, name)).await?;
        let of_program = default_views().into_iter().find(|view| view.about.name == name);
        let was = match (&before, new, of_program) {
            (Some(_), true, _) => return Err(taken(name)),
            (Some(before), false, _) => before.about.clone(),
            (None, false, Some(view)) => view.about,
            (None, false, None) => return Err(self.no_view(acting, name).await?),
            (None, true, _) => {
                let (columns, limit) = (Vec::new(), None);
                ViewAbout { name: name.to_owned(), query: String::new(), columns, limit }
            }
        };
        let after = SavedView { keeper: keeper.clone(), about: changed_view(was, settings)? };
        let renamed = before.as_ref().is_none_or(|before| before.about.name != after.about.name);
        if renamed && txn.get::<SavedView>(&kept_key(&keeper, &after.about.name)).await?.is_some() {
            return Err(taken(&after.about.name));
        }
        refuse_more(&mut txn, &keeper, before.is_none()).await?;
        let id = |name: &str| ViewId { from: ViewFrom::Kept(kept.clone()), name: name.to_owned() };
        if before.is_some() && renamed {
            self.rename_tab(&mut txn, acting, &id(name), &id(&after.about.name)).await?;
        }
        let label = format!("{} the view {}", if new { "added" } else { "changed" }, after.about.name);
        self.view_done(txn, acting, label, ViewChange::View { before, after: Some(after) }).await
    }

    /// Lets a view that has another name keep its place.
    async fn rename_tab(
        &self,
        txn: &mut Txn<'_>,
        acting: &Acting,
        old: &ViewId,
        new: &ViewId,
    ) -> Result<(), Fault> {
        let Some(before) = txn.get::<Tabs>(&text_key(&acting.user.name)).await? else { return Ok(()) };
        let mut after = before.clone();
        for id in after.order.iter_mut().filter(|id| *id == old) {
            *id = new.clone();
        }
        let change = ViewChange::Tabs { before: Some(before), after: Some(after) };
        write(txn, &change)?;
        txn.deed().views.push(change);
        Ok(())
    }

    /// Takes a view away; one of the program is hidden from whoever acts.
    pub(super) async fn remove_view(&self, acting: &Acting, view: &ViewId) -> Result<Response, Fault> {
        let label = format!("removed the view {}", view.name);
        let ViewFrom::Kept(kept) = &view.from else {
            let (_gate, mut txn) = self.begin().await;
            if !default_views().iter().any(|known| known.about.name == view.name) {
                return Err(self.no_view(acting, &view.name).await?);
            }
            let before = txn.get::<Tabs>(&text_key(&acting.user.name)).await?;
            let mut after = before.clone().unwrap_or_else(|| no_tabs(acting));
            if after.hidden.contains(&view.name) {
                return Err(Fault::refused(format!("the view {} is hidden already", view.name)));
            }
            after.hidden.push(view.name.clone());
            return self.view_done(txn, acting, label, ViewChange::Tabs { before, after: Some(after) }).await;
        };
        let keeper = self.keeper_of(acting, kept).await?;
        let (_gate, mut txn) = self.begin().await;
        let Some(before) = txn.get::<SavedView>(&kept_key(&keeper, &view.name)).await? else {
            return Err(self.no_view(acting, &view.name).await?);
        };
        self.view_done(txn, acting, label, ViewChange::View { before: Some(before), after: None }).await
    }

    /// Gives a view to somebody else to keep: a project, the desk, or whoever acts.
    pub(super) async fn share_view(
        &self,
        acting: &Acting,
        view: &ViewId,
        with: &KeptFor,
    ) -> Result<Response, Fault> {
        let ViewFrom::Kept(kept) = &view.from else {
            return Err(Fault::refused(format!("the view {} comes with the program", view.name))
                .hint("everybody has it already"));
        };
        let (from, to) = (self.keeper_of(acting, kept).await?, self.keeper_of(acting, with).await?);
        self.may_keep(acting, &from).await?;
        self.may_keep(acting, &to).await?;
        let (_gate, mut txn) = self.begin().await;
        let Some(before) = txn.get::<SavedView>(&kept_key(&from, &view.name)).await? else {
            return Err(self.no_view(acting, &view.name).await?);
        };
        if from == to {
            return Err(Fault::refused(format!("the view {} is {} already", view.name, with.word())));
        }
        if txn.get::<SavedView>(&kept_key(&to, &view.name)).await?.is_some() {
            return Err(taken(&view.name));
        }
        refuse_more(&mut txn, &to, true).await?;
        let after = SavedView { keeper: to, ..before.clone() };
        let shared = ViewId { from: ViewFrom::Kept(with.clone()), name: view.name.clone() };
        self.rename_tab(&mut txn, acting, view, &shared).await?;
        let gone = ViewChange::View { before: Some(before), after: None };
        write(&mut txn, &gone)?;
        txn.deed().views.push(gone);
        let label = match with {
            KeptFor::Mine => format!("took the view {} for oneself", view.name),
            KeptFor::Project(path) => format!("shared the view {} with {path}", view.name),
            KeptFor::Desk => format!("shared the view {} with the desk", view.name),
        };
        self.view_done(txn, acting, label, ViewChange::View { before: None, after: Some(after) }).await
    }

    /// Puts a view at a place among those that whoever acts sees, counted from 1.
    pub(super) async fn order_view(
        &self,
        acting: &Acting,
        view: &ViewId,
        position: u32,
    ) -> Result<Response, Fault> {
        let (_gate, mut txn) = self.begin().await;
        let mut order: Vec<ViewId> = self.views_of(acting).await?.iter().map(View::id).collect();
        let Some(from) = order.iter().position(|id| id == view) else {
            return Err(self.no_view(acting, &view.name).await?);
        };
        let moved = order.remove(from);
        let to = usize::try_from(position.max(1) - 1).unwrap_or(usize::MAX).min(order.len());
        order.insert(to, moved);
        let before = txn.get::<Tabs>(&text_key(&acting.user.name)).await?;
        let after = Tabs { order, ..before.clone().unwrap_or_else(|| no_tabs(acting)) };
        let label = format!("put the view {} at {}", view.name, to + 1);
        self.view_done(txn, acting, label, ViewChange::Tabs { before, after: Some(after) }).await
    }

    async fn no_view(&self, acting: &Acting, name: &str) -> Result<Fault, Fault> {
        let names: Vec<String> =
            self.views_of(acting).await?.into_iter().map(|view| view.about.name).collect();
        let fault = Fault::not_found(format!("there is no view `{name}` there"));
        Ok(match nearest(name, &names) {
            None => fault.hint("`deskbell view list` shows them"),
            Some(likely) => {
                fault.hint(format!("did you mean `{likely}`? `deskbell view list` shows whose it is"))
            }
        })
    }

    async fn view_done(
        &self,
        mut txn: Txn<'_>,
        acting: &Acting,
        label: String,
        change: ViewChange,
    ) -> Result<Response, Fault> {
        write(&mut txn, &change)?;
        txn.deed().views.push(change);
        txn.deed().label.clone_from(&label);
        txn.deed().undoable = true;
        self.finish(txn, acting.actor(), Some(label), Some(acting.request.clone())).await?;
        self.views(acting).await
    }

    /// Restores a view, or an order, as it was before or after a verb.
    pub(super) async fn restore_view(
        &self,
        txn: &mut Txn<'_>,
        change: &ViewChange,
        back: bool,
    ) -> Result<(), Fault> {
        let change = if back { turned(change.clone()) } else { change.clone() };
        let stands = match &change {
            ViewChange::Tabs { before, after } => {
                let user = [before, after].into_iter().flatten().next().map(|tabs| tabs.user.as_str());
                txn.get::<Tabs>(&text_key(user.unwrap_or_default())).await? == *before
            }
            ViewChange::View { before, after } => match (before, after) {
                (Some(before), after) => {
                    let moved = after.as_ref().filter(|after| after.about.name != before.about.name);
                    let free = match moved {
                        Some(after) => self.view_at(txn, after).await?.is_none(),
                        None => true,
                    };
                    free && self.view_at(txn, before).await?.as_ref() == Some(before)
                }
                (None, Some(after)) => self.view_at(txn, after).await?.is_none(),
                (None, None) => true,
            },
        };
        if !stands {
            return Err(Fault::refused("somebody changed the view since")
                .hint("`deskbell view list` shows it; change it by hand"));
        }
        write(txn, &change)?;
        if !back {
            txn.deed().views.push(change);
        }
        Ok(())
    }

    async fn view_at(&self, txn: &mut Txn<'_>, view: &SavedView) -> Result<Option<SavedView>, Fault> {
        txn.get::<SavedView>(&kept_key(&view.keeper, &view.about.name)).await
    }

    /// Refuses to restore what the caller may not change any more.
    pub(super) async fn still_may_view(&self, acting: &Acting, change: &ViewChange) -> Result<(), Fault> {
        let ViewChange::View { before, after } = change else { return Ok(()) };
        for view in [before, after].into_iter().flatten() {
            self.may_keep(acting, &view.keeper).await?;
        }
        Ok(())
    }
}

fn no_tabs(acting: &Acting) -> Tabs {
    Tabs { user: acting.user.name.clone(), order: Vec::new(), hidden: Vec::new() }
}

fn taken(name: &str) -> Fault {
    Fault::refused(format!("there is a view `{name}` already")).hint("`deskbell view set` changes it")
}

async fn refuse_more(txn: &mut Txn<'_>, keeper: &Keeper, new: bool) -> Result<(), Fault> {
    let all = txn.list::<SavedView>(&[]).await?;
    match new && all.iter().filter(|view| view.keeper == *keeper).count() >= MOST {
        true => Err(Fault::refused(format!("more than {MOST} views are not kept")).hint("remove one first")),
        false => Ok(()),
    }
}

/// Gives the change the other way round.
fn turned(change: ViewChange) -> ViewChange {
    match change {
        ViewChange::View { before, after } => ViewChange::View { before: after, after: before },
        ViewChange::Tabs { before, after } => ViewChange::Tabs { before: after, after: before },
    }
}

/// Writes what a change made.
fn write(txn: &mut Txn<'_>, change: &ViewChange) -> Result<(), Fault> {
    match change {
        ViewChange::View { before, after } => {
            if let Some(before) = before {
                txn.remove::<SavedView>(kept_key(&before.keeper, &before.about.name));
            }
            after.as_ref().map_or(Ok(()), |after| txn.put(after))
        }
        ViewChange::Tabs { before, after } => {
            if let Some(before) = before {
                txn.remove::<Tabs>(text_key(&before.user));
            }
            after.as_ref().map_or(Ok(()), |after| txn.put(after))
        }
    }
}
