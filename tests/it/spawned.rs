//! What runs in tasks of its own can be moved to them.

use deskbell::{
    config::{AfterDelivery, MailboxConfig},
    domain::EmailAddress,
    oauth::Tokens,
    outlet::Outlet,
    source::{ImapSource, MaildirSource, probe},
};
use std::time::Duration;

fn movable<T: Send>(_: &T) {}

#[test]
fn every_call_can_run_in_a_task() {
    // Never called: that it compiles is the test.
    let _ = calls;
}

fn no_tokens() -> Tokens {
    Tokens::new("/nowhere".as_ref())
}

async fn calls(
    config: MailboxConfig,
    mut imap: ImapSource,
    maildir: MaildirSource,
    mut outlet: Outlet,
    address: EmailAddress,
) {
    movable(&ImapSource::connect(&config, &no_tokens()));
    movable(&imap.select());
    movable(&imap.list(0, None));
    movable(&imap.fetch(&[1], |_, _| {}));
    movable(&imap.headers(1));
    movable(&imap.settle(&[1], &AfterDelivery::Seen));
    movable(&imap.idle(Duration::ZERO));
    movable(&maildir.list());
    movable(&maildir.read("a"));
    movable(&maildir.watch().wait(Duration::ZERO));
    movable(&outlet.send(None, &address, b""));
    movable(&outlet.check());
    movable(&probe(&config, &no_tokens()));
}
