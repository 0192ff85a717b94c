//! A desk of canned issues that answers as the real one would.

use super::now;
use crate::domain::*;
use jiff::{SignedDuration, Timestamp};
use std::collections::BTreeMap;

pub struct FakeDesk {
    pub now: Timestamp,
    pub issues: Vec<IssueView>,
    pub drafts: BTreeMap<(Option<u64>, DraftKind), Draft>,
    pub projects: Vec<ProjectView>,
    pub mailboxes: Vec<Channel>,
    pub outbox: Vec<OutboxView>,
    pub intake: Vec<IntakeView>,
    pub counts: OutboxCounts,
    pub triage: u64,
    pub undo_window: i64,
    pub spam: SpamStatus,
    pub senders: Vec<SenderView>,
    /// Refuses to tell who belongs to a project.
    pub shy: bool,
    pub about: BTreeMap<String, About>,
    pub similar: Vec<SimilarIssue>,
    pub present: Vec<Present>,
    /// Why every change of issues is refused.
    pub refuses: Option<String>,
    pub views: Vec<View>,
    /// The bytes of attachments, by name.
    pub files: BTreeMap<String, Vec<u8>>,
    /// Whether it gives none of them.
    pub refuses_files: bool,
    /// An issue that was merged into another: their numbers.
    pub merged: Option<(u64, u64)>,
    /// Whether histories are gone.
    pub gone: bool,
    /// The issues that the next undo is about.
    pub undone: Vec<IssueId>,
    pub verbs: Vec<Verb>,
    next_note: u64,
}

pub fn ago(hours: i64) -> Timestamp {
    now() - SignedDuration::from_hours(hours)
}

pub fn email(text: &str) -> EmailAddress {
    EmailAddress::parse(text).unwrap()
}

pub fn ada() -> Author {
    Author::outside(Some("Ada Lovelace".into()), email("ada@example.com"))
}

pub fn sam() -> Author {
    Author { name: Some("Sam Fox".into()), email: None, user: Some("sam".into()) }
}

pub fn row(iid: u64, title: &str, author: Author, hours: i64) -> IssueRow {
    IssueRow {
        id: IssueId(1000 + iid),
        reference: format!("acme/support#{iid}"),
        project: "acme/support".into(),
        iid,
        kind: IssueKind::Ticket,
        title: title.into(),
        state: State::Open,
        status: Status::Open,
        author,
        confidential: true,
        labels: Vec::new(),
        assignee: None,
        priority: None,
        note_count: 1,
        unread: 0,
        created_at: ago(hours + 5),
        updated_at: ago(hours),
        closed_at: None,
        due_at: None,
        waiting_on: Some(Party::Us),
        waiting_since: Some(ago(hours)),
        snoozed_until: None,
        spam: false,
        milestone: None,
        weight: None,
        merged_into: None,
        has_attachment: false,
        trouble: None,
        clock: None,
        vip: false,
    }
}

pub fn note(id: u64, kind: NoteKind, author: Author, hours: i64, body: &str) -> NoteView {
    NoteView {
        id: NoteId(id),
        kind,
        author,
        body: body.into(),
        folded: None,
        html: false,
        reduced: false,
        created_at: ago(hours),
        message_id: None,
        in_reply_to: None,
        automatic: false,
        auth: None,
        why: None,
        warnings: Vec::new(),
        attachments: Vec::new(),
        delivery: Vec::new(),
        unread: false,
        has_raw: kind == NoteKind::Incoming,
        seal: None,
        aside: None,
    }
}

pub fn view(row: IssueRow, notes: Vec<NoteView>) -> IssueView {
    let participants = row.author.email.iter().map(|email| ParticipantView {
        name: row.author.name.clone(),
        email: email.clone(),
        subscribed: true,
        role: ParticipantRole::Requester,
        address_state: AddressState::Ok,
    });
    IssueView {
        participants: participants.collect(),
        row,
        links: Vec::new(),
        notes,
        max_size: Some(25_000_000),
        sender_name: "Acme Support".into(),
        default_note: DefaultNote::Reply,
        signature: None,
        address: None,
        estimate: None,
        spent: 0,
        moved_from: vec![],
        split_from: None,
        split_into: vec![],
        reopened_at: None,
        idle_warned_at: None,
        rating: None,
        rated_at: None,
    }
}

fn delivery(state: OutboxState, hours: i64) -> Delivery {
    Delivery {
        to: email("ada@example.com"),
        state,
        error: None,
        message_id: MessageId::parse("n1@desk.example.com").unwrap(),
        outbox: OutboxId(1),
        at: Some(ago(hours)),
        held_until: None,
    }
}

