//! Spam: who is asked whether a mail is wanted, and who is told what staff decided.
//!
//! Owns the services (Akismet, Rspamd), the classifier of this desk and the checking of SPF, DKIM and
//! DMARC: one mail in, opinions out. Knows nothing of issues, and keeps nothing: what was learned is
//! handed in. A judge that does not answer in time is an [`Opinion`] too, and never an error.
#![deny(clippy::indexing_slicing, clippy::string_slice)]

mod akismet;
mod authentication;
mod features;
mod headers;
pub mod local;
mod rspamd;
mod troubles;
mod web;

pub use authentication::{Authentication, Outcome};
pub use headers::headers;

use crate::config;
use crate::domain::{EmailAddress, Finding, Judge, Opinion};
use akismet::Akismet;
use authentication::Authenticator;
use jiff::Timestamp;
use rspamd::Rspamd;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::time::timeout;
use troubles::Troubles;
use web::Failure;

/// How much longer than a judge itself we wait.
const MARGIN: Duration = Duration::from_millis(250);

/// A mail as judges need to know it.
#[derive(Clone, Debug, Default)]
pub struct Suspect {
    pub raw: Arc<Vec<u8>>,
    pub from: Option<EmailAddress>,
    pub from_name: Option<String>,
    pub subject: String,
    /// The whole visible text.
    pub text: String,
    /// Who handed the mail to our border host, where a trusted Received field tells.
    pub client: Option<IpAddr>,
    pub helo: Option<String>,
    /// The envelope sender, where Return-Path tells.
    pub envelope_from: Option<String>,
    pub envelope_to: Vec<String>,
    /// Whether a server that we trust has checked SPF, DKIM and DMARC already.
    pub authenticated: bool,
}

/// Why a judge did not take a lesson.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct TeachError {
    pub message: String,
    /// Whether trying again later may help.
    pub temporary: bool,
}

/// One look at what a judge needs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Check {
    pub judge: Judge,
    pub step: &'static str,
    /// What is wrong, and what helps.
    pub result: Result<(), (String, Option<String>)>,
}

/// The judges that are switched on; a cheap clone.
#[derive(Clone, Debug, Default)]
pub struct Judges(Arc<Panel>);

#[derive(Debug, Default)]
struct Panel {
    patience: Duration,
    authenticator: Option<Authenticator>,
    rspamd: Option<Rspamd>,
    akismet: Option<Akismet>,
    troubles: Troubles,
}

impl Judges {
    /// Sets the judges up as the config says; asks none of them yet.
    pub fn new(config: &config::Spam) -> Self {
        let (patience, akismet, rspamd) = (config.timeout, &config.akismet, &config.rspamd);
        Self(Arc::new(Panel {
            patience,
            authenticator: config.authentication.then(|| Authenticator::new(config)),
            rspamd: rspamd.enabled.then(|| Rspamd::new(rspamd, patience)),
            akismet: akismet.enabled.then(|| Akismet::new(akismet, patience)),
            troubles: Troubles::default(),
        }))
    }

    /// Asks every judge outside this process, side by side, each for at most `[spam] timeout`.
    ///
    /// The words of [`Judge::Authentication`] are what [`Authentication::words`] says.
    pub async fn ask(&self, mail: &Suspect) -> Vec<Opinion> {
        let panel = &self.0;
        let rspamd = async { Some(panel.ask(Judge::Rspamd, panel.rspamd.as_ref()?.check(mail)).await) };
        let akismet = async { Some(panel.ask(Judge::Akismet, panel.akismet.as_ref()?.check(mail)).await) };
        let authentication = async {
            match self.authenticate(mail).await? {
                Ok(found) => Some(found.opinion()),
                Err(opinion) => Some(opinion),
            }
        };
        let (first, second, third) = tokio::join!(authentication, rspamd, akismet);
        [first, second, third].into_iter().flatten().collect()
    }

    /// Checks SPF (RFC 7208), DKIM (RFC 6376) and DMARC (RFC 9989), as far as the mail lets it.
    ///
    /// Gives `None` where that is switched off, done already, or there is nothing to check, and the
    /// opinion that it could not be done where no name server answers.
    pub async fn authenticate(&self, mail: &Suspect) -> Option<Result<Authentication, Opinion>> {
        let panel = &self.0;
        let authenticator = panel.authenticator.as_ref()?;
        if mail.authenticated || !authentication::has_something_to_check(mail) {
            return None;
        }
        Some(panel.question(Judge::Authentication, authenticator.authenticate(mail)).await)
    }

