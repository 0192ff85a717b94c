//! Pictures from bytes: friendly ones in every way of a terminal, hostile ones said to be so.

use super::{Graphics, Made, Not, Order, Sent, Way, make};
use image::codecs::gif::GifEncoder;
use image::{DynamicImage, Frame, ImageFormat, Rgb, RgbImage, RgbaImage};
use proptest::prelude::*;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::widgets::Widget;
use ratatui_image::Image;
use ratatui_image::sliced::{SignedPosition, SlicedImage, SlicedProtocol};
use std::io::Cursor;

fn encoded(width: u32, height: u32, format: ImageFormat) -> Vec<u8> {
    let shade = |x: u32, y: u32| Rgb([(x * 255 / width.max(1)) as u8, (y * 255 / height.max(1)) as u8, 128]);
    let mut bytes = Cursor::new(Vec::new());
    DynamicImage::from(RgbImage::from_fn(width, height, shade)).write_to(&mut bytes, format).unwrap();
    bytes.into_inner()
}

fn order(way: Way, through_tmux: bool) -> Order {
    Order { graphics: Graphics { way, through_tmux }, room: (60, 12), id: 0x0012_3401 }
}

fn blocks(bytes: &[u8]) -> Result<Made, Not> {
    make(bytes, order(Way::Blocks { true_colour: true }, false), None)
}

/// Draws a picture row by row, or whole, and gives what each row sends.
fn sent(made: &Made) -> Vec<String> {
    let area = Rect::new(0, 0, 60, 12);
    let mut buffer = Buffer::empty(area);
    for line in 0..made.rows {
        let spot = Rect { x: 0, y: line, width: made.columns, height: 1 };
        match &made.sent {
            Sent::Rows(SlicedProtocol::Sliced(rows)) => {
                Image::new(&rows[usize::from(line)]).render(spot, &mut buffer)
            }
            Sent::Rows(rows) => {
                let above = SignedPosition { x: 0, y: -i16::try_from(line).unwrap() };
                SlicedImage::new(rows, above).render(spot, &mut buffer);
            }
            Sent::Whole(picture) if line == 0 => Image::new(picture).render(area, &mut buffer),
            Sent::Whole(_) => {}
        }
    }
    (0..made.rows).map(|y| buffer[(0, y)].symbol().to_owned()).collect()
}

#[test]
fn every_kind_is_told_by_its_bytes() {
    for format in [ImageFormat::Png, ImageFormat::Jpeg, ImageFormat::Gif, ImageFormat::WebP] {
        let made = blocks(&encoded(200, 100, format)).unwrap();
        // 200 by 100 pixels where a cell has 10 by 20.
        assert_eq!((made.pixels, made.columns, made.rows), ((200, 100), 20, 5), "{format:?}");
    }
}

#[test]
fn a_picture_keeps_its_shape_in_the_room_there_is() {
    for (pixels, cells) in [
        ((40, 40), (4, 2)),
        ((600, 240), (60, 12)),
        ((1200, 240), (60, 6)),
        ((4000, 3000), (32, 12)),
        ((16_000, 10), (60, 1)),
        ((10, 16_000), (2, 12)),
        ((7, 7), (2, 1)),
    ] {
        let made = blocks(&encoded(pixels.0, pixels.1, ImageFormat::Png)).unwrap();
        assert_eq!((made.columns, made.rows), cells, "{pixels:?}");
    }
}

#[test]
fn of_what_moves_the_first_frame_is_shown() {
    let mut bytes = Vec::new();
    let frame = |red| Frame::new(RgbaImage::from_pixel(40, 40, image::Rgba([red, 0, 0, 255])));
    GifEncoder::new(&mut bytes).encode_frames([frame(255), frame(0), frame(9)]).unwrap();
    let made = blocks(&bytes).unwrap();
    let mut buffer = Buffer::empty(Rect::new(0, 0, 4, 2));
    let Sent::Rows(rows) = &made.sent else { panic!("{made:?}") };
    SlicedImage::new(rows, (0, 0).into()).render(buffer.area, &mut buffer);
    assert_eq!(buffer[(1, 1)].bg, ratatui::style::Color::Rgb(255, 0, 0));
}

