//! Templates as front ends see them: where each comes from, and what a mail made of it would be.

use super::Reference;
use serde::{Deserialize, Serialize};

/// A template of a project, and where it is taken from now.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TemplateView {
    /// Such as `thank_you`, or the name of a description template.
    pub name: String,
    pub kind: TemplateKind,
    /// A file, a file of the watched repository, or `built in`.
    pub place: String,
    /// Whether the project appends it to its new issues.
    pub chosen: bool,
    pub text: String,
    /// Why one that stands in front of it is not used.
    pub trouble: Option<String>,
}

/// What a template is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TemplateKind {
    Mail,
    /// Appended to new issues.
    Description,
}

/// Asks how a mail would look.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PreviewTemplate {
    pub project: String,
    /// Such as `thank_you`.
    pub name: String,
    /// The issue whose data is shown; without one the latest of the project, else an example.
    pub reference: Option<Reference>,
    /// A text in place of the one that is used now.
    pub text: Option<String>,
}

/// How a mail would look.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TemplatePreview {
    pub name: String,
    pub place: String,
    /// Of which issue the data is; `None` for an example.
    #[serde(rename = "ref")]
    pub reference: Option<String>,
    pub subject: String,
    /// The two parts of the mail.
    pub text: String,
    pub html: String,
    pub trouble: Option<String>,
}
