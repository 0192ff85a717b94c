//! What `init` needs to know: from the flags, from the provider, and else from a person.

use super::{ask, providers};
use crate::cli::args::{Init, Tls};
use crate::cli::print;
use crate::config::{Encryption, is_loopback};
use crate::domain::{EmailAddress, Fault, path_fits};
use std::path::PathBuf;
use std::time::Duration;
use tokio::net::TcpStream;
use tokio::time::timeout;

/// How long a server that was only guessed may take to answer.
const PATIENCE: Duration = Duration::from_secs(4);

/// Where the password comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Password {
    Command(String),
    Env(String),
    Given(String),
    /// A command prints an access token.
    Token(String),
    SignIn(Application),
}

/// The application with which somebody signs in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Application {
    pub provider: &'static str,
    pub client_id: String,
    pub client_secret_command: Option<String>,
    pub tenant: Option<String>,
}

/// A server as the config names it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Place {
    pub host: String,
    pub port: u16,
    pub encryption: Encryption,
}

/// Everything that goes into the config.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Wanted {
    pub address: EmailAddress,
    pub project: String,
    pub user: String,
    pub imap: Place,
    pub smtp: Place,
    pub password: Password,
    /// Whether the password is an access token.
    pub token: bool,
    pub ca_file: Option<PathBuf>,
    /// Whether `address+key` reaches the mailbox.
    pub plus: bool,
    pub me: Option<String>,
    /// What the provider wants, when the login fails.
    pub advice: Option<&'static str>,
}

/// Gathers everything; what nobody gave and nobody can be asked for is named in one fault.
pub(super) async fn gather(asked: Init) -> Result<Wanted, Fault> {
    let person = ask::somebody_is_there();
    if !person {
        name_missing(&asked)?;
    }
    let address = match asked.address.clone() {
        Some(address) => address,
        None => ask::until("The address that customers write to", None, str::parse::<EmailAddress>)?,
    };
    let named = asked.imap_host.as_deref().or(asked.smtp_host.as_deref());
    let provider = match named {
        Some(host) => providers::of_server(host),
        None => providers::of(&address.domain()),
    };
    if let Some(provider) = provider.filter(|_| person) {
        print::aside(format_args!("{}: {}.", provider.name, provider.advice));
    }
    let project = match asked.project.clone() {
        Some(path) => {
            path_of_project(&path).map_err(|why| Fault::usage(why).hint("write it as group/name"))?
        }
        None => {
            let suggested = suggested_project(&address);
            ask::until("The first project, as group/name", Some(&suggested), path_of_project)?
        }
    };
    let (imap, smtp) = servers(&asked, provider, &address, person).await?;
    let user = match asked.user.clone() {
        Some(user) => user,
        None if person && provider.is_none() => ask::line("The login name", Some(address.as_str()))?,
        None => address.to_string(),
    };
    Ok(Wanted {
        password: password(&asked, provider)?,
        plus: plus(&asked, provider, &address, person)?,
        token: provider.is_some_and(|p| p.token),
        advice: provider.map(|p| p.advice),
        ca_file: absolute(asked.ca_file)?,
        me: asked.me,
        address,
        project,
        user,
        imap,
        smtp,
    })
}

/// Names what is missing where nobody can be asked.
fn name_missing(asked: &Init) -> Result<(), Fault> {
    let ways = [&asked.password_command, &asked.password_env, &asked.token_command, &asked.client_id];
    let has_password = ways.iter().any(|way| way.is_some());
    let needed = [
        ("--address", asked.address.is_some()),
        ("--project", asked.project.is_some()),
        ("--password-command (or --password-env)", has_password),
    ];
    let missing: Vec<&str> = needed.iter().filter(|(_, there)| !there).map(|(flag, _)| *flag).collect();
    if missing.is_empty() {
        return Ok(());
    }
    Err(Fault::usage(format!("there is no terminal to ask on, and no {}", missing.join(", no ")))
        .hint("give these flags, or run `deskbell init` in a terminal"))
}

