//! Files that hold files: `winmail.dat` and texts with uuencoded blocks, and what stands in them.
//!
//! A place in a container is a list of numbers, one a level. It must give the same file whenever it is asked.

use super::safe::{cut, safe_file_name, sanitize_line};
use super::{media_type, tnef, uuencode};
use crate::domain::Attachment;

/// Deepest containers in containers that are opened.
const LEVELS_MAX: usize = 3;

/// Tells whether a file is a container that is opened.
pub(super) fn is_packed(file: &Attachment) -> bool {
    matches!(file.media_type.as_str(), "application/ms-tnef" | "application/vnd.ms-tnef")
        || file.name.eq_ignore_ascii_case("winmail.dat")
        || file.name.eq_ignore_ascii_case("win.dat")
}

/// Opens a container.
pub(super) fn open(bytes: &[u8]) -> Option<tnef::Contents> {
    tnef::read(bytes)
}

/// Lists the files within a container, or within a text; at most so many.
pub(super) fn files(bytes: &[u8], part: u32, most: usize) -> Vec<Attachment> {
    let mut list = Vec::new();
    add(&mut list, bytes, part, &[], most);
    list
}

fn add(list: &mut Vec<Attachment>, bytes: &[u8], part: u32, place: &[u32], most: usize) {
    for (index, file) in (0_u32..).zip(packed(bytes)) {
        let within = [place, &[index]].concat();
        let before = list.len();
        if within.len() < LEVELS_MAX && tnef::read(&file.bytes).is_some_and(|c| c.whole) {
            add(list, &file.bytes, part, &within, most);
        }
        if list.len() == before && list.len() < most {
            list.push(described(file, part, within));
        }
    }
}

/// Takes the files out of a container.
fn packed(bytes: &[u8]) -> Vec<tnef::Packed> {
    if let Some(contents) = tnef::read(bytes) {
        return contents.files;
    }
    let files = uuencode::take_out(bytes).1.into_iter();
    let file = |file: uuencode::Inlaid| tnef::Packed {
        name: super::fields::text(&file.name),
        bytes: file.bytes,
        ..tnef::Packed::default()
    };
    files.map(file).collect()
}

/// Describes a file that was packed.
fn described(file: tnef::Packed, part: u32, within: Vec<u32>) -> Attachment {
    let number = within.last().map_or(0, |n| n.saturating_add(1));
    let name = if file.name.trim().is_empty() { format!("file-{number}.bin") } else { file.name };
    let name = safe_file_name(&name);
    let declared = file.media_type.map(|kind| sanitize_line(&kind).to_ascii_lowercase());
    let fits = |kind: &String| {
        kind.contains('/') && kind.chars().all(|c| c.is_ascii_alphanumeric() || "/!#$&-^_.+".contains(c))
    };
    let media_type = declared.filter(fits).unwrap_or_else(|| media_type(&name));
    Attachment {
        inline: media_type.starts_with("image/") && file.content_id.is_some(),
        name,
        media_type: cut(&media_type, 100).to_owned(),
        size: u64::try_from(file.bytes.len()).unwrap_or(u64::MAX),
        part: Some(part),
        within,
        raw: None,
    }
}

/// Gives the file at a place within a container; the bytes themselves where the place is empty.
pub(super) fn inside(bytes: Vec<u8>, within: &[u32]) -> Option<Vec<u8>> {
    let mut bytes = bytes;
    for place in within {
        bytes = packed(&bytes).into_iter().nth(usize::try_from(*place).ok()?)?.bytes;
    }
    Some(bytes)
}
