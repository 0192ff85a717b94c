//! Playing the week: each mail and each deed of the staff at its own time, on the desk as it is.

use super::customers::Customers;
use super::week::{DEEDS, Deed, Does};
use super::{Dial, house};
use crate::cli::session::{new_request_id, unexpected};
use crate::cli::{demo_answers, demo_mails};
use crate::desk::{Caller, Desk};
use crate::domain::{Call, Fault, NewNote, OutboxAction, OutboxState, Reference, Request, Response, Via};
use crate::mail;
use jiff::{SignedDuration, Timestamp};
use std::collections::HashMap;
use std::io::{IsTerminal, Write};
use std::time::Duration;
use tokio::time::{Instant, sleep};

/// How long the desk may take for one mail.
const PATIENCE: Duration = Duration::from_secs(20);
const LOOK: Duration = Duration::from_millis(5);
/// Arrivals among which a mail is looked for.
const LATEST: u64 = 8;
/// Mails that are let go after one deed; more wait out their time.
const HELD_MAX: u64 = 100;
/// The customer whose mailbox is full.
const FULL: &str = "Delivered-To: margaret@ellison-lettings.example";

/// Asks the desk as one of the staff.
pub(super) async fn ask(desk: &Desk, caller: &Caller, request: Request) -> Result<Response, Fault> {
    desk.handle(caller, Call { id: new_request_id(), via: Via::Tui, request }).await
}

enum Turn {
    Mail { name: String, bytes: Vec<u8> },
    Deed(&'static Deed),
}

/// The desk while the week is played.
pub(super) struct Play<'a> {
    desk: &'a Desk,
    dial: Dial,
    me: Caller,
    customers: Customers,
    /// The issue that each mail came to, by the name of the mail.
    issues: HashMap<String, Reference>,
}

impl<'a> Play<'a> {
    pub fn new(desk: &'a Desk, dial: Dial, me: Caller, customers: Customers) -> Self {
        Self { desk, dial, me, customers, issues: HashMap::new() }
    }

    pub fn into_customers(self) -> Customers {
        self.customers
    }

    /// Plays the week that ends `now`; afterwards the clock is right again.
    pub async fn week(&mut self, now: Timestamp) -> Result<(), Fault> {
        house::furnish(self.desk, &self.me, now).await?;
        let turns = turns(now);
        let all = turns.iter().filter(|(_, turn)| matches!(turn, Turn::Mail { .. })).count();
        let mut done = 0;
        for (at, turn) in turns {
            self.dial.set(at);
            match turn {
                Turn::Mail { name, bytes } => {
                    let reference = self.take_in(&bytes, at).await?;
                    self.issues.extend(reference.map(|reference| (name, reference)));
                    done += 1;
                    tell(done, all);
                }
                Turn::Deed(deed) => self.act(deed, now).await?,
            }
            self.post().await?;
        }
        self.read_old_mail(now).await?;
        self.dial.set(Timestamp::now());
        // Whoever looks sees that the mailbox works now, not that it worked a while ago.
        ask(self.desk, &self.me, Request::SyncNow).await?;
        Ok(())
    }

    /// Sends a mail to the desk and waits until it is in; gives the issue it came to.
    async fn take_in(&mut self, mail: &[u8], at: Timestamp) -> Result<Option<Reference>, Fault> {
        let name = self.customers.send(mail, at).map_err(|e| Fault::internal(e.to_string()))?;
        let begun = Instant::now();
        let mut hurried = begun;
        while begun.elapsed() < PATIENCE {
            let found = ask(self.desk, &self.me, Request::Intake { fate: None, limit: LATEST }).await?;
            let Response::Intake(entries) = found else { return Err(unexpected(&found)) };
            if let Some(entry) = entries.into_iter().find(|e| e.path.as_deref() == Some(name.as_str())) {
                return Ok(entry.reference.and_then(|text| text.parse().ok()));
            }
            // Where the system cannot tell of new files, the mailbox is looked into by hand.
            if hurried.elapsed() > LOOK * 20 {
                ask(self.desk, &self.me, Request::SyncNow).await?;
                hurried = Instant::now();
            }
            sleep(LOOK).await;
        }
        Err(Fault::internal(format!("the desk did not take the mail {name}")).hint("look into its logs"))
    }

