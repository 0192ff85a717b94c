//! What the tests stand on: real mail servers that live as long as the test process, and scripted ones.

mod fake;
pub mod home;
mod mail_server;

pub use fake::{Fake, Line};
pub use mail_server::MailServer;
