//! What keys and answers ask of the desk.

use super::Screen;
use super::desk::{FakeDesk, ada, note};
use crate::domain::*;
use crate::tui::input::{Effect, FromDesk, Input};
use crate::tui::setup::Options;

fn note_sent(screen: &Screen) -> Option<&NewNote> {
    screen.asked.iter().rev().find_map(|r| match r {
        Request::AddNote(note) => Some(note),
        _ => None,
    })
}

fn edits(screen: &Screen) -> Vec<(Vec<u64>, Vec<Edit>)> {
    let found = screen.asked.iter().filter_map(|r| match r {
        Request::Edit { references, edits } => {
            Some((references.iter().map(|r| r.iid).collect(), edits.clone()))
        }
        _ => None,
    });
    found.collect()
}

fn drafts_saved(screen: &Screen) -> Vec<(DraftKind, String)> {
    let found = screen.asked.iter().filter_map(|r| match r {
        Request::SaveDraft(d) => Some((d.kind, d.text.clone())),
        _ => None,
    });
    found.collect()
}

#[test]
fn a_first_answer_takes_few_keys() {
    let mut screen = Screen::new(80, 24);
    screen.keys("rDone.<alt-enter>");
    let sent = note_sent(&screen).unwrap();
    assert_eq!(
        (sent.reference.iid, sent.text.as_str(), sent.internal, sent.close),
        (128, "Done.", false, true)
    );
    assert_eq!(sent.seen, Some(NoteId(5)), "the last note its writer saw");
    assert!(screen.app.composer.is_none());
    assert_eq!(screen.app.thread.as_ref().unwrap().view.row.iid, 127, "the next issue follows");
}

#[test]
fn an_internal_comment_is_never_a_reply() {
    let mut screen = Screen::new(80, 24);
    screen.keys("cfor us only<ctrl-s>");
    assert!(note_sent(&screen).unwrap().internal);
    screen.keys("r");
    assert!(screen.text().contains("MAILED TO ada@example.com"));
    screen.keys("<alt-r>");
    assert!(screen.text().contains("INTERNAL, NOT MAILED ═"));
    screen.keys("x<ctrl-s>");
    assert!(note_sent(&screen).unwrap().internal);
}

#[test]
fn the_editor_begins_a_note_of_the_kind_that_the_project_wants() {
    for (wanted, kind) in
        [(DefaultNote::Internal, DraftKind::Internal), (DefaultNote::Reply, DraftKind::Reply)]
    {
        let mut desk = FakeDesk::filled();
        desk.issues.iter_mut().for_each(|issue| issue.default_note = wanted);
        let mut screen = Screen::with(80, 24, desk, Options::default());
        screen.keys("<enter>e");
        assert_eq!(screen.app.composer.as_ref().unwrap().kind, kind);
    }
}

#[test]
fn the_title_says_in_words_who_gets_it() {
    let mut desk = FakeDesk::filled();
    desk.issues[0].participants[0].subscribed = false;
    let mut screen = Screen::with(80, 24, desk, Options::default());
    assert!(screen.keys("r").text().contains("NOT MAILED: ada@example.com unsubscribed"));
}

#[test]
fn what_is_typed_is_saved_within_a_second_and_found_again() {
    let mut screen = Screen::new(80, 24);
    screen.keys("rHel").wait(300);
    assert_eq!(drafts_saved(&screen), []);
    screen.keys("lo").wait(300);
    assert_eq!(drafts_saved(&screen), [(DraftKind::Reply, "Hello".into())], "typing on does not put it off");
    assert!(screen.text().contains("draft saved"));
    let desk = std::mem::replace(&mut screen.desk, FakeDesk::empty());
    let mut again = Screen::with(80, 24, desk, Options::default());
    again.keys("r there");
    assert_eq!(again.app.composer.as_ref().unwrap().body.value(), "Hello there");
}

#[test]
fn reply_and_comment_have_drafts_of_their_own() {
    let mut screen = Screen::new(80, 24);
    screen.keys("rpublic<esc>cprivate<esc>");
    let kept = screen.desk.drafts.values().map(|d| (d.kind, d.text.as_str()));
    assert_eq!(kept.collect::<Vec<_>>(), [(DraftKind::Reply, "public"), (DraftKind::Internal, "private")]);
    screen.keys("r");
    assert_eq!(screen.app.composer.as_ref().unwrap().body.value(), "public");
}

