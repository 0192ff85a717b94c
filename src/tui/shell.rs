//! Runs the commands of one's own: without the terminal, for so long, and with an end to what they say.

use super::commands::{End, Ran, Run};
use crate::child::Group;
use std::process::{ExitStatus, Stdio};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::process::{Child, Command};
use tokio::sync::oneshot;

/// So much of what a command says is shown, in octets.
const OUTPUT_MAX: usize = 1_000_000;

/// Runs a command until it ends, its time is over, or it is stopped.
pub async fn run(work: Run, stop: oneshot::Receiver<()>) -> Ran {
    let mut output = Vec::new();
    let end = match start(&work) {
        Ok(child) => {
            let group = Group::of(child.id());
            let end = tokio::select! {
                ended = attend(child, &work.stdin, &mut output) => outcome(ended),
                () = tokio::time::sleep(work.timeout) => End::TimedOut,
                Ok(()) = stop => End::Stopped,
            };
            if matches!(end, End::Done | End::Failed(_)) && !work.shown {
                // What it left running on purpose, such as a browser, goes on.
                group.release();
            }
            end
        }
        Err(e) => End::Failed(format!("could not be run: {e}")),
    };
    Ran { name: work.name, shown: work.shown, output, end }
}

fn start(work: &Run) -> std::io::Result<Child> {
    // What it says and what it complains of in the order in which it came.
    let line = format!("exec 2>&1\n{}", work.line);
    let said = if work.shown { Stdio::piped() } else { Stdio::null() };
    let mut command = Command::new("sh");
    command.arg("-c").arg(line).envs(work.env.iter().map(|(name, value)| (name, value)));
    command.stdin(Stdio::piped()).stdout(said).stderr(Stdio::null()).process_group(0);
    command.spawn()
}

/// Feeds a command and listens to it until it ends.
async fn attend(mut child: Child, input: &[u8], output: &mut Vec<u8>) -> std::io::Result<ExitStatus> {
    let (stdin, stdout) = (child.stdin.take(), child.stdout.take());
    let feed = async move {
        if let Some(mut stdin) = stdin {
            // A command that does not read is none that failed.
            let _ = stdin.write_all(input).await;
        }
    };
    let listen = async move {
        let Some(mut stdout) = stdout else { return };
        while let Ok(1..) = stdout.read_buf(output).await {
            if output.len() >= OUTPUT_MAX {
                return;
            }
        }
    };
    let ((), (), status) = tokio::join!(feed, listen, child.wait());
    status
}

fn outcome(ended: std::io::Result<ExitStatus>) -> End {
    match ended {
        Ok(status) if status.success() => End::Done,
        Ok(status) => End::Failed(format!("ended with {status}")),
        Err(e) => End::Failed(format!("was lost: {e}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::{Duration, Instant};

    fn work(line: &str) -> Run {
        Run {
            name: "try".into(),
            line: line.into(),
            stdin: br#"{"title":"$(touch hacked)"}"#.to_vec(),
            env: vec![("DESKBELL_IID", "12".into())],
            timeout: Duration::from_secs(20),
            shown: true,
        }
    }

    async fn ran(work: Run) -> (String, End) {
        let (_keep, stop) = oneshot::channel();
        let ran = run(work, stop).await;
        (String::from_utf8(ran.output).unwrap(), ran.end)
    }

    #[tokio::test]
    async fn a_command_gets_the_issue_and_says_everything_in_order() {
        let (said, end) = ran(work("cat; echo; echo no $DESKBELL_IID >&2; echo yes")).await;
        assert_eq!((said.as_str(), end), ("{\"title\":\"$(touch hacked)\"}\nno 12\nyes\n", End::Done));
        let (said, end) = ran(work("exit 3")).await;
        assert_eq!((said.as_str(), end), ("", End::Failed("ended with exit status: 3".into())));
    }

    #[tokio::test]
    async fn a_command_that_takes_too_long_or_says_too_much_is_ended() {
        let began = Instant::now();
        let (said, end) = ran(Run { timeout: Duration::from_millis(300), ..work("echo a; sleep 60") }).await;
        assert_eq!((said.as_str(), end), ("a\n", End::TimedOut));
        let (said, _) = ran(work("yes")).await;
        assert!(said.len() >= OUTPUT_MAX && said.len() < OUTPUT_MAX + 100_000, "{}", said.len());
        assert!(began.elapsed() < Duration::from_secs(15));
    }

    #[tokio::test]
    async fn a_command_is_stopped_with_all_that_it_started() {
        let dir = tempfile::tempdir().unwrap();
        let line = format!("(sleep 1; touch {}/late) & wait", dir.path().display());
        let (stop, stopped) = oneshot::channel();
        stop.send(()).unwrap();
        assert_eq!(run(work(&line), stopped).await.end, End::Stopped);
        tokio::time::sleep(Duration::from_millis(1300)).await;
        assert!(!dir.path().join("late").exists());
    }
}
