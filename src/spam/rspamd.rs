//! Rspamd, a filter on one's own machines (`rspamd.com/doc/developers/protocol.html`).

use super::{
    Suspect,
    web::{Answer, Failure, Web, send, short},
};
use crate::{
    config::{self, SecretSource},
    domain::{Finding, Judge, Opinion},
};
use reqwest::{RequestBuilder, header::HeaderValue};
use serde::Deserialize;
use std::{collections::BTreeMap, time::Duration};

/// How many rules are named.
const RULES_MAX: usize = 6;
/// The most recipients that are told.
const RECIPIENTS_MAX: usize = 50;

/// How Rspamd is asked.
#[derive(Clone, Debug)]
pub(super) struct Rspamd {
    worker: Web,
    controller: Web,
    password: Option<SecretSource>,
}

/// The answer to `/checkv2`, as far as it matters here.
#[derive(Deserialize)]
#[serde(default)]
#[derive(Default)]
struct Checked {
    is_skipped: bool,
    score: f64,
    required_score: Option<f64>,
    action: String,
    symbols: BTreeMap<String, Symbol>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Symbol {
    score: f64,
}

/// The answer to `/auth` and, with an error, to everything.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Said {
    success: bool,
    read_only: bool,
    error: String,
}

impl Rspamd {
    pub fn new(config: &config::Rspamd, patience: Duration) -> Self {
        Self {
            worker: Web::new(&config.url, patience),
            controller: Web::new(&config.controller_url, patience),
            password: config.password_env.clone().map(SecretSource::Env),
        }
    }

    /// Asks for an opinion.
    pub async fn check(&self, mail: &Suspect) -> Result<Opinion, Failure> {
        let answer = send(about(self.worker.post("checkv2")?, mail)).await?;
        if answer.status != 200 {
            return Err(refused(&answer));
        }
        let checked: Checked = serde_json::from_str(&answer.body)
            .map_err(|_| Failure::passing("its answer is not understood"))?;
        if checked.action.is_empty() {
            return Err(Failure::passing("its answer names no action"));
        }
        Ok(Opinion { by: Judge::Rspamd, finding: finding(&checked), words: words(&checked) })
    }

    /// Tells what staff decided. A mail that Rspamd knows already is a lesson taken.
    pub async fn teach(&self, mail: &Suspect, spam: bool) -> Result<(), Failure> {
        let path = if spam { "learnspam" } else { "learnham" };
        let request = self.as_controller(self.controller.post(path)?).await?;
        let answer = send(about(request, mail)).await?;
        let said = said(&answer);
        let known = said.error.contains("already learned");
        if known || (answer.status == 200 && said.success) { Ok(()) } else { Err(refused(&answer)) }
    }

    /// Asks the worker for a sign of life.
    pub async fn ping(&self) -> Result<(), Failure> {
        let answer = send(self.worker.get("ping")?).await?;
        match answer.body.as_str() {
            "pong" => Ok(()),
            _ => Err(refused(&answer).hint("url is no Rspamd; its worker usually listens on port 11333")),
        }
    }

    /// Asks the controller whether the password lets us teach.
    pub async fn may_teach(&self) -> Result<(), Failure> {
        let request = self.as_controller(self.controller.get("auth")?).await?;
        let answer = send(request).await?;
        match answer.status {
            200 if said(&answer).read_only => Err(Failure::passing("the password may only look")
                .hint("password_env must hold the `enable_password` of the controller")),
            200 => Ok(()),
            _ => Err(refused(&answer)),
        }
    }

    async fn as_controller(&self, request: RequestBuilder) -> Result<RequestBuilder, Failure> {
        let Some(source) = &self.password else { return Ok(request) };
        let password = source.get().await.map_err(|e| Failure::passing(e.message).hint(e.hint))?;
        let mut value = HeaderValue::from_str(password.reveal()).map_err(|_| {
            Failure::passing("the controller's password has characters that no header can hold")
        })?;
        value.set_sensitive(true);
        Ok(request.header("Password", value))
    }
}

