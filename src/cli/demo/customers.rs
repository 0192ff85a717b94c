//! The customers: their mail is put into the Maildir that the desk reads, and they answer what it sends.

use crate::cli::demo_answers;
use jiff::Timestamp;
use std::collections::HashSet;
use std::fs::{self, File};
use std::io::{self, Write};
use std::path::PathBuf;
use std::time::{Duration, SystemTime};
use tokio::task::JoinSet;

/// How long a customer takes to answer.
const WRITES_FOR: Duration = Duration::from_secs(8);
/// How often the mail that went out is looked for.
const LOOK: Duration = Duration::from_millis(500);

/// Those who write to the desk.
pub(super) struct Customers {
    /// The Maildir that the desk reads.
    to_desk: PathBuf,
    /// The Maildir that the desk writes.
    from_desk: PathBuf,
    /// Names of the mails that were looked at.
    seen: HashSet<String>,
    sent: u64,
}

impl Customers {
    pub fn new(to_desk: PathBuf, from_desk: PathBuf) -> Self {
        Self { to_desk, from_desk, seen: HashSet::new(), sent: 0 }
    }

    /// Sends a mail to the desk as of that time; gives the name under which it lies in the Maildir.
    pub fn send(&mut self, mail: &[u8], at: Timestamp) -> io::Result<String> {
        self.sent += 1;
        let name = format!("{}.{}.demo", at.as_second(), self.sent);
        let tmp = self.to_desk.join("tmp").join(&name);
        let mut file = File::create(&tmp)?;
        file.write_all(mail)?;
        file.set_modified(SystemTime::from(at))?;
        fs::rename(&tmp, self.to_desk.join("new").join(&name))?;
        Ok(name)
    }

    /// Gives what the desk has mailed since the last time.
    pub fn received(&mut self) -> Vec<Vec<u8>> {
        let Ok(entries) = fs::read_dir(self.from_desk.join("new")) else { return Vec::new() };
        let mut fresh: Vec<(String, PathBuf)> = entries
            .flatten()
            .map(|entry| (entry.file_name().to_string_lossy().into_owned(), entry.path()))
            .filter(|(name, _)| !self.seen.contains(name))
            .collect();
        fresh.sort();
        self.seen.extend(fresh.iter().map(|(name, _)| name.clone()));
        fresh.iter().filter_map(|(_, path)| fs::read(path).ok()).collect()
    }

    /// Answers what the desk mails from now on, each after a while, until it is dropped.
    pub async fn answer_mail(mut self) {
        self.received();
        self.answer_after(WRITES_FOR).await;
    }

    async fn answer_after(mut self, a_while: Duration) {
        let mut writing = JoinSet::new();
        loop {
            for mail in self.received() {
                writing.spawn(async move {
                    tokio::time::sleep(a_while).await;
                    demo_answers::answer(&mail, Timestamp::now())
                });
            }
            tokio::select! {
                Some(Ok(Some(answer))) = writing.join_next() => {
                    if let Err(error) = self.send(&answer, Timestamp::now()) {
                        tracing::warn!(%error, "a customer's answer was lost");
                    }
                }
                () = tokio::time::sleep(LOOK) => {}
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mail;

    const SENT: &str = "Delivered-To: ada@northlight-studio.example\r\n\
        From: Brightwater Support <support@brightwater.example>\r\nTo: ada@northlight-studio.example\r\n\
        Reply-To: support+key@brightwater.example\r\nMessage-ID: <1@brightwater.example>\r\n\
        Subject: Hello\r\n\r\nHello Ada\r\n";

    #[tokio::test]
    async fn a_customer_answers_what_was_mailed_from_now_on() {
        let dir = tempfile::tempdir().unwrap();
        let (to_desk, from_desk) = (dir.path().join("in"), dir.path().join("out"));
        for part in ["in/tmp", "in/new", "out/new"] {
            fs::create_dir_all(dir.path().join(part)).unwrap();
        }
        fs::write(from_desk.join("new/1.old"), SENT).unwrap();
        let mut customers = Customers::new(to_desk.clone(), from_desk.clone());
        assert_eq!(customers.received().len(), 1);
        assert!(customers.received().is_empty());
        let answering = tokio::spawn(customers.answer_after(Duration::ZERO));
        fs::write(from_desk.join("new/2.fresh"), SENT).unwrap();
        let answer = loop {
            let mut found = fs::read_dir(to_desk.join("new")).unwrap().flatten();
            if let Some(file) = found.next() {
                break fs::read(file.path()).unwrap();
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        };
        answering.abort();
        let message = mail::read(&answer).unwrap();
        assert_eq!(message.in_reply_to[0].as_str(), "1@brightwater.example");
        assert_eq!(message.to[0].email.as_str(), "support+key@brightwater.example");
        assert_eq!(fs::read_dir(to_desk.join("new")).unwrap().count(), 1);
    }
}
