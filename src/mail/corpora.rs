//! A check against peers' test mails, where their folder is given in `DESKBELL_CORPORA`.

use super::*;
use crate::domain::EmailAddress;
use serde_json::Value;
use std::collections::BTreeMap;
use std::path::Path;

/// What one kind of statement came to: right, of how many, and which were not.
#[derive(Default)]
struct Score {
    right: usize,
    of: usize,
    misses: Vec<String>,
}

/// Scores by corpus and kind of statement.
#[derive(Default)]
struct Scores(BTreeMap<(String, &'static str), Score>);

impl Scores {
    fn add(&mut self, set: &str, kind: &'static str, right: bool, miss: impl FnOnce() -> String) {
        let score = self.0.entry((set.to_owned(), kind)).or_default();
        score.of += 1;
        if right { score.right += 1 } else { score.misses.push(miss()) }
    }

    fn print(&self) {
        let wanted = std::env::var("DESKBELL_CORPORA_SHOW").unwrap_or_default();
        for ((set, kind), score) in &self.0 {
            println!("{set:14} {kind:12} {:4} of {:4}", score.right, score.of);
            for miss in score.misses.iter().filter(|_| {
                !wanted.is_empty() && (format!("{set}/{kind}").contains(&wanted) || wanted == "all")
            }) {
                println!("    {miss}");
            }
        }
    }
}

fn own() -> Own<'static> {
    Own { is_ours: &|_| false, our_message_id: &|_| false, own_lists: &[], trusted_authserv_ids: &[] }
}

/// Gives the mail of a line, with texts and pages wrapped into one.
fn mail(folder: &Path, line: &Value) -> Option<Vec<u8>> {
    let bytes = std::fs::read(folder.join(line["file"].as_str()?)).ok()?;
    let wrap = |kind: &str| {
        let head = format!(
            "From: a@x.example\r\nIn-Reply-To: <a@x>\r\nMIME-Version: 1.0\r\nContent-Type: {kind}; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n\r\n"
        );
        [head.into_bytes(), bytes.clone()].concat()
    };
    match line["input"].as_str()? {
        "mail" => Some(bytes),
        "body" => Some(wrap("text/plain")),
        "html" => Some(wrap("text/html")),
        _ => None,
    }
}

fn solid(text: &str) -> String {
    text.chars().filter(|c| !c.is_whitespace()).collect()
}

fn trimmed(text: &str) -> String {
    text.trim().lines().map(str::trim_end).collect::<Vec<_>>().join("\n")
}

fn strings(value: &Value) -> Vec<String> {
    match value {
        Value::String(one) => vec![one.clone()],
        Value::Array(list) => list.iter().filter_map(|v| v.as_str().map(str::to_owned)).collect(),
        _ => Vec::new(),
    }
}

fn check_text(scores: &mut Scores, set: &str, line: &Value, message: &Message) {
    let file = line["file"].as_str().unwrap_or_default();
    let seen = visible(message, Reading::Answer);
    if let Some(wanted) = line["expect_reply"].as_str() {
        let nospace = line["reply_compare"].as_str() == Some("nospace");
        let right =
            if nospace { solid(&seen.body) == solid(wanted) } else { trimmed(&seen.body) == trimmed(wanted) };
        let close = solid(&seen.body) == solid(wanted);
        scores.add(set, "reply", right, || {
            format!("{file} (words alike: {close})\n--- wanted\n{wanted}\n--- seen\n{}\n---", seen.body)
        });
    }
    if let Some(start) = line["reply_starts"].as_str() {
        scores.add(set, "starts", seen.body.trim_start().starts_with(start), || {
            format!("{file}: {start:?} / {:?}", seen.body.chars().take(200).collect::<String>())
        });
    }
    for has in strings(&line["reply_has"]) {
        scores.add(set, "has", seen.body.contains(&has), || format!("{file}: {has:?}\n{}", seen.body));
    }
    for lacks in strings(&line["reply_lacks"]) {
        scores.add(set, "lacks", !seen.body.contains(&lacks), || format!("{file}: {lacks:?}\n{}", seen.body));
    }
}

fn check_fields(scores: &mut Scores, set: &str, line: &Value, message: &Message) {
    let file = line["file"].as_str().unwrap_or_default();
    if let Some(subject) = line["subject"].as_str() {
        scores.add(set, "subject", sanitize_line(subject) == message.subject, || {
            format!("{file}: {subject:?} / {:?}", message.subject)
        });
    }
    if let Some(from) = line["from_email"].as_str() {
        let seen = message
            .from
            .as_ref()
            .map(|m| m.email.as_str().to_owned())
            .or(message.from_text.clone())
            .unwrap_or_default();
        scores.add(set, "from", seen.eq_ignore_ascii_case(from), || format!("{file}: {from:?} / {seen:?}"));
    }
    if let Some(name) = line["from_name"].as_str() {
        let seen = message.from.as_ref().and_then(|m| m.name.clone()).unwrap_or_default();
        scores.add(set, "name", seen == sanitize_line(name), || format!("{file}: {name:?} / {seen:?}"));
    }
    if let Some(id) = line["message_id"].as_str() {
        let seen = message.message_id.as_ref().map(|id| id.as_str().to_owned()).unwrap_or_default();
        scores.add(set, "message-id", seen == id, || format!("{file}: {id:?} / {seen:?}"));
    }
    if let Some(count) = line["attachment_count"].as_u64() {
        let names: Vec<_> =
            message.attachments.iter().map(|a| format!("{} {}", a.name, a.media_type)).collect();
        scores.add(set, "files", message.attachments.len() as u64 == count, || {
            format!("{file}: {count} / {names:?}")
        });
    }
}

fn check_bodies(scores: &mut Scores, set: &str, folder: &Path, line: &Value, message: &Message) {
    let Some(wanted) = line["text_file"].as_str().and_then(|file| std::fs::read(folder.join(file)).ok())
    else {
        return;
    };
    let (wanted, seen) =
        (solid(&charset::decode(&wanted, None)), solid(&visible(message, Reading::Opening).body));
    let start = |text: &str| text.chars().take(80).collect::<String>();
    scores.add(set, "text", seen.contains(&wanted), || {
        format!("{}: {:?} / {:?}", line["file"], start(&wanted), start(&seen))
    });
}

fn check_files(scores: &mut Scores, set: &str, line: &Value, raw: &[u8], message: &Message) {
    let file = line["file"].as_str().unwrap_or_default();
    for wanted in line["attachments"].as_array().into_iter().flatten() {
        let found = message.attachments.iter().find(|a| {
            wanted["name"].as_str().is_none_or(|name| safe_file_name(name) == a.name)
                && wanted["size"].as_u64().is_none_or(|size| size == a.size)
                && wanted["type"].as_str().is_none_or(|t| t.eq_ignore_ascii_case(&a.media_type))
        });
        scores.add(set, "file", found.is_some(), || {
            format!(
                "{file}: {wanted} / {:?}",
                message.attachments.iter().map(|a| (&a.name, a.size, &a.media_type)).collect::<Vec<_>>()
            )
        });
        let bytes = found.and_then(|a| part(raw, a.part?, &a.within));
        scores.add(
            set,
            "file-size",
            found.is_none() || bytes.map(|b| b.len() as u64) == found.map(|a| a.size),
            || file.to_owned(),
        );
    }
}

fn check_verdict(scores: &mut Scores, set: &str, line: &Value, raw: &[u8], message: &Message) {
    let file = line["file"].as_str().unwrap_or_default();
    let said = verdict(raw, message, &own());
    if line["is_complaint"] == true {
        scores
            .add(set, "complaint", said.class == MailClass::Complaint, || format!("{file}: {}", said.reason));
        return;
    }
    if line["is_auto"] == true && line["is_bounce"] != true {
        scores.add(set, "automatic", !said.may_answer && said.class != MailClass::Person, || {
            format!("{file}: {}", said.reason)
        });
    }
    let by_person =
        !matches!(set, "sisimai" | "flufl-bounce") && line["is_auto"].is_null() && line["error"].is_null();
    if by_person {
        scores.add(set, "person", said.class == MailClass::Person, || format!("{file}: {}", said.reason));
    }
    let MailClass::Bounce(bounce) = &said.class else {
        if line["is_bounce"] == true {
            scores.add(set, "bounce", false, || {
                format!("{file}: {:?} {}\n{}", said.class, said.reason, message.subject)
            });
        }
        return;
    };
    if line["is_bounce"] != true {
        scores.add(set, "no bounce", false, || format!("{file}: {}", said.reason));
        return;
    }
    scores.add(set, "bounce", true, String::new);
    scores.add(set, "recipients", !bounce.recipients.is_empty(), || format!("{file}: nobody"));
    let mut wanted: Vec<EmailAddress> =
        strings(&line["addresses"]).iter().filter_map(|a| EmailAddress::parse(a)).collect();
    wanted.extend(
        line["bounces"]
            .as_array()
            .into_iter()
            .flatten()
            .filter_map(|b| EmailAddress::parse(b["recipient"].as_str()?)),
    );
    if !wanted.is_empty() {
        let mut seen: Vec<EmailAddress> = bounce.recipients.iter().map(|r| r.address.clone()).collect();
        wanted.sort();
        wanted.dedup();
        seen.sort();
        seen.dedup();
        scores.add(set, "who", wanted == seen, || format!("{file}: {wanted:?} / {seen:?}"));
    }
    if let Some(temporary) = line["temporary"].as_bool() {
        let seen = bounce.recipients.iter().all(|r| r.delayed);
        scores.add(set, "delayed", seen == temporary, || {
            format!("{file}: {temporary} / {:?}", bounce.recipients)
        });
    }
    let statuses = line["bounces"].as_array().into_iter().flatten().filter_map(|b| b["status"].as_str());
    for (status, recipient) in statuses.zip(&bounce.recipients) {
        scores.add(set, "permanent", status.starts_with('5') == recipient.permanent, || {
            format!("{file}: {status} / {recipient:?}")
        });
        let real = status.split('.').nth(2).is_some_and(|detail| detail.len() < 3);
        if real {
            scores.add(set, "status", recipient.status.as_deref() == Some(status), || {
                format!("{file}: {status} / {:?}", recipient.status)
            });
        }
    }
}

#[test]
fn peers_mails_read_as_their_writers_say() {
    let Some(folder) = std::env::var_os("DESKBELL_CORPORA") else {
        println!("DESKBELL_CORPORA is not given: peers' mails were not looked at");
        return;
    };
    let folder = Path::new(&folder);
    let mut scores = Scores::default();
    let mut slowest = (std::time::Duration::ZERO, String::new());
    for set in std::fs::read_dir(folder.join("expect")).unwrap().map(|entry| entry.unwrap().path()) {
        let name = set.file_stem().unwrap().to_string_lossy().into_owned();
        for line in std::fs::read_to_string(&set).unwrap().lines() {
            let line: Value = serde_json::from_str(line).unwrap();
            let Some(raw) = mail(folder, &line).filter(|_| line["options"].is_null()) else { continue };
            let before = std::time::Instant::now();
            let message = match read(&raw) {
                Ok(message) => message,
                Err(e) => {
                    scores.add(&name, "read", false, || format!("{}: {e}", line["file"]));
                    continue;
                }
            };
            check_text(&mut scores, &name, &line, &message);
            check_fields(&mut scores, &name, &line, &message);
            check_bodies(&mut scores, &name, folder, &line, &message);
            check_files(&mut scores, &name, &line, &raw, &message);
            check_verdict(&mut scores, &name, &line, &raw, &message);
            slowest = slowest.max((before.elapsed(), line["file"].to_string()));
        }
    }
    scores.print();
    println!("slowest: {slowest:?}");
    assert!(slowest.0.as_secs() < 2);
}
