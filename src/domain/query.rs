//! The query language: one text for the list, the views, the rules and the reports.

use super::Fault;

/// A query that was understood.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Query {}

impl Query {
    /// Reads a query. The fault says where it is wrong and what was expected there.
    pub fn parse(_text: &str) -> Result<Self, Fault> {
        Ok(Self::default())
    }
}