fn path_of_project(text: &str) -> Result<String, String> {
    match path_fits(text) {
        true => Ok(text.to_owned()),
        false => Err(format!("`{text}` cannot be a project: use letters, digits, dashes, dots and slashes")),
    }
}

/// Suggests `brightwater/support` for `support@brightwater.example`.
fn suggested_project(address: &EmailAddress) -> String {
    let domain = address.domain();
    let group = match providers::of(&domain) {
        Some(_) => address.local(),
        None => domain.split('.').next().unwrap_or("desk"),
    };
    let group = crate::domain::slug(group);
    format!("{}/support", if group.is_empty() { "desk" } else { &group })
}

async fn servers(
    asked: &Init,
    provider: Option<&providers::Provider>,
    address: &EmailAddress,
    person: bool,
) -> Result<(Place, Place), Fault> {
    let domain = address.domain();
    let imap = [(993, Encryption::Implicit), (143, Encryption::StartTls)];
    let smtp = [(465, Encryption::Implicit), (587, Encryption::StartTls)];
    let imap_guess = Guess { name: "imap", domain: &domain, ports: imap, known: provider.map(|p| p.imap) };
    let smtp_guess = Guess { name: "smtp", domain: &domain, ports: smtp, known: provider.map(|p| p.smtp) };
    let offline = asked.offline;
    Ok((
        imap_guess.place(asked.imap_host.as_deref(), asked.imap_port, asked.tls, offline, person).await?,
        smtp_guess.place(asked.smtp_host.as_deref(), asked.smtp_port, asked.tls, offline, person).await?,
    ))
}

/// Where a server may be.
struct Guess<'a> {
    name: &'static str,
    domain: &'a str,
    /// The usual ports, the better one first.
    ports: [(u16, Encryption); 2],
    known: Option<providers::Place>,
}

impl Guess<'_> {
    async fn place(
        &self,
        host: Option<&str>,
        port: Option<u16>,
        tls: Option<Tls>,
        offline: bool,
        person: bool,
    ) -> Result<Place, Fault> {
        if let (None, Some(known)) = (host, self.known) {
            let usual = Place { host: known.host.to_owned(), port: known.port, encryption: known.encryption };
            return Ok(self.with(usual, port, tls));
        }
        let host = match host {
            Some(host) => host.to_owned(),
            None => {
                let found = self.find(port, offline).await;
                match person {
                    true => ask::line(&format!("The {} server", self.name.to_uppercase()), Some(&found))?,
                    false => found,
                }
            }
        };
        let [(first, encryption), (second, upgrade)] = self.ports;
        let open = !offline && port.is_none() && tls.is_none() && !answers(&host, first).await;
        let usual = match open && answers(&host, second).await {
            true => Place { host, port: second, encryption: upgrade },
            false => Place { host, port: first, encryption },
        };
        Ok(self.with(usual, port, tls))
    }

    /// Puts what was said in place of what is usual.
    fn with(&self, usual: Place, port: Option<u16>, tls: Option<Tls>) -> Place {
        let encryption = match (tls, port) {
            (Some(Tls::Implicit), _) => Encryption::Implicit,
            (Some(Tls::Upgrade), _) => Encryption::StartTls,
            (Some(Tls::None), _) => Encryption::Plaintext,
            (None, Some(143 | 587 | 25)) => Encryption::StartTls,
            (None, Some(993 | 465)) => Encryption::Implicit,
            (None, _) => usual.encryption,
        };
        let [implicit, upgrade] = self.ports;
        let of_encryption = match encryption {
            Encryption::Implicit => implicit.0,
            Encryption::StartTls => upgrade.0,
            Encryption::Plaintext if self.name == "imap" => 143,
            Encryption::Plaintext => 25,
        };
        let usual_port = if encryption == usual.encryption { usual.port } else { of_encryption };
        Place { host: usual.host, port: port.unwrap_or(usual_port), encryption }
    }

    /// Gives the first likely name that answers, else the likeliest.
    async fn find(&self, port: Option<u16>, offline: bool) -> String {
        let likely = [format!("{}.{}", self.name, self.domain), format!("mail.{}", self.domain)];
        let ports = port.map_or(self.ports.map(|(port, _)| port).to_vec(), |port| vec![port]);
        let [first, _] = &likely;
        if offline {
            return first.clone();
        }
        for host in &likely {
            for port in &ports {
                if answers(host, *port).await {
                    return host.clone();
                }
            }
        }
        first.clone()
    }
}

