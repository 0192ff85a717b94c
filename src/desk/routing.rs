//! Addresses: which project or issue a mail was sent to, and which addresses a project has.
//!
//! Keys in addresses take the forms that GitLab gives them, so that published addresses live on:
//! `<slug>-<id>-issue-`, `<slug>-<suffix>`, the older `group/project`, and the reply keys.

use crate::config::{AddressPattern, Config, DEFAULT_OUTLET};
use crate::domain::{
    CUSTOM_VERIFY, CustomState, EmailAddress, Fault, Project, ProjectId, custom_key, custom_with, slug,
};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Octets that a local part may have (RFC 5321, section 4.5.3.1.1).
const LOCAL_PART: usize = 64;
/// Characters of a reply key: 128 bits in base 36.
pub const REPLY_KEY: usize = 25;
const UNSUBSCRIBE: &str = "-unsubscribe";
/// Longest suffix (as GitLab has it).
const SUFFIX: usize = 255;

/// A way in, as far as addresses and trust go.
#[derive(Clone, Debug)]
pub struct WayIn {
    pub name: String,
    pub pattern: AddressPattern,
    /// Where mail without a key goes.
    pub project: Option<String>,
    pub outlet: Option<String>,
    pub own_lists: Vec<String>,
    pub trusted_authserv_ids: Vec<String>,
    /// The header fields in which filters on the way are believed, in lower case.
    pub trusted_spam_headers: Vec<String>,
    /// Octets of a whole mail.
    pub max_size: u64,
}

/// A way out, as far as letters need to know.
#[derive(Clone, Debug)]
pub struct WayOut {
    /// `None` is `[smtp]`.
    pub name: Option<String>,
    pub from: EmailAddress,
    /// Octets of a whole mail.
    pub max_size: u64,
}

/// What the config says of ways in and out.
#[derive(Clone, Debug, Default)]
pub struct Ways {
    pub mailboxes: Vec<WayIn>,
    pub outlets: Vec<WayOut>,
    /// What `%{ISSUE_URL}` gives, before its own placeholders are filled.
    pub issue_url: String,
    /// Where the page to unsubscribe on is served, without a slash at the end.
    pub web: Option<String>,
    /// How long a send from the TUI can be taken back.
    pub undo_window: Duration,
    /// After how long a failure makes the desk stale.
    pub stale_after: Duration,
    /// Where relative template folders are looked for.
    pub config_dir: PathBuf,
    /// Who is asked whether mail is wanted.
    pub spam: crate::config::Spam,
    /// The names of the hooks that rules may run.
    pub hooks: Vec<String>,
}

/// What the key in an address asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum KeyKind {
    Reply(String),
    Unsubscribe(String),
    Project(ProjectId),
    /// The way back of the mail that verifies the custom address of a project.
    Verify(ProjectId),
    /// An issue by its number in the project.
    Issue(ProjectId, u64),
}

/// What one address of a mail stands for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hit {
    pub kind: KeyKind,
    /// The address as it stood in the mail.
    pub address: String,
    /// Whether it is one without a key, so that answers must be found by their Message-IDs.
    pub plain: bool,
}

impl Ways {
    /// Takes what letters and addresses need out of the config. Disabled mailboxes are no way in.
    pub fn of(config: &Config, config_dir: &Path) -> Self {
        let mailboxes = config.mailboxes.values().filter(|m| m.enabled).map(|m| WayIn {
            name: m.name.clone(),
            pattern: m.address.clone(),
            project: m.project.clone(),
            outlet: m.outlet.clone(),
            own_lists: m.own_lists.clone(),
            trusted_authserv_ids: m.trusted_authserv_ids.clone(),
            trusted_spam_headers: m.trusted_spam_headers.clone(),
            max_size: m.max_size,
        });
        let mailboxes: Vec<WayIn> = mailboxes.collect();
        let anyone = mailboxes.iter().find_map(|way| way.pattern.plain());
        let outlets = config.outlets.iter().filter_map(|(name, outlet)| {
            Some(WayOut {
                name: (name != DEFAULT_OUTLET).then(|| name.clone()),
                from: outlet.from.clone().or_else(|| anyone.clone())?,
                max_size: outlet.max_size,
            })
        });
        Self {
            outlets: outlets.collect(),
            mailboxes,
            issue_url: config.web.as_ref().and_then(|web| web.issue_url.clone()).unwrap_or_default(),
            web: config.web.as_ref().map(|web| web.base_url.trim_end_matches('/').to_owned()),
            undo_window: config.outlet(None).map_or(Duration::ZERO, |outlet| outlet.undo_window),
            stale_after: config.serve.stale_after,
            config_dir: config_dir.to_owned(),
            spam: config.spam.clone(),
            hooks: config.hooks.named.keys().cloned().collect(),
        }
    }

