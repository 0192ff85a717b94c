//! A sign-in that ends soon is said while there is time to sign in again.

use crate::config::Login;
use crate::desk::Desk;
use crate::oauth::Tokens;
use jiff::SignedDuration;

/// How long ahead.
const AHEAD: SignedDuration = SignedDuration::from_hours(7 * 24);

/// Puts up a notice where a sign-in ends soon, and takes it down where it does not.
pub(super) fn tell(desk: &Desk, tokens: &Tokens, login: Option<&Login>) {
    let Some(login) = login else { return };
    let Ok(standing) = tokens.standing(login) else { return };
    let topic = format!("sign-in {}", login.owner);
    let soon = desk.now().checked_add(AHEAD).ok();
    match standing.and_then(|standing| standing.ends).filter(|end| soon.is_some_and(|soon| *end < soon)) {
        Some(end) => desk.board().notice(
            topic,
            format!("the sign-in of {0} ends at {end}: run `deskbell login {0}` before", login.owner),
        ),
        None => {
            desk.board().clear_notice(&topic);
        }
    }
}
