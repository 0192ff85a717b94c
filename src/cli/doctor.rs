//! `deskbell doctor`: looks at everything the desk stands on, and says what fails and what cures it.

mod hooks;
mod repositories;
mod round_trip;
mod seals;
mod spam;
mod templates;

pub use round_trip::mail_round_trips;

use super::args::Global;
use super::here::Here;
use super::login;
use super::print::{self, Unprinted};
use super::session::{Session, unexpected};
use crate::config::{
    Config, DEFAULT_OUTLET, MailboxConfig, OutletConfig, OutletMethod, SecretSource, SourceConfig,
};
use crate::domain::{
    Channel, ChannelState, DeskSettings, DeskStatus, Fault, FaultKind, ProjectView, Request, Response,
    TemplateView,
};
use crate::oauth::Tokens;
use crate::outlet::Outlet;
use crate::source::{self, Step};
use anyhow::Result;
use serde::Serialize;
use std::collections::BTreeMap;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use tokio::task::JoinHandle;

/// Octets that the store keeps free (`StoreError::Full` comes before the disk is full).
const ROOM: u64 = 64 << 20;

/// Why steps are skipped.
const MISSING: &str = "there is no config";
const UNREADABLE: &str = "the config is of no use";

/// What one step found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Finding {
    pub step: String,
    pub ok: bool,
    /// Whether it was not looked at, because of a step that failed before.
    pub skipped: bool,
    pub detail: Option<String>,
    pub cure: Option<String>,
}

/// What was found so far; unless it is to be quiet, each finding is printed at once.
pub struct Findings {
    quiet: bool,
    all: Vec<Finding>,
    /// The first time that a finding could not be printed; nothing is printed afterwards.
    unprinted: Option<Unprinted>,
}

impl Findings {
    /// Begins with nothing found.
    pub fn new(quiet: bool) -> Self {
        Self { quiet, all: Vec::new(), unprinted: None }
    }

    /// Adds a step that went well.
    pub fn ok(&mut self, step: impl Into<String>, detail: impl Into<String>) {
        self.add(Finding {
            step: step.into(),
            ok: true,
            skipped: false,
            detail: Some(detail.into()),
            cure: None,
        });
    }

    /// Adds a step that failed.
    pub fn fail(&mut self, step: impl Into<String>, detail: impl Into<String>, cure: Option<String>) {
        self.add(Finding { step: step.into(), ok: false, skipped: false, detail: Some(detail.into()), cure });
    }

    /// Adds a step that could not be looked at.
    pub fn skip(&mut self, step: impl Into<String>, detail: impl Into<String>) {
        let detail = Some(detail.into());
        self.add(Finding { step: step.into(), ok: false, skipped: true, detail, cure: None });
    }

    fn add(&mut self, finding: Finding) {
        if !self.quiet && self.unprinted.is_none() {
            self.unprinted = Self::print(&finding).err();
        }
        self.all.push(finding);
    }

    fn print(finding: &Finding) -> Result<(), Unprinted> {
        let mark = match (finding.ok, finding.skipped) {
            (true, _) => "ok  ",
            (false, true) => "skip",
            (false, false) => "FAIL",
        };
        let detail = finding.detail.as_deref().map_or(String::new(), |d| format!(": {}", print::line(d)));
        print::say(format_args!("{mark} {}{detail}", print::line(&finding.step)))?;
        if let Some(cure) = &finding.cure {
            print::say(format_args!("     cure: {}", print::line(cure)))?;
        }
        Ok(())
    }

    /// Tells whether every finding so far was printed that was to be.
    pub fn printed(&mut self) -> Result<(), Unprinted> {
        self.unprinted.take().map_or(Ok(()), Err)
    }

    /// Gives the first step that failed.
    pub fn first_failure(&self) -> Option<&Finding> {
        self.all.iter().find(|finding| !finding.ok && !finding.skipped)
    }

    /// Gives every finding.
    pub fn into_all(self) -> Vec<Finding> {
        self.all
    }
}

