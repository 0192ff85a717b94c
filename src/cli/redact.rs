//! `deskbell issue redact`: what would go is shown and counted, and goes only after a yes.

use super::here::Here;
use super::person::warn_of_backups;
use super::print;
use super::session::{ask, unexpected};
use crate::domain::{Fault, Redact, RedactionPlan, Request, Response};
use anyhow::Result;
use std::io::{BufRead, IsTerminal};

/// Takes words and files of a note out for good, unless this is a dry run.
pub async fn run(here: &Here, asked: Redact, yes: bool) -> Result<u8> {
    let plan = match ask(here, Request::Redact(Redact { dry_run: true, ..asked.clone() })).await? {
        Response::Redaction(plan) => plan,
        other => return Err(unexpected(&other).into()),
    };
    if asked.dry_run {
        match here.json {
            true => print::json(&plan)?,
            false => lines(&plan).iter().try_for_each(print::say)?,
        }
        return Ok(0);
    }
    if !here.json {
        lines(&plan).iter().for_each(print::aside);
    }
    confirmed(yes)?;
    let answer = ask(here, Request::Redact(asked)).await?;
    warn_of_backups(here);
    match answer {
        Response::Issue(issue) if here.json => print::json(&issue.json())?,
        Response::Issue(issue) => print::issue(&issue)?,
        other => return Err(unexpected(&other).into()),
    }
    Ok(0)
}

/// Says what would change, a line each; what is not hit is not named.
fn lines(plan: &RedactionPlan) -> Vec<String> {
    let counted = |count: u64, thing: &str| match count {
        0 => None,
        1 => Some(format!("  1 {thing}")),
        n => Some(format!("  {n} {thing}s")),
    };
    let mut lines = vec![format!("Redacting note {} of {} changes", plan.note, plan.reference)];
    lines.extend(counted(plan.notes, "note"));
    lines.extend(counted(plan.mails, "kept mail"));
    lines.extend(counted(plan.uploads, "uploaded file"));
    let goes = |name: &String| format!("  the file {} of this note, which goes whole", print::line(name));
    lines.extend(plan.files.iter().map(goes));
    let other = |reference: &String| format!("  the issue {reference}, where the words stand as well");
    lines.extend(plan.others.iter().map(other));
    lines
}

/// Asks, unless it was said.
fn confirmed(yes: bool) -> Result<(), Fault> {
    if yes {
        return Ok(());
    }
    if !(std::io::stdin().is_terminal() && std::io::stderr().is_terminal()) {
        return Err(
            Fault::usage("a redaction has to be confirmed").hint("say --yes; --dry-run shows what goes")
        );
    }
    print::ask("This cannot be taken back. To redact it, write yes:");
    let mut line = String::new();
    let _ = std::io::stdin().lock().read_line(&mut line);
    match line.trim() == "yes" {
        true => Ok(()),
        false => Err(Fault::refused("nothing was redacted").hint("the word is yes")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::NoteId;

    #[test]
    fn a_plan_names_what_is_hit_and_nothing_else() {
        let plan = RedactionPlan {
            reference: "acme/support#12".to_owned(),
            note: NoteId(34),
            notes: 1,
            files: vec![],
            mails: 2,
            uploads: 0,
            others: vec!["acme/support#7".to_owned()],
        };
        let words = [
            "Redacting note 34 of acme/support#12 changes",
            "  1 note",
            "  2 kept mails",
            "  the issue acme/support#7, where the words stand as well",
        ];
        assert_eq!(lines(&plan), words);
        let plan = RedactionPlan {
            notes: 2,
            files: vec!["a.pdf".to_owned()],
            mails: 0,
            uploads: 1,
            others: vec![],
            ..plan
        };
        let words = ["  2 notes", "  1 uploaded file", "  the file a.pdf of this note, which goes whole"];
        assert_eq!(lines(&plan).split_off(1), words);
    }
}