async fn answers(host: &str, port: u16) -> bool {
    timeout(PATIENCE, TcpStream::connect((host, port))).await.is_ok_and(|connected| connected.is_ok())
}

fn password(asked: &Init, provider: Option<&providers::Provider>) -> Result<Password, Fault> {
    let given = [
        asked.password_command.clone().map(Password::Command),
        asked.password_env.clone().map(Password::Env),
        asked.token_command.clone().map(Password::Token),
        sign_in(asked, provider)?.map(Password::SignIn),
    ];
    let mut given = given.into_iter().flatten();
    match (given.next(), given.next()) {
        (Some(_), Some(_)) => Err(Fault::usage("the password is given in two ways")
            .hint("keep one of --password-command, --password-env, --token-command and --client-id")),
        (Some(password), None) => Ok(password),
        (None, _) => match provider.filter(|p| p.token) {
            Some(provider) => ask_token(provider),
            None => ask_password(provider),
        },
    }
}

/// Gives the application of the flags, which only means something at a provider that is known.
fn sign_in(asked: &Init, provider: Option<&providers::Provider>) -> Result<Option<Application>, Fault> {
    let Some(client_id) = asked.client_id.clone() else { return Ok(None) };
    let Some(provider) = provider.and_then(|p| p.oauth) else {
        return Err(Fault::usage("nobody knows where to sign in for this address").hint(
            "name Google's or Microsoft's server with --imap-host; for others write `oauth` into the config",
        ));
    };
    let (client_secret_command, tenant) = (asked.client_secret_command.clone(), asked.tenant.clone());
    Ok(Some(Application { provider, client_id, client_secret_command, tenant }))
}

fn ask_password(provider: Option<&providers::Provider>) -> Result<Password, Fault> {
    let oauth = provider.and_then(|p| p.oauth);
    print::aside("Where does the password come from?");
    print::aside("  1  a command prints it, such as `pass show support` (best)");
    print::aside("  2  an environment variable holds it");
    print::aside("  3  it stands in the config, which only you can read");
    if oauth.is_some() {
        print::aside("  4  there is none: you sign in there (OAuth2)");
    }
    let ways = if oauth.is_some() { ["1", "2", "3", "4"].as_slice() } else { &["1", "2", "3"] };
    match (ask_way(ways)?.as_str(), oauth) {
        ("1", _) => ask::line("The command", None).map(Password::Command),
        ("2", _) => ask::line("The name of the variable", None).map(Password::Env),
        ("4", Some(provider)) => ask_application(provider),
        _ => ask::line("The password (it is seen while you type)", None).map(Password::Given),
    }
}

fn ask_token(provider: &providers::Provider) -> Result<Password, Fault> {
    print::aside("Where does the access token come from?");
    print::aside("  1  you sign in there, with an application that is registered for it");
    print::aside("  2  a command prints it");
    match (ask_way(&["1", "2"])?.as_str(), provider.oauth) {
        ("1", Some(provider)) => ask_application(provider),
        _ => ask::line("The command", None).map(Password::Token),
    }
}

