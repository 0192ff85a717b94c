//! Staff: who they are, and which projects they belong to.

use super::{Acting, Caller, Desk, txn};
use crate::domain::query::Viewer;
use crate::domain::{
    Actor, EmailAddress, Fault, FaultKind, Member, Notify, Project, Request, Response, Role, User, Via,
};
use crate::store::record::text_key;

impl Desk {
    /// Finds the user that a caller is. The first caller of a desk without users becomes its owner.
    pub(super) async fn user_of(&self, caller: &Caller, request: &Request) -> Result<User, Fault> {
        let key = text_key(&caller.user);
        let kept = self.inner.store.get::<User>(&key).await.map_err(txn::store_fault)?;
        if let Some(user) = kept.map(|k| k.record).filter(|u| !u.removed) {
            return Ok(user);
        }
        let users = txn::all::<User>(&self.inner.store, &[]).await?;
        let by_account = |u: &&User| !u.removed && u.system_user.as_deref() == Some(caller.user.as_str());
        if let Some(user) = users.iter().find(by_account) {
            return Ok(user.clone());
        }
        if users.iter().all(|u| u.removed) {
            return self.first_owner(caller).await;
        }
        let may_enrol =
            matches!(request, Request::AddUser { .. } | Request::Users | Request::Status | Request::StepDown);
        if caller.owns_desk && may_enrol {
            return Ok(stand_in(&caller.user));
        }
        Err(Fault::new(FaultKind::NotAllowed, format!("`{}` is no user of this desk", caller.user))
            .hint(format!("its owner can say `deskbell user add {}`", caller.user)))
    }

    async fn first_owner(&self, caller: &Caller) -> Result<User, Fault> {
        let (_gate, mut txn) = self.begin().await;
        let user = stand_in(&caller.user);
        // Read again under the lock: of two first callers only one is the first.
        if txn.list::<User>(&[]).await?.iter().any(|u| !u.removed) {
            return Err(Fault::new(
                FaultKind::NotAllowed,
                format!("`{}` is no user of this desk", caller.user),
            )
            .hint(format!("its owner can say `deskbell user add {}`", caller.user)));
        }
        txn.put(&user)?;
        let actor = Actor { user: user.name.clone(), email: None, via: Via::System };
        self.finish(txn, actor, Some("the first caller owns the desk".to_owned()), None).await?;
        Ok(user)
    }

    pub(super) async fn users(&self) -> Result<Response, Fault> {
        let users = txn::all::<User>(&self.inner.store, &[]).await?;
        Ok(Response::Users(users.into_iter().filter(|u| !u.removed).collect()))
    }

    pub(super) async fn add_user(
        &self,
        acting: &Acting,
        name: String,
        full_name: Option<String>,
        emails: Vec<EmailAddress>,
        system_user: Option<String>,
    ) -> Result<Response, Fault> {
        if !User::name_fits(&name) {
            return Err(Fault::usage(format!("`{name}` cannot be a user's name"))
                .hint("use 1 to 64 of a-z, 0-9, dot, dash and underscore; support-bot is reserved"));
        }
        let (_gate, mut txn) = self.begin().await;
        let known = txn.get::<User>(&text_key(&name)).await?;
        if known.as_ref().is_some_and(|u| !u.removed) {
            return Err(Fault::refused(format!("there is a user `{name}` already"))
                .hint(format!("`deskbell user set {name} …` changes it")));
        }
        let owner = txn.list::<User>(&[]).await?.iter().all(|u| u.removed);
        let user = User { full_name, emails, system_user, owner, ..stand_in(&name) };
        self.check_addresses(&mut txn, &user).await?;
        txn.put(&user)?;
        txn.deed().label = format!("added the user {name}");
        self.finish(txn, acting.actor(), None, Some(acting.request.clone())).await?;
        self.users().await
    }

