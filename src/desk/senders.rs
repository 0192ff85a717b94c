//! Lists of senders: the lines that staff keep, and what they say of a mail.
//!
//! Of the lines that fit a mail the most exact one counts: an address before a domain, a domain before
//! those below it, and patterns last. Of two that are alike a project's line goes before the desk's, and
//! keeping out before letting in.

use super::txn::{self, Txn};
use super::{Acting, Desk};
use crate::domain::{
    EmailAddress, Fault, FaultKind, Project, ProjectId, Response, Rights, Role, Sender, SenderChange,
    SenderRule, SenderScope, SenderVerdict, SenderView,
};
use crate::mail::{self, Message};
use crate::store::record::sender_key;
use regex::{Regex, RegexBuilder};
use std::collections::BTreeMap;
use std::sync::{PoisonError, RwLock, RwLockReadGuard};

/// Octets of a line, and of what a pattern may become in memory.
const PATTERN: usize = 500;
const COMPILED: usize = 1 << 20;

/// Every line, ready to be compared with mail; follows what is committed.
#[derive(Default)]
pub(super) struct Lists {
    lines: RwLock<BTreeMap<Vec<u8>, Line>>,
}

struct Line {
    sender: Sender,
    /// Nothing where a newer version wrote what this one cannot read.
    matcher: Option<Matcher>,
}

/// What a line fits, the most exact first.
#[derive(Debug)]
enum Matcher {
    Address(String),
    Domain(String),
    /// A domain with everything below it.
    Below(String),
    Text(Regex),
    Header(String, Regex),
}

impl Lists {
    /// Takes note of what was committed under a key.
    pub fn follow(&self, key: &[u8], sender: Option<&Sender>) {
        match sender {
            Some(sender) => self.put(sender.clone()),
            None => drop(self.lines.write().unwrap_or_else(PoisonError::into_inner).remove(key)),
        }
    }

    pub fn put(&self, sender: Sender) {
        let matcher = Matcher::parse(&sender.pattern).map(|(_, matcher)| matcher).ok();
        let key = sender_key(sender.project, &sender.pattern);
        self.lines.write().unwrap_or_else(PoisonError::into_inner).insert(key, Line { sender, matcher });
    }

    fn read(&self) -> RwLockReadGuard<'_, BTreeMap<Vec<u8>, Line>> {
        self.lines.read().unwrap_or_else(PoisonError::into_inner)
    }

    /// Gives the line that counts for a mail to this project, or to none.
    pub fn find(
        &self,
        project: Option<ProjectId>,
        from: Option<&EmailAddress>,
        message: Option<&Message>,
    ) -> Option<Sender> {
        let lines = self.read();
        let ours = |line: &&Line| line.sender.project.is_none() || line.sender.project == project;
        let found = lines.values().filter(ours).filter_map(|line| {
            let matcher = line.matcher.as_ref().filter(|matcher| matcher.fits(from, message))?;
            Some(((matcher.rank(), line.sender.project.is_some(), line.sender.rule), &line.sender))
        });
        found.max_by_key(|(order, _)| *order).map(|(_, sender)| sender.clone())
    }

    fn all(&self, wanted: impl Fn(&Sender) -> bool) -> Vec<Sender> {
        self.read().values().map(|line| &line.sender).filter(|sender| wanted(sender)).cloned().collect()
    }
}

