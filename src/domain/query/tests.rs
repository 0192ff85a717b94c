use super::*;
use crate::domain::{Author, EmailAddress, Issue, IssueId, IssueKind, Note, NoteId, NoteKind, ProjectId};
use crate::domain::{
    Link, LinkKind, Participant, ParticipantRole, Party, Priority, Rated, Rating, Rights, Role, Standing,
    State, Status,
};
use jiff::Timestamp;
use proptest::prelude::*;

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn viewer() -> Viewer {
    Viewer { user: "alice".to_owned(), now: at("2026-03-10T12:00:00Z"), rights: Rights::All }
}

fn address(text: &str) -> EmailAddress {
    EmailAddress::parse(text).unwrap()
}

pub(crate) fn issue() -> Issue {
    let requester = Participant {
        name: Some("Ada Lovelace".to_owned()),
        email: address("Ada@Example.com"),
        subscribed: true,
        role: ParticipantRole::Requester,
        address_state: Default::default(),
    };
    let cc = Participant {
        name: None,
        email: address("zoë@example.org"),
        role: ParticipantRole::Cc,
        ..requester.clone()
    };
    Issue {
        id: IssueId(7),
        turns: Vec::new(),
        clock_told: None,
        project: ProjectId(1),
        iid: 12,
        kind: IssueKind::Ticket,
        title: "Drucker: Papierstau im Büro".to_owned(),
        state: State::Open,
        status: Status::Pending,
        author: Author::outside(requester.name.clone(), requester.email.clone()),
        confidential: true,
        labels: ["Bug".to_owned(), "from mail".to_owned()].into(),
        assignee: Some("alice".to_owned()),
        priority: Some(Priority::High),
        created_at: at("2026-03-01T08:00:00Z"),
        updated_at: at("2026-03-09T12:00:00Z"),
        closed_at: None,
        due_at: Some(at("2026-03-12T12:00:00Z")),
        waiting_on: Some(Party::Us),
        waiting_since: Some(at("2026-03-09T12:00:00Z")),
        snoozed_until: Some(at("2026-03-11T00:00:00Z")),
        spam: false,
        spam_since: None,
        purged: false,
        idle_warned_at: Some(at("2026-03-09T12:00:00Z")),
        status_since: None,
        consulted: Vec::new(),
        stood: vec![Standing { project: ProjectId(7), iid: 4 }],
        participants: vec![requester, cc],
        links: vec![Link { kind: LinkKind::RelatesTo, issue: IssueId(9) }],
        mailbox: None,
        arrived_to: None,
        notes: 3,
        last_note: Some(NoteId(3)),
        merged_into: None,
        was_open: false,
        split_from: Some(IssueId(3)),
        split_into: Vec::new(),
        reopened_at: Some(at("2026-03-09T12:00:00Z")),
        rating: Some(Rated {
            rating: Rating::Good,
            email: address("ada@example.com"),
            at: at("2026-03-09T12:00:00Z"),
        }),
        brought: Vec::new(),
        milestone: Some("1.0 Beta".to_owned()),
        weight: Some(5),
        estimate: Some(7200),
        spent: 3600,
    }
}

/// An issue about which nothing is known.
fn bare() -> Issue {
    Issue {
        kind: IssueKind::Issue,
        state: State::Closed,
        status: Status::Closed,
        confidential: false,
        labels: Default::default(),
        assignee: None,
        priority: None,
        due_at: None,
        waiting_on: None,
        snoozed_until: None,
        participants: Vec::new(),
        links: Vec::new(),
        stood: Vec::new(),
        split_from: None,
        rating: None,
        idle_warned_at: None,
        milestone: None,
        weight: None,
        estimate: None,
        spent: 0,
        author: Author { user: Some("bob".to_owned()), ..Author::default() },
        ..issue()
    }
}

fn note(id: u64, user: &str) -> Note {
    Note {
        id: NoteId(id),
        issue: IssueId(7),
        kind: NoteKind::Internal,
        author: Author { user: Some(user.to_owned()), ..Author::default() },
        body: String::new(),
        folded: None,
        html: false,
        reduced: false,
        created_at: at("2026-03-01T08:00:00Z"),
        message_id: None,
        in_reply_to: None,
        automatic: false,
        auth: None,
        why: None,
        warnings: Vec::new(),
        attachments: Vec::new(),
        raw: None,
        cc: Vec::new(),
        read: false,
        seal: None,
        came_from: Vec::new(),
        aside: None,
        by_rule: None,
    }
}

