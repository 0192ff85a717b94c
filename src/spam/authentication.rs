//! Who a mail is really from: SPF, DKIM and DMARC, checked with the keys and policies in the DNS.
//!
//! SPF needs to know who handed the mail to our border host. Where nobody tells, DKIM alone is checked,
//! and DMARC can then pass but not fail.

use super::{Suspect, web::Failure};
use crate::{
    config,
    domain::{Finding, Judge, Opinion},
};
use mail_auth::{
    AuthenticatedMessage, DkimOutput, DkimResult, DmarcOutput, DmarcResult, DnsError, Error,
    MessageAuthenticator, SpfOutput, SpfResult,
    dkim::DkimError,
    dmarc::{Policy, verify::DmarcParameters},
    hickory_resolver::{
        config::{ConnectionConfig, NameServerConfig, ResolverConfig, ResolverOpts},
        system_conf::read_system_conf,
    },
    spf::verify::SpfParameters,
};
use std::{fmt, net::SocketAddr, sync::OnceLock, time::Duration};
use tokio::runtime::Handle;

/// Each signature may want the whole mail hashed once more, and a question to the DNS.
const SIGNATURES_MAX: usize = 8;
/// A name that always exists (RFC 6761).
const KNOWN_NAME: &str = "example.com.";
/// What SPF calls the host that checks, where it does not know (RFC 7208, 7.3).
const RECEIVER: &str = "unknown";

/// What one check found (the words of RFC 8601).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Outcome {
    /// What it needs is not known.
    #[default]
    Unchecked,
    Pass,
    Fail,
    SoftFail,
    Neutral,
    /// The sender has set nothing up.
    None,
    /// The DNS did not answer.
    TempError,
    /// What the sender has set up makes no sense.
    PermError,
}

/// What SPF, DKIM and DMARC say about a mail.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Authentication {
    pub spf: Outcome,
    pub dkim: Outcome,
    pub dmarc: Outcome,
    /// `SPF pass, DKIM pass (example.com), DMARC pass`; what was not checked is not named.
    pub words: String,
    /// Whether the owner of the domain wants what fails kept away.
    enforced: bool,
}

impl Authentication {
    fn new(spf: Outcome, (dkim, signer): (Outcome, Option<String>), dmarc: Outcome, enforced: bool) -> Self {
        let signer = signer.filter(|_| dkim == Outcome::Pass).map_or(String::new(), |by| format!(" ({by})"));
        let policy = if dmarc == Outcome::Fail && !enforced { " (asks for nothing)" } else { "" };
        let words = [("SPF", spf, ""), ("DKIM", dkim, signer.as_str()), ("DMARC", dmarc, policy)];
        let words = words.iter().filter(|(_, outcome, _)| *outcome != Outcome::Unchecked);
        let words: Vec<_> = words.map(|(name, outcome, more)| format!("{name} {outcome}{more}")).collect();
        Self { spf, dkim, dmarc, words: words.join(", "), enforced }
    }

    /// Says what follows: only a domain whose owner asks for it makes a failure spam.
    pub fn opinion(&self) -> Opinion {
        let finding = match self.dmarc {
            Outcome::Pass => Finding::Ham,
            Outcome::Fail if self.enforced => Finding::Spam,
            _ if [self.spf, self.dkim, self.dmarc].contains(&Outcome::TempError) => Finding::Unavailable,
            _ => Finding::Unsure,
        };
        Opinion { by: Judge::Authentication, finding, words: self.words.clone() }
    }
}

/// Tells whether anything can be checked at all, so that the DNS is not asked in vain.
pub(super) fn has_something_to_check(mail: &Suspect) -> bool {
    mail.client.is_some() || signatures(&mail.raw) > 0
}

/// Counts the fields of the header that carry signatures.
fn signatures(raw: &[u8]) -> usize {
    let header = raw.split(|octet| *octet == b'\n').take_while(|line| !matches!(line, [] | [b'\r']));
    header.filter(|line| line.get(..4).is_some_and(|start| start.eq_ignore_ascii_case(b"dkim"))).count()
}

/// What checks with the DNS; its resolver remembers answers for as long as they say.
pub(super) struct Authenticator {
    name_server: Option<SocketAddr>,
    patience: Duration,
    /// Made when it is first needed, within the runtime.
    made: OnceLock<Result<MessageAuthenticator, Failure>>,
}

impl Authenticator {
    pub fn new(config: &config::Spam) -> Self {
        let name_server = config.name_server.as_deref().and_then(|text| text.parse().ok());
        Self { name_server, patience: config.timeout, made: OnceLock::new() }
    }

