//! What the tests stand on: real mail servers that live as long as the test process, scripted ones, and
//! desks run by the real binary.

mod akismet;
mod desk;
mod fake;
pub mod graph;
pub mod home;
pub mod keyring;
pub mod keys;
mod mail_server;
mod name_server;
pub mod provider;
pub mod repository;
pub mod room;
mod rspamd;
pub mod web;

pub use akismet::{Akismet, Instead, KEY};
pub use desk::{PATIENCE, PROJECT, Said, Serving, TestDesk, mail, said, signal, wait_for, wait_until};
pub use fake::{Fake, Line};
pub use mail_server::MailServer;
pub use name_server::NameServer;
pub use rspamd::Rspamd;
