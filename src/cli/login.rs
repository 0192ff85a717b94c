//! `deskbell login`: a person signs in at the provider of a mailbox or outlet, and the desk keeps the grant.

use super::here::Here;
use super::print;
use super::session::Session;
use crate::config::{Config, Login, OAuth, OutletMethod, SecretError, SecretSource, SourceConfig};
use crate::domain::{Fault, KeptIn, Request, SignIn, counted};
use crate::oauth::{self, Browser, Device, Granted, Tokens};
use anyhow::Result;
use clap::Args;
use jiff::{SignedDuration, Timestamp};
use serde_json::json;

/// A sign-in that ends sooner is worth a word.
const SOON: SignedDuration = SignedDuration::from_hours(7 * 24);

/// What `login` takes.
#[derive(Clone, Debug, Default, Args)]
#[command(
    after_help = "What is granted lies in the keyring of the desktop where there is one, else in a file that only you can \
    read; `tokens` under [oauth] decides.\n\nExamples:\n  deskbell login support\n  \
    deskbell login smtp --browser --port 8421"
)]
pub struct Asked {
    /// The mailbox or outlet, as the config names it; `smtp` is the section [smtp].
    pub name: String,
    /// Shows a code that is typed in at the provider's page, on whatever device.
    #[arg(long, conflicts_with = "browser")]
    pub device: bool,
    /// Waits for a browser on this machine to come back from the provider's page.
    #[arg(long)]
    pub browser: bool,
    /// The port that the browser comes back to; any free one unless given.
    #[arg(long, default_value_t = 0, hide_default_value = true, conflicts_with = "device")]
    pub port: u16,
}

/// `deskbell login`.
pub async fn run(here: &Here, asked: Asked) -> Result<u8> {
    if here.host.is_some() {
        return Err(Fault::usage("`login` keeps what it gets on the machine it runs on")
            .hint("run it over there: ssh -t user@host deskbell login NAME --device")
            .into());
    }
    let tokens = Tokens::new(&here.paths.data_dir);
    let login = find(&here.config, &tokens, &asked.name)?;
    let oauth = oauth::application(login).map_err(fault)?;
    let why_not = sign_in(&tokens, login, oauth, &asked).await?;
    here.deeds.note();
    wake(here).await;
    let served = logins(&here.config).filter(|other| tokens.same_grant(login, other));
    let mut names: Vec<&str> = served.map(|other| other.owner.as_str()).collect();
    names.dedup();
    let Some(known) = known(&tokens, login) else {
        return Err(Fault::internal("what was kept cannot be read again").into());
    };
    if here.json {
        print::json(&json!({
            "name": login.owner,
            "user": login.user,
            "serves": names,
            "token_ends_at": known.token_ends_at,
            "renewable": known.renewable,
            "ends_at": known.ends_at,
            "kept_in": known.kept_in,
            "held_back": known.held_back,
        }))?;
    } else {
        print::say(format_args!("Signed in as {} for {}", print::line(&login.user), names.join(", ")))?;
        let why = why_not.map_or(String::new(), |why| format!(": {why}"));
        print::say(format_args!("The tokens lie in {}{}", known.kept_in.words(), print::line(&why)))?;
        if let Some(ends) = known.ends_at {
            print::say(format_args!("The provider ends it at {ends}"))?;
        }
        print::say("`deskbell doctor` tries the connections")?;
    }
    Ok(0)
}

/// Signs in and keeps what is granted; gives why it does not lie in the keyring, where it could not.
pub(super) async fn sign_in(
    tokens: &Tokens,
    login: &Login,
    oauth: &OAuth,
    asked: &Asked,
) -> Result<Option<String>, Fault> {
    tokens.ready(login).await.map_err(fault)?;
    let by_code = asked.device || (!asked.browser && asked.port == 0 && oauth.device_url.is_some());
    let granted = match by_code {
        true => by_device(login, oauth).await?,
        false => by_browser(login, oauth, asked.port).await?,
    };
    if !granted.renewable() {
        print::aside(
            "The provider gave nothing to renew the token with: look at `scope` and the application there",
        );
    }
    tokens.keep(login, granted).await.map_err(fault)
}

async fn by_device(login: &Login, oauth: &OAuth) -> Result<Granted, Fault> {
    let device = Device::begin(oauth, &login.owner).await.map_err(fault)?;
    print::aside(format_args!("Open this page on any device, as {}:", print::line(&login.user)));
    print::aside(format_args!("  {}", print::line(device.page())));
    print::aside("and type in this code:");
    print::aside(format_args!("  {}", print::line(device.code())));
    print::aside(format_args!(
        "It is good for {}. Waiting …",
        counted(device.lasts().as_secs().div_ceil(60), "minute")
    ));
    device.wait().await.map_err(fault)
}

async fn by_browser(login: &Login, oauth: &OAuth, port: u16) -> Result<Granted, Fault> {
    let browser = Browser::begin(oauth, &login.owner, &login.user, port).await.map_err(fault)?;
    print::aside(format_args!(
        "Open this page in a browser on this machine, as {}:",
        print::line(&login.user)
    ));
    print::aside(format_args!("  {}", print::line(browser.page())));
    let port = browser.port();
    print::aside(format_args!(
        "From elsewhere, forward the port first: ssh -L {port}:127.0.0.1:{port} user@host. Waiting …"
    ));
    browser.wait().await.map_err(fault)
}

/// Gives every login of a config.
fn logins(config: &Config) -> impl Iterator<Item = &Login> {
    let mailboxes = config.mailboxes.values().filter_map(|mailbox| mailbox.source.login());
    mailboxes.chain(config.outlets.values().filter_map(|outlet| outlet.method.login()))
}