/// `deskbell doctor`; gives 1 if any step fails.
pub async fn run(global: &Global, round_trip: bool) -> Result<u8> {
    if global.host.is_some() {
        return Err(Fault::usage("`doctor` looks at the machine it runs on")
            .hint("run it over there: ssh user@host deskbell doctor")
            .into());
    }
    let mut findings = Findings::new(global.json);
    let (here, config) = look_at_config(global, &mut findings)?;
    look_at_data_dir(&here, &mut findings);
    // Waiting for servers takes the time, so all of them are asked at once.
    let mailboxes = ask_mailboxes(&here);
    let outlets = ask_outlets(&here);
    let judges = spam::ask(&here.config);
    let known = look_at_desk(&here, &mut findings).await;
    match config {
        Ok(()) => {
            report_mailboxes(mailboxes, &mut findings).await;
            report_outlets(&here, outlets, &mut findings).await;
        }
        Err(why) => ["mailboxes", "outlets"].into_iter().for_each(|step| findings.skip(step, why)),
    }
    report_sign_ins(&here, &mut findings);
    if let Some(known) = &known {
        look_at_projects(&here, known, &mut findings);
        repositories::look(here.config_dir(), &known.projects, &mut findings).await;
    }
    match config {
        Err(UNREADABLE) => findings.skip("spam services", UNREADABLE),
        _ => spam::report(judges, &mut findings).await,
    }
    seals::look(&here.crypt(), &mut findings).await;
    hooks::look(&here.config.hooks, &mut findings).await;
    findings.printed()?;
    if round_trip {
        match &known {
            Some(known) => mail_round_trips(&here, known, &mut findings).await,
            None => findings.fail("round trip", "there is no desk that answers", None),
        }
    }
    findings.printed()?;
    let code = u8::from(findings.first_failure().is_some());
    if global.json {
        print::json(&findings.into_all())?;
    }
    Ok(code)
}