#[test]
fn a_draft_is_not_overwritten_before_it_was_fetched() {
    let mut screen = Screen::new(80, 24);
    screen.keys("rstored<esc>q").forget();
    screen.stalled = true;
    screen.keys("r and typed early").wait(2000);
    assert_eq!(drafts_saved(&screen), []);
    screen.stalled = false;
    screen.answer();
    assert_eq!(screen.app.composer.as_ref().unwrap().body.value(), "stored and typed early");
}

#[test]
fn leaving_saves_and_emptying_drops_the_draft() {
    let mut screen = Screen::new(80, 24);
    screen.keys("rx<esc>");
    assert_eq!(screen.desk.drafts.len(), 1);
    screen.keys("r<backspace><esc>");
    assert_eq!(screen.desk.drafts.len(), 0);
    screen.keys("ry<ctrl-s>").wait(5000);
    assert_eq!(screen.desk.drafts.len(), 0, "what was sent is no draft any more");
}

#[test]
fn the_program_ends_only_after_the_draft_is_on_its_way() {
    let mut screen = Screen::new(80, 24);
    screen.keys("runsaved").input(Input::Stop);
    assert_eq!(drafts_saved(&screen), [(DraftKind::Reply, "unsaved".into())]);
    assert_eq!(screen.wanted, [Effect::Quit]);
}

#[test]
fn a_stale_reply_is_not_sent_shows_what_came_and_goes_on_request() {
    let mut screen = Screen::new(80, 24);
    screen.keys("rToo late");
    screen.desk.issues[0].notes.push(note(6, NoteKind::Incoming, ada(), 0, "It works again!"));
    screen.keys("<ctrl-s>");
    let text = screen.text();
    assert!(text.contains("NOT SENT: Ada Lovelace wrote meanwhile"), "{text}");
    assert!(text.contains("It works again!"), "{text}");
    assert!(text.contains("Too late"), "{text}");
    assert_eq!(screen.desk.issues[0].notes.len(), 6);
    screen.keys("<ctrl-s>");
    assert_eq!(screen.desk.issues[0].notes.len(), 7);
    assert!(screen.app.composer.is_none());
}

#[test]
fn a_quick_action_is_completed_shown_before_it_is_sent_and_refused_where_it_is_wrong() {
    let mut screen = Screen::new(80, 24);
    screen.keys("rDone.<enter>/clo");
    assert!(screen.text().contains("Tab /close close it"), "{}", screen.text());
    screen.keys("<tab>");
    assert!(screen.text().contains("on sending: close it"), "{}", screen.text());
    screen.keys("<enter>/weight heavy");
    assert!(screen.text().contains("line 3: `/weight` cannot take `heavy`"), "{}", screen.text());
    screen.keys("<ctrl-s>");
    assert!(note_sent(&screen).is_none());
    assert!(screen.app.composer.as_ref().unwrap().body.value().contains("/weight heavy"));
    screen.keys("<backspace><backspace><backspace><backspace><backspace>3<ctrl-s>");
    assert_eq!(note_sent(&screen).unwrap().text, "Done.\n/close\n/weight 3");
}

#[test]
fn sending_twice_in_a_hurry_sends_once() {
    let mut screen = Screen::new(80, 24);
    screen.keys("rHi").stalled = true;
    screen.keys("<ctrl-s><ctrl-s><ctrl-s>");
    assert_eq!(screen.asked.iter().filter(|r| matches!(r, Request::AddNote(_))).count(), 1);
}

#[test]
fn a_broken_line_keeps_everything_typed_and_the_answer_is_still_awaited() {
    let mut screen = Screen::new(80, 24);
    screen.keys("rKeep me").stalled = true;
    screen.keys("<ctrl-s>");
    screen.input(Input::Desk(FromDesk::Lost { reason: "the server ended".into() }));
    let text = screen.text();
    assert!(text.contains("Keep me") && text.contains("not sent yet, waits for the desk"), "{text}");
    assert!(text.contains("the desk cannot be reached: the server ended"), "{text}");
    screen.forget().input(Input::Desk(FromDesk::Back));
    assert!(screen.asked.iter().any(|r| matches!(r, Request::Issue(_))));
    assert!(screen.text().contains("Keep me"));
    // The line asks the change again by itself.
    screen.stalled = false;
    screen.answer();
    assert!(screen.app.composer.is_none());
    assert_eq!(screen.desk.issues[0].notes.len(), 6);
}

