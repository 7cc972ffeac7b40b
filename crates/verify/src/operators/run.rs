//! The run over all cases, a row for each check: what `alexnet gradcheck` prints.

use kernels::Device;

use super::check::check;
use super::compare::Row;
use super::operators;
use crate::error::{Error, Result};

/// One check of one operator's case on one device.
#[derive(Clone, Debug)]
pub struct OperatorRow {
    /// The operator's stem.
    pub operator: &'static str,
    /// The case, as its line in `tests/cases/<op>.txt` has it.
    pub case: &'static str,
    /// The device's name.
    pub device: String,
    /// What was compared, how it came out and what rounding explains.
    pub row: Row,
}

/// Checks the cases of every operator whose stem is in `only` (of all, if that is empty) on `device`, and hands each
/// row to `report` as it is there.
///
/// # Errors
/// If an operator fails or `only` names an unknown one; a wrong gradient is a row that did not pass.
pub fn run(device: &Device, only: &[String], mut report: impl FnMut(OperatorRow)) -> Result<()> {
    let operators = operators();
    if let Some(unknown) = only
        .iter()
        .find(|name| operators.iter().all(|op| op.stem != **name))
    {
        let known: Vec<_> = operators.iter().map(|op| op.stem).collect();
        return Err(Error::UnknownOperator {
            name: unknown.clone(),
            known: known.join(", "),
        });
    }
    for operator in operators
        .iter()
        .filter(|op| only.is_empty() || only.iter().any(|name| name == op.stem))
    {
        let cases = operator
            .cases()
            .map_err(|message| Error::Cases { message })?;
        for (case, sized) in cases {
            for row in check(&*sized, device)? {
                report(OperatorRow {
                    operator: operator.stem,
                    case,
                    device: device.name().to_owned(),
                    row,
                });
            }
        }
    }
    Ok(())
}