    /// Lists the judges outside this process that can be taught.
    pub fn teachable(&self) -> Vec<Judge> {
        let rspamd = self.0.rspamd.as_ref().map(|_| Judge::Rspamd);
        let akismet = self.0.akismet.as_ref().map(|_| Judge::Akismet);
        rspamd.into_iter().chain(akismet).collect()
    }

    /// Tells a judge outside this process what staff decided about a mail.
    pub async fn teach(&self, judge: Judge, mail: &Suspect, spam: bool) -> Result<(), TeachError> {
        let taught = match (judge, &self.0.rspamd, &self.0.akismet) {
            (Judge::Rspamd, Some(rspamd), _) => rspamd.teach(mail, spam).await,
            (Judge::Akismet, _, Some(akismet)) => akismet.teach(mail, spam).await,
            _ => Err(Failure::lasting(format!("{judge:?} is not switched on"))),
        };
        taught.map_err(|failure| TeachError { message: failure.message, temporary: failure.temporary })
    }

    /// Lists the judges that could not be asked when last one of them was needed: since when, and why.
    pub fn states(&self) -> Vec<(Judge, Timestamp, String)> {
        self.0.troubles.list()
    }

    /// Looks whether each judge would answer, side by side; no mail is shown to any.
    pub async fn look(&self) -> Vec<Check> {
        let panel = &self.0;
        let key =
            async { Some(panel.look(Judge::Akismet, "key", panel.akismet.as_ref()?.verify_key()).await) };
        let ping = async { Some(panel.look(Judge::Rspamd, "worker", panel.rspamd.as_ref()?.ping()).await) };
        let password =
            async { Some(panel.look(Judge::Rspamd, "controller", panel.rspamd.as_ref()?.may_teach()).await) };
        let names = async {
            let lookup = panel.authenticator.as_ref()?.look_up();
            Some(panel.look(Judge::Authentication, "name server", lookup).await)
        };
        let (key, ping, password, names) = tokio::join!(key, ping, password, names);
        [key, ping, password, names].into_iter().flatten().collect()
    }
}

impl Panel {
    /// Asks one judge for its opinion; one that fails has the opinion that it is unavailable.
    async fn ask(&self, by: Judge, question: impl Future<Output = Result<Opinion, Failure>>) -> Opinion {
        self.question(by, question).await.unwrap_or_else(|unavailable| unavailable)
    }

    /// Asks one judge, unless it is known to fail, and notes whether it answered.
    async fn question<T>(
        &self,
        by: Judge,
        question: impl Future<Output = Result<T, Failure>>,
    ) -> Result<T, Opinion> {
        let unavailable = |words: String| Opinion { by, finding: Finding::Unavailable, words };
        // Whose DNS is slow is the sender's choice: three such mails must not open the door to a fourth.
        let pause = self.troubles.pause(by, Instant::now()).filter(|_| by != Judge::Authentication);
        if let Some(words) = pause {
            return Err(unavailable(words));
        }
        match self.in_time(question).await {
            Ok(answer) => {
                self.troubles.over(by);
                Ok(answer)
            }
            Err(failure) => {
                self.troubles.add(by, &failure.message, failure.temporary);
                Err(unavailable(failure.message))
            }
        }
    }

    async fn look(
        &self,
        judge: Judge,
        step: &'static str,
        question: impl Future<Output = Result<(), Failure>>,
    ) -> Check {
        let result = self.in_time(question).await.map_err(|failure| (failure.message, failure.hint));
        Check { judge, step, result }
    }

    async fn in_time<T>(&self, question: impl Future<Output = Result<T, Failure>>) -> Result<T, Failure> {
        let late = || Failure::passing("no answer in time").hint("a longer `timeout` in [spam] may help");
        // Each has this limit by itself, and says more when it is over.
        timeout(self.patience + MARGIN, question).await.unwrap_or_else(|_| Err(late()))
    }
}
