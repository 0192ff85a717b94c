//! Files of a watched branch, read without a work tree: bare repositories have none.

use super::run::{git, run, said};
use super::watch::{Wanted, head};
use super::{GitError, LOG};
use std::collections::BTreeMap;

/// Files that are read at most, and the octets of one.
const FILES: usize = 200;
const OCTETS: u64 = 256 << 10;

/// Reads the Markdown files that stand right in these folders, by their paths from the root.
///
/// The newest of the branch's places counts: of the clone, of its remote, and of our own fetch. Nothing is
/// fetched. Links and files of more than 256 KB are left out, and what is no UTF-8.
pub async fn files(wanted: &Wanted, folders: &[&str]) -> Result<BTreeMap<String, String>, GitError> {
    let at = Some(wanted.folder.as_path());
    let Some(head) = head(wanted).await? else { return Ok(BTreeMap::new()) };
    let below: Vec<String> = folders.iter().map(|folder| format!("{folder}/")).collect();
    let mut arguments = vec!["ls-tree", "-z", "-l", "--full-tree", head.as_str(), "--"];
    arguments.extend(below.iter().map(String::as_str));
    let mut files = BTreeMap::new();
    for (blob, path) in said(git(at), &arguments).await?.split('\0').filter_map(file).take(FILES) {
        let content = run(git(at), &["cat-file", "blob", blob], LOG).await?;
        if let Ok(text) = String::from_utf8(content.out) {
            files.insert(path.to_owned(), text);
        }
    }
    Ok(files)
}

/// Reads a line of `ls-tree -l`: mode, type, hash, size, and after a tab the path.
fn file(line: &str) -> Option<(&str, &str)> {
    let (facts, path) = line.split_once('\t')?;
    let mut facts = facts.split_ascii_whitespace();
    let (mode, kind, blob, size) = (facts.next()?, facts.next()?, facts.next()?, facts.next()?);
    let fits = mode != "120000" && kind == "blob" && size.parse().is_ok_and(|size: u64| size <= OCTETS);
    (fits && path.ends_with(".md")).then_some((blob, path))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_small_markdown_files_are_taken() {
        for (line, path) in [
            ("100644 blob 0a1b      12\t.gitlab/a.md", Some(".gitlab/a.md")),
            ("100755 blob 0a1b      12\ta b.md", Some("a b.md")),
            ("120000 blob 0a1b      12\tlink.md", None),
            ("040000 tree 0a1b       -\tfolder.md", None),
            ("100644 blob 0a1b  262145\tlarge.md", None),
            ("100644 blob 0a1b      12\ta.txt", None),
            ("", None),
        ] {
            assert_eq!(file(line).map(|(_, path)| path), path, "{line:?}");
        }
    }
}
