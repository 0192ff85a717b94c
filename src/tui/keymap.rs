//! The keymap: which key does what in which place, as data.
//!
//! Owns the reading of key names and tables, the merge of the user's table over the default, and the
//! lookup with its pending answer. Hints and help are made from the same table.

use super::action::Action;
use super::keys::Key;
use super::setup::{SetupError, UserKey};
use crate::domain::nearest;
use std::collections::BTreeMap;
use toml::de::{DeTable, DeValue};

const DEFAULT: &str = include_str!("../../assets/keymap.toml");
/// What other hands are used to, laid over the default.
const PRESETS: [(&str, &str); 4] = [
    ("vim", include_str!("../../assets/keymaps/vim.toml")),
    ("emacs", include_str!("../../assets/keymaps/emacs.toml")),
    ("mutt", include_str!("../../assets/keymaps/mutt.toml")),
    ("gmail", include_str!("../../assets/keymaps/gmail.toml")),
];

/// Where a key is pressed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Place {
    /// Holds everywhere but where text is typed.
    All,
    List,
    Thread,
    Composer,
    Query,
    Prompt,
    Picker,
    Outbox,
    Intake,
    Project,
    Senders,
    Members,
    Templates,
    Categories,
    Rules,
    Texts,
    Reports,
    Views,
    Changes,
    /// A text to be read: history, why, raw mail, help.
    Text,
}

const PLACES: [(Place, &str); 20] = [
    (Place::All, "all"),
    (Place::List, "list"),
    (Place::Thread, "thread"),
    (Place::Composer, "composer"),
    (Place::Query, "query"),
    (Place::Prompt, "prompt"),
    (Place::Picker, "picker"),
    (Place::Outbox, "outbox"),
    (Place::Intake, "intake"),
    (Place::Project, "project"),
    (Place::Senders, "senders"),
    (Place::Members, "members"),
    (Place::Templates, "templates"),
    (Place::Categories, "categories"),
    (Place::Rules, "rules"),
    (Place::Texts, "canned"),
    (Place::Reports, "reports"),
    (Place::Views, "views"),
    (Place::Changes, "changes"),
    (Place::Text, "text"),
];

impl Place {
    fn named(name: &str) -> Option<Self> {
        PLACES.iter().find(|(_, n)| *n == name).map(|(place, _)| *place)
    }

    pub fn name(self) -> &'static str {
        PLACES.iter().find(|(place, _)| *place == self).map_or("all", |(_, name)| name)
    }

    /// Says where this is.
    pub fn in_words(self) -> &'static str {
        match self {
            Self::All => "on every screen",
            Self::List => "in the list",
            Self::Thread => "in a thread",
            Self::Composer => "while writing",
            Self::Query | Self::Prompt | Self::Picker => "while typing",
            Self::Outbox => "in the outbox",
            Self::Intake => "in the intake",
            Self::Project => "on the project's screen",
            Self::Senders => "among the senders",
            Self::Members => "among the members",
            Self::Templates => "among the templates",
            Self::Categories => "among the labels",
            Self::Rules => "among the rules",
            Self::Texts => "among the canned replies",
            Self::Reports => "among the reports",
            Self::Views => "among the views",
            Self::Changes => "among the changes",
            Self::Text => "in a text",
        }
    }

    /// Tells whether keys without an action are text here.
    pub fn takes_text(self) -> bool {
        matches!(self, Self::Composer | Self::Query | Self::Prompt | Self::Picker)
    }
}

/// What the table says to a sequence of keys.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Lookup {
    Action(Action),
    /// Longer bindings begin so: what may follow, and what it does.
    Pending(Vec<(String, Action)>),
    Nothing,
}

#[derive(Clone, Debug)]
struct Binding {
    keys: Vec<Key>,
    action: Action,
    line: Option<usize>,
}

/// A table as it is written.
#[derive(Default)]
struct Written {
    keys: Vec<UserKey>,
    footer: BTreeMap<Place, Vec<Action>>,
}

/// The whole table.
#[derive(Clone, Debug, Default)]
pub struct Keymap {
    places: BTreeMap<Place, Vec<Binding>>,
    footer: BTreeMap<Place, Vec<Action>>,
}

