//! Pictures shown in the thread: which are wanted, one after the other, and which are kept.
//!
//! Owns the state. `way` decides how a terminal shows them, `make` makes them of bytes, on a thread that
//! `outside` begins. A thread has an album of its own that goes with it, so that what is kept stays bounded.

mod make;
mod rows;
mod way;

#[cfg(test)]
mod tests;

pub use make::{Made, Not, Order, Sent, make};
pub use rows::with_images;
pub use way::{Graphics, Surroundings, WORDS, Way};

use super::app::{App, Screen};
use super::asks::Purpose;
use super::input::Effect;
use crate::domain::{AttachmentView, NoteId, NoteView, Reference, Request};
use make::FILE_MAX;
use std::collections::BTreeMap;
use std::sync::Arc;

/// The most rows of a picture; on a low screen about half of it.
const ROWS_MAX: u16 = 15;
/// So many pictures of one note are shown.
const OF_A_NOTE: usize = 12;
/// What an album keeps, in octets and in pictures, unless all of it is near to what is read.
const ALBUM_OCTETS: usize = 48_000_000;
const ALBUM_COUNT: usize = 64;

/// A file: its note, and its name.
pub type Key = (NoteId, String);

/// What is the same for every thread.
#[derive(Debug, Default)]
pub struct Images {
    pub graphics: Graphics,
    /// Whether the person does not want to see any.
    pub hidden: bool,
    /// How many were made so far.
    made: u32,
}

/// What became of a picture.
#[derive(Clone, Debug)]
pub enum Kept {
    Ready(Arc<Made>),
    /// It was let go, and is made again when somebody comes near; it had so many rows.
    Gone {
        rows: u16,
        pixels: (u32, u32),
    },
    Not(Not),
}

/// The pictures of a thread.
#[derive(Debug, Default)]
pub struct Album {
    pub shown: bool,
    kept: BTreeMap<Key, Kept>,
    /// The one that is being made, and the number of its order.
    making: Option<(Key, u32)>,
}

impl Images {
    /// Begins without any.
    pub fn new(graphics: Graphics) -> Self {
        Self { graphics, ..Self::default() }
    }
}

impl Album {
    /// Gives what became of a file's picture.
    pub fn of(&self, note: NoteId, file: &AttachmentView) -> Option<&Kept> {
        is_image(file).then(|| self.kept.get(&(note, file.name.clone()))).flatten()
    }

    /// Gives the rows that a file's picture takes below the file.
    pub fn rows_of(&self, note: NoteId, file: &AttachmentView) -> u16 {
        match self.of(note, file) {
            Some(Kept::Ready(made)) if self.shown => made.rows,
            Some(Kept::Gone { rows, .. }) if self.shown => *rows,
            _ => 0,
        }
    }

    /// Tells whether a file still has to be looked at.
    fn lacks(&self, note: NoteId, file: &AttachmentView) -> bool {
        is_image(file) && matches!(self.of(note, file), None | Some(Kept::Gone { .. }))
    }

    fn is_full(&self) -> bool {
        let ready: Vec<usize> = self.ready().map(|(_, made)| made.octets).collect();
        ready.len() >= ALBUM_COUNT || ready.iter().sum::<usize>() >= ALBUM_OCTETS
    }

    fn ready(&self) -> impl Iterator<Item = (&Key, &Arc<Made>)> {
        self.kept.iter().filter_map(|(key, kept)| match kept {
            Kept::Ready(made) => Some((key, made)),
            _ => None,
        })
    }

    /// Lets everything go that is not `near`; tells whether there is room now.
    fn make_room(&mut self, near: &[Key]) -> bool {
        if self.is_full() {
            for (key, kept) in &mut self.kept {
                if let Kept::Ready(made) = kept
                    && !near.contains(key)
                {
                    *kept = Kept::Gone { rows: made.rows, pixels: made.pixels };
                }
            }
        }
        !self.is_full()
    }

    /// Forgets how everything is drawn, as for a screen of another size.
    pub fn forget(&mut self) {
        self.kept.retain(|_, kept| matches!(kept, Kept::Not(_)));
        self.making = None;
    }
}

/// Tells whether a file says that it is a picture.
pub fn is_image(file: &AttachmentView) -> bool {
    file.media_type.starts_with("image/")
}

/// Says of a file what can be told without its bytes.
fn at_once(note: &NoteView, file: &AttachmentView) -> Option<Not> {
    let before = note.attachments.iter().filter(|other| is_image(other)).position(|other| other == file);
    if file.size > FILE_MAX {
        Some(Not::TooLarge)
    } else if before.is_some_and(|before| before >= OF_A_NOTE) {
        Some(Not::TooMany)
    } else {
        None
    }
}

