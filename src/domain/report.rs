//! Reports: figures about issues, as one table each that every front end can draw, print or hand on.
//!
//! Owns what is counted and how it is called. Pure: it is fed the facts of issues, one by one, by whoever keeps
//! them, and knows neither who asks nor how it is shown.

mod groups;
mod lives;
mod ranges;
mod ratings;
mod times;
mod volume;

use super::query::IssueFacts;
use super::{Clocks, Fault, WorkingHours, hour_of_week, nearest};
use groups::{Groups, Kept};
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan};
use ratings::Ratings;
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use times::Times;
use volume::{Backlog, Volume};

/// Which report.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ReportName {
    #[default]
    Volume,
    Backlog,
    Response,
    Resolution,
    Hours,
    Clocks,
    Projects,
    Labels,
    Assignees,
    Ratings,
}

impl ReportName {
    pub const ALL: [Self; 10] = [
        Self::Volume,
        Self::Backlog,
        Self::Response,
        Self::Resolution,
        Self::Hours,
        Self::Clocks,
        Self::Projects,
        Self::Labels,
        Self::Assignees,
        Self::Ratings,
    ];

    /// Gives the word for it, as commands have it.
    pub fn word(self) -> &'static str {
        match self {
            Self::Volume => "volume",
            Self::Backlog => "backlog",
            Self::Response => "response",
            Self::Resolution => "resolution",
            Self::Hours => "hours",
            Self::Clocks => "clocks",
            Self::Projects => "projects",
            Self::Labels => "labels",
            Self::Assignees => "assignees",
            Self::Ratings => "ratings",
        }
    }

    /// Says what it shows.
    pub fn title(self) -> &'static str {
        match self {
            Self::Volume => "Issues opened and closed, and how many were left",
            Self::Backlog => "How old the open issues are",
            Self::Response => "How long people waited for an answer, in working time",
            Self::Resolution => "How long it took to resolve issues, in working time",
            Self::Hours => "When mail came in",
            Self::Clocks => "Clocks that were kept and broken",
            Self::Projects => "Each project",
            Self::Labels => "Each label",
            Self::Assignees => "Each of the staff",
            Self::Ratings => "What customers thought of how their issues were handled",
        }
    }

    /// Reads a name; the fault names the nearest.
    pub fn read(word: &str) -> Result<Self, Fault> {
        let known = Self::ALL.map(|name| name.word().to_owned());
        Self::ALL.into_iter().find(|name| name.word() == word.to_ascii_lowercase()).ok_or_else(|| {
            Fault::usage(format!("there is no report `{word}`")).hint(match nearest(word, &known) {
                Some(likely) => format!("did you mean `{likely}`? There are {}", known.join(", ")),
                None => format!("there are {}", known.join(", ")),
            })
        })
    }
}

/// What a number counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Unit {
    Count,
    /// Seconds of working time.
    Seconds,
    Percent,
}

/// A column of a report.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Column {
    pub name: String,
    pub unit: Unit,
}

/// A row of a report; a cell is none where there is nothing to say.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReportRow {
    pub label: String,
    pub cells: Vec<Option<i64>>,
}

/// A number about the whole.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Figure {
    pub name: String,
    pub unit: Unit,
    pub value: Option<i64>,
}

/// How a report is best drawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Picture {
    /// A bar for each of so many columns, from the first.
    Bars(usize),
    /// A square for each cell, the darker the more.
    Heat,
}

/// A report: figures about the whole, and a table.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Report {
    pub name: ReportName,
    pub title: String,
    pub query: String,
    pub since: Timestamp,
    pub until: Timestamp,
    /// The zone of its days and hours.
    pub time_zone: String,
    /// How many issues were looked at.
    pub issues: u64,
    pub figures: Vec<Figure>,
    pub columns: Vec<Column>,
    pub rows: Vec<ReportRow>,
    pub picture: Picture,
}

