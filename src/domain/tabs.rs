//! Views: queries that are looked at again and again, each with a name, a number and a count.
//!
//! Some come with the program; people keep others for themselves, for a project or for the desk.

use super::{Fault, Keeper, KeptFor, Query, moment};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// The views that come with the program: name, and query.
pub const DEFAULT_VIEWS: [(&str, &str); 5] = [
    ("Mine", "is:open assignee:me -is:snoozed"),
    (WAITING_VIEW, "is:open waiting:us -is:snoozed sort:waiting"),
    ("All open", "is:open"),
    ("Snoozed", "is:open is:snoozed"),
    ("Spam", "is:spam"),
];
/// The view that the list begins with.
pub const WAITING_VIEW: &str = "Waiting on us";
/// Characters of a name.
const NAME: usize = 40;
/// So many columns may stand beside number and title.
const COLUMNS: usize = 8;

/// A column of the list beside number and title.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Column {
    Project,
    Labels,
    From,
    Who,
    Waits,
    Clock,
    Status,
    Priority,
    Milestone,
    Weight,
    Notes,
    Created,
    Updated,
    Due,
}

/// Every column with its name.
pub const COLUMN_NAMES: [(&str, Column); 14] = [
    ("project", Column::Project),
    ("labels", Column::Labels),
    ("from", Column::From),
    ("who", Column::Who),
    ("waits", Column::Waits),
    ("clock", Column::Clock),
    ("status", Column::Status),
    ("priority", Column::Priority),
    ("milestone", Column::Milestone),
    ("weight", Column::Weight),
    ("notes", Column::Notes),
    ("created", Column::Created),
    ("updated", Column::Updated),
    ("due", Column::Due),
];

impl Column {
    /// Gives its name.
    pub fn name(self) -> &'static str {
        COLUMN_NAMES.iter().find(|(_, column)| *column == self).map_or("", |(name, _)| name)
    }
}

/// What a view shows.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ViewAbout {
    pub name: String,
    /// In the query language; its `sort:` orders the list.
    pub query: String,
    /// Columns beside number and title; none stands for the usual ones.
    #[serde(default)]
    pub columns: Vec<Column>,
    /// From how many seconds of waiting on us on the view says that somebody waits too long.
    #[serde(default)]
    pub limit: Option<i64>,
}

/// A view that somebody keeps.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SavedView {
    pub keeper: Keeper,
    pub about: ViewAbout,
}

/// Where a view comes from.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ViewFrom {
    /// It comes with the program.
    Program,
    Kept(KeptFor),
}

/// Which view is meant.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct ViewId {
    pub from: ViewFrom,
    pub name: String,
}

/// How somebody has ordered the views.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tabs {
    pub user: String,
    /// Those that stand here come first, in this order.
    pub order: Vec<ViewId>,
    /// Those of the program that are not wanted.
    pub hidden: Vec<String>,
}

/// What a verb did to views: what stood before it and after it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ViewChange {
    View { before: Option<SavedView>, after: Option<SavedView> },
    Tabs { before: Option<Tabs>, after: Option<Tabs> },
}

/// A view as front ends see it, with what it finds now.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct View {
    pub from: ViewFrom,
    #[serde(flatten)]
    pub about: ViewAbout,
    /// How many issues it finds; none where the query is wrong.
    pub count: Option<u64>,
    /// How many of them are unread.
    pub unread: Option<u64>,
    /// Since when the one waits on us that waits longest, where the view has a limit.
    pub oldest: Option<Timestamp>,
}

impl View {
    /// Says which one it is.
    pub fn id(&self) -> ViewId {
        ViewId { from: self.from.clone(), name: self.about.name.clone() }
    }

    /// Tells whether something in it waits longer than its limit.
    pub fn is_late(&self, now: Timestamp) -> bool {
        let waits = self.oldest.map(|since| now.as_second() - since.as_second());
        self.about.limit.is_some_and(|limit| waits.is_some_and(|waits| waits > limit))
    }

