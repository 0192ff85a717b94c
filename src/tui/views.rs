//! Views on the screen: the tabs over the list, and the screen on which they are kept and ordered.

use super::action::Action;
use super::app::{App, Screen};
use super::asks::Purpose;
use super::clean;
use super::input::Effect;
use super::list::List;
use super::outbox::step;
use super::overlay::{Ask, Prompt};
use super::picker::{Choice, Item, Picker};
use crate::domain::{
    COLUMN_NAMES, Column, KeptFor, Query, Request, View, ViewFrom, ViewId, WAITING_VIEW, limit_in_words,
};

/// The state of the screen of views.
#[derive(Debug, Default)]
pub struct ViewsScreen {
    pub selected: usize,
}

impl List {
    /// Gives the view whose query this is; the one that is shown, where several have it.
    pub fn view_of(&self, query: &str) -> Option<usize> {
        let same = |at: &usize| self.views.get(*at).is_some_and(|view| view.about.query == query);
        self.view.filter(same).or_else(|| self.views.iter().position(|view| view.about.query == query))
    }

    /// Gives the view that is shown unchanged.
    pub fn shown_view(&self) -> Option<&View> {
        self.views.get(self.view?)
    }

    /// Remembers the shown view, for the way back to it.
    pub fn remember_view(&mut self) {
        self.filtered = self.shown_view().map(View::id).or(self.filtered.take());
    }

    /// Gives the view that was shown before something was looked for.
    fn view_before(&self) -> Option<usize> {
        let before = self.filtered.as_ref()?;
        self.views.iter().position(|view| view.id() == *before)
    }

    /// Gives the columns that the shown view has of its own.
    pub fn own_columns(&self) -> &[Column] {
        self.shown_view().map_or(&[], |view| view.about.columns.as_slice())
    }
}

impl App {
    /// Asks for the views and what they find.
    pub fn ask_views(&mut self) {
        self.ask(Purpose::Views, Request::Views);
    }

    /// Begins with the view of what waits on us, or the first.
    pub fn begin_with_view(&mut self) {
        let waiting = self.list.views.iter().position(|view| view.about.name == WAITING_VIEW).unwrap_or(0);
        self.list.view = Some(waiting);
        let query = self.list.shown_view().map(|view| view.about.query.clone());
        self.list.query = query.unwrap_or_default();
    }

    /// Shows the view in which something was looked for; without one, that of what waits on us, or the first.
    pub fn show_view_before(&mut self) {
        let waiting = || self.list.views.iter().position(|view| view.about.name == WAITING_VIEW);
        let view = self.list.view_before().or_else(waiting).unwrap_or(0);
        self.show_view(view);
    }

    /// Takes the views in; what the list shows stays.
    pub fn take_views(&mut self, views: Vec<View>) {
        let open = |views: &[View]| {
            views.iter().find(|view| view.about.query == "is:open").and_then(|view| view.unread)
        };
        let (before, after) = (open(&self.list.views), open(&views));
        let shown = self.list.shown_view().map(View::id);
        self.list.views = views;
        self.views.selected = self.views.selected.min(self.list.views.len().saturating_sub(1));
        let query = self.list.query.clone();
        let same = |view: &View| shown.as_ref() == Some(&view.id()) && view.about.query == query;
        self.list.view = self.list.views.iter().position(same);
        self.list.view = self.list.view_of(&query);
        let more = before.zip(after).map_or(0, |(before, after)| after.saturating_sub(before));
        if more > 0 {
            self.news(more);
        }
    }

    /// Shows the screen of views, the shown one in front.
    pub fn open_views(&mut self) {
        if let Some(view) = self.list.view {
            self.views.selected = view;
        }
        self.go_to(Screen::Views);
    }

    /// Does an action on the screen of views; tells whether it was one of its own.
    pub fn views_act(&mut self, action: Action) -> bool {
        let last = self.list.views.len().saturating_sub(1);
        if let Some(to) = step(action, self.views.selected, last, self.page()) {
            self.views.selected = to;
            return true;
        }
        if action == Action::AddView {
            let hint = "then its query; V on the list keeps what is shown";
            let ask = Ask::NewView { name: None, query: None };
            self.open_prompt(Prompt::new(ask, "Name of the new view", "", hint));
            return true;
        }
        let Some(view) = self.list.views.get(self.views.selected).cloned() else { return false };
        match action {
            Action::Open => {
                let at = self.views.selected;
                self.to_list();
                self.show_view(at);
            }
            Action::Change | Action::Editor => self.pick_view_setting(&view),
            Action::MoveUp => self.order_view(&view, false),
            Action::MoveDown => self.order_view(&view, true),
            Action::Remove => self.ask_view_removal(&view),
            Action::ShareView => self.pick_view_keeper(&view),
            Action::Copy => self.want(Effect::Copy(view.about.name)),
            _ => return false,
        }
        true
    }