impl Matcher {
    /// Reads a line; gives it as it is kept, too.
    fn parse(text: &str) -> Result<(String, Self), String> {
        let text = text.trim();
        if text.is_empty() || text.len() > PATTERN || text.chars().any(char::is_control) {
            return Err(format!("a line has 1 to {PATTERN} characters"));
        }
        if let Some(rest) = text.strip_prefix("header:") {
            let (name, pattern) = rest.split_once('=').ok_or("a header is written as header:Name=pattern")?;
            let name = name.trim();
            if name.is_empty() || name.contains([' ', ':']) {
                return Err(format!("`{name}` is not the name of a header"));
            }
            let (kept, regex) = pattern_of(pattern.trim())?;
            return Ok((format!("header:{name}={kept}"), Self::Header(name.to_owned(), regex)));
        }
        if text.starts_with('/') && text.ends_with('/') && text.len() > 2 {
            let (kept, regex) = pattern_of(text)?;
            return Ok((kept, Self::Text(regex)));
        }
        let text = text.to_lowercase();
        let below = text.strip_prefix("*.").map(str::to_owned);
        if let Some(domain) = below.filter(|domain| is_domain(domain)) {
            return Ok((text, Self::Below(domain)));
        }
        let domain = text.strip_prefix('@').unwrap_or(&text);
        if is_domain(domain) {
            return Ok((domain.to_owned(), Self::Domain(domain.to_owned())));
        }
        if text.contains(['*', '?']) {
            let (kept, regex) = pattern_of(&text)?;
            return Ok((kept, Self::Text(regex)));
        }
        match EmailAddress::parse(&text) {
            Some(address) => Ok((address.key(), Self::Address(address.key()))),
            None => Err(format!("`{text}` is neither an address nor a domain nor a pattern")),
        }
    }

    /// Gives how exact it is.
    fn rank(&self) -> u8 {
        match self {
            Self::Address(_) => 3,
            Self::Domain(_) => 2,
            Self::Below(_) => 1,
            Self::Text(_) | Self::Header(..) => 0,
        }
    }

    fn fits(&self, from: Option<&EmailAddress>, message: Option<&Message>) -> bool {
        if let Self::Header(name, regex) = self {
            return message.is_some_and(|m| m.header_all(name).any(|value| regex.is_match(value)));
        }
        let Some(address) = from.map(EmailAddress::key) else { return false };
        let domain = address.rsplit_once('@').map_or("", |(_, domain)| domain);
        match self {
            Self::Address(wanted) => *wanted == address,
            Self::Domain(wanted) => wanted == domain,
            Self::Below(wanted) => domain
                .strip_suffix(wanted.as_str())
                .is_some_and(|rest| rest.is_empty() || rest.ends_with('.')),
            Self::Text(regex) => regex.is_match(&address),
            Self::Header(..) => false,
        }
    }
}

fn is_domain(text: &str) -> bool {
    let word = |w: &str| !w.is_empty() && w.chars().all(|c| c.is_alphanumeric() || c == '-' || c == '_');
    text.contains('.') && text.split('.').all(word)
}

/// Reads `/a regular expression/`, or a text in which `*` and `?` stand for any others.
fn pattern_of(text: &str) -> Result<(String, Regex), String> {
    let inner = text.strip_prefix('/').and_then(|rest| rest.strip_suffix('/')).filter(|i| !i.is_empty());
    let source = match inner {
        Some(inner) => inner.to_owned(),
        None if text.is_empty() => return Err("the pattern is empty".to_owned()),
        None => format!("^{}$", regex::escape(text).replace("\\*", ".*").replace("\\?", ".")),
    };
    let built = RegexBuilder::new(&source)
        .case_insensitive(true)
        .dot_matches_new_line(true)
        .size_limit(COMPILED)
        .dfa_size_limit(COMPILED)
        .build();
    built.map(|regex| (text.to_owned(), regex)).map_err(|error| match error {
        regex::Error::CompiledTooBig(_) => format!("the pattern `{text}` is too large"),
        error => {
            error.to_string().lines().last().unwrap_or_default().trim_start_matches("error: ").to_owned()
        }
    })
}

impl Desk {
    pub(super) async fn load_senders(&self) -> Result<(), Fault> {
        for sender in txn::all::<Sender>(&self.inner.store, &[]).await? {
            self.inner.senders.put(sender);
        }
        Ok(())
    }

