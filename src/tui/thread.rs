//! One issue with its notes: laid out note by note, scrolled line by line.
//!
//! The layout is made when the issue, the width or a fold changes; drawing only cuts out what is in
//! sight. Of a long issue the beginning is laid out when somebody goes there.

use super::app::{App, Screen};
use super::asks::Purpose;
use super::composer::Composer;
use super::images::{Album, with_images};
use super::layout::{Mode, areas};
use super::markup;
use super::theme::Theme;
use crate::domain::{AttachmentView, IssueView, NoteId, NoteKind, NoteView, Reference, Request};
use jiff::Timestamp;
use ratatui::text::Line;
use std::collections::BTreeSet;

/// Longer lines than this are hard to read, in cells.
const READABLE: usize = 100;
/// So many notes before the one that is shown first are laid out at once.
const NEAR: usize = 60;
/// So many earlier notes are looked through for a picture that comes again.
const LOOK_BACK: usize = 50;
/// Octets of a picture that is folded when it comes again.
const LOGO: u64 = 200_000;

/// One line of a note. What depends on the time is drawn fresh, the rest stands ready.
#[derive(Clone, Debug)]
pub enum Row {
    /// Author and time.
    Head,
    /// A note of the desk itself, in one line.
    System,
    Text(Line<'static>),
    /// The attachment of this place in the note, and its number in the thread.
    File(usize, usize),
    /// A row of the picture of the file of this place, counted from its top.
    Image(usize, u16),
    /// So many pictures that came with an earlier note already.
    Images(usize),
    Fold,
    /// The delivery of this place in the note.
    Delivery(usize),
    Blank,
}

/// An issue on the screen.
#[derive(Debug)]
pub struct Thread {
    pub reference: Reference,
    pub view: IssueView,
    /// The lines of each note; none of those that nobody went to yet.
    pub blocks: Vec<Vec<Row>>,
    /// The first note that is laid out.
    laid: usize,
    theme: Theme,
    pub width: usize,
    /// The first line on the screen.
    pub top: usize,
    /// The note that keys are for.
    pub selected: usize,
    pub unfolded: BTreeSet<NoteId>,
    /// Notes that were unread when the issue was opened.
    pub fresh: BTreeSet<NoteId>,
    /// Up to which note the desk was told that it was read.
    pub read_to: Option<NoteId>,
    pub album: Album,
    /// The note that was selected when the issue was opened, and the first line on the screen then.
    pub placed: Option<(usize, usize)>,
}

impl Thread {
    /// Lays an issue out at `width` cells.
    pub fn new(reference: Reference, view: IssueView, width: usize, theme: &Theme) -> Self {
        let fresh = view.notes.iter().filter(|n| n.unread).map(|n| n.id).collect();
        let news = view.notes.iter().position(|n| n.unread).unwrap_or(view.notes.len());
        let mut thread = Self {
            reference,
            view,
            blocks: Vec::new(),
            laid: news.saturating_sub(NEAR),
            theme: theme.clone(),
            width,
            top: 0,
            selected: 0,
            unfolded: BTreeSet::new(),
            fresh,
            read_to: None,
            album: Album::default(),
            placed: None,
        };
        thread.reflow(width, theme);
        thread
    }

    /// Takes a newer state of the same issue, keeping place and folds.
    pub fn refresh(&mut self, view: IssueView, theme: &Theme) {
        self.fresh.extend(view.notes.iter().filter(|n| n.unread).map(|n| n.id));
        // What did not change keeps its lines: a long thread is not laid out anew for each event.
        let same =
            self.view.notes.iter().zip(&view.notes).take_while(|(old, new)| same_lines(old, new)).count();
        self.view = view;
        self.laid = self.laid.min(self.view.notes.len().saturating_sub(NEAR));
        self.theme.clone_from(theme);
        self.lay_out(same.min(self.blocks.len()));
    }

