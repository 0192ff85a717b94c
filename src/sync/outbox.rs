//! One outlet: takes what is due from the outbox and records what became of each mail.

use super::{backoff::Backoff, caught, sign_in};
use crate::config::{Login, OutletConfig};
use crate::desk::{Claim, Desk, Settled};
use crate::domain::{Channel, ChannelState, Fault, FaultKind, OutboxId, OutboxPass, OutboxState};
use crate::oauth::Tokens;
use crate::outlet::{Outcome, Outlet};
use futures_util::future::join_all;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// Mails on their way at once, each over a connection of its own.
const AT_ONCE: usize = 4;
/// How long a server may take to part.
const PARTING: Duration = Duration::from_secs(1);
/// How often a mail that is being handed over is looked at while the process wants to end.
const LOOK_AGAIN: Duration = Duration::from_millis(10);

/// How soon, and how often, a result is recorded again that the desk could not record.
const SETTLE_AGAIN: Duration = Duration::from_secs(5);
const SETTLES: u32 = 60;

/// Why an outlet stopped in the middle.
struct Pause {
    error: String,
    hint: Option<String>,
    login_refused: bool,
}

struct Post<'a> {
    desk: &'a Desk,
    name: Option<String>,
    outlets: Vec<Outlet>,
    tokens: Tokens,
    login: Option<Login>,
    channel: Channel,
    pass: OutboxPass,
    stop: CancellationToken,
    /// Whether the last mails went through; until then one at a time is tried.
    works: bool,
}

impl<'a> Post<'a> {
    fn new(
        desk: &'a Desk,
        name: Option<String>,
        config: &OutletConfig,
        data_dir: &Path,
        stop: CancellationToken,
    ) -> Self {
        let channel = Channel::new(&config.name, config.method.word(), desk.now());
        let outlets = (0..AT_ONCE).map(|_| Outlet::new(config, data_dir)).collect();
        let login = config.method.login().cloned();
        let (tokens, pass) = (Tokens::new(data_dir), OutboxPass::default());
        Self { desk, name, outlets, tokens, login, channel, pass, stop, works: false }
    }

    fn show(&mut self, state: ChannelState) {
        if self.channel.state != state {
            self.channel.state = state;
            self.channel.since = self.desk.now();
        }
        if state == ChannelState::Ok {
            self.channel.last_success = Some(self.desk.now());
            self.channel.error = None;
            self.channel.hint = None;
            self.channel.next_try = None;
            sign_in::tell(self.desk, &self.tokens, self.login.as_ref());
        }
        self.desk.show_outlet(self.channel.clone());
    }

    fn paused(&mut self, pause: Pause, wait: Duration) {
        tracing::warn!(outlet = self.channel.name, error = pause.error, "the outlet does not work");
        let wait = jiff::SignedDuration::try_from(wait).unwrap_or_default();
        self.channel.next_try = self.desk.now().checked_add(wait).ok();
        self.channel.error = Some(pause.error);
        self.channel.hint = pause.hint;
        self.show(ChannelState::Failing);
    }

    /// Sends what is due, until nothing is, the outlet does not work, or it is told to stop.
    async fn send_due(&mut self) -> Result<Option<Pause>, Fault> {
        while !self.stop.is_cancelled() {
            // An outlet that may not work is not knocked at four times over: servers lock accounts for that.
            let at_once = if self.works { AT_ONCE } else { 1 };
            let claims = self.desk.claim(self.name.as_deref(), at_once).await?;
            if claims.is_empty() {
                return Ok(None);
            }
            if self.channel.state != ChannelState::Failing {
                self.show(ChannelState::Busy);
            }
            let (desk, stop) = (self.desk, &self.stop);
            let sending =
                self.outlets.iter_mut().zip(claims).map(|(outlet, claim)| send(desk, outlet, claim, stop));
            let mut pause = None;
            for outcome in join_all(sending).await {
                match outcome? {
                    Ok(state) => self.count(state),
                    Err(stop) => pause = Some(stop),
                }
            }
            self.works = pause.is_none();
            if pause.is_some() {
                return Ok(pause);
            }
        }
        Ok(None)
    }

    fn count(&mut self, state: OutboxState) {
        match state {
            OutboxState::Sent => self.pass.sent += 1,
            OutboxState::Deferred => self.pass.deferred += 1,
            OutboxState::Failed => self.pass.failed += 1,
            _ => {}
        }
    }

    async fn close(&mut self) {
        let parting = self.outlets.iter_mut().map(|outlet| tokio::time::timeout(PARTING, outlet.close()));
        join_all(parting).await;
    }
}

