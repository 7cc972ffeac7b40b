//! What recorded cases of other frameworks showed.

use std::fmt::Write as _;

use anyhow::Result;
use serde_json::json;
use tensor::Device;
use verify::parity::{Report, Verdict};

use super::{print_json, to_stderr, to_stdout};
use crate::args::OutputArgs;

/// A finished case, as a line on standard error: every one with --verbose, else only those that failed.
pub(crate) fn parity_case(name: &str, verdict: &Verdict, output: OutputArgs) {
    let name = files::escape(name);
    match verdict {
        Verdict::Failed { reason, .. } => to_stderr(&format!("FAILED {name}: {reason}\n")),
        Verdict::Passed {
            error_over_tolerance,
        } if output.verbose => {
            to_stderr(&format!(
                "passed {name}: {error_over_tolerance:.3} of the tolerance\n"
            ));
        }
        Verdict::Skipped { reason } if output.verbose => {
            to_stderr(&format!("skipped {name}: {reason}\n"));
        }
        _ => {}
    }
}

/// The groups as a table, then what was skipped and why, then the totals.
pub(crate) fn parity(report: &Report, device: &Device, output: OutputArgs) -> Result<()> {
    let [passed, failed, skipped] = report.totals();
    if output.json {
        let groups = report.groups.iter().map(|(name, group)| {
            let failed = group
                .failed
                .iter()
                .map(|(case, reason)| json!({ "case": case, "reason": reason }));
            let value = json!({
                "passed": group.passed,
                "failed": failed.collect::<Vec<_>>(),
                "skipped": group.skipped,
                "worst_error_over_tolerance": group.worst,
                "worst_case": group.worst_case,
            });
            (name.clone(), value)
        });
        return print_json(&json!({
            "device": device.name(),
            "passed": passed,
            "failed": failed,
            "skipped": skipped,
            "groups": groups.collect::<serde_json::Map<_, _>>(),
        }));
    }
    if output.quiet {
        return Ok(());
    }
    let mut text = format!(
        "{:<26} {:>6} {:>6} {:>7}  {:>15}\n",
        "group", "passed", "failed", "skipped", "error/tolerance"
    );
    for (name, group) in &report.groups {
        let skips: usize = group.skipped.values().map(Vec::len).sum();
        let (passed, failed) = (group.passed, group.failed.len());
        let worst = format!("{:.3} {}", group.worst, group.worst_case);
        let worst = if passed == 0 { "" } else { worst.as_str() };
        writeln!(
            text,
            "{name:<26} {passed:>6} {failed:>6} {skips:>7}  {worst}"
        )?;
    }
    for (name, group) in &report.groups {
        for (reason, cases) in &group.skipped {
            writeln!(text, "skipped {name}: {reason}: {}", cases.join(" "))?;
        }
    }
    writeln!(
        text,
        "{passed} passed, {failed} failed, {skipped} skipped on {}",
        device.name()
    )?;
    to_stdout(&text)
}
