//! Frames: what one drawing sends to the terminal, in one write, or in none where it changes nothing.
//!
//! Knows only the few control sequences that begin and end a frame.

use std::fs::File;
use std::io::{self, Write, stdout};
use std::os::fd::AsFd;

/// What begins and ends a frame (synchronized output, mode 2026).
const BEGIN: &[u8] = b"\x1b[?2026h";
const END: &[u8] = b"\x1b[?2026l";
const SHOW_CURSOR: &[u8] = b"\x1b[?25h";

/// A way to the terminal that holds a frame back until it is whole.
#[derive(Debug)]
pub struct Frames<W: Write = File> {
    out: W,
    held: Vec<u8>,
    /// Whether the last frame left the cursor to be seen.
    cursor_shown: bool,
}

impl Frames {
    /// Leads to the terminal on standard output.
    pub fn to_terminal() -> io::Result<Self> {
        // Not `Stdout` itself, which cuts everything into pieces of a thousand octets.
        Ok(Self::new(File::from(stdout().as_fd().try_clone_to_owned()?)))
    }
}

impl<W: Write> Frames<W> {
    fn new(out: W) -> Self {
        Self { out, held: Vec::with_capacity(1 << 14), cursor_shown: true }
    }

    /// Tells whether a whole frame is held that neither moves to a cell nor hides the cursor.
    fn changes_nothing(&self) -> bool {
        let frame = self.held.strip_prefix(BEGIN).and_then(|rest| rest.strip_suffix(END));
        frame.is_some_and(|frame| !self.cursor_shown && !frame.contains(&b'H') && !has(frame, SHOW_CURSOR))
    }
}

impl<W: Write> Write for Frames<W> {
    fn write(&mut self, octets: &[u8]) -> io::Result<usize> {
        self.held.extend_from_slice(octets);
        Ok(octets.len())
    }

    /// Sends what is held, unless it is a frame that has not ended.
    fn flush(&mut self) -> io::Result<()> {
        if self.held.starts_with(BEGIN) && !self.held.ends_with(END) {
            return Ok(());
        }
        if !self.changes_nothing() {
            self.cursor_shown = has(&self.held, SHOW_CURSOR);
            self.out.write_all(&self.held)?;
        }
        self.held.clear();
        self.out.flush()
    }
}

fn has(octets: &[u8], part: &[u8]) -> bool {
    octets.windows(part.len()).any(|window| window == part)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Takes note of each write.
    #[derive(Default)]
    struct Writes(Vec<Vec<u8>>);

    impl Write for Writes {
        fn write(&mut self, octets: &[u8]) -> io::Result<usize> {
            self.0.push(octets.to_vec());
            Ok(octets.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    fn frame(frames: &mut Frames<Writes>, inside: &str) {
        frames.write_all(BEGIN).unwrap();
        for piece in inside.split('|') {
            frames.write_all(piece.as_bytes()).unwrap();
            frames.flush().unwrap();
        }
        frames.write_all(END).unwrap();
        frames.flush().unwrap();
    }

    #[test]
    fn a_frame_is_one_write_and_one_that_changes_nothing_is_none() {
        let mut frames = Frames::new(Writes::default());
        frame(&mut frames, "\x1b[3;1Hj|\x1b[0m|\x1b[?25l");
        frame(&mut frames, "\x1b[0m|\x1b[?25l");
        assert_eq!(frames.out.0, [b"\x1b[?2026h\x1b[3;1Hj\x1b[0m\x1b[?25l\x1b[?2026l"]);
    }

    #[test]
    fn a_cursor_that_was_shown_is_hidden_though_no_cell_changes() {
        let mut frames = Frames::new(Writes::default());
        frame(&mut frames, "\x1b[3;1Hj\x1b[?25h");
        frame(&mut frames, "\x1b[0m\x1b[?25l");
        frame(&mut frames, "\x1b[0m\x1b[?25l");
        assert_eq!(frames.out.0.len(), 2);
        assert!(frames.out.0[1].ends_with(b"\x1b[?25l\x1b[?2026l"));
    }

    #[test]
    fn what_stands_outside_frames_goes_out_at_once() {
        let mut frames = Frames::new(Writes::default());
        frames.write_all(b"\x07").unwrap();
        frames.flush().unwrap();
        assert_eq!(frames.out.0, [b"\x07"]);
    }
}
