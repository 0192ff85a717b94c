//! What changed in an issue, field by field, and the way back.

use crate::domain::moment::work_in_words;
use crate::domain::{Change, Fault, Issue};
use serde::Serialize;
use serde_json::Value;
use std::any::Any;

/// A field of an issue, whatever its type.
trait Field: Any {
    fn value(&self) -> Value;
    fn is(&self, other: &dyn Field) -> bool;
}

impl<T: Any + PartialEq + Serialize> Field for T {
    fn value(&self) -> Value {
        serde_json::to_value(self).unwrap_or_default()
    }
    fn is(&self, other: &dyn Field) -> bool {
        (other as &dyn Any).downcast_ref::<T>() == Some(self)
    }
}

/// The name of a field, and where it stands.
type Tracked = (&'static str, fn(&Issue) -> &dyn Field);

/// The fields of an issue that history lists and undo restores, by their names in its document; the rest follows from
/// them.
const TRACKED: [Tracked; 29] = [
    ("title", |issue| &issue.title),
    ("state", |issue| &issue.state),
    ("status", |issue| &issue.status),
    ("kind", |issue| &issue.kind),
    ("confidential", |issue| &issue.confidential),
    ("labels", |issue| &issue.labels),
    ("assignee", |issue| &issue.assignee),
    ("priority", |issue| &issue.priority),
    ("closed_at", |issue| &issue.closed_at),
    ("due_at", |issue| &issue.due_at),
    ("waiting_on", |issue| &issue.waiting_on),
    ("waiting_since", |issue| &issue.waiting_since),
    ("snoozed_until", |issue| &issue.snoozed_until),
    ("idle_warned_at", |issue| &issue.idle_warned_at),
    ("spam", |issue| &issue.spam),
    ("spam_since", |issue| &issue.spam_since),
    ("participants", |issue| &issue.participants),
    ("links", |issue| &issue.links),
    ("milestone", |issue| &issue.milestone),
    ("weight", |issue| &issue.weight),
    ("estimate", |issue| &issue.estimate),
    ("spent", |issue| &issue.spent),
    ("merged_into", |issue| &issue.merged_into),
    ("split_from", |issue| &issue.split_from),
    ("split_into", |issue| &issue.split_into),
    ("reopened_at", |issue| &issue.reopened_at),
    ("rating", |issue| &issue.rating),
    ("project", |issue| &issue.project),
    ("iid", |issue| &issue.iid),
];

/// Lists the fields in which two versions of an issue differ.
pub fn differences(before: &Issue, after: &Issue) -> Vec<Change> {
    let differs = TRACKED.iter().filter(|(_, field)| !field(before).is(field(after)));
    let change = |(name, field): &Tracked| Change {
        issue: after.id,
        field: (*name).to_owned(),
        before: field(before).value(),
        after: field(after).value(),
        rule: None,
    };
    differs.map(change).collect()
}

/// Gives the value that a field has now.
pub fn value_of(issue: &Issue, name: &str) -> Value {
    let tracked = TRACKED.iter().find(|(tracked, _)| *tracked == name);
    tracked.map_or(Value::Null, |(_, field)| field(issue).value())
}

/// Gives the issue with some fields set.
pub fn with_fields(issue: &Issue, values: Vec<(&str, &Value)>) -> Result<Issue, Fault> {
    let restored = serde_json::to_value(issue).and_then(|mut document| {
        if let Some(fields) = document.as_object_mut() {
            fields.extend(values.iter().map(|(name, value)| ((*name).to_owned(), (*value).clone())));
        }
        serde_json::from_value(document)
    });
    let names = || values.iter().map(|(name, _)| *name).collect::<Vec<_>>().join(", ");
    restored.map_err(|e| Fault::internal(format!("{} cannot be restored: {e}", names())))
}

/// Says what changed, in words for the small notes of the thread; `None` when nothing worth a word did.
pub fn sentence(changes: &[Change]) -> Option<String> {
    // Who opens or closes it sets the status with it.
    let turned = changes.iter().any(|change| change.field == "state");
    let told = |change: &&Change| change.field != "status" || !turned;
    let parts: Vec<String> = changes.iter().filter(told).filter_map(phrase).collect();
    (!parts.is_empty()).then(|| parts.join(", "))
}

fn phrase(change: &Change) -> Option<String> {
    let text = |value: &Value| value.as_str().map(str::to_owned);
    let after = text(&change.after);
    Some(match (change.field.as_str(), after) {
        ("state", Some(state)) if state == "closed" => "closed this".to_owned(),
        ("state", _) => "reopened this".to_owned(),
        ("status", Some(status)) => format!("set the status to {status}"),
        ("title", Some(title)) => format!("changed the title to “{title}”"),
        ("assignee", Some(user)) => format!("assigned it to {user}"),
        ("assignee", None) => "took the assignee away".to_owned(),
        ("priority", Some(priority)) => format!("set the priority to {priority}"),
        ("priority", None) => "took the priority away".to_owned(),
        ("confidential", _) => match change.after.as_bool() {
            Some(true) => "made it confidential".to_owned(),
            _ => "made it visible to all".to_owned(),
        },
        ("spam", _) => match change.after.as_bool() {
            Some(true) => "marked it as spam".to_owned(),
            _ => "said it is not spam".to_owned(),
        },
        ("snoozed_until", Some(until)) => format!("snoozed it until {until}"),
        ("snoozed_until", None) => "woke it".to_owned(),
        ("due_at", Some(due)) => format!("set the due date to {due}"),
        ("due_at", None) => "took the due date away".to_owned(),
        ("milestone", Some(name)) => format!("set the milestone to {name}"),
        ("milestone", None) => "took the milestone away".to_owned(),
        ("weight", _) if change.after.is_null() => "took the weight away".to_owned(),
        ("weight", _) => format!("set the weight to {}", change.after),
        ("estimate", _) => match change.after.as_i64() {
            Some(seconds) => format!("estimated {}", work_in_words(seconds)),
            None => "took the estimate away".to_owned(),
        },
        ("spent", _) => {
            let spent = change.after.as_i64().unwrap_or(0) - change.before.as_i64().unwrap_or(0);
            let verb = if spent < 0 { "took back" } else { "spent" };
            format!("{verb} {} of work", work_in_words(spent.abs()))
        }
        ("labels", _) => labels_phrase(change)?,
        ("participants", _) => people_phrase(change)?,
        _ => return None,
    })
}

fn labels_phrase(change: &Change) -> Option<String> {
    let (added, gone) = both_ways(&change.before, &change.after, |v| v.as_str().map(str::to_owned));
    join_phrases("added the label", &added, "removed the label", &gone)
}

fn people_phrase(change: &Change) -> Option<String> {
    let subscribed = |v: &Value| {
        let on = v.get("subscribed").and_then(Value::as_bool).unwrap_or(false);
        v.get("email").and_then(Value::as_str).filter(|_| on).map(str::to_owned)
    };
    let (added, gone) = both_ways(&change.before, &change.after, subscribed);
    join_phrases("will mail", &added, "will no longer mail", &gone)
}

fn both_ways(
    before: &Value,
    after: &Value,
    name: impl Fn(&Value) -> Option<String>,
) -> (Vec<String>, Vec<String>) {
    let names = |value: &Value| -> Vec<String> {
        value.as_array().map(|list| list.iter().filter_map(&name).collect()).unwrap_or_default()
    };
    let (old, new) = (names(before), names(after));
    let added = new.iter().filter(|n| !old.contains(n)).cloned().collect();
    let gone = old.iter().filter(|n| !new.contains(n)).cloned().collect();
    (added, gone)
}

fn join_phrases(plus: &str, added: &[String], minus: &str, gone: &[String]) -> Option<String> {
    let part =
        |words: &str, names: &[String]| (!names.is_empty()).then(|| format!("{words} {}", names.join(", ")));
    let parts: Vec<String> = [part(plus, added), part(minus, gone)].into_iter().flatten().collect();
    (!parts.is_empty()).then(|| parts.join(" and "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tracked_field_has_the_name_and_the_value_of_the_document() {
        let issue = crate::domain::query::tests::issue();
        let Ok(Value::Object(document)) = serde_json::to_value(&issue) else { panic!("no object") };
        for (name, field) in TRACKED {
            assert_eq!(document.get(name), Some(&field(&issue).value()), "{name}");
        }
    }
}
