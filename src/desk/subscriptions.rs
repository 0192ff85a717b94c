//! Subscriptions by link: who holds the key of a mail may stop mail about its issue, and have it again.

use super::Desk;
use super::letters::reference;
use super::txn::Txn;
use crate::domain::{Actor, Fault, Issue, ReplyKey, SUPPORT_BOT, Via};

/// What the holder of a key may know.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Subscription {
    /// Masked: a mail that was passed on must not show whose it was.
    pub address: String,
    pub reference: String,
    pub subscribed: bool,
}

impl Desk {
    /// Tells what a key stands for; `None` when it stands for nothing.
    pub async fn subscription(&self, key: &str) -> Result<Option<Subscription>, Fault> {
        let mut txn = Txn::new(&self.inner.store, self.now());
        let Some((key, issue)) = self.held(&mut txn, key).await? else { return Ok(None) };
        self.as_told(&mut txn, &key, &issue).await.map(Some)
    }

    /// Stops mail about an issue for the holder of a key, or begins it again. Doing it twice does no more.
    pub async fn subscribe_by_key(&self, key: &str, wanted: bool) -> Result<Option<Subscription>, Fault> {
        let (_gate, mut txn) = self.begin().await;
        let Some((key, before)) = self.held(&mut txn, key).await? else { return Ok(None) };
        let mut issue = before.clone();
        let changed = issue.set_subscribed(&key.address, wanted);
        let told = self.as_told(&mut txn, &key, &issue).await?;
        if changed {
            let words = if wanted { "subscribed again" } else { "unsubscribed" };
            self.system_note(&mut txn, &mut issue, format!("{} {words}", key.address), None).await?;
            txn.put_issue(Some(&before), &issue)?;
            let actor =
                Actor { user: SUPPORT_BOT.to_owned(), email: Some(key.address.clone()), via: Via::System };
            self.finish(txn, actor, Some("on the page that their mail links to".to_owned()), None).await?;
        }
        Ok(Some(told))
    }

    /// Finds the key and the issue that it leads to now.
    async fn held(&self, txn: &mut Txn<'_>, key: &str) -> Result<Option<(ReplyKey, Issue)>, Fault> {
        let Some(key) = self.by_reply_key(txn, key).await? else { return Ok(None) };
        let id = self.survivor(txn, key.issue).await?;
        let issue = txn.get::<Issue>(&crate::store::record::issue_key(id)).await?;
        Ok(issue.filter(|issue| !issue.purged).map(|issue| (key, issue)))
    }

    async fn as_told(&self, txn: &mut Txn<'_>, key: &ReplyKey, issue: &Issue) -> Result<Subscription, Fault> {
        let project = self.load_project(txn, issue.project).await?;
        Ok(Subscription {
            address: key.address.masked().as_str().to_owned(),
            reference: reference(&project, issue),
            subscribed: issue.subscribers().any(|person| person.email == key.address),
        })
    }
}