    /// Lays everything out anew.
    pub fn reflow(&mut self, width: usize, theme: &Theme) {
        self.width = width;
        self.theme.clone_from(theme);
        self.lay_out(0);
    }

    /// Lays the notes out from this one on, those aside that nobody went to.
    fn lay_out(&mut self, from: usize) {
        self.blocks.truncate(from);
        let mut number = self.files_before(from);
        for (index, note) in self.view.notes.iter().enumerate().skip(from) {
            if index < self.laid {
                number += note.attachments.len();
                self.blocks.push(Vec::new());
                continue;
            }
            let unfolded = self.unfolded.contains(&note.id);
            let known = known_images(&self.view.notes, index);
            let rows = block(note, &known, unfolded, &mut number, self.width, &self.theme);
            self.blocks.push(with_images(rows, note, &self.album));
        }
        self.selected = self.selected.min(self.blocks.len().saturating_sub(1));
    }

    /// Lays out what nobody went to before; what is on the screen stays there.
    fn lay_out_all(&mut self) {
        let first = std::mem::take(&mut self.laid);
        if first == 0 {
            return;
        }
        let later = self.blocks.split_off(first.min(self.blocks.len()));
        let notes = self.view.notes.iter().take(first).enumerate();
        let mut number = 0;
        let laid = notes.map(|(index, note)| {
            let (known, unfolded) = (known_images(&self.view.notes, index), self.unfolded.contains(&note.id));
            let rows = block(note, &known, unfolded, &mut number, self.width, &self.theme);
            with_images(rows, note, &self.album)
        });
        self.blocks = laid.collect();
        self.top += self.line_count();
        self.blocks.extend(later);
    }

    /// Gives how wide a line of a note is at most, in cells.
    pub fn readable_width(&self) -> usize {
        readable(self.width)
    }

    fn files_before(&self, note: usize) -> usize {
        self.view.notes.iter().take(note).map(|n| n.attachments.len()).sum()
    }

    /// Gives the line at which a note begins.
    pub fn start_of(&self, note: usize) -> usize {
        self.blocks.iter().take(note).map(Vec::len).sum()
    }

    /// Gives how many lines there are.
    pub fn line_count(&self) -> usize {
        self.start_of(self.blocks.len())
    }

    /// Gives the note that keys are for.
    pub fn current(&self) -> Option<&NoteView> {
        self.view.notes.get(self.selected)
    }

    /// Tells whether a mail of it is about to leave.
    pub fn counts_seconds(&self, now: Timestamp) -> bool {
        let latest = self.view.notes.iter().rev().take(5);
        latest.flat_map(|n| &n.delivery).any(|mail| mail.held_until.is_some_and(|at| at > now))
    }

    /// Gives the last note, which is what a writer has seen.
    pub fn last_note(&self) -> Option<NoteId> {
        self.view.notes.iter().map(|n| n.id).max()
    }

    /// Scrolls by lines; the selected note follows into sight.
    pub fn scroll(&mut self, by: i64, height: usize) {
        let above = i64::try_from(self.top).unwrap_or(i64::MAX);
        if above.saturating_add(by) <= 0 {
            self.lay_out_all();
        }
        let most = self.line_count().saturating_sub(height);
        let before = self.top;
        self.top = self.top.saturating_add_signed(isize::try_from(by).unwrap_or(0)).min(most);
        if before == self.top && by != 0 {
            // Nothing left to scroll: the keys walk through the notes that are in sight.
            return self.step_note(by.signum());
        }
        let bottom = self.top + height;
        let start = self.start_of(self.selected);
        let end = start + self.blocks.get(self.selected).map_or(0, Vec::len);
        if end <= self.top || start >= bottom {
            self.selected = self.note_at(if by > 0 { self.top } else { bottom.saturating_sub(1) });
        }
    }

    fn step_note(&mut self, by: i64) {
        let last = self.blocks.len().saturating_sub(1);
        let step = isize::try_from(by).unwrap_or(0);
        self.selected = self.selected.saturating_add_signed(step).min(last);
    }

