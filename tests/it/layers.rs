//! The house as it must stand: who may see whom, which outside crate lives where, and how large a room is.
//!
//! Reads the sources as text, so that a wrong line is named by file and number.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// Each layer, and the layers it may see.
const LAYERS: &[(&str, &[&str])] = &[
    ("domain", &[]),
    ("config", &["domain"]),
    ("child", &[]),
    ("crypt", &["domain", "config", "child"]),
    ("git", &["domain", "child"]),
    ("http", &["config", "tls"]),
    ("tls", &["config"]),
    ("mail", &["domain"]),
    ("store", &["domain"]),
    ("index", &["domain"]),
    ("oauth", &["config", "child", "http"]),
    ("graph", &["config", "http", "oauth"]),
    ("source", &["domain", "config", "tls", "oauth", "graph"]),
    ("outlet", &["domain", "config", "tls", "oauth", "graph"]),
    ("spam", &["domain", "config", "http"]),
    ("desk", &["domain", "config", "crypt", "git", "mail", "store", "index", "spam"]),
    ("web", &["domain", "desk"]),
    ("sync", &["domain", "config", "child", "git", "oauth", "source", "outlet", "desk", "web"]),
    ("rpc", &["domain"]),
    ("tui", &["domain", "child"]),
    (
        "cli",
        &[
            "domain", "config", "child", "crypt", "git", "tls", "http", "oauth", "graph", "mail", "store",
            "index", "source", "outlet", "spam", "desk", "sync", "rpc", "tui", "web",
        ],
    ),
];

/// The rooms in which each outside crate is at home; the crates in [`EVERYWHERE`] are free.
const OWNERS: &[(&str, &[&str])] = &[
    ("aho_corasick", &["mail"]),
    ("ammonia", &["mail"]),
    ("anyhow", &["cli"]),
    ("async_imap", &["source"]),
    ("base64", &["mail", "outlet"]),
    ("blake3", &["mail", "oauth", "rpc", "store"]),
    ("bytes", &["rpc"]),
    ("chardetng", &["mail"]),
    ("clap", &["cli"]),
    ("clap_complete", &["cli"]),
    ("clap_mangen", &["cli"]),
    ("crc32fast", &["store"]),
    ("crossterm", &["tui"]),
    ("directories", &["config"]),
    ("encoding_rs", &["mail"]),
    ("flate2", &["source"]),
    ("futures_util", &["desk", "outlet", "rpc", "source", "store", "sync", "tui"]),
    ("http_body_util", &["web"]),
    ("html2text", &["mail"]),
    ("hyper", &["web"]),
    ("hyper_util", &["web"]),
    ("icu_normalizer", &["domain"]),
    ("image", &["tui"]),
    ("lettre", &["mail", "outlet"]),
    ("mail_auth", &["spam"]),
    ("mail_parser", &["mail"]),
    ("memchr", &["mail", "store"]),
    ("mime_guess", &["mail"]),
    ("nix", &["cli", "rpc", "tui"]),
    ("notify", &["source"]),
    ("nucleo_matcher", &["tui"]),
    ("oauth2", &["oauth"]),
    ("pulldown_cmark", &["mail"]),
    ("rand", &["cli", "desk", "outlet", "store", "sync"]),
    ("ratatui", &["tui"]),
    ("ratatui_image", &["tui"]),
    ("reqwest", &["graph", "http", "oauth", "spam"]),
    ("regex", &["desk", "domain"]),
    ("rmp_serde", &["index", "rpc", "store"]),
    ("rustc_hash", &["index", "spam"]),
    ("rustix", &["child", "cli", "rpc", "store"]),
    ("rustls_platform_verifier", &["tls"]),
    ("serde_bytes", &["store"]),
    ("simdutf8", &["mail"]),
    ("sled", &["store"]),
    ("tantivy", &["index"]),
    ("tikv_jemallocator", &[]),
    (
        "tokio",
        &[
            "child", "cli", "config", "crypt", "desk", "git", "graph", "oauth", "outlet", "rpc", "source",
            "spam", "store", "sync", "tls", "tui", "web",
        ],
    ),
    ("tokio_rustls", &["tls"]),
    ("tar", &["source"]),
    ("tokio_util", &["cli", "rpc", "sync", "web"]),
    ("toml", &["config", "tui"]),
    ("tracing_appender", &["cli"]),
    ("tracing_subscriber", &["cli"]),
    ("tui_textarea", &["tui"]),
    ("unicode_segmentation", &["tui"]),
    ("unicode_width", &["cli", "tui"]),
    ("utf7_imap", &["source"]),
    ("zstd", &["store"]),
];
/// `tempfile` among them because tests of every room use it.
const EVERYWHERE: &[&str] = &["jiff", "serde", "serde_json", "tempfile", "thiserror", "tracing"];

