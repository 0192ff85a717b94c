//! Mail into a Maildir, durable before it counts as sent.

use super::{Outcome, OutletError, Stage};
use crate::domain::EmailAddress;
use std::{
    fs::{DirBuilder, File, OpenOptions, rename},
    io::{self, Write},
    os::unix::fs::{DirBuilderExt, OpenOptionsExt},
    path::{Path, PathBuf},
    time::{SystemTime, UNIX_EPOCH},
};

/// The folder that holds `cur`, `new` and `tmp`; it is made when it is missing.
#[derive(Debug)]
pub(super) struct Maildir {
    pub path: PathBuf,
}

impl Maildir {
    pub async fn send(&self, from: Option<&EmailAddress>, to: &EmailAddress, bytes: &[u8]) -> Outcome {
        let path = self.path.clone();
        let mail = with_envelope(from, to, bytes);
        let written = tokio::task::spawn_blocking(move || deliver(&path, &mail)).await;
        match written.unwrap_or_else(|e| Err(io::Error::other(e))) {
            Ok(name) => Outcome::Sent { reply: name },
            Err(e) => self.failed(&e).into(),
        }
    }

    /// Looks whether the Maildir is there or can be made.
    pub fn check(&self) -> Result<(), OutletError> {
        prepare(&self.path).map_err(|e| self.failed(&e))
    }

    fn failed(&self, error: &io::Error) -> OutletError {
        OutletError::new(Stage::Local, format!("{} cannot be written: {error}", self.path.display()))
            .hint("check `path`, its permissions and the free space")
    }
}

/// Writes the envelope above the mail, as who delivers finally does (RFC 5321, section 4.4).
fn with_envelope(from: Option<&EmailAddress>, to: &EmailAddress, bytes: &[u8]) -> Vec<u8> {
    let from = from.map_or("", EmailAddress::as_str);
    let mut mail = format!("Return-Path: <{from}>\r\nDelivered-To: {to}\r\n").into_bytes();
    mail.extend_from_slice(bytes);
    mail
}

fn prepare(path: &Path) -> io::Result<()> {
    for part in ["tmp", "new", "cur"] {
        DirBuilder::new().recursive(true).mode(0o700).create(path.join(part))?;
    }
    Ok(())
}

/// Writes a mail under a unique name and gives the name (<https://cr.yp.to/proto/maildir.html>).
fn deliver(path: &Path, mail: &[u8]) -> io::Result<String> {
    prepare(path)?;
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let unique = rand::random::<u64>();
    let name = format!("{}.M{}R{unique:016x}.deskbell", now.as_secs(), now.subsec_micros());
    let (tmp, new) = (path.join("tmp").join(&name), path.join("new").join(&name));
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&tmp)?;
    let written = file.write_all(mail).and_then(|()| file.sync_all());
    let kept =
        written.and_then(|()| rename(&tmp, &new)).and_then(|()| File::open(path.join("new"))?.sync_all());
    if kept.is_err() {
        // What could not be kept must not be found later and counted as sent.
        let _ = std::fs::remove_file(&tmp);
        let _ = std::fs::remove_file(&new);
    }
    kept.map(|()| name)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    #[tokio::test]
    async fn a_mail_lies_in_new_under_its_own_name_and_only_its_owner_reads_it() {
        let folder = tempfile::tempdir().unwrap();
        let maildir = Maildir { path: folder.path().join("out") };
        let to = EmailAddress::parse("ada@x.example").unwrap();
        for _ in 0..20 {
            let outcome = maildir.send(None, &to, b"Subject: a\r\n\r\nb\r\n").await;
            assert!(matches!(outcome, Outcome::Sent { .. }), "{outcome:?}");
        }
        let files: Vec<_> = std::fs::read_dir(folder.path().join("out/new")).unwrap().flatten().collect();
        assert_eq!(files.len(), 20);
        let one = files[0].path();
        assert_eq!(one.metadata().unwrap().permissions().mode() & 0o777, 0o600);
        let text = std::fs::read_to_string(&one).unwrap();
        assert_eq!(text, "Return-Path: <>\r\nDelivered-To: ada@x.example\r\nSubject: a\r\n\r\nb\r\n");
        assert_eq!(std::fs::read_dir(folder.path().join("out/tmp")).unwrap().count(), 0);
    }

    #[tokio::test]
    async fn a_folder_that_cannot_be_written_is_said() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("out");
        std::fs::write(&file, "").unwrap();
        let maildir = Maildir { path: file };
        assert!(maildir.check().unwrap_err().text.contains("cannot be written"));
        let to = EmailAddress::parse("ada@x.example").unwrap();
        assert!(matches!(maildir.send(None, &to, b"x").await, Outcome::Unreachable { .. }));
    }
}
