//! The comparison of what the desk made of a mail with what its peer states.

use super::intake::Made;
use super::lines::Line;
use super::score::Scores;
use deskbell::domain::{EmailAddress, Fate};
use deskbell::mail::{self, Bounce, MailClass, Message, Own, Reading, Verdict};
use std::collections::BTreeSet;

/// One mail: what the peer says, what the desk made of it, and what the mail layer says of it by itself.
pub struct Case<'a> {
    pub corpus: &'a str,
    pub line: &'a Line,
    pub made: Option<&'a Made>,
    pub message: Option<&'a Message>,
    pub verdict: Option<&'a Verdict>,
}

/// Tells what wrote a mail, to a desk that has sent nothing.
pub fn verdict(raw: &[u8], message: &Message) -> Verdict {
    let own =
        Own { is_ours: &|_| false, our_message_id: &|_| false, own_lists: &[], trusted_authserv_ids: &[] };
    mail::verdict(raw, message, &own)
}

fn solid(text: &str) -> String {
    text.chars().filter(|c| !c.is_whitespace()).collect()
}

fn trimmed(text: &str) -> String {
    text.trim().lines().map(str::trim_end).collect::<Vec<_>>().join("\n")
}

impl Case<'_> {
    fn add(&self, scores: &mut Scores, kind: &'static str, right: bool, detail: impl FnOnce() -> String) {
        scores.add(self.corpus, self.line.file(), kind, right, detail);
    }

    /// Gives what the desk shows and what it folds; for a mail without a note, what it would.
    fn texts(&self) -> (String, String) {
        if let Some(note) = self.made.and_then(|made| made.note.as_ref()).filter(|note| !note.automatic) {
            return (note.body.clone(), note.folded.clone().unwrap_or_default());
        }
        let how = if self.line.is_answer() { Reading::Answer } else { Reading::Opening };
        let seen = self.message.map(|message| mail::visible(message, how)).unwrap_or_default();
        (seen.body, seen.folded.unwrap_or_default())
    }

    /// Compares everything.
    pub fn check(&self, scores: &mut Scores) {
        self.add(scores, "fate", self.made.is_some_and(|made| !made.entry.reason.is_empty()), String::new);
        let readable = self.message.is_some() && self.made.is_some_and(|m| m.entry.fate != Fate::Quarantined);
        self.add(scores, "read", readable, || format!("{:?}", self.made.map(|made| &made.entry.reason)));
        self.check_reply(scores);
        self.check_opening(scores);
        self.check_nothing_lost(scores);
        self.check_fields(scores);
        self.check_files(scores);
        self.check_class(scores);
    }

    fn check_reply(&self, scores: &mut Scores) {
        let (body, _) = self.texts();
        let says = &self.line.says;
        if let Some(wanted) = says["expect_reply"].as_str() {
            let words = solid(&body) == solid(wanted);
            let right =
                if says["reply_compare"] == "nospace" { words } else { trimmed(&body) == trimmed(wanted) };
            self.add(scores, "reply", right, || {
                format!("words alike: {words}\n--- wanted\n{wanted}\n--- seen\n{body}\n---")
            });
        }
        for start in self.line.texts("reply_starts") {
            self.add(scores, "reply starts", body.trim_start().starts_with(start), || body.clone());
        }
        for has in self.line.texts("reply_has") {
            self.add(scores, "reply has", body.contains(has), || format!("{has:?}\n{body}"));
        }
        for lacks in self.line.texts("reply_lacks") {
            self.add(scores, "reply lacks", !body.contains(lacks), || format!("{lacks:?}\n{body}"));
        }
    }

    fn check_opening(&self, scores: &mut Scores) {
        let (body, folded) = self.texts();
        let all = solid(&format!("{body}{folded}"));
        for wanted in self
            .line
            .texts("description")
            .into_iter()
            .chain(self.line.texts("description_has"))
            .chain(self.line.text.as_deref())
        {
            self.add(scores, "opening", all.contains(&solid(wanted)), || {
                format!("{wanted}\n--- seen\n{body}")
            });
        }
    }

    /// Every line of the text stands in the body or in the fold of its note, and none of them twice.
    fn check_nothing_lost(&self, scores: &mut Scores) {
        let (Some(message), Some(note)) = (self.message, self.made.and_then(|made| made.note.as_ref()))
        else {
            return;
        };
        let whole = mail::visible(message, Reading::Opening);
        if whole.html || note.html {
            return;
        }
        let lines = |texts: &[&str]| {
            let mut lines: Vec<String> =
                texts.iter().flat_map(|text| text.lines()).map(|line| line.trim_end().to_owned()).collect();
            lines.retain(|line| !line.is_empty());
            lines.sort();
            lines
        };
        let kept = lines(&[&note.body, note.folded.as_deref().unwrap_or_default()]);
        self.add(scores, "nothing lost", kept == lines(&[&whole.body]), || {
            format!("{}\n===\n{}", note.body, note.folded.as_deref().unwrap_or_default())
        });
    }

    fn check_fields(&self, scores: &mut Scores) {
        let Some(made) = self.made else { return };
        let says = &self.line.says;
        if let Some(subject) = says["subject"].as_str() {
            let seen = made.entry.subject.as_deref().unwrap_or_default();
            self.add(scores, "subject", mail::sanitize_line(subject) == seen, || {
                format!("{subject:?} / {seen:?}")
            });
        }
        let Some(message) = self.message.filter(|_| says["input"] == "mail") else { return };
        if let Some(from) = says["from_email"].as_str() {
            let author = made.note.as_ref().and_then(|note| note.author.email.clone());
            let author = author.or_else(|| message.from.as_ref().map(|from| from.email.clone()));
            let seen = author.map_or_else(
                || made.entry.from.clone().unwrap_or_default(),
                |email| email.as_str().to_owned(),
            );
            self.add(scores, "sender", seen.eq_ignore_ascii_case(from), || format!("{from:?} / {seen:?}"));
        }
        if let Some(name) = says["from_name"].as_str() {
            let seen = match &made.note {
                Some(note) => note.author.name.clone(),
                None => message.from.as_ref().and_then(|from| from.name.clone()),
            }
            .unwrap_or_default();
            self.add(scores, "sender's name", seen == mail::sanitize_line(name), || {
                format!("{name:?} / {seen:?}")
            });
        }
        if let Some(id) = says["message_id"].as_str() {
            let seen = made.entry.message_id.as_ref().map(|id| id.as_str().to_owned()).unwrap_or_default();
            self.add(scores, "message-id", seen == id, || format!("{id:?} / {seen:?}"));
        }
    }

    fn check_files(&self, scores: &mut Scores) {
        let Some(message) = self.message else { return };
        let of_note = self.made.and_then(|made| made.note.as_ref());
        let files: Vec<(String, u64, String)> = match of_note {
            Some(note) => {
                note.attachments.iter().map(|a| (a.name.clone(), a.size, a.media_type.clone())).collect()
            }
            None => {
                message.attachments.iter().map(|a| (a.name.clone(), a.size, a.media_type.clone())).collect()
            }
        };
        let says = &self.line.says;
        if let Some(count) = says["attachment_count"].as_u64() {
            self.add(scores, "attachments", files.len() as u64 == count, || format!("{count} / {files:?}"));
        }
        for wanted in says["attachments"].as_array().into_iter().flatten() {
            let found = files.iter().any(|(name, size, kind)| {
                wanted["name"].as_str().is_none_or(|wanted| mail::safe_file_name(wanted) == *name)
                    && wanted["size"].as_u64().is_none_or(|wanted| wanted == *size)
                    && wanted["type"].as_str().is_none_or(|wanted| wanted.eq_ignore_ascii_case(kind))
            });
            self.add(scores, "attachment", found, || format!("{wanted} / {files:?}"));
        }
        for file in &message.attachments {
            let bytes = file.part.and_then(|part| mail::part(&self.line.raw, part, &file.within));
            let whole = bytes.is_some_and(|bytes| bytes.len() as u64 == file.size);
            self.add(scores, "attachment's bytes", whole, || file.name.clone());
        }
    }

    fn check_class(&self, scores: &mut Scores) {
        let (Some(made), Some(verdict)) = (self.made, self.verdict) else { return };
        let says = &self.line.says;
        let fate = made.entry.fate;
        let detail = || format!("{fate:?}: {}", made.entry.reason);
        if says["is_complaint"] == true {
            return self.add(
                scores,
                "complaint",
                !matches!(fate, Fate::Issue | Fate::Bounce) && verdict.class == MailClass::Complaint,
                detail,
            );
        }
        if says["is_bounce"] == true {
            // The same report twice has its effect once.
            let again = fate == Fate::Duplicate && matches!(verdict.class, MailClass::Bounce(_));
            self.add(scores, "bounce", fate == Fate::Bounce || again, detail);
            if let MailClass::Bounce(bounce) = &verdict.class {
                self.check_bounce(scores, bounce);
            }
            return;
        }
        if says["is_auto"] == true {
            self.add(scores, "automatic", fate == Fate::Automatic, detail);
        }
        if matches!(self.corpus, "sisimai" | "flufl-bounce") {
            return self.add(scores, "no bounce", fate != Fate::Bounce, detail);
        }
        self.add(scores, "person's, no bounce", fate != Fate::Bounce, detail);
        if says["is_auto"].is_null() && says["error"].is_null() {
            let person = matches!(fate, Fate::Issue | Fate::Note | Fate::Unroutable | Fate::Duplicate);
            self.add(scores, "person", person, detail);
        }
    }

    fn check_bounce(&self, scores: &mut Scores, bounce: &Bounce) {
        let says = &self.line.says;
        let stated = says["bounces"].as_array().into_iter().flatten();
        let people = stated
            .clone()
            .filter_map(|bounce| bounce["recipient"].as_str())
            .chain(self.line.texts("addresses"));
        let people: BTreeSet<EmailAddress> = people.filter_map(EmailAddress::parse).collect();
        let seen: BTreeSet<EmailAddress> = bounce.recipients.iter().map(|r| r.address.clone()).collect();
        if !people.is_empty() {
            self.add(scores, "recipients", people == seen, || format!("{people:?} / {seen:?}"));
        }
        if let Some(temporary) = says["temporary"].as_bool() {
            let delayed = bounce.recipients.iter().all(|recipient| recipient.delayed);
            self.add(scores, "delayed", temporary == delayed, || {
                format!("{temporary} / {:?}", bounce.recipients)
            });
        }
        for status in stated.filter_map(|bounce| bounce["status"].as_str()).zip(&bounce.recipients) {
            let (status, recipient) = status;
            self.add(scores, "permanent", status.starts_with('5') == recipient.permanent, || {
                format!("{status} / {recipient:?}")
            });
        }
    }
}
