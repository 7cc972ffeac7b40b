//! The table of `alexnet gradcheck`.

use std::process::ExitCode;

use anyhow::Result;
use serde_json::{Value, json};
use verify::network::NetworkRow;
use verify::operators::OperatorRow;

use super::{print_json, to_stdout};
use crate::args::OutputArgs;

/// One comparison, of an operator's case or of a network's parameter.
pub(crate) struct Check<'a> {
    subject: &'a str,
    case: &'a str,
    device: &'a str,
    check: &'a str,
    numbers: [f64; 2],
    passed: bool,
    note: &'a str,
}

impl<'a> Check<'a> {
    pub(crate) fn of_operator(row: &'a OperatorRow) -> Self {
        Self {
            subject: row.operator,
            case: row.case,
            device: &row.device,
            check: &row.row.check,
            numbers: [row.row.error, row.row.tolerance],
            passed: row.row.passed,
            note: &row.row.note,
        }
    }

    pub(crate) fn of_network(name: &'a str, device: &'a str, row: &'a NetworkRow) -> Self {
        Self {
            subject: name,
            case: &row.parameter,
            device,
            check: row.check,
            numbers: [row.error, row.tolerance],
            passed: row.passed,
            note: "",
        }
    }
}

/// The table as it grows: every row as it is there, or with `--quiet` only what failed, or with `--json` all at the end.
pub(crate) struct Checks {
    output: OutputArgs,
    rows: Vec<Value>,
    device: String,
    counts: [usize; 2],
    printed: Result<()>,
}

impl Checks {
    pub(crate) fn new(output: OutputArgs) -> Self {
        Self {
            output,
            rows: Vec::new(),
            device: String::new(),
            counts: [0; 2],
            printed: Ok(()),
        }
    }

    /// Adds a row. What can't be printed is told by [`Checks::finish`], as rows come from callbacks that can't fail.
    pub(crate) fn add(&mut self, check: &Check<'_>) {
        let result = self.print(check);
        if self.printed.is_ok() {
            self.printed = result;
        }
    }

    fn print(&mut self, check: &Check<'_>) -> Result<()> {
        self.counts[usize::from(!check.passed)] += 1;
        let [error, tolerance] = check.numbers;
        if self.output.json {
            self.rows.push(json!({
                "operator": check.subject, "case": check.case, "device": check.device, "check": check.check,
                "error": error, "tolerance": tolerance, "passed": check.passed, "note": check.note,
            }));
            return Ok(());
        }
        if self.output.quiet && check.passed {
            return Ok(());
        }
        if self.device != check.device {
            check.device.clone_into(&mut self.device);
            to_stdout(&format!(
                "on {}\n{:<15} {:<18} {:>9} {:>9} {:<4} case\n",
                check.device, "operator", "check", "error", "allowed", ""
            ))?;
        }
        let verdict = if check.passed { "ok" } else { "FAIL" };
        let Check {
            subject,
            case,
            check: kind,
            note,
            ..
        } = check;
        to_stdout(&format!(
            "{subject:<15} {kind:<18} {error:>9.1e} {tolerance:>9.1e} {verdict:<4} {case} {note}\n"
        ))
    }

    /// Prints the counts; failure if anything failed.
    ///
    /// # Errors
    /// If standard output can't be written.
    pub(crate) fn finish(self) -> Result<ExitCode> {
        self.printed?;
        let [passed, failed] = self.counts;
        if self.output.json {
            print_json(&json!({ "passed": passed, "failed": failed, "checks": self.rows }))?;
        } else {
            to_stdout(&format!("gradcheck: {passed} passed, {failed} failed\n"))?;
        }
        Ok(if failed == 0 {
            ExitCode::SUCCESS
        } else {
            ExitCode::FAILURE
        })
    }
}
