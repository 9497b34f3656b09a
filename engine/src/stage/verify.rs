//! What was proposed is input, not truth: every rule and test is run, and tried to be refuted.

use serde::{Deserialize, Serialize};

/// What became of one proposed rule or test.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Verdict {
    /// The rule's id or the test's name.
    pub id: String,
    /// What was proposed, in a sentence.
    pub what: String,
    /// Whether it is kept.
    pub kept: bool,
    /// Why it is kept or refused.
    pub reason: String,
    /// Why it was proposed.
    pub evidence: String,
    /// Rows of the table that violate it, where that was counted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub violations: Option<u64>,
}
