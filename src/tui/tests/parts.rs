//! The screens that belong to a project: members, templates, labels and milestones, rules.

use super::desk::FakeDesk;
use super::{Options, Screen};
use crate::domain::*;
use insta::assert_snapshot;
use ratatui::style::Color;

const SMALL: (u16, u16) = (80, 24);
const LARGE: (u16, u16) = (120, 40);

/// Answers what the canned desk leaves to this room.
pub fn answer(request: &Request) -> Result<Response, Fault> {
    let member = |user: &str, role| Member { project: ProjectId(1), user: user.into(), role };
    Ok(match request {
        Request::Members(_) | Request::SetMember { .. } | Request::RemoveMember { .. } => {
            Response::Members(vec![member("alice", Role::Maintainer), member("grace", Role::Reporter)])
        }
        Request::Templates { .. } => Response::Templates(templates()),
        Request::PreviewTemplate(asked) => Response::TemplatePreview(Box::new(TemplatePreview {
            name: asked.name.clone(),
            place: "built in".into(),
            reference: asked.reference.as_ref().map(ToString::to_string),
            subject: "Re: Cannot log in since the update".into(),
            text: format!("The text of {}\n\nThank you for your mail.", asked.name),
            html: String::new(),
            trouble: None,
        })),
        Request::Categories { .. } => Response::Categories(labels()),
        Request::Rules | Request::SetRule { .. } | Request::OrderRule { .. } | Request::RemoveRule { .. } => {
            Response::Rules(rules())
        }
        Request::TestRule { .. } => {
            Response::Plan(vec!["acme/support#127 “Rechnung fehlt”: label it".into()])
        }
        other => return super::several::answer(other),
    })
}

fn templates() -> Vec<TemplateView> {
    let view = |name: &str, kind, place: &str, trouble: Option<&str>| TemplateView {
        name: name.into(),
        kind,
        place: place.into(),
        chosen: kind == TemplateKind::Mail || name == "bug",
        text: format!("Written for {name}: %{{ISSUE_ID}}"),
        trouble: trouble.map(str::to_owned),
    };
    let broken = "/etc/deskbell/templates/new_note.md does not hold %{NOTE_TEXT}";
    let (mail, description) = (TemplateKind::Mail, TemplateKind::Description);
    vec![
        view("thank_you", mail, "/etc/deskbell/templates/thank_you.md", None),
        view("new_note", mail, "built in", Some(broken)),
        view("closed", mail, ".gitlab/service_desk_templates/closed.md of /srv/git/support.git", None),
        view("bug", description, ".gitlab/issue_templates/bug.md of /srv/git/support.git", None),
    ]
}

fn labels() -> Vec<CategoryView> {
    let label = |name: &str, recorded, issues, colour: Option<&str>| CategoryView {
        kind: CategoryKind::Label,
        project: "acme/support".into(),
        about: CategoryAbout { name: name.into(), colour: colour.map(str::to_owned), ..Default::default() },
        recorded,
        issues,
        closed_issues: issues / 2,
    };
    vec![label("billing", false, 1, None), label("bug", true, 3, Some("#d73a4a"))]
}

fn rules() -> Vec<RuleView> {
    let rule = |project: Option<&str>, position, name: &str, enabled| RuleView {
        project: project.map(str::to_owned),
        position,
        about: RuleAbout {
            name: name.into(),
            query: "from:*@example.de".into(),
            actions: "/label ~billing\n/assign @sam".into(),
            notify: vec!["sam".into()],
            hook: Some("page".into()),
            enabled,
            ..RuleAbout::default()
        },
    };
    let own = Some("acme/support");
    vec![rule(None, 1, "German", true), rule(own, 1, "Invoices", true), rule(own, 4, "Old", false)]
}

fn with(size: (u16, u16)) -> Screen {
    Screen::with(size.0, size.1, FakeDesk::filled(), Options::default())
}

/// A screen of somebody who does not own the desk.
fn as_member(role: Role) -> Screen {
    let mut screen = with(SMALL);
    screen.app.me.as_mut().unwrap().owner = false;
    screen.keys("P");
    screen.app.members.rows[0].role = role;
    screen
}

