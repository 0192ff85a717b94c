//! Hours: when each project works, as its settings and those of the desk say.

use crate::domain::{DeskSettings, Fault, Project, WorkingHours};
use crate::mail;
use jiff::tz::TimeZone;
use std::borrow::Cow;

/// Refuses hours, holidays and a zone that cannot be read.
pub(super) fn check(hours: Option<&str>, holidays: Option<&str>, zone: Option<&str>) -> Result<(), Fault> {
    check_zone(zone)?;
    WorkingHours::read(hours, holidays, TimeZone::UTC).map(|_| ())
}

/// Gives what is kept of a setting: of holidays in a calendar (RFC 5545) their dates and names.
pub(super) fn plain<'a>(key: &str, value: &'a str) -> Cow<'a, str> {
    match mail::holidays(value).filter(|_| key == "holidays") {
        Some(days) => days.join(", ").into(),
        None => value.into(),
    }
}

/// Gives when a project works: what it sets itself, else what the desk sets.
pub(super) fn of(project: &Project, desk: &DeskSettings) -> WorkingHours {
    let own = &project.settings;
    let hours = own.hours.as_deref().or(desk.hours.as_deref());
    let holidays = own.holidays.as_deref().or(desk.holidays.as_deref());
    let zone = own.time_zone.as_deref().or(desk.time_zone.as_deref());
    read(hours, holidays, zone)
}

/// Gives when the desk works.
pub(super) fn of_desk(desk: &DeskSettings) -> WorkingHours {
    read(desk.hours.as_deref(), desk.holidays.as_deref(), desk.time_zone.as_deref())
}

/// Reads hours that were checked; what cannot be read all the same counts as nothing set.
fn read(hours: Option<&str>, holidays: Option<&str>, zone: Option<&str>) -> WorkingHours {
    let zone = zone.and_then(|name| TimeZone::get(name).ok()).unwrap_or_else(TimeZone::system);
    WorkingHours::read(hours, holidays, zone).unwrap_or_else(|fault| {
        tracing::warn!(%fault, "hours that cannot be read count as none");
        WorkingHours::always()
    })
}

/// Refuses a zone that nobody knows.
fn check_zone(name: Option<&str>) -> Result<(), Fault> {
    match name.filter(|name| TimeZone::get(name).is_err()) {
        None => Ok(()),
        Some(name) => Err(Fault::usage(format!("`{name}` is not a time zone"))
            .hint("write it as Europe/Berlin; empty takes the machine's")),
    }
}
