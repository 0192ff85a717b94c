//! Work outside of the screen: the editor, files to attach and to save, programs that show things.

use super::files::Entry;
use super::images::{self, Made, Not, Order};
use super::input::{Effect, Input};
use super::setup::Options;
use crate::child::Group;
use crate::domain::Upload;
use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::AsyncWriteExt;
use tokio::process::Command;
use tokio::sync::{mpsc, oneshot};

/// What of the palette is kept, beside the drafts for the editor.
const USES: &str = "palette.json";
/// A file larger than this is never read to be attached, in octets.
const ATTACH_MAX: u64 = 200_000_000;
/// A command that tells news is ended after this.
const TELL_MAX: Duration = Duration::from_secs(20);
/// So many entries of a folder are looked at.
const FOLDER_MAX: usize = 5_000;

/// Starts work whose end is told through `did`.
pub fn start(work: Effect, options: &Options, did: mpsc::UnboundedSender<Input>) {
    let scratch = options.scratch_dir.clone();
    tokio::spawn(async move {
        let input = match work {
            Effect::Attach { path } => {
                let file = read(&home(&path)).await;
                Input::Attached { path, file }
            }
            Effect::ListFiles { folder } => {
                let at = home(&folder.to_string_lossy());
                let entries = tokio::task::spawn_blocking(move || list(&at)).await;
                let entries = entries.unwrap_or_else(|e| Err(io::Error::other(e)));
                let entries = entries.map_err(|e| format!("{}: {e}", folder.display()));
                Input::Listed { folder, entries }
            }
            Effect::Save { path, bytes } => {
                let path = home(&path.to_string_lossy());
                let done = write_new(&path, &bytes).await;
                Input::Did(
                    done.map(|at| format!("saved {}", at.display()))
                        .map_err(|e| format!("not saved, {}: {e}", path.display())),
                )
            }
            Effect::Open { name, bytes } => Input::Did(open(&scratch, &name, &bytes).await),
            Effect::MakeImage { key, bytes, order } => {
                Input::Image { key, order: order.id, made: make_image(bytes, order).await }
            }
            Effect::Browse(url) => Input::Did(show(&url)),
            Effect::Tell { command, words, issues } => match tell(&command, &words, issues).await {
                Ok(()) => return,
                Err(said) => Input::Did(Err(said)),
            },
            Effect::KeepUses(uses) => return keep_uses(&scratch.join(USES), &uses).await,
            _ => return,
        };
        // The screen may be gone by now.
        let _ = did.send(input);
    });
}

/// Reads how often each command was taken from the palette; nothing where nobody kept it.
pub fn kept_uses(options: &Options) -> BTreeMap<String, u32> {
    let kept = std::fs::read(options.scratch_dir.join(USES)).ok();
    kept.and_then(|text| serde_json::from_slice(&text).ok()).unwrap_or_default()
}

/// Makes a picture on a thread of its own: what goes on for long there keeps nobody from leaving, and a panic there
/// is a broken picture.
async fn make_image(bytes: Vec<u8>, order: Order) -> Result<Arc<Made>, Not> {
    let (done, made) = oneshot::channel();
    let begun = std::thread::Builder::new().name("image".to_owned()).spawn(move || {
        // Nobody listens where the screen is gone.
        let _ = done.send(images::make(&bytes, order, cell_size()));
    });
    match begun {
        Ok(_) => made.await.unwrap_or(Err(Not::Broken)).map(Arc::new),
        Err(_) => Err(Not::Unavailable),
    }
}

/// Gives the pixels of a cell where the terminal's window says them; the terminal itself is not asked.
fn cell_size() -> Option<(u16, u16)> {
    let window = crossterm::terminal::window_size().ok()?;
    let cell = (window.width.checked_div(window.columns)?, window.height.checked_div(window.rows)?);
    (cell.0 > 1 && cell.1 > 1).then_some(cell)
}

/// Tells news by a command: the words on its standard input, their number in the environment.
async fn tell(command: &str, words: &str, issues: u64) -> Result<(), String> {
    let broken = |e: io::Error| format!("the command of [notify] could not be run: {e}");
    let mut child = Command::new("sh")
        .arg("-c")
        .arg(command)
        .env("DESKBELL_NEWS", issues.to_string())
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .process_group(0)
        .spawn()
        .map_err(broken)?;
    if let Some(mut stdin) = child.stdin.take() {
        // A command that does not read is none that failed.
        let _ = stdin.write_all(format!("{words}\n").as_bytes()).await;
    }
    let group = Group::of(child.id());
    match tokio::time::timeout(TELL_MAX, child.wait()).await {
        Ok(Ok(_)) => {
            group.release();
            Ok(())
        }
        Ok(Err(e)) => Err(broken(e)),
        Err(_) => Err("the command of [notify] took too long and was ended".to_owned()),
    }
}