    /// Checks a mail; what the DNS does not tell in time is [`Outcome::TempError`] or a failure.
    ///
    /// Hashing takes time, and a library that meets hostile input may panic: so it has a thread.
    pub async fn authenticate(&self, mail: &Suspect) -> Result<Authentication, Failure> {
        let authenticator = self.library()?;
        let (mail, runtime, patience) = (mail.clone(), Handle::current(), self.patience);
        let work = tokio::task::spawn_blocking(move || {
            runtime.block_on(tokio::time::timeout(patience, examine(&authenticator, &mail)))
        });
        match work.await {
            Ok(Ok(Ok(found))) if found.opinion().finding == Finding::Unavailable => {
                Err(Failure::passing(found.words))
            }
            Ok(Ok(found)) => found,
            Ok(Err(_)) => Err(Failure::passing("the name server does not answer in time")),
            Err(_) => Err(Failure::lasting("the checks failed on this mail")),
        }
    }

    /// Asks the DNS for a name that is there; any answer will do.
    pub async fn look_up(&self) -> Result<(), Failure> {
        let failed = |why: String| {
            Failure::passing(why).hint(
                "check /etc/resolv.conf, name a server (name_server in [spam]), or set authentication = false",
            )
        };
        let library = self.library()?;
        let asked = tokio::time::timeout(self.patience, library.txt_raw_lookup(KNOWN_NAME)).await;
        match asked {
            Err(_) => Err(failed("it does not answer in time".to_owned())),
            Ok(Err(Error::Dns(DnsError::Resolver(why)))) => Err(failed(why)),
            Ok(_) => Ok(()),
        }
    }

    fn library(&self) -> Result<MessageAuthenticator, Failure> {
        let made = self.made.get_or_init(|| {
            resolver(self.name_server, self.patience)
                .map_err(|why| Failure::passing(format!("no name server can be asked: {why}")))
        });
        made.clone()
    }
}

impl fmt::Debug for Authenticator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Authenticator").field("name_server", &self.name_server).finish_non_exhaustive()
    }
}

fn resolver(name_server: Option<SocketAddr>, patience: Duration) -> Result<MessageAuthenticator, String> {
    let (config, mut options) = match name_server {
        Some(address) => (only(address), ResolverOpts::default()),
        None => read_system_conf().map_err(|e| e.to_string())?,
    };
    options.timeout = options.timeout.min(patience / 2);
    options.attempts = options.attempts.min(2);
    MessageAuthenticator::new(config, options).map_err(|e| e.to_string())
}

fn only(address: SocketAddr) -> ResolverConfig {
    let ways = [ConnectionConfig::udp(), ConnectionConfig::tcp()].map(|mut way| {
        way.port = address.port();
        way
    });
    ResolverConfig::from_name_servers(vec![NameServerConfig::new(address.ip(), true, ways.to_vec())])
}

async fn examine(library: &MessageAuthenticator, mail: &Suspect) -> Result<Authentication, Failure> {
    if signatures(&mail.raw) > SIGNATURES_MAX {
        return Ok(Authentication {
            words: format!("not checked: it has more than {SIGNATURES_MAX} signatures"),
            ..Authentication::default()
        });
    }
    let message = AuthenticatedMessage::parse(&mail.raw)
        .ok_or_else(|| Failure::lasting("its header cannot be read"))?;
    let signatures = library.verify_dkim(&message).await;
    let (spf, domain) = spf(library, mail).await;
    let spf_found = spf.as_ref().map_or(Outcome::Unchecked, |spf| spf.result().into());
    let spf = spf.unwrap_or_default();
    let policy = library.verify_dmarc(DmarcParameters::new(&message, &signatures, &domain, &spf)).await;
    let enforced = matches!(policy.policy(), Policy::Reject | Policy::Quarantine);
    Ok(Authentication::new(spf_found, dkim(&signatures), dmarc(&policy, spf_found), enforced))
}

/// Checks the domain that the envelope names; for a bounce, which names none, that of the greeting.
async fn spf(library: &MessageAuthenticator, mail: &Suspect) -> (Option<SpfOutput>, String) {
    let helo = mail.helo.as_deref().unwrap_or_default();
    let sender = mail.envelope_from.as_deref().unwrap_or_default();
    let domain = sender.rsplit_once('@').map_or(helo, |(_, domain)| domain);
    let Some(client) = mail.client.filter(|_| !domain.is_empty()) else {
        return (None, domain.to_owned());
    };
    let asked = match sender.contains('@') {
        true => SpfParameters::verify_mail_from(client, helo, RECEIVER, sender),
        false => SpfParameters::verify_ehlo(client, helo, RECEIVER),
    };
    (Some(library.verify_spf(asked).await), domain.to_owned())
}

