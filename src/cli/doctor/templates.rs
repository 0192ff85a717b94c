//! Templates of a project: whether they can be read, and whether every placeholder is known.

use super::Findings;
use crate::desk::template_name;
use crate::domain::{DeskSettings, MailKind, ProjectView};
use crate::mail::unknown_placeholders;
use std::io::ErrorKind;
use std::path::Path;

/// One kind of mail for each template that there is.
const KINDS: [MailKind; 7] = [
    MailKind::ThankYou,
    MailKind::NewNote,
    MailKind::NewParticipant,
    MailKind::Closed,
    MailKind::Reopened,
    MailKind::IdleWarning,
    MailKind::Forward,
];
const KNOWN: &str = "known are ISSUE_ID, ISSUE_PATH, ISSUE_DESCRIPTION, ISSUE_URL, NOTE_TEXT, NOTE_AUTHOR, \
                     UNSUBSCRIBE_URL, SYSTEM_HEADER, SYSTEM_FOOTER, ADDITIONAL_TEXT";

/// Looks at the templates that mails of a project are made from.
pub(super) fn look(config_dir: &Path, project: &ProjectView, desk: &DeskSettings, findings: &mut Findings) {
    let step = format!("templates {}", project.path);
    let dirs = [project.settings.templates_dir.as_deref(), desk.templates_dir.as_deref()];
    let dirs: Vec<_> = dirs.into_iter().flatten().map(|dir| config_dir.join(dir)).collect();
    let mut own = 0;
    let mut well = true;
    for dir in &dirs {
        if !dir.is_dir() {
            well = false;
            let cure = "make the folder, or correct the setting templates_dir";
            findings.fail(&step, format!("{} is no folder", dir.display()), Some(cure.to_owned()));
            continue;
        }
        for kind in KINDS {
            match look_at_file(&dir.join(template_name(kind))) {
                Ok(found) => own += usize::from(found),
                Err((detail, cure)) => {
                    well = false;
                    findings.fail(&step, detail, Some(cure));
                }
            }
        }
    }
    if well {
        let words = match own {
            0 => "the built-in ones".to_owned(),
            own => format!("{own} of its own, else the built-in ones"),
        };
        findings.ok(step, words);
    }
}

/// Tells whether a template is there; fails with what is wrong with it and what cures that.
fn look_at_file(path: &Path) -> Result<bool, (String, String)> {
    let text = match std::fs::read_to_string(path) {
        Ok(text) => text,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(false),
        Err(error) => {
            let detail = format!("{} cannot be read: {error}", path.display());
            return Err((detail, "check its permissions, and that it is UTF-8".to_owned()));
        }
    };
    let unknown = unknown_placeholders(&text);
    if unknown.is_empty() {
        return Ok(true);
    }
    let names: Vec<String> = unknown.iter().map(|name| format!("%{{{name}}}")).collect();
    Err((format!("{}: nothing is known for {}", path.display(), names.join(", ")), KNOWN.to_owned()))
}