fn facts(issue: &Issue) -> IssueFacts {
    IssueFacts::new(issue, "Acme/Support", &mut Names::default())
}

fn found(query: &str, facts: &IssueFacts) -> bool {
    Query::parse(query).unwrap().matches(facts, &viewer(), None)
}

#[test]
fn every_field_finds_what_it_should_and_nothing_else() {
    let (full, bare) = (facts(&issue()), facts(&bare()));
    for (query, in_full, in_bare) in [
        ("", true, true),
        ("is:open", true, false),
        ("is:closed", false, true),
        ("-is:closed", true, false),
        ("is:open,closed", true, true),
        ("-is:open,closed", false, false),
        ("is:confidential", true, false),
        ("is:mine", true, false),
        ("is:snoozed", true, false),
        ("is:overdue", false, false),
        ("snoozed:any", true, false),
        ("snoozed:none", false, true),
        ("snoozed:<30d", true, false),
        ("snoozed:>2099-01-01", false, false),
        ("weight:5", true, false),
        ("weight:>=5", true, false),
        ("weight:<5", false, false),
        ("weight:none", false, true),
        ("estimate:2h", true, false),
        ("estimate:>1h,none", true, true),
        ("estimate:any", true, false),
        ("spent:<=1h", true, false),
        ("spent:\">1h 30m\"", false, false),
        ("spent:none", false, true),
        ("is:moved", true, false),
        ("is:linked", true, false),
        ("is:split", true, false),
        ("rating:good", true, false),
        ("rating:so-so,bad", false, false),
        ("rating:any", true, false),
        ("rating:none", false, true),
        ("is:reopened", true, false),
        ("is:warned", true, false),
        ("is:unread", false, false),
        ("type:ticket", true, false),
        ("type:issue", false, true),
        ("status:pending", true, false),
        ("status:solved,closed", false, true),
        ("priority:high,urgent", true, false),
        ("priority:none", false, true),
        ("priority:any", true, false),
        ("waiting:us", true, false),
        ("waiting:them", false, false),
        ("waiting:none", false, true),
        ("project:acme/support", true, true),
        ("project:acme", true, true),
        ("project:support", true, true),
        ("project:acm", false, false),
        ("project:acme/support/more", false, false),
        ("from:ada", true, false),
        ("from:\"ada love\"", true, false),
        ("from:ADA@example.com", true, false),
        ("from:@example.com", true, false),
        ("from:bob", false, true),
        ("participant:zoe@", true, false),
        ("participant:none", false, true),
        ("participant:any", true, false),
        ("assignee:alice", true, false),
        ("assignee:me", true, false),
        ("assignee:ali", false, false),
        ("assignee:none", false, true),
        ("-assignee:any", false, true),
        ("assignee:bob,me", true, false),
        ("label:bug", true, false),
        ("label:\"from mail\"", true, false),
        ("label:x,BUG", true, false),
        ("label:bu", false, false),
        ("label:none", false, true),
        ("label:\"none\"", false, false),
        ("milestone:\"1.0 beta\"", true, false),
        ("milestone:any", true, false),
        ("title:buro", true, true),
        ("title:bur", false, false),
        ("title:\"papierstau im\"", true, true),
        ("title:\"im papierstau\"", false, false),
        ("-title:scanner", true, true),
        ("created:2026-03-01", true, true),
        ("created:>2026-03-01", false, false),
        ("updated:<7d", true, true),
        ("updated:>7d", false, false),
        ("updated:yesterday", true, true),
        ("due:<3d", true, false),
        ("due:<1d", false, false),
        ("due:none", false, true),
        ("due:any", true, false),
        ("has:attachment", false, false),
        ("has:trouble", false, false),
        ("#12", true, true),
        ("#13", false, false),
        ("#11,#12", true, true),
        ("acme/support#12", true, true),
        ("acme/other#12", false, false),
        ("-#12", false, false),
        ("Is:Open TYPE:Ticket", true, false),
        ("is:open type:issue", false, false),
        ("words count as found", true, true),
        ("sort:title-asc", true, true),
    ] {
        assert_eq!(found(query, &full), in_full, "{query} in the full one");
        assert_eq!(found(query, &bare), in_bare, "{query} in the bare one");
    }
}

