//! Ratings: links in a template, the mails behind them, and what becomes of those.

use crate::support::room::{ADA, Room, address, field};
use crate::vanishing::left;
use deskbell::domain::{
    AskedReport, Edit, Fate, NoteKind, Party, Rating, ReportName, Request, Response, SenderRule, SenderScope,
    State,
};

const ONE: &str = "acme/support#1";

/// Ada's issue is closed, and the mail that told her asks what she thought. Gives that mail.
async fn room() -> (Room, String) {
    let mut room = Room::new().await;
    let dir = room.dir.path().join("own");
    std::fs::create_dir_all(&dir).unwrap();
    std::fs::write(dir.join("closed.md"), "We closed %{ISSUE_ID}.\n\nHow was it? %{RATING}\n").unwrap();
    room.set("acme/support", "templates_dir", "own").await;
    room.set("acme/support", "closed_mail", "true").await;
    room.mail(ADA).await;
    room.reply(ONE, "It works again.").await;
    room.send().await;
    room.edit(ONE, Edit::Close).await;
    let closed = room.send().await.into_iter().find(|mail| mail.contains("How was it?")).unwrap();
    (room, closed)
}

/// Gives the address and the subject of the link to a rating.
fn link(mail: &str, rating: Rating) -> (String, String) {
    let text = deskbell::mail::read(mail.as_bytes()).unwrap().plain.unwrap();
    let wanted = format!("subject=rating%20{}%20", rating.word());
    let link =
        text.split_whitespace().find(|word| word.contains(&wanted)).unwrap_or_else(|| panic!("{text}"));
    let (to, key) = link.trim_start_matches("mailto:").split_once(&format!("?{wanted}")).unwrap();
    (to.replace("%2B", "+"), rating.subject(key.trim_end_matches([')', '>'])))
}

fn rated(from: &str, number: u32, (to, subject): (String, String), more: &str, text: &str) -> String {
    format!(
        "From: {from}\nTo: {to}\nSubject: {subject}\n{more}Message-ID: <r{number}@customer.example>\n\n{text}\n"
    )
}

#[tokio::test]
async fn a_mail_behind_a_link_is_the_rating_of_its_issue_and_nothing_else() {
    let (mut room, closed) = room().await;
    let before = room.issue(ONE).await;
    assert_eq!((before.rating, before.row.state), (None, State::Closed));
    assert_eq!(room.list("rating:none").await, [ONE]);
    let mail = rated("ada@customer.example", 1, link(&closed, Rating::Bad), "", "");
    let entry = room.mail(&mail).await.entry;
    assert_eq!((entry.fate, entry.reference.as_deref()), (Fate::Rating, Some(ONE)), "{}", entry.reason);
    let issue = room.issue(ONE).await;
    assert_eq!(
        (issue.rating, issue.row.state, issue.row.waiting_on),
        (Some(Rating::Bad), State::Closed, None)
    );
    let last = issue.notes.last().unwrap();
    assert_eq!((last.kind, last.body.as_str()), (NoteKind::System, "ada@customer.example rated this bad"));
    assert_eq!(issue.notes.len(), before.notes.len() + 1);
    assert_eq!(room.list("rating:bad is:closed").await, [ONE]);
    assert!(room.send().await.is_empty(), "nobody is thanked for it");
    // The same mail once more is none, and the last rating counts.
    assert_eq!(room.mail(&mail).await.entry.fate, Fate::Duplicate);
    let mail = rated("Ada <ada@customer.example>", 2, link(&closed, Rating::Good), "", "");
    room.mail(&mail).await;
    room.again().await;
    let issue = room.issue(ONE).await;
    assert_eq!(issue.rating, Some(Rating::Good));
    assert_eq!(issue.notes.last().unwrap().body, "ada@customer.example rated this good");
    assert_eq!(serde_json::to_value(&issue).unwrap()["rating"], "good");
    let Response::History(changes) = room.ok(Request::History(ONE.parse().unwrap())).await else { panic!() };
    let words: Vec<_> = changes
        .iter()
        .filter(|c| c.field == "rating")
        .map(|c| c.values_in_words(|at| at.to_string()))
        .collect();
    let words: Vec<(&str, &str)> = words.iter().map(|(b, a)| (b.as_str(), a.as_str())).collect();
    assert_eq!(words, [("nothing", "bad"), ("bad", "good")]);
    let asked = AskedReport { name: ReportName::Ratings, ..AskedReport::default() };
    let Response::Figures(report) = room.ok(Request::Report(asked)).await else { panic!() };
    assert_eq!(report.rows[0].cells, [Some(1), Some(100)]);
    assert_eq!(report.figures[0].value, Some(1));
}

