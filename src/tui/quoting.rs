//! Quoting: the note in front goes into what is being written, each of its lines behind a `>`.

use super::app::App;
use super::clean;
use super::composer::Saved;
use super::when;
use crate::domain::{DraftKind, NoteKind, NoteView};

impl App {
    /// Quotes the note in front; without a composer a reply is begun with it.
    pub fn quote(&mut self) {
        let note = self.thread.as_ref().filter(|_| !self.on_list()).and_then(|thread| thread.current());
        let Some(note) = note.filter(|note| note.kind != NoteKind::System).cloned() else {
            return self.say("open an issue and go to a note that somebody wrote");
        };
        let kind = self.composer.as_ref().map_or(DraftKind::Reply, |composer| composer.kind);
        if note.kind == NoteKind::Internal && kind != DraftKind::Internal {
            return self.complain("an internal comment is not quoted into a mail");
        }
        if self.composer.is_none() {
            self.compose(DraftKind::Reply);
        }
        let quoted = self.quoted(&note);
        let Some(composer) = &mut self.composer else { return };
        if composer.saved == Saved::Loading && !composer.body.is_blank() {
            composer.body.insert("\n");
        }
        composer.body.insert(&quoted);
        composer.focused = true;
        self.composer_touched();
    }

    fn quoted(&self, note: &NoteView) -> String {
        let who = clean::line(note.author.label());
        let at = when::full(note.created_at, &self.options.time_zone);
        let lines = note.body.trim_end().lines().map(|line| format!("> {line}").trim_end().to_owned());
        format!("{who}, {at}:\n{}\n\n", lines.collect::<Vec<_>>().join("\n"))
    }
}
