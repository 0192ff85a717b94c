//! The mails of the demo: a week at the support desk of Brightwater, who make a small invoicing program.
//!
//! Owns the mails in `assets/demo/` and the moments in them. Knows nothing of the desk: they are bytes,
//! to be delivered like any other mail. What the customers answer stands in [`super::demo_answers`].
//!
//! A mail names moments as places to fill, so that the week always ends now: `@-2d 14:05 +0100@` is
//! 14:05 on the clock of that zone, two days before today in UTC; `@-45m +0100@` is 45 minutes ago;
//! `+` in place of `-` looks ahead. It becomes a date of RFC 5322, or what follows a bar says how to
//! write it: `@-2d 14:05 +0100|%d.%m.%Y@`.

use jiff::civil::Time;
use jiff::tz::{Offset, TimeZone};
use jiff::{SignedDuration, Timestamp, ToSpan, Zoned, fmt::strtime};

/// The mails, the oldest first.
const MAILS: &[&[u8]] = &[
    include_bytes!("../../assets/demo/01-export-leaves-out-a-column.eml"),
    include_bytes!("../../assets/demo/02-re-export-leaves-out-a-column.eml"),
    include_bytes!("../../assets/demo/03-rechnung-fehlt-im-archiv.eml"),
    include_bytes!("../../assets/demo/04-the-ledger-letter.eml"),
    include_bytes!("../../assets/demo/05-deuxieme-taux-de-tva.eml"),
    include_bytes!("../../assets/demo/06-cannot-log-in.eml"),
    include_bytes!("../../assets/demo/07-urgent-api-500.eml"),
    include_bytes!("../../assets/demo/08-re-urgent-api-500.eml"),
    include_bytes!("../../assets/demo/09-factura-en-blanco.eml"),
    include_bytes!("../../assets/demo/10-first-page-guaranteed.eml"),
    include_bytes!("../../assets/demo/11-seikyusho-no-atena.eml"),
    include_bytes!("../../assets/demo/12-zaokraglanie-czasu.eml"),
    include_bytes!("../../assets/demo/13-abwesenheitsnotiz.eml"),
    include_bytes!("../../assets/demo/14-undelivered-mail.eml"),
    include_bytes!("../../assets/demo/15-idea-timer-on-the-lock-screen.eml"),
    include_bytes!("../../assets/demo/16-no-subject.eml"),
    include_bytes!("../../assets/demo/17-aw-rechnung-fehlt-im-archiv.eml"),
    include_bytes!("../../assets/demo/18-question-about-running-timers.eml"),
    include_bytes!("../../assets/demo/19-re-deuxieme-taux-de-tva.eml"),
    include_bytes!("../../assets/demo/20-re-factura-en-blanco.eml"),
    include_bytes!("../../assets/demo/21-re-cannot-log-in.eml"),
    include_bytes!("../../assets/demo/22-duvida-fatura-recorrente.eml"),
    include_bytes!("../../assets/demo/23-fwd-reminder-already-paid.eml"),
    include_bytes!("../../assets/demo/24-kuendigung-und-loeschung.eml"),
    include_bytes!("../../assets/demo/25-importazione-estratto-conto.eml"),
    include_bytes!("../../assets/demo/26-re-seikyusho-no-atena.eml"),
    include_bytes!("../../assets/demo/27-re-export-leaves-out-a-column.eml"),
    include_bytes!("../../assets/demo/28-reset-mail-never-arrives.eml"),
];
/// Longest place to fill, in octets.
const MOMENT_MAX: usize = 60;
/// A date as mails have it (RFC 5322, section 3.3).
pub(super) const MAIL_DATE: &str = "%a, %d %b %Y %H:%M:%S %z";

/// Gives the mails of the week before `now` with the names of their files, the oldest first.
pub fn mails(now: Timestamp) -> Vec<(String, Vec<u8>)> {
    MAILS
        .iter()
        .enumerate()
        .map(|(index, mail)| (format!("{:02}.eml", index + 1), with_moments(mail, now)))
        .collect()
}

/// Fills the moments of a mail. What only looks like one stays as it is.
fn with_moments(mail: &[u8], now: Timestamp) -> Vec<u8> {
    let mut filled = Vec::with_capacity(mail.len());
    let mut rest = mail;
    while let Some(at) = rest.iter().position(|byte| *byte == b'@') {
        let (before, from) = rest.split_at(at);
        filled.extend_from_slice(before);
        match moment_at(from, now) {
            Some((text, length)) => {
                filled.extend_from_slice(text.as_bytes());
                rest = from.get(length..).unwrap_or_default();
            }
            None => {
                filled.push(b'@');
                rest = from.get(1..).unwrap_or_default();
            }
        }
    }
    filled.extend_from_slice(rest);
    filled
}

/// Reads the moment that `from` begins with: its text, and how long the place for it was.
fn moment_at(from: &[u8], now: Timestamp) -> Option<(String, usize)> {
    let inner = from.get(1..)?;
    let end = inner.iter().take(MOMENT_MAX).position(|byte| *byte == b'@')?;
    let place = std::str::from_utf8(inner.get(..end)?).ok()?;
    let (when, format) = place.split_once('|').unwrap_or((place, MAIL_DATE));
    let text = strtime::format(format, &moment(when, now)?).ok()?;
    Some((text, end + 2))
}