#[test]
fn spam_and_merged_issues_appear_only_when_asked_for() {
    let spam = facts(&Issue { spam: true, ..issue() });
    let merged = facts(&Issue { merged_into: Some(IssueId(1)), ..issue() });
    let both = facts(&Issue { spam: true, merged_into: Some(IssueId(1)), ..issue() });
    for (query, in_spam, in_merged, in_both) in [
        ("", false, false, false),
        ("is:open", false, false, false),
        ("is:spam", true, false, false),
        ("-is:spam", false, false, false),
        ("is:merged", false, true, false),
        ("is:spam is:merged", false, false, true),
        ("is:spam,merged", true, true, true),
        ("#12", true, true, true),
        ("#13", false, false, false),
    ] {
        let all = [&spam, &merged, &both].map(|facts| found(query, facts));
        assert_eq!(all, [in_spam, in_merged, in_both], "{query}");
    }
}

#[test]
fn notes_of_others_are_unread_until_seen() {
    let mut names = Names::default();
    let mut facts = facts(&issue());
    for (id, user) in [(3, "bob"), (1, "support-bot"), (2, "alice")] {
        facts.add_note(&note(id, user), &mut names);
    }
    facts.add_note(&Note { kind: NoteKind::System, ..note(9, "support-bot") }, &mut names);
    for (seen, unread) in [(None, 2), (Some(0), 2), (Some(1), 1), (Some(2), 1), (Some(3), 0)] {
        let seen = seen.map(NoteId);
        assert_eq!(facts.unread("alice", seen), unread, "{seen:?}");
        let query = Query::parse("is:unread").unwrap();
        assert_eq!(query.matches(&facts, &viewer(), seen), unread > 0);
    }
    assert!(found("participant:me", &facts) && found("participant:bob", &facts));
    assert!(!found("participant:carol", &facts));
}

#[test]
fn a_viewer_sees_only_their_projects() {
    let facts = facts(&issue());
    let with = |projects: &[u64]| Viewer {
        rights: Rights::Of(projects.iter().map(|id| (ProjectId(*id), Role::Reporter)).collect()),
        ..viewer()
    };
    let query = Query::parse("#12").unwrap();
    assert!(query.matches(&facts, &with(&[1, 2]), None));
    assert!(!query.matches(&facts, &with(&[2]), None));
    assert!(!query.matches(&facts, &with(&[]), None));
}

#[test]
fn a_wrong_query_is_refused_with_the_place_and_what_was_expected() {
    let mut report = String::new();
    for query in [
        "is:opn",
        "is:",
        "is:open,",
        "is:open,,closed",
        "foo is:opened",
        "stat:open",
        "Re: hello",
        "type:tikket",
        "status:x",
        "priority:hi",
        "waiting:me",
        "has:files",
        "created:soon",
        "due:3",
        "project:",
        "assignee:",
        "label:\"\"",
        "from: ada",
        "title:",
        "sort:date",
        "sort:updated-down",
        "-sort:title",
        "sort:title sort:from",
        "- foo",
        "\"open quote",
        "ä \"b\"c",
        "label:\"a\"b",
        "is:none",
    ] {
        let fault = Query::check(query).unwrap_err();
        assert!(query.is_char_boundary(fault.at));
        report += &format!("{query}\n{}^ {fault}\n", " ".repeat(fault.column - 1));
        report += &fault.hint.map_or(String::new(), |hint| format!("  hint: {hint}\n"));
    }
    insta::assert_snapshot!("faults", report);
}

#[test]
fn a_fault_for_front_ends_carries_the_place() {
    let fault = Query::parse("ä is:opn").unwrap_err();
    assert!(fault.message.starts_with("the query is wrong at column 6: expected `open`, `closed`"));
    assert_eq!(fault.hint.as_deref(), Some("did you mean `open`?"));
    assert_eq!(Query::check("ä is:opn").unwrap_err().at, 6);
}

