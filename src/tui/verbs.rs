//! The verbs of list and thread: what a key does to the issue in front, or to all that are marked.

use super::action::Action;
use super::app::App;
use super::asks::Purpose;
use super::input::Effect;
use super::life::FIELDS;
use super::overlay::{Ask, Prompt};
use super::picker::{Choice, Free, Item, Picker};
use crate::domain::moment::moment;
use crate::domain::{DraftKind, Edit, IssueRow, Priority, Reference, Request, User, counted};

impl App {
    /// Does an action on the list; tells whether it was one of its own.
    pub fn list_act(&mut self, action: Action) -> bool {
        if self.list.preview_focus && self.preview_act(action) {
            return true;
        }
        let page = i64::try_from(self.list_height()).unwrap_or(1);
        match action {
            Action::Down => self.move_selection(1),
            Action::Up => self.move_selection(-1),
            Action::Top => self.select(0),
            Action::Bottom => self.select(u64::MAX - 1),
            Action::HalfDown => self.move_selection(page / 2),
            Action::HalfUp => self.move_selection(-page / 2),
            Action::PageDown => self.move_selection(page - 1),
            Action::PageUp => self.move_selection(1 - page),
            Action::Open => self.open_selected(),
            Action::Back => self.list_back(false),
            Action::Leave => self.list_back(true),
            Action::Pane => self.list.preview_focus = self.preview.is_some(),
            Action::NextNote | Action::PrevNote => self.walk_preview(action == Action::NextNote),
            Action::NextHit => self.move_selection(1),
            Action::NextBest if self.is_search() => self.move_selection(-1),
            Action::Mark => self.toggle_mark(),
            Action::Range => self.toggle_range(),
            Action::MarkAll => self.toggle_all(),
            _ => return self.issue_act(action),
        }
        true
    }

    fn walk_preview(&mut self, forward: bool) {
        let height = self.preview_height();
        if let Some(preview) = &mut self.preview {
            preview.walk(forward, height);
        }
    }

    fn preview_act(&mut self, action: Action) -> bool {
        let height = self.preview_height();
        let Some(preview) = &mut self.preview else { return false };
        let page = i64::try_from(height).unwrap_or(1);
        match action {
            Action::Down => preview.scroll(1, height),
            Action::Up => preview.scroll(-1, height),
            Action::HalfDown => preview.scroll(page / 2, height),
            Action::HalfUp => preview.scroll(-page / 2, height),
            Action::PageDown => preview.scroll(page - 1, height),
            Action::PageUp => preview.scroll(1 - page, height),
            Action::Top => preview.go_to(0, height),
            Action::Bottom => preview.go_to(usize::MAX, height),
            Action::Back | Action::Pane => self.list.preview_focus = false,
            _ => return false,
        }
        true
    }

    /// Takes off, one key at a time, what was put on the list; then, if that was meant, leaves the program.
    fn list_back(&mut self, leave: bool) {
        let escaped = self.list.anchor.is_some() || !self.list.marks.is_empty();
        if escaped {
            self.list.anchor = None;
            self.list.marks.clear();
        } else if self.list.view.is_none() {
            self.show_view_before();
        } else if leave {
            self.quit();
        } else {
            self.say("q leaves");
        }
    }

    fn open_selected(&mut self) {
        if let Some(reference) = self.list.current().and_then(|row| row.reference.parse().ok()) {
            self.open_issue(reference);
        }
    }

    /// Does an action on the thread; tells whether it was one of its own.
    pub fn thread_act(&mut self, action: Action) -> bool {
        let height = self.thread_height();
        let page = i64::try_from(height).unwrap_or(1);
        let search = self.is_search();
        match (action, &mut self.thread) {
            (Action::NextHit, _) => self.walk_hits(true),
            (Action::NextBest, _) if search => self.walk_hits(false),
            (Action::NextIssue, _) => self.step_issue(1),
            (Action::PrevIssue, _) => self.step_issue(-1),
            (Action::Pane, _) => {
                if let Some(composer) = &mut self.composer {
                    composer.focused = true;
                }
            }
            (Action::Down, Some(thread)) => thread.scroll(1, height),
            (Action::Up, Some(thread)) => thread.scroll(-1, height),
            (Action::HalfDown, Some(thread)) => thread.scroll(page / 2, height),
            (Action::HalfUp, Some(thread)) => thread.scroll(-page / 2, height),
            (Action::PageDown, Some(thread)) => thread.scroll(page - 1, height),
            (Action::PageUp, Some(thread)) => thread.scroll(1 - page, height),
            (Action::Top, Some(thread)) => thread.go_to(0, height),
            (Action::Bottom, Some(thread)) => thread.go_to(usize::MAX, height),
            (Action::NextNote, Some(thread)) => thread.walk(true, height),
            (Action::PrevNote, Some(thread)) => thread.walk(false, height),
            (Action::Open, Some(thread)) => {
                if !thread.toggle_fold(&self.theme) {
                    self.say("nothing is folded in this note");
                }
            }
            _ => return self.issue_act(action),
        }
        self.mark_shown_as_read();
        true
    }