#[test]
fn a_note_leaves_only_after_its_last_draft_has_arrived() {
    let mut screen = Screen::new(80, 24);
    screen.keys("rHi").stalled = true;
    screen.wait(600).keys("<ctrl-s>");
    assert!(note_sent(&screen).is_none());
    screen.stalled = false;
    screen.answer();
    assert!(note_sent(&screen).is_some());
    assert!(screen.app.composer.is_none());
}

#[test]
fn too_large_files_are_told_before_sending() {
    let mut screen = Screen::new(80, 24);
    screen.keys("rSee <ctrl-o>/tmp/big.bin<enter>");
    assert_eq!(screen.wanted.last(), Some(&Effect::Attach { path: "/tmp/big.bin".into() }));
    let file = Upload { name: "big.bin".into(), bytes: vec![0; 20_000_000] };
    screen.input(Input::Attached { path: "/tmp/big.bin".into(), file: Ok(file) });
    assert!(screen.text().contains("TOO LARGE: 27 MB of 25 MB"), "{}", screen.text());
    screen.keys("<ctrl-s>");
    assert!(note_sent(&screen).is_none());
    screen.keys("<alt-o><ctrl-s>");
    assert_eq!(note_sent(&screen).unwrap().attach, []);
}

#[test]
fn verbs_are_for_the_cursor_or_for_all_that_are_marked() {
    let mut screen = Screen::new(80, 24);
    screen.keys("i");
    screen.keys("<space><space>x");
    screen.keys("3*!");
    assert_eq!(
        edits(&screen),
        [
            (vec![128], vec![Edit::Assign("me".into())]),
            (vec![128, 127], vec![Edit::Close]),
            (vec![121, 119, 117], vec![Edit::Spam(true)]),
        ]
        .map(|(mut refs, e): (Vec<u64>, _)| {
            refs.sort_unstable();
            (refs, e)
        })
    );
}

#[test]
fn labels_priorities_and_snoozes_are_picked_and_repeated() {
    let mut screen = Screen::new(80, 24);
    screen.keys("jlfresh<enter>pur<enter>s2h<enter>");
    screen.keys("kabc<esc>lbug<enter>j.");
    let until = super::now() + jiff::SignedDuration::from_hours(2);
    let found: Vec<Edit> = edits(&screen).into_iter().flat_map(|(_, e)| e).collect();
    assert_eq!(
        found,
        [
            Edit::Label("fresh".into()),
            Edit::Priority(Some(Priority::Urgent)),
            Edit::Snooze(Some(until)),
            Edit::Unlabel("bug".into()),
            Edit::Unlabel("bug".into()),
        ]
    );
}

#[test]
fn news_never_move_what_is_selected() {
    let mut screen = Screen::new(80, 24);
    screen.keys("3jj");
    let before = screen.app.list.current().unwrap().id;
    let mut first = screen.desk.issues[1].clone();
    first.row.id = IssueId(1999);
    first.row.iid = 999;
    screen.desk.issues.insert(0, first);
    screen.event(Event::Issues { seq: Seq(2), issues: vec![IssueId(1999)] });
    assert_eq!(screen.app.list.current().unwrap().id, before);
    assert_eq!(screen.app.list.selected, 3);
}

#[test]
fn only_the_newest_preview_is_fetched_while_the_keys_run() {
    let mut screen = Screen::new(120, 40);
    screen.keys("3").forget().stalled = true;
    screen.keys("jjjj");
    let looks = |s: &Screen| s.asked.iter().filter(|r| matches!(r, Request::Issue(_))).count();
    assert_eq!(looks(&screen), 1);
    screen.stalled = false;
    screen.answer();
    assert_eq!(looks(&screen), 2);
    assert_eq!(screen.app.preview.as_ref().unwrap().view.row.iid, 117);
}

