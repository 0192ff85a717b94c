//! The members screen of a project: who belongs to it with which role, and what one's own role lacks.

use super::action::Action;
use super::app::{App, Screen};
use super::asks::Purpose;
use super::clean;
use super::input::Effect;
use super::outbox::step;
use super::picker::{Choice, Item, Picker};
use crate::domain::{Member, Request, Role};

const ROLES: [Role; 5] = [Role::Guest, Role::Reporter, Role::Developer, Role::Maintainer, Role::Owner];

/// The state of the members screen.
#[derive(Debug, Default)]
pub struct MembersScreen {
    /// Whose members these are.
    pub project: String,
    pub rows: Vec<Member>,
    pub loaded: bool,
    pub selected: usize,
}

/// Says what a role may do.
pub fn role_about(role: Role) -> &'static str {
    match role {
        Role::Guest => "comments, nothing confidential",
        Role::Reporter => "works on every issue",
        Role::Developer => "a reporter, closes by commits",
        Role::Maintainer => "settings, members, senders",
        Role::Owner => "everything, its path as well",
    }
}

impl App {
    /// Gives the path of the project that is shown.
    pub fn shown_path(&self) -> Option<String> {
        self.shown_project().map(|project| project.path.clone())
    }

    /// Shows a screen that belongs to a project: to that of the issue in front, where one is.
    pub fn go_to_part(&mut self, screen: Screen) {
        if matches!(self.screen, Screen::List | Screen::Thread) {
            let path = self.front_row().map(|row| row.project.clone());
            let place = self.projects.iter().flatten().position(|p| Some(&p.path) == path.as_ref());
            self.project.index = place.unwrap_or(self.project.index);
        }
        self.go_to(screen);
    }

    /// Goes to the next project or the one before; tells whether that was asked.
    pub fn other_project(&mut self, action: Action) -> bool {
        let last = self.projects.as_ref().map_or(0, |p| p.len().saturating_sub(1));
        self.project.index = match action {
            Action::NextIssue => (self.project.index + 1).min(last),
            Action::PrevIssue => self.project.index.saturating_sub(1),
            _ => return false,
        };
        self.reload_screen();
        true
    }

    /// Asks for the members of the project that is shown, and for the names of all users.
    pub fn ask_members(&mut self) {
        let Some(path) = self.shown_path() else { return };
        self.ask(Purpose::People, Request::Users);
        self.ask(Purpose::Members(path.clone()), Request::Members(path));
    }

    /// Takes the members in, unless another project is shown by now.
    pub fn take_members(&mut self, path: String, rows: Vec<Member>) {
        if self.shown_path().as_ref() == Some(&path) {
            self.members.selected = self.members.selected.min(rows.len().saturating_sub(1));
            self.members.rows = rows;
            self.members.project = path;
            self.members.loaded = true;
        }
    }

    /// Gives one's own role in the project that is shown; `None` while it is not known.
    pub fn own_role(&self) -> Option<Role> {
        let me = self.me.as_ref()?;
        if me.owner {
            return Some(Role::Owner);
        }
        if !self.members.loaded || self.shown_path().as_ref() != Some(&self.members.project) {
            return None;
        }
        match self.members.rows.iter().find(|member| member.user == me.name) {
            Some(member) => Some(member.role),
            // A project without members belongs to everybody on the desk.
            None => self.members.rows.is_empty().then_some(Role::Maintainer),
        }
    }

    /// Says which role is lacking for something; `None` where nothing is known to be in the way.
    pub fn lacks(&self, wanted: Role) -> Option<String> {
        let has = self.own_role().filter(|has| *has < wanted)?;
        Some(format!("takes the role {}; yours here is {}", wanted.word(), has.word()))
    }

    /// Says that a role is lacking; tells whether one is.
    pub fn stopped_by_role(&mut self, what: &str, wanted: Role) -> bool {
        let why = self.lacks(wanted);
        if let Some(why) = &why {
            self.complain(format!("{what} {why}"));
        }
        why.is_some()
    }

    /// Does an action on the members screen; tells whether it was one of its own.
    pub fn members_act(&mut self, action: Action) -> bool {
        let last = self.members.rows.len().saturating_sub(1);
        if let Some(to) = step(action, self.members.selected, last, self.page()) {
            self.members.selected = to;
            return true;
        }
        let shown = self.members.rows.get(self.members.selected).cloned();
        match (action, shown) {
            (Action::AddMember, _) => self.pick_new_member(),
            (Action::Open, Some(member)) => self.pick_role(member.user),
            (Action::Remove, Some(member)) => self.ask_removal(member),
            (Action::Copy, Some(member)) => self.want(Effect::Copy(member.user)),
            _ => return self.other_project(action),
        }
        true
    }

    /// Gives how many rows a page of a screen with a heading has.
    pub fn page(&self) -> usize {
        usize::from(self.height).saturating_sub(6).max(1)
    }

    fn pick_new_member(&mut self) {
        if self.stopped_by_role("adding a member", Role::Maintainer) {
            return;
        }
        let belongs = |name: &String| self.members.rows.iter().any(|member| member.user == *name);
        let others = self.users.iter().filter(|user| !user.removed && !belongs(&user.name));
        let item = |user: &crate::domain::User| {
            let about = user.full_name.as_deref().unwrap_or_default();
            Item::new(&user.name, about, Choice::MemberRole(user.name.clone()))
        };
        let items: Vec<Item> = others.map(item).collect();
        match items.is_empty() {
            true => self.say("every user belongs to it already · `deskbell user add NAME` makes another"),
            false => self.open_picker(Picker::new("Add a member: who", items)),
        }
    }

    /// Offers the roles for somebody.
    pub fn pick_role(&mut self, user: String) {
        if self.stopped_by_role("changing a role", Role::Maintainer) {
            return;
        }
        let today = self.members.rows.iter().find(|member| member.user == user).map(|member| member.role);
        let item = |role: Role| {
            let about = match self.lacks(role) {
                Some(why) => why,
                None if today == Some(role) => format!("{} · now", role_about(role)),
                None => role_about(role).to_owned(),
            };
            Item::new(role.word(), &about, Choice::SetMember { user: user.clone(), role })
        };
        let title = format!("Role of {}", clean::line(&user));
        self.open_picker(Picker::new(&title, ROLES.map(item).into()));
    }

    /// Gives somebody a role in the project that is shown.
    pub fn set_member(&mut self, user: String, role: Role) {
        let Some(project) = self.shown_path() else { return };
        if !self.stopped_by_role(&format!("giving the role {}", role.word()), role) {
            self.ask(Purpose::MemberAct(project.clone()), Request::SetMember { project, user, role });
        }
    }

    fn ask_removal(&mut self, member: Member) {
        if self.stopped_by_role("removing a member", Role::Maintainer)
            || self.stopped_by_role("removing this member", member.role)
        {
            return;
        }
        let path = self.shown_path().unwrap_or_default();
        let title = format!("Remove {} from {}?", clean::line(&member.user), clean::line(&path));
        let yes = Choice::RemoveMember(member.user);
        let items = vec![
            Item::new("no", "nothing changes", Choice::Nothing),
            Item::new("yes", "they see nothing of the project from then on; their notes stay", yes),
        ];
        self.open_picker(Picker::new(&title, items));
    }

    /// Takes somebody out of the project that is shown.
    pub fn remove_member(&mut self, user: String) {
        let Some(project) = self.shown_path() else { return };
        self.ask(Purpose::MemberAct(project.clone()), Request::RemoveMember { project, user });
    }
}