#[test]
fn an_order_goes_the_way_it_is_mostly_wanted() {
    for (query, printed) in [
        ("", "updated-desc"),
        ("sort:updated-asc", "updated-asc"),
        ("sort:created", "created-desc"),
        ("sort:title", "title-asc"),
        ("sort:from-desc", "from-desc"),
        ("sort:waiting", "waiting-desc"),
        ("sort:priority", "priority-desc"),
        ("sort:due", "due-asc"),
        ("sort:Due-DESC", "due-desc"),
    ] {
        assert_eq!(Query::parse(query).unwrap().sort().to_string(), printed);
    }
}

#[test]
fn a_star_lets_the_last_word_go_on() {
    for (query, grows) in [
        ("pri*", true),
        ("-pri*", true),
        ("body:pri*", true),
        ("ada@exa*", true),
        ("printer", false),
        ("\"pri*\"", false),
        ("pri* is:open", true),
        ("*", true),
    ] {
        let query = Query::parse(query).unwrap();
        let grown = query.words().any(|(_, term)| term.any.iter().any(|words| words.is_prefix()));
        assert_eq!(grown, grows, "{query}");
    }
}

#[test]
fn the_last_word_may_go_on_while_somebody_types_it() {
    for (text, typed) in [
        ("paper pri", "paper pri*"),
        ("-pri", "-pri*"),
        ("is:open ärg", "is:open ärg*"),
        ("paper ", "paper "),
        ("", ""),
        ("is:ope", "is:ope"),
        ("is:open", "is:open"),
        ("label:bug", "label:bug"),
        ("title:a,dru", "title:a,dru*"),
        ("\"paper", "\"paper"),
        ("\"paper\"", "\"paper\""),
        ("pri*", "pri*"),
        ("title sort:title", "title sort:title"),
        ("#12", "#12"),
    ] {
        assert_eq!(Query::typing(text), typed);
    }
}

fn term() -> impl Strategy<Value = String> {
    let value = prop_oneof![
        "[a-zäß日0-9@.-]{1,8}",
        "\"[a-z ,:\\\\]{0,6}[a-z]\"",
        Just("\"a\\\"b\\\\c\"".to_owned()),
        Just("none".to_owned()),
        Just("any".to_owned()),
        Just("me".to_owned()),
    ];
    let field =
        prop::sample::select(vec!["from", "participant", "assignee", "label", "milestone", "title", "body"]);
    let named = (field, prop::collection::vec(value, 1..3)).prop_map(|(f, v)| format!("{f}:{}", v.join(",")));
    let term = prop_oneof![
        named,
        "[a-zäß日0-9@.\"][a-zäß日0-9@.\"-]{0,8}[*]?".prop_filter("no phrase", |word| !word.starts_with('"')),
        "\"[a-zA-Z日 :]{0,8}\"",
        "#[1-9][0-9]{0,3}",
        prop::sample::select(vec![
            "is:open",
            "is:spam,merged",
            "due:<3d",
            "created:2026-01..2026-02",
            "has:attachment"
        ])
        .prop_map(str::to_owned),
    ];
    (any::<bool>(), term).prop_map(|(no, term)| format!("{}{term}", if no { "-" } else { "" }))
}

proptest! {
    #[test]
    fn a_printed_query_is_the_same_query(
        mut terms in prop::collection::vec(term(), 0..6),
        sort in prop::option::of("sort:(title|due)(-asc|-desc)?"),
    ) {
        terms.extend(sort);
        let query = Query::parse(&terms.join(" ")).unwrap();
        prop_assert_eq!(Query::parse(&query.to_string()).unwrap(), query);
    }

    #[test]
    fn no_text_makes_the_parser_panic(text in "\\PC{0,40}|[a-z:\"\\\\,#<> -]{0,40}|(is|due|sort|created):\\PC{0,20}") {
        match Query::check(&text) {
            Ok(query) => drop(query.matches(&facts(&issue()), &viewer(), None)),
            Err(fault) => prop_assert!(fault.at <= text.len() && text.is_char_boundary(fault.at)),
        }
    }
}
