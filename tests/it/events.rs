//! Events: whatever changes is told to those who show it.

use crate::support::room::Room;
use deskbell::domain::{CategoryKind, Event, Request, Role, SenderScope};

#[tokio::test]
async fn what_belongs_to_a_project_is_told_like_the_project_itself() {
    let mut room = Room::new().await;
    room.user("mia").await;
    let mut events = room.desk.subscribe();
    let project = || "acme/support".to_owned();
    let text = |pairs: &[(&str, &str)]| {
        pairs.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect::<Vec<_>>()
    };
    let rule = text(&[("name", "vip"), ("query", "token"), ("actions", "/close")]);
    for request in [
        Request::SetMember { project: project(), user: "alice".into(), role: Role::Owner },
        Request::SetMember { project: project(), user: "mia".into(), role: Role::Reporter },
        Request::RemoveMember { project: project(), user: "mia".into() },
        Request::SetRule { scope: SenderScope::Desk, name: None, settings: rule },
        Request::RemoveRule { scope: SenderScope::Desk, name: "vip".into() },
        Request::AddCategory {
            kind: CategoryKind::Label,
            project: project(),
            settings: text(&[("name", "bug")]),
        },
    ] {
        room.ok(request.clone()).await;
        let mut told = Vec::new();
        while let Ok(event) = events.try_recv() {
            told.push(event);
        }
        assert!(told.contains(&Event::Projects), "{request:?} told {told:?}");
    }
}