fn login_issue() -> IssueView {
    let mut r = row(128, "Cannot log in since the update", ada(), 2);
    r.labels = vec!["bug".into()];
    r.assignee = Some("alice".into());
    r.unread = 1;
    r.note_count = 4;
    let mut first = note(
        1,
        NoteKind::Incoming,
        ada(),
        26,
        "Hello,\n\nsince Monday's update I get \"invalid token\" on every login. A screenshot is attached. It happens with both of these:\n\n- Firefox 140 on Debian\n- the mobile app, after *every* restart\n\nThe log says `ERR_TOKEN_STALE`, see https://status.example.com/incidents/42.",
    );
    first.attachments = vec![
        AttachmentView {
            name: "login.png".into(),
            media_type: "image/png".into(),
            size: 84_211,
            inline: false,
        },
        AttachmentView {
            name: "server.log".into(),
            media_type: "text/plain".into(),
            size: 2_540,
            inline: false,
        },
    ];
    first.why = Some("new: no issue answers to its references".into());
    let mut reply = note(
        2,
        NoteKind::Reply,
        sam(),
        25,
        "Hello Ada,\n\nthank you. Could you **log out everywhere** once and try again?\n\n1. open *Settings*\n2. choose [Sessions](https://app.example.com/sessions)",
    );
    reply.delivery = vec![delivery(OutboxState::Sent, 25)];
    let internal = note(3, NoteKind::Internal, sam(), 24, "looks like #117 again, see the log there");
    let mut system = note(4, NoteKind::System, sam(), 24, "added the label bug");
    system.author = sam();
    let mut answer = note(5, NoteKind::Incoming, ada(), 2, "I did, and it is the same.\n\nAda");
    answer.folded = Some((1..15).map(|n| format!("> quoted line {n}")).collect::<Vec<_>>().join("\n"));
    answer.unread = true;
    answer.warnings = vec!["its answers go to ada@other.example, which is not its sender".into()];
    view(r, vec![first, reply, internal, system, answer])
}

impl FakeDesk {
    pub fn empty() -> Self {
        Self {
            now: now(),
            issues: Vec::new(),
            drafts: BTreeMap::new(),
            projects: Vec::new(),
            mailboxes: Vec::new(),
            outbox: Vec::new(),
            intake: Vec::new(),
            counts: OutboxCounts::default(),
            triage: 0,
            undo_window: 10,
            spam: SpamStatus { local: true, ..SpamStatus::default() },
            senders: Vec::new(),
            shy: false,
            about: BTreeMap::new(),
            similar: Vec::new(),
            present: Vec::new(),
            refuses: None,
            views: default_views(),
            files: BTreeMap::new(),
            refuses_files: false,
            merged: None,
            gone: false,
            undone: Vec::new(),
            verbs: Vec::new(),
            next_note: 100,
        }
    }

    pub fn filled() -> Self {
        let mut desk = Self::empty();
        desk.issues.push(login_issue());
        let mut invoice = row(
            127,
            "Rechnung fehlt",
            Author::outside(Some("Jörg Müller".into()), email("jm@example.de")),
            3,
        );
        invoice.labels = vec!["billing".into()];
        invoice.priority = Some(Priority::Urgent);
        let mut export = row(
            121,
            "Export leaves out a column when the name holds 東京 or an emoji 👨‍👩‍👧",
            Author::outside(Some("Lin Wei 林伟".into()), email("lin@example.cn")),
            5,
        );
        export.assignee = Some("sam".into());
        export.unread = 3;
        let mut bounced = row(
            119,
            "Re: your invoice 2231",
            Author::outside(None, email("billing@verylongdomain.example.com")),
            30,
        );
        bounced.trouble = Some(OutboxState::Bounced);
        let mut them = row(
            117,
            "Token expires too early",
            Author::outside(Some("Grace Hopper".into()), email("grace@example.org")),
            200,
        );
        them.waiting_on = Some(Party::Them);
        them.assignee = Some("alice".into());
        for r in [invoice, export, bounced, them] {
            let n = note(r.iid, NoteKind::Incoming, r.author.clone(), 5, &format!("About: {}", r.title));
            desk.issues.push(view(r, vec![n]));
        }
        desk.projects.push(ProjectView {
            path: "acme/support".into(),
            id: ProjectId(1),
            enabled: true,
            addresses: vec![
                email("contact+acme-support-1-issue-@example.com"),
                email("contact+acme-support-desk@example.com"),
            ],
            further_addresses: Vec::new(),
            custom: None,
            settings: ProjectSettings {
                display_name: Some("Acme Support".into()),
                suffix: Some("desk".into()),
                ..ProjectSettings::default()
            },
        });
        desk.mailboxes.push(channel("support", ChannelState::Ok));
        desk
    }

