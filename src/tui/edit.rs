//! The text fields: the composer's body and the one-line prompts.
//!
//! Owns tui-textarea; nothing else knows which editor it is, so that it can be swapped.

use super::clean;
use super::theme::Theme;
use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::{Modifier, Style};
use ratatui::widgets::Widget;
use tui_textarea::{CursorMove, TextArea, WrapMode};

/// A text that is being written.
#[derive(Clone, Debug)]
pub struct Edit {
    area: TextArea<'static>,
    one_line: bool,
}

impl Edit {
    /// Makes a field of many lines, the cursor before the text.
    pub fn text(text: &str) -> Self {
        let typed = clean::typed(text);
        let mut area = TextArea::from(typed.split('\n'));
        area.set_wrap_mode(WrapMode::WordOrGlyph);
        area.set_cursor_line_style(Style::new());
        area.set_tab_length(4);
        Self { area, one_line: false }
    }

    /// Makes a field of one line, the cursor after the text.
    pub fn line(text: &str) -> Self {
        let mut area = TextArea::new(vec![clean::line(text)]);
        area.set_cursor_line_style(Style::new());
        area.move_cursor(CursorMove::End);
        Self { area, one_line: true }
    }

    /// Says what is to stand there while nothing is typed.
    #[must_use]
    pub fn hint(mut self, hint: &str, theme: &Theme) -> Self {
        self.area.set_placeholder_text(hint);
        self.area.set_placeholder_style(theme.dim);
        self
    }

    /// Gives what was typed.
    pub fn value(&self) -> String {
        self.area.lines().join("\n")
    }

    /// Gives the line with the cursor, up to the cursor.
    pub fn before_cursor(&self) -> String {
        let cursor = self.area.cursor();
        let (row, column) = (cursor.0, cursor.1);
        self.area.lines().get(row).map_or(String::new(), |line| line.chars().take(column).collect())
    }

    /// Tells whether any line begins like this.
    pub fn has_line_with(&self, beginning: char) -> bool {
        self.area.lines().iter().any(|line| line.starts_with(beginning))
    }

    /// Tells whether nothing but blanks was typed.
    pub fn is_blank(&self) -> bool {
        self.area.lines().iter().all(|line| line.trim().is_empty())
    }

    /// Gives the lines of the text, as many as were typed.
    pub fn line_count(&self) -> usize {
        self.area.lines().len()
    }

    /// Takes a key; tells whether the text changed.
    pub fn key(&mut self, key: KeyEvent) -> bool {
        let plain = key.modifiers & (KeyModifiers::CONTROL | KeyModifiers::ALT);
        if self.one_line && (key.code == KeyCode::Enter || key.code == KeyCode::Tab) {
            return false;
        }
        match key.code {
            KeyCode::Char('u') if self.one_line && plain == KeyModifiers::CONTROL => {
                self.area.delete_line_by_head()
            }
            KeyCode::Home if plain == KeyModifiers::NONE => {
                self.area.move_cursor(CursorMove::Head);
                false
            }
            _ => self.area.input(key),
        }
    }

    /// Puts text in at the cursor, made fit for an editor.
    pub fn insert(&mut self, text: &str) {
        let text = if self.one_line { clean::line(text) } else { clean::typed(text) };
        self.area.insert_str(text);
    }

    /// Puts text in place of so many characters before the cursor, all of them in its line.
    pub fn put_in_place(&mut self, length: usize, text: &str) {
        self.take_back(length);
        self.insert(text);
    }

    /// Takes so many characters before the cursor away.
    pub fn take_back(&mut self, characters: usize) {
        for _ in 0..characters {
            self.area.delete_char();
        }
    }

    /// Replaces everything; one undo brings the old text back.
    pub fn replace(&mut self, text: &str) {
        self.area.select_all();
        self.area.cut();
        self.insert(text);
    }

    /// Puts the cursor at the end.
    pub fn go_to_end(&mut self) {
        self.area.move_cursor(CursorMove::Bottom);
        self.area.move_cursor(CursorMove::End);
    }

    /// Undoes typing.
    pub fn undo(&mut self) -> bool {
        self.area.undo()
    }

    /// Redoes typing.
    pub fn redo(&mut self) -> bool {
        self.area.redo()
    }

    /// Cuts the selection, or nothing.
    pub fn cut(&mut self) -> Option<String> {
        self.area.cut().then(|| self.area.yank_text())
    }

    /// Copies the selection.
    pub fn copy(&mut self) -> Option<String> {
        let selecting = self.area.is_selecting();
        self.area.copy();
        selecting.then(|| self.area.yank_text())
    }

    /// Puts in what was cut or copied.
    pub fn paste(&mut self) -> bool {
        self.area.paste()
    }

    /// Selects everything.
    pub fn select_all(&mut self) {
        self.area.select_all();
    }

    /// Draws the field; the cursor only where the field has the focus.
    pub fn draw(&self, focused: bool, area: Rect, buf: &mut Buffer) {
        if focused {
            (&self.area).render(area, buf);
            return;
        }
        let mut still = self.area.clone();
        still.set_cursor_style(Style::new());
        (&still).render(area, buf);
        buf.set_style(area, Style::new().remove_modifier(Modifier::REVERSED));
    }
}
