//! What a run of recorded cases found, for `cli` to print.

use std::collections::BTreeMap;

use super::manifest::Case;

/// The outcome of one case.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Verdict {
    /// All outputs are within their tolerances.
    Passed {
        /// The largest error as a fraction of its tolerance.
        error_over_tolerance: f64,
    },
    /// An output is wrong, or the case could not be run.
    Failed {
        /// What is wrong.
        reason: String,
        /// The largest error as a fraction of its tolerance.
        error_over_tolerance: f64,
    },
    /// The case asks for what this project does not offer.
    Skipped {
        /// What that is.
        reason: String,
    },
}

/// The cases of one group: a group of the PyTorch cases, or an ONNX operator.
#[derive(Clone, Debug, Default)]
pub struct Group {
    /// Cases that passed.
    pub passed: usize,
    /// Cases that failed, and why.
    pub failed: Vec<(String, String)>,
    /// Cases that were skipped, by reason.
    pub skipped: BTreeMap<String, Vec<String>>,
    /// The largest error of a case that passed, as a fraction of its tolerance.
    pub worst: f64,
    /// That case.
    pub worst_case: String,
}

/// All groups, by name.
#[derive(Clone, Debug, Default)]
pub struct Report {
    /// The groups.
    pub groups: BTreeMap<String, Group>,
}

impl Report {
    pub(super) fn add(&mut self, case: &Case, verdict: Verdict) {
        let group = self.groups.entry(case.group.clone()).or_default();
        match verdict {
            Verdict::Passed {
                error_over_tolerance,
            } => {
                group.passed += 1;
                if error_over_tolerance > group.worst || group.worst_case.is_empty() {
                    (group.worst, group.worst_case) = (error_over_tolerance, case.name.clone());
                }
            }
            Verdict::Failed { reason, .. } => group.failed.push((case.name.clone(), reason)),
            Verdict::Skipped { reason } => {
                group
                    .skipped
                    .entry(reason)
                    .or_default()
                    .push(case.name.clone());
            }
        }
    }

    /// Whether no case was run.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.groups.is_empty()
    }

    /// How many cases passed, failed and were skipped.
    #[must_use]
    pub fn totals(&self) -> [usize; 3] {
        let groups = self.groups.values();
        groups.fold([0; 3], |[passed, failed, skipped], group| {
            let skips: usize = group.skipped.values().map(Vec::len).sum();
            [
                passed + group.passed,
                failed + group.failed.len(),
                skipped + skips,
            ]
        })
    }
}