/// Adds the mail and what is known of its envelope.
fn about(request: RequestBuilder, mail: &Suspect) -> RequestBuilder {
    let ip = mail.client.map(|ip| ip.to_string());
    let single = [("From", &mail.envelope_from), ("Helo", &mail.helo), ("IP", &ip)];
    let single = single.into_iter().filter_map(|(name, value)| Some((name, value.as_ref()?)));
    let each = mail.envelope_to.iter().take(RECIPIENTS_MAX).map(|to| ("Rcpt", to));
    // What came in a mail may hold line ends, with which it would write fields of its own.
    let fields =
        single.chain(each).filter_map(|(name, value)| Some((name, HeaderValue::from_str(value).ok()?)));
    fields.fold(request, |request, (name, value)| request.header(name, value)).body(mail.raw.to_vec())
}

fn finding(checked: &Checked) -> Finding {
    match checked.action.as_str() {
        "reject" | "discard" | "quarantine" | "add header" | "rewrite subject" => Finding::Spam,
        "no action" if !checked.is_skipped => Finding::Ham,
        _ => Finding::Unsure,
    }
}

/// Says the action, the score and the rules that weigh most.
fn words(checked: &Checked) -> String {
    let required = checked.required_score.map_or(String::new(), |required| format!(" of {required:.1}"));
    let mut rules: Vec<_> = checked.symbols.iter().filter(|(_, rule)| rule.score.is_finite()).collect();
    rules.sort_by(|(_, a), (_, b)| b.score.abs().total_cmp(&a.score.abs()));
    let rules = rules.into_iter().take(RULES_MAX);
    let rules: Vec<_> = rules.map(|(name, rule)| format!("{} {:.1}", short(name), rule.score)).collect();
    let rules = if rules.is_empty() { String::new() } else { format!(": {}", rules.join(", ")) };
    format!("{}, score {:.1}{required}{rules}", short(&checked.action), checked.score)
}

fn said(answer: &Answer) -> Said {
    serde_json::from_str(&answer.body).unwrap_or_default()
}

fn refused(answer: &Answer) -> Failure {
    let said = said(answer).error;
    let why = if said.is_empty() { String::new() } else { format!(": {}", short(&said)) };
    let message = format!("it answers {}{why}", answer.status);
    match answer.status {
        401 | 403 => {
            Failure::passing(message).hint("password_env must name a variable with the controller's password")
        }
        300..=399 | 500..=599 => Failure::passing(message),
        _ => Failure::lasting(message),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_rspamd_would_do_says_what_it_thinks() {
        let cases = [
            (
                r#"{"action":"reject","score":15.2,"required_score":15.0,"symbols":{"A":{"score":0.1},"B":{"score":9.0},"C":{"score":-2.0}}}"#,
                Finding::Spam,
                "reject, score 15.2 of 15.0: B 9.0, C -2.0, A 0.1",
            ),
            (
                r#"{"action":"add header","score":7,"required_score":null}"#,
                Finding::Spam,
                "add header, score 7.0",
            ),
            (
                r#"{"action":"no action","score":-0.5,"required_score":15}"#,
                Finding::Ham,
                "no action, score -0.5 of 15.0",
            ),
            (r#"{"action":"greylist","score":4.5}"#, Finding::Unsure, "greylist, score 4.5"),
            (r#"{"action":"no action","is_skipped":true}"#, Finding::Unsure, "no action, score 0.0"),
            (r#"{"action":"of its own","score":1}"#, Finding::Unsure, "of its own, score 1.0"),
        ];
        for (answer, expected, said) in cases {
            let checked: Checked = serde_json::from_str(answer).unwrap();
            assert_eq!((finding(&checked), words(&checked).as_str()), (expected, said));
        }
    }
}
