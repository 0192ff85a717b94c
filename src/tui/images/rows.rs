//! Pictures among the lines of a thread: where their rows stand, and which of them are in sight or near.

use super::super::thread::{Row, Thread};
use super::{Album, Key, is_image, key_of};
use crate::domain::NoteView;

/// Puts below each file the rows that its picture takes.
pub fn with_images(rows: Vec<Row>, note: &NoteView, album: &Album) -> Vec<Row> {
    if !note.attachments.iter().any(is_image) {
        return rows;
    }
    let mut out = Vec::with_capacity(rows.len());
    for row in rows.into_iter().filter(|row| !matches!(row, Row::Image(..))) {
        let place = match &row {
            Row::File(place, _) => Some(*place),
            _ => None,
        };
        out.push(row);
        if let Some(place) = place {
            out.extend((0..album.rows_of(note, place)).map(|line| Row::Image(place, line)));
        }
    }
    out
}

impl Thread {
    /// Lays the rows of pictures out anew. What is read stays where it is; an issue that was opened and not scrolled
    /// stands as it would had the pictures been there.
    pub fn lay_out_images(&mut self, height: usize) {
        let untouched = self.placed == Some((self.selected, self.top));
        let anchor = self.anchor();
        for (note, block) in self.view.notes.iter().zip(&mut self.blocks) {
            *block = with_images(std::mem::take(block), note, &self.album);
        }
        if untouched {
            self.go_to(self.selected, height);
            self.placed = Some((self.selected, self.top));
        } else {
            let most = self.line_count().saturating_sub(height);
            self.top = self.line_of(anchor).min(most);
        }
    }

    /// Gives what stands in the first line: the block, how many rows other than of pictures begin before it there,
    /// and how far into a picture it is.
    fn anchor(&self) -> (usize, usize, usize) {
        let index = self.note_at(self.top);
        let above = self.top.saturating_sub(self.start_of(index));
        let rows = self.blocks.get(index).map(Vec::as_slice).unwrap_or_default();
        let before = rows.iter().take(above).filter(|row| !matches!(row, Row::Image(..))).count();
        match rows.get(above) {
            Some(Row::Image(_, line)) => (index, before, usize::from(*line) + 1),
            _ => (index, before, 0),
        }
    }

    /// Gives the line at which an anchor stands now.
    fn line_of(&self, (index, before, into): (usize, usize, usize)) -> usize {
        let rows = self.blocks.get(index).map(Vec::as_slice).unwrap_or_default();
        let mut others = rows.iter().enumerate().filter(|(_, row)| !matches!(row, Row::Image(..)));
        // Within a picture, the row before it is the one that is counted from.
        let at = others.nth(before - usize::from(into > 0 && before > 0)).map_or(rows.len(), |(at, _)| at);
        let picture = rows.iter().skip(at + 1).take_while(|row| matches!(row, Row::Image(..))).count();
        self.start_of(index) + at + into.min(picture)
    }

    /// Gives note and place of every picture in sight or within a screen of it, the nearest first.
    pub fn images_near(&self, height: usize) -> Vec<(usize, usize)> {
        let (first, end) = (self.top.saturating_sub(height), self.top + 2 * height);
        let mut near = Vec::new();
        let mut start = 0;
        for (index, (note, block)) in self.view.notes.iter().zip(&self.blocks).enumerate() {
            let after = start + block.len();
            if start >= end {
                break;
            }
            if after > first && note.attachments.iter().any(is_image) {
                for (line, row) in (start..).zip(block) {
                    let Row::File(place, _) = row else { continue };
                    let last = line + usize::from(self.album.rows_of(note, *place));
                    let is_near = last >= first && line < end;
                    if is_near && note.attachments.get(*place).is_some_and(is_image) {
                        near.push((line.abs_diff(self.top + height / 2), (index, *place)));
                    }
                }
            }
            start = after;
        }
        near.sort_by_key(|(away, _)| *away);
        near.into_iter().map(|(_, file)| file).collect()
    }

    /// Tells whether a file's picture is neither kept nor known not to be there.
    pub(super) fn lacks_image(&self, index: usize, place: usize) -> bool {
        self.view.notes.get(index).is_some_and(|note| self.album.lacks(note, place))
    }

    pub(super) fn keys_of(&self, files: &[(usize, usize)]) -> Vec<Key> {
        let key = |&(index, place): &(usize, usize)| key_of(self.view.notes.get(index)?, place);
        files.iter().filter_map(key).collect()
    }
}
