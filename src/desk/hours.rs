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

/// Gives when a project works: what it sets itself, else what the desk sets; what cannot be read counts as
/// nothing set.
pub(super) fn of(project: Option<&Project>, desk: &DeskSettings) -> WorkingHours {
    let own = project.map(|project| &project.settings);
    let first = |own: Option<&Option<String>>, desks: &Option<String>| {
        own.cloned().flatten().or_else(|| desks.clone())
    };
    let zone = first(own.map(|own| &own.time_zone), &desk.time_zone);
    let zone = zone.and_then(|name| TimeZone::get(&name).ok()).unwrap_or_else(TimeZone::system);
    let hours = first(own.map(|own| &own.hours), &desk.hours);
    let holidays = first(own.map(|own| &own.holidays), &desk.holidays);
    WorkingHours::read(hours.as_deref(), holidays.as_deref(), zone).unwrap_or_else(|fault| {
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