    fn find(&mut self, reference: &Reference) -> Result<&mut IssueView, Fault> {
        let iid = self.merged.filter(|(from, _)| *from == reference.iid).map_or(reference.iid, |(_, to)| to);
        let found = self.issues.iter_mut().find(|i| i.row.iid == iid);
        found.ok_or_else(|| Fault::not_found(format!("there is no issue {reference}")))
    }

    pub fn matching(&self, query: &str) -> Result<Vec<IssueRow>, Fault> {
        let mut rows: Vec<IssueRow> = self.issues.iter().map(|i| i.row.clone()).collect();
        for word in query.split_whitespace() {
            rows.retain(|r| match word {
                "is:open" => r.state == State::Open && !r.spam,
                "is:spam" => r.spam,
                "is:snoozed" => r.snoozed_until.is_some(),
                "is:unread" => r.unread > 0,
                "waiting:us" => r.waiting_on == Some(Party::Us),
                "-is:snoozed" => r.snoozed_until.is_none(),
                "assignee:me" => r.assignee.as_deref() == Some("alice"),
                word if word.contains(':') => true,
                word => r.title.to_lowercase().contains(word.trim_end_matches('*')),
            });
        }
        Query::parse(query)?;
        Ok(rows)
    }

    fn undoable(&self) -> Option<Timestamp> {
        (self.undo_window > 0).then(|| self.now + SignedDuration::from_secs(self.undo_window))
    }

    fn add_note(&mut self, new: NewNote) -> Result<Response, Fault> {
        self.next_note += 1;
        let id = NoteId(self.next_note);
        let (now, held_until) = (self.now, self.undoable());
        let issue = self.find(&new.reference)?;
        let newer: Vec<NoteId> =
            issue.notes.iter().map(|n| n.id).filter(|n| new.seen.is_some_and(|seen| *n > seen)).collect();
        if !newer.is_empty() {
            return Err(Fault::new(FaultKind::Stale { newer }, "somebody wrote since"));
        }
        let kind = if new.internal { NoteKind::Internal } else { NoteKind::Reply };
        let alice = Author { name: Some("Alice".into()), email: None, user: Some("alice".into()) };
        let mut added = note(id.0, kind, alice, 0, &new.text);
        added.created_at = now;
        let held_until = held_until.filter(|_| !new.internal);
        if !new.internal {
            added.delivery = vec![Delivery { held_until, at: None, ..delivery(OutboxState::Held, 0) }];
            issue.row.waiting_on = Some(Party::Them);
        }
        issue.notes.push(added);
        if new.close {
            issue.row.state = State::Closed;
        }
        let kind = if new.internal { DraftKind::Internal } else { DraftKind::Reply };
        let view = issue.clone();
        self.drafts.remove(&(Some(new.reference.iid), kind));
        Ok(Response::Noted { issue: Box::new(view), note: id, outbox: vec![OutboxId(9)], held_until })
    }

    fn edit(&mut self, references: &[Reference], edits: &[Edit]) -> Result<Response, Fault> {
        let mut rows = Vec::new();
        for reference in references {
            let row = &mut self.find(reference)?.row;
            for edit in edits {
                match edit {
                    Edit::Close => row.state = State::Closed,
                    Edit::Reopen => row.state = State::Open,
                    Edit::Spam(spam) => row.spam = *spam,
                    Edit::Assign(who) => row.assignee = Some(who.replace("me", "alice")),
                    Edit::Unassign => row.assignee = None,
                    Edit::Label(label) => row.labels.push(label.clone()),
                    Edit::Unlabel(label) => row.labels.retain(|l| l != label),
                    Edit::Priority(priority) => row.priority = *priority,
                    Edit::Snooze(until) => row.snoozed_until = *until,
                    _ => {}
                }
            }
            rows.push(row.clone());
        }
        let label = match rows.as_slice() {
            [one] => format!("changed #{}", one.iid),
            many => format!("changed {} issues", many.len()),
        };
        Ok(Response::Edited { rows, label, failed: Vec::new(), held_until: None })
    }