    /// Does a verb that list and thread share; tells whether it was one.
    fn issue_act(&mut self, action: Action) -> bool {
        match action {
            Action::Reply => self.compose(DraftKind::Reply),
            Action::Comment => self.compose(DraftKind::Internal),
            Action::Editor => self.edit_in_editor(),
            Action::Close => self.change(vec![Edit::Close], true),
            Action::Reopen => self.change(vec![Edit::Reopen], false),
            Action::Take => self.change(vec![Edit::Assign("me".to_owned())], false),
            Action::Assign => self.ask(Purpose::Users, Request::Users),
            Action::HandOver => self.ask_hand_over(),
            Action::Follow => self.pick_followed(),
            Action::Labels => self.ask(Purpose::Labels, Request::Labels),
            Action::Priority => self.pick_priority(),
            Action::Snooze => {
                let targets = self.targets();
                self.ask_snooze(targets);
            }
            Action::Merge => self.ask_merge(),
            Action::Move => self.pick_project(),
            Action::Link => self.pick_link(),
            Action::Milestone => self.ask_milestones(),
            Action::Canned => self.ask_canned(),
            Action::Macros => self.ask_macros(),
            Action::Split => self.ask_split(),
            Action::Forward => self.ask_forward(),
            Action::SetStatus => self.pick_status(),
            Action::Unmerge => self.unmerge(),
            action if let Some(field) = FIELDS.iter().find(|field| field.action == action) => {
                self.ask_field(field);
            }
            Action::Spam => self.toggle_spam(),
            Action::Unread => self.mark_unread(),
            Action::Repeat => self.repeat(),
            Action::Copy => self.copy_reference(),
            Action::OpenLink => self.pick_file_or_link(),
            Action::Similar => self.ask_similar(),
            Action::Author => self.ask_author(),
            Action::History => {
                if let Some(reference) = self.target() {
                    self.ask(Purpose::History(reference.clone()), Request::History(reference));
                }
            }
            Action::Title => {
                let count = self.targets().len();
                let title = self.meant_rows().first().map_or(String::new(), |row| row.title.clone());
                let prompt = match count {
                    0 | 1 => Prompt::new(Ask::Title, "Title", &title, ""),
                    _ => Prompt::new(Ask::Title, &format!("One title for {count} issues"), "", ""),
                };
                self.open_prompt(prompt);
            }
            Action::Why => self.show_why(),
            Action::Raw => self.ask_raw(),
            Action::Original => self.ask_original(),
            Action::Images if !self.on_list() => self.toggle_images(),
            Action::Quote => self.quote(),
            Action::Own(number) => self.run_own(number),
            _ => return false,
        }
        true
    }

    fn edit_in_editor(&mut self) {
        if self.composer.is_none() || self.on_list() {
            self.compose_default();
        }
        self.composer_act(Action::Editor);
    }

    /// Tells whether the query holds words to find, so that there are hits to walk through.
    pub fn is_search(&self) -> bool {
        !self.sought.is_empty()
    }

    fn walk_hits(&mut self, forward: bool) {
        if !self.is_search() {
            return self.say("there is no search; / begins one");
        }
        let height = self.thread_height();
        let Some(thread) = &mut self.thread else { return };
        if !thread.walk_to(forward, height, |note| self.sought.is_in(&note.body)) {
            self.say("no further hit in this issue");
        }
    }

    /// Changes what is in front or marked.
    pub fn change(&mut self, edits: Vec<Edit>, advance: bool) {
        let references = self.targets();
        self.change_these(references, edits, advance);
    }

    /// Changes these issues.
    pub fn change_these(&mut self, references: Vec<Reference>, edits: Vec<Edit>, advance: bool) {
        if references.is_empty() {
            return self.say("no issue is selected");
        }
        self.last_edits.clone_from(&edits);
        let listed = self.on_list();
        self.ask(Purpose::Edit { advance, listed }, Request::Edit { references, edits });
    }

