//! Sign-ins: one that ends soon is said while there is time to sign in again, and tokens that the keyring did
//! not take go back to it.

use super::Plan;
use crate::config::Login;
use crate::desk::Desk;
use crate::oauth::Tokens;
use jiff::SignedDuration;
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// How long ahead.
const AHEAD: SignedDuration = SignedDuration::from_hours(7 * 24);
/// How often the keyring is asked again. It may raise a prompt each time.
const AGAIN: Duration = Duration::from_secs(5 * 60);

/// Puts up a notice where a sign-in ends soon, and takes it down where it does not; the same where its tokens
/// lie in a file although they belong in the keyring.
pub(super) fn tell(desk: &Desk, tokens: &Tokens, login: Option<&Login>) {
    let Some(login) = login else { return };
    let Ok(standing) = tokens.standing(login) else { return };
    let topic = format!("sign-in {}", login.owner);
    let soon = desk.now().checked_add(AHEAD).ok();
    let ends = standing.as_ref().and_then(|standing| standing.ends);
    match ends.filter(|end| soon.is_some_and(|soon| *end < soon)) {
        Some(end) => desk.board().notice(
            topic,
            format!("the sign-in of {0} ends at {end}: run `deskbell login {0}` before", login.owner),
        ),
        None => {
            desk.board().clear_notice(&topic);
        }
    }
    tell_of_place(desk, login, standing.and_then(|standing| standing.held_back));
}

fn tell_of_place(desk: &Desk, login: &Login, held_back: Option<String>) {
    let topic = format!("tokens {}", login.owner);
    match held_back {
        Some(why) => desk.board().notice(
            topic,
            format!(
                "the tokens of {} lie in a file until the keyring takes them: {why}; unlock it, or set \
                 tokens = \"file\" under [oauth]",
                login.owner
            ),
        ),
        None => {
            desk.board().clear_notice(&topic);
        }
    }
}

/// Moves tokens back to the keyring as soon as it takes them, until `stop`.
pub(super) async fn serve(desk: &Desk, plan: &Plan, stop: &CancellationToken) {
    while !stop.is_cancelled() {
        pass(desk, plan).await;
        tokio::select! {
            () = stop.cancelled() => return,
            () = tokio::time::sleep(AGAIN) => {}
        }
    }
}

/// Tries once for each login, one after the other, since several may share a grant.
pub(super) async fn pass(desk: &Desk, plan: &Plan) {
    let tokens = Tokens::new(&plan.data_dir);
    let ways_in = plan.mailboxes.iter().filter_map(|mailbox| mailbox.source.login());
    let ways_out = plan.outlets.iter().filter_map(|(_, outlet)| outlet.method.login());
    for login in ways_in.chain(ways_out) {
        match tokens.tend(login).await {
            Ok(held_back) => tell_of_place(desk, login, held_back),
            // Whoever needs the token says it.
            Err(error) => tracing::debug!(login = login.owner, %error, "the tokens cannot be moved"),
        }
    }
}
