//! Notes that go to another issue, after the staff were mailed of them or before.

use super::{answer_of, mails_to, reply_to, wish};
use crate::support::room::{ADA, Room, field};
use deskbell::domain::{Fate, IssueSplit, NoteId, NoteKind, Request};

const ONE: &str = "acme/support#1";
const TWO: &str = "acme/support#2";

/// Has Eve write into the issue of Ada's.
async fn note_of_eve(room: &mut Room) -> NoteId {
    room.mail("From: Eve <eve@other.example>\nTo: help+acme-support-1-issue-@desk.example\nSubject: Re: Cannot log in\nMessage-ID: <e1@other.example>\nIn-Reply-To: <a1@customer.example>\n\nMy printer is broken.\n").await;
    room.edit(ONE, deskbell::domain::Edit::Subscribe("eve@other.example".parse().unwrap())).await;
    let notes = room.issue(ONE).await.notes;
    notes.iter().find(|note| note.body.contains("printer")).unwrap().id
}

async fn split(room: &mut Room, notes: Vec<NoteId>) {
    room.ok(Request::Split(IssueSplit { reference: ONE.parse().unwrap(), notes, title: None })).await;
}

/// Tells whether an issue holds an answer of the staff with these words.
async fn answered(room: &mut Room, reference: &str, words: &str) -> bool {
    let notes = room.issue(reference).await.notes;
    notes.iter().any(|note| note.kind == NoteKind::Reply && note.body.contains(words))
}

#[tokio::test]
async fn an_answer_follows_a_note_that_was_split_out_to_who_wrote_it() {
    let mut room = super::room().await;
    let note = note_of_eve(&mut room).await;
    let key = reply_to(&mails_to(&mut room, "mia").await[0]);
    split(&mut room, vec![note]).await;
    let delivered = answer_of(&mut room, "mia", &key, "m1", "Which printer?").await;
    assert_eq!(delivered.entry.reference.as_deref(), Some(TWO), "{}", delivered.entry.reason);
    assert!(answered(&mut room, TWO, "Which printer?").await);
    assert!(!answered(&mut room, ONE, "Which printer?").await);
    let sent = room.send().await;
    let to: Vec<_> = sent.iter().map(|mail| field(mail, "To").unwrap()).collect();
    assert!(to.iter().any(|to| to.contains("eve@")) && !to.iter().any(|to| to.contains("ada@")), "{to:?}");
}

#[tokio::test]
async fn an_answer_follows_a_note_back_to_the_issue_that_is_parted_again() {
    let mut room = super::room().await;
    room.mail(&ADA.replace("<a1@", "<g1@").replace("Ada Lovelace <ada@", "Grace <grace@")).await;
    room.send().await;
    let (references, into) = (vec![TWO.parse().unwrap()], ONE.parse().unwrap());
    room.ok(Request::Merge { references, into, dry_run: false }).await;
    room.edit(ONE, deskbell::domain::Edit::Assign("bob".into())).await;
    room.send().await;
    // The note that bob is mailed of is Grace's, once Ada's is gone out.
    let ada = room.issue(ONE).await.notes[0].id;
    split(&mut room, vec![ada]).await;
    room.edit(ONE, deskbell::domain::Edit::Assign("mia".into())).await;
    let key = reply_to(&mails_to(&mut room, "mia").await[0]);
    room.ok(Request::Unmerge(TWO.parse().unwrap())).await;
    let delivered = answer_of(&mut room, "mia", &key, "m1", "Hello Grace").await;
    assert_eq!((delivered.entry.fate, delivered.entry.reference.as_deref()), (Fate::Note, Some(TWO)));
    let sent = room.send().await;
    assert!(sent.iter().any(|mail| field(mail, "To").unwrap().contains("grace@")), "{sent:?}");
    assert!(!sent.iter().any(|mail| field(mail, "To").unwrap().contains("ada@")), "{sent:?}");
}

#[tokio::test]
async fn what_is_still_to_be_told_goes_along_with_its_note() {
    for merged in [false, true] {
        let mut room = super::room().await;
        wish(&mut room, "mia", &[("notify.my_answer", "digest")]).await.unwrap();
        let note = note_of_eve(&mut room).await;
        split(&mut room, vec![note]).await;
        if merged {
            let (references, into) = (vec![TWO.parse().unwrap()], ONE.parse().unwrap());
            room.ok(Request::Merge { references, into, dry_run: false }).await;
        }
        room.later(jiff::SignedDuration::from_hours(24));
        assert_eq!(room.desk.send_notices().await.unwrap(), 1, "merged: {merged}");
        let digest = mails_to(&mut room, "mia").await.remove(0);
        let place = if merged { ONE } else { TWO };
        assert!(digest.contains("My printer") && digest.contains(place), "{digest}");
    }
}

#[tokio::test]
async fn what_is_still_to_be_told_of_a_merged_issue_is_told_by_the_one_that_lives_on() {
    let mut room = super::room().await;
    room.mail(&ADA.replace("<a1@", "<g1@").replace("Ada Lovelace <ada@", "Grace <grace@")).await;
    room.send().await;
    wish(&mut room, "mia", &[("notify.my_answer", "digest")]).await.unwrap();
    let note = note_of_eve(&mut room).await;
    let (references, into) = (vec![ONE.parse().unwrap()], TWO.parse().unwrap());
    room.ok(Request::Merge { references, into, dry_run: false }).await;
    assert!(room.issue(TWO).await.notes.iter().any(|moved| moved.id == note));
    room.later(jiff::SignedDuration::from_hours(24));
    assert_eq!(room.desk.send_notices().await.unwrap(), 1);
    let digest = mails_to(&mut room, "mia").await.remove(0);
    assert!(digest.contains("My printer") && digest.contains(TWO), "{digest}");
}