    /// Finds the way in of this name.
    pub fn mailbox(&self, name: &str) -> Option<&WayIn> {
        self.mailboxes.iter().find(|way| way.name == name)
    }

    /// Finds the way out of this name, else the default one.
    pub fn outlet(&self, name: Option<&str>) -> Option<&WayOut> {
        let named = |wanted: Option<&str>| self.outlets.iter().find(|way| way.name.as_deref() == wanted);
        named(name).or_else(|| named(None)).or_else(|| self.outlets.first())
    }

    /// Tells what an address of a mail stands for; `None` when it is not one that makes or finds issues.
    pub fn hit(&self, address: &str, projects: &[Project]) -> Option<Hit> {
        let keyed = self.mailboxes.iter().filter(|way| way.pattern.keyed).find_map(|way| {
            let key = way.pattern.key_of(address)?;
            self.key_kind(&way.pattern, &key, projects)
        });
        if let Some(kind) = keyed {
            return Some(Hit { kind, address: address.to_owned(), plain: false });
        }
        if let Some(kind) = projects.iter().find_map(|project| custom_kind(project, address)) {
            return Some(Hit { kind, address: address.to_owned(), plain: false });
        }
        let project = self.plain_project(address, projects)?;
        Some(Hit { kind: KeyKind::Project(project), address: address.to_owned(), plain: true })
    }

    fn key_kind(&self, pattern: &AddressPattern, key: &str, projects: &[Project]) -> Option<KeyKind> {
        let key = key.to_lowercase();
        if let Some(kind) = reply_kind(&key) {
            return Some(kind);
        }
        if key.contains('/') {
            return by_path(&key, projects).map(KeyKind::Project);
        }
        if let Some((id, rotated, iid)) = default_key(&key) {
            let theirs = |p: &&Project| p.id == id && (iid.is_some() || p.address_key.as_deref() == rotated);
            return projects.iter().find(theirs).map(|p| match iid {
                Some(iid) => KeyKind::Issue(p.id, iid),
                None => KeyKind::Project(p.id),
            });
        }
        let names = |p: &&Project| suffix_keys(pattern, p).contains(&key);
        projects.iter().find(names).map(|p| KeyKind::Project(p.id))
    }

    /// Finds the project of an address without a key.
    fn plain_project(&self, address: &str, projects: &[Project]) -> Option<ProjectId> {
        let address = EmailAddress::parse(address)?;
        let own = |p: &&Project| has_own(p, &address);
        if let Some(project) = projects.iter().find(own) {
            return Some(project.id);
        }
        let way = self.mailboxes.iter().find(|way| way.pattern.plain().as_ref() == Some(&address))?;
        self.project_of_mailbox(way, projects)
    }

    /// Finds where mail without a key goes that came by a mailbox: the project it names, else the only one.
    pub fn project_of_mailbox(&self, way: &WayIn, projects: &[Project]) -> Option<ProjectId> {
        match (&way.project, projects) {
            (Some(path), _) => by_path(path, projects),
            (None, [only]) => Some(only.id),
            _ => None,
        }
    }

    /// Tells whether an address is one of the desk's own, so that it is never mailed nor taken for a person.
    pub fn is_ours(&self, address: &EmailAddress, projects: &[Project]) -> bool {
        self.outlets.iter().any(|way| &way.from == address) || self.leads_here(address, projects)
    }