async fn keep_uses(path: &Path, uses: &BTreeMap<String, u32>) {
    // A count that is lost teaches a key once more.
    if let Ok(text) = serde_json::to_vec(uses) {
        let _ = write_private(path, &text).await;
    }
}

/// Keeps a text that the desk could not take; gives the file that holds it now.
pub async fn rescue(options: &Options, text: &str, name: &str) -> io::Result<PathBuf> {
    let path = options.scratch_dir.join(format!("deskbell-unsent-{name}.md"));
    write_new(&path, text.as_bytes()).await
}

/// Lets the person write in their editor; gives the text back, or why there is none.
pub async fn edit(options: &Options, text: &str, name: &str) -> Result<String, String> {
    let file = format!("deskbell-{}-{name}.md", std::process::id());
    let path = options.scratch_dir.join(file);
    let broken = |what: &str, e: io::Error| format!("{what} {}: {e}", path.display());
    write_private(&path, text.as_bytes()).await.map_err(|e| broken("cannot write", e))?;
    let command = editor(options);
    // Through the shell, since `$EDITOR` may hold arguments; the path is handed over as one word.
    let status = Command::new("sh").arg("-c").arg(format!("{command} \"$1\"")).arg("sh").arg(&path).status();
    match status.await {
        Ok(status) if status.success() => {
            let text = tokio::fs::read(&path).await.map_err(|e| broken("cannot read", e))?;
            let _ = tokio::fs::remove_file(&path).await;
            Ok(String::from_utf8_lossy(&text).into_owned())
        }
        Ok(status) => Err(format!("{command} ended with {status}; its text is in {}", path.display())),
        Err(e) => Err(format!("{command} could not be run: {e}")),
    }
}

fn editor(options: &Options) -> String {
    let set = |name: &str| std::env::var(name).ok().filter(|v| !v.trim().is_empty());
    let own = Some(options.editor.clone()).filter(|e| !e.is_empty());
    own.or_else(|| set("VISUAL")).or_else(|| set("EDITOR")).unwrap_or_else(|| "vi".to_owned())
}

/// Reads `~/` as the home folder, as a shell would.
fn home(path: &str) -> PathBuf {
    match (path.strip_prefix("~/"), std::env::home_dir()) {
        (Some(rest), Some(home)) => home.join(rest),
        _ => PathBuf::from(path),
    }
}

/// Lists the files of a folder, the newest first, then its folders; what is hidden is left out.
fn list(folder: &Path) -> io::Result<Vec<Entry>> {
    let (mut files, mut folders) = (Vec::new(), Vec::new());
    for entry in std::fs::read_dir(folder)?.take(FOLDER_MAX) {
        let entry = entry?;
        let name = entry.file_name().to_string_lossy().into_owned();
        let Ok(about) = std::fs::metadata(entry.path()) else { continue };
        match (name.starts_with('.'), about.is_dir(), about.is_file()) {
            (false, true, _) => folders.push(Entry { name, size: None }),
            (false, _, true) => files.push((about.modified().ok(), Entry { name, size: Some(about.len()) })),
            _ => {}
        }
    }
    files.sort_by(|(a, _), (b, _)| b.cmp(a));
    folders.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(files.into_iter().map(|(_, file)| file).chain(folders).collect())
}

async fn read(path: &Path) -> Result<Upload, String> {
    let broken = |e: io::Error| format!("not attached, {}: {e}", path.display());
    let about = tokio::fs::metadata(path).await.map_err(broken)?;
    if !about.is_file() || about.len() > ATTACH_MAX {
        let why = if about.is_file() { "too large" } else { "not a file" };
        return Err(format!("not attached, {}: {why}", path.display()));
    }
    let bytes = tokio::fs::read(path).await.map_err(broken)?;
    let name = path.file_name().map_or_else(|| "file".into(), |n| n.to_string_lossy().into_owned());
    Ok(Upload { name, bytes })
}

async fn write_private(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut file = tokio::fs::OpenOptions::new();
    let mut file = file.write(true).create(true).truncate(true).mode(0o600).open(path).await?;
    file.write_all(bytes).await?;
    file.flush().await
}