impl Keymap {
    /// Reads the default table and lays over it what differs under the name `preset`, then the user's keys.
    pub fn new(preset: &str, user: &[UserKey]) -> Result<Self, SetupError> {
        let (mut keymap, base) = (Self::default(), keymap_read(DEFAULT)?);
        keymap.footer = base.footer;
        keymap.merge(&base.keys)?;
        let known = PRESETS.iter().find(|(name, _)| *name == preset);
        let (_, preset) = known.ok_or_else(|| SetupError::Preset(preset.to_owned()))?;
        keymap.merge(&keymap_read(preset)?.keys)?;
        keymap.merge(user)?;
        Ok(keymap)
    }

    /// Adds one binding; a second one for the same keys in the same place is refused.
    fn bind(&mut self, key: &UserKey) -> Result<(), SetupError> {
        let place = place_named(&key.place, key.line)?;
        let binding = binding(key)?;
        let bindings = self.places.entry(place).or_default();
        if let Some(other) = bindings.iter().find(|b| b.keys == binding.keys) {
            return Err(SetupError::Twice {
                place: key.place.clone(),
                keys: key.keys.clone(),
                first: other.action.entry().name.to_owned(),
                second: key.action.clone(),
                at: at(key.line.or(other.line)),
            });
        }
        bindings.push(binding);
        Ok(())
    }

    /// Lays the user's keys over the table: the same keys are replaced, and what they begin or what
    /// begins them gives way.
    fn merge(&mut self, user: &[UserKey]) -> Result<(), SetupError> {
        let mut own = Self::default();
        for key in user {
            own.bind(key)?;
        }
        own.check()?;
        for (place, bindings) in own.places {
            let table = self.places.entry(place).or_default();
            table.retain(|old| {
                !bindings.iter().any(|new| new.keys.starts_with(&old.keys) || old.keys.starts_with(&new.keys))
            });
            table.extend(bindings);
        }
        Ok(())
    }

    /// Refuses a key that is both an action and the beginning of a longer one.
    fn check(&self) -> Result<(), SetupError> {
        for (place, bindings) in &self.places {
            for short in bindings {
                let longer = bindings
                    .iter()
                    .find(|b| b.keys.len() > short.keys.len() && b.keys.starts_with(&short.keys));
                if let Some(longer) = longer {
                    return Err(SetupError::Shadowed {
                        place: place.name().to_owned(),
                        keys: written(&short.keys),
                        longer: written(&longer.keys),
                        at: at(short.line.or(longer.line)),
                    });
                }
            }
        }
        Ok(())
    }

    /// Says what `keys`, pressed one after the other in `place`, mean.
    pub fn lookup(&self, place: Place, keys: &[Key]) -> Lookup {
        if let Some(found) = self.bindings(place).find(|b| b.keys == keys) {
            return match found.action {
                Action::Unbound => Lookup::Nothing,
                action => Lookup::Action(action),
            };
        }
        let next: Vec<_> = self
            .bindings(place)
            .filter(|b| b.action != Action::Unbound && b.keys.starts_with(keys))
            .map(|b| (written(b.keys.get(keys.len()..).unwrap_or_default()), b.action))
            .collect();
        if next.is_empty() { Lookup::Nothing } else { Lookup::Pending(next) }
    }

    /// Gives the bindings that hold in `place`, its own before those of everywhere.
    fn bindings(&self, place: Place) -> impl Iterator<Item = &Binding> {
        let own = self.places.get(&place).into_iter().flatten();
        let all = self.places.get(&Place::All).into_iter().flatten();
        let shared = all.filter(move |_| !place.takes_text() && place != Place::All);
        // A place's own key takes precedence over what it begins elsewhere and over what begins it.
        let in_the_way =
            |own: &Binding, b: &Binding| own.keys.starts_with(&b.keys) || b.keys.starts_with(&own.keys);
        own.clone().chain(shared.filter(move |b| !own.clone().any(|o| in_the_way(o, b))))
    }

    /// Gives the keys for `action` in `place` as people write them; the first is the shortest to say.
    pub fn keys_of(&self, place: Place, action: Action) -> Vec<String> {
        self.bindings(place).filter(|b| b.action == action).map(|b| written(&b.keys)).collect()
    }