    /// Says whose it is, in a word.
    pub fn whose(&self) -> &str {
        match &self.from {
            ViewFrom::Program => "built in",
            ViewFrom::Kept(kept) => kept.word(),
        }
    }
}

/// Gives the views of the program, without counts.
pub fn default_views() -> Vec<View> {
    let view = |(name, query): (&str, &str)| View {
        from: ViewFrom::Program,
        about: ViewAbout { name: name.to_owned(), query: query.to_owned(), columns: Vec::new(), limit: None },
        count: None,
        unread: None,
        oldest: None,
    };
    DEFAULT_VIEWS.map(view).to_vec()
}

/// Puts views into the order in which they get their numbers: as somebody ordered them, then those of the
/// program, the desk's, the projects', one's own, by name. One of the program gives way to another of its name.
pub fn ordered_views(mut views: Vec<View>, tabs: Option<&Tabs>) -> Vec<View> {
    let replaced = |name: &str, all: &[View]| {
        all.iter().any(|view| view.from != ViewFrom::Program && view.about.name == name)
    };
    let all = views.clone();
    views.retain(|view| {
        let hidden = tabs.is_some_and(|tabs| tabs.hidden.contains(&view.about.name));
        view.from != ViewFrom::Program || !(hidden || replaced(&view.about.name, &all))
    });
    let default = |view: &View| DEFAULT_VIEWS.iter().position(|(name, _)| *name == view.about.name);
    let placed = |view: &View| {
        let tabs = tabs?;
        let place = |id: &ViewId| tabs.order.iter().position(|other| other == id);
        let former = || ViewId { from: ViewFrom::Program, name: view.about.name.clone() };
        place(&view.id()).or_else(|| place(&former()))
    };
    let rank = |view: &View| match &view.from {
        ViewFrom::Kept(KeptFor::Desk) => 1,
        ViewFrom::Kept(KeptFor::Project(_)) => 2,
        ViewFrom::Kept(KeptFor::Mine) => 3,
        ViewFrom::Program => 0,
    };
    let last = usize::MAX;
    views.sort_by_cached_key(|view| {
        let place = placed(view).unwrap_or(last);
        (place, default(view).unwrap_or(last), rank(view), view.id())
    });
    views
}

/// Takes settings over: `name`, `query`, `sort`, `columns` with commas between, `limit` such as 4h or `none`.
///
/// Fails with what is wrong with the first that is wrong.
pub fn changed_view(mut about: ViewAbout, settings: &[(String, String)]) -> Result<ViewAbout, Fault> {
    for (key, value) in settings {
        match key.as_str() {
            "name" => about.name = value.trim().to_owned(),
            "query" => about.query = value.trim().to_owned(),
            "sort" => about.query = Query::parse(&about.query)?.ordered_by(value)?.to_string(),
            "columns" => about.columns = columns(value)?,
            "limit" => about.limit = limit(value)?,
            other => {
                return Err(Fault::usage(format!("a view has no `{other}`"))
                    .hint("it has name, query, sort, columns and limit"));
            }
        }
    }
    let length = about.name.chars().count();
    if length == 0 || length > NAME || about.name.chars().any(char::is_control) {
        return Err(Fault::usage(format!("the name of a view has 1 to {NAME} characters in one line")));
    }
    Query::parse(&about.query)?;
    Ok(about)
}

fn columns(text: &str) -> Result<Vec<Column>, Fault> {
    let words = text.split([',', ' ']).filter(|word| !word.is_empty());
    let mut found = Vec::new();
    for word in words.filter(|word| *word != "usual") {
        let known = COLUMN_NAMES.iter().find(|(name, _)| name.eq_ignore_ascii_case(word));
        let Some((_, column)) = known else {
            let names = COLUMN_NAMES.map(|(name, _)| name).join(", ");
            return Err(Fault::usage(format!("the list has no column `{word}`"))
                .hint(format!("it has {names}; `usual` stands for the usual ones")));
        };
        if !found.contains(column) {
            found.push(*column);
        }
    }
    if found.len() > COLUMNS {
        return Err(Fault::usage(format!("at most {COLUMNS} columns stand beside number and title")));
    }
    Ok(found)
}

