//! Canned replies: texts that are written again and again, of a person, a project or the desk.
//!
//! Their placeholders are filled once, when one is taken; what is not known stays, and stops the send.

use super::{Attachment, AttachmentView, Fault, Keeper, KeptFor, Reference, Upload};
use serde::{Deserialize, Serialize};

/// The placeholders of a canned reply, and what each stands for.
pub const CANNED_PLACEHOLDERS: [(&str, &str); 8] = [
    ("REQUESTER_NAME", "the name of who opened the issue"),
    ("REQUESTER_FIRST_NAME", "its first word"),
    ("REQUESTER_EMAIL", "their address"),
    ("ISSUE_ID", "#12"),
    ("ISSUE_PATH", "mygroup/myproject#12"),
    ("ISSUE_TITLE", "what the issue is called"),
    ("PROJECT", "mygroup/myproject"),
    ("MY_NAME", "your name"),
];

/// A text that can be taken into a note.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Canned {
    pub owner: Keeper,
    pub name: String,
    /// Markdown, with placeholders and quick actions.
    pub text: String,
    /// Further words by which it is found.
    pub keywords: Vec<String>,
    /// What goes out with it.
    #[serde(default)]
    pub files: Vec<Attachment>,
    /// Present where it is a macro, which is run at once.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub runs: Option<Runs>,
}

/// How a macro is run: its text is filled for each issue, written as a note, and its quick actions are done.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Runs {
    /// The key that runs it, after the key of all macros.
    pub key: Option<String>,
    /// The canned reply whose text goes out with it.
    pub reply: Option<String>,
    /// Whether its text is an internal comment.
    pub internal: bool,
}

/// A canned reply that a verb wrote or took away: what stood there before it and after it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CannedChange {
    pub before: Option<Canned>,
    pub after: Option<Canned>,
}

/// A canned reply as front ends see it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CannedView {
    pub scope: KeptFor,
    pub name: String,
    pub text: String,
    pub keywords: Vec<String>,
    /// What goes out with it.
    #[serde(default)]
    pub files: Vec<AttachmentView>,
    /// Present where it is a macro.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub runs: Option<Runs>,
}

/// Asks for the text of a canned reply with the data of an issue.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FillCanned {
    /// Without one the first of: mine, the project's, the desk's.
    pub scope: Option<KeptFor>,
    pub name: String,
    pub reference: Reference,
}

/// The text of a canned reply, the placeholders that stand for nothing here, and its files.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FilledCanned {
    pub text: String,
    pub missing: Vec<String>,
    #[serde(default)]
    pub files: Vec<Upload>,
}

/// Fills a text; gives it with the placeholders that stand for nothing, which stay as they are.
///
/// What a value holds is never filled again.
pub fn fill_canned<'a>(text: &str, value: impl Fn(&str) -> Option<&'a str>) -> FilledCanned {
    let mut filled =
        FilledCanned { text: String::with_capacity(text.len()), missing: Vec::new(), files: Vec::new() };
    let mut rest = text;
    while let Some((before, name, after)) = next(rest) {
        filled.text.push_str(before);
        match value(name).filter(|value| !value.trim().is_empty()) {
            Some(value) => {
                // What others chose, such as a title, must not become a quick action.
                let begins = filled.text.rsplit('\n').next().is_none_or(|line| line.trim().is_empty());
                if begins && value.trim_start().starts_with('/') {
                    filled.text.push('\\');
                }
                filled.text.push_str(value);
            }
            None => {
                filled.text.push_str(&format!("%{{{name}}}"));
                filled.missing.push(name.to_owned());
            }
        }
        rest = after;
    }
    filled.text.push_str(rest);
    filled
}

/// Names the placeholders that are left in a text that is to be sent; what stands in code is meant so.
pub fn unfilled(text: &str) -> Vec<String> {
    let outside = text.split('`').step_by(2);
    let mut names: Vec<String> = Vec::new();
    for mut rest in outside {
        while let Some((_, name, after)) = next_of(rest, looks_like_one) {
            if !names.iter().any(|known| known == name) {
                names.push(name.to_owned());
            }
            rest = after;
        }
    }
    names
}

/// Refuses a text in which a placeholder is left.
pub fn refuse_unfilled(text: &str) -> Result<(), Fault> {
    match unfilled(text).first() {
        None => Ok(()),
        Some(name) => Err(Fault::refused(format!("not sent: `%{{{name}}}` stands for nothing here"))
            .hint("write what it should say, or put it between ` and ` if it is meant so")),
    }
}

/// Tells whether a name is written as those of placeholders are, whether or not there is one: a slip of the keys
/// is not sent either.
fn looks_like_one(name: &str) -> bool {
    name.len() > 1 && name.chars().all(|c| c.is_ascii_uppercase() || c == '_')
}

/// Finds the next placeholder: what is before it, its name, what is after it.
fn next(text: &str) -> Option<(&str, &str, &str)> {
    next_of(text, |name| CANNED_PLACEHOLDERS.iter().any(|(known, _)| *known == name))
}

fn next_of(text: &str, is_one: impl Fn(&str) -> bool) -> Option<(&str, &str, &str)> {
    let mut from = 0;
    loop {
        let at = from + text.get(from..)?.find("%{")?;
        let inner = text.get(at + 2..)?;
        let name = inner.split_once('}').map(|(name, _)| name);
        if let Some(name) = name.filter(|name| is_one(name.trim())) {
            return Some((text.get(..at)?, name.trim(), inner.get(name.len() + 1..)?));
        }
        from = at + 2;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn placeholders_are_filled_once_and_unknown_ones_stay() {
        let value = |name: &str| match name {
            "REQUESTER_FIRST_NAME" => Some("Ada %{MY_NAME}"),
            "ISSUE_ID" => Some("#12"),
            "PROJECT" => Some("  "),
            "ISSUE_TITLE" => Some("/cc eve@evil.example"),
            _ => None,
        };
        for (text, out, missing) in [
            ("Hello %{REQUESTER_FIRST_NAME},", "Hello Ada %{MY_NAME},", &[][..]),
            ("%{ ISSUE_ID }: %{OTHER} %{ 100%", "#12: %{OTHER} %{ 100%", &[]),
            ("%{MY_NAME} of %{PROJECT}", "%{MY_NAME} of %{PROJECT}", &["MY_NAME", "PROJECT"]),
            ("%{%{ISSUE_ID}}", "%{#12}", &[]),
            ("é%{ISSUE_ID}é", "é#12é", &[]),
            ("", "", &[]),
            ("%{ISSUE_TITLE}", "\\/cc eve@evil.example", &[]),
            ("Hello\n  %{ISSUE_TITLE} x", "Hello\n  \\/cc eve@evil.example x", &[]),
            ("About %{ISSUE_TITLE}", "About /cc eve@evil.example", &[]),
        ] {
            let filled = fill_canned(text, value);
            assert_eq!(filled.text, out, "{text:?}");
            assert_eq!(filled.missing, missing, "{text:?}");
        }
    }

    #[test]
    fn what_is_left_is_named_unless_it_stands_in_code() {
        assert_eq!(unfilled("Hello %{REQUESTER_NAME}, %{REQUESTER_NAME}, `%{MY_NAME}`"), ["REQUESTER_NAME"]);
        assert!(refuse_unfilled("100 %{x} `%{PROJECT}`").is_ok());
        assert!(refuse_unfilled("%{PROJECT}").is_err());
        assert_eq!(unfilled("Hi %{REQUESTER_FIRST_NAM}, 100 %{x}"), ["REQUESTER_FIRST_NAM"]);
    }
}
