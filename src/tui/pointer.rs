//! The mouse, where it is wanted: the wheel scrolls, a click selects or opens.

use super::action::Action;
use super::app::App;
use super::input::Effect;
use super::layout::areas;
use crossterm::event::{MouseButton, MouseEvent, MouseEventKind};

/// So many lines the wheel moves by.
const WHEEL: usize = 3;

impl App {
    /// Takes the mouse, or gives it back to the terminal for selecting text.
    pub fn toggle_mouse(&mut self) {
        self.options.mouse = !self.options.mouse;
        let words = match self.options.mouse {
            true => "the mouse scrolls and selects; with Shift the terminal has it",
            false => "the mouse is the terminal's again",
        };
        self.say(words);
        self.want(Effect::Mouse(self.options.mouse));
    }

    /// Does what the mouse asks for.
    pub fn pointed(&mut self, event: MouseEvent) {
        let place = self.place();
        match event.kind {
            MouseEventKind::ScrollDown => (0..WHEEL).for_each(|_| self.act(place, Action::Down)),
            MouseEventKind::ScrollUp => (0..WHEEL).for_each(|_| self.act(place, Action::Up)),
            MouseEventKind::Down(MouseButton::Left) if self.overlay.is_none() && self.on_list() => {
                self.clicked(event.row);
            }
            _ => {}
        }
    }

    /// Selects the row that was clicked; the one that is selected already is opened.
    fn clicked(&mut self, row: u16) {
        let body = areas(self.width, self.height, self.list_mode()).body;
        if !(body.y..body.bottom()).contains(&row) {
            return;
        }
        let index = self.list.top + u64::from(row - body.y);
        if index >= self.list.total {
            return;
        }
        match index == self.list.selected {
            true => self.act(self.place(), Action::Open),
            false => self.select(index),
        }
    }
}