/// Names that say nothing of what a module is for.
const EMPTY_NAMES: &[&str] = &["utils", "util", "helpers", "common", "manager", "core", "types", "misc"];
const LINES_MAX: usize = 600;

/// One source file.
struct Source {
    path: PathBuf,
    /// Its top-level module; empty for `lib.rs` and `main.rs`.
    layer: String,
    /// Its text with comments blanked, so that places stay the same.
    code: String,
}

impl Source {
    fn at(&self, place: usize) -> String {
        format!("{}:{}", self.path.display(), self.code[..place].matches('\n').count() + 1)
    }

    /// Every place at which `word` stands as a whole word.
    fn places<'a>(&'a self, word: &'a str) -> impl Iterator<Item = usize> + 'a {
        let is_word = |c: char| c.is_alphanumeric() || c == '_';
        self.code.match_indices(word).map(|(at, _)| at).filter(move |at| {
            !self.code[..*at].ends_with(is_word) && !self.code[at + word.len()..].starts_with(is_word)
        })
    }

    /// Every path that begins with `word`, such as `sled::` or `use sled;`.
    fn paths<'a>(&'a self, word: &'a str) -> impl Iterator<Item = usize> + 'a {
        self.places(word).filter(move |at| {
            let (before, after) = (self.code[..*at].trim_end(), &self.code[at + word.len()..]);
            let begins = !before.ends_with("::") || before.trim_end_matches("::").ends_with([' ', '(', '{']);
            begins && (after.starts_with("::") || (before.ends_with("use") && after.starts_with([';', ' '])))
        })
    }
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn rust_files(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            rust_files(&path, found);
        } else if path.extension().is_some_and(|end| end == "rs") {
            found.push(path);
        }
    }
}

fn sources() -> Vec<Source> {
    let mut files = Vec::new();
    rust_files(&root().join("src"), &mut files);
    files.sort();
    assert!(files.len() > 50, "the sources are not where they should be");
    files.iter().map(|file| source(file)).collect()
}

fn source(file: &Path) -> Source {
    let path = file.strip_prefix(root()).unwrap().to_owned();
    let layer = path.components().nth(1).unwrap().as_os_str().to_str().unwrap().trim_end_matches(".rs");
    let layer = if layer == "lib" || layer == "main" { "" } else { layer }.to_owned();
    let text = fs::read_to_string(file).unwrap();
    let code = text.split_inclusive('\n').map(without_comment).collect();
    Source { path, layer, code }
}

/// Blanks a comment that has its line to itself.
fn without_comment(line: &str) -> &str {
    if line.trim_start().starts_with("//") { "\n" } else { line }
}

/// The first words of a `use` tree after `crate::`: of `{a::b, c}` they are `a` and `c`.
fn first_words(tree: &str) -> Vec<String> {
    let word = |text: &str| text.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect::<String>();
    let Some(inner) = tree.strip_prefix('{') else { return vec![word(tree)] };
    let (mut words, mut depth, mut expected) = (Vec::new(), 0, true);
    for (at, c) in inner.char_indices() {
        match c {
            '{' => depth += 1,
            '}' if depth == 0 => break,
            '}' => depth -= 1,
            ',' if depth == 0 => expected = true,
            c if expected && !c.is_whitespace() => {
                words.push(word(&inner[at..]));
                expected = false;
            }
            _ => {}
        }
    }
    words
}

fn none(wrong: Vec<String>, rule: &str) {
    assert!(wrong.is_empty(), "{rule}\n  {}", wrong.join("\n  "));
}

#[test]
fn every_layer_sees_only_the_layers_below_it() {
    let mut wrong = Vec::new();
    for source in sources() {
        if source.layer.is_empty() {
            continue;
        }
        let Some((_, seen)) = LAYERS.iter().find(|(name, _)| *name == source.layer) else {
            wrong.push(format!("{}: `{}` is no layer", source.path.display(), source.layer));
            continue;
        };
        for place in source.places("crate") {
            let Some(tree) = source.code[place..].strip_prefix("crate::") else { continue };
            for word in first_words(tree.trim_start()) {
                if word != source.layer && !seen.contains(&word.as_str()) {
                    wrong.push(format!("{}: `{}` must not see `{word}`", source.at(place), source.layer));
                }
            }
        }
    }
    none(wrong, "a layer sees what it must not know:");
}