/// Reads `-2d 14:05 +0100` or `-45m +0100`.
fn moment(text: &str, now: Timestamp) -> Option<Zoned> {
    let words: Vec<&str> = text.split(' ').collect();
    match words.as_slice() {
        [days, clock, zone] => {
            let days: i64 = days.strip_suffix('d')?.parse().ok()?;
            let date = now.to_zoned(TimeZone::UTC).date().checked_add(days.days()).ok()?;
            let (hour, minute) = clock.split_once(':')?;
            let time = Time::new(hour.parse().ok()?, minute.parse().ok()?, 0, 0).ok()?;
            date.to_datetime(time).to_zoned(offset(zone)?.to_time_zone()).ok()
        }
        [minutes, zone] => {
            let minutes: i64 = minutes.strip_suffix('m')?.parse().ok()?;
            let at = now.checked_add(SignedDuration::from_mins(minutes)).ok()?;
            Some(at.to_zoned(offset(zone)?.to_time_zone()))
        }
        _ => None,
    }
}

/// Reads `+0100`.
fn offset(text: &str) -> Option<Offset> {
    strtime::parse("%z", text).ok()?.offset()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mail::{self, Message, Reading};
    use std::collections::HashSet;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    fn read(now: &str) -> Vec<Message> {
        mails(at(now)).iter().map(|(_, bytes)| mail::read(bytes).unwrap()).collect()
    }

    /// Every text that a reader may see of a mail.
    fn text(message: &Message) -> String {
        let visible = mail::visible(message, Reading::Opening);
        format!("{} {} {}", message.subject, visible.body, visible.folded.unwrap_or_default())
    }

    #[test]
    fn moments_are_filled_and_nothing_else_is() {
        for (place, expected) in [
            ("@-2d 14:05 +0100@", "Mon, 08 Jun 2026 14:05:00 +0100"),
            ("@-45m -0500@", "Wed, 10 Jun 2026 02:45:30 -0500"),
            ("@+1d 09:00 +0200|%d.%m.%Y %H:%M@", "11.06.2026 09:00"),
            ("a@b.example, @-0m +0000|%H@@c", "a@b.example, 08@c"),
            ("@-2d 25:05 +0100@", "@-2d 25:05 +0100@"),
            ("@-2d 14:05@", "@-2d 14:05@"),
            ("@-2d 14:05 +0100|%!@", "@-2d 14:05 +0100|%!@"),
            ("x@", "x@"),
        ] {
            let filled = with_moments(place.as_bytes(), at("2026-06-10T08:30:30Z"));
            assert_eq!(String::from_utf8(filled).unwrap(), expected);
        }
    }

    #[test]
    fn the_week_is_as_it_was_written() {
        let lines: Vec<String> = read("2026-06-10T08:30:00Z")
            .iter()
            .map(|m| {
                let from = m.from.as_ref().map(ToString::to_string).unwrap_or_default();
                let files: Vec<_> = m.attachments.iter().map(|a| a.name.as_str()).collect();
                format!("{from} | {} | {}", m.subject, files.join(" "))
            })
            .collect();
        insta::assert_snapshot!(lines.join("\n"));
    }

    #[test]
    fn every_mail_is_sound_and_no_place_is_left_empty() {
        for (index, message) in read("2026-06-10T08:30:00Z").iter().enumerate() {
            assert!(message.defects.is_empty(), "{}: {:?}", index + 1, message.defects);
            let text = text(message);
            assert!(!text.trim().is_empty(), "{}", index + 1);
            assert!(!text.contains("@-") && !text.contains("@+"), "{}: {text}", index + 1);
            assert!(
                message.recipients.iter().any(|(_, to)| to == "support@brightwater.example"),
                "{}",
                index + 1
            );
        }
    }

    #[test]
    fn the_mails_come_in_order_and_never_from_the_future_at_any_hour() {
        for now in
            ["2026-06-10T00:00:00Z", "2026-06-10T05:00:00Z", "2026-06-10T23:59:59Z", "2024-03-01T12:00:00Z"]
        {
            let dates: Vec<_> = read(now).iter().map(|m| m.date.unwrap()).collect();
            assert!(dates.is_sorted(), "{now}: {dates:?}");
            assert!(dates.iter().all(|date| *date < at(now)), "{now}");
        }
    }

    #[test]
    fn an_answer_within_the_week_answers_a_mail_before_it() {
        let mut seen = HashSet::new();
        let mut answers = 0;
        for message in read("2026-06-10T08:30:00Z") {
            let within =
                message.in_reply_to.iter().filter(|id| !id.as_str().ends_with("@news.brightwater.example"));
            for id in
                within.chain(message.references.iter().filter(|id| !id.as_str().starts_with("release-")))
            {
                assert!(seen.contains(id), "{id}");
                answers += 1;
            }
            assert!(seen.insert(message.message_id.unwrap()));
        }
        assert!(answers > 10);
    }

    #[test]
    fn nobody_outside_the_reserved_domains_stands_in_it() {
        for message in read("2026-06-10T08:30:00Z") {
            for (_, address) in &message.recipients {
                assert!(address.ends_with(".example"), "{address}");
            }
            assert!(message.from.unwrap().email.domain().ends_with(".example"));
        }
    }
}