    fn repeat(&mut self) {
        match self.last_edits.clone() {
            edits if edits.is_empty() => self.say("nothing to repeat yet"),
            edits => self.change(edits, false),
        }
    }

    /// Gives the row of the issue in front.
    pub fn front_row(&self) -> Option<&IssueRow> {
        match &self.thread {
            Some(thread) if !self.on_list() => Some(&thread.view.row),
            _ => self.list.current(),
        }
    }

    fn toggle_spam(&mut self) {
        let all_spam = self.meant_rows().iter().all(|row| row.spam);
        self.change(vec![Edit::Spam(!all_spam)], true);
    }

    fn mark_unread(&mut self) {
        match self.targets().as_slice() {
            [] => return self.say("no issue is selected"),
            [only] => {
                let request = Request::MarkRead { reference: only.clone(), read: false };
                self.ask(Purpose::MarkRead, request);
            }
            many => {
                let request = Request::MarkManyRead { references: many.to_vec(), read: false };
                self.ask(Purpose::MarkRead, request);
            }
        }
        self.say("marked as unread");
        match self.on_list() {
            true => self.list.marks.clear(),
            false => self.go_back(),
        }
    }

    fn copy_reference(&mut self) {
        let all: Vec<String> = self.targets().iter().map(ToString::to_string).collect();
        if !all.is_empty() {
            let text = all.join("\n");
            self.say(format!("sent to the terminal's clipboard: {}", all.join(" ")));
            self.want(Effect::Copy(text));
        }
    }

    fn pick_priority(&mut self) {
        let items = [
            ("urgent", Some(Priority::Urgent)),
            ("high", Some(Priority::High)),
            ("normal", Some(Priority::Normal)),
            ("low", Some(Priority::Low)),
            ("none", None),
        ];
        let items = items.into_iter().map(|(name, p)| Item::new(name, "", Choice::Priority(p))).collect();
        self.open_picker(Picker::new("Priority", items));
    }

    /// Asks until when these are to be put aside.
    pub fn ask_snooze(&mut self, references: Vec<Reference>) {
        if references.is_empty() {
            return self.say("no issue is selected");
        }
        let hint = "2h, tomorrow, monday, 2026-12-01 14:00; empty wakes it now";
        self.open_prompt(Prompt::new(Ask::Snooze(references), "Snooze until", "", hint));
    }

    /// Puts aside until the moment that was typed.
    pub fn snooze(&mut self, references: Vec<Reference>, text: &str) {
        let until = match text.trim() {
            "" => None,
            text => match moment(text, self.now, &self.options.time_zone) {
                Some(until) if until > self.now => Some(until),
                _ => return self.complain(format!("`{text}` is no moment to come · 2h, tomorrow, monday")),
            },
        };
        self.change_these(references, vec![Edit::Snooze(until)], true);
    }

    /// Lets somebody be picked for the issue.
    pub fn take_users(&mut self, users: Vec<User>) {
        let me = self.me.as_ref().map(|me| me.name.clone());
        let mut items = vec![Item::new("nobody", "takes it off whoever has it", Choice::Unassign)];
        for user in users.iter().filter(|u| !u.removed) {
            let mine = me.as_ref() == Some(&user.name);
            let detail = match (mine, &user.full_name) {
                (true, _) => "you",
                (false, name) => name.as_deref().unwrap_or_default(),
            };
            let item = Item::new(&user.name, detail, Choice::Assign(user.name.clone()));
            if mine { items.insert(0, item) } else { items.push(item) }
        }
        self.users = users;
        self.open_picker(Picker::new("Assign to", items));
    }

    /// Lets a label be put on or taken off.
    pub fn take_labels(&mut self, labels: Vec<(String, u64)>) {
        let meant = self.meant_rows();
        let on_all = |label: &String| meant.iter().all(|row| row.labels.contains(label));
        let first = meant.first().map(|row| row.labels.clone()).unwrap_or_default();
        let on: Vec<String> = first.into_iter().filter(on_all).collect();
        let take_off =
            on.iter().map(|l| Item::new(l, "on it: Enter takes it off", Choice::Unlabel(l.clone())));
        let put_on = labels
            .iter()
            .filter(|(l, _)| !on.contains(l))
            .map(|(l, n)| Item::new(l, &counted(*n, "issue"), Choice::Label(l.clone())));
        let items = take_off.chain(put_on).collect();
        self.labels = labels;
        self.open_picker(Picker::new("Labels", items).free(Free::Label));
    }
}