    /// Gives the places in which an action has a key of that place.
    pub fn places_of(&self, action: Action) -> Vec<Place> {
        let has = |(_, bindings): &(&Place, &Vec<Binding>)| bindings.iter().any(|b| b.action == action);
        self.places.iter().filter(has).map(|(place, _)| *place).collect()
    }

    /// Gives each action that has a key in `place` with its keys, in the order of the table.
    pub fn listing(&self, place: Place) -> Vec<(Action, Vec<String>)> {
        let mut rows: Vec<(Action, Vec<String>)> = Vec::new();
        for binding in self.bindings(place).filter(|b| !matches!(b.action, Action::Later | Action::Unbound)) {
            let keys = written(&binding.keys);
            match rows.iter_mut().find(|(action, _)| *action == binding.action) {
                Some((_, all)) => all.push(keys),
                None => rows.push((binding.action, vec![keys])),
            }
        }
        rows
    }

    /// Tells whether an action has a key in every place.
    pub fn everywhere(&self, action: Action) -> bool {
        self.places.get(&Place::All).into_iter().flatten().any(|b| b.action == action)
    }

    /// Gives the footer of `place`: a key and the word for what it does.
    pub fn footer(&self, place: Place) -> Vec<(String, Action)> {
        let actions = self.footer.get(&place).into_iter().flatten();
        actions.filter_map(|a| Some((self.keys_of(place, *a).into_iter().next()?, *a))).collect()
    }
}

/// Reads a table of keys with their lines, and of what the footer shows.
fn keymap_read(text: &str) -> Result<Written, SetupError> {
    let broken = |e: &dyn std::fmt::Display| SetupError::KeymapTable(e.to_string());
    let table = DeTable::parse(text).map_err(|e| broken(&e))?;
    let mut written = Written::default();
    for (place, keys) in table.get_ref() {
        let DeValue::Table(keys) = keys.get_ref() else {
            return Err(broken(&format!("`{}` is not a table", place.get_ref())));
        };
        if place.get_ref() == "footer" {
            written.footer = footer(keys)?;
            continue;
        }
        let mut rows: Vec<_> = keys.iter().collect();
        rows.sort_by_key(|(key, _)| key.span().start);
        written.keys.extend(rows.into_iter().map(|(key, action)| UserKey {
            place: place.get_ref().to_string(),
            keys: key.get_ref().to_string(),
            action: action.get_ref().as_str().unwrap_or_default().to_owned(),
            line: text.get(..key.span().start).map(|before| before.matches('\n').count() + 1),
        }));
    }
    Ok(written)
}

fn footer(table: &DeTable<'_>) -> Result<BTreeMap<Place, Vec<Action>>, SetupError> {
    let mut footer = BTreeMap::new();
    for (place, names) in table {
        let place = place_named(place.get_ref(), None)?;
        let names = names.get_ref().as_array().map(|list| list.iter()).into_iter().flatten();
        let actions = names.map(|name| {
            let name = name.get_ref().as_str().unwrap_or_default();
            action_named(name, place.name(), None)
        });
        footer.insert(place, actions.collect::<Result<_, _>>()?);
    }
    Ok(footer)
}

/// Gives the names of the places under which keys can be bound.
pub fn places() -> impl Iterator<Item = &'static str> {
    PLACES.iter().map(|(_, name)| *name)
}

fn at(line: Option<usize>) -> String {
    line.map_or(String::new(), |line| format!(" (line {line})"))
}

fn place_named(name: &str, line: Option<usize>) -> Result<Place, SetupError> {
    let known = PLACES.map(|(_, name)| name).join(", ");
    Place::named(name).ok_or_else(|| SetupError::Place(name.to_owned(), known, at(line)))
}

fn action_named(name: &str, place: &str, line: Option<usize>) -> Result<Action, SetupError> {
    if name == "none" {
        return Ok(Action::Unbound);
    }
    Action::named(name).ok_or_else(|| {
        let known: Vec<String> = super::action::ACTIONS.iter().map(|e| e.name.to_owned()).collect();
        SetupError::Action {
            place: place.to_owned(),
            action: name.to_owned(),
            nearest: nearest(name, &known)
                .map_or(String::new(), |likely| format!("; did you mean `{likely}`?")),
            at: at(line),
        }
    })
}