/// What a report asks for.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct AskedReport {
    pub name: ReportName,
    /// Which issues count, in the query language.
    pub query: String,
    /// A date, a moment, or how long ago: `30d`. Absent is 30 days before the end.
    pub since: Option<String>,
    /// Likewise; a date means its end. Absent is now.
    pub until: Option<String>,
}

/// The time that a report is about.
#[derive(Clone, Debug)]
pub struct ReportSpan {
    pub since: Timestamp,
    pub until: Timestamp,
    pub zone: TimeZone,
}

impl ReportSpan {
    /// Reads the ends of a report's time. It never reaches beyond `now`.
    pub fn read(asked: &AskedReport, now: Timestamp, zone: TimeZone) -> Result<Self, Fault> {
        let end = asked.until.as_deref().map(|text| end_of_span(text, now, &zone, true)).transpose()?;
        let until = end.unwrap_or(now).min(now);
        let start = asked.since.as_deref().map(|text| end_of_span(text, until, &zone, false)).transpose()?;
        let usual = || {
            let first = until.to_zoned(zone.clone()).date().checked_sub(29.days()).ok()?;
            Some(first.to_zoned(zone.clone()).ok()?.timestamp())
        };
        let since = start.or_else(usual).unwrap_or(until);
        if since >= until {
            return Err(Fault::usage("the report would end before it begins")
                .hint("--since comes before --until, and before now"));
        }
        Ok(Self { since, until, zone })
    }

    fn holds(&self, at: Timestamp) -> bool {
        self.since <= at && at <= self.until
    }
}

fn end_of_span(text: &str, now: Timestamp, zone: &TimeZone, last: bool) -> Result<Timestamp, Fault> {
    let wrong = || {
        Fault::usage(format!("`{text}` is no date"))
            .hint("write a date such as 2026-01-31, a moment, or how long ago: 30d, 12w")
    };
    if let Some(seconds) = super::moment::duration(text) {
        return now.checked_sub(jiff::SignedDuration::from_secs(seconds)).map_err(|_| wrong());
    }
    if let Ok(at) = text.parse::<Timestamp>() {
        return Ok(at);
    }
    let date: jiff::civil::Date = text.parse().map_err(|_| wrong())?;
    let date = if last { date.tomorrow().map_err(|_| wrong())? } else { date };
    Ok(date.to_zoned(zone.clone()).map_err(|_| wrong())?.timestamp())
}

/// A report in the making.
pub struct Tally {
    name: ReportName,
    query: String,
    span: ReportSpan,
    clocks: Arc<Clocks>,
    issues: u64,
    about: About,
}

/// What is counted.
enum About {
    Volume(Volume),
    Backlog(Backlog),
    Times(Times),
    Hours(Box<[[i64; 24]; 7]>),
    Clocks(Kept),
    Groups(Groups),
    Ratings(Ratings),
}

impl Tally {
    /// Begins with nothing counted.
    pub fn new(asked: &AskedReport, span: ReportSpan, clocks: Arc<Clocks>) -> Self {
        let about = match asked.name {
            ReportName::Volume => About::Volume(Volume::new(&span)),
            ReportName::Backlog => About::Backlog(Backlog::default()),
            ReportName::Response | ReportName::Resolution => About::Times(Times::default()),
            ReportName::Hours => About::Hours(Box::default()),
            ReportName::Clocks => About::Clocks(Kept::default()),
            ReportName::Projects | ReportName::Labels | ReportName::Assignees => {
                About::Groups(Groups::default())
            }
            ReportName::Ratings => About::Ratings(Ratings::default()),
        };
        Self { name: asked.name, query: asked.query.clone(), span, clocks, issues: 0, about }
    }