    fn order_view(&mut self, view: &View, down: bool) {
        let at = self.views.selected;
        let to = if down { at.checked_add(1) } else { at.checked_sub(1) };
        let Some(to) = to.filter(|to| *to < self.list.views.len()) else { return };
        // It moves at once; the answer says the same.
        self.list.views.swap(at, to);
        self.views.selected = to;
        let query = self.list.query.clone();
        self.list.view = self.list.view_of(&query);
        let position = u32::try_from(to).unwrap_or(u32::MAX).saturating_add(1);
        let request = Request::OrderView { view: view.id(), position };
        let said = format!("{} is view {position}; z takes it back", clean::line(&view.about.name));
        self.ask(Purpose::ViewAct { said, chosen: Some(view.id()) }, request);
    }

    fn ask_view_removal(&mut self, view: &View) {
        let title = format!("Remove the view {}?", clean::line(&view.about.name));
        let what = match &view.from {
            ViewFrom::Program => "it is hidden from you; z brings it back",
            ViewFrom::Kept(KeptFor::Mine) => "its issues stay; z brings it back",
            ViewFrom::Kept(_) => "nobody has it any more; z brings it back",
        };
        let items = vec![
            Item::new("no", "nothing changes", Choice::Nothing),
            Item::new("yes", what, Choice::RemoveView(view.id())),
        ];
        self.open_picker(Picker::new(&title, items));
    }

    /// Asks who is to keep a view: oneself, a project, the desk. What one's role does not allow is refused.
    fn pick_view_keeper(&mut self, view: &View) {
        let name = clean::line(&view.about.name);
        let ViewFrom::Kept(now) = &view.from else {
            return self.say(format!("{name} comes with the program: everybody has it"));
        };
        let owner = self.me.as_ref().is_some_and(|me| me.owner);
        let item = |word: &str, about: &str, with: KeptFor| {
            let about = if with == *now { "now" } else { about };
            Item::new(word, about, Choice::ShareView(view.id(), with))
        };
        let mut items = vec![item("mine", "you alone have it", KeptFor::Mine)];
        for project in self.projects.iter().flatten() {
            let about = "everybody in the project has it; takes a maintainer";
            items.push(item(&project.path, about, KeptFor::Project(project.path.clone())));
        }
        items.push(match owner || *now == KeptFor::Desk {
            true => item("the desk", "everybody has it", KeptFor::Desk),
            false => {
                let why = "takes an owner of the desk";
                Item::new("the desk", why, Choice::Off(format!("sharing with the desk {why}")))
            }
        });
        self.open_picker(Picker::new(&format!("Who keeps the view {name}"), items));
    }

    /// Lets somebody else keep a view.
    pub fn share_view(&mut self, view: ViewId, with: KeptFor) {
        let name = clean::line(&view.name);
        let said = match &with {
            KeptFor::Mine => format!("{name} is yours alone; z takes it back"),
            KeptFor::Project(path) => format!("{} has {name}; z takes it back", clean::line(path)),
            KeptFor::Desk => format!("everybody has {name}; z takes it back"),
        };
        let chosen = ViewId { from: ViewFrom::Kept(with.clone()), name: view.name.clone() };
        self.ask(Purpose::ViewAct { said, chosen: Some(chosen) }, Request::ShareView { view, with });
    }

    /// Takes a view away.
    pub fn remove_view(&mut self, view: ViewId) {
        let said = format!("removed the view {}; z brings it back", clean::line(&view.name));
        self.ask(Purpose::ViewAct { said, chosen: None }, Request::RemoveView(view));
    }

    /// Asks under which name the query of the list is to be kept.
    pub fn ask_view_name(&mut self) {
        let query = self.list.query.clone();
        if let Err(fault) = Query::parse(&query) {
            return self.complain_of(&fault);
        }
        let hint = format!("a name for: {}", clean::line(&query));
        let ask = Ask::NewView { name: None, query: Some(query) };
        self.open_prompt(Prompt::new(ask, "Save as view", "", &hint));
    }