/// Gives the surroundings, and why nothing can be said of what only a config tells.
type Looked = (Here, Result<(), &'static str>);

fn look_at_config(global: &Global, findings: &mut Findings) -> Result<Looked, Fault> {
    let mut here = Here::without_config(global)?;
    let path = here.paths.config_file.clone();
    let shown = path.display().to_string();
    if here.lacks_config() {
        let cure = "`deskbell init` writes one; --config FILE names another";
        findings.fail("config", format!("there is none at {shown}"), Some(cure.to_owned()));
        return Ok((here, Err(MISSING)));
    }
    match Config::load(Some(&path)) {
        Ok(config) => {
            let open = if is_open(&path) && holds_password(&config) {
                format!("; others can read the password in it, `chmod 600 {shown}` helps")
            } else {
                String::new()
            };
            match super::tty::check(&config) {
                Ok(()) => findings.ok("config", format!("{shown}{open}")),
                Err(wrong) => {
                    let cure = "correct that line; `deskbell init --example` shows every key".to_owned();
                    findings.fail("config", format!("{shown}: {wrong}"), Some(cure));
                }
            }
            here.config = config;
            Ok((here, Ok(())))
        }
        Err(error) => {
            let cure = error.hint.clone().unwrap_or_else(|| "correct that line".to_owned());
            findings.fail("config", error.to_string(), Some(cure));
            Ok((here, Err(UNREADABLE)))
        }
    }
}

/// Tells whether others than its owner can read a file.
fn is_open(path: &Path) -> bool {
    path.metadata().is_ok_and(|meta| meta.permissions().mode() & 0o077 != 0)
}

fn holds_password(config: &Config) -> bool {
    let mailboxes = config.mailboxes.values().filter_map(|mailbox| match &mailbox.source {
        SourceConfig::Imap(imap) => Some(&imap.login.secret),
        SourceConfig::MicrosoftGraph(graph) => Some(&graph.application.client_secret),
        SourceConfig::Maildir { .. } => None,
    });
    let outlets = config.outlets.values().filter_map(|outlet| match &outlet.method {
        OutletMethod::Smtp(smtp) => smtp.login.as_ref().map(|login| &login.secret),
        OutletMethod::MicrosoftGraph(graph) => Some(&graph.application.client_secret),
        _ => None,
    });
    mailboxes.chain(outlets).any(|secret| matches!(secret, SecretSource::Given(_)))
}

fn look_at_data_dir(here: &Here, findings: &mut Findings) {
    let dir = &here.paths.data_dir;
    let shown = dir.display();
    let cure = || Some("check its owner and permissions, or say --data-dir DIR".to_owned());
    if !dir.exists() {
        return match dir.ancestors().find(|above| above.exists()).map(try_to_write) {
            Some(Ok(())) => findings.ok("data dir", format!("{shown} is made when the desk first needs it")),
            Some(Err(error)) => findings.fail("data dir", format!("{shown} cannot be made: {error}"), cure()),
            None => findings.fail("data dir", format!("{shown} cannot be made"), cure()),
        };
    }
    if let Err(error) = try_to_write(dir) {
        return findings.fail("data dir", format!("{shown} cannot be written: {error}"), cure());
    }
    let free = free_space(dir);
    if let Some(free) = free.filter(|free| *free < ROOM) {
        let cure = "make room: mail stays on its server until there is some";
        return findings.fail("data dir", format!("only {} are free", print::size(free)), Some(cure.into()));
    }
    let open = match is_open(dir) {
        true => format!("; others can look into it, `chmod 700 {shown}` helps"),
        false => String::new(),
    };
    let free = free.map_or(String::new(), |free| format!(", {} free", print::size(free)));
    findings.ok("data dir", format!("{shown}{free}{open}"));
}

fn try_to_write(dir: &Path) -> std::io::Result<()> {
    let path = dir.join(format!(".deskbell-doctor-{}", std::process::id()));
    std::fs::OpenOptions::new().write(true).create_new(true).open(&path)?;
    std::fs::remove_file(path)
}

fn free_space(dir: &Path) -> Option<u64> {
    let stat = rustix::fs::statvfs(dir).ok()?;
    Some(stat.f_bavail.saturating_mul(stat.f_frsize))
}

/// What the desk itself says.
pub struct Known {
    pub projects: Vec<ProjectView>,
    pub settings: DeskSettings,
    /// For each project.
    pub templates: BTreeMap<String, Vec<TemplateView>>,
    /// The desk, if a server has it. One that we opened ourselves is left at once, so that a sync may
    /// begin while we wait for servers.
    pub served: Option<Session>,
}

impl Known {
    /// Asks the desk, and leaves it unless it is served.
    pub async fn ask(session: Session) -> Result<Self, Fault> {
        let asked = what_is_known(&session).await;
        let served = if session.is_served() {
            Some(session)
        } else {
            session.close().await;
            None
        };
        Ok(Self { served, ..asked? })
    }
}

/// Says who owns the desk; gives what it says, if there is one.
async fn look_at_desk(here: &Here, findings: &mut Findings) -> Option<Known> {
    if !here.paths.data_dir.exists() {
        findings.ok("sync", "none runs, there is no desk yet");
        return None;
    }
    let session = match Session::open(here).await {
        Ok(session) => session,
        Err(fault) => {
            findings.fail("desk", fault.message, fault.hint);
            return None;
        }
    };
    match session.is_served() {
        true => look_at_sync(&session, findings).await,
        false => {
            findings.ok("sync", "none runs: mail neither comes in nor goes out until `deskbell sync` does");
        }
    }
    match Known::ask(session).await {
        Ok(known) => Some(known),
        Err(fault) => {
            findings.fail("desk", fault.message, fault.hint);
            None
        }
    }
}

async fn look_at_sync(session: &Session, findings: &mut Findings) {
    match session.ask(Request::Status).await {
        Ok(Response::Status(status)) => report_sync(&status, findings),
        Ok(other) => {
            let fault = unexpected(&other);
            findings.fail("sync", fault.message, fault.hint);
        }
        Err(fault) => findings.fail("sync", fault.message, fault.hint),
    }
}

fn report_sync(status: &DeskStatus, findings: &mut Findings) {
    let how = if status.while_used { ", while it is used" } else { "" };
    if !status.stale {
        return findings.ok("sync", format!("process {} serves the desk{how}", status.pid));
    }
    let failing = |channel: &&Channel| channel.state == ChannelState::Failing;
    let failing: Vec<&Channel> = status.mailboxes.iter().chain(&status.outlets).filter(failing).collect();
    let words = failing.iter().map(|c| {
        let last = c.last_success.map_or("never".to_owned(), |at| at.to_string());
        format!(
            "{} fails, it last worked {last}: {}",
            c.name,
            c.error.as_deref().unwrap_or("no reason given")
        )
    });
    let words = words.collect::<Vec<_>>().join("; ");
    let cure = failing.iter().find_map(|channel| channel.hint.clone());
    findings.fail("sync", format!("process {} is stale: {words}", status.pid), cure);
}

/// Looks into every mailbox and outlet of a config.
pub async fn look_at_connections(here: &Here, findings: &mut Findings) {
    let mailboxes = ask_mailboxes(here);
    let outlets = ask_outlets(here);
    report_mailboxes(mailboxes, findings).await;
    report_outlets(here, outlets, findings).await;
}

type Probing = (MailboxConfig, Option<JoinHandle<Vec<Step>>>);

fn ask_mailboxes(here: &Here) -> Vec<Probing> {
    let tokens = Tokens::new(&here.paths.data_dir);
    let probing = |mailbox: &MailboxConfig| {
        let (asked, tokens) = (mailbox.clone(), tokens.clone());
        let task = mailbox.enabled.then(|| tokio::spawn(async move { source::probe(&asked, &tokens).await }));
        (mailbox.clone(), task)
    };
    here.config.mailboxes.values().map(probing).collect()
}

async fn report_mailboxes(probing: Vec<Probing>, findings: &mut Findings) {
    if probing.is_empty() {
        findings.ok("mailboxes", "none in the config: mail comes in by `deskbell deliver` only");
    }
    for (mailbox, task) in probing {
        let name = format!("mailbox {}", mailbox.name);
        let Some(task) = task else {
            findings.ok(name, "switched off in the config");
            continue;
        };
        let steps = match task.await {
            Ok(steps) => steps,
            Err(error) => {
                findings.fail(name, error.to_string(), None);
                continue;
            }
        };
        for step in steps {
            let title = format!("{name}: {}", step.name);
            match step.result {
                Ok(found) => findings.ok(title, found),
                Err(error) => findings.fail(title, error, step.hint),
            }
        }
    }
}

type Checking = (OutletConfig, JoinHandle<Result<(), crate::outlet::OutletError>>);

fn ask_outlets(here: &Here) -> Vec<Checking> {
    let checking = |config: &OutletConfig| {
        let mut outlet = Outlet::new(config, &here.paths.data_dir);
        let task = tokio::spawn(async move {
            let checked = outlet.check().await;
            outlet.close().await;
            checked
        });
        (config.clone(), task)
    };
    here.config.outlets.values().map(checking).collect()
}

async fn report_outlets(here: &Here, checking: Vec<Checking>, findings: &mut Findings) {
    if checking.is_empty() {
        match here.config.mailboxes.is_empty() {
            true => findings.ok("outlets", "none in the config: no mail goes out"),
            false => findings.fail(
                "outlets",
                "none in the config: no answer can go out",
                Some("add a section [smtp], as `deskbell init --example` shows it".to_owned()),
            ),
        }
    }
    for (config, task) in checking {
        let name = match config.name.as_str() {
            DEFAULT_OUTLET => "outlet smtp".to_owned(),
            other => format!("outlet {other}"),
        };
        match task.await {
            Ok(Ok(())) => findings.ok(name, way(here, &config)),
            Ok(Err(error)) => {
                findings.fail(format!("{name}: {}", error.stage), error.text, error.hint);
            }
            Err(error) => findings.fail(name, error.to_string(), None),
        }
    }
}

/// Says until when the stored sign-ins are good.
fn report_sign_ins(here: &Here, findings: &mut Findings) {
    for sign_in in login::sign_ins(here) {
        let title = format!("sign-in {}", sign_in.name);
        match login::describe(&sign_in, jiff::Timestamp::now()) {
            (words, None) => findings.ok(title, words),
            (words, cure) => findings.fail(title, words, cure),
        }
    }
}

fn way(here: &Here, config: &OutletConfig) -> String {
    match &config.method {
        OutletMethod::Smtp(smtp) => {
            let who = smtp.login.as_ref().map_or("no login".to_owned(), |login| format!("as {}", login.user));
            format!("{}:{}, {who}; nothing was sent", smtp.server.host, smtp.server.port)
        }
        OutletMethod::Sendmail { command } => command.join(" "),
        OutletMethod::Maildir { path } => here.paths.written(path).display().to_string(),
        OutletMethod::MicrosoftGraph(graph) => {
            format!(
                "{} by Microsoft Graph, as application {}; nothing was sent",
                graph.user, graph.application.client_id
            )
        }
    }
}

fn look_at_projects(here: &Here, known: &Known, findings: &mut Findings) {
    if known.projects.is_empty() {
        findings.ok("projects", "none yet: mail waits in triage until `deskbell project add GROUP/NAME`");
    }
    for project in &known.projects {
        let found = known.templates.get(&project.path).map(Vec::as_slice).unwrap_or_default();
        templates::look(here.config_dir(), project, &known.settings, found, findings);
    }
}

/// Asks for the settings of the desk, every project, and where its templates come from.
async fn what_is_known(session: &Session) -> Result<Known, Fault> {
    let projects = match session.ask(Request::Projects).await? {
        Response::Projects(projects) => projects,
        other => return Err(unexpected(&other)),
    };
    let settings = match session.ask(Request::Desk).await? {
        Response::Desk(desk) => desk,
        other => return Err(unexpected(&other)),
    };
    let mut templates = BTreeMap::new();
    for project in &projects {
        let asked = Request::Templates { project: project.path.clone() };
        match session.ask(asked).await {
            Ok(Response::Templates(found)) => drop(templates.insert(project.path.clone(), found)),
            // Those who only read a project are not told of them.
            Err(fault) if fault.kind == FaultKind::NotAllowed => {}
            Ok(other) => return Err(unexpected(&other)),
            Err(fault) => return Err(fault),
        }
    }
    Ok(Known { projects, settings, templates, served: None })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stale_sync_is_said_with_what_fails_and_its_cure() {
        let at = "2026-06-10T08:00:00Z".parse().unwrap();
        let channel = Channel {
            name: "support".to_owned(),
            method: "imap".to_owned(),
            state: ChannelState::Failing,
            since: at,
            last_success: Some(at),
            next_try: None,
            error: Some("login refused".to_owned()),
            hint: Some("check the password".to_owned()),
            progress: None,
            silent: 0,
        };
        let mut status = DeskStatus {
            version: "0.1.0".to_owned(),
            pid: 7,
            while_used: false,
            serving: true,
            started_at: at,
            data_dir: String::new(),
            mailboxes: vec![channel],
            outlets: Vec::new(),
            outbox: crate::domain::OutboxCounts::default(),
            triage: 0,
            quarantined: 0,
            spam: crate::domain::SpamStatus::default(),
            present: Vec::new(),
            sign_ins: Vec::new(),
            free_space: None,
            notices: Vec::new(),
            stale: true,
        };
        let told = |status: &DeskStatus| {
            let mut findings = Findings::new(true);
            report_sync(status, &mut findings);
            findings.into_all().remove(0)
        };
        let finding = told(&status);
        let detail = "process 7 is stale: support fails, it last worked 2026-06-10T08:00:00Z: login refused";
        assert_eq!((finding.ok, finding.detail.as_deref()), (false, Some(detail)));
        assert_eq!(finding.cure.as_deref(), Some("check the password"));
        status.stale = false;
        assert!(told(&status).ok);
    }
}