fn asked(screen: &Screen, wanted: &Request) {
    assert!(screen.asked.contains(wanted), "{wanted:?} not in {:?}\n{}", screen.asked, screen.text());
}

#[test]
fn members_are_listed_added_changed_and_removed() {
    assert_snapshot!("members_120", with(LARGE).keys("gu").text());
    let mut screen = with(SMALL);
    assert_snapshot!("members_80", screen.keys("Pm").text());
    let member =
        |user: &str, role| Request::SetMember { project: "acme/support".into(), user: user.into(), role };
    assert_snapshot!("members_role", screen.keys("j<enter>").text());
    screen.keys("develop<enter>");
    asked(&screen, &member("grace", Role::Developer));
    screen.keys("asam<enter>report<enter>");
    asked(&screen, &member("sam", Role::Reporter));
    screen.forget().keys("x<enter>");
    assert!(screen.asked.is_empty(), "the first answer changes nothing");
    screen.keys("xyes<enter>");
    asked(&screen, &Request::RemoveMember { project: "acme/support".into(), user: "grace".into() });
    assert!(screen.keys("?").text().contains("change the member's role"));
    screen.keys("<esc>qq:members<enter>");
    assert!(screen.text().contains("Members of acme/support"), "by the palette, too");
}

#[test]
fn what_one_may_not_do_names_the_role_that_is_lacking() {
    let mut screen = as_member(Role::Reporter);
    let text = screen.text();
    assert!(text.contains("takes the role maintainer; yours here is reporter"), "{text}");
    assert_snapshot!("project_reporter", text);
    screen.forget().keys("jj<enter>");
    assert!(screen.asked.is_empty() && screen.app.overlay.is_none(), "a disabled field is not changed");
    assert!(screen.text().contains("Project name suffix: needs the role maintainer"), "{}", screen.text());
    screen.keys("x");
    assert!(screen.asked.is_empty() && screen.text().contains("switching Service Desk on or off takes"));
    let mut screen = as_member(Role::Maintainer);
    screen.keys("mj<enter>owner<enter>");
    assert!(screen.text().contains("giving the role owner takes the role owner; yours here is maintainer"));
    assert!(!screen.asked.iter().any(Request::is_change), "nothing is asked that is refused anyway");
}

#[test]
fn a_setting_that_needs_another_one_says_which() {
    let mut screen = with(LARGE);
    let text = screen.keys("P").text();
    let line = text.lines().find(|line| line.contains("Close when idle for")).unwrap();
    assert!(line.contains("needs “Warn when idle for”"), "{line}");
}

#[test]
fn templates_are_shown_with_the_mail_that_they_make_of_the_issue_in_front() {
    assert_snapshot!("templates_120", with(LARGE).keys("gT").text());
    let mut screen = with(SMALL);
    assert_snapshot!("templates_80", screen.keys("gTj").text());
    assert_eq!(screen.style_of("not used: /etc").fg, Some(Color::Yellow));
    let preview = |name: &str, iid| {
        Request::PreviewTemplate(PreviewTemplate {
            project: "acme/support".into(),
            name: name.into(),
            reference: format!("acme/support#{iid}").parse().ok(),
            text: None,
        })
    };
    asked(&screen, &preview("thank_you", 128));
    asked(&screen, &preview("new_note", 128));
    assert!(screen.keys("W").text().contains("Written for new_note: %{ISSUE_ID}"), "{}", screen.text());
    assert!(screen.keys("jW").text().contains("commit to .gitlab/service_desk_templates/closed.md"));
    assert!(screen.keys("j").text().contains("Written for bug"), "{}", screen.text());
    assert!(screen.keys("?").text().contains("the text as it is written"));
    screen.keys("<esc>gg<enter>");
    assert!(screen.text().contains("thank_you, from /etc"), "{}", screen.text());
    screen.keys("<esc>q:templates<enter>");
    assert!(screen.text().contains("Templates of acme/support"), "by the palette, too");
}