    /// Gives the note that a line belongs to.
    pub fn note_at(&self, line: usize) -> usize {
        let mut end = 0;
        self.blocks
            .iter()
            .position(|block| {
                end += block.len();
                line < end
            })
            .unwrap_or(self.blocks.len().saturating_sub(1))
    }

    /// Selects the next note that a person wrote, or the previous one, and scrolls to it.
    pub fn walk(&mut self, forward: bool, height: usize) {
        self.walk_to(forward, height, |note| note.kind != NoteKind::System);
    }

    /// Selects the next note, or the previous one, that `fits`; tells whether there is one.
    pub fn walk_to(&mut self, forward: bool, height: usize, fits: impl Fn(&NoteView) -> bool) -> bool {
        let fits = |i: &usize| self.view.notes.get(*i).is_some_and(&fits);
        let found = if forward {
            (self.selected + 1..self.blocks.len()).find(fits)
        } else {
            (0..self.selected).rev().find(fits)
        };
        if let Some(note) = found {
            self.go_to(note, height);
        }
        found.is_some()
    }

    /// Selects a note and scrolls so that it begins at the top, as far as there is enough below it.
    pub fn go_to(&mut self, note: usize, height: usize) {
        self.selected = note.min(self.blocks.len().saturating_sub(1));
        if self.selected < self.laid {
            self.lay_out_all();
        }
        let most = self.line_count().saturating_sub(height);
        self.top = self.start_of(self.selected).min(most);
    }

    /// Goes to the first unread note; without one, to the last that a person wrote.
    pub fn go_to_news(&mut self, height: usize) {
        let notes = &self.view.notes;
        let news = notes.iter().position(|n| self.fresh.contains(&n.id) && n.kind != NoteKind::System);
        let last = notes.iter().rposition(|n| n.kind != NoteKind::System);
        self.go_to(news.or(last).unwrap_or(0), height);
        self.placed = Some((self.selected, self.top));
    }

