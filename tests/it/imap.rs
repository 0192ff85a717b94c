//! Reading a folder on a real Dovecot, and on servers that misbehave.

mod fakes;
mod real;

use crate::support::MailServer;
use deskbell::{
    config::{Config, MailboxConfig},
    oauth::Tokens,
};

/// A mailbox as a config file gives it; `keys` are further lines.
fn mailbox(user: &str, port: u16, keys: &str) -> MailboxConfig {
    let text = format!(
        "[mailbox.m]\naddress = \"{user}+%{{key}}@desk.test\"\nhost = \"127.0.0.1\"\nport = {port}\n\
         user = \"{user}\"\n{keys}\n"
    );
    let mut config = Config::parse(&text, "/config.toml".as_ref()).unwrap();
    config.mailboxes.remove("m").unwrap()
}

/// A mailbox on the real server, without TLS.
fn plain(user: &str, keys: &str) -> MailboxConfig {
    let server = MailServer::get();
    let account = server.user(user);
    let keys = format!("ssl = false\npassword = \"{}\"\n{keys}", account.password);
    mailbox(&account.user, server.imap_port(), &keys)
}

/// The tokens of a desk on which nobody has signed in.
fn no_tokens() -> Tokens {
    Tokens::new("/nowhere".as_ref())
}