    /// Tells whether a project's own sender address would be one that the desk has already; that of the outlet
    /// which sends for it is no other.
    pub fn is_taken(&self, address: &EmailAddress, outlet: Option<&str>, others: &[Project]) -> bool {
        let of_another = |way: &WayOut| &way.from == address && way.name.as_deref() != outlet;
        self.outlets.iter().any(of_another) || self.leads_here(address, others)
    }

    fn leads_here(&self, address: &EmailAddress, projects: &[Project]) -> bool {
        let by_mailbox = |way: &WayIn| {
            // In a catch-all domain only the keys that mean something are ours.
            let catch_all = way.pattern.prefix.is_empty() && way.pattern.tail.is_empty();
            let means = |key: String| !catch_all || self.key_kind(&way.pattern, &key, projects).is_some();
            way.pattern.plain().as_ref() == Some(address)
                || way.pattern.key_of(address.as_str()).is_some_and(means)
        };
        let custom = |p: &Project| {
            p.settings.custom_email.as_ref().is_some_and(|own| custom_key(own, address.as_str()).is_some())
        };
        let by_project = |p: &Project| has_own(p, address) || custom(p);
        self.mailboxes.iter().any(by_mailbox) || projects.iter().any(by_project)
    }

    /// Lists every address that reaches a project, the one to publish first.
    pub fn addresses(&self, project: &Project, projects: &[Project]) -> Vec<EmailAddress> {
        let mut found: Vec<EmailAddress> = project.settings.public_address.iter().cloned().collect();
        let wanted = project.settings.mailbox.as_deref();
        let (first, rest): (Vec<_>, Vec<_>) =
            self.mailboxes.iter().partition(|way| Some(way.name.as_str()) == wanted);
        for way in first.into_iter().chain(rest) {
            found.extend(suffix_address(&way.pattern, project));
            found.extend(default_address(&way.pattern, project));
            if self.project_of_mailbox(way, projects) == Some(project.id) && !way.pattern.keyed {
                found.extend(way.pattern.plain());
            }
        }
        found.extend(project.further.iter().map(|further| further.address.clone()));
        let mut seen = std::collections::HashSet::new();
        found.retain(|address| seen.insert(address.key()));
        found
    }

    /// Gives the address to which answers about a delivery come back: keyed where a mailbox has keys.
    ///
    /// In front of a project with a public address no other domain is shown: without keys under that
    /// domain it is the public address itself, and answers are found by their Message-IDs.
    pub fn reply_address(&self, mailbox: Option<&str>, project: &Project, key: &str) -> Option<EmailAddress> {
        self.keyed(mailbox, project, key).or_else(|| project.settings.public_address.clone())
    }

    /// Gives the link that unsubscribes whoever follows it.
    pub fn unsubscribe_link(&self, mailbox: Option<&str>, project: &Project, key: &str) -> Option<String> {
        if let Some(address) = self.keyed(mailbox, project, &format!("{key}{UNSUBSCRIBE}")) {
            return Some(crate::mail::unsubscribe_link(&address, None));
        }
        let public = project.settings.public_address.as_ref()?;
        Some(crate::mail::unsubscribe_link(public, Some(key)))
    }

    /// Gives the page on which the holder of a key unsubscribes, where one is served.
    pub fn unsubscribe_page(&self, key: &str) -> Option<String> {
        Some(format!("{}/unsubscribe/{key}", self.web.as_deref()?))
    }

    /// Puts a key into the address of a mailbox, one under the domain of the public address if there is one.
    fn keyed(&self, mailbox: Option<&str>, project: &Project, key: &str) -> Option<EmailAddress> {
        if let Some(custom) = self.custom(project) {
            return custom_with(custom, key);
        }
        let public = project.settings.public_address.as_ref().map(EmailAddress::domain);
        let fits = |way: &&WayIn| public.as_ref().is_none_or(|domain| *domain == way.pattern.domain);
        self.by_preference(mailbox, project).filter(fits).find_map(|way| way.pattern.with_key(key))
    }