    /// Waits until all mail is out, and lets come back what cannot be delivered.
    async fn post(&mut self) -> Result<(), Fault> {
        if self.desk.last_window().is_some() {
            self.release().await?;
        }
        let begun = Instant::now();
        while self.desk.has_mail_due() && begun.elapsed() < PATIENCE {
            sleep(LOOK).await;
        }
        for sent in self.customers.received() {
            let now = self.dial.now();
            if String::from_utf8_lossy(&sent).contains(FULL)
                && let Some(report) = demo_answers::answer(&sent, now)
            {
                self.take_in(&report, now).await?;
            }
        }
        Ok(())
    }

    /// Lets go what is held so that it can be taken back: nobody is there who would.
    async fn release(&self) -> Result<(), Fault> {
        let held = Request::Outbox { states: vec![OutboxState::Held], limit: HELD_MAX };
        let found = ask(self.desk, &self.me, held).await?;
        let Response::Outbox(held) = found else { return Err(unexpected(&found)) };
        for mail in held.into_iter().filter(|mail| mail.held_until.is_some()) {
            let release = Request::OutboxAct { ids: vec![mail.id], action: OutboxAction::Release };
            // What went out by itself meanwhile is refused.
            let _ = ask(self.desk, &self.me, release).await;
        }
        Ok(())
    }

    async fn act(&self, deed: &Deed, now: Timestamp) -> Result<(), Fault> {
        let Some(reference) = self.issues.get(deed.mail) else { return Ok(()) };
        let caller = match deed.who {
            "me" => self.me.clone(),
            name => Caller { user: name.to_owned(), owns_desk: false },
        };
        let note = |text: &str, internal: bool, close: bool| {
            Request::AddNote(NewNote {
                reference: reference.clone(),
                text: text.to_owned(),
                internal,
                attach: Vec::new(),
                cc: Vec::new(),
                without: Vec::new(),
                hold_ms: Some(0),
                seen: None,
                close,
                status: None,
            })
        };
        let request = match deed.does {
            Does::Reply(text) => note(text, false, false),
            Does::ReplyAndClose(text) => note(text, false, true),
            Does::Comment(text) => note(text, true, false),
            Does::Edit(edits) => {
                Request::Edit { references: vec![reference.clone()], edits: edits(&self.me.user, now) }
            }
        };
        ask(self.desk, &caller, request).await.map(|_| ())
    }

    /// Marks what is older than a day as read by who looks on; they were there all week.
    async fn read_old_mail(&self, now: Timestamp) -> Result<(), Fault> {
        let page = super::issues(self.desk, &self.me).await?;
        for row in page.rows {
            let fresh = now.duration_since(row.updated_at) < SignedDuration::from_hours(22);
            let Ok(reference) = row.reference.parse() else { continue };
            if !fresh {
                ask(self.desk, &self.me, Request::MarkRead { reference, read: true }).await?;
            }
        }
        Ok(())
    }
}

/// Lists everything that happens, in the order of its time.
fn turns(now: Timestamp) -> Vec<(Timestamp, Turn)> {
    let mut times = HashMap::new();
    let mut turns = Vec::new();
    for (name, bytes) in demo_mails::mails(now) {
        let at = mail::read(&bytes).ok().and_then(|message| message.date).unwrap_or(now).min(now);
        times.insert(name.clone(), at);
        turns.push((at, Turn::Mail { name, bytes }));
    }
    for deed in DEEDS {
        let Some(begun) = times.get(deed.mail) else { continue };
        let at = begun.checked_add(SignedDuration::from_mins(deed.after)).unwrap_or(*begun);
        turns.push((at.min(now), Turn::Deed(deed)));
    }
    turns.sort_by_key(|(at, _)| *at);
    turns
}

/// Says how far the week is, to who waits for it.
fn tell(done: usize, all: usize) {
    let mut err = std::io::stderr();
    if err.is_terminal() {
        let _ = write!(err, "\r\x1b[KA small vendor's week: {done} of {all} mails");
        let _ = err.flush();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_deed_belongs_to_a_mail_and_comes_after_it() {
        let now = "2026-06-10T00:20:00Z".parse().unwrap();
        let turns = turns(now);
        let deeds = turns.iter().filter(|(_, turn)| matches!(turn, Turn::Deed(_))).count();
        assert_eq!(deeds, DEEDS.len());
        let place = |wanted: &str| {
            turns.iter().position(|(_, t)| matches!(t, Turn::Mail { name, .. } if name == wanted)).unwrap()
        };
        for (index, (at, turn)) in turns.iter().enumerate() {
            assert!(*at <= now);
            if let Turn::Deed(deed) = turn {
                assert!(place(deed.mail) < index, "{}", deed.mail);
            }
        }
    }
}
