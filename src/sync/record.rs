//! The log of one mailbox, `log_path` in its section: a JSON line for everything that happened to it.

use jiff::Timestamp;
use serde_json::Value;
use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

/// Octets after which a new file begins.
const SIZE: u64 = 10 * 1000 * 1000;
/// Older files that are kept: `support.log.1` to `support.log.5`.
const KEPT: u32 = 5;

/// Writes a line; a log that cannot be written is said once in the desk's own log and stops nothing.
pub(super) fn record(path: &Path, now: Timestamp, event: &str, facts: &[(&str, Value)]) {
    let mut line = serde_json::Map::new();
    line.insert("time".to_owned(), now.to_string().into());
    line.insert("event".to_owned(), event.into());
    line.extend(facts.iter().map(|(name, value)| ((*name).to_owned(), value.clone())));
    if let Err(error) = append(path, &Value::Object(line)) {
        tracing::warn!(path = %path.display(), %error, "the log of a mailbox cannot be written");
    }
}

fn append(path: &Path, line: &Value) -> io::Result<()> {
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder)?;
    }
    if fs::metadata(path).is_ok_and(|meta| meta.len() >= SIZE) {
        rotate(path)?;
    }
    let mut file = OpenOptions::new().append(true).create(true).mode(0o600).open(path)?;
    file.write_all(format!("{line}\n").as_bytes())
}

fn rotate(path: &Path) -> io::Result<()> {
    let numbered = |number: u32| PathBuf::from(format!("{}.{number}", path.display()));
    for number in (1..KEPT).rev() {
        match fs::rename(numbered(number), numbered(number + 1)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
    }
    fs::rename(path, numbered(1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_log_is_json_lines_and_begins_anew_when_it_is_large() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("logs/support.log");
        record(&path, Timestamp::UNIX_EPOCH, "failed", &[("error", "a \n b".into())]);
        let text = fs::read_to_string(&path).unwrap();
        let line: Value = serde_json::from_str(text.trim_end()).unwrap();
        assert_eq!((line["event"].as_str(), line["error"].as_str()), (Some("failed"), Some("a \n b")));
        OpenOptions::new().write(true).open(&path).unwrap().set_len(SIZE).unwrap();
        record(&path, Timestamp::UNIX_EPOCH, "pass", &[]);
        assert!(fs::metadata(&path).unwrap().len() < 100);
        assert_eq!(fs::metadata(dir.path().join("logs/support.log.1")).unwrap().len(), SIZE);
    }
}
