//! Projects: who the mail is for, and every setting of theirs.

use super::{CustomEmail, CustomView, EmailAddress, Fault, ProjectId};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// Who may see a project elsewhere; it has no effect on mail.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Visibility {
    #[default]
    Private,
    Internal,
    Public,
}

/// What the composer opens with.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DefaultNote {
    #[default]
    Reply,
    Internal,
}

/// What happens with people in the Cc of a customer's mail.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ImportCc {
    Never,
    #[default]
    Ask,
    Always,
}

/// What happens to mail of people whom a project does not know.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Strangers {
    #[default]
    Accept,
    /// It waits in the intake for a person.
    Quarantine,
}

/// Everything that can be set for a project.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ProjectSettings {
    /// The mailbox whose address is published, by its name in the config.
    pub mailbox: Option<String>,
    pub suffix: Option<String>,
    pub public_address: Option<EmailAddress>,
    pub display_name: Option<String>,
    pub visibility: Visibility,
    pub confidential: bool,
    pub issue_template: Option<String>,
    pub templates_dir: Option<String>,
    pub thank_you: bool,
    pub closed_mail: bool,
    pub reopen_on_reply: bool,
    /// Whether an answer of the staff sets the status to pending.
    pub pending_on_reply: bool,
    pub default_note: DefaultNote,
    pub import_cc: ImportCc,
    /// Mail of people who are neither staff nor take part in any issue of the project.
    pub strangers: Strangers,
    pub one_mail_to_all: bool,
    pub labels: Vec<String>,
    pub assignee: Option<String>,
    pub signature: Option<String>,
    pub idle_warn_after: Option<String>,
    pub idle_close_after: Option<String>,
    pub time_zone: Option<String>,
    pub hours: Option<String>,
    pub holidays: Option<String>,
    pub repository: Option<String>,
    pub repository_branch: Option<String>,
    pub repository_fetch: bool,
    pub closing_pattern: Option<String>,
    pub tell_on_commit_close: bool,
    pub custom_email: Option<EmailAddress>,
    pub custom_email_outlet: Option<String>,
    /// Words that are for the staff only; the composer asks before it mails one.
    pub internal_words: Vec<String>,
}

impl Default for ProjectSettings {
    fn default() -> Self {
        Self {
            mailbox: None,
            suffix: None,
            public_address: None,
            display_name: None,
            visibility: Visibility::default(),
            confidential: true,
            issue_template: None,
            templates_dir: None,
            thank_you: true,
            closed_mail: false,
            reopen_on_reply: true,
            pending_on_reply: false,
            default_note: DefaultNote::default(),
            import_cc: ImportCc::default(),
            strangers: Strangers::default(),
            one_mail_to_all: false,
            labels: Vec::new(),
            assignee: None,
            signature: None,
            idle_warn_after: None,
            idle_close_after: None,
            time_zone: None,
            hours: None,
            holidays: None,
            repository: None,
            repository_branch: None,
            repository_fetch: false,
            closing_pattern: None,
            tell_on_commit_close: false,
            custom_email: None,
            custom_email_outlet: None,
            internal_words: Vec::new(),
        }
    }
}

/// A project: a path, its settings, and the number of its next issue.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Project {
    pub id: ProjectId,
    /// `group/project`, as people write it.
    pub path: String,
    pub enabled: bool,
    pub next_iid: u64,
    /// Paths it had before, whose addresses still work.
    pub former_paths: Vec<String>,
    pub created_at: Timestamp,
    pub settings: ProjectSettings,
    /// Further addresses, each of which marks the issues that come by it.
    #[serde(default)]
    pub further: Vec<ProjectAddress>,
    /// What the generated address carries since its key was changed; the earlier ones lead nowhere.
    #[serde(default)]
    pub address_key: Option<String>,
    /// What is known of its custom address.
    #[serde(default)]
    pub custom: Option<CustomEmail>,
}

/// A further address of a project, such as one that is forwarded to the desk.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProjectAddress {
    pub address: EmailAddress,
    /// What the issues that come by it are labelled with, beside the project's own labels.
    pub labels: Vec<String>,
    /// Who gets them, instead of the project's own assignee.
    pub assignee: Option<String>,
}