    /// Shows or hides what is folded in the selected note; tells whether there was anything.
    pub fn toggle_fold(&mut self, theme: &Theme) -> bool {
        let known = known_images(&self.view.notes, self.selected);
        let folds = |note: &&NoteView| note.folded.is_some() || known.contains(&true);
        let Some(note) = self.current().filter(folds) else { return false };
        let id = note.id;
        if !self.unfolded.remove(&id) {
            self.unfolded.insert(id);
        }
        let mut number = self.files_before(self.selected);
        let unfolded = self.unfolded.contains(&id);
        if let (Some(note), Some(lines)) =
            (self.view.notes.get(self.selected), self.blocks.get_mut(self.selected))
        {
            let rows = block(note, &known, unfolded, &mut number, self.width, theme);
            *lines = with_images(rows, note, &self.album);
        }
        true
    }
}

/// Tells whether two states of a note are laid out alike.
fn same_lines(old: &NoteView, new: &NoteView) -> bool {
    let shape = |n: &NoteView| (n.id, n.kind, n.html, n.reduced, n.delivery.len(), n.attachments.len());
    shape(old) == shape(new)
        && old.body == new.body
        && old.folded == new.folded
        && old.warnings == new.warnings
        && old.seal == new.seal
}

/// Tells of each file of a note whether it is a picture in the text, such as a logo, that came with an earlier
/// note already.
fn known_images(notes: &[NoteView], index: usize) -> Vec<bool> {
    let (earlier, from) = notes.split_at_checked(index).unwrap_or((notes, &[]));
    let earlier = earlier.get(earlier.len().saturating_sub(LOOK_BACK)..).unwrap_or_default();
    let is_known = |file: &AttachmentView| {
        file.inline
            && file.media_type.starts_with("image/")
            && file.size <= LOGO
            && earlier.iter().any(|note| note.attachments.contains(file))
    };
    from.first().map_or_else(Vec::new, |note| note.attachments.iter().map(is_known).collect())
}

fn readable(width: usize) -> usize {
    width.saturating_sub(3).min(READABLE)
}

fn block(
    note: &NoteView,
    known: &[bool],
    unfolded: bool,
    number: &mut usize,
    width: usize,
    theme: &Theme,
) -> Vec<Row> {
    if note.kind == NoteKind::System {
        return vec![Row::System, Row::Blank];
    }
    let mut rows = vec![Row::Head];
    let inner = readable(width);
    if let Some(seal) = &note.seal {
        let sign = if seal.is_doubtful() { theme.signs.warning } else { theme.signs.dot };
        let style = if seal.is_doubtful() { theme.warning } else { theme.dim };
        let words = format!("{sign} {}", seal.words);
        rows.extend(markup::plain(&words, inner, style).into_iter().map(Row::Text));
    }
    for warning in &note.warnings {
        let words = format!("{} {warning}", theme.signs.warning);
        rows.extend(markup::plain(&words, inner, theme.warning).into_iter().map(Row::Text));
    }
    if note.html {
        let words = if note.reduced { "formatting reduced" } else { "from HTML" };
        let words = format!("{words} {} B opens the original in the browser", theme.signs.dot);
        rows.extend(markup::plain(&words, inner, theme.dim).into_iter().map(Row::Text));
    }
    let keep_marks = note.kind == NoteKind::Incoming && !note.html;
    rows.extend(markup::lines(&note.body, inner, keep_marks, theme).into_iter().map(Row::Text));
    let mut again = Vec::new();
    for place in 0..note.attachments.len() {
        *number += 1;
        let is_known = known.get(place).copied().unwrap_or(false);
        if is_known { &mut again } else { &mut rows }.push(Row::File(place, *number));
    }
    if !again.is_empty() {
        rows.push(Row::Images(again.len()));
        if unfolded {
            rows.extend(again);
        }
    }
    if let Some(folded) = &note.folded {
        rows.push(Row::Fold);
        if unfolded {
            rows.extend(markup::plain(folded, inner, theme.quote).into_iter().map(Row::Text));
        }
    }
    rows.extend((0..note.delivery.len()).map(Row::Delivery));
    rows.push(Row::Blank);
    rows
}

impl App {
    /// Gives the layout of what is on the screen now.
    pub fn mode(&self) -> Mode {
        match (self.screen, &self.composer) {
            (Screen::List, _) => self.list_mode(),
            (Screen::Templates, _) => Mode::Beside,
            (Screen::Thread, Some(composer)) => Mode::Compose { fields: composer.field_rows() },
            (Screen::Thread, None) => Mode::Thread,
            _ => Mode::Plain,
        }
    }

    /// Gives how many lines of the thread are on the screen.
    pub fn thread_height(&self) -> usize {
        usize::from(areas(self.width, self.height, self.mode()).body.height)
    }

    /// Gives how many lines of the preview are on the screen.
    pub fn preview_height(&self) -> usize {
        usize::from(areas(self.width, self.height, self.list_mode()).preview.height).saturating_sub(2)
    }

    /// Opens an issue over what is on the screen.
    pub fn open_issue(&mut self, reference: Reference) {
        // What is being written belongs to its own issue and never slides under another one.
        let elsewhere = |c: &Composer| c.target.as_ref().is_none_or(|(_, r)| *r != reference);
        if self.composer.as_ref().is_some_and(elsewhere) {
            self.leave_composer();
        }
        if self.screen != Screen::Thread {
            self.back.retain(|screen| *screen != Screen::Thread);
            self.back.push(self.screen);
            self.screen = Screen::Thread;
        }
        if self.thread.as_ref().is_none_or(|t| t.reference != reference) {
            self.thread = None;
        }
        self.opened = Some(reference.clone());
        match self.previewed(&reference) {
            Some(view) => self.take_thread(reference, view),
            None => self.ask_thread(reference),
        }
    }

