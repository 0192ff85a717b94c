//! Akismet, a service that knows what is sent to many sites (its API 1.1, `akismet.com/developers`).
//!
//! The key comes from the environment at each question and goes into the body of the request only.

use super::{
    Suspect,
    web::{Answer, Failure, Web, send, short},
};
use crate::{
    config::{self, SecretSource},
    domain::{Finding, Judge, Opinion},
};
use std::time::Duration;

const PLACE: &str = "https://rest.akismet.com/1.1";
/// Characters of text that are sent.
const TEXT_MAX: usize = 50_000;
/// What Akismet wants an address for, where no trusted server has noted the sender's.
const UNKNOWN_IP: &str = "127.0.0.1";

type Form = Vec<(&'static str, String)>;

/// How Akismet is asked.
#[derive(Clone, Debug)]
pub(super) struct Akismet {
    web: Web,
    key: SecretSource,
    site: String,
    is_test: bool,
}

impl Akismet {
    pub fn new(config: &config::Akismet, patience: Duration) -> Self {
        Self {
            web: Web::new(config.endpoint.as_deref().unwrap_or(PLACE), patience),
            key: config.key_env.clone().map_or(SecretSource::Absent, SecretSource::Env),
            site: config.site.clone().unwrap_or_default(),
            is_test: config.is_test,
        }
    }

    /// Asks whether the key is good for the site.
    pub async fn verify_key(&self) -> Result<(), Failure> {
        let answer = self.call("verify-key", Form::new()).await?;
        match answer.body.as_str() {
            "valid" => Ok(()),
            _ => Err(refused(&answer).hint("check the key, and the site, at akismet.com/account")),
        }
    }

    /// Asks for an opinion.
    ///
    /// With an alert an answer counts for nothing: a key that was blocked is said to find spam in everything.
    pub async fn check(&self, mail: &Suspect) -> Result<Opinion, Failure> {
        let answer = self.call("comment-check", self.comment(mail)).await?;
        if answer.field("x-akismet-alert-code").is_some() {
            return Err(refused(&answer));
        }
        let (finding, words) = match (answer.body.as_str(), answer.field("x-akismet-pro-tip")) {
            ("true", Some("discard")) => (Finding::Spam, "it is spam of the worst kind"),
            ("true", _) => (Finding::Spam, "it is spam"),
            ("false", _) => (Finding::Ham, "it is no spam"),
            _ => return Err(refused(&answer)),
        };
        Ok(Opinion { by: Judge::Akismet, finding, words: words.to_owned() })
    }

    /// Tells what staff decided.
    pub async fn teach(&self, mail: &Suspect, spam: bool) -> Result<(), Failure> {
        let path = if spam { "submit-spam" } else { "submit-ham" };
        let answer = self.call(path, self.comment(mail)).await?;
        // The one thing it says when it has understood.
        if answer.body.starts_with("Thanks for making the web a better place") {
            return Ok(());
        }
        Err(refused(&answer))
    }

    async fn call(&self, path: &str, form: Form) -> Result<Answer, Failure> {
        let key = self.key.get().await.map_err(|e| Failure::passing(e.message).hint(e.hint))?;
        let mut whole = vec![("api_key", key.reveal().to_owned()), ("blog", self.site.clone())];
        if path == "verify-key" {
            // Its older name, which is still the one in most examples.
            whole.push(("key", key.reveal().to_owned()));
        }
        whole.extend(form);
        let answer = send(self.web.post(path)?.form(&whole)).await?;
        match answer.status {
            200..=299 => Ok(answer),
            429 | 500..=599 => Err(Failure::passing(format!("it answers {}", answer.status))),
            status => Err(Failure::passing(format!("it answers {status}: {}", short(&answer.body)))
                .hint("check `endpoint` of akismet in [spam]")),
        }
    }

    fn comment(&self, mail: &Suspect) -> Form {
        let text = format!("{}\n\n{}", mail.subject, mail.text);
        let ip = mail.client.map_or(UNKNOWN_IP.to_owned(), |ip| ip.to_string());
        let mut form = vec![
            ("user_ip", ip),
            ("permalink", String::new()),
            ("comment_type", "contact-form".to_owned()),
            ("comment_author", mail.from_name.clone().unwrap_or_default()),
            (
                "comment_author_email",
                mail.from.as_ref().map_or(String::new(), |from| from.as_str().to_owned()),
            ),
            ("comment_content", text.trim().chars().take(TEXT_MAX).collect()),
            ("blog_charset", "UTF-8".to_owned()),
        ];
        if self.is_test {
            form.push(("is_test", "1".to_owned()));
        }
        form
    }
}

/// Says why Akismet gave no proper answer, in its own words where it has some.
fn refused(answer: &Answer) -> Failure {
    if let Some(code) = answer.field("x-akismet-alert-code") {
        let words = short(answer.field("x-akismet-alert-msg").unwrap_or("no reason given"));
        return Failure::passing(format!("alert {code}: {words}"))
            .hint(format!("read https://akismet.com/errors/{}", short(code)));
    }
    let help =
        answer.field("x-akismet-debug-help").map_or(String::new(), |help| format!(": {}", short(help)));
    Failure::lasting(format!("it answers `{}`{help}", short(&answer.body)))
}