    pub(super) async fn senders(
        &self,
        acting: &Acting,
        scope: Option<&SenderScope>,
    ) -> Result<Response, Fault> {
        let wanted = match scope {
            None => None,
            Some(scope) => Some(self.scope_id(&acting.rights, scope).await?),
        };
        let seen = |sender: &Sender| sender.project.is_none_or(|id| acting.rights.may(id, Role::Reporter));
        let found = self.inner.senders.all(|s| wanted.is_none_or(|id| s.project == id) && seen(s));
        self.shown_senders(found).await.map(Response::Senders)
    }

    async fn scope_id(&self, rights: &Rights, scope: &SenderScope) -> Result<Option<ProjectId>, Fault> {
        Ok(match scope {
            SenderScope::Desk => None,
            SenderScope::Project(path) => Some(self.project_by_path(rights, path).await?.id),
        })
    }

    async fn shown_senders(&self, senders: Vec<Sender>) -> Result<Vec<SenderView>, Fault> {
        let projects = self.all_projects().await?;
        let path = |id: ProjectId| projects.iter().find(|p: &&Project| p.id == id).map(|p| p.path.clone());
        let mut views = Vec::with_capacity(senders.len());
        for sender in senders {
            let reference = match sender.issue {
                Some(id) => self.reference_of(id).await.ok(),
                None => None,
            };
            views.push(SenderView {
                project: sender.project.and_then(path),
                pattern: sender.pattern,
                rule: sender.rule,
                by: sender.by,
                at: sender.at,
                reference,
            });
        }
        Ok(views)
    }

    pub(super) async fn test_sender(
        &self,
        acting: &Acting,
        scope: &SenderScope,
        address: Option<EmailAddress>,
        raw: &[u8],
    ) -> Result<Response, Fault> {
        let project = self.scope_id(&acting.rights, scope).await?;
        let message = if raw.is_empty() { None } else { Some(mail::read(raw)) };
        let message = message.transpose().map_err(|error| Fault::refused(error.to_string()))?;
        let from = address.or_else(|| message.as_ref()?.from.as_ref().map(|from| from.email.clone()));
        let found = self.inner.senders.find(project, from.as_ref(), message.as_ref());
        let line = self.shown_senders(found.into_iter().collect()).await?.pop();
        let project = match scope {
            SenderScope::Desk => None,
            SenderScope::Project(path) => Some(path.clone()),
        };
        let rule = line.as_ref().map(|line| line.rule);
        Ok(Response::SenderVerdict(Box::new(SenderVerdict { project, rule, line })))
    }

    pub(super) async fn set_sender(
        &self,
        acting: &Acting,
        scope: &SenderScope,
        pattern: &str,
        rule: SenderRule,
    ) -> Result<Response, Fault> {
        let (pattern, _) = Matcher::parse(pattern).map_err(|why| {
            Fault::usage(why)
                .hint("write an address, a domain, *.example.com, a pattern, /regex/ or header:Name=pattern")
        })?;
        let project = self.scope_id(&acting.rights, scope).await?;
        self.list_line(acting, project, pattern, rule).await
    }

    /// Writes one line as a verb of its own; `pattern` is in the form in which lines are kept.
    pub(super) async fn list_line(
        &self,
        acting: &Acting,
        project: Option<ProjectId>,
        pattern: String,
        rule: SenderRule,
    ) -> Result<Response, Fault> {
        let (_gate, mut txn) = self.begin().await;
        let sender =
            Sender { project, pattern, rule, by: acting.user.name.clone(), at: txn.now, issue: None };
        let label = format!("{} {}", past(rule), sender.pattern);
        self.write_sender(&mut txn, sender.clone()).await?;
        self.finish_senders(txn, acting, label).await?;
        self.shown_senders(vec![sender]).await.map(Response::Senders)
    }

