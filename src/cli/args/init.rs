//! The arguments of `deskbell init`.

use crate::domain::EmailAddress;
use clap::{Args, ValueEnum};
use std::path::PathBuf;

#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  deskbell init\n  \
                        deskbell init --address help@example.com --project acme/support --password-command 'pass show help'\n  \
                        deskbell init --example")]
pub struct Init {
    /// The address that customers write to.
    #[arg(long)]
    pub address: Option<EmailAddress>,
    /// The first project, as group/name.
    #[arg(long)]
    pub project: Option<String>,
    /// The IMAP server.
    #[arg(long)]
    pub imap_host: Option<String>,
    /// Its port; what the protection says unless given.
    #[arg(long)]
    pub imap_port: Option<u16>,
    /// The SMTP server.
    #[arg(long)]
    pub smtp_host: Option<String>,
    /// Its port; what the protection says unless given.
    #[arg(long)]
    pub smtp_port: Option<u16>,
    /// The login name; the address unless given.
    #[arg(long)]
    pub user: Option<String>,
    /// A command that prints the password.
    #[arg(long)]
    pub password_command: Option<String>,
    /// The environment variable that holds the password.
    #[arg(long)]
    pub password_env: Option<String>,
    /// A command that prints an OAuth2 access token.
    #[arg(long)]
    pub token_command: Option<String>,
    /// The application registered at Google or Microsoft, with which you sign in (OAuth2).
    #[arg(long, value_name = "ID")]
    pub client_id: Option<String>,
    /// A command that prints that application's secret, where it has one.
    #[arg(long, requires = "client_id")]
    pub client_secret_command: Option<String>,
    /// The directory at Microsoft to sign in to.
    #[arg(long, requires = "client_id")]
    pub tenant: Option<String>,
    /// A file with a further certificate authority to trust.
    #[arg(long)]
    pub ca_file: Option<PathBuf>,
    /// How both connections are protected; what the provider or the port says unless given.
    #[arg(long, value_enum)]
    pub tls: Option<Tls>,
    /// Whether the mailbox understands address+key@domain.
    #[arg(long)]
    pub plus: Option<bool>,
    /// Who you are on the desk.
    #[arg(long)]
    pub me: Option<String>,
    /// Writes the config without trying the connections.
    #[arg(long)]
    pub offline: bool,
    /// Replaces a config that is there.
    #[arg(long)]
    pub force: bool,
    /// Prints a config with every key and what it means, Maildir included, and writes nothing.
    #[arg(long)]
    pub example: bool,
}

/// How a connection is protected.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
#[allow(clippy::enum_variant_names)]
pub enum Tls {
    /// From the first octet.
    #[value(name = "tls")]
    Implicit,
    /// By an upgrade, before the login.
    #[value(name = "start-tls", alias = "starttls")]
    Upgrade,
    /// Only on this machine.
    None,
}
