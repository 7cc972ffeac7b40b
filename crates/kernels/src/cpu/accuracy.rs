//! Twins of `accuracy.wgsl`.

use rayon::prelude::*;

use crate::kernel::{CpuArgs, params, words, words_mut};

params! {
    /// Parameters of all these kernels.
    pub(crate) struct AccuracyParams {
        rows: u32,
        classes: u32,
    }
}

/// The rank of a row without a prediction, and the label of padding.
const PADDING: u32 = u32::MAX;
/// The rank of a wrong answer whatever `k`: more than there are classes would still be among the first five of three.
const WRONG: u32 = u32::MAX - 1;
/// The answer of a row with a NaN.
const NO_CLASS: u32 = u32::MAX;
/// Rows per parallel task.
const TASK_ROWS: usize = 64;

/// The label's rank and the class of the largest logit, row by row.
pub(crate) fn rank(p: &AccuracyParams, args: CpuArgs<'_>) {
    let ([logits, labels], [ranks, best]) = args.split();
    let classes = p.classes as usize;
    let rows = logits
        .par_chunks(classes * TASK_ROWS)
        .zip(words(labels).par_chunks(TASK_ROWS));
    let results = words_mut(ranks)
        .par_chunks_mut(TASK_ROWS)
        .zip(words_mut(best).par_chunks_mut(TASK_ROWS));
    results
        .zip(rows)
        .for_each(|((ranks, best), (logits, labels))| {
            let rows = logits.chunks_exact(classes).zip(labels);
            for ((rank, best), (logits, &label)) in ranks.iter_mut().zip(best).zip(rows) {
                (*rank, *best) = rank_row(p.classes, logits, label);
            }
        });
}

fn rank_row(classes: u32, logits: &[f32], label: u32) -> (u32, u32) {
    let own = logits[label.min(classes - 1) as usize];
    let (mut rank, mut winner, mut most) = (0, 0, logits[0]);
    let mut has_nan = false;
    for (c, &x) in (0..).zip(logits) {
        rank += u32::from(x > own || (x == own && c < label));
        if x > most {
            (most, winner) = (x, c);
        }
        has_nan |= x.is_nan();
    }
    if has_nan {
        winner = NO_CLASS;
    }
    match label {
        PADDING => (PADDING, winner),
        _ if label >= classes || has_nan => (WRONG, winner),
        _ => (rank, winner),
    }
}

/// Adds the batch to the totals.
pub(crate) fn add(_: &AccuracyParams, args: CpuArgs<'_>) {
    let ([ranks, loss], [totals]) = args.split();
    let (mut first, mut first_five, mut count) = (0.0, 0.0, 0.0);
    for &rank in words(ranks) {
        first += f32::from(u8::from(rank == 0));
        first_five += f32::from(u8::from(rank < 5));
        count += f32::from(u8::from(rank != PADDING));
    }
    if count > 0.0 {
        for (total, part) in totals
            .iter_mut()
            .zip([loss[0] * count, first, first_five, count])
        {
            *total += part;
        }
    }
}

/// Adds the batch to the confusion counts.
pub(crate) fn confusion(p: &AccuracyParams, args: CpuArgs<'_>) {
    let ([labels, best], [counts]) = args.split();
    let counts = words_mut(counts);
    for (&label, &best) in words(labels).iter().zip(words(best)) {
        if label < p.classes && best < p.classes {
            counts[(label * p.classes + best) as usize] += 1;
        }
    }
}