fn binding(key: &UserKey) -> Result<Binding, SetupError> {
    let action = action_named(&key.action, &key.place, key.line)?;
    let keys: Option<Vec<Key>> = key.keys.split_whitespace().map(Key::named).collect();
    match keys.filter(|keys| !keys.is_empty()) {
        Some(keys) => Ok(Binding { keys, action, line: key.line }),
        None => Err(SetupError::Key { place: key.place.clone(), keys: key.keys.clone(), at: at(key.line) }),
    }
}

fn written(keys: &[Key]) -> String {
    keys.iter().map(|k| k.written()).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(place: &str, keys: &str, action: &str) -> UserKey {
        UserKey { place: place.into(), keys: keys.into(), action: action.into(), line: Some(7) }
    }

    fn keys(text: &str) -> Vec<Key> {
        text.split(' ').map(|k| Key::named(k).unwrap()).collect()
    }

    #[test]
    fn the_default_table_can_be_read_and_binds_no_key_twice() {
        let keymap = Keymap::new("vim", &[]).unwrap();
        assert_eq!(keymap.lookup(Place::List, &keys("x")), Lookup::Action(Action::Close));
        assert_eq!(keymap.lookup(Place::Thread, &keys("j")), Lookup::Action(Action::Down));
        assert_eq!(keymap.lookup(Place::Composer, &keys("j")), Lookup::Nothing);
        assert_eq!(keymap.lookup(Place::Composer, &keys("alt-enter")), Lookup::Action(Action::SendClose));
    }

    #[test]
    fn every_key_of_the_contract_stands_in_the_table() {
        let keymap = Keymap::new("vim", &[]).unwrap();
        let both = "j k up down g_g G ctrl-d ctrl-u enter q esc tab 1 9 J K / n N : ctrl-k ? C r c f e a i l p s \
                    x X ! m M = t u z Z . y o h H w P O I R";
        for text in both.split_whitespace() {
            let pressed = keys(&text.replace('_', " "));
            for place in [Place::List, Place::Thread] {
                assert!(matches!(keymap.lookup(place, &pressed), Lookup::Action(_)), "{place:?} {text}");
            }
        }
        for text in ["space", "v", "*"] {
            assert!(matches!(keymap.lookup(Place::List, &keys(text)), Lookup::Action(_)), "{text}");
        }
        for text in "[ ]".split(' ') {
            assert!(matches!(keymap.lookup(Place::Thread, &keys(text)), Lookup::Action(_)), "{text}");
        }
        for text in "ctrl-s ctrl-enter alt-enter alt-s alt-l esc ctrl-e ctrl-t ctrl-o".split(' ') {
            assert!(matches!(keymap.lookup(Place::Composer, &keys(text)), Lookup::Action(_)), "{text}");
        }
    }

    #[test]
    fn every_preset_reaches_what_the_default_reaches_in_every_place() {
        let all: Vec<Place> = PLACES.iter().map(|(place, _)| *place).collect();
        let default = Keymap::new("vim", &[]).unwrap();
        for (name, _) in PRESETS {
            let preset = Keymap::new(name, &[]).unwrap();
            for place in &all {
                let lost = default.listing(*place).into_iter().map(|(action, _)| action);
                let lost: Vec<_> = lost.filter(|a| preset.keys_of(*place, *a).is_empty()).collect();
                assert!(lost.is_empty(), "{name}, {place:?}: {lost:?}");
            }
        }
    }

    #[test]
    fn a_preset_has_the_keys_that_its_hands_know() {
        for (preset, place, pressed, action) in [
            ("emacs", Place::Composer, "ctrl-c ctrl-c", Action::Send),
            ("emacs", Place::List, "alt-x", Action::Palette),
            ("mutt", Place::List, "m", Action::NewIssue),
            ("mutt", Place::List, "t", Action::Mark),
            ("gmail", Place::Thread, "e", Action::Close),
            ("gmail", Place::List, "* a", Action::MarkAll),
        ] {
            let keymap = Keymap::new(preset, &[]).unwrap();
            assert_eq!(keymap.lookup(place, &keys(pressed)), Lookup::Action(action), "{preset} {pressed}");
        }
        let emacs = Keymap::new("emacs", &[]).unwrap();
        assert_eq!(emacs.lookup(Place::Composer, &keys("ctrl-a")), Lookup::Nothing, "is the text's own");
        let said = Keymap::new("nano", &[]).unwrap_err().to_string();
        assert_eq!(said, "there is no keymap `nano`; known are vim, emacs, mutt and gmail");
    }

    #[test]
    fn every_key_can_be_bound_anew_and_taken_away() {
        let default = Keymap::new("vim", &[]).unwrap();
        for (place, name) in PLACES {
            for (action, pressed) in default.listing(place) {
                let first = pressed[0].to_lowercase();
                let Some(_) = Key::named(first.split(' ').next().unwrap()) else { panic!("{first}") };
                let anew = Keymap::new("vim", &[key(name, "f9 f9", action.entry().name)]).unwrap();
                assert_eq!(anew.lookup(place, &keys("f9 f9")), Lookup::Action(action), "{name}");
            }
        }
        let none = Keymap::new("vim", &[key("list", "x", "none"), key("list", "z", "none")]).unwrap();
        for gone in ["x", "z"] {
            assert_eq!(none.lookup(Place::List, &keys(gone)), Lookup::Nothing, "{gone}");
        }
        assert_eq!(none.lookup(Place::Thread, &keys("z")), Lookup::Action(Action::Undo));
    }

    #[test]
    fn a_prefix_waits_and_says_what_may_follow() {
        let keymap = Keymap::new("vim", &[key("list", "g p", "project-list")]).unwrap();
        let Lookup::Pending(next) = keymap.lookup(Place::List, &keys("g")) else { panic!() };
        let expected = [
            ("m", Action::Move),
            ("=", Action::Similar),
            ("@", Action::HandOver),
            ("f", Action::Follow),
            ("t", Action::SetStatus),
            ("e", Action::Milestone),
            ("d", Action::Due),
            ("w", Action::Weight),
            ("E", Action::Estimate),
            ("S", Action::Spend),
            ("c", Action::ToTicket),
            ("M", Action::Unmerge),
            ("p", Action::Projects),
            ("g", Action::Top),
            ("s", Action::SpamMails),
            ("l", Action::Senders),
            ("n", Action::Notifications),
            ("u", Action::Members),
            ("T", Action::Templates),
            ("L", Action::Categories),
            ("r", Action::Rules),
            ("C", Action::KeptTexts),
            ("v", Action::Views),
            ("P", Action::Mouse),
            ("?", Action::Tour),
        ];
        assert_eq!(next, expected.map(|(key, action)| (key.to_owned(), action)));
        assert_eq!(keymap.lookup(Place::List, &keys("g p")), Lookup::Action(Action::Projects));
    }

    #[test]
    fn the_users_keys_replace_and_what_is_in_their_way_yields() {
        let keymap = Keymap::new("vim", &[key("list", "x", "spam"), key("list", "r r", "reply")]).unwrap();
        assert_eq!(keymap.lookup(Place::List, &keys("x")), Lookup::Action(Action::Spam));
        assert_eq!(keymap.lookup(Place::List, &keys("r r")), Lookup::Action(Action::Reply));
        assert_eq!(keymap.lookup(Place::Thread, &keys("x")), Lookup::Action(Action::Close));
    }

    #[test]
    fn what_cannot_be_meant_is_refused_with_its_line() {
        for (bad, part) in [
            (vec![key("list", "b", "clsoe")], "did you mean `close`? (line 7)"),
            (vec![key("lst", "b", "close")], "no place `lst`"),
            (vec![key("list", "hyper-x", "close")], "not a key (line 7)"),
            (vec![key("list", "b", "close"), key("list", "b", "spam")], "bound twice"),
            (vec![key("list", "ctrl-b", "close"), key("list", "C-b", "spam")], "bound twice"),
            (vec![key("list", "b", "close"), key("list", "b x", "spam")], "in the way"),
        ] {
            let said = Keymap::new("vim", &bad).unwrap_err().to_string();
            assert!(said.contains(part), "{said}");
        }
    }
}
