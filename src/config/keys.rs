//! `[keys.PLACE]` and `[[command]]`: keys bound anew, each with the line it stands in.

use super::sections::CommandMode;
use super::values::duration;
use serde::Deserialize;
use std::collections::BTreeMap;
use std::time::Duration;
use toml::Spanned;

/// One key that is bound anew.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BoundKey {
    pub place: &'static str,
    pub keys: String,
    /// The name of what it does; `none` takes the key away.
    pub action: String,
    /// Counted from 1.
    pub line: usize,
}

/// A command of one's own, on a key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OwnCommand {
    pub key: String,
    pub name: String,
    /// A line for the shell.
    pub run: String,
    pub mode: CommandMode,
    /// After so long it is ended.
    pub timeout: Duration,
    /// Where its key stands, counted from 1.
    pub line: usize,
}

type Place = BTreeMap<String, Spanned<String>>;

/// The places as they are written.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct Keys {
    all: Place,
    list: Place,
    thread: Place,
    composer: Place,
    query: Place,
    prompt: Place,
    picker: Place,
    outbox: Place,
    intake: Place,
    project: Place,
    senders: Place,
    members: Place,
    templates: Place,
    categories: Place,
    rules: Place,
    canned: Place,
    reports: Place,
    views: Place,
    changes: Place,
    text: Place,
}

impl Keys {
    /// Gives every key with its place and line.
    pub(super) fn understand(self, text: &str) -> Vec<BoundKey> {
        let places = [
            ("all", self.all),
            ("list", self.list),
            ("thread", self.thread),
            ("composer", self.composer),
            ("query", self.query),
            ("prompt", self.prompt),
            ("picker", self.picker),
            ("outbox", self.outbox),
            ("intake", self.intake),
            ("project", self.project),
            ("senders", self.senders),
            ("members", self.members),
            ("templates", self.templates),
            ("categories", self.categories),
            ("rules", self.rules),
            ("canned", self.canned),
            ("reports", self.reports),
            ("views", self.views),
            ("changes", self.changes),
            ("text", self.text),
        ];
        let bound = |(place, keys): (&'static str, Place)| {
            keys.into_iter().map(move |(keys, action)| {
                let line = line_of(text, action.span().start);
                BoundKey { place, keys, action: action.into_inner(), line }
            })
        };
        places.into_iter().flat_map(bound).collect()
    }
}

/// A command as it is written.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Command {
    key: Spanned<String>,
    name: String,
    run: String,
    #[serde(default)]
    mode: CommandMode,
    #[serde(default = "patience", deserialize_with = "duration")]
    timeout: Duration,
}

fn patience() -> Duration {
    Duration::from_secs(60)
}

impl Command {
    pub(super) fn understand(self, text: &str) -> OwnCommand {
        let line = line_of(text, self.key.span().start);
        let Self { key, name, run, mode, timeout } = self;
        OwnCommand { key: key.into_inner(), name, run, mode, timeout, line }
    }
}

fn line_of(text: &str, at: usize) -> usize {
    text.get(..at).map_or(0, |before| before.matches('\n').count()) + 1
}
