//! Mail that leads nowhere: it waits in the triage queue, and its sender may be told so.
//!
//! Nobody is told who may not have written it, so that a forged mail makes this desk write to nobody.

use super::intake::Passing;
use super::routing::WayOut;
use super::sealing::Holding;
use super::txn::Txn;
use super::{Desk, letters};
use crate::domain::{
    Fate, Fault, FaultKind, IntakeEntry, MailKind, Mailbox, MessageId, OutboxEntry, OutboxState, Outcome,
    Project,
};
use crate::mail::{self, MailClass};
use crate::store::record::OutboxOpen;

impl Desk {
    /// Lets a mail wait in the triage queue, and tells its sender where the desk wants that.
    pub(super) async fn lead_nowhere(
        &self,
        txn: &mut Txn<'_>,
        passing: &Passing<'_>,
        again: Option<&IntakeEntry>,
        project: Option<&Project>,
        reason: String,
    ) -> Result<IntakeEntry, Fault> {
        let told = match again {
            // They were told the first time.
            Some(_) => None,
            None => Box::pin(self.reject(txn, passing, project)).await?,
        };
        let reason = told.map_or(reason.clone(), |told| format!("{reason}; {told}"));
        let (id, fate) = (project.map(|project| project.id), (Fate::Unroutable, reason));
        self.enter(txn, passing.prepared, Some(passing.message), again, id, fate).await
    }

    /// Writes the rejection, or says why there is none; `None` where the desk sends none at all.
    async fn reject(
        &self,
        txn: &mut Txn<'_>,
        passing: &Passing<'_>,
        project: Option<&Project>,
    ) -> Result<Option<String>, Fault> {
        if passing.silent || !self.desk_settings().await?.rejections {
            return Ok(None);
        }
        let no = |why: &str| Ok(Some(format!("no rejection: {why}")));
        if passing.verdict.class != MailClass::Person {
            return no(&passing.verdict.reason);
        }
        let (Some(author), Some(to)) = (mail::only_author(passing.message), &passing.message.from) else {
            return no("it has not exactly one author");
        };
        let screened = self.screened(passing, project.map(|project| project.id), true);
        if screened.outcome != Outcome::Pass {
            return no(&screened.reason);
        }
        if let Err(why) = self.shown_to_be_from(passing, author) {
            return no(&why);
        }
        let mailbox = passing.prepared.arrival.mailbox.as_deref();
        let way = match self.way_to_staff(mailbox) {
            Ok(way) => way.clone(),
            Err(fault) => return no(&fault.message),
        };
        let state = match self.may_answer(txn, passing, author, "a rejection").await? {
            Ok(state) => state,
            Err(why) => return no(&why),
        };
        match self.write_rejection(txn, passing, project, to, &way, state).await {
            Err(fault) if matches!(fault.kind, FaultKind::Internal | FaultKind::Refused) => {
                no(&fault.message)
            }
            done => done.map(|()| Some(format!("a rejection to {author}"))),
        }
    }

    async fn write_rejection(
        &self,
        txn: &mut Txn<'_>,
        passing: &Passing<'_>,
        project: Option<&Project>,
        to: &Mailbox,
        way: &WayOut,
        state: OutboxState,
    ) -> Result<(), Fault> {
        let desk = self.desk_settings().await?;
        let template = self.template(MailKind::Rejection, project, &desk).await.text;
        let values = mail::Values {
            system_header: desk.system_header.as_deref().unwrap_or(""),
            system_footer: desk.system_footer.as_deref().unwrap_or(""),
            additional_text: desk.additional_text.as_deref().unwrap_or(""),
            ..mail::Values::default()
        };
        let id = txn.next_outbox().await?;
        let answered: Option<MessageId> = passing.message.message_id.clone();
        let letter = mail::Letter {
            kind: MailKind::Rejection,
            from: Mailbox { name: Some(letters::BOT_NAME.to_owned()), email: way.from.clone() },
            to: to.clone(),
            cc: Vec::new(),
            reply_to: None,
            subject: letters::answer_to(&passing.message.subject),
            message_id: letters::new_message_id(id, &way.from)?,
            references: answered.iter().cloned().collect(),
            in_reply_to: answered,
            date: txn.now,
            project_path: String::new(),
            reference: String::new(),
            list_id: None,
            unsubscribe: None,
            unsubscribe_page: None,
            markdown: mail::fill(&template, &values),
            files: Vec::new(),
            for_signing: self.inner.crypt.signs().is_some(),
        };
        let bytes = mail::compose(&letter)
            .map_err(|e| Fault::internal(format!("the mail to {} could not be written: {e}", to.email)))?;
        let (bytes, held) = self.sign_letter(bytes, Holding { state, until: None, error: None }).await;
        letters::check_size(bytes.len() as u64, way)?;
        let (kind, raw) = (letter.kind, txn.stash(bytes).await?);
        let row =
            OutboxEntry::queued(id, kind, to.email.clone(), letter.subject, letter.message_id, raw, txn.now);
        // Without a way back (RFC 5321, section 4.5.5) what comes of it is nobody's mail.
        txn.put(&OutboxEntry { state: held.state, outlet: way.name.clone(), error: held.error, ..row })?;
        txn.put(&OutboxOpen { id })?;
        txn.deed().outbox.push(id);
        Ok(())
    }
}