/// One good signature is enough; else the DNS may have been what failed.
fn dkim(signatures: &[DkimOutput<'_>]) -> (Outcome, Option<String>) {
    let outcome = |signature: &DkimOutput<'_>| match signature.result() {
        DkimResult::Pass => Outcome::Pass,
        DkimResult::Fail(_) | DkimResult::Neutral(Error::Dkim(DkimError::FailedBodyHashMatch)) => {
            Outcome::Fail
        }
        DkimResult::Neutral(_) => Outcome::Neutral,
        DkimResult::TempError(_) => Outcome::TempError,
        DkimResult::PermError(_) => Outcome::PermError,
        DkimResult::None => Outcome::None,
    };
    let found: Vec<Outcome> = signatures.iter().map(outcome).collect();
    let order = [Outcome::Pass, Outcome::TempError, Outcome::Fail, Outcome::PermError, Outcome::Neutral];
    let best = order.into_iter().find(|outcome| found.contains(outcome)).unwrap_or(Outcome::None);
    let good = signatures.iter().find(|signature| outcome(signature) == Outcome::Pass);
    (best, good.and_then(|good| good.signature()).map(|signature| signature.d.clone()))
}

fn dmarc(policy: &DmarcOutput, spf: Outcome) -> Outcome {
    let results = [policy.dkim_result(), policy.spf_result()];
    let any = |wanted: fn(&DmarcResult) -> bool| results.into_iter().any(wanted);
    if any(|result| *result == DmarcResult::Pass) {
        Outcome::Pass
    } else if any(|result| matches!(result, DmarcResult::TempError(_))) {
        Outcome::TempError
    } else if policy.dmarc_record().is_none() {
        if any(|result| matches!(result, DmarcResult::PermError(_))) {
            Outcome::PermError
        } else {
            Outcome::None
        }
    } else if spf == Outcome::Unchecked {
        // SPF might have passed.
        Outcome::Unchecked
    } else {
        Outcome::Fail
    }
}

impl From<SpfResult> for Outcome {
    fn from(result: SpfResult) -> Self {
        match result {
            SpfResult::Pass => Self::Pass,
            SpfResult::Fail => Self::Fail,
            SpfResult::SoftFail => Self::SoftFail,
            SpfResult::Neutral => Self::Neutral,
            SpfResult::TempError => Self::TempError,
            SpfResult::PermError => Self::PermError,
            SpfResult::None => Self::None,
        }
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Unchecked => "unchecked",
            Self::Pass => "pass",
            Self::Fail => "fail",
            Self::SoftFail => "softfail",
            Self::Neutral => "neutral",
            Self::None => "none",
            Self::TempError => "temperror",
            Self::PermError => "permerror",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_an_enforced_policy_makes_a_failure_spam() {
        let cases = [
            (
                (Outcome::Pass, Outcome::None, Outcome::Pass, true),
                Finding::Ham,
                "SPF pass, DKIM none, DMARC pass",
            ),
            (
                (Outcome::Fail, Outcome::Fail, Outcome::Fail, true),
                Finding::Spam,
                "SPF fail, DKIM fail, DMARC fail",
            ),
            (
                (Outcome::Fail, Outcome::Fail, Outcome::Fail, false),
                Finding::Unsure,
                "SPF fail, DKIM fail, DMARC fail (asks for nothing)",
            ),
            (
                (Outcome::Unchecked, Outcome::Pass, Outcome::None, false),
                Finding::Unsure,
                "DKIM pass (x.example), DMARC none",
            ),
            ((Outcome::Unchecked, Outcome::Fail, Outcome::Unchecked, true), Finding::Unsure, "DKIM fail"),
            (
                (Outcome::Pass, Outcome::TempError, Outcome::Fail, true),
                Finding::Spam,
                "SPF pass, DKIM temperror, DMARC fail",
            ),
            (
                (Outcome::TempError, Outcome::None, Outcome::TempError, true),
                Finding::Unavailable,
                "SPF temperror, DKIM none, DMARC temperror",
            ),
        ];
        for ((spf, dkim, dmarc, enforced), finding, words) in cases {
            let found = Authentication::new(spf, (dkim, Some("x.example".into())), dmarc, enforced);
            assert_eq!((found.opinion().finding, found.words.as_str()), (finding, words));
        }
    }

    #[test]
    fn a_mail_without_signature_and_sender_is_not_asked_about() {
        let suspect = |raw: &[u8]| Suspect { raw: raw.to_vec().into(), ..Suspect::default() };
        assert!(!has_something_to_check(&suspect(b"From: a\r\n\r\nDKIM-Signature: v=1\r\n")));
        assert!(has_something_to_check(&suspect(b"From: a\ndkim-signature: v=1\n\nx")));
        let known = Suspect { client: Some([192, 0, 2, 1].into()), ..suspect(b"From: a\n\n") };
        assert!(has_something_to_check(&known));
    }
}
