//! Twin of `column_sum.wgsl`: the sum over rows, as the gradients of biases need it.

use rayon::prelude::*;

use super::shared::scratch::with_scratch;
use super::shared::wide::{each, wide};
use crate::kernel::{CpuArgs, params};

params! {
    /// Parameters of the kernel.
    pub(crate) struct ColumnSumParams {
        rows: u32,
        columns: u32,
        rows_per_part: u32,
    }
}

/// Most partial sums; each adds up a fixed share of the rows.
const PARTS: usize = 64;

/// Fewest rows of a part.
const MIN_ROWS: usize = 32;

/// Sums of all rows in one go; the parts of the parameters are for workgroups.
pub(crate) fn forward(_: &ColumnSumParams, args: CpuArgs<'_>) {
    let ([values], [sums]) = args.split();
    column_sum(values, sums);
}

/// `sums[j] = sum over i of values[i, j]`; values: `[rows, columns]`, sums: `[columns]`.
///
/// The rows are cut into parts by their number only, so the bits do not depend on the number of threads.
pub(super) fn column_sum(values: &[f32], sums: &mut [f32]) {
    let columns = sums.len().max(1);
    let rows = values.len() / columns;
    let rows_a_part = rows.div_ceil(PARTS).max(MIN_ROWS);
    sums.fill(0.0);
    with_scratch(rows.div_ceil(rows_a_part) * columns, |parts| {
        let shares = values.par_chunks(rows_a_part * columns);
        parts
            .par_chunks_mut(columns)
            .zip(shares)
            .for_each(|(part, share)| {
                part.fill(0.0);
                wide(
                    #[inline(always)]
                    || {
                        for row in share.chunks_exact(columns) {
                            add(row, part);
                        }
                    },
                );
            });
        for part in parts.chunks_exact(columns) {
            add(part, sums);
        }
    });
}

#[inline(always)]
fn add(values: &[f32], sums: &mut [f32]) {
    each(sums, [values], |sum, [value]| sum + value);
}
