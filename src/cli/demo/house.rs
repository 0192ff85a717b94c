//! What stands at Brightwater before the week begins: projects, staff, labels, a milestone, canned replies, a rule.

use super::play::ask;
use super::week::STAFF;
use super::{BILLING, PROJECT};
use crate::desk::{Caller, Desk};
use crate::domain::{CategoryKind, EmailAddress, Fault, KeptFor, Request, Role, SenderScope};
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

/// Labels with their colours.
const LABELS: [(&str, &str, &str); 6] = [
    ("bug", "#d73a4a", "it does not work as it is written"),
    ("api", "#0075ca", "what other programs call"),
    ("pdf", "#8250df", "invoices as they are printed"),
    ("vat", "#bf8700", "rates and reports of taxes"),
    ("idea", "#2da44e", "what it could do one day"),
    ("privacy", "#bc4c00", "data of persons"),
];
/// The milestone towards which the week goes.
pub(super) const MILESTONE: &str = "4.3";
/// Canned replies: their names, keywords and texts.
const CANNED: [(&str, &str, &str); 2] = [
    (
        "looking",
        "thanks, received",
        "Hello %{REQUESTER_FIRST_NAME},\n\nthank you for writing. We are looking into it and tell you as soon as we \
         know more.\n\n%{MY_NAME}",
    ),
    (
        "shipped",
        "fixed, release",
        "Hello %{REQUESTER_FIRST_NAME},\n\nthis is mended in the version of today. Please tell us if you still see \
         it.\n\n%{MY_NAME}\n/status solved",
    ),
];

fn pairs(list: &[(&str, &str)]) -> Vec<(String, String)> {
    list.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect()
}

/// Furnishes the desk for `me`, who looks on `now`.
pub(super) async fn furnish(desk: &Desk, me: &Caller, now: Timestamp) -> Result<(), Fault> {
    for request in projects(me).into_iter().chain(staff()).chain(words(now)) {
        ask(desk, me, request).await?;
    }
    Ok(())
}

fn projects(me: &Caller) -> Vec<Request> {
    let settings = pairs(&[
        ("display_name", "Brightwater Support"),
        ("signature", "Brightwater Support"),
        ("hours", "mon-fri 08:00-18:00"),
    ]);
    let own = format!("{}@brightwater.example", me.user);
    vec![
        Request::AddProject { path: PROJECT.to_owned() },
        Request::AddProject { path: BILLING.to_owned() },
        Request::SetProject { path: PROJECT.to_owned(), settings },
        Request::SetProject {
            path: BILLING.to_owned(),
            settings: pairs(&[("display_name", "Brightwater Billing")]),
        },
        Request::SetClock {
            scope: SenderScope::Project(PROJECT.to_owned()),
            name: None,
            settings: pairs(&[("name", "all"), ("first", "8h"), ("next", "2d"), ("resolve", "2w")]),
        },
        Request::SetUser { name: me.user.clone(), settings: pairs(&[("address+", &own)]) },
    ]
}

fn staff() -> Vec<Request> {
    let mut requests = Vec::new();
    for (name, full_name) in STAFF {
        requests.push(Request::AddUser {
            name: name.to_owned(),
            full_name: Some(full_name.to_owned()),
            emails: EmailAddress::parse(&format!("{name}@brightwater.example")).into_iter().collect(),
            system_user: None,
        });
        for project in [PROJECT, BILLING] {
            let (project, user) = (project.to_owned(), name.to_owned());
            requests.push(Request::SetMember { project, user, role: Role::Developer });
        }
    }
    requests
}

fn words(now: Timestamp) -> Vec<Request> {
    let category = |kind, settings: &[(&str, &str)]| Request::AddCategory {
        kind,
        project: PROJECT.to_owned(),
        settings: pairs(settings),
    };
    let label = |(name, colour, about): (&str, &str, &str)| {
        category(CategoryKind::Label, &[("name", name), ("colour", colour), ("description", about)])
    };
    let day = |days: i64| {
        let at = now.checked_add(SignedDuration::from_hours(24 * days)).unwrap_or(now);
        at.to_zoned(TimeZone::UTC).date().to_string()
    };
    let (start, due) = (day(-12), day(9));
    let milestone = [("title", MILESTONE), ("start", start.as_str()), ("due", due.as_str())];
    let canned = |(name, keywords, text): (&str, &str, &str)| Request::SaveCanned {
        scope: KeptFor::Project(PROJECT.to_owned()),
        name: name.to_owned(),
        settings: pairs(&[("text", text), ("keywords", keywords)]),
        new: true,
        attach: Vec::new(),
    };
    let rule = [("name", "API"), ("query", "title:api"), ("actions", "/label ~api\n/priority urgent")];
    let rule = Request::SetRule {
        scope: SenderScope::Project(PROJECT.to_owned()),
        name: None,
        settings: pairs(&rule),
    };
    let mut requests: Vec<Request> = LABELS.map(label).into();
    requests.push(category(CategoryKind::Milestone, &milestone));
    requests.extend(CANNED.map(canned));
    requests.push(rule);
    requests
}