/// Writes a file that was not there; where the name is taken, beside it under a number.
async fn write_new(path: &Path, bytes: &[u8]) -> io::Result<PathBuf> {
    let mut at = path.to_owned();
    for number in 1..1000 {
        match tokio::fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(&at).await {
            Ok(mut file) => {
                file.write_all(bytes).await?;
                file.flush().await?;
                return Ok(at);
            }
            Err(e) if e.kind() == io::ErrorKind::AlreadyExists => at = numbered(path, number),
            Err(e) => return Err(e),
        }
    }
    Err(io::Error::from(io::ErrorKind::AlreadyExists))
}

fn numbered(path: &Path, number: u32) -> PathBuf {
    let stem = path.file_stem().map_or_else(String::new, |s| s.to_string_lossy().into_owned());
    let ending = path.extension().map_or_else(String::new, |e| format!(".{}", e.to_string_lossy()));
    path.with_file_name(format!("{stem} ({number}){ending}"))
}

async fn open(scratch: &Path, name: &str, bytes: &[u8]) -> Result<String, String> {
    let name = Path::new(name).file_name().map_or_else(|| "file".into(), |n| n.to_owned());
    let path = write_new(&scratch.join(name), bytes).await.map_err(|e| format!("not opened: {e}"))?;
    show(&path.to_string_lossy())
}

/// Hands a file or a link to the program that the system has for it.
fn show(what: &str) -> Result<String, String> {
    let opener = if cfg!(target_os = "macos") { "open" } else { "xdg-open" };
    let mut command = Command::new(opener);
    command.arg(what).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    match command.spawn() {
        Ok(_) => Ok(format!("opened {what}")),
        Err(e) => Err(format!("{opener} could not be run: {e} · {what}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn saving_never_goes_over_a_file() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a.png");
        let first = write_new(&path, b"1").await.unwrap();
        let second = write_new(&path, b"2").await.unwrap();
        assert_eq!(first, path);
        assert_eq!(second, dir.path().join("a (1).png"));
        assert_eq!(std::fs::read(&path).unwrap(), b"1");
    }

    #[tokio::test]
    async fn the_editor_gives_back_what_it_wrote() {
        let dir = tempfile::tempdir().unwrap();
        let scratch_dir = dir.path().to_owned();
        let editor = "printf ' there' >>".to_owned();
        let options = Options { scratch_dir, editor, ..Options::default() };
        assert_eq!(edit(&options, "hello", "reply-1").await.unwrap(), "hello there");
        assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 0);
        let failing = Options { editor: "false".to_owned(), ..options };
        let said = edit(&failing, "hello", "reply-1").await.unwrap_err();
        assert!(said.contains("its text is in"), "{said}");
    }

    #[test]
    fn a_folder_lists_its_files_the_newest_first() {
        let dir = tempfile::tempdir().unwrap();
        let at = |name: &str| dir.path().join(name);
        std::fs::write(at("old.txt"), b"12").unwrap();
        std::fs::write(at("new.png"), b"1").unwrap();
        std::fs::write(at(".hidden"), b"1").unwrap();
        std::fs::create_dir(at("sub")).unwrap();
        let file = std::fs::File::options().write(true).open(at("old.txt")).unwrap();
        file.set_modified(std::time::SystemTime::UNIX_EPOCH).unwrap();
        let listed: Vec<_> = list(dir.path()).unwrap().into_iter().map(|e| (e.name, e.size)).collect();
        let expected = [("new.png", Some(1)), ("old.txt", Some(2)), ("sub", None)];
        assert_eq!(listed, expected.map(|(name, size)| (name.to_owned(), size)));
        assert!(list(&at("none")).is_err());
    }

    #[tokio::test]
    async fn the_command_that_tells_news_gets_the_words_on_its_input() {
        let dir = tempfile::tempdir().unwrap();
        let at = dir.path().join("told");
        let command = format!("cat > {0}; echo $DESKBELL_NEWS >> {0}", at.display());
        tell(&command, "2 issues have news", 2).await.unwrap();
        assert_eq!(std::fs::read_to_string(at).unwrap(), "2 issues have news\n2\n");
    }

    #[tokio::test]
    async fn a_folder_is_not_attached() {
        let dir = tempfile::tempdir().unwrap();
        assert!(read(dir.path()).await.unwrap_err().contains("not a file"));
    }
}
