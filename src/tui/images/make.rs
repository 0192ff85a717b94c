//! A picture from the bytes of a file: what it is, how large it may be, and what the terminal is sent for it.
//!
//! Whatever is in the bytes: what is decoded is bounded before it is decoded, and whoever calls runs it on a thread of
//! its own, where a panic or a long time harms nobody. The claimed kind of a file is not looked at.

use super::way::{Graphics, Way};
use image::metadata::Orientation;
use image::{DynamicImage, ImageDecoder, ImageError, ImageFormat, ImageReader, Limits, RgbaImage, imageops};
use ratatui::layout::Size;
use ratatui_image::FontSize;
use ratatui_image::protocol::Protocol;
use ratatui_image::protocol::halfblocks::Halfblocks;
use ratatui_image::protocol::iterm2::Iterm2;
use ratatui_image::protocol::kitty::Kitty;
use ratatui_image::protocol::sixel::Sixel;
use ratatui_image::sliced::SlicedProtocol;
use std::fmt;
use std::io::Cursor;

/// A file larger than this is not fetched to be shown, in octets.
pub const FILE_MAX: u64 = 25_000_000;
/// The longest side, in pixels.
const SIDE_MAX: u32 = 16_384;
/// The most pixels: those of the cameras of telephones still fit.
const PIXELS_MAX: u64 = 52_000_000;
/// What decoding may take, in octets.
const DECODED_MAX: u64 = 256_000_000;
/// What is smaller on one side is there to be counted, or to be a line.
const SIDE_MIN: u32 = 6;
/// The pixels of a cell where the terminal does not tell.
const CELL: FontSize = FontSize::new(10, 20);

/// Why a picture is not shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Not {
    TooLarge,
    TooSmall,
    NoPicture,
    /// A picture, but none of png, jpeg, gif and webp.
    OtherKind,
    Broken,
    /// The desk did not give it.
    Unavailable,
    /// There are so many in this note already.
    TooMany,
}

impl Not {
    /// Says it.
    pub fn words(self) -> &'static str {
        match self {
            Self::TooLarge => "too large to show",
            Self::TooSmall => "too small to show",
            Self::NoPicture => "not a picture",
            Self::OtherKind => "not of a kind that is shown",
            Self::Broken => "broken",
            Self::Unavailable => "could not be fetched",
            Self::TooMany => "one of many, not shown",
        }
    }
}

/// How a picture is to be made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Order {
    pub graphics: Graphics,
    /// The most columns and rows that it may take.
    pub room: (u16, u16),
    /// The number that kitty knows it by.
    pub id: u32,
}

/// What the terminal is sent for a picture.
pub enum Sent {
    /// Rows that can be drawn one by one.
    Rows(SlicedProtocol),
    /// All of it or nothing.
    Whole(Protocol),
}

/// A picture that can be drawn.
pub struct Made {
    pub sent: Sent,
    /// Of the picture itself, in pixels.
    pub pixels: (u32, u32),
    /// On the screen, in cells.
    pub columns: u16,
    pub rows: u16,
    /// What it takes in memory, about.
    pub octets: usize,
}

impl fmt::Debug for Made {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { pixels, columns, rows, octets, .. } = self;
        write!(f, "Made({pixels:?} in {columns}x{rows}, {octets} octets)")
    }
}

/// Makes a picture; `cell` is the size of a cell in pixels where the terminal tells it.
pub fn make(bytes: &[u8], order: Order, cell: Option<(u16, u16)>) -> Result<Made, Not> {
    let picture = decode(bytes)?;
    let pixels = (picture.width(), picture.height());
    // Without the size of a cell, what is made of pixels would have no size in cells.
    let way = match order.graphics.way {
        Way::Kitty | Way::ITerm2 | Way::Sixel if cell.is_none() => Way::Blocks { true_colour: true },
        way => way,
    };
    let font = cell.map_or(CELL, FontSize::from);
    let size = fitted(pixels, font, order.room);
    let through_tmux = order.graphics.through_tmux;
    let (sent, octets) = match way {
        Way::Off => return Err(Not::Unavailable),
        Way::Blocks { .. } => {
            let picture = scaled(&picture, (u32::from(size.width), u32::from(size.height) * 2));
            let made = Halfblocks::new(picture, size).map_err(|_| Not::Broken)?;
            let cells = usize::from(size.width) * usize::from(size.height);
            (Sent::Rows(SlicedProtocol::Halfblocks(made)), cells * size_of::<u128>())
        }
        Way::Kitty => {
            let picture = on_cells(&picture, font, size);
            let octets = picture.as_bytes().len() / 3 * 4;
            // Compressed, as kitty and Ghostty take it: the terminal is often at the other end of an ssh.
            let made = Kitty::new(picture, size, order.id, through_tmux, true).map_err(|_| Not::Broken)?;
            (Sent::Rows(SlicedProtocol::Kitty(made)), octets)
        }
        Way::ITerm2 => by_rows(&on_cells(&picture, font, size), font, size, through_tmux)?,
        Way::Sixel => {
            let picture = on_cells(&picture, font, size);
            let made = Sixel::new(picture, size, through_tmux).map_err(|_| Not::Broken)?;
            let octets = made.data.len();
            (Sent::Whole(Protocol::Sixel(made)), octets)
        }
    };
    Ok(Made { sent, pixels, columns: size.width, rows: size.height, octets })
}

