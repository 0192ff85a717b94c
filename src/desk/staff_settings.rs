//! What can be set for a user: by an owner everything, by themselves what they are told and their addresses.

use super::notice_mail::ToStaff;
use super::queue::Allowance;
use super::txn::Txn;
use super::{Acting, Desk, letters, routing};
use crate::domain::{
    EmailAddress, Fault, KeyUse, Project, ProjectId, Response, Rights, User, is_own_setting, set_field,
};
use crate::mail;
use serde::{Deserialize, Serialize};

/// Addresses of a user that wait to be verified.
const UNVERIFIED: usize = 5;

impl Desk {
    pub(super) async fn set_user(
        &self,
        acting: &Acting,
        name: &str,
        settings: &[(String, String)],
    ) -> Result<Response, Fault> {
        let (_gate, mut txn) = self.begin().await;
        let mut user = self.known_user(&mut txn, name).await?;
        for (key, value) in settings {
            match key.as_str() {
                "address+" => self.add_address(&mut txn, acting, &mut user, value).await?,
                "address-" => remove_address(&mut user, value)?,
                key if is_own_setting(key) => {
                    self.set_notify(&mut txn, acting, &mut user, key, value).await?
                }
                key => user = set_field(&UserFields::of(&user), key, value)?.onto(user),
            }
        }
        self.check_addresses(&mut txn, &user).await?;
        txn.put(&user)?;
        txn.deed().label = format!("changed the user {name}");
        self.finish(txn, acting.actor(), None, Some(acting.request.clone())).await?;
        self.users().await
    }

    /// Sets what a user is told; `notify.EVENT@PROJECT` holds for one project.
    async fn set_notify(
        &self,
        txn: &mut Txn<'_>,
        acting: &Acting,
        user: &mut User,
        key: &str,
        value: &str,
    ) -> Result<(), Fault> {
        let (key, path) = key.split_once('@').map_or((key, None), |(key, path)| (key, Some(path)));
        let project = match path {
            Some(path) => Some(seen_by(&acting.rights, &txn.projects().await?, path)?),
            None => None,
        };
        user.notify.set(key, project, value)
    }

    /// Adds an address: an owner's word is enough, anybody else's has to be answered from it.
    async fn add_address(
        &self,
        txn: &mut Txn<'_>,
        acting: &Acting,
        user: &mut User,
        value: &str,
    ) -> Result<(), Fault> {
        let email = parsed(value)?;
        if user.emails.contains(&email) {
            return Ok(());
        }
        if acting.rights == Rights::All {
            user.unverified.retain(|other| other != &email);
            user.emails.push(email);
            return Ok(());
        }
        if !user.unverified.contains(&email) {
            if user.unverified.len() >= UNVERIFIED {
                return Err(Fault::refused(format!("{UNVERIFIED} addresses wait to be verified already"))
                    .hint(format!("`deskbell user set {} address-=ADDRESS` takes one away", user.name)));
            }
            user.unverified.push(email.clone());
        }
        self.ask_address(txn, user, email).await
    }

    /// Mails an address to see whether it is the user's.
    async fn ask_address(&self, txn: &mut Txn<'_>, user: &User, email: EmailAddress) -> Result<(), Fault> {
        if self.inner.ways.staff_address(None, None, &routing::new_reply_key()).is_none() {
            return Err(Fault::refused(
                "no mailbox has `%{key}` in its address, so an answer could not be told",
            )
            .hint(format!("an owner can say `deskbell user set {} address+={email}`", user.name)));
        }
        // It may be a stranger's address.
        let settings = self.desk_settings().await?;
        if self.inner.queue.allow_automatic(&email, &settings) != Allowance::Go {
            return Err(Fault::refused(format!("{email} was mailed often enough for now")).hint("try later"));
        }
        let letter = ToStaff {
            user,
            to: email.clone(),
            name: letters::BOT_NAME,
            project: None,
            issue: None,
            note: None,
            subject: "Is this your address?".to_owned(),
            markdown: mail::verify_text(&user.name, email.as_str()),
            key: Some(KeyUse::Verify { email }),
            held_until: None,
        };
        self.write_to_staff(txn, letter).await
    }

    /// Refuses addresses that are the desk's own, or somebody else's.
    pub(super) async fn check_addresses(&self, txn: &mut Txn<'_>, user: &User) -> Result<(), Fault> {
        let projects = txn.projects().await?;
        let others = txn.list::<User>(&[]).await?;
        for email in user.emails.iter().chain(&user.unverified) {
            if self.inner.ways.is_ours(email, &projects) {
                return Err(Fault::refused(format!("{email} is an address of this desk")));
            }
            let same = |u: &&User| !u.removed && u.name != user.name && u.emails.contains(email);
            if let Some(other) = others.iter().find(same) {
                return Err(Fault::refused(format!("{email} is an address of {} already", other.name)));
            }
        }
        Ok(())
    }
}

fn seen_by(rights: &Rights, projects: &[Project], path: &str) -> Result<ProjectId, Fault> {
    let id = routing::by_path(path, projects).filter(|id| rights.sees(*id));
    id.ok_or_else(|| {
        Fault::not_found(format!("there is no project `{path}`")).hint("`deskbell project list` shows them")
    })
}

fn remove_address(user: &mut User, value: &str) -> Result<(), Fault> {
    let email = parsed(value)?;
    if !user.emails.contains(&email) && !user.unverified.contains(&email) {
        return Err(Fault::not_found(format!("{email} is no address of {}", user.name)));
    }
    user.emails.retain(|other| other != &email);
    user.unverified.retain(|other| other != &email);
    Ok(())
}

fn parsed(text: &str) -> Result<EmailAddress, Fault> {
    EmailAddress::parse(text).ok_or_else(|| Fault::usage(format!("`{text}` is not an address")))
}

/// What an owner may change of a user by its name.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
struct UserFields {
    full_name: Option<String>,
    emails: Vec<EmailAddress>,
    system_user: Option<String>,
    owner: bool,
}

impl UserFields {
    fn of(user: &User) -> Self {
        Self {
            full_name: user.full_name.clone(),
            emails: user.emails.clone(),
            system_user: user.system_user.clone(),
            owner: user.owner,
        }
    }

    fn onto(self, user: User) -> User {
        User {
            full_name: self.full_name,
            emails: self.emails,
            system_user: self.system_user,
            owner: self.owner,
            ..user
        }
    }
}