impl App {
    /// Tells whether this screen shows pictures, unless somebody hides them.
    fn can_show_images(&self) -> bool {
        self.images.graphics.way != Way::Off
    }

    /// Shows the pictures of the thread, or hides them.
    pub fn toggle_images(&mut self) {
        if !self.can_show_images() {
            return self.say("this screen shows no pictures: `o` opens and saves them");
        }
        self.images.hidden = !self.images.hidden;
        self.say(if self.images.hidden { "pictures are hidden" } else { "pictures are shown" });
        self.begin_album();
    }

    /// Lets a thread that was just opened show pictures, or no longer.
    pub fn begin_album(&mut self) {
        let shown = self.can_show_images() && !self.images.hidden;
        let height = self.thread_height();
        if let Some(thread) = self.thread.as_mut().filter(|thread| thread.album.shown != shown) {
            thread.album.shown = shown;
            thread.lay_out_images(height);
        }
    }

    /// Forgets how pictures are drawn: the terminal no longer has them.
    pub fn forget_images(&mut self) {
        if let Some(thread) = &mut self.thread {
            thread.album.forget();
        }
    }

    /// Draws everything anew, pictures too.
    pub fn redraw(&mut self) {
        self.forget_images();
        self.want(Effect::Redraw);
    }

    /// Asks for the next picture that is in sight or near; one at a time.
    pub fn want_image(&mut self) {
        let height = self.thread_height();
        let Some(thread) = self.thread.as_mut().filter(|_| self.screen == Screen::Thread) else { return };
        if !thread.album.shown || thread.album.making.is_some() || self.lost.is_some() {
            return;
        }
        let near = thread.images_near(height);
        let next = near.iter().find(|(note, place)| thread.lacks_image(*note, *place)).copied();
        let Some((index, place)) = next else { return };
        let note = thread.view.notes.get(index);
        let Some((note, file)) = note.and_then(|note| Some((note, note.attachments.get(place)?))) else {
            return;
        };
        let key = (note.id, file.name.clone());
        if let Some(not) = at_once(note, file) {
            thread.album.kept.insert(key, Kept::Not(not));
            return self.want_image();
        }
        let keys = thread.keys_of(&near);
        if self.asks.waits_for(|purpose| matches!(purpose, Purpose::Image { .. }))
            || !thread.album.make_room(&keys)
        {
            return;
        }
        let reference: Reference = thread.reference.clone();
        let (note, name) = key;
        let purpose = Purpose::Image { note, name: name.clone() };
        self.ask(purpose, Request::Attachment { reference, note, name });
    }

    /// Has a picture made of the bytes that came.
    pub fn image_fetched(&mut self, key: Key, bytes: Vec<u8>) {
        let (height, graphics) = (self.height, self.images.graphics);
        let Some(thread) = self.thread.as_mut().filter(|thread| thread.album.shown) else { return };
        self.images.made = self.images.made.wrapping_add(1);
        let columns = u16::try_from(thread.readable_width()).unwrap_or(u16::MAX);
        let order = Order {
            graphics,
            room: (columns, ROWS_MAX.min(height / 2).max(1)),
            id: kitty_id(self.images.made),
        };
        thread.album.making = Some((key.clone(), order.id));
        self.want(Effect::MakeImage { key, bytes, order });
    }

    /// Takes a picture that was made, or why there is none.
    pub fn take_image(&mut self, key: Key, order: u32, made: Result<Arc<Made>, Not>) {
        let height = self.thread_height();
        let Some(thread) = &mut self.thread else { return };
        // What was made for a screen of another size, or for another issue, is of no use.
        if thread.album.making.take_if(|(making, number)| *making == key && *number == order).is_none() {
            return;
        }
        thread.album.kept.insert(key, made.map_or_else(Kept::Not, Kept::Ready));
        thread.lay_out_images(height);
    }

    /// Says that the desk did not give a picture.
    pub fn image_refused(&mut self, key: Key) {
        if let Some(thread) = &mut self.thread {
            thread.album.kept.insert(key, Kept::Not(Not::Unavailable));
        }
    }
}

impl Images {
    /// Gives the numbers by which a terminal like kitty still knows pictures.
    pub fn numbers(&self) -> impl Iterator<Item = u32> {
        let known = if self.graphics.way == Way::Kitty { self.made.min(0x100) } else { 0 };
        (0..known).map(|back| kitty_id(self.made.wrapping_sub(back)))
    }
}

/// Gives the number that kitty knows a picture by: another one than of any other desk in the same terminal.
fn kitty_id(count: u32) -> u32 {
    (std::process::id() & 0xffff) << 8 | (count & 0xff)
}