#[test]
fn what_is_transparent_is_white_as_where_mails_are_written() {
    let mut bytes = Cursor::new(Vec::new());
    RgbaImage::new(40, 40).write_to(&mut bytes, ImageFormat::Png).unwrap();
    let made = blocks(bytes.get_ref()).unwrap();
    let mut buffer = Buffer::empty(Rect::new(0, 0, 4, 2));
    let Sent::Rows(rows) = &made.sent else { panic!("{made:?}") };
    SlicedImage::new(rows, (0, 0).into()).render(buffer.area, &mut buffer);
    assert_eq!(buffer[(0, 0)].bg, ratatui::style::Color::Rgb(255, 255, 255));
}

/// The checksum of a chunk of a PNG (ISO 3309).
fn crc(octets: &[u8]) -> u32 {
    let step = |sum: u32| if sum & 1 == 1 { (sum >> 1) ^ 0xedb8_8320 } else { sum >> 1 };
    !octets.iter().fold(!0, |sum, octet| (0..8).fold(sum ^ u32::from(*octet), |sum, _| step(sum)))
}

/// A PNG whose header claims so many pixels, with nothing behind it that could fill them.
fn claiming(width: u32, height: u32) -> Vec<u8> {
    let mut header = b"IHDR".to_vec();
    header.extend(width.to_be_bytes());
    header.extend(height.to_be_bytes());
    header.extend([8, 6, 0, 0, 0]);
    let mut bytes = b"\x89PNG\r\n\x1a\n\0\0\0\x0d".to_vec();
    bytes.extend(&header);
    bytes.extend(crc(&header).to_be_bytes());
    bytes.extend(b"\0\0\0\0IDAT\x35\xaf\x06\x1e\0\0\0\0IEND\xae\x42\x60\x82");
    bytes
}

/// A WebP of a small canvas, whose frame claims so many pixels.
fn framing(width: u16, height: u16) -> Vec<u8> {
    let mut bytes = b"RIFF\x2a\0\0\0WEBPVP8X\x0a\0\0\0\0\0\0\0\x3f\0\0\x3f\0\0".to_vec();
    bytes.extend(b"VP8 \x0c\0\0\0\x10\0\0\x9d\x01\x2a");
    bytes.extend(width.to_le_bytes());
    bytes.extend(height.to_le_bytes());
    bytes.extend([0, 0]);
    bytes
}

/// A small PNG with a picture of 48 million pixels of one colour, again and again.
fn bomb() -> Vec<u8> {
    let mut bytes = Cursor::new(Vec::new());
    DynamicImage::new_luma8(16_000, 3_000).write_to(&mut bytes, ImageFormat::Png).unwrap();
    let mut bytes = bytes.into_inner();
    let end = bytes.len() - 12;
    let more = bytes[33..end].to_vec();
    (0..5).for_each(|_| drop(bytes.splice(end..end, more.iter().copied())));
    bytes
}

#[test]
fn what_cannot_be_shown_is_said_to_be_so() {
    let whole = encoded(200, 100, ImageFormat::Png);
    let jpeg = encoded(200, 100, ImageFormat::Jpeg);
    for (name, bytes, not) in [
        ("nothing", Vec::new(), Not::NoPicture),
        ("a pixel that counts readers", encoded(1, 1, ImageFormat::Gif), Not::TooSmall),
        ("a line", encoded(600, 2, ImageFormat::Png), Not::TooSmall),
        ("a header alone", claiming(60_000, 60_000), Not::TooLarge),
        ("many pixels, no long side", claiming(9_000, 9_000), Not::TooLarge),
        ("a frame beyond its canvas", framing(16_383, 16_383), Not::TooLarge),
        ("no data", claiming(640, 480), Not::Broken),
        ("the greatest header", claiming(0x7fff_ffff, 0x7fff_ffff), Not::TooLarge),
        ("cut off", whole[..whole.len() / 2].to_vec(), Not::Broken),
        ("cut off in its header", jpeg[..20].to_vec(), Not::Broken),
        ("text that is called a picture", b"Dear Sir or Madam".to_vec(), Not::NoPicture),
        ("a page", b"<svg xmlns='http://www.w3.org/2000/svg'/>".to_vec(), Not::NoPicture),
        ("a bitmap", b"BM\x3a\0\0\0\0\0\0\0\x36\0\0\0\x28\0\0\0".to_vec(), Not::OtherKind),
    ] {
        let made = blocks(&bytes).map(|made| (made.columns, made.rows));
        assert_eq!(made, Err(not), "{name}");
    }
}