    /// Keeps a view of one's own; what is lacking, name or query, was typed now, or is asked for.
    pub fn add_view(&mut self, name: Option<String>, query: Option<String>, typed: String) {
        let (name, query) = match (name, query) {
            (_, None) if typed.is_empty() => return self.say("a view needs a name and a query"),
            (None, Some(_)) if typed.is_empty() => return self.say("a view needs a name"),
            (None, None) => {
                let hint = "such as is:open label:billing sort:waiting";
                let title = format!("Query of {}", clean::line(&typed));
                let ask = Ask::NewView { name: Some(typed), query: None };
                return self.open_prompt(Prompt::new(ask, &title, "is:open ", hint));
            }
            (None, Some(query)) => (typed, query),
            (Some(name), _) => (name, typed),
        };
        let settings = vec![("query".to_owned(), query)];
        let id = ViewId { from: ViewFrom::Kept(KeptFor::Mine), name: name.clone() };
        let said = format!("kept as the view {}; g v shows them all", clean::line(&name));
        let purpose = Purpose::ViewAct { said, chosen: Some(id) };
        self.ask(purpose, Request::SaveView { kept: KeptFor::Mine, name, settings, new: true });
    }

    fn pick_view_setting(&mut self, view: &View) {
        let id = view.id();
        let columns = columns_in_words(&view.about.columns);
        let limit = limit_in_words(view.about.limit);
        let sort = Query::parse(&view.about.query).map(|query| query.sort().to_string()).unwrap_or_default();
        let rows = [
            ("name", view.about.name.clone()),
            ("query", view.about.query.clone()),
            ("sort", sort),
            ("columns", columns),
            ("limit", limit),
        ];
        let item = |(key, value): (&'static str, String)| {
            Item::new(key, &clean::line(&value), Choice::ViewSetting(id.clone(), key))
        };
        let title = format!("Change the view {}", clean::line(&view.about.name));
        self.open_picker(Picker::new(&title, rows.into_iter().map(item).collect()));
    }

    /// Asks for another value of one thing of a view.
    pub fn ask_view_setting(&mut self, id: &ViewId, key: &'static str) {
        let Some(view) = self.list.views.iter().find(|view| view.id() == *id) else { return };
        let (value, hint) = match key {
            "name" => (view.about.name.clone(), "its name, in the tabs over the list".to_owned()),
            "query" => (view.about.query.clone(), "in the query language".to_owned()),
            "sort" => {
                (String::new(), "updated, created, waiting, priority, due, title, from; -asc or -desc".into())
            }
            "columns" if view.about.columns.is_empty() => (String::new(), column_hint()),
            "columns" => (columns_in_words(&view.about.columns), column_hint()),
            _ => {
                let limit = view.about.limit.map_or(String::new(), |limit| limit_in_words(Some(limit)));
                (limit, "how long one may wait on us: 30m, 4h, 2d, none".to_owned())
            }
        };
        let title = format!("{}: {key}", clean::line(&id.name));
        self.open_prompt(Prompt::new(Ask::ViewSetting(id.clone(), key), &title, &value, &hint));
    }

    /// Changes one thing of a view. What is changed of one of the program is kept as one's own.
    pub fn set_view(&mut self, id: ViewId, key: &str, value: String) {
        let kept = match &id.from {
            ViewFrom::Program => KeptFor::Mine,
            ViewFrom::Kept(kept) => kept.clone(),
        };
        let name = if key == "name" { value.clone() } else { id.name.clone() };
        let chosen = ViewId { from: ViewFrom::Kept(kept.clone()), name };
        let said = format!("changed the view {}; z takes it back", clean::line(&id.name));
        let settings = vec![(key.to_owned(), value)];
        let request = Request::SaveView { kept, name: id.name, settings, new: false };
        self.ask(Purpose::ViewAct { said, chosen: Some(chosen) }, request);
    }

    /// Learns that views were changed; the one that was stays selected, and shown.
    pub fn view_changed(&mut self, views: Vec<View>, said: String, chosen: Option<ViewId>) {
        let shown = self.list.shown_view().map(View::id);
        self.take_views(views);
        let at = chosen.and_then(|id| self.list.views.iter().position(|view| view.id() == id));
        if let Some(at) = at {
            self.views.selected = at;
            let was_shown = shown.is_none_or(|id| self.list.views.iter().all(|view| view.id() != id));
            let fits = self.list.views.get(at).is_some_and(|view| view.about.query == self.list.query);
            if was_shown && fits {
                self.list.view = Some(at);
            }
        }
        self.say(said);
    }
}

fn column_hint() -> String {
    let names = COLUMN_NAMES.map(|(name, _)| name).join(" ");
    format!("usual, or of: {names}")
}

/// Says which columns a view has.
pub fn columns_in_words(columns: &[Column]) -> String {
    match columns {
        [] => "usual".to_owned(),
        own => own.iter().map(|column| column.name()).collect::<Vec<_>>().join(" "),
    }
}
