//! Looks whether those who are asked about spam would answer.

use super::Findings;
use crate::config::Config;
use crate::domain::Judge;
use crate::spam::{Check, Judges};
use tokio::task::JoinHandle;

/// What is being asked.
pub struct Asking {
    task: JoinHandle<Vec<Check>>,
    services: bool,
}

/// Begins to ask every judge that the config switches on.
pub fn ask(config: &Config) -> Asking {
    let judges = Judges::new(&config.spam);
    let services = config.spam.akismet.enabled || config.spam.rspamd.enabled;
    Asking { task: tokio::spawn(async move { judges.look().await }), services }
}

/// Waits for the answers and reports them.
pub async fn report(asking: Asking, findings: &mut Findings) {
    if !asking.services {
        findings.ok("spam services", "none is on");
    }
    match asking.task.await {
        Ok(checks) => checks.into_iter().for_each(|check| add(check, findings)),
        Err(error) => findings.fail("spam services", error.to_string(), None),
    }
}

fn add(check: Check, findings: &mut Findings) {
    let (who, well) = match check.judge {
        Judge::Akismet => ("spam service akismet", "it is good for this site"),
        Judge::Rspamd if check.step == "controller" => ("spam service rspamd", "it lets us teach"),
        Judge::Rspamd => ("spam service rspamd", "it answers"),
        _ => ("authentication", "it answers"),
    };
    let step = format!("{who}: {}", check.step);
    match check.result {
        Ok(()) => findings.ok(step, well),
        Err((why, cure)) => findings.fail(step, why, cure),
    }
}