fn ask_way(ways: &[&str]) -> Result<String, Fault> {
    let (last, others) = ways.split_last().map_or(("1", &[][..]), |(last, others)| (*last, others));
    let words = format!("{} or {last}", others.join(", "));
    ask::until(&words, Some("1"), |answer| match ways.contains(&answer) {
        true => Ok(answer.to_owned()),
        false => Err(format!("say {words}")),
    })
}

fn ask_application(provider: &'static str) -> Result<Password, Fault> {
    let client_id = ask::line("The application's id (client id)", None)?;
    let secret = ask::line("A command that prints its secret, or `none`", Some("none"))?;
    let tenant = match provider {
        "microsoft" => Some(ask::line("The directory (tenant)", Some("common"))?),
        _ => None,
    };
    Ok(Password::SignIn(Application {
        provider,
        client_id,
        client_secret_command: Some(secret).filter(|secret| secret != "none"),
        tenant: tenant.filter(|tenant| tenant != "common"),
    }))
}

fn plus(
    asked: &Init,
    provider: Option<&providers::Provider>,
    address: &EmailAddress,
    person: bool,
) -> Result<bool, Fault> {
    match (asked.plus, provider) {
        (Some(plus), _) => Ok(plus),
        (None, Some(provider)) => Ok(provider.plus),
        (None, None) if person => {
            let example = format!("{}+anything@{}", address.local(), address.domain());
            ask::yes(&format!("Does mail to {example} reach this mailbox"), true)
        }
        // The round trip tells whether it is so.
        (None, None) => Ok(true),
    }
}

fn absolute(path: Option<PathBuf>) -> Result<Option<PathBuf>, Fault> {
    let Some(path) = path else { return Ok(None) };
    match std::path::absolute(&path) {
        Ok(found) if found.is_file() => Ok(Some(found)),
        _ => Err(Fault::usage(format!("there is no file {}", path.display())).hint("correct --ca-file")),
    }
}

/// Tells whether a place needs to be told that it may go without TLS.
pub(super) fn insists(place: &Place) -> bool {
    place.encryption == Encryption::Plaintext && !is_loopback(&place.host)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(text: &str) -> EmailAddress {
        text.parse().unwrap()
    }

    fn guess(known: Option<providers::Place>) -> Guess<'static> {
        let ports = [(465, Encryption::Implicit), (587, Encryption::StartTls)];
        Guess { name: "smtp", domain: "x.example", ports, known }
    }

    #[test]
    fn a_project_is_suggested_from_the_address() {
        for (text, expected) in [
            ("help@brightwater.example", "brightwater/support"),
            ("acme.desk@gmail.com", "acme-desk/support"),
            ("x@日本.example", "desk/support"),
        ] {
            assert_eq!(suggested_project(&address(text)), expected);
        }
    }

    #[tokio::test]
    async fn what_is_said_counts_more_than_what_is_usual() {
        let known = providers::of("icloud.com").map(|p| p.smtp);
        let place = async |known, host, port, tls| {
            let place = guess(known).place(host, port, tls, true, false).await.unwrap();
            format!("{}:{} {:?}", place.host, place.port, place.encryption)
        };
        for (known, host, port, tls, expected) in [
            (None, None, None, None, "smtp.x.example:465 Implicit"),
            (None, None, None, Some(Tls::Upgrade), "smtp.x.example:587 StartTls"),
            (None, Some("h"), Some(587), None, "h:587 StartTls"),
            (None, Some("h"), Some(2525), None, "h:2525 Implicit"),
            (None, Some("localhost"), Some(2525), Some(Tls::None), "localhost:2525 Plaintext"),
            (None, Some("localhost"), None, Some(Tls::None), "localhost:25 Plaintext"),
            (known, None, None, None, "smtp.mail.me.com:587 StartTls"),
            (known, None, None, Some(Tls::Implicit), "smtp.mail.me.com:465 Implicit"),
            (known, None, Some(465), None, "smtp.mail.me.com:465 Implicit"),
        ] {
            assert_eq!(place(known, host, port, tls).await, expected);
        }
    }
}