#[test]
fn a_large_list_is_held_in_windows() {
    let mut desk = FakeDesk::filled();
    let one = desk.issues[1].clone();
    for iid in 1000..6000 {
        let mut more = one.clone();
        (more.row.iid, more.row.id) = (iid, IssueId(1000 + iid));
        desk.issues.push(more);
    }
    let mut screen = Screen::with(80, 24, desk, Options::default());
    screen.keys("3G");
    assert_eq!(screen.app.list.current().unwrap().iid, 5999);
    assert!(screen.app.list.rows.len() <= 80);
    screen.keys("gg");
    assert_eq!(screen.app.list.current().unwrap().iid, 128);
    for _ in 0..60 {
        screen.keys("<ctrl-d>");
        assert!(screen.app.list.current().is_some());
    }
}

#[test]
fn results_come_while_the_query_is_typed() {
    let mut screen = Screen::new(80, 24);
    screen.keys("3/inv");
    assert!(screen.text().contains("Re: your invoice"));
    assert!(!screen.text().contains("Cannot log in"));
    screen.keys("<enter><enter>");
    assert_eq!(screen.app.thread.as_ref().unwrap().view.row.iid, 119);
}

#[test]
fn esc_never_quits_and_q_quits_only_at_the_list() {
    let mut screen = Screen::new(80, 24);
    screen.keys("<enter><esc><esc><esc><esc>");
    assert_eq!(screen.wanted, []);
    screen.keys("<enter>q");
    assert_eq!(screen.wanted, []);
    screen.keys("q");
    assert_eq!(screen.wanted, [Effect::Quit]);
}

#[test]
fn opening_marks_as_read_and_the_mark_stays_while_one_reads() {
    let mut screen = Screen::new(80, 24);
    screen.keys("<enter>");
    assert!(screen.asked.iter().any(|r| matches!(r, Request::MarkRead { read: true, .. })));
    screen.event(Event::Issues { seq: Seq(2), issues: vec![IssueId(1128)] });
    assert!(screen.text().contains("● new"));
}

#[test]
fn an_idle_screen_draws_at_the_minute_and_a_countdown_each_second() {
    let mut screen = Screen::new(80, 24);
    screen.app.take_dirty();
    assert_eq!(screen.app.wake_in(), 60_000);
    screen.wait(20_000);
    assert!(!screen.app.take_dirty());
    screen.wait(40_000);
    assert!(screen.app.take_dirty());
    screen.keys("rx<ctrl-s>");
    screen.app.take_dirty();
    assert_eq!(screen.app.wake_in(), 1000);
    screen.wait(1000);
    assert!(screen.app.take_dirty());
    assert!(screen.text().contains("sent in 9s · z takes it back"), "{}", screen.text());
    screen.wait(10_000).wait(20_000);
    assert!(!screen.text().contains("takes it back"));
}

#[test]
fn undo_brings_the_text_back() {
    let mut screen = Screen::new(80, 24);
    screen.keys("rOops<ctrl-s>").forget().stalled = true;
    screen.keys("z");
    assert!(screen.asked.contains(&Request::Undo));
    let token = screen.held[0].0;
    screen.held.clear();
    screen.stalled = false;
    let draft = Draft {
        user: "alice".into(),
        issue: Some(IssueId(1128)),
        project: None,
        kind: DraftKind::Reply,
        text: "Oops".into(),
        title: None,
        to: None,
        cc: Vec::new(),
        files: Vec::new(),
        kept: vec![],
        off: vec![],
        over: None,
        seen: Some(NoteId(5)),
        saved_at: super::now(),
    };
    let undone = Response::Undone {
        label: "reply to #128".into(),
        skipped: Vec::new(),
        draft: Some(draft),
        issues: vec![],
    };
    screen.input(Input::Desk(FromDesk::Answer(token, Ok(undone))));
    assert_eq!(screen.app.composer.as_ref().unwrap().body.value(), "Oops");
}

#[test]
fn a_mail_opens_in_the_browser_as_it_was_designed() {
    let mut screen = Screen::new(80, 24);
    screen.keys("<enter>ggB");
    assert!(
        matches!(&screen.wanted[..], [Effect::Open { name, bytes }] if name.ends_with(".html") && bytes == b"<p>Hi</p>"),
        "{:?}",
        screen.wanted
    );
}

