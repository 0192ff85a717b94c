//! Looking into a mailbox step by step, for `doctor`.

use super::{GraphSource, ImapSource, MaildirSource, SourceError, Stage};
use crate::{
    config::{Encryption, GraphConfig, ImapConfig, MailboxConfig, SourceConfig},
    domain::counted,
    oauth::Tokens,
    tls,
};
use std::path::Path;

/// One step of a look into a mailbox.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    /// `DNS`, `connection`, `TLS`, `greeting`, `login`, `folder`, `IDLE`.
    pub name: String,
    /// What was found, or what fails.
    pub result: Result<String, String>,
    pub hint: Option<String>,
}

impl Step {
    fn ok(stage: Stage, found: impl Into<String>) -> Self {
        Self { name: stage.to_string(), result: Ok(found.into()), hint: None }
    }

    fn failed(error: SourceError) -> Self {
        Self { name: error.stage.to_string(), result: Err(error.message), hint: error.hint }
    }
}

/// Looks into a mailbox without changing anything; the last step is the first that fails.
pub async fn probe(config: &MailboxConfig, tokens: &Tokens) -> Vec<Step> {
    match &config.source {
        SourceConfig::Imap(imap) => {
            let mut steps = Vec::new();
            if let Err(error) = probe_imap(config, imap, tokens, &mut steps).await {
                steps.push(Step::failed(error));
            }
            steps
        }
        SourceConfig::Maildir { path } => vec![probe_maildir(path).await],
        SourceConfig::MicrosoftGraph(graph) => {
            let mut steps = Vec::new();
            if let Err(error) = probe_graph(graph, &mut steps).await {
                steps.push(Step::failed(error));
            }
            steps
        }
    }
}

async fn probe_imap(
    config: &MailboxConfig,
    imap: &ImapConfig,
    tokens: &Tokens,
    steps: &mut Vec<Step>,
) -> Result<(), SourceError> {
    let server = &imap.server;
    let addresses = tls::resolve(server).await?;
    let shown: Vec<_> = addresses.iter().map(|address| address.ip().to_string()).collect();
    steps.push(Step::ok(Stage::Resolve, shown.join(", ")));
    let connected = ImapSource::connect(config, tokens).await;
    let reached = connected.as_ref().err().map_or(Stage::Select, |e| e.stage);
    steps.extend(passed(imap, reached));
    let mut source = connected?;
    let folder = source.select().await?;
    steps.push(Step::ok(Stage::Select, format!("{}, {}", imap.folder, counted(folder.exists, "mail"))));
    let idle = match source.can_idle() {
        true => "the server tells of new mail".to_owned(),
        false => format!("not offered: looks every {} s", imap.idle_timeout.as_secs()),
    };
    steps.push(Step { name: "IDLE".to_owned(), result: Ok(idle), hint: None });
    source.close().await;
    Ok(())
}

/// Gives the steps that must have gone well for a connection to come as far as `reached`.
fn passed(imap: &ImapConfig, reached: Stage) -> Vec<Step> {
    let server = &imap.server;
    let tls = match server.encryption {
        Encryption::Implicit => "from the start",
        Encryption::StartTls => "by STARTTLS",
        Encryption::Plaintext => "none, as the config says",
    };
    let steps = [
        Step::ok(Stage::Connect, format!("{}:{}", server.host, server.port)),
        Step::ok(Stage::Tls, tls),
        Step::ok(Stage::Login, format!("as {}", imap.login.user)),
    ];
    let count = match reached {
        Stage::Resolve | Stage::Connect | Stage::Timeout => 0,
        Stage::Tls | Stage::Greeting => 1,
        Stage::Secret | Stage::Token | Stage::Login => 2,
        _ => 3,
    };
    steps.into_iter().take(count).collect()
}

async fn probe_graph(config: &GraphConfig, steps: &mut Vec<Step>) -> Result<(), SourceError> {
    let source = GraphSource::of(config)?;
    source.check().await?;
    steps.push(Step::ok(Stage::Token, format!("as application {}", config.application.client_id)));
    let count = source.count().await?;
    let every = config.poll_interval.as_secs();
    steps.push(Step::ok(
        Stage::Select,
        format!("{}, {}; looks every {every} s", config.folder, counted(count, "mail")),
    ));
    Ok(())
}

async fn probe_maildir(path: &Path) -> Step {
    let listed = async { MaildirSource::open(path)?.list().await };
    match listed.await {
        Ok(files) => Step::ok(Stage::Select, format!("{}, {}", path.display(), counted(files.len(), "mail"))),
        Err(error) => Step::failed(error),
    }
}