/// Finds the login of a name that lives on a stored token.
pub(super) fn find<'c>(config: &'c Config, tokens: &Tokens, name: &str) -> Result<&'c Login, Fault> {
    let named: Vec<&Login> = logins(config).filter(|login| login.owner == name).collect();
    let Some(first) = named.first().copied() else { return Err(not_found(config, name)) };
    let stored: Vec<&Login> =
        named.iter().copied().filter(|login| login.secret == SecretSource::Stored).collect();
    match stored.as_slice() {
        [login] => Ok(login),
        [login, rest @ ..] if rest.iter().all(|other| tokens.same_grant(login, other)) => Ok(login),
        [] if first.auth.takes_token() => {
            Err(Fault::usage(format!("the tokens of {name} come from the config, not from a sign-in"))
                .hint("remove token_command from its section to sign in here"))
        }
        [] => Err(Fault::usage(format!("{name} logs in with a password"))
            .hint("set auth = \"xoauth2\" and oauth = { … } in its section")),
        _ => Err(Fault::usage(format!(
            "a mailbox and an outlet are both called {name}, with different logins"
        ))
        .hint("give one of them another name in the config")),
    }
}

fn not_found(config: &Config, name: &str) -> Fault {
    let graph =
        config.mailboxes.get(name).is_some_and(|m| matches!(m.source, SourceConfig::MicrosoftGraph(_)))
            || config.outlets.get(name).is_some_and(|o| matches!(o.method, OutletMethod::MicrosoftGraph(_)));
    if graph {
        return Fault::usage(format!("{name} uses Microsoft Graph as an application: nobody signs in there"))
            .hint("give tenant_id, client_id and client_secret in its inbox_options");
    }
    let known: Vec<&str> = logins(config).map(|login| login.owner.as_str()).collect();
    let fault = Fault::usage(format!("no mailbox or outlet with a login is called {name}"));
    match known.is_empty() {
        true => fault.hint("`deskbell init` writes a config"),
        false => fault.hint(format!("there is {}", known.join(", "))),
    }
}

/// Tells a server of the desk that it may try again.
async fn wake(here: &Here) {
    let served = here.place().owner().ok().flatten().is_some_and(|owner| owner.socket.is_some());
    if served && let Ok(session) = Session::open(here).await {
        let _ = session.ask(Request::SyncNow).await;
        session.close().await;
    }
}

/// Gives every sign-in of a config that is stored here, as far as it can be read.
pub fn sign_ins(here: &Here) -> Vec<SignIn> {
    let tokens = Tokens::new(&here.paths.data_dir);
    logins(&here.config).filter_map(|login| known(&tokens, login)).collect()
}

fn known(tokens: &Tokens, login: &Login) -> Option<SignIn> {
    let standing = tokens.standing(login).ok().flatten()?;
    Some(SignIn {
        name: login.owner.clone(),
        user: login.user.clone(),
        token_ends_at: standing.token_ends,
        renewable: standing.renewable,
        ends_at: standing.ends,
        kept_in: if standing.in_keyring { KeptIn::Keyring } else { KeptIn::File },
        held_back: standing.held_back,
    })
}

/// Says how a sign-in stands and where its tokens lie, and what to do where it ends soon or they lie elsewhere
/// than they should.
pub fn describe(sign_in: &SignIn, now: Timestamp) -> (String, Option<String>) {
    let end = if sign_in.renewable { sign_in.ends_at } else { sign_in.token_ends_at };
    let for_now = sign_in.held_back.as_ref().map_or(String::new(), |why| format!(" for now ({why})"));
    let who = format!("as {}, kept in {}{for_now}", sign_in.user, sign_in.kept_in.words());
    let unlock =
        "unlock or start the keyring, they go back by themselves; or set tokens = \"file\" under [oauth]";
    let held_back = sign_in.held_back.as_ref().map(|_| unlock.to_owned());
    let cure = || Some(format!("run `deskbell login {}`", sign_in.name));
    match end {
        Some(end) if end <= now => (format!("{who}, ended {} ago", print::age(end, now)), cure()),
        Some(end) => {
            let cure = cure().filter(|_| end.duration_since(now) < SOON);
            (format!("{who}, ends in {}", print::age(now, end)), cure.or(held_back))
        }
        None if sign_in.renewable => (format!("{who}, renewed when it is needed"), held_back),
        None => (format!("{who}, until the server refuses it: it cannot be renewed"), held_back),
    }
}

pub(super) fn fault(error: SecretError) -> Fault {
    Fault::refused(error.message).hint(error.hint)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sign_in_that_ends_soon_is_said_ahead() {
        let now: Timestamp = "2026-03-02T09:00:00Z".parse().unwrap();
        let told = |ends_at: Option<&str>, renewable| {
            let at = |text: &str| text.parse().ok();
            let (name, user) = ("support".to_owned(), "a@x.example".to_owned());
            let token_ends_at = at("2026-03-02T10:00:00Z");
            let ends_at = ends_at.and_then(at);
            let (kept_in, held_back) = (KeptIn::Keyring, None);
            describe(&SignIn { name, user, token_ends_at, renewable, ends_at, kept_in, held_back }, now)
        };
        let cure = Some("run `deskbell login support`".to_owned());
        let words = "as a@x.example, kept in the keyring, renewed when it is needed";
        assert_eq!(told(None, true), (words.to_owned(), None));
        let far = told(Some("2026-03-20T09:00:00Z"), true);
        assert!(
            far.0.starts_with("as a@x.example, kept in the keyring, ends in ") && far.1.is_none(),
            "{far:?}"
        );
        assert_eq!(told(Some("2026-03-05T09:00:00Z"), true).1, cure);
        assert_eq!(told(Some("2026-03-01T09:00:00Z"), true).1, cure);
        assert_eq!(told(None, false).1, cure);
    }
}