    /// Gives the custom address of a project, if the desk writes from it: verified, switched on, and with
    /// an outlet that the config knows.
    pub fn custom<'p>(&self, project: &'p Project) -> Option<&'p EmailAddress> {
        let known = project.custom.as_ref()?;
        let outlet = project.settings.custom_email_outlet.as_ref()?;
        let there = self.outlets.iter().any(|way| way.name.as_ref() == Some(outlet));
        let on = there && known.enabled && known.state == CustomState::Finished;
        project.settings.custom_email.as_ref().filter(|_| on)
    }

    /// Gives the address to which one of the staff answers. No customer sees it, so that it may be under any
    /// domain.
    pub fn staff_address(
        &self,
        mailbox: Option<&str>,
        project: Option<&Project>,
        key: &str,
    ) -> Option<EmailAddress> {
        match project {
            Some(project) => self.by_preference(mailbox, project).find_map(|way| way.pattern.with_key(key)),
            None => self.mailboxes.iter().find_map(|way| way.pattern.with_key(key)),
        }
    }

    /// Gives the address at which an issue takes further mail, for the staff.
    pub fn issue_address(&self, mailbox: Option<&str>, project: &Project, iid: u64) -> Option<EmailAddress> {
        self.by_preference(mailbox, project).find_map(|way| {
            let tail = format!("-{}-issue-{iid}", project.id);
            let slug = cut_slug(&way.pattern, &project.path, &tail)?;
            way.pattern.with_key(&format!("{slug}{tail}"))
        })
    }

    /// Gives a plain address of ours for answers, where no mailbox has keys.
    pub fn plain_address(&self, mailbox: Option<&str>, project: &Project) -> Option<EmailAddress> {
        self.by_preference(mailbox, project).find_map(|way| way.pattern.plain())
    }

    /// Lists the mailboxes, those likeliest to suit an issue first.
    fn by_preference(&self, mailbox: Option<&str>, project: &Project) -> impl Iterator<Item = &WayIn> {
        let wanted = [mailbox.map(str::to_owned), project.settings.mailbox.clone()];
        let rank = move |way: &&WayIn| {
            wanted.iter().position(|name| name.as_deref() == Some(way.name.as_str())).unwrap_or(wanted.len())
        };
        let mut ways: Vec<&WayIn> = self.mailboxes.iter().collect();
        ways.sort_by_key(rank);
        ways.into_iter()
    }

    /// Checks a suffix for a project; the fault says what is wrong with it.
    pub fn check_suffix(&self, project: &Project, suffix: &str, projects: &[Project]) -> Result<(), Fault> {
        let patterns: Vec<_> = self.mailboxes.iter().map(|w| &w.pattern).filter(|p| p.keyed).collect();
        if patterns.is_empty() {
            return Err(Fault::refused(
                "no mailbox has `%{key}` in its address, so a suffix would do nothing",
            )
            .hint("give a mailbox an address such as `contact+%{key}@example.com`"));
        }
        let word = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
        if suffix.is_empty() || suffix.len() > SUFFIX || !suffix.chars().all(word) {
            return Err(Fault::usage(format!("`{suffix}` cannot be a suffix"))
                .hint("use 1 to 255 of a-z, 0-9 and underscore"));
        }
        let longest = patterns.iter().map(|p| p.prefix.len() + p.tail.len()).max().unwrap_or_default();
        if longest + suffix.len() + 2 > LOCAL_PART {
            return Err(Fault::refused(format!(
                "with the suffix `{suffix}` the part before the @ would be longer than {LOCAL_PART} octets"
            ))
            .hint("choose a shorter suffix"));
        }
        let mut with = project.clone();
        with.settings.suffix = Some(suffix.to_owned());
        let taken = |other: &&Project| {
            other.id != project.id
                && patterns.iter().any(|p| {
                    let theirs = suffix_keys(p, other);
                    suffix_keys(p, &with).iter().any(|key| theirs.contains(key))
                })
        };
        match projects.iter().find(taken) {
            Some(other) => Err(Fault::refused(format!(
                "the address with the suffix `{suffix}` already belongs to {}",
                other.path
            ))
            .hint("choose another suffix")),
            None => Ok(()),
        }
    }
}

/// Reads what every address with a reply key can ask for.
fn reply_kind(key: &str) -> Option<KeyKind> {
    if let Some(reply) = key.strip_suffix(UNSUBSCRIBE).filter(|k| is_reply_key(k)) {
        return Some(KeyKind::Unsubscribe(reply.to_owned()));
    }
    is_reply_key(key).then(|| KeyKind::Reply(key.to_owned()))
}