    pub fn answer(&mut self, request: Request) -> Result<Response, Fault> {
        Ok(match request {
            Request::Whoami => Response::User(user("alice", "Alice Miller")),
            Request::About(_) | Request::SetAbout { .. } if self.shy => {
                return Err(Fault::new(FaultKind::NotAllowed, "no"));
            }
            Request::Attend(_) => Response::Done,
            Request::Similar(_) => Response::Similar(self.similar.clone()),
            Request::About(email) => {
                let kept = self.about.get(&email.key()).cloned();
                Response::About(Box::new(kept.unwrap_or_else(|| About::new(email)).view(|_| true)))
            }
            Request::SetAbout { email, edit } => {
                let about = self.about.entry(email.key()).or_insert_with(|| About::new(email));
                let (by, at) = ("alice".to_owned(), now());
                match edit {
                    AboutEdit::Vip(vip) => about.vip = vip.then_some(Marked { by, at }),
                    AboutEdit::Add(text) => {
                        about.last += 1;
                        about.notes.push(AboutNote {
                            id: about.last,
                            by,
                            at,
                            text,
                            edited: None,
                            projects: Vec::new(),
                        });
                    }
                    AboutEdit::Rewrite { note, text } => {
                        about.notes.iter_mut().find(|n| n.id == note).unwrap().text = text;
                    }
                    AboutEdit::Remove { note } => about.notes.retain(|n| n.id != note),
                }
                Response::About(Box::new(about.clone().view(|_| true)))
            }
            Request::Members(_) if self.shy => return Err(Fault::new(FaultKind::NotAllowed, "no")),
            Request::Users => Response::Users(vec![user("alice", "Alice Miller"), user("sam", "Sam Fox")]),
            Request::Labels => Response::Labels(vec![("bug".into(), 3), ("billing".into(), 1)]),
            Request::Projects => Response::Projects(self.projects.clone()),
            Request::Canned { .. } | Request::SaveCanned { .. } | Request::RemoveCanned { .. } => {
                Response::Canned(super::canned::known())
            }
            Request::FillCanned(asked) => Response::FilledCanned(super::canned::filled(&asked.name)),
            Request::Categories { kind: CategoryKind::Milestone, .. } => {
                Response::Categories(super::life::milestones())
            }
            Request::Report(asked) => Response::Figures(Box::new(super::reports::made(&asked))),
            Request::Status => Response::Status(Box::new(self.status())),
            Request::Views => Response::Views(self.counted_views()),
            Request::SaveView { .. }
            | Request::RemoveView(_)
            | Request::OrderView { .. }
            | Request::ShareView { .. } => self.change_views(request),
            Request::Issues(q) => {
                let all = self.matching(&q.query)?;
                let window = all.iter().skip(q.offset as usize).take(q.limit as usize).cloned();
                Response::Issues(IssuePage {
                    total: all.len() as u64,
                    offset: q.offset,
                    rows: window.collect(),
                    seq: Seq(1),
                })
            }
            Request::Issue(reference) => Response::Issue(Box::new(self.find(&reference)?.clone())),
            Request::History(_) if self.gone => return Err(Fault::not_found("it is gone")),
            Request::History(_) => Response::History(history()),
            Request::RawMail { .. } | Request::IntakeRaw(_) => Response::Bytes(
                b"From: Ada <ada@example.com>\r\nSubject: Hi\x1b[2J\r\n\r\nHello\r\n".to_vec(),
            ),
            Request::OriginalHtml { .. } => Response::Bytes(b"<p>Hi</p>".to_vec()),
            Request::Attachment { .. } if self.refuses_files => return Err(Fault::refused("not for you")),
            Request::Attachment { name, .. } => {
                Response::Bytes(self.files.get(&name).cloned().unwrap_or_else(|| b"PNG".to_vec()))
            }
            Request::Outbox { .. } | Request::OutboxAct { .. } => Response::Outbox(self.outbox.clone()),
            Request::Intake { fate, .. } => {
                let fits = |e: &&IntakeView| fate.is_none_or(|f| e.fate == f);
                Response::Intake(self.intake.iter().filter(fits).cloned().collect())
            }
            Request::Senders(_) | Request::SetSender { .. } | Request::RemoveSender { .. } => {
                Response::Senders(self.senders.clone())
            }
            Request::IntakeSender { rule, .. } => {
                let line = super::mails::senders().remove(0);
                Response::Senders(vec![SenderView { rule, ..line }])
            }
            Request::IntakeAct { .. } => Response::IntakeEntry(Box::new(self.intake[0].clone())),
            Request::Drafts => Response::Drafts(self.drafts.values().cloned().collect()),
            Request::Draft { reference, kind } => {
                Response::Draft(self.drafts.get(&(reference.map(|r| r.iid), kind)).cloned())
            }
            Request::SaveDraft(mut draft) => {
                let place = (draft.issue.map(|id| id.0 - 1000), draft.kind);
                let before = self.drafts.remove(&place);
                let joined = draft.goes_on_from(before.as_ref().map_or("", |before| &before.text));
                let kept = before.map(|before| before.kept).unwrap_or_default();
                let mut stored = Draft { kept, off: vec![], ..(*draft).clone() };
                draft.off.iter().for_each(|off| stored.take_off(*off));
                self.drafts.insert(place, stored.clone());
                if joined { Response::Draft(Some(stored)) } else { Response::Done }
            }
            Request::DraftFile { .. } if self.refuses.is_some() => {
                return Err(Fault::refused(self.refuses.clone().unwrap_or_default()));
            }
            Request::DraftFile { name, place, .. } => {
                Response::Bytes(format!("{name} at {}", place.unwrap_or_default()).into_bytes())
            }
            Request::DropDraft { reference, kind } => {
                self.drafts.remove(&(reference.map(|r| r.iid), kind));
                Response::Done
            }
            Request::AddNote(new) => self.add_note(new)?,
            Request::Edit { .. } if self.refuses.is_some() => {
                return Err(Fault::refused(self.refuses.clone().unwrap_or_default()));
            }
            Request::Edit { references, edits } => self.edit(&references, &edits)?,
            Request::Merge { references, into, dry_run: true } => Response::Plan(
                references
                    .iter()
                    .filter(|r| r.iid != into.iid)
                    .map(|r| {
                        format!(
                            "acme/support#{} “Slow export”: 3 notes and 1 participant go to #{}",
                            r.iid, into.iid
                        )
                    })
                    .collect(),
            ),
            Request::MarkRead { reference, read } => {
                let issue = self.find(&reference)?;
                issue.row.unread = u32::from(!read);
                issue.notes.iter_mut().for_each(|n| n.unread = false);
                Response::Done
            }
            Request::Verbs { .. } => Response::Verbs(self.verbs.clone()),
            Request::Undo => Response::Undone {
                label: "took back: reply to #128".into(),
                skipped: Vec::new(),
                draft: None,
                issues: self.undone.clone(),
            },
            Request::SetProject { settings, .. } => {
                let project = &mut self.projects[0];
                for (key, value) in settings {
                    project.settings = set_field(&project.settings, &key, &value)?;
                }
                Response::Project(Box::new(project.clone()))
            }
            Request::EnableProject { enabled, .. } => {
                self.projects[0].enabled = enabled;
                Response::Project(Box::new(self.projects[0].clone()))
            }
            other => super::parts::answer(&other)?,
        })
    }