#[tokio::test]
async fn what_is_written_with_a_rating_is_an_unread_note_and_opens_the_issue_again() {
    let (mut room, closed) = room().await;
    let mail = rated("ada@customer.example", 1, link(&closed, Rating::Bad), "", "It still burns, call me.");
    let entry = room.mail(&mail).await.entry;
    assert_eq!((entry.fate, entry.reference.as_deref()), (Fate::Rating, Some(ONE)), "{}", entry.reason);
    let issue = room.issue(ONE).await;
    assert_eq!(
        (issue.rating, issue.row.state, issue.row.waiting_on),
        (Some(Rating::Bad), State::Open, Some(Party::Us))
    );
    let note = issue.notes.iter().rfind(|note| note.kind == NoteKind::Incoming).unwrap();
    assert_eq!((note.body.trim(), entry.note), ("It still burns, call me.", Some(note.id)));
    assert!(issue.notes.iter().all(|n| n.kind != NoteKind::System || !n.body.contains("burns")));
    assert_eq!(room.list("is:unread").await, [ONE]);
    assert_eq!(room.mail(&mail).await.entry.fate, Fate::Duplicate);
    // A file alone has to be read as well.
    room.edit(ONE, Edit::Close).await;
    let (to, subject) = link(&closed, Rating::SoSo);
    let file = format!(
        "From: ada@customer.example\nTo: {to}\nSubject: {subject}\nMessage-ID: <r2@customer.example>\n\
         MIME-Version: 1.0\nContent-Type: text/csv\nContent-Disposition: attachment; filename=log.csv\n\na,b\n"
    );
    assert_eq!(room.mail(&file).await.entry.fate, Fate::Rating);
    let issue = room.issue(ONE).await;
    assert_eq!((issue.rating, issue.row.state), (Some(Rating::SoSo), State::Open));
    assert_eq!(issue.notes.iter().filter(|note| note.kind == NoteKind::Incoming).count(), 3);
}

#[tokio::test]
async fn what_stops_other_mail_stops_a_rating() {
    let (mut room, closed) = room().await;
    let path = || "acme/support".to_owned();
    room.ok(Request::EnableProject { path: path(), enabled: false }).await;
    let bare = |number| rated("ada@customer.example", number, link(&closed, Rating::Bad), "", "");
    assert_eq!(room.mail(&bare(1)).await.entry.fate, Fate::Unroutable);
    room.ok(Request::EnableProject { path: path(), enabled: true }).await;
    let pattern = "ada@customer.example".to_owned();
    let (rule, scope) = (SenderRule::Block, SenderScope::Desk);
    room.ok(Request::SetSender { pattern, rule, scope }).await;
    let entry = room.mail(&bare(2)).await.entry;
    assert_eq!(entry.fate, Fate::Spam, "{}", entry.reason);
    assert_eq!(room.issue(ONE).await.rating, None);
}

#[tokio::test]
async fn who_was_not_asked_and_what_no_person_wrote_rates_nothing() {
    let (mut room, closed) = room().await;
    let foreign = rated("eve@other.example", 1, link(&closed, Rating::Bad), "", "");
    let entry = room.mail(&foreign).await.entry;
    assert_eq!(entry.fate, Fate::Ignored, "{}", entry.reason);
    // One with words is a stranger's mail like any other.
    let foreign = rated("eve@other.example", 4, link(&closed, Rating::Bad), "", "Ha.");
    assert_eq!(room.mail(&foreign).await.entry.fate, Fate::Note);
    let machine = rated(
        "ada@customer.example",
        2,
        link(&closed, Rating::Bad),
        "Auto-Submitted: auto-replied\n",
        "Away.",
    );
    assert_ne!(room.mail(&machine).await.entry.fate, Fate::Rating);
    let (to, _) = link(&closed, Rating::Bad);
    let guessed =
        rated("ada@customer.example", 3, (to, Rating::Bad.subject("0123456789abcdef")), "", "A guess.");
    assert_eq!(room.mail(&guessed).await.entry.fate, Fate::Note, "an answer with an odd subject");
    // Another who takes part has a key of their own.
    room.set("acme/support", "import_cc", "always").await;
    let bob = "From: bob@customer.example\nTo: help+acme-support-1-issue-@desk.example\nSubject: Also\n\
               Cc: carl@customer.example\nMessage-ID: <b1@customer.example>\n\nMe too.\n";
    room.mail(bob).await;
    room.edit("acme/support#2", Edit::Close).await;
    let sent = room.send().await;
    let to_bob = |mail: &&String| {
        mail.contains("How was it?") && field(mail, "To").is_some_and(|to| to.contains("bob@"))
    };
    let asked = sent.iter().find(to_bob).unwrap();
    let carl = rated("carl@customer.example", 5, link(asked, Rating::Bad), "", "");
    let fate = room.mail(&carl).await.entry.fate;
    assert_eq!((fate, room.issue("acme/support#2").await.rating), (Fate::Ignored, None));
    assert_eq!(room.issue(ONE).await.rating, None);
}

#[tokio::test]
async fn nothing_of_what_a_person_wrote_with_a_rating_is_left_of_them() {
    let (mut room, closed) = room().await;
    let mail = rated("ada@customer.example", 1, link(&closed, Rating::Bad), "", "My bad knee\nburns still.");
    assert_eq!(room.mail(&mail).await.entry.fate, Fate::Rating);
    let data = room.dir.path().join("data");
    let texts = ["bad knee", "burns still", "ada@customer.example"];
    assert_eq!(left(&data, &texts), texts);
    room.ok(Request::ErasePerson("ada@customer.example".parse().unwrap())).await;
    assert_eq!(left(&data, &texts), [""; 0]);
    assert_eq!(room.issue(ONE).await.rating, Some(Rating::Bad), "who rated is gone, the rating stays");
}

#[tokio::test]
async fn a_template_that_does_not_name_it_asks_nobody() {
    let mut room = Room::new().await;
    room.set("acme/support", "closed_mail", "true").await;
    room.mail(ADA).await;
    room.edit(ONE, Edit::Close).await;
    let sent = room.send().await;
    assert!(!sent.is_empty() && sent.iter().all(|mail| !mail.contains("rating")), "{sent:?}");
    assert!(sent.iter().all(|mail| field(mail, "Reply-To").map(address).is_some()));
}