    pub(super) async fn remove_sender(
        &self,
        acting: &Acting,
        scope: Option<&SenderScope>,
        pattern: &str,
    ) -> Result<Response, Fault> {
        let asked = Matcher::parse(pattern).map_or_else(|_| pattern.trim().to_owned(), |(kept, _)| kept);
        let wanted = match scope {
            None => None,
            Some(scope) => Some(self.scope_id(&acting.rights, scope).await?),
        };
        let (_gate, mut txn) = self.begin().await;
        let keeps = |s: &Sender| match s.project {
            Some(project) => acting.rights.may(project, Role::Maintainer),
            None => scope.is_some() || acting.rights == Rights::All,
        };
        let on_list = |s: &Sender| s.pattern == asked && wanted.is_none_or(|id| s.project == id);
        let found = self.inner.senders.all(|s| on_list(s) && keeps(s));
        let sender = match found.as_slice() {
            [only] => only.clone(),
            [] => {
                return Err(Fault::not_found(format!("no list of senders has `{asked}`"))
                    .hint("`deskbell sender list` shows them"));
            }
            _ => {
                return Err(Fault::usage(format!("`{asked}` stands on more than one list"))
                    .hint("say which: --project PATH or --desk"));
            }
        };
        if sender.project.is_none() && scope.is_none() && !acting.user.owner {
            return Err(Fault::new(
                FaultKind::NotAllowed,
                "only an owner changes the desk's list of senders",
            ));
        }
        txn.remove::<Sender>(sender_key(sender.project, &sender.pattern));
        txn.deed().senders.push(SenderChange { before: Some(sender.clone()), after: None });
        self.finish_senders(txn, acting, format!("took {asked} off the list of senders")).await?;
        self.shown_senders(vec![sender]).await.map(Response::Senders)
    }

    async fn finish_senders(&self, mut txn: Txn<'_>, acting: &Acting, label: String) -> Result<(), Fault> {
        txn.deed().label = label;
        txn.deed().undoable = !txn.deed().senders.is_empty();
        self.finish(txn, acting.actor(), None, Some(acting.request.clone())).await.map(drop)
    }

    /// Writes a line and notes in the verb what stood there; the same rule again changes nothing.
    pub(super) async fn write_sender(&self, txn: &mut Txn<'_>, sender: Sender) -> Result<(), Fault> {
        let before = txn.get::<Sender>(&sender_key(sender.project, &sender.pattern)).await?;
        if before.as_ref().is_some_and(|before| before.rule == sender.rule) {
            return Ok(());
        }
        txn.put(&sender)?;
        txn.deed().senders.push(SenderChange { before, after: Some(sender) });
        Ok(())
    }

    /// Sets a line to what it was before a verb, or after it. Refuses where somebody changed it since.
    pub(super) async fn restore_sender(
        &self,
        txn: &mut Txn<'_>,
        change: &SenderChange,
        back: bool,
    ) -> Result<(), Fault> {
        let (from, to) = if back { (&change.after, &change.before) } else { (&change.before, &change.after) };
        let Some(line) = from.as_ref().or(to.as_ref()) else { return Ok(()) };
        let key = sender_key(line.project, &line.pattern);
        let now = txn.get::<Sender>(&key).await?;
        if now.as_ref().map(|s| s.rule) != from.as_ref().map(|s| s.rule) {
            let who = now.map_or("somebody".to_owned(), |now| now.by);
            return Err(Fault::refused(format!("{who} changed the line `{}` since", line.pattern))
                .hint("`deskbell sender list` shows the lists; change it by hand"));
        }
        match to {
            Some(to) => txn.put(to),
            None => {
                txn.remove::<Sender>(key);
                Ok(())
            }
        }
    }
}

/// Gives the line that names this address and no other, whatever signs it holds.
pub(super) fn line_of(email: &EmailAddress) -> String {
    let key = email.key();
    match Matcher::parse(&key) {
        Ok((kept, Matcher::Address(_))) => kept,
        _ => format!("/^{}$/", regex::escape(&key)),
    }
}

