//! Templates of a project: whether they can be read, and whether every placeholder is known.

use super::Findings;
use crate::domain::{DeskSettings, ProjectView, TemplateKind, TemplateView};
use crate::mail::unknown_placeholders;
use std::collections::BTreeSet;
use std::path::Path;

const KNOWN: &str = "known are ISSUE_ID, ISSUE_PATH, ISSUE_DESCRIPTION, ISSUE_URL, NOTE_TEXT, NOTE_AUTHOR, \
                     UNSUBSCRIBE_URL, RATING, SYSTEM_HEADER, SYSTEM_FOOTER, ADDITIONAL_TEXT";

/// Looks at the templates from which a project's mails and issues are made, as the desk found them.
pub(super) fn look(
    config_dir: &Path,
    project: &ProjectView,
    desk: &DeskSettings,
    found: &[TemplateView],
    findings: &mut Findings,
) {
    let step = format!("templates {}", project.path);
    let dirs = [project.settings.templates_dir.as_deref(), desk.templates_dir.as_deref()];
    let dirs = dirs.into_iter().flatten().map(|dir| config_dir.join(dir));
    let gone: Vec<String> = dirs.filter(|dir| !dir.is_dir()).map(|dir| dir.display().to_string()).collect();
    let mut failed: BTreeSet<(String, String)> = BTreeSet::new();
    for dir in &gone {
        let cure = "make the folder, or correct the setting templates_dir".to_owned();
        failed.insert((format!("{dir} is no folder"), cure));
    }
    for template in found.iter().filter(|template| template.chosen) {
        // One sentence about a folder is enough.
        let said = |trouble: &&String| !gone.iter().any(|dir| trouble.starts_with(dir.as_str()));
        if let Some(trouble) = template.trouble.as_ref().filter(said) {
            let cure =
                "check that it is UTF-8, can be read and says something; until then another one is used";
            failed.insert((trouble.clone(), cure.to_owned()));
        }
        failed.extend(unknown(template));
    }
    let own = found.iter().filter(|template| is_own(template)).count();
    match (failed.is_empty(), own) {
        (true, 0) => findings.ok(step, "the built-in ones".to_owned()),
        (true, own) => findings.ok(step, format!("{own} of its own, else the built-in ones")),
        (false, _) => {
            failed.into_iter().for_each(|(detail, cure)| findings.fail(&step, detail, Some(cure)));
        }
    }
}

/// Tells whether a mail is made from it and it is not built in.
fn is_own(template: &TemplateView) -> bool {
    template.kind == TemplateKind::Mail && template.place != "built in"
}

/// Says which placeholders of a mail's template stand for nothing, if any do.
fn unknown(template: &TemplateView) -> Option<(String, String)> {
    let names = unknown_placeholders(&template.text);
    let names: Vec<String> = names.iter().map(|name| format!("%{{{name}}}")).collect();
    let wrong = is_own(template) && !names.is_empty();
    wrong
        .then(|| (format!("{}: nothing is known for {}", template.place, names.join(", ")), KNOWN.to_owned()))
}