fn limit(text: &str) -> Result<Option<i64>, Fault> {
    match text.trim() {
        "" | "none" => Ok(None),
        text => moment::duration(text).map(Some).ok_or_else(|| {
            Fault::usage(format!("`{text}` is no length of time")).hint("write 30m, 4h, 2d, or none")
        }),
    }
}

/// Says a length of time as it is typed: `4h`.
pub fn limit_in_words(limit: Option<i64>) -> String {
    match limit {
        None => "none".to_owned(),
        Some(seconds) => [(604_800, 'w'), (86_400, 'd'), (3600, 'h'), (60, 'm'), (1, 's')]
            .into_iter()
            .find(|(unit, _)| seconds % unit == 0)
            .map_or(String::new(), |(unit, sign)| format!("{}{sign}", seconds / unit)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kept(kept: KeptFor, name: &str) -> View {
        let mut view = default_views().remove(0);
        view.from = ViewFrom::Kept(kept);
        view.about.name = name.to_owned();
        view
    }

    fn names(views: &[View]) -> Vec<&str> {
        views.iter().map(|view| view.about.name.as_str()).collect()
    }

    #[test]
    fn views_stand_as_ordered_and_one_of_the_program_gives_way_in_its_place() {
        let mut all = default_views();
        all.extend([kept(KeptFor::Mine, "b"), kept(KeptFor::Desk, "c"), kept(KeptFor::Mine, "All open")]);
        let usual = ordered_views(all.clone(), None);
        assert_eq!(names(&usual), ["Mine", "Waiting on us", "All open", "Snoozed", "Spam", "c", "b"]);
        assert_eq!(usual[2].from, ViewFrom::Kept(KeptFor::Mine));
        let id = |from, name: &str| ViewId { from, name: name.to_owned() };
        let tabs = Tabs {
            user: "alice".into(),
            order: vec![id(ViewFrom::Kept(KeptFor::Desk), "c"), id(ViewFrom::Program, "All open")],
            hidden: vec!["Spam".into()],
        };
        let own = ordered_views(all, Some(&tabs));
        assert_eq!(names(&own), ["c", "All open", "Mine", "Waiting on us", "Snoozed", "b"]);
    }

    #[test]
    fn settings_are_read_or_refused() {
        let about = default_views().remove(2).about;
        let set = |key: &str, value: &str| changed_view(about.clone(), &[(key.to_owned(), value.to_owned())]);
        assert_eq!(set("limit", "4h").unwrap().limit, Some(14_400));
        assert_eq!(set("columns", "who, Due").unwrap().columns, [Column::Who, Column::Due]);
        assert_eq!(set("sort", "priority").unwrap().query, "is:open sort:priority-desc");
        for (key, value) in [
            ("limit", "soon"),
            ("columns", "size"),
            ("sort", "luck"),
            ("query", "is:odd"),
            ("name", " "),
            ("x", ""),
        ] {
            assert!(set(key, value).is_err(), "{key} {value}");
        }
    }

    #[test]
    fn a_view_is_late_when_somebody_waits_longer_than_its_limit() {
        let now: Timestamp = "2026-11-23T12:00:00Z".parse().unwrap();
        let mut view = kept(KeptFor::Mine, "a");
        view.oldest = Some("2026-11-23T09:00:00Z".parse().unwrap());
        assert!(!view.is_late(now), "it has no limit");
        view.about.limit = Some(3 * 3600);
        assert!(!view.is_late(now));
        view.about.limit = Some(3 * 3600 - 1);
        assert!(view.is_late(now));
    }
}