#[test]
fn a_picture_that_is_mostly_air_takes_no_more_than_it_may() {
    let bytes = bomb();
    assert!(bytes.len() < 2_000_000, "{}", bytes.len());
    let made = blocks(&bytes).unwrap();
    assert!(made.octets < 20_000, "{made:?}");
}

proptest! {
    #[test]
    fn whatever_is_changed_in_a_picture_harms_nobody(at in 8usize..600, octet: u8, cut in 0usize..400) {
        for format in [ImageFormat::Png, ImageFormat::Jpeg, ImageFormat::Gif, ImageFormat::WebP] {
            let mut bytes = encoded(40, 30, format);
            let at = at % bytes.len();
            bytes[at] = octet;
            bytes.truncate(bytes.len().saturating_sub(cut % 37));
            if let Ok(made) = blocks(&bytes) {
                prop_assert!(made.columns <= 60 && made.rows <= 12);
            }
        }
    }
}

#[test]
fn each_way_sends_what_its_terminals_know() {
    let bytes = encoded(200, 100, ImageFormat::Png);
    for (way, introducer, rows_alone) in [
        (Way::Kitty, "\x1b_Gq=2,i=1192961,a=T,U=1", true),
        (Way::ITerm2, "\x1b]1337;File=inline=1;", true),
        (Way::Sixel, "\x1bP", false),
    ] {
        let made = make(&bytes, order(way, false), Some((10, 20))).unwrap();
        let rows = sent(&made);
        assert_eq!((made.columns, made.rows, rows.len()), (20, 5, 5), "{way:?}");
        assert!(rows[0].contains(introducer), "{way:?}: {:?}", rows[0].get(..60));
        assert_eq!(rows[4] != " ", rows_alone, "{way:?}");
        // Nothing may end the sequence early, or begin another one for the terminal.
        assert!(!rows[0].contains("\x1bPtmux"), "{way:?}");
    }
}

#[test]
fn through_tmux_every_sequence_is_wrapped_and_its_escapes_doubled() {
    let bytes = encoded(200, 100, ImageFormat::Png);
    for (way, introducer) in [
        (Way::Kitty, "\x1bPtmux;\x1b\x1b_Gq=2"),
        (Way::ITerm2, "\x1b\x1b]1337;File=inline=1;"),
        (Way::Sixel, "\x1b\x1bP"),
    ] {
        let rows = sent(&make(&bytes, order(way, true), Some((10, 20))).unwrap());
        assert!(rows[0].starts_with("\x1bPtmux;"), "{way:?}: {:?}", rows[0].get(..60));
        assert!(rows[0].contains(introducer), "{way:?}: {:?}", rows[0].get(..120));
        assert!(rows[0].contains("\x1b\\"), "{way:?}");
    }
}

#[test]
fn kitty_gets_a_picture_once_and_then_only_where_it_stands() {
    let made = make(&encoded(200, 100, ImageFormat::Png), order(Way::Kitty, false), Some((10, 20))).unwrap();
    let (first, second) = (sent(&made), sent(&made));
    assert!(first[0].contains("a=T"));
    assert!(second.iter().all(|row| !row.contains("a=T") && row.contains('\u{10EEEE}')), "{second:?}");
}

#[test]
fn without_the_size_of_a_cell_blocks_stand_in() {
    for way in [Way::Kitty, Way::ITerm2, Way::Sixel] {
        let made = make(&encoded(200, 100, ImageFormat::Png), order(way, false), None).unwrap();
        assert!(matches!(made.sent, Sent::Rows(SlicedProtocol::Halfblocks(_))), "{way:?}");
    }
}
