//! How often a classifier is right, added up on the device, so that a training loop reads four numbers now and then.
//!
//! A row's rank is how many classes come before its label by their logits, the lower class first among equal ones. The
//! answer is right in the first k if the rank is under k. A row with a NaN has no answer: it is wrong for every k, and no
//! class is its best. Nothing here has a gradient.

use super::{check_len, size};
use crate::buffer::Buffer;
use crate::cpu;
use crate::cpu::accuracy::AccuracyParams;
use crate::device::Device;
use crate::error::{Error, Result};
use crate::kernel::{Grid, Kernel, Twin};

const OP: &str = "accuracy";
const RANK: Kernel<AccuracyParams> = kernel("accuracy_rank", cpu::accuracy::rank);
const ADD: Kernel<AccuracyParams> = kernel("accuracy_add", cpu::accuracy::add);
const CONFUSION: Kernel<AccuracyParams> = kernel("accuracy_confusion", cpu::accuracy::confusion);

const fn kernel(entry: &'static str, twin: Twin<AccuracyParams>) -> Kernel<AccuracyParams> {
    Kernel::new(shaders::Variant::new(OP, entry), twin)
}

/// The length of the totals: sum of the losses, rows right at once, rows right in the first five, rows.
pub const TOTALS: usize = 4;

/// Where the labels of a batch stand among the classes.
#[derive(Clone, Debug)]
pub struct Ranking {
    /// `[rows]` words: classes before the label; `u32::MAX` for padding, `u32::MAX - 1` for a label that is not a class and
    /// for a row with a NaN.
    pub ranks: Buffer,
    /// `[rows]` words: the class of the largest logit, the first of equal ones; `u32::MAX` for a row with a NaN.
    pub best: Buffer,
    classes: usize,
}

/// Ranks the labels of `logits: [rows, classes]`. labels: `[rows]` words, `u32::MAX` being padding.
///
/// # Errors
/// If lengths don't fit, memory runs out or the device fails.
pub fn rank(
    device: &Device,
    logits: &Buffer,
    labels: &Buffer,
    [rows, classes]: [usize; 2],
) -> Result<Ranking> {
    let params = params(rows, classes)?;
    check_len(OP, "logits", logits, rows * classes)?;
    check_len(OP, "labels", labels, rows)?;
    let (ranks, best) = (device.alloc(rows)?, device.alloc(rows)?);
    let grid = Grid::linear(rows).flops(4 * rows * classes);
    device.launch(&RANK, &params, &[logits, labels], &[&ranks, &best], grid)?;
    Ok(Ranking {
        ranks,
        best,
        classes,
    })
}

/// Adds a batch to `totals`: its loss times its rows without padding, and how many of these are right at once, right in
/// the first five, and there. loss: `[1]`, the mean over the rows.
///
/// # Errors
/// If lengths don't fit or the device fails.
pub fn add(device: &Device, ranking: &Ranking, loss: &Buffer, totals: &Buffer) -> Result<()> {
    check_len(OP, "loss", loss, 1)?;
    check_len(OP, "totals", totals, TOTALS)?;
    let params = params(ranking.ranks.len(), ranking.classes)?;
    let grid = Grid::groups(1, 1, 1).flops(3 * ranking.ranks.len());
    device.launch(&ADD, &params, &[&ranking.ranks, loss], &[totals], grid)
}

/// Adds a batch to the confusion counts `counts: [classes, classes]` words: a row for each label, a column for each answer.
/// Rows without an answer are not counted.
///
/// # Errors
/// If lengths don't fit or the device fails.
pub fn confusion(
    device: &Device,
    ranking: &Ranking,
    labels: &Buffer,
    counts: &Buffer,
) -> Result<()> {
    let (rows, classes) = (ranking.best.len(), ranking.classes);
    check_len(OP, "labels", labels, rows)?;
    check_len(OP, "counts", counts, classes * classes)?;
    let reads = [labels, &ranking.best];
    device.launch(
        &CONFUSION,
        &params(rows, classes)?,
        &reads,
        &[counts],
        Grid::linear(rows),
    )
}

fn params(rows: usize, classes: usize) -> Result<AccuracyParams> {
    if classes == 0 {
        return Err(Error::argument(OP, "classes", "at least one", "0"));
    }
    size(OP, "logits", rows.saturating_mul(classes))?;
    Ok(AccuracyParams {
        rows: size(OP, "rows", rows)?,
        classes: size(OP, "classes", classes)?,
    })
}
