//! Programs that are started as children: nothing of them is left behind, and nothing they say has no end.
//!
//! Knows nothing of what they are asked or what they answer.

use rustix::process::{Pid, Signal, kill_process_group};
use tokio::io::{AsyncRead, AsyncReadExt};

/// The process group of a child that was started as its leader. Dropped, it ends the child with everything
/// that it started.
#[derive(Debug)]
pub struct Group(Option<u32>);

impl Group {
    /// Takes charge of the group of a child that runs; `id` is `None` for one that has ended.
    pub fn of(id: Option<u32>) -> Self {
        Self(id)
    }

    /// Lets the group be, because the child has ended by itself.
    pub fn release(mut self) {
        self.0 = None;
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        let pid = self.0.and_then(|id| i32::try_from(id).ok()).and_then(Pid::from_raw);
        if let Some(pid) = pid {
            let _ = kill_process_group(pid, Signal::KILL);
        }
    }
}

/// Reads what a child says, at most `limit` octets and one more, by which too much is told.
pub async fn capped(from: Option<impl AsyncRead + Unpin>, limit: u64) -> std::io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    if let Some(from) = from {
        from.take(limit.saturating_add(1)).read_to_end(&mut bytes).await?;
    }
    Ok(bytes)
}