/// Makes a picture of its own of each row, since iTerm2 can show no part of one.
fn by_rows(
    picture: &DynamicImage,
    font: FontSize,
    size: Size,
    through_tmux: bool,
) -> Result<(Sent, usize), Not> {
    let height = u32::from(font.height);
    let row = |y: u16| {
        let row = picture.crop_imm(0, u32::from(y) * height, picture.width(), height);
        Iterm2::new(row, Size::new(size.width, 1), through_tmux).map_err(|_| Not::Broken)
    };
    let rows = (0..size.height).map(row).collect::<Result<Vec<_>, _>>()?;
    let octets = rows.iter().map(|row| row.data.len()).sum();
    let rows = rows.into_iter().map(Protocol::ITerm2).collect();
    Ok((Sent::Rows(SlicedProtocol::Sliced(rows)), octets))
}

/// Decodes the first frame, turned as the camera says.
fn decode(bytes: &[u8]) -> Result<DynamicImage, Not> {
    let format = image::guess_format(bytes).map_err(|_| Not::NoPicture)?;
    if ![ImageFormat::Png, ImageFormat::Jpeg, ImageFormat::Gif, ImageFormat::WebP].contains(&format) {
        return Err(Not::OtherKind);
    }
    if format == ImageFormat::WebP && !frames_fit(bytes) {
        return Err(Not::TooLarge);
    }
    let mut limits = Limits::default();
    limits.max_image_width = Some(SIDE_MAX);
    limits.max_image_height = Some(SIDE_MAX);
    limits.max_alloc = Some(DECODED_MAX);
    let mut reader = ImageReader::with_format(Cursor::new(bytes), format);
    reader.limits(limits);
    let mut decoder = reader.into_decoder().map_err(|e| why(&e))?;
    let (width, height) = decoder.dimensions();
    if u64::from(width) * u64::from(height) > PIXELS_MAX || decoder.total_bytes() > DECODED_MAX {
        return Err(Not::TooLarge);
    }
    if width.min(height) < SIDE_MIN {
        return Err(Not::TooSmall);
    }
    let orientation = decoder.orientation().unwrap_or(Orientation::NoTransforms);
    let mut picture = DynamicImage::from_decoder(decoder).map_err(|e| why(&e))?;
    picture.apply_orientation(orientation);
    Ok(picture)
}

/// Tells whether the lossy frames of a WebP are small enough by their own headers: each is decoded at that
/// size before it is compared with the canvas.
fn frames_fit(bytes: &[u8]) -> bool {
    bytes.windows(18).all(|at| match *at {
        [b'V', b'P', b'8', b' ', _, _, _, _, _, _, _, 0x9d, 0x01, 0x2a, w, wide, h, high] => {
            // The two highest bits of each are not of the size.
            let side = |low: u8, high: u8| u64::from(u16::from_le_bytes([low, high]) & 0x3fff);
            side(w, wide) * side(h, high) <= PIXELS_MAX
        }
        _ => true,
    })
}

fn why(error: &ImageError) -> Not {
    match error {
        ImageError::Limits(_) => Not::TooLarge,
        ImageError::Unsupported(_) => Not::OtherKind,
        _ => Not::Broken,
    }
}

/// Gives the columns and rows of a picture that keeps its shape and is never made larger.
fn fitted((width, height): (u32, u32), font: FontSize, (columns, rows): (u16, u16)) -> Size {
    let share = |room: u16, cell: u16, side: u32| f64::from(room) * f64::from(cell) / f64::from(side.max(1));
    let scale = share(columns, font.width, width).min(share(rows, font.height, height)).min(1.0);
    let cells = |side: u32, cell: u16, least: u16, room: u16| {
        let cells = (f64::from(side) * scale / f64::from(cell.max(1))).ceil();
        // As a number of cells it saturates.
        (cells as u16).clamp(least.min(room.max(1)), room.max(1))
    };
    // After a picture of one column kitty's cursor would not stand where the next cell begins.
    Size::new(cells(width, font.width, 2, columns), cells(height, font.height, 1, rows))
}

/// Scales to so many pixels, onto white: mails are written for a white ground.
fn scaled(picture: &DynamicImage, (width, height): (u32, u32)) -> DynamicImage {
    let smaller = width < picture.width() || height < picture.height();
    let picture = if smaller { picture.thumbnail_exact(width, height) } else { picture.clone() };
    let mut picture = picture.into_rgba8();
    for pixel in picture.pixels_mut() {
        let [red, green, blue, alpha] = pixel.0;
        let alpha = u16::from(alpha);
        let on_white = |part: u8| ((u16::from(part) * alpha + 255 * (255 - alpha)) / 255) as u8;
        pixel.0 = [on_white(red), on_white(green), on_white(blue), 255];
    }
    picture.into()
}

/// Scales a picture so that it fills its cells in one direction; what is left of them stays transparent.
fn on_cells(picture: &DynamicImage, font: FontSize, size: Size) -> DynamicImage {
    let whole =
        (u32::from(size.width) * u32::from(font.width), u32::from(size.height) * u32::from(font.height));
    let share = |room: u32, side: u32| f64::from(room) / f64::from(side.max(1));
    let scale = share(whole.0, picture.width()).min(share(whole.1, picture.height())).min(1.0);
    let side = |side: u32, most: u32| ((f64::from(side) * scale).round() as u32).clamp(1, most.max(1));
    let picture = scaled(picture, (side(picture.width(), whole.0), side(picture.height(), whole.1)));
    let mut cells = RgbaImage::new(whole.0, whole.1);
    imageops::replace(&mut cells, &picture, 0, 0);
    cells.into()
}