/// Reads an address made from the custom one of a project, whether the desk writes from that or not; with a
/// key that says nothing it is the project's.
fn custom_kind(project: &Project, address: &str) -> Option<KeyKind> {
    let key = custom_key(project.settings.custom_email.as_ref()?, address)?;
    match key == CUSTOM_VERIFY {
        true => Some(KeyKind::Verify(project.id)),
        false => Some(reply_kind(&key).unwrap_or(KeyKind::Project(project.id))),
    }
}

fn is_reply_key(key: &str) -> bool {
    key.len() == REPLY_KEY && key.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit())
}

/// Makes a reply key that nobody can guess.
pub fn new_reply_key() -> String {
    const DIGITS: &[u8; 36] = b"0123456789abcdefghijklmnopqrstuvwxyz";
    let mut number: u128 = rand::random();
    let mut key = String::with_capacity(REPLY_KEY);
    for _ in 0..REPLY_KEY {
        let digit = DIGITS.get((number % 36) as usize).copied().unwrap_or(b'0');
        key.push(char::from(digit));
        number /= 36;
    }
    key
}

/// Reads `<slug>-<id>-issue-`, `<slug>-<id>-<key>-issue-` once the key was changed, and an issue's own
/// `<slug>-<id>-issue-<iid>`: the project, the key, the issue's number.
fn default_key(key: &str) -> Option<(ProjectId, Option<&str>, Option<u64>)> {
    let (before, iid) = key.rsplit_once("-issue-")?;
    let iid = match iid {
        "" => None,
        digits => Some(digits.parse().ok()?),
    };
    let (slug, last) = before.rsplit_once('-')?;
    if let Ok(id) = last.parse() {
        return Some((ProjectId(id), None, iid));
    }
    let (_, id) = slug.rsplit_once('-')?;
    Some((ProjectId(id.parse().ok()?), Some(last), iid))
}

/// Tells whether somebody gave this address to a project, beside those that mailboxes give it.
fn has_own(project: &Project, address: &EmailAddress) -> bool {
    project.settings.public_address.as_ref() == Some(address)
        || project.settings.custom_email.as_ref() == Some(address)
        || project.further.iter().any(|further| &further.address == address)
}

/// Finds a project by a path that it has or had, without regard to case.
pub fn by_path(path: &str, projects: &[Project]) -> Option<ProjectId> {
    let same = |other: &String| other.eq_ignore_ascii_case(path);
    projects
        .iter()
        .find(|p| same(&p.path))
        .or_else(|| projects.iter().find(|p| p.former_paths.iter().any(same)))
        .map(|p| p.id)
}

fn paths(project: &Project) -> impl Iterator<Item = &String> {
    std::iter::once(&project.path).chain(&project.former_paths)
}

/// Cuts a slug so that the local part of the address stays within its limit.
fn cut_slug(pattern: &AddressPattern, path: &str, tail: &str) -> Option<String> {
    let room = LOCAL_PART.checked_sub(pattern.prefix.len() + pattern.tail.len() + tail.len())?;
    let cut: String = slug(path).chars().take(room).collect();
    (!cut.is_empty()).then_some(cut)
}

fn suffix_keys(pattern: &AddressPattern, project: &Project) -> Vec<String> {
    let Some(suffix) = &project.settings.suffix else { return Vec::new() };
    let tail = format!("-{suffix}");
    paths(project)
        .filter_map(|path| cut_slug(pattern, path, &tail).map(|slug| format!("{slug}{tail}")))
        .collect()
}

fn suffix_address(pattern: &AddressPattern, project: &Project) -> Option<EmailAddress> {
    suffix_keys(pattern, project).first().and_then(|key| pattern.with_key(key))
}

fn default_address(pattern: &AddressPattern, project: &Project) -> Option<EmailAddress> {
    let key = project.address_key.as_ref().map_or(String::new(), |key| format!("-{key}"));
    let tail = format!("-{}{key}-issue-", project.id);
    let slug = cut_slug(pattern, &project.path, &tail)?;
    pattern.with_key(&format!("{slug}{tail}"))
}