/// Sends one mail and records the result before the connection is used again.
async fn send(
    desk: &Desk,
    outlet: &mut Outlet,
    claim: Claim,
    stop: &CancellationToken,
) -> Result<Result<OutboxState, Pause>, Fault> {
    let Claim { id, from, to, bytes } = claim;
    let handing_over = outlet.handing_over();
    let outcome = tokio::select! {
        biased;
        outcome = caught(outlet.send(from.as_ref(), &to, &bytes)) => outcome.unwrap_or_else(|fault| {
            handing_over.store(false, Ordering::SeqCst);
            Outcome::PutOff { code: None, text: fault.message }
        }),
        () = may_leave(stop, &handing_over) => return desk.settle(id, Settled::Untried).await.map(Ok),
    };
    tracing::debug!(%id, ?outcome, "sent");
    let settled = match outcome {
        Outcome::Sent { .. } => Settled::Sent,
        Outcome::Refused { code, text } => Settled::Refused(format!("{code} {text}")),
        Outcome::PutOff { code: Some(code), text } => Settled::PutOff(format!("{code} {text}")),
        Outcome::PutOff { code: None, text } => Settled::PutOff(text),
        Outcome::Unreachable { stage, text, hint } => {
            let login_refused = matches!(stage, crate::outlet::Stage::Login | crate::outlet::Stage::Secret);
            let error = format!("{stage}: {text}");
            desk.settle(id, Settled::Untried).await?;
            desk.custom_unreachable(id, login_refused, &error).await?;
            return Ok(Err(Pause { error, hint, login_refused }));
        }
    };
    settle(desk, id, settled).await.map(Ok)
}

/// Waits until the process wants to end and the mail is not being handed over.
async fn may_leave(stop: &CancellationToken, handing_over: &AtomicBool) {
    stop.cancelled().await;
    while handing_over.load(Ordering::SeqCst) {
        tokio::time::sleep(LOOK_AGAIN).await;
    }
}

/// Records a result; a full disk or a store that fails is waited out, because what was sent must not be
/// sent again.
async fn settle(desk: &Desk, id: OutboxId, settled: Settled) -> Result<OutboxState, Fault> {
    let mut tries = 0;
    loop {
        match desk.settle(id, settled.clone()).await {
            Err(fault) if waits(&fault, tries) => {
                tracing::warn!(%id, error = fault.message, "a result cannot be recorded yet");
                desk.board().notice("outbox disk".to_owned(), format!("sending has stopped: {fault}"));
                tokio::time::sleep(SETTLE_AGAIN).await;
                tries += 1;
            }
            other => {
                desk.board().clear_notice("outbox disk");
                return other;
            }
        }
    }
}

/// Tells whether a result may be recorded later.
fn waits(fault: &Fault, tries: u32) -> bool {
    match fault.kind {
        FaultKind::Full => true,
        FaultKind::Unavailable | FaultKind::NotFound => false,
        // What lasts is a defect, which must not keep the outlet for good.
        _ => tries < SETTLES,
    }
}

/// Serves an outlet until `stop`; a mail on its way is waited for.
pub(super) async fn serve(
    desk: &Desk,
    name: Option<String>,
    config: &OutletConfig,
    data_dir: &Path,
    stop: &CancellationToken,
) {
    let mut backoff = Backoff::default();
    let mut post = Post::new(desk, name, config, data_dir, stop.clone());
    post.show(ChannelState::Idle);
    while !stop.is_cancelled() {
        let pause = match caught(post.send_due()).await.unwrap_or_else(Err) {
            Ok(None) => None,
            Ok(Some(pause)) => Some(pause),
            Err(fault) => Some(Pause { error: fault.message, hint: fault.hint, login_refused: false }),
        };
        let name = post.name.clone();
        match pause {
            None => {
                backoff.succeeded();
                if post.channel.state != ChannelState::Idle {
                    post.show(ChannelState::Ok);
                }
                tokio::select! {
                    () = stop.cancelled() => {}
                    () = desk.wait_for_mail(name.as_deref()) => {}
                    () = quiet(&mut post) => {}
                }
            }
            Some(pause) => {
                let wait = backoff.failed(pause.login_refused);
                post.paused(pause, wait);
                tokio::select! {
                    () = stop.cancelled() => {}
                    () = desk.wait_for_look() => {}
                    () = tokio::time::sleep(wait) => {}
                }
            }
        }
    }
    post.close().await;
}

/// Ends idle connections after a while, then waits for good.
async fn quiet(post: &mut Post<'_>) {
    tokio::time::sleep(Duration::from_secs(30)).await;
    post.close().await;
    std::future::pending::<()>().await;
}

/// Sends everything that is due now.
pub(super) async fn pass(
    desk: &Desk,
    name: Option<String>,
    config: &OutletConfig,
    data_dir: &Path,
) -> OutboxPass {
    let mut post = Post::new(desk, name, config, data_dir, CancellationToken::new());
    match caught(post.send_due()).await.unwrap_or_else(Err) {
        Ok(None) => post.show(ChannelState::Ok),
        Ok(Some(pause)) => post.paused(pause, super::mailbox::POLL),
        Err(fault) => {
            let pause = Pause { error: fault.message, hint: fault.hint, login_refused: false };
            post.paused(pause, super::mailbox::POLL);
        }
    }
    post.close().await;
    post.pass
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_result_is_recorded_again_unless_the_desk_ends_or_the_mail_is_gone() {
        for (kind, tries, again) in [
            (FaultKind::Full, 1000, true),
            (FaultKind::Internal, 0, true),
            (FaultKind::Internal, SETTLES, false),
            (FaultKind::Unavailable, 0, false),
            (FaultKind::NotFound, 0, false),
        ] {
            assert_eq!(waits(&Fault::new(kind.clone(), "x"), tries), again, "{kind:?} {tries}");
        }
    }
}