fn past(rule: SenderRule) -> &'static str {
    match rule {
        SenderRule::Allow => "allowed",
        SenderRule::Block => "blocked",
        SenderRule::Quarantine => "set aside mail of",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fits(pattern: &str, from: &str) -> bool {
        let message = crate::mail::read(b"X-Campaign: Spring Sale 7\r\n\r\n").unwrap();
        let from = EmailAddress::parse(from);
        Matcher::parse(pattern).unwrap().1.fits(from.as_ref(), Some(&message))
    }

    #[test]
    fn a_line_fits_what_it_says_and_nothing_else() {
        for (pattern, from, expected) in [
            ("ada@example.com", "ADA@example.com", true),
            ("ada@example.com", "bada@example.com", false),
            ("example.com", "x@example.com", true),
            ("@Example.com", "x@example.com", true),
            ("example.com", "x@a.example.com", false),
            ("example.com", "x@badexample.com", false),
            ("*.example.com", "x@a.b.example.com", true),
            ("*.example.com", "x@example.com", true),
            ("*.example.com", "x@badexample.com", false),
            ("sales-?@*", "sales-7@a.example", true),
            ("sales-?@*", "presales-7@a.example", false),
            ("/^(win|prize)/", "prize@a.example", true),
            ("/^(win|prize)/", "x@win.example", false),
            ("header:x-campaign=*sale*", "x@a.example", true),
            ("header:x-campaign=/sale \\d+$/", "x@a.example", true),
            ("header:x-other=*", "x@a.example", false),
        ] {
            assert_eq!(fits(pattern, from), expected, "{pattern} {from}");
        }
    }

    #[test]
    fn an_address_that_looks_like_a_pattern_hides_nobody_else() {
        for hostile in ["*@example.com", "a?@example.com", "/x/@example.com", "ada@example.com"] {
            let Some(email) = EmailAddress::parse(hostile) else { continue };
            assert!(fits(&line_of(&email), hostile), "{hostile}");
            assert!(!fits(&line_of(&email), "ab@example.com"), "{hostile}");
        }
    }

    #[test]
    fn what_cannot_be_a_line_is_refused() {
        let large = format!("/{}/", "(a{1000}){1000}");
        for bad in ["", "  ", "ada", "a b@c", "header:=x", "header:X", "header:X=", "/(/", &large] {
            assert!(Matcher::parse(bad).is_err(), "{bad}");
        }
        assert!(Matcher::parse(&"x".repeat(PATTERN + 1)).is_err());
    }

    #[test]
    fn the_most_exact_line_counts_then_the_projects_own_then_keeping_out() {
        let lists = Lists::default();
        let line = |project: Option<u64>, pattern: &str, rule| Sender {
            project: project.map(ProjectId),
            pattern: pattern.to_owned(),
            rule,
            by: "mia".to_owned(),
            at: jiff::Timestamp::UNIX_EPOCH,
            issue: None,
        };
        let from = EmailAddress::parse("ada@example.com").unwrap();
        let rule = |project| lists.find(Some(ProjectId(project)), Some(&from), None).map(|s| s.rule);
        assert_eq!(rule(1), None);
        lists.put(line(None, "*@example.com", SenderRule::Allow));
        lists.put(line(None, "ada@*", SenderRule::Block));
        assert_eq!(rule(1), Some(SenderRule::Block));
        lists.put(line(Some(1), "/ada/", SenderRule::Allow));
        assert_eq!((rule(1), rule(2)), (Some(SenderRule::Allow), Some(SenderRule::Block)));
        lists.put(line(None, "example.com", SenderRule::Quarantine));
        assert_eq!(rule(1), Some(SenderRule::Quarantine));
        lists.put(line(None, "ada@example.com", SenderRule::Allow));
        assert_eq!(rule(1), Some(SenderRule::Allow));
    }
}