#[test]
fn every_outside_crate_stays_with_its_owner() {
    let mut wrong = Vec::new();
    for source in sources().iter().filter(|source| !source.layer.is_empty()) {
        for (name, rooms) in OWNERS.iter().filter(|(_, rooms)| !rooms.contains(&source.layer.as_str())) {
            let at = source.paths(name).map(|place| source.at(place));
            wrong.extend(at.map(|at| format!("{at}: {name} belongs to {}", rooms.join(", "))));
        }
    }
    none(wrong, "an outside crate is used in a room that is not its owner's:");
}

/// The names under which the code knows the dependencies.
fn dependencies() -> BTreeSet<String> {
    let manifest = fs::read_to_string(root().join("Cargo.toml")).unwrap();
    let manifest: toml::Table = manifest.parse().unwrap();
    manifest["dependencies"].as_table().unwrap().keys().map(|name| name.replace('-', "_")).collect()
}

#[test]
fn every_dependency_has_an_owner_and_every_owner_a_dependency() {
    let owned = OWNERS.iter().map(|(name, _)| *name).chain(EVERYWHERE.iter().copied());
    let owned: BTreeSet<String> = owned.map(str::to_owned).collect();
    let dependencies = dependencies();
    none(dependencies.difference(&owned).cloned().collect(), "dependencies without an owner in this test:");
    none(owned.difference(&dependencies).cloned().collect(), "owners of what is no dependency any more:");
}

#[test]
fn every_dependency_is_explained_in_contributing() {
    let text = fs::read_to_string(root().join("CONTRIBUTING.md")).unwrap().replace('-', "_");
    let unexplained = dependencies().into_iter().filter(|name| !text.contains(&format!("`{name}`")));
    none(unexplained.collect(), "CONTRIBUTING.md does not say why there is:");
}

#[test]
fn no_file_is_larger_than_a_room_may_be() {
    let lines = |source: &Source| source.code.lines().count();
    let large = sources().into_iter().filter(|source| lines(source) > LINES_MAX);
    let large = large.map(|source| format!("{}: {} lines", source.path.display(), lines(&source)));
    none(large.collect(), "files of more than 600 lines:");
}

#[test]
fn no_module_has_an_empty_name() {
    let empty = |source: &Source| {
        let mut names = source.path.components().filter_map(|part| part.as_os_str().to_str());
        names.any(|name| EMPTY_NAMES.contains(&name.trim_end_matches(".rs")))
    };
    let named = sources().into_iter().filter(empty).map(|source| source.path.display().to_string());
    none(named.collect(), "modules whose name says nothing:");
}

#[test]
fn there_is_no_unsafe_code() {
    let mut wrong = Vec::new();
    for source in sources() {
        // `unsafe-inline` is a word of Content-Security-Policy.
        let is_code = |place: &usize| !source.code[*place..].starts_with("unsafe-");
        wrong.extend(source.places("unsafe").filter(is_code).map(|place| source.at(place)));
    }
    none(wrong, "`unsafe` stands at:");
    let library = fs::read_to_string(root().join("src/lib.rs")).unwrap();
    assert!(library.contains("#![forbid(unsafe_code)]"));
}

#[test]
fn the_checks_see_what_they_look_for() {
    let source = Source {
        path: "src/mail/x.rs".into(),
        layer: "mail".to_owned(),
        code: "use sled;\nlet a = sled::open(); // not my_sled::open\nlet b = a.sled; x::sled::y(); ::sled::z();\n".into(),
    };
    let found: Vec<_> = source.paths("sled").map(|place| source.at(place)).collect();
    assert_eq!(found, ["src/mail/x.rs:1", "src/mail/x.rs:2", "src/mail/x.rs:3"]);
    assert_eq!(first_words("{domain::{A, B}, mail, tls::x::{C}};"), ["domain", "mail", "tls"]);
    assert_eq!(first_words("store::Key;"), ["store"]);
    assert_eq!(without_comment("  /// [`crate::desk`]\n"), "\n");
}
