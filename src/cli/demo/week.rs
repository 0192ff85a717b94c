//! What the staff of Brightwater did in their week, mail by mail.

use super::BILLING;
use super::house::MILESTONE;
use crate::domain::{Edit, Priority};
use jiff::{SignedDuration, Timestamp};

/// The staff besides whoever looks on: their names, short and full.
pub(super) const STAFF: [(&str, &str); 2] = [("mia", "Mia Lindqvist"), ("jonas", "Jonas Weber")];

/// Something that one of the staff did.
pub(super) struct Deed {
    /// The mail after which it was done.
    pub mail: &'static str,
    /// Minutes after that mail.
    pub after: i64,
    /// `me` is whoever looks on.
    pub who: &'static str,
    pub does: Does,
}

pub(super) enum Does {
    Reply(&'static str),
    ReplyAndClose(&'static str),
    Comment(&'static str),
    /// Makes the edits for who looks on, as of now.
    Edit(fn(&str, Timestamp) -> Vec<Edit>),
}

const fn deed(mail: &'static str, after: i64, who: &'static str, does: Does) -> Deed {
    Deed { mail, after, who, does }
}

fn label(name: &str) -> Edit {
    Edit::Label(name.to_owned())
}

fn assign(name: &str) -> Edit {
    Edit::Assign(name.to_owned())
}

fn in_days(now: Timestamp, days: i64) -> Option<Timestamp> {
    now.checked_add(SignedDuration::from_hours(24 * days)).ok()
}

/// Gives when the week begins: before its first mail.
pub(super) fn begins(now: Timestamp) -> Timestamp {
    in_days(now, -8).unwrap_or(now)
}

/// Everything that was done, by the mail that it followed.
pub(super) const DEEDS: &[Deed] = &[
    deed("01.eml", 18, "jonas", Does::Edit(|_, _| vec![label("bug"), label("export"), assign("jonas")])),
    deed(
        "02.eml",
        25,
        "jonas",
        Does::Comment(
            "Reproduced, thanks to Tom: with *all clients* the exporter joins on the client first and drops \
             the notes. Broken since 4.2, one line in `export/rows`.",
        ),
    ),
    deed(
        "02.eml",
        40,
        "jonas",
        Does::Reply(
            "Hello Priya, hello Tom,\n\nthank you both, that was the hint we needed: the notes are lost only \
             with \"all clients\". Until it is mended, the export of a single client has them.\n\nI write \
             again as soon as I can name a date.\n\nJonas",
        ),
    ),
    deed("03.eml", 35, "mia", Does::Edit(|_, _| vec![label("search"), assign("mia")])),
    deed(
        "03.eml",
        50,
        "mia",
        Does::Reply(
            "Guten Tag Herr Müller,\n\nverloren ist die Rechnung nicht, der Nummernkreis ist vollständig. \
             Würden Sie bitte nachsehen, welches Leistungsdatum sie trägt?\n\nViele Grüße\nMia Lindqvist",
        ),
    ),
    deed("04.eml", 90, "mia", Does::Edit(|_, _| vec![label("newsletter"), Edit::Close])),
    deed("05.eml", 30, "jonas", Does::Edit(|_, _| vec![label("bug"), label("vat"), assign("jonas")])),
    deed(
        "06.eml",
        9,
        "mia",
        Does::Edit(|_, _| vec![label("bug"), Edit::Priority(Some(Priority::High)), assign("mia")]),
    ),
    deed(
        "06.eml",
        14,
        "mia",
        Does::Reply(
            "Good morning Sam,\n\nuntil this is found: the web version takes the same password, and your \
             timesheets are there, up to date. That should do for eleven o'clock.\n\nWould you tell me what \
             the clock of that PC says, next to a phone?\n\nMia",
        ),
    ),
    deed(
        "07.eml",
        4,
        "jonas",
        Does::Edit(|_, _| vec![label("api"), Edit::Priority(Some(Priority::Urgent)), assign("jonas")]),
    ),
    deed(
        "07.eml",
        11,
        "jonas",
        Does::Reply(
            "Hello Henrik,\n\nwe see it too: the number sequence is locked by a job of last night. I am on \
             it, expect an answer within the hour. Please let your shop stop its retries until then.\n\nJonas",
        ),
    ),
    deed(
        "08.eml",
        45,
        "jonas",
        Does::Comment(
            "Counted in the log: 14 pairs, the second of each is the retry. Mia, is a cancellation invoice per number right for Norway?",
        ),
    ),
    deed(
        "08.eml",
        70,
        "jonas",
        Does::Reply(
            "Hello Henrik,\n\nyes, that was us, and I am sorry for the morning you had.\n\nNothing needs to be \
             deleted: *Invoices > Cancel* writes a cancellation under a number of its own that names the \
             invoice it cancels. I have marked the fourteen for you, so select \"duplicates\" and cancel them \
             in one go.\n\nJonas",
        ),
    ),
    deed("09.eml", 22, "mia", Does::Edit(|_, _| vec![label("bug"), label("pdf"), assign("mia")])),
    deed(
        "09.eml",
        31,
        "mia",
        Does::Reply(
            "Buenos días, Lucía:\n\nlo hemos encontrado. Con la actualización de esta semana los importes \
             vuelven a salir; si le corre prisa hoy, la opción «imprimir» en lugar de «guardar como PDF» \
             funciona.\n\nUn saludo,\nMia",
        ),
    ),
    deed("10.eml", 12, "mia", Does::Edit(|_, _| vec![Edit::Spam(true)])),
    deed("11.eml", 25, "jonas", Does::Edit(|_, _| vec![label("bug"), label("pdf"), assign("jonas")])),
    deed(
        "12.eml",
        60,
        "jonas",
        Does::Reply(
            "Dzień dobry,\n\ndziś to jedno ustawienie dla całej firmy. Zapisaliśmy to jako życzenie i \
             wrócimy do tematu po planowaniu następnej wersji.\n\nPozdrawiam\nJonas Weber",
        ),
    ),
    deed(
        "12.eml",
        62,
        "jonas",
        Does::Edit(|_, now| vec![label("idea"), assign("jonas"), Edit::Snooze(in_days(now, 6))]),
    ),
    deed("15.eml", 40, "mia", Does::Edit(|_, _| vec![label("idea"), Edit::Priority(Some(Priority::Low))])),
    deed(
        "15.eml",
        44,
        "mia",
        Does::Reply(
            "Hi Ada,\n\nyour drawing hangs on our wall now. Pause, Stop and a buzz: that is all it should \
             be. I write to you when there is something to try, gloves and all.\n\nMia",
        ),
    ),
    deed(
        "16.eml",
        35,
        "mia",
        Does::ReplyAndClose(
            "Hoi Dineke,\n\nhet staat onder *Instellingen > Bedrijf > Afzender*. Na het opslaan krijg je op \
             het nieuwe adres een mail om het te bevestigen.\n\nGroeten, Mia",
        ),
    ),
    deed(
        "17.eml",
        55,
        "mia",
        Does::Comment(
            "Frau Henning is right: *all years* is ignored when the list is sorted by number. Jonas, one for 4.2.1?",
        ),
    ),
    deed(
        "18.eml",
        45,
        "mia",
        Does::Reply(
            "Good morning Margaret,\n\nthe invoice can still be put right without a credit note for all of \
             it: open the entry, set its end to Friday, and choose *Correct invoice*. Your client gets the \
             new one with a line about what has changed.\n\nMia",
        ),
    ),
    deed(
        "19.eml",
        30,
        "jonas",
        Does::Reply(
            "Bonjour Camille,\n\nmerci pour cette précision, elle nous a fait gagner une journée : le taux \
             de la première ligne devient celui du modèle. La correction sera dans la 4.2.1, et vos modèles \
             n'auront pas à être refaits.\n\nJonas",
        ),
    ),
    deed("20.eml", 15, "mia", Does::ReplyAndClose("¡Me alegro! Gracias por avisar, Lucía.\n\nMia")),
    deed(
        "21.eml",
        20,
        "mia",
        Does::Comment(
            "Five minutes ahead and he is in: the token is compared to the second since 4.2. His \
             assistant's clock must have drifted since.",
        ),
    ),
    deed("23.eml", 30, "mia", Does::Edit(|me, _| vec![label("reminders"), assign(me)])),
    deed(
        "23.eml",
        32,
        "mia",
        Does::Comment("Yours, I think: you wrote the reminders. My guess is the day it was typed in."),
    ),
    deed(
        "24.eml",
        40,
        "jonas",
        Does::Edit(|me, now| {
            vec![label("account"), label("privacy"), assign(me), Edit::Due(in_days(now, 2))]
        }),
    ),
    deed("02.eml", 41, "jonas", Does::Edit(|_, _| vec![Edit::Milestone(Some(MILESTONE.to_owned()))])),
    deed(
        "09.eml",
        23,
        "mia",
        Does::Edit(|_, _| {
            vec![
                Edit::Milestone(Some(MILESTONE.to_owned())),
                Edit::Weight(Some(3)),
                Edit::Estimate(Some(14_400)),
            ]
        }),
    ),
    deed("23.eml", 34, "mia", Does::Edit(|_, _| vec![Edit::MoveTo(BILLING.to_owned())])),
    deed("25.eml", 25, "jonas", Does::Edit(|_, _| vec![label("bug"), label("import")])),
];
