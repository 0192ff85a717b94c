//! Macros: canned texts with quick actions that are run at once, on one issue or on many.

use super::{Acting, Desk};
use crate::domain::quick::quick_text;
use crate::domain::{CannedView, Fault, KeptFor, NewNotes, Reference, Request, Response, unfilled};

impl Desk {
    /// Runs a macro on issues, in one commit that one undo takes back. Where a placeholder of its text stands for
    /// nothing, nothing is done.
    pub(super) async fn run_macro(&self, acting: &Acting, asked: Request) -> Result<Response, Fault> {
        let Request::RunMacro { kept, name, references, hold_ms } = asked else {
            return Err(Fault::internal("this is no macro"));
        };
        let known = self.known_canned(acting).await?;
        let is = |c: &&CannedView| c.name == name && c.runs.is_some();
        let fits = |c: &&CannedView| kept.as_ref().is_none_or(|kept| c.scope == *kept);
        let Some(found) = known.iter().find(|c| is(c) && fits(c) && may_run(c, &references)) else {
            return Err(Fault::not_found(format!("there is no macro `{name}` for these issues"))
                .hint("`deskbell macro list` shows them"));
        };
        let runs = found.runs.clone().unwrap_or_default();
        let mut text = found.text.trim_end().to_owned();
        if let Some(reply) = &runs.reply {
            let fits = |c: &&CannedView| c.name == *reply && c.runs.is_none() && may_run(c, &references);
            // Those of whose macro it is come first, and one's own private text stands in for nobody else's.
            let of = |scope: &KeptFor| known.iter().filter(fits).find(|c| c.scope == *scope);
            let Some(canned) = of(&found.scope)
                .or_else(|| of(&KeptFor::Desk))
                .or_else(|| known.iter().filter(fits).find(|_| found.scope == KeptFor::Mine))
            else {
                let said = format!("{name} was not run: there is no canned reply `{reply}` for these issues");
                return Err(Fault::not_found(said).hint("`deskbell macro set` names another"));
            };
            text = format!("{text}\n\n{}", canned.text.trim_end()).trim_start().to_owned();
        }
        let internal = runs.internal;
        let many = NewNotes { references, text, internal, hold_ms, close: false, dry_run: false };
        self.note_many(acting, many, Some(&name)).await
    }

    async fn known_canned(&self, acting: &Acting) -> Result<Vec<CannedView>, Fault> {
        match self.canned(acting, None).await? {
            Response::Canned(known) => Ok(known),
            _ => Err(Fault::internal("canned replies came back as something else")),
        }
    }
}

/// Tells whether a text may be used on these issues: one of a project only on issues of it.
fn may_run(canned: &CannedView, references: &[Reference]) -> bool {
    let KeptFor::Project(path) = &canned.scope else { return true };
    references.iter().all(|reference| reference.project.as_ref().is_none_or(|other| other == path))
}

/// Refuses the text of a macro whose actions cannot be carried out. With a placeholder in it, that is known only
/// when it is run.
pub(super) fn check_macro(text: &str, now: jiff::Timestamp) -> Result<(), Fault> {
    match quick_text(text, now, &jiff::tz::TimeZone::UTC) {
        Err(fault) if unfilled(text).is_empty() => Err(fault),
        _ => Ok(()),
    }
}
