//! What changed in an issue, field by field, and the way back.

use crate::domain::moment::work_in_words;
use crate::domain::{Change, Fault, Issue};
use serde_json::{Map, Value};

/// The fields of an issue that history lists and undo restores; the rest follows from them.
const TRACKED: [&str; 29] = [
    "title",
    "state",
    "status",
    "kind",
    "confidential",
    "labels",
    "assignee",
    "priority",
    "closed_at",
    "due_at",
    "waiting_on",
    "waiting_since",
    "snoozed_until",
    "idle_warned_at",
    "spam",
    "spam_since",
    "participants",
    "links",
    "milestone",
    "weight",
    "estimate",
    "spent",
    "merged_into",
    "split_from",
    "split_into",
    "reopened_at",
    "rating",
    "project",
    "iid",
];

/// Lists the fields in which two versions of an issue differ.
pub fn differences(before: &Issue, after: &Issue) -> Vec<Change> {
    // Most often only a note came to it.
    let noted = Issue {
        updated_at: after.updated_at,
        notes: after.notes,
        last_note: after.last_note,
        ..before.clone()
    };
    if noted == *after {
        return Vec::new();
    }
    let (old, new) = (fields(before), fields(after));
    let value = |map: &Map<String, Value>, field: &str| map.get(field).cloned().unwrap_or(Value::Null);
    TRACKED
        .iter()
        .map(|field| Change {
            issue: after.id,
            field: (*field).to_owned(),
            before: value(&old, field),
            after: value(&new, field),
            rule: None,
        })
        .filter(|change| change.before != change.after)
        .collect()
}

/// Gives the value that a field has now.
pub fn value_of(issue: &Issue, field: &str) -> Value {
    fields(issue).remove(field).unwrap_or(Value::Null)
}

/// Gives the issue with one field set.
pub fn with_field(issue: &Issue, field: &str, value: &Value) -> Result<Issue, Fault> {
    let mut map = fields(issue);
    map.insert(field.to_owned(), value.clone());
    serde_json::from_value(Value::Object(map))
        .map_err(|e| Fault::internal(format!("the field `{field}` cannot be restored: {e}")))
}

fn fields(issue: &Issue) -> Map<String, Value> {
    match serde_json::to_value(issue) {
        Ok(Value::Object(map)) => map,
        _ => Map::new(),
    }
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
