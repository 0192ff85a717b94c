//! Pictures in a thread: row by row where the terminal can, else whole or not at all, and what is said of them.

use super::super::app::App;
use super::super::images::{Kept, Sent, Way};
use super::super::thread::Thread;
use crate::domain::NoteView;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Color;
use ratatui::widgets::Widget;
use ratatui_image::Image;
use ratatui_image::sliced::{SignedPosition, SlicedImage, SlicedProtocol};

/// Draws one row of a picture into the first row of `area`, which reaches down to where the thread ends.
pub fn row(
    app: &App,
    thread: &Thread,
    note: &NoteView,
    (place, line): (usize, u16),
    area: Rect,
    buf: &mut Buffer,
) {
    let Some(Kept::Ready(made)) = thread.album.of(note, place) else { return };
    let way = app.images.graphics.way;
    // What is drawn over pixels leaves traces in them, so they go while something is in front.
    let covered = app.overlay.is_some() || !app.pending.is_empty();
    if area.width < made.columns || (covered && !matches!(way, Way::Blocks { .. })) {
        return;
    }
    let spot = Rect { width: made.columns, height: 1, ..area };
    match &made.sent {
        Sent::Rows(SlicedProtocol::Sliced(rows)) => {
            if let Some(row) = rows.get(usize::from(line)) {
                Image::new(row).render(spot, buf);
            }
        }
        Sent::Rows(rows) => {
            let above = SignedPosition { x: 0, y: i16::try_from(line).map_or(0, |line| -line) };
            SlicedImage::new(rows, above).render(spot, buf);
            if way == (Way::Blocks { true_colour: false }) {
                few_colours(spot, buf);
            }
        }
        Sent::Whole(picture) if line == 0 && made.rows <= area.height => {
            Image::new(picture).render(Rect { height: made.rows, ..spot }, buf);
        }
        Sent::Whole(_) => {}
    }
}

/// Says what is known of a picture: its pixels, or why it is not shown.
pub fn words(app: &App, thread: &Thread, note: &NoteView, place: usize) -> Option<String> {
    let dot = app.theme.signs.dot;
    match thread.album.of(note, place)? {
        Kept::Ready(made) => Some(format!(" {dot} {}x{}", made.pixels.0, made.pixels.1)),
        Kept::Gone { pixels, .. } => Some(format!(" {dot} {}x{}", pixels.0, pixels.1)),
        Kept::Not(not) => Some(format!(" {dot} {}", not.words())),
    }
}

/// Takes the nearest colours of the 256 that every terminal has.
fn few_colours(area: Rect, buf: &mut Buffer) {
    for x in area.x..area.right() {
        if let Some(cell) = buf.cell_mut((x, area.y)) {
            (cell.fg, cell.bg) = (nearest(cell.fg), nearest(cell.bg));
        }
    }
}

/// Gives the nearest colour of the palette's cube of six steps, or of its greys.
fn nearest(colour: Color) -> Color {
    let Color::Rgb(red, green, blue) = colour else { return colour };
    let step = |part: u8| if part < 48 { 0 } else { (part.max(75) - 35) / 40 };
    let value = |step: u8| if step == 0 { 0 } else { 55 + step * 40 };
    let far = |(r, g, b): (u8, u8, u8)| {
        let apart = |one: u8, other: u8| u32::from(one.abs_diff(other)).pow(2);
        apart(red, r) + apart(green, g) + apart(blue, b)
    };
    let (r, g, b) = (step(red), step(green), step(blue));
    let mean = (u16::from(red) + u16::from(green) + u16::from(blue)) / 3;
    let grey = u8::try_from((mean.clamp(8, 238) - 3) / 10).unwrap_or(0).min(23);
    let grey_value = 8 + grey * 10;
    if far((grey_value, grey_value, grey_value)) < far((value(r), value(g), value(b))) {
        Color::Indexed(232 + grey)
    } else {
        Color::Indexed(16 + 36 * r + 6 * g + b)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn colours_become_the_nearest_of_the_palette() {
        for (rgb, index) in [
            ((0, 0, 0), 16),
            ((255, 255, 255), 231),
            ((255, 0, 0), 196),
            ((95, 135, 175), 67),
            ((128, 128, 128), 244),
            ((12, 11, 12), 232),
            ((240, 240, 240), 255),
        ] {
            assert_eq!(nearest(Color::Rgb(rgb.0, rgb.1, rgb.2)), Color::Indexed(index), "{rgb:?}");
        }
        assert_eq!(nearest(Color::Reset), Color::Reset);
    }
}