    /// Counts an issue.
    pub fn add(&mut self, facts: &IssueFacts) {
        let always = WorkingHours::always();
        let hours = self.clocks.plans.get(&facts.project).map_or(&always, |plan| &*plan.hours);
        self.issues += 1;
        match &mut self.about {
            About::Volume(volume) => volume.add(facts),
            About::Backlog(backlog) => backlog.add(facts, &self.span),
            About::Times(times) if self.name == ReportName::Response => {
                times.add_answers(facts, hours, &self.span);
            }
            About::Times(times) => times.add_end(facts, hours, &self.span),
            About::Hours(week) => {
                for at in lives::incoming(facts).filter(|at| self.span.holds(*at)) {
                    let (day, hour) = hour_of_week(at, &self.span.zone);
                    let cell = week.get_mut(day).and_then(|day| day.get_mut(hour));
                    cell.into_iter().for_each(|cell| *cell += 1);
                }
            }
            About::Ratings(ratings) => ratings.add(facts, &self.span),
            About::Clocks(kept) => kept.add(facts, &self.clocks, &self.span),
            About::Groups(groups) => {
                let unnamed = |name: &str| vec![format!("(no {name})")];
                let names = match self.name {
                    ReportName::Projects => vec![facts.project_path.text.to_string()],
                    ReportName::Labels if facts.labels.is_empty() => unnamed("label"),
                    ReportName::Labels => facts.labels.iter().map(|label| label.text.to_string()).collect(),
                    _ => facts
                        .assignee
                        .as_ref()
                        .map_or_else(|| unnamed("assignee"), |who| vec![who.text.to_string()]),
                };
                groups.add(names, facts, hours, &self.clocks, &self.span);
            }
        }
    }

    /// Gives the report.
    pub fn finish(self) -> Report {
        let (figures, columns, rows, picture) = match self.about {
            About::Volume(volume) => volume.finish(),
            About::Backlog(backlog) => backlog.finish(),
            About::Times(times) if self.name == ReportName::Response => {
                times.finish("first answer", "later answers")
            }
            About::Times(times) => times.finish("in working time", "by the calendar"),
            About::Hours(week) => heat(&week),
            About::Clocks(kept) => kept.finish(),
            About::Groups(groups) => groups.finish(),
            About::Ratings(ratings) => ratings.finish(),
        };
        Report {
            name: self.name,
            title: self.name.title().to_owned(),
            query: self.query,
            since: self.span.since,
            until: self.span.until,
            time_zone: self.span.zone.iana_name().unwrap_or("local").to_owned(),
            issues: self.issues,
            figures,
            columns,
            rows,
            picture,
        }
    }
}

/// What a report consists of.
type Parts = (Vec<Figure>, Vec<Column>, Vec<ReportRow>, Picture);

fn column(name: &str, unit: Unit) -> Column {
    Column { name: name.to_owned(), unit }
}

fn figure(name: &str, unit: Unit, value: Option<i64>) -> Figure {
    Figure { name: name.to_owned(), unit, value }
}

fn heat(week: &[[i64; 24]; 7]) -> Parts {
    const DAYS: [&str; 7] = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"];
    let cells = |day: &[i64; 24]| day.iter().map(|count| Some(*count)).collect();
    let rows =
        DAYS.iter().zip(week).map(|(label, day)| ReportRow { label: (*label).to_owned(), cells: cells(day) });
    let columns = (0..24).map(|hour| column(&format!("{hour:02}"), Unit::Count)).collect();
    let total: i64 = week.iter().flatten().sum();
    let figures = vec![figure("mails", Unit::Count, Some(total))];
    (figures, columns, rows.collect(), Picture::Heat)
}

/// Says a number with its unit: `12`, `3h 20m`, `93 %`.
pub fn in_words(value: Option<i64>, unit: Unit) -> String {
    let Some(value) = value else { return "-".to_owned() };
    match unit {
        Unit::Count => value.to_string(),
        Unit::Percent => format!("{value} %"),
        Unit::Seconds if value < 60 => format!("{value}s"),
        Unit::Seconds => {
            let (hours, minutes) = (value / 3600, value % 3600 / 60);
            match (hours, minutes) {
                (0, minutes) => format!("{minutes}m"),
                (hours, minutes) if hours < 10 && minutes > 0 => format!("{hours}h {minutes:02}m"),
                (hours, _) => format!("{hours}h"),
            }
        }
    }
}
