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

/// A file: its note, its place there and its name. Several files of a note may have one name.
pub type Key = (NoteId, usize, String);

/// What is the same for every thread.
#[derive(Debug, Default)]
pub struct Images {
    pub graphics: Graphics,
    /// Whether the person does not want to see any.
    pub hidden: bool,
    /// How many were made so far.
    made: u32,
    /// Whether one is being made, be it for a thread that was left: there is never more than one decoder.
    at_work: bool,
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
    pub fn of(&self, note: &NoteView, place: usize) -> Option<&Kept> {
        self.kept.get(&key_of(note, place)?)
    }

    /// Gives the rows that a file's picture takes below the file.
    pub fn rows_of(&self, note: &NoteView, place: usize) -> u16 {
        match self.of(note, place) {
            Some(Kept::Ready(made)) if self.shown => made.rows,
            Some(Kept::Gone { rows, .. }) if self.shown => *rows,
            _ => 0,
        }
    }

    /// Tells whether a file still has to be looked at.
    fn lacks(&self, note: &NoteView, place: usize) -> bool {
        let lacks = |key: Key| matches!(self.kept.get(&key), None | Some(Kept::Gone { .. }));
        key_of(note, place).is_some_and(lacks)
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

    /// Forgets how everything is drawn, as for a screen of another size. What was refused is asked for again.
    pub fn forget(&mut self) {
        self.kept.retain(|_, kept| matches!(kept, Kept::Not(not) if *not != Not::Unavailable));
        self.making = None;
    }
}

/// Tells whether a file says that it is a picture.
pub fn is_image(file: &AttachmentView) -> bool {
    file.media_type.starts_with("image/")
}

fn key_of(note: &NoteView, place: usize) -> Option<Key> {
    let file = note.attachments.get(place).filter(|file| is_image(file))?;
    Some((note.id, place, file.name.clone()))
}

/// Gives the name by which the desk knows a file, or what can be told of it without its bytes.
fn asked_as(note: &NoteView, place: usize) -> Result<String, Not> {
    let Some(file) = note.attachments.get(place) else { return Err(Not::Unavailable) };
    let before = note.attachments.get(..place).unwrap_or_default();
    if file.size > FILE_MAX {
        return Err(Not::TooLarge);
    }
    if before.iter().filter(|other| is_image(other)).count() >= OF_A_NOTE {
        return Err(Not::TooMany);
    }
    if before.iter().all(|other| other.name != file.name) {
        return Ok(file.name.clone());
    }
    // By a name the desk gives the first that has it, and the others by number, unless a file is called so.
    let number = (place + 1).to_string();
    let is_free = note.attachments.iter().all(|other| other.name != number);
    is_free.then_some(number).ok_or(Not::Unavailable)
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
        if !thread.album.shown || self.images.at_work || self.lost.is_some() {
            return;
        }
        let near = thread.images_near(height);
        let next = near.iter().find(|(note, place)| thread.lacks_image(*note, *place)).copied();
        let Some((index, place)) = next else { return };
        let note = thread.view.notes.get(index);
        let Some((note, key)) = note.and_then(|note| Some((note, key_of(note, place)?))) else { return };
        let name = match asked_as(note, place) {
            Ok(name) => name,
            Err(not) => {
                thread.album.kept.insert(key, Kept::Not(not));
                return self.want_image();
            }
        };
        let keys = thread.keys_of(&near);
        if self.asks.waits_for(|purpose| matches!(purpose, Purpose::Image(_)))
            || !thread.album.make_room(&keys)
        {
            return;
        }
        let reference: Reference = thread.reference.clone();
        let note = key.0;
        self.ask(Purpose::Image(key), Request::Attachment { reference, note, name });
    }

    /// Has a picture made of the bytes that came.
    pub fn image_fetched(&mut self, key: Key, bytes: Vec<u8>) {
        let (height, graphics) = (self.height, self.images.graphics);
        if self.images.at_work {
            return;
        }
        let Some(thread) = self.thread.as_mut().filter(|thread| thread.album.shown) else { return };
        self.images.made = self.images.made.wrapping_add(1);
        let columns = u16::try_from(thread.readable_width()).unwrap_or(u16::MAX);
        let order = Order {
            graphics,
            room: (columns, ROWS_MAX.min(height / 2).max(1)),
            id: kitty_id(self.images.made),
        };
        thread.album.making = Some((key.clone(), order.id));
        self.images.at_work = true;
        self.want(Effect::MakeImage { key, bytes, order });
    }

    /// Takes a picture that was made, or why there is none.
    pub fn take_image(&mut self, key: Key, order: u32, made: Result<Arc<Made>, Not>) {
        let height = self.thread_height();
        self.images.at_work = false;
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