    fn status(&self) -> DeskStatus {
        DeskStatus {
            version: "0.1.0".into(),
            pid: 1,
            while_used: true,
            serving: true,
            started_at: ago(1),
            data_dir: "/data".into(),
            mailboxes: self.mailboxes.clone(),
            outlets: Vec::new(),
            outbox: self.counts.clone(),
            triage: self.triage,
            quarantined: 0,
            free_space: None,
            notices: Vec::new(),
            stale: false,
            sign_ins: Vec::new(),
            present: self.present.clone(),
            spam: self.spam.clone(),
        }
    }
}

pub fn channel(name: &str, state: ChannelState) -> Channel {
    Channel {
        name: name.into(),
        method: "imap".into(),
        state,
        since: ago(0) - SignedDuration::from_mins(20),
        last_success: Some(ago(0) - SignedDuration::from_mins(4)),
        next_try: Some(ago(0) + SignedDuration::from_mins(10)),
        error: None,
        hint: None,
        progress: None,
        silent: 0,
    }
}

pub fn user(name: &str, full: &str) -> User {
    User {
        name: name.into(),
        full_name: Some(full.into()),
        emails: Vec::new(),
        system_user: None,
        owner: true,
        removed: false,
        notify: Notify::default(),
        unverified: Vec::new(),
    }
}

fn history() -> Vec<ChangeView> {
    let actor = |user: &str, via| Actor { user: user.into(), email: None, via };
    let change = |seq, hours, who: &str, field: &str, before: &str, after: &str| ChangeView {
        seq: Seq(seq),
        at: ago(hours),
        actor: actor(who, Via::Tui),
        field: field.into(),
        before: if before.is_empty() { serde_json::Value::Null } else { before.into() },
        after: after.into(),
        reason: None,
    };
    vec![change(7, 25, "sam", "assignee", "", "alice"), change(9, 24, "sam", "labels", "", "bug")]
}
