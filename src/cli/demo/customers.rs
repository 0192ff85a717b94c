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

    /// Answers what the desk mails from now on, until it is dropped.
    pub async fn answer_mail(mut self) {
        self.received();
        let mut writing = JoinSet::new();
        loop {
            for mail in self.received() {
                writing.spawn(async move {
                    tokio::time::sleep(WRITES_FOR).await;
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