#[test]
fn a_file_is_saved_where_it_was_said() {
    let mut screen = Screen::new(80, 24);
    screen.keys("<enter>osave login<enter><enter>");
    assert!(
        matches!(&screen.wanted[..], [Effect::Save { path, bytes }] if path.ends_with("login.png") && bytes == b"PNG")
    );
}

#[test]
fn project_settings_are_changed_in_place() {
    let mut screen = Screen::new(80, 24);
    screen.keys("Pj<enter><ctrl-u>Acme Help<enter>");
    assert!(screen.text().contains("Acme Help"), "{}", screen.text());
    screen.keys("x");
    assert!(!screen.desk.projects[0].enabled);
}

#[test]
fn a_palette_does_what_its_key_does() {
    let mut screen = Screen::new(80, 24);
    screen.keys(":close<enter>");
    assert_eq!(edits(&screen), [(vec![128], vec![Edit::Close])]);
    screen.keys("?reply<enter>");
    assert!(screen.app.composer.is_some());
}

#[test]
fn a_text_never_slides_under_another_issue() {
    let mut screen = Screen::new(80, 24);
    screen.keys("rfor Ada<tab>]");
    assert_eq!(screen.app.thread.as_ref().unwrap().view.row.iid, 127);
    assert!(screen.app.composer.is_none());
    assert_eq!(drafts_saved(&screen), [(DraftKind::Reply, "for Ada".into())]);
    screen.keys("[r");
    assert_eq!(screen.app.composer.as_ref().unwrap().body.value(), "for Ada");
}

#[test]
fn tab_never_leaves_a_quick_action_that_nothing_completes_and_says_when_it_leaves_the_text() {
    let mut screen = Screen::new(80, 24);
    screen.keys("rHello<enter>/spliit <tab>");
    assert!(screen.text().contains("nothing completes this quick action"), "{}", screen.text());
    screen.keys("x");
    assert_eq!(screen.app.composer.as_ref().unwrap().body.value(), "Hello\n/spliit x");
    screen.keys("<enter><tab>");
    assert!(screen.text().contains("Tab goes back to the text"), "{}", screen.text());
    screen.keys("<tab>y");
    assert_eq!(screen.app.composer.as_ref().unwrap().body.value(), "Hello\n/spliit x\ny");
}

#[test]
fn back_leads_through_the_screens_one_came_by() {
    let mut screen = Screen::new(80, 24);
    screen.desk.outbox = super::mails::outbox_rows();
    screen.keys("<enter>O<enter>");
    assert!(screen.text().contains("#128 Cannot log in"));
    screen.keys("q");
    assert!(screen.text().contains("Outbox"));
    screen.keys("q");
    assert!(screen.text().contains("is:open waiting:us"), "{}", screen.text());
}

#[test]
fn people_can_be_left_out_and_others_get_a_copy() {
    let mut screen = Screen::new(80, 24);
    screen.keys("rHi<alt-c>kim@example.org<enter>");
    assert!(screen.text().contains("MAILED TO ada@example.com, kim@example.org"), "{}", screen.text());
    screen.keys("<alt-c>ada<enter>");
    assert!(screen.text().contains("MAILED TO kim@example.org not to ada@example.com"), "{}", screen.text());
    screen.keys("<alt-c>not an address<enter>");
    assert!(screen.text().contains("is not an email address"));
    screen.keys("<ctrl-s>");
    let sent = note_sent(&screen).unwrap();
    assert_eq!(sent.cc, [super::desk::email("kim@example.org")]);
    assert_eq!(sent.without, [super::desk::email("ada@example.com")]);
}

#[test]
fn a_stranger_is_subscribed_from_the_author_card() {
    let mut screen = Screen::new(80, 24);
    screen.desk.issues[0].participants.push(ParticipantView {
        name: None,
        email: super::desk::email("eve@example.net"),
        subscribed: false,
        role: ParticipantRole::Stranger,
        address_state: AddressState::Ok,
    });
    screen.keys("<enter>heve<enter>");
    assert_eq!(edits(&screen), [(vec![128], vec![Edit::Subscribe(super::desk::email("eve@example.net"))])]);
}

