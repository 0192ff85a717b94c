//! Rules: what the desk does by itself with issues that a query finds.

use super::ProjectId;
use serde::{Deserialize, Serialize};

/// When a rule looks at an issue.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RuleMoment {
    /// A mail came in, before anything is sent.
    #[default]
    Arrival,
    /// One of the staff changed or answered the issue.
    Change,
    /// Every minute.
    Time,
}

/// What can be said of a rule.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct RuleAbout {
    pub name: String,
    /// In the query language.
    pub query: String,
    pub on: RuleMoment,
    /// Quick actions, one a line.
    pub actions: String,
    /// Whether a new issue gets no thank-you mail.
    pub no_acknowledgement: bool,
    /// The canned reply that goes to the customer.
    pub reply: Option<String>,
    /// Users who are told.
    pub notify: Vec<String>,
    /// The command of `[hooks]` in the config that is run, by its name under `named`.
    pub hook: Option<String>,
    pub enabled: bool,
}

impl Default for RuleAbout {
    fn default() -> Self {
        Self {
            name: String::new(),
            query: String::new(),
            on: RuleMoment::default(),
            actions: String::new(),
            no_acknowledgement: false,
            reply: None,
            notify: Vec::new(),
            hook: None,
            enabled: true,
        }
    }
}

impl RuleAbout {
    /// Says what it does beside its quick actions, one thing a line.
    pub fn further(&self) -> Vec<String> {
        let reply = self.reply.iter().map(|name| format!("send the canned reply {name}"));
        let notify = (!self.notify.is_empty()).then(|| format!("tell {}", self.notify.join(", ")));
        let hook = self.hook.iter().map(|name| format!("run the hook {name}"));
        reply.chain(notify).chain(hook).collect()
    }
}

/// The rule that wrote a note.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ByRule {
    /// The project of the rule; none for the whole desk.
    pub project: Option<ProjectId>,
    pub name: String,
    /// The hook that it runs.
    #[serde(default)]
    pub hook: Option<String>,
}

/// A rule of a project, or of the whole desk.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rule {
    pub project: Option<ProjectId>,
    /// Rules are carried out in this order, those of the desk first.
    pub position: u32,
    pub about: RuleAbout,
}

/// A rule that a verb wrote, moved or took away: what stood there before it and after it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RuleChange {
    pub before: Option<Rule>,
    pub after: Option<Rule>,
}

/// A rule as front ends see it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RuleView {
    /// The path of its project; none for the whole desk.
    pub project: Option<String>,
    pub position: u32,
    pub about: RuleAbout,
}
