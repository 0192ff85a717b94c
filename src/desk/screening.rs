//! Screening: who is asked about a mail before anything is made of it, and what comes of that.
//!
//! Services are asked before the desk is locked, and only about mail that would open an issue or comes
//! from a stranger. What staff listed is looked up under the lock again, as it may have changed.

use super::Desk;
use super::arrival::Prepared;
use super::intake::Passing;
use super::placement::Placement;
use super::targets::Target;
use super::txn::Txn;
use crate::domain::{
    EmailAddress, Fault, Finding, Issue, IssueId, Judge, Opinion, Outcome, ProjectId, Sender, SenderRule,
    screen,
};
use crate::mail::{self, MailClass, Message, Visible};
use crate::spam::{self, Suspect};
use crate::store::record::issue_key;
use std::sync::Arc;

/// What was found out about a mail before anything is made of it.
#[derive(Default)]
pub(super) struct Asked {
    pub opinions: Vec<Opinion>,
    /// It bears a key of one of the staff.
    pub of_staff: bool,
}

impl From<Vec<Opinion>> for Asked {
    fn from(opinions: Vec<Opinion>) -> Self {
        Self { opinions, of_staff: false }
    }
}

/// What screening made of a mail.
pub(super) struct Screened {
    pub outcome: Outcome,
    /// Why, in words.
    pub reason: String,
    pub opinions: Vec<Opinion>,
}

impl Desk {
    /// Asks everybody who may know whether a mail is wanted; writes nothing.
    pub(super) async fn opinions(&self, prepared: &Prepared) -> Result<Asked, Fault> {
        let (Ok(message), Some((_, visible))) = (&prepared.message, &prepared.visible) else {
            return Ok(Asked::default());
        };
        let way = prepared.arrival.mailbox.as_deref().and_then(|name| self.inner.ways.mailbox(name));
        let filters = way.map_or(&[][..], |way| &way.trusted_spam_headers);
        let mut opinions: Vec<Opinion> =
            spam::headers(|name| message.header(name), filters).into_iter().collect();
        // What filters on the way said of a stranger's mail is all that counts of a silent one.
        if prepared.arrival.silent && opinions.is_empty() {
            return Ok(opinions.into());
        }
        let mut txn = Txn::rehearse(&self.inner.store, self.now());
        let passing = self.passing(&mut txn, prepared, message, false).await?;
        let person = matches!(passing.verdict.class, MailClass::Person);
        if self.verifying(&passing).is_some() {
            return Ok(Asked::default());
        }
        if person && !passing.silent && self.staffed(&mut txn, &passing).await?.is_some() {
            let opinions = self.authenticity(prepared, message, visible).await;
            return Ok(Asked { opinions, of_staff: true });
        }
        if !person || self.unsubscribing(&mut txn, &passing).await?.is_some() {
            return Ok(Asked::default());
        }
        let unknown = self.unknown_to(&mut txn, &passing).await?;
        if unknown.is_empty() {
            return Ok(Asked::default());
        }
        if passing.silent {
            return Ok(opinions.into());
        }
        let trusted = way.map_or(&[][..], |way| &way.trusted_authserv_ids);
        let envelope_to = prepared.arrival.envelope_to.as_deref();
        let mut suspect = suspect_of(Arc::clone(&prepared.bytes), message, visible, envelope_to, trusted);
        if unknown.contains(&None) {
            // Who is told that their mail leads nowhere must have written it.
            opinions.extend(self.authenticity(prepared, message, visible).await);
            suspect.authenticated = true;
        }
        if self.inner.ways.spam.local {
            opinions.push(self.inner.school.judge(&suspect));
        }
        // Where a list decides for every project, nobody is asked.
        let listed = |project: &Option<ProjectId>| self.listed(&passing, *project).is_some();
        if !unknown.iter().all(listed) {
            let said = self.inner.judges.ask(&suspect).await;
            self.show_judges(&said);
            opinions.extend(said);
        }
        Ok(opinions.into())
    }

    /// Checks whose mail it is that bears a key of the staff; whether it is wanted is no question.
    async fn authenticity(&self, prepared: &Prepared, message: &Message, visible: &Visible) -> Vec<Opinion> {
        let way = prepared.arrival.mailbox.as_deref().and_then(|name| self.inner.ways.mailbox(name));
        let trusted = way.map_or(&[][..], |way| &way.trusted_authserv_ids);
        let envelope_to = prepared.arrival.envelope_to.as_deref();
        let suspect = suspect_of(Arc::clone(&prepared.bytes), message, visible, envelope_to, trusted);
        // A server that said something of SPF or DKIM need not have looked at DMARC.
        let said = mail::only_author(message).and_then(|author| mail::dmarc_word(message, trusted, author));
        let suspect = Suspect { authenticated: said.is_some(), ..suspect };
        let found = self.inner.judges.authenticate(&suspect).await;
        let opinions: Vec<Opinion> = found
            .into_iter()
            .map(|found| found.map_or_else(|opinion| opinion, |found| found.opinion()))
            .collect();
        self.show_judges(&opinions);
        opinions
    }

    /// Says what speaks against a mail being from this author, if nothing shows that it is.
    pub(super) fn shown_to_be_from(
        &self,
        passing: &Passing<'_>,
        author: &EmailAddress,
    ) -> Result<(), String> {
        let way = passing.prepared.arrival.mailbox.as_deref().and_then(|name| self.inner.ways.mailbox(name));
        let trusted = way.map_or(&[][..], |way| &way.trusted_authserv_ids);
        let checked = passing.prepared.opinions.iter().find(|opinion| opinion.by == Judge::Authentication);
        match (mail::dmarc_word(passing.message, trusted, author), checked) {
            (Some(word), _) if word == "pass" => Ok(()),
            (Some(word), _) => Err(format!("a trusted server says of {author}: DMARC {word}")),
            (None, Some(checked)) if checked.finding == Finding::Ham => Ok(()),
            (None, Some(checked)) => {
                Err(format!("nothing shows that it is from {author}: {}", checked.words))
            }
            (None, None) => Err(format!("nothing shows that it is from {author}: no DMARC result")),
        }
    }