    pub(super) async fn remove_user(&self, acting: &Acting, name: &str) -> Result<Response, Fault> {
        let (_gate, mut txn) = self.begin().await;
        let mut user = self.known_user(&mut txn, name).await?;
        let others = txn.list::<User>(&[]).await?;
        if user.owner && !others.iter().any(|u| u.owner && !u.removed && u.name != name) {
            return Err(Fault::refused(format!("`{name}` is the last owner of this desk"))
                .hint("make somebody else an owner first: `deskbell user set NAME owner=true`"));
        }
        user.removed = true;
        txn.put(&user)?;
        txn.deed().label = format!("removed the user {name}");
        self.finish(txn, acting.actor(), None, Some(acting.request.clone())).await?;
        self.users().await
    }

    pub(super) async fn known_user(&self, txn: &mut txn::Txn<'_>, name: &str) -> Result<User, Fault> {
        txn.get::<User>(&text_key(name)).await?.filter(|u| !u.removed).ok_or_else(|| {
            Fault::not_found(format!("there is no user `{name}`"))
                .hint("`deskbell user list` shows them, `deskbell user add` makes one")
        })
    }

    pub(super) async fn members(&self, acting: &Acting, path: &str) -> Result<Response, Fault> {
        let project = self.project_by_path(&acting.rights, path).await?;
        Ok(Response::Members(txn::all::<Member>(&self.inner.store, &txn::below(project.id.0)).await?))
    }

    pub(super) async fn set_member(
        &self,
        acting: &Acting,
        path: &str,
        user: &str,
        role: Role,
    ) -> Result<Response, Fault> {
        let project = self.project_by_path(&acting.rights, path).await?;
        let (_gate, mut txn) = self.begin().await;
        let user = self.known_user(&mut txn, user).await?;
        self.demand_over(&mut txn, acting, &project, &user.name, role).await?;
        txn.put(&Member { project: project.id, user: user.name.clone(), role })?;
        txn.deed().label = format!("made {} a member of {path}", user.name);
        self.finish(txn, acting.actor(), None, Some(acting.request.clone())).await?;
        self.members(acting, path).await
    }

    pub(super) async fn remove_member(
        &self,
        acting: &Acting,
        path: &str,
        user: &str,
    ) -> Result<Response, Fault> {
        let project = self.project_by_path(&acting.rights, path).await?;
        let key = crate::store::Key::new().number(project.id.0).text(user).octets();
        let (_gate, mut txn) = self.begin().await;
        self.demand_over(&mut txn, acting, &project, user, Role::Guest).await?;
        if txn.get::<Member>(&key).await?.is_none() {
            return Err(Fault::not_found(format!("`{user}` is no member of {path}")));
        }
        if txn.list::<Member>(&txn::below(project.id.0)).await?.len() == 1 {
            return Err(Fault::refused(format!("`{user}` is the last member of {path}")).hint(
                "without members every user of the desk would see the project: add another one first",
            ));
        }
        txn.remove::<Member>(key);
        txn.deed().label = format!("took {user} out of {path}");
        self.finish(txn, acting.actor(), None, Some(acting.request.clone())).await?;
        self.members(acting, path).await
    }

    /// Refuses to give a role above one's own, or to take one away.
    async fn demand_over(
        &self,
        txn: &mut txn::Txn<'_>,
        acting: &Acting,
        project: &Project,
        user: &str,
        role: Role,
    ) -> Result<(), Fault> {
        let key = crate::store::Key::new().number(project.id.0).text(user).octets();
        let today = txn.get::<Member>(&key).await?.map_or(Role::Guest, |member| member.role);
        self.demand(acting, project, role.max(today))
    }

    pub(super) fn viewer(&self, acting: &Acting) -> Viewer {
        Viewer { user: acting.user.name.clone(), now: acting.now, rights: acting.rights.clone() }
    }
}

/// A user made from nothing but a name.
pub(super) fn stand_in(name: &str) -> User {
    User {
        name: name.to_owned(),
        full_name: None,
        emails: Vec::new(),
        system_user: None,
        owner: true,
        removed: false,
        notify: Notify::default(),
        unverified: Vec::new(),
    }
}
