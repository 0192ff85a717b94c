//! Files to attach: a folder to choose from, or a path that is typed.

use super::app::App;
use super::clean;
use super::input::Effect;
use super::overlay::Overlay;
use super::picker::{Choice, Free, Item, Picker};
use super::send::size;
use std::path::{Path, PathBuf};

/// One entry of a folder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    pub name: String,
    /// Its octets; `None` for a folder.
    pub size: Option<u64>,
}

impl App {
    /// Offers the files of a folder, and takes a path that is typed at once.
    pub fn pick_file(&mut self, folder: PathBuf) {
        let title = format!("Attach from {}  {}", folder.display(), self.limit_in_words());
        self.open_picker(Picker::new(&title, Vec::new()).free(Free::Path));
        self.want(Effect::ListFiles { folder });
    }

    /// Takes the files of a folder in.
    pub fn files_listed(&mut self, folder: &Path, entries: Result<Vec<Entry>, String>) {
        let Some(Overlay::Picker(picker)) = &mut self.overlay else { return };
        if picker.free != Some(Free::Path) {
            return;
        }
        let entries = match entries {
            Ok(entries) => entries,
            Err(said) => return self.complain(said),
        };
        let mut items: Vec<Item> = entries.iter().map(|entry| item(folder, entry)).collect();
        let above = folder.parent().map(|above| Item::new("../", "", Choice::Folder(above.to_owned())));
        items.extend(above);
        picker.offer(items);
    }

    /// Attaches the file whose path was typed, or looks into the folder.
    pub fn take_path(&mut self, typed: &str) {
        match typed.strip_suffix('/') {
            Some("") => self.pick_file(PathBuf::from("/")),
            Some(folder) => self.pick_file(PathBuf::from(folder)),
            None => self.attach(typed.to_owned()),
        }
    }
}

fn item(folder: &Path, entry: &Entry) -> Item {
    let path = folder.join(&entry.name);
    let name = clean::line(&entry.name);
    match entry.size {
        Some(octets) => Item::new(&name, &size(octets), Choice::AttachFile(path)),
        None => Item::new(&format!("{name}/"), "", Choice::Folder(path)),
    }
}
