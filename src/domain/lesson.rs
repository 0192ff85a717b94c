//! Lessons: what staff decided about a mail, for the classifier and the services to learn from.

use super::{IntakeId, Judge, RawRef};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// What staff decided about one mail.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Lesson {
    /// Which mail, as the intake knows it.
    pub fingerprint: String,
    /// What the classifier sees in it.
    pub features: Vec<u32>,
    pub spam: bool,
    /// Taken back: the classifier does not know it, and the services owed are told the opposite of what
    /// they had been told.
    #[serde(default)]
    pub withdrawn: bool,
    /// Services that are not told yet.
    pub owed: Vec<Judge>,
    /// Services that were told.
    #[serde(default)]
    pub told: Vec<Judge>,
    /// The mail, while a service is owed it.
    pub raw: Option<RawRef>,
    pub at: Timestamp,
    pub by: String,
}

/// What a verb taught about a mail: what held before it and after it; nothing where nothing was taught.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LessonChange {
    pub fingerprint: String,
    /// The mail itself.
    pub raw: Option<RawRef>,
    pub before: Option<bool>,
    pub after: Option<bool>,
}

/// What a verb made of an arrival that had been taken for spam.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ArrivalChange {
    pub id: IntakeId,
    pub fate: super::Fate,
    pub reason: String,
}