    /// Gives an issue as the preview shows it, where that is how it is: the preview follows every change.
    fn previewed(&self, reference: &Reference) -> Option<IssueView> {
        let asking = |p: &Purpose| matches!(p, Purpose::Preview(_) | Purpose::Thread(_));
        if self.lost.is_some() || self.asks.waits_for(asking) {
            return None;
        }
        self.preview.as_ref().filter(|shown| shown.reference == *reference).map(|shown| shown.view.clone())
    }

    /// Asks for an issue that is, or is to be, on the screen.
    pub fn ask_thread(&mut self, reference: Reference) {
        self.ask(Purpose::Thread(reference.clone()), Request::Issue(reference));
    }

    /// Takes the issue in that was asked for.
    pub fn take_thread(&mut self, asked: Reference, view: IssueView) {
        // A number that leads on is left behind: what is done next is done to what is read.
        let reference = view.row.reference.parse().unwrap_or_else(|_| asked.clone());
        if self.opened.as_ref() == Some(&asked) {
            self.opened = Some(reference.clone());
        }
        let width = usize::from(self.width);
        let known = self.thread.as_ref().is_some_and(|t| t.view.row.id == view.row.id);
        if known {
            if let Some(thread) = &mut self.thread {
                thread.refresh(view, &self.theme);
                thread.reference = reference;
            }
        } else {
            self.thread = Some(Thread::new(reference, view, width, &self.theme));
            let height = self.thread_height();
            if let Some(thread) = &mut self.thread {
                thread.go_to_news(height);
            }
            self.begin_album();
        }
        self.follow_to_note();
        // What came while the thread was open counts as read once it was on the screen.
        if !known {
            self.mark_read();
        } else if self.mark_shown_as_read() {
            self.say("new mail below");
        }
        self.composer_led(&asked);
        self.composer_follows();
    }

    /// Marks the open issue as read if its last note is on the screen; tells whether news is out of sight.
    pub fn mark_shown_as_read(&mut self) -> bool {
        let height = self.thread_height();
        let Some(thread) = &self.thread else { return false };
        let last = thread.blocks.len().saturating_sub(1);
        let shown = thread.start_of(last) < thread.top + height;
        if shown {
            self.mark_read();
        }
        !shown && self.thread.as_ref().is_some_and(|t| t.view.row.unread > 0)
    }

    /// Tells the desk that the open issue was read.
    fn mark_read(&mut self) {
        let Some(thread) = self.thread.as_mut().filter(|_| self.screen == Screen::Thread) else { return };
        let last = thread.last_note();
        if thread.view.row.unread > 0 && thread.read_to != last {
            thread.read_to = last;
            let reference = thread.reference.clone();
            self.ask(Purpose::MarkRead, Request::MarkRead { reference, read: true });
        }
    }

    /// Lays everything out for a new size.
    pub fn reflow(&mut self) {
        let width = usize::from(self.width);
        if let Some(thread) = &mut self.thread {
            thread.album.forget();
            thread.reflow(width, &self.theme);
        }
        let preview = areas(self.width, self.height, self.list_mode()).preview;
        match &mut self.preview {
            Some(shown) if !preview.is_empty() => shown.reflow(usize::from(preview.width), &self.theme),
            _ => self.ask_preview(),
        }
        let index = self.list.selected;
        self.select(index);
        let height = self.thread_height();
        if let Some(thread) = &mut self.thread {
            thread.scroll(0, height);
        }
    }

    /// Goes to the next issue of the list, or the previous one, and opens it.
    pub fn step_issue(&mut self, by: i64) {
        let before = self.list.selected;
        self.move_selection(by);
        if self.list.selected == before {
            return self.say(if by > 0 { "this is the last issue" } else { "this is the first issue" });
        }
        if let Some(reference) = self.list.current().and_then(|row| row.reference.parse().ok()) {
            self.open_issue(reference);
        }
    }
}
