//! Logs: JSON lines in a file that is changed daily; the screen is never written to.

use std::path::Path;
use tracing_appender::non_blocking::WorkerGuard;
use tracing_appender::rolling::{RollingFileAppender, Rotation};
use tracing_subscriber::EnvFilter;

const KEPT_DAYS: usize = 14;

/// Begins to log into `logs/` below the data dir. What is returned must live as long as the process logs.
pub fn begin(data_dir: &Path, name: &str) -> Option<WorkerGuard> {
    let dir = data_dir.join("logs");
    std::fs::create_dir_all(&dir).ok()?;
    let file = RollingFileAppender::builder()
        .rotation(Rotation::DAILY)
        .filename_prefix(name)
        .filename_suffix("log")
        .max_log_files(KEPT_DAYS)
        .build(dir)
        .ok()?;
    let (writer, guard) = tracing_appender::non_blocking(file);
    let wanted = EnvFilter::try_from_env("DESKBELL_LOG").unwrap_or_else(|_| {
        EnvFilter::new("info,async_imap=off,imap_proto=off,lettre=warn,tantivy=warn,sled=warn")
    });
    let started = tracing_subscriber::fmt().json().with_env_filter(wanted).with_writer(writer).try_init();
    started.ok().map(|()| guard)
}

/// Sends panics to the log instead of the terminal. Those of single mails are caught and quarantine it.
pub fn panics() {
    std::panic::set_hook(Box::new(|info| {
        let thread = std::thread::current();
        tracing::error!(thread = thread.name().unwrap_or("?"), "panic: {info}");
    }));
}