    /// Lists the projects in which a mail would open an issue, or answer one that its sender has no part in;
    /// `None` is the triage queue of a desk that tells people that their mail waits there.
    async fn unknown_to(
        &self,
        txn: &mut Txn<'_>,
        passing: &Passing<'_>,
    ) -> Result<Vec<Option<ProjectId>>, Fault> {
        let rejects = self.desk_settings().await?.rejections;
        let from = passing.from.as_ref().map(|m| &m.email);
        let mut unknown = Vec::new();
        for target in self.targets(txn, passing).await? {
            let (project, issue) = match target {
                Target::Issue(issue, project) => (Some(project), Some(issue)),
                Target::Reply(key, project) => (Some(project), Some(key.issue)),
                Target::Project(project, _) | Target::Default(project, _) => {
                    let place = self.place(txn, passing.message, Some(project), from, &passing.projects);
                    (Some(project), joined(place.await?))
                }
                Target::Nowhere(_) => {
                    let place = self.place(txn, passing.message, None, from, &passing.projects).await?;
                    let issue = joined(place);
                    let home = match issue {
                        Some(id) => txn.get::<Issue>(&issue_key(id)).await?.map(|issue| issue.project),
                        None => None,
                    };
                    (home, issue)
                }
            };
            if project.is_none() && !rejects {
                continue;
            }
            let known = match issue {
                Some(id) => self.takes_part(txn, passing, id).await?,
                None => false,
            };
            if !known {
                unknown.push(project);
            }
        }
        Ok(unknown)
    }

    /// Tells whether the sender of a mail has a part in an issue.
    pub(super) async fn takes_part(
        &self,
        txn: &mut Txn<'_>,
        passing: &Passing<'_>,
        issue: IssueId,
    ) -> Result<bool, Fault> {
        let id = self.survivor(txn, issue).await?;
        let issue = txn.get::<Issue>(&issue_key(id)).await?;
        let from = passing.from.as_ref().map(|from| &from.email);
        let has_part =
            |issue: &Issue, from| issue.participant(from).is_some() || issue.consulted.contains(from);
        Ok(issue.is_some_and(|issue| from.is_some_and(|from| has_part(&issue, from))))
    }

    pub(super) fn listed(&self, passing: &Passing<'_>, project: Option<ProjectId>) -> Option<Sender> {
        let from = passing.from.as_ref().map(|from| &from.email);
        self.inner.senders.find(project, from, Some(passing.message))
    }

    /// Decides whether a mail to this project goes on its way. What was thought of it counts only where
    /// its sender is a stranger; the lists of senders always count.
    pub(super) fn screened(
        &self,
        passing: &Passing<'_>,
        project: Option<ProjectId>,
        stranger: bool,
    ) -> Screened {
        let listed = self.listed(passing, project);
        let mut opinions: Vec<Opinion> = listed.iter().map(|line| opinion_of(line, project)).collect();
        if stranger {
            opinions.extend(passing.prepared.opinions.iter().cloned());
        }
        let screening = screen(listed.map(|line| line.rule), &opinions);
        let what =
            if screening.outcome == Outcome::Quarantine { "it waits for a person" } else { "it is spam" };
        let reason = match screening.words.is_empty() {
            true => what.to_owned(),
            false => format!("{what}: {}", screening.words),
        };
        Screened { outcome: screening.outcome, reason, opinions }
    }
}

fn joined(place: Placement) -> Option<IssueId> {
    match place {
        Placement::Join { issue, .. } => Some(issue),
        Placement::New { .. } => None,
    }
}

/// Says in words what a line of a list says.
fn opinion_of(line: &Sender, project: Option<ProjectId>) -> Opinion {
    let finding = match line.rule {
        SenderRule::Block => Finding::Spam,
        SenderRule::Allow => Finding::Ham,
        SenderRule::Quarantine => Finding::Unsure,
    };
    let whose = if line.project.is_some() && line.project == project { "this project" } else { "the desk" };
    let words = format!("{} is on the {} list of {whose}, by {}", line.pattern, line.rule.word(), line.by);
    Opinion { by: Judge::Senders, finding, words }
}

/// Puts together what judges need to know of a mail.
pub(super) fn suspect_of(
    raw: Arc<Vec<u8>>,
    message: &Message,
    visible: &Visible,
    envelope_to: Option<&str>,
    trusted: &[String],
) -> Suspect {
    let border = mail::border(message, trusted);
    let text = match &visible.folded {
        Some(folded) => format!("{}\n{folded}", visible.body),
        None => visible.body.clone(),
    };
    let (client, helo) = border.map_or((None, None), |border| (Some(border.client), border.helo));
    Suspect {
        raw,
        from: message.from.as_ref().map(|from| from.email.clone()),
        from_name: message.from.as_ref().and_then(|from| from.name.clone()),
        subject: message.subject.clone(),
        text,
        client,
        helo,
        envelope_from: message
            .header("Return-Path")
            .map(|path| path.trim().trim_matches(['<', '>']).to_owned()),
        envelope_to: envelope_to.map(str::to_owned).into_iter().collect(),
        authenticated: mail::authentication(message, trusted).is_some(),
    }
}
