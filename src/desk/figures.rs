//! Figures: reports about the issues that somebody may see.

use super::{Acting, Desk};
use crate::domain::report::{ReportSpan, Tally};
use crate::domain::{AskedReport, Fault, Query, Response};

impl Desk {
    /// Makes a report. Its days are those of the desk's time zone, its working time that of each project.
    pub(super) async fn report(&self, acting: &Acting, asked: &AskedReport) -> Result<Response, Fault> {
        let query = Query::parse(&asked.query)?;
        let span = ReportSpan::read(asked, acting.now, self.time_zone().await?)?;
        let mut tally = Tally::new(asked, span, self.wound_clocks());
        self.inner.index.each(&query, &self.viewer(acting), |facts| tally.add(facts));
        Ok(Response::Figures(Box::new(tally.finish())))
    }
}