#[test]
fn labels_and_milestones_are_listed_added_renamed_and_removed() {
    assert_snapshot!("categories_120", with(LARGE).keys("Pl").text());
    let mut screen = with(SMALL);
    assert_snapshot!("categories_80", screen.keys("gL").text());
    let project = || "acme/support".to_owned();
    let (kind, name) = (CategoryKind::Label, "billing".to_owned());
    screen.keys("<enter>s<enter>");
    let settings = vec![("name".to_owned(), "billings".to_owned())];
    asked(&screen, &Request::SetCategory { kind, project: project(), name: name.clone(), settings });
    screen.keys("mSpring<enter>");
    let settings = vec![("title".to_owned(), "Spring".to_owned())];
    asked(&screen, &Request::AddCategory { kind: CategoryKind::Milestone, project: project(), settings });
    screen.keys("aurgent<enter>");
    let settings = vec![("name".to_owned(), "urgent".to_owned())];
    asked(&screen, &Request::AddCategory { kind, project: project(), settings });
    screen.keys("xyes<enter>");
    asked(&screen, &Request::RemoveCategory { kind, project: project(), name });
}

#[test]
fn an_issue_to_link_to_is_asked_for_and_a_note_is_gone_to_first() {
    let mut screen = with(SMALL);
    assert!(screen.keys("=").text().contains("type the number of an issue"), "{}", screen.text());
    assert!(screen.keys("7").text().contains("link to: 7"), "{}", screen.text());
    for key in ["f", "M"] {
        let text = screen.keys("<esc>").keys(key).text();
        assert!(text.contains("open the issue with Enter"), "{key}\n{text}");
    }
}

#[test]
fn rules_are_listed_switched_ordered_tested_and_removed() {
    assert_snapshot!("rules_120", with(LARGE).keys("Pr").text());
    let mut screen = with(SMALL);
    assert_snapshot!("rules_80", screen.keys("gr").text());
    let scope = || SenderScope::Project("acme/support".into());
    screen.keys("jJ");
    asked(&screen, &Request::OrderRule { scope: scope(), name: "Invoices".into(), position: 2 });
    screen.keys("<space>");
    let settings = vec![("enabled".to_owned(), "true".to_owned())];
    asked(&screen, &Request::SetRule { scope: scope(), name: Some("Old".into()), settings });
    screen.keys("xyes<enter>");
    asked(&screen, &Request::RemoveRule { scope: scope(), name: "Old".into() });
    screen.keys("<enter>");
    asked(&screen, &Request::TestRule { scope: scope(), name: "Old".into() });
    assert!(screen.text().contains("Rechnung fehlt"), "{}", screen.text());
    screen.keys("<esc>k").forget().keys("K");
    assert!(screen.asked.is_empty(), "the first of a project stays behind the rules of the desk");
}

#[test]
fn every_screen_of_a_project_survives_any_size_and_hostile_words() {
    let evil = "evil\u{202e}\x1b[2J\x07\u{9b}31m\ntitle";
    for keys in ["gu", "gT", "gTW", "gL", "gr", "P"] {
        let mut screen = with(LARGE);
        screen.keys(keys);
        screen.app.members.rows.iter_mut().for_each(|row| row.user = evil.into());
        screen.app.categories.rows.iter_mut().for_each(|row| row.about.name = evil.into());
        screen.app.rules.rows.iter_mut().for_each(|row| row.about.actions = evil.into());
        for row in &mut screen.app.templates.rows {
            (row.text, row.place, row.trouble) = (evil.into(), evil.into(), Some(evil.into()));
        }
        for (width, height) in [(1, 1), (40, 12), (200, 4), (20, 8), (110, 30), (80, 24)] {
            let buffer = screen.resize(width, height).buffer();
            let bad = |c: char| c.is_control() || matches!(c, '\u{202e}' | '\u{9b}');
            assert!(buffer.content.iter().all(|cell| !cell.symbol().contains(bad)), "{keys}");
        }
    }
}