#[test]
fn a_reply_waits_until_its_writer_can_have_seen_the_issue() {
    let mut screen = Screen::new(80, 24);
    screen.stalled = true;
    screen.keys("rblind<ctrl-s>");
    assert!(note_sent(&screen).is_none());
    screen.stalled = false;
    screen.answer();
    screen.keys("<ctrl-s>");
    assert_eq!(note_sent(&screen).unwrap().seen, Some(NoteId(5)));
}

#[test]
fn news_ring_only_where_nobody_looks() {
    let mut screen = Screen::new(80, 24);
    let news = |screen: &mut Screen, iid: usize| {
        screen.desk.issues[iid].row.unread = 1;
        screen.event(Event::Issues { seq: Seq(2), issues: vec![IssueId(1)] });
    };
    news(&mut screen, 1);
    assert_eq!(screen.wanted.first(), Some(&Effect::Bell));
    screen.wanted.clear();
    screen.wait(60_000).input(Input::Focus(true));
    news(&mut screen, 3);
    assert_eq!(screen.wanted, []);
}

#[test]
fn the_editor_opens_on_the_stored_draft() {
    let mut screen = Screen::new(80, 24);
    screen.keys("rkept<esc>qe");
    assert_eq!(screen.wanted, [Effect::Editor { text: "kept".into(), name: "reply-128".into() }]);
    screen.input(Input::Edited(Ok("kept and more\n".into())));
    assert_eq!(screen.app.composer.as_ref().unwrap().body.value(), "kept and more");
}

#[test]
fn a_new_issue_is_drafted_checked_and_opened() {
    let mut screen = Screen::new(80, 24);
    screen.keys("Cnot an address<enter><enter><ctrl-s>");
    assert!(screen.text().contains("a new issue needs a title"));
    screen.keys("<tab><tab>").wait(600);
    let draft = screen.desk.drafts.values().next().unwrap();
    assert_eq!(
        (draft.kind, draft.project, draft.to.as_deref()),
        (DraftKind::Issue, Some(ProjectId(1)), Some("not an address"))
    );
}

#[test]
fn hits_are_walked_through() {
    let mut screen = Screen::new(80, 24);
    screen.keys("3/login<enter>");
    assert_eq!(screen.app.list.total, 0);
    screen.keys("3/log<enter><enter>ggn");
    assert_eq!(screen.app.thread.as_ref().unwrap().selected, 1, "`log out everywhere`");
    screen.keys("n");
    assert_eq!(screen.app.thread.as_ref().unwrap().selected, 2, "`see the log there`");
    screen.keys("N");
    assert_eq!(screen.app.thread.as_ref().unwrap().selected, 1);
}

#[test]
fn esc_in_the_query_line_goes_back_to_what_stood_before() {
    let mut screen = Screen::new(80, 24);
    screen.keys("3/invoice<esc>");
    assert_eq!((screen.app.list.query.as_str(), screen.app.list.view), ("is:open", Some(2)));
    assert_eq!(screen.app.list.total, 5);
}

#[test]
fn without_a_desk_verbs_say_so_and_nothing_waits_forever() {
    let mut screen = Screen::new(120, 40);
    screen.input(Input::Desk(FromDesk::Lost { reason: "gone".into() }));
    screen.forget().keys("jxrtyped").wait(2000);
    assert_eq!(screen.asked, []);
    assert!(screen.app.unsaved_text().is_some());
    screen.input(Input::Desk(FromDesk::Back)).wait(2000);
    assert_eq!(screen.app.thread.as_ref().unwrap().view.row.iid, 127);
    assert_eq!(drafts_saved(&screen), [(DraftKind::Reply, "typed".into())]);
}

#[test]
fn reading_is_told_once() {
    let mut screen = Screen::new(80, 24);
    screen.keys("<enter>");
    screen.desk.issues[0].row.unread = 1;
    for seq in 2..5 {
        screen.event(Event::Issues { seq: Seq(seq), issues: vec![IssueId(1128)] });
    }
    assert_eq!(screen.asked.iter().filter(|r| matches!(r, Request::MarkRead { .. })).count(), 1);
}
