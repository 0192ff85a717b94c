//! The mails of the canned desk: outbox, intake, lists of senders.

use super::desk::{ago, email};
use crate::domain::*;

pub fn outbox_rows() -> Vec<OutboxView> {
    let base = OutboxView {
        id: OutboxId(1),
        reference: Some("acme/support#128".into()),
        kind: MailKind::NewNote,
        to: email("ada@example.com"),
        subject: "Re: Cannot log in since the update".into(),
        state: OutboxState::Failed,
        attempts: 3,
        next_attempt_at: None,
        error: Some("550 5.1.1 no such user here".into()),
        message_id: MessageId::parse("o1@desk.example.com").unwrap(),
        created_at: ago(4),
        sent_at: None,
        held_until: None,
        outlet: None,
    };
    let held = OutboxView {
        id: OutboxId(2),
        state: OutboxState::Held,
        attempts: 0,
        error: None,
        kind: MailKind::ThankYou,
        to: email("jm@example.de"),
        ..base.clone()
    };
    let queued =
        OutboxView { id: OutboxId(3), state: OutboxState::Sending, attempts: 0, error: None, ..held.clone() };
    vec![base, held, queued]
}

pub fn intake_rows() -> Vec<IntakeView> {
    let base = IntakeView {
        id: IntakeId(5),
        mailbox: Some("support".into()),
        path: None,
        index: None,
        received_at: ago(3),
        message_id: MessageId::parse("m5@example.com"),
        from: Some("Ada Lovelace <ada@example.com>".into()),
        to: vec!["contact+acme-support-1-issue-@example.com".into()],
        subject: Some("Cannot log in".into()),
        size: 12_345,
        fate: Fate::Issue,
        reference: Some("acme/support#128".into()),
        note: None,
        reason: "a new issue: it answers nothing we know".into(),
        silent: false,
        opinions: Vec::new(),
        purged: false,
    };
    let lost = IntakeView {
        id: IntakeId(6),
        fate: Fate::Unroutable,
        reference: None,
        subject: None,
        from: Some("x\u{202e}y@example.com".into()),
        reason:
            "its address names no project that exists here: the key `acme-sales-7-issue-` belongs to none"
                .into(),
        ..base.clone()
    };
    let broken = IntakeView {
        id: IntakeId(7),
        fate: Fate::Quarantined,
        reference: None,
        subject: Some("FREE\x1b[31m PILLS".into()),
        reason: "its HTML could not be read; the mail is kept".into(),
        ..base.clone()
    };
    vec![lost, broken, base]
}

pub fn spam_mail() -> IntakeView {
    let opinion = |by, finding, words: &str| Opinion { by, finding, words: words.into() };
    IntakeView {
        id: IntakeId(9),
        fate: Fate::Spam,
        reference: None,
        from: Some("Win <win@lottery.example>".into()),
        subject: Some("You won".into()),
        reason: "it is spam: Rspamd says spam: score 16.5 of 15".into(),
        opinions: vec![
            opinion(Judge::Local, Finding::Unsure, "52 % spam"),
            opinion(Judge::Rspamd, Finding::Spam, "score 16.5 of 15"),
            opinion(Judge::Akismet, Finding::Unavailable, "no answer in time"),
        ],
        ..intake_rows().remove(0)
    }
}

pub fn senders() -> Vec<SenderView> {
    let line = |pattern: &str, rule, project: Option<&str>, reference: Option<&str>| SenderView {
        project: project.map(str::to_owned),
        pattern: pattern.into(),
        rule,
        by: "alice".into(),
        at: ago(30),
        reference: reference.map(str::to_owned),
    };
    vec![
        line("win@lottery.example", SenderRule::Block, Some("acme/support"), Some("acme/support#12")),
        line("*.example.net", SenderRule::Quarantine, Some("acme/support"), None),
        line("ada@example.com", SenderRule::Allow, None, None),
    ]
}
