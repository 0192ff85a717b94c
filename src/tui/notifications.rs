//! One's own notifications: what is told by mail, and when. A list of what can be set, each with its choices.

use super::app::App;
use super::asks::Purpose;
use super::overlay::{Ask, Prompt};
use super::picker::{Choice, Item, Picker};
use crate::domain::{Request, StaffEvent, User};

/// The settings that are typed: key, name, what may be typed.
const TYPED: [(&str, &str, &str); 3] = [
    ("quiet_hours", "Quiet hours", "22:00-07:00, or nothing"),
    ("digest_at", "Hour of the digest", "08:00"),
    ("time_zone", "Time zone of these hours", "Europe/Berlin; nothing is that of the desk"),
];

impl App {
    /// Shows everything that can be set, and how it is set.
    pub fn open_notifications(&mut self) {
        let Some(me) = &self.me else { return self.say("it is not known yet who you are") };
        let event = |event: &StaffEvent| {
            let key = format!("notify.{}", event.word());
            Item::new(event.means(), value_of(me, &key).as_str(), Choice::Own(key))
        };
        let typed = |(key, name, _): &(&str, &str, &str)| {
            Item::new(name, value_of(me, key).as_str(), Choice::Own((*key).to_owned()))
        };
        let items = StaffEvent::ALL.iter().map(event).chain(TYPED.iter().map(typed)).collect();
        let title = match me.emails.first() {
            Some(email) => format!("Own notifications, mailed to {email}"),
            None => "Own notifications: you have no address yet".to_owned(),
        };
        self.open_picker(Picker::new(&title, items));
    }

    /// Offers the choices of one setting, or lets it be typed.
    pub fn change_notification(&mut self, key: String) {
        let Some(me) = &self.me else { return };
        let value = value_of(me, &key);
        if let Some((_, name, hint)) = TYPED.iter().find(|(typed, ..)| *typed == key) {
            let value = if value == "–" { "" } else { value.as_str() };
            return self.open_prompt(Prompt::new(Ask::Own(key), name, value, hint));
        }
        let word = |word: &str, means: &str| {
            let now = if word == value { format!("{means} · now") } else { means.to_owned() };
            Item::new(word, &now, Choice::OwnSet { key: key.clone(), value: word.to_owned() })
        };
        let items = vec![
            word("at_once", "a mail for each"),
            word("digest", "one mail a day"),
            word("off", "no mail"),
        ];
        let title = StaffEvent::ALL.into_iter().find(|event| key.ends_with(event.word()));
        self.open_picker(Picker::new(title.map_or("", StaffEvent::means), items));
    }

    /// Sets one thing for oneself.
    pub fn set_own(&mut self, key: String, value: String) {
        let Some(name) = self.me.as_ref().map(|me| me.name.clone()) else { return };
        self.ask(Purpose::OwnAct, Request::SetUser { name, settings: vec![(key, value)] });
    }

    /// Takes in what was set.
    pub fn own_changed(&mut self, users: Vec<User>) {
        let name = self.me.as_ref().map(|me| me.name.clone());
        if let Some(me) = users.iter().find(|user| Some(&user.name) == name.as_ref()) {
            self.me = Some(me.clone());
        }
        self.say("saved");
        self.open_notifications();
    }
}

/// Gives a setting's value as people read it; a dash where nothing is set.
fn value_of(me: &User, key: &str) -> String {
    let notify = &me.notify;
    let text = match key {
        "quiet_hours" => notify.quiet_hours.clone(),
        "digest_at" => Some(notify.digest_at.clone().unwrap_or_else(|| "08:00".to_owned())),
        "time_zone" => notify.time_zone.clone(),
        key => {
            StaffEvent::ALL.into_iter().find(|event| key == format!("notify.{}", event.word())).map(|event| {
                let wish = notify.wishes.iter().find(|wish| wish.event == event && wish.project.is_none());
                wish.map_or(event.usual(), |wish| wish.when).word().to_owned()
            })
        }
    };
    text.unwrap_or_else(|| "–".to_owned())
}
