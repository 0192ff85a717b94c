//! The thank-you mail that a new issue causes, and which mails may be answered by the desk itself.

use super::Desk;
use super::intake::Passing;
use super::letters::Draughted;
use super::queue::Allowance;
use super::txn::Txn;
use crate::domain::{DeskSettings, EmailAddress, Fault, FaultKind, Issue, MailKind, OutboxState, Project};

impl Desk {
    /// Writes the thank-you mail, or says why there is none.
    pub(super) async fn acknowledge(
        &self,
        txn: &mut Txn<'_>,
        passing: &Passing<'_>,
        project: &Project,
        issue: &Issue,
    ) -> Result<String, Fault> {
        let no = |why: &str| Ok(format!("no acknowledgement: {why}"));
        let Some(to) = &passing.from else { return no("it has no sender") };
        if passing.silent {
            return no("it is older than the desk's first look");
        }
        if !project.settings.thank_you {
            return no("the project sends none");
        }
        if self.way_out(issue, project).is_err() {
            return no("no way out is configured");
        }
        let state = match self.may_answer(txn, passing, &to.email, "an acknowledgement").await? {
            Ok(state) => state,
            Err(why) => return no(&why),
        };
        let draughted = Draughted {
            kind: MailKind::ThankYou,
            issue,
            project,
            note: None,
            to: to.clone(),
            joint: None,
            files: &[],
            state,
            held_until: None,
            user: None,
        };
        match self.write_letter(txn, draughted).await {
            Err(fault) if matches!(fault.kind, FaultKind::Internal | FaultKind::Refused) => {
                return no(&fault.message);
            }
            done => done?,
        };
        Ok(format!("an acknowledgement to {}", to.email))
    }

    /// Asks whether a mail may be answered by itself, and in which state the answer waits; or says why not.
    pub(super) async fn may_answer(
        &self,
        txn: &mut Txn<'_>,
        passing: &Passing<'_>,
        to: &EmailAddress,
        what: &str,
    ) -> Result<Result<OutboxState, String>, Fault> {
        if !passing.verdict.may_answer {
            return Ok(Err(passing.verdict.reason.clone()));
        }
        let circle = self.answers_us(txn, passing).await?.then_some(what);
        self.leave(&passing.projects, to, passing.counting, circle).await
    }

    /// Asks whether `to` may get one more automatic mail, and in which state it waits; or says why not. What
    /// could begin a circle is held, and named by `circle`.
    pub(super) async fn leave(
        &self,
        projects: &[Project],
        to: &EmailAddress,
        counting: bool,
        circle: Option<&str>,
    ) -> Result<Result<OutboxState, String>, Fault> {
        if self.inner.ways.is_ours(to, projects) {
            return Ok(Err("the sender is this desk".to_owned()));
        }
        let settings = self.desk_settings().await?;
        let allowance = match counting {
            true => self.inner.queue.allow_automatic(to, &settings),
            false => Allowance::Go,
        };
        if allowance == Allowance::Enough {
            self.tell_of_enough(to);
            return Ok(Err("this sender had enough of them within the hour or the day".to_owned()));
        }
        if allowance == Allowance::Hold {
            self.tell_of_breaker(&settings);
        } else if let Some(what) = circle.filter(|_| counting) {
            let words = format!(
                "{what} to {to} is held, because it would answer an answer to ours: release or cancel it in the outbox"
            );
            self.inner.board.notice(format!("answer to answer {to}"), words);
        }
        let held = allowance == Allowance::Hold || circle.is_some();
        Ok(Ok(if held { OutboxState::Held } else { OutboxState::Queued }))
    }

    /// Tells whether a mail answers one of ours, so that an automatic answer to it could begin a circle.
    async fn answers_us(&self, txn: &mut Txn<'_>, passing: &Passing<'_>) -> Result<bool, Fault> {
        for id in passing.message.in_reply_to.iter().chain(&passing.message.references) {
            if self.sent_place(txn, id).await?.is_some() {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Says that a sender writes so often that a machine may be answering us.
    fn tell_of_enough(&self, sender: &EmailAddress) {
        let words = format!(
            "{sender} writes so often that it gets no more acknowledgements for now: a machine may be answering us"
        );
        self.inner.board.notice("enough".to_owned(), words);
    }

    /// Says that automatic mail is held from now on.
    pub(super) fn tell_of_breaker(&self, settings: &DeskSettings) {
        let words = format!(
            "over {} automatic mails within an hour: the rest is held in the outbox; release or cancel it there",
            settings.automatic_per_hour
        );
        self.inner.board.notice("breaker".to_owned(), words);
    }
}