/// Everything that can be set for the whole desk.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct DeskSettings {
    pub system_header: Option<String>,
    pub system_footer: Option<String>,
    pub additional_text: Option<String>,
    pub templates_dir: Option<String>,
    pub time_zone: Option<String>,
    pub hours: Option<String>,
    pub holidays: Option<String>,
    /// Whether people are told that their mail leads nowhere and waits for somebody to look at it.
    pub rejections: bool,
    /// Acknowledgements to one sender within an hour, at most.
    pub acks_per_sender_hour: u32,
    /// Automatic mails of the whole desk within an hour; what is over waits as held.
    pub automatic_per_hour: u32,
    /// Mails to one of the staff within an hour, at most; what is over comes with the day's collection.
    pub staff_mails_per_hour: u32,
    /// How long spam is kept; `None` keeps it.
    pub purge_spam_after: Option<String>,
}

impl Default for DeskSettings {
    fn default() -> Self {
        Self {
            system_header: None,
            system_footer: None,
            additional_text: None,
            templates_dir: None,
            time_zone: None,
            hours: None,
            holidays: None,
            rejections: false,
            acks_per_sender_hour: 2,
            automatic_per_hour: 1000,
            staff_mails_per_hour: 30,
            purge_spam_after: Some("30d".to_owned()),
        }
    }
}

/// A project as front ends see it. In JSON the settings stand beside the path, not below it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProjectView {
    pub path: String,
    pub id: ProjectId,
    pub enabled: bool,
    /// Every address that reaches it now, the one to publish first.
    pub addresses: Vec<EmailAddress>,
    /// Those that mark their issues.
    #[serde(default)]
    pub further_addresses: Vec<ProjectAddress>,
    /// How its custom address is doing.
    #[serde(default)]
    pub custom: Option<CustomView>,
    pub settings: ProjectSettings,
}

/// Gives the form of a path that stands in addresses: lower case, everything but letters and digits a
/// dash, cut at 63 octets (as GitLab does).
pub fn slug(path: &str) -> String {
    let dashed: String = path
        .to_lowercase()
        .chars()
        .map(|c| if c.is_ascii_lowercase() || c.is_ascii_digit() { c } else { '-' })
        .take(63)
        .collect();
    dashed.trim_matches('-').to_owned()
}

/// Tells whether `path` can name a project: words of letters, digits, `_ - .` parted by `/`, 2 to 255 octets.
pub fn path_fits(path: &str) -> bool {
    let word_fits = |word: &str| {
        !word.is_empty()
            && !word.starts_with(['-', '.'])
            && !word.ends_with('.')
            && word.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.'))
    };
    (1..=255).contains(&path.len()) && path.split('/').all(word_fits)
}

/// Writes `text` into the field `key` of a settings record, by the field's own type.
///
/// An empty text or `null` clears what can be empty. Lists are parted by commas. Fails with a usage
/// fault that names the nearest known key, or what the field takes.
pub fn set_field<S>(settings: &S, key: &str, text: &str) -> Result<S, Fault>
where
    S: Serialize + serde::de::DeserializeOwned + Default,
{
    let mut map = to_map(settings)?;
    if !map.contains_key(key) {
        let known = map.keys().cloned().collect::<Vec<_>>();
        return Err(Fault::usage(format!("there is no setting `{key}`")).hint(meant(key, &known)));
    }
    let reason = match candidates(text, map.get(key)).into_iter().find_map(|value| {
        map.insert(key.to_owned(), value);
        serde_json::from_value::<S>(Value::Object(map.clone())).ok()
    }) {
        Some(settings) => return Ok(settings),
        None => serde_json::from_value::<S>(Value::Object(map)).err(),
    };
    let reason = reason.map_or(String::new(), |e| format!(": {e}"));
    Err(Fault::usage(format!("`{text}` does not fit the setting `{key}`{reason}")))
}

fn to_map<S: Serialize>(settings: &S) -> Result<serde_json::Map<String, Value>, Fault> {
    match serde_json::to_value(settings) {
        Ok(Value::Object(map)) => Ok(map),
        _ => Err(Fault::internal("settings are not a table")),
    }
}

/// The readings of `text` that a field may take, likeliest first and its plain text last.
fn candidates(text: &str, today: Option<&Value>) -> Vec<Value> {
    let mut readings = Vec::new();
    let text = text.trim();
    if matches!(today, Some(Value::Array(_))) {
        let words = text.split(',').map(str::trim).filter(|w| !w.is_empty());
        readings.push(Value::Array(words.map(|w| Value::String(w.to_owned())).collect()));
    }
    if text.is_empty() || text == "null" {
        readings.push(Value::Null);
    }
    match text {
        "true" | "yes" | "on" => readings.push(Value::Bool(true)),
        "false" | "no" | "off" => readings.push(Value::Bool(false)),
        _ => {}
    }
    if let Ok(number) = text.parse::<u64>() {
        readings.push(number.into());
    }
    readings.push(Value::String(text.to_owned()));
    readings
}

/// So many words are listed where none is near.
const LISTED: usize = 12;

/// Gives the word of `known` that is closest to `word`, by edit distance; `None` where none is near: most letters
/// differ, and none begins with it.
pub fn nearest<'a>(word: &str, known: &'a [String]) -> Option<&'a str> {
    let begins = |other: &&String| word.len() > 1 && other.starts_with(word);
    let closest = known.iter().min_by_key(|other| distance(word, other)).filter(|other| {
        let longer = word.chars().count().max(other.chars().count());
        2 * distance(word, other) <= longer
    });
    closest.or_else(|| known.iter().find(begins)).map(String::as_str)
}

/// Says what may have been meant by a word that is not known: the nearest, else what there is.
pub fn meant(word: &str, known: &[String]) -> String {
    if let Some(likely) = nearest(word, known) {
        return format!("did you mean `{likely}`?");
    }
    let listed: Vec<&str> = known.iter().take(LISTED).map(String::as_str).collect();
    match known.len().saturating_sub(LISTED) {
        0 if known.is_empty() => "there is none yet".to_owned(),
        0 => format!("there is {}", listed.join(", ")),
        more => format!("there is {} and {more} more", listed.join(", ")),
    }
}

/// Counts the letters in which two words differ.
pub(super) fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.chars().enumerate() {
        let mut corner = i;
        let mut left = i + 1;
        for (cell, y) in row.iter_mut().skip(1).zip(&b) {
            let above = *cell;
            let best = (corner + usize::from(x != *y)).min(above + 1).min(left + 1);
            corner = above;
            *cell = best;
            left = best;
        }
        if let Some(first) = row.first_mut() {
            *first = i + 1;
        }
    }
    row.last().copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slug_has_dashes_for_everything_odd() {
        for (path, expected) in
            [("mygroup/myproject", "mygroup-myproject"), ("A/b.C_d", "a-b-c-d"), ("ä/b", "b")]
        {
            assert_eq!(slug(path), expected);
        }
        assert_eq!(slug(&"x".repeat(200)).len(), 63);
    }

    #[test]
    fn settings_are_read_by_their_type() {
        let s = ProjectSettings::default();
        let s = set_field(&s, "labels", "bug, from mail").unwrap();
        assert_eq!(s.labels, ["bug", "from mail"]);
        let s = set_field(&s, "labels", "").unwrap();
        assert!(s.labels.is_empty());
        let s = set_field(&s, "thank_you", "off").unwrap();
        assert!(!s.thank_you);
        let s = set_field(&s, "display_name", "12").unwrap();
        assert_eq!(s.display_name.as_deref(), Some("12"));
        let s = set_field(&s, "display_name", "").unwrap();
        assert_eq!(s.display_name, None);
        let s = set_field(&s, "default_note", "internal").unwrap();
        assert_eq!(s.default_note, DefaultNote::Internal);
    }

    #[test]
    fn an_unknown_setting_names_the_nearest() {
        let fault = set_field(&ProjectSettings::default(), "sufix", "x").unwrap_err();
        assert_eq!(fault.hint.as_deref(), Some("did you mean `suffix`?"));
        assert!(set_field(&ProjectSettings::default(), "thank_you", "perhaps").is_err());
    }

    #[test]
    fn only_what_is_near_is_suggested() {
        let known: Vec<String> = ["open", "closed", "unread", "priority"].map(str::to_owned).to_vec();
        for (word, near) in [
            ("opne", Some("open")),
            ("close", Some("closed")),
            ("pri", Some("priority")),
            ("x", None),
            ("banana", None),
            ("", None),
        ] {
            assert_eq!(nearest(word, &known), near, "{word}");
        }
        assert_eq!(meant("banana", &known), "there is open, closed, unread, priority");
        let many: Vec<String> = (100..120).map(|n| format!("word{n}")).collect();
        assert!(meant("banana", &many).ends_with("word111 and 8 more"));
        assert_eq!(meant("banana", &[]), "there is none yet");
    }

    #[test]
    fn a_setting_that_does_not_fit_is_refused() {
        assert!(set_field(&ProjectSettings::default(), "public_address", "x\r\ny@z").is_err());
    }

    #[test]
    fn a_path_is_made_of_plain_words() {
        for good in ["a", "a/b", "A.b/c_d-e"] {
            assert!(path_fits(good), "{good}");
        }
        for bad in ["", "/a", "a//b", "a/", "a b", "../x", "-x", "a/b\n"] {
            assert!(!path_fits(bad), "{bad:?}");
        }
    }
}
