//! Twins of `cross_entropy.wgsl`.

use rayon::prelude::*;

use crate::cpu::shared::pointwise::exp;
use crate::kernel::{CpuArgs, params, words};

params! {
    /// Parameters of the three kernels.
    pub(crate) struct CrossEntropyParams {
        rows: u32,
        classes: u32,
        ignore_index: u32,
        reduction: u32,
        smoothing: f32,
        is_log: u32,
    }
}

/// A label that is ignored always: the padding of a last batch.
pub const PADDING: u32 = u32::MAX;

/// Elements per parallel task at least: an exponential each.
const TASK_LEN: usize = 2048;

/// What the target of a row is.
#[derive(Clone, Copy)]
enum Target<'a> {
    Ignored,
    Label(usize),
    Probabilities(&'a [f32]),
}

/// The targets and weights of all rows.
struct Targets<'a> {
    p: &'a CrossEntropyParams,
    targets: &'a [f32],
    weights: Option<&'a [f32]>,
    classes: usize,
}

impl<'a> Targets<'a> {
    fn new(p: &'a CrossEntropyParams, targets: &'a [f32], weights: Option<&'a [f32]>) -> Self {
        let classes = p.classes as usize;
        Self {
            p,
            targets,
            weights,
            classes,
        }
    }

    fn weight(&self, class: usize) -> f32 {
        self.weights.map_or(1.0, |weights| weights[class])
    }

    fn row<const SOFT: bool>(&self, row: usize) -> Target<'a> {
        if SOFT {
            return Target::Probabilities(&self.targets[row * self.classes..][..self.classes]);
        }
        let label = words(self.targets)[row];
        if label == PADDING || label == self.p.ignore_index {
            Target::Ignored
        } else {
            Target::Label(label as usize)
        }
    }

    /// `t_c` of a row.
    fn at(&self, target: Target<'_>, class: usize) -> f32 {
        let hot = match target {
            Target::Ignored => 0.0,
            Target::Label(label) => f32::from(u8::from(label == class)),
            Target::Probabilities(row) => row[class],
        };
        #[expect(clippy::cast_precision_loss, reason = "far fewer than 2^24 classes")]
        let smooth = self.p.smoothing / self.classes as f32;
        self.weight(class) * ((1.0 - self.p.smoothing) * hot + smooth)
    }
}

/// The rows' losses and `(m, z, W, weight)`. Reads logits, targets and, if there are any, class weights.
pub(crate) fn forward<const SOFT: bool>(p: &CrossEntropyParams, args: CpuArgs<'_>) {
    let weights = args.reads.get(2).copied();
    let logits = args.reads[0];
    let targets = Targets::new(p, args.reads[1], weights);
    let mut writes = args.writes.into_iter();
    let (Some(losses), Some(kept)) = (writes.next(), writes.next()) else {
        return;
    };
    let rows_a_task = (TASK_LEN / targets.classes).max(1);
    let tasks = losses
        .par_chunks_mut(rows_a_task)
        .zip(kept.par_chunks_mut(4 * rows_a_task));
    tasks.enumerate().for_each(|(task, (losses, kept))| {
        let rows = task * rows_a_task..;
        for (row, (loss, kept)) in rows.zip(losses.iter_mut().zip(kept.chunks_exact_mut(4))) {
            let logits = &logits[row * targets.classes..][..targets.classes];
            let (row_loss, row_kept) = forward_row(&targets, targets.row::<SOFT>(row), logits);
            *loss = row_loss;
            kept.copy_from_slice(&row_kept);
        }
    });
}

fn forward_row(targets: &Targets<'_>, target: Target<'_>, logits: &[f32]) -> (f32, [f32; 4]) {
    let (m, z) = if targets.p.is_log != 0 {
        (0.0, 1.0)
    } else {
        let m = logits.iter().fold(f32::MIN, |m, &x| m.max(x));
        (m, logits.iter().map(|x| exp(x - m)).sum::<f32>())
    };
    let log_z = libm::logf(z);
    let (mut loss, mut total_target) = (0.0, 0.0);
    for (class, x) in logits.iter().enumerate() {
        let t = targets.at(target, class);
        total_target += t;
        if t != 0.0 {
            loss += t * (log_z - (x - m));
        }
    }
    let weight = match target {
        Target::Ignored => return (0.0, [m, z, total_target, 0.0]),
        Target::Label(label) if label >= logits.len() => {
            return (f32::NAN, [m, z, f32::NAN, 0.0]);
        }
        Target::Label(label) => targets.weight(label),
        Target::Probabilities(_) => 1.0,
    };
    (loss, [m, z, total_target, weight])
}

/// The reduced loss and the sum of the rows' weights.
pub(crate) fn total(p: &CrossEntropyParams, args: CpuArgs<'_>) {
    let ([losses, kept], [total]) = args.split();
    let loss = losses.iter().sum::<f32>();
    let weight = kept.chunks_exact(4).map(|kept| kept[3]).sum::<f32>();
    total[0] = if p.reduction == 1 {
        loss / weight
    } else {
        loss
    };
    total[1] = weight;
}

/// `dx_c = g (W p_c - t_c)`. Reads logits, targets, kept, total, dloss and, if there are any, class weights.
pub(crate) fn backward<const SOFT: bool>(p: &CrossEntropyParams, args: CpuArgs<'_>) {
    let [logits, targets, kept, total, dloss] = [0, 1, 2, 3, 4].map(|i| args.reads[i]);
    let targets = Targets::new(p, targets, args.reads.get(5).copied());
    let classes = targets.classes;
    let rows_a_task = (TASK_LEN / classes).max(1);
    for dlogits in args.writes {
        let tasks = dlogits.par_chunks_mut(rows_a_task * classes).enumerate();
        tasks.for_each(|(task, dlogits)| {
            let rows = task * rows_a_task..;
            for (row, dlogits) in rows.zip(dlogits.chunks_exact_mut(classes)) {
                let target = targets.row::<SOFT>(row);
                let g = match (target, p.reduction) {
                    (Target::Ignored, _) => {
                        dlogits.fill(0.0);
                        continue;
                    }
                    (_, 0) => dloss[row],
                    (_, 1) => dloss[0] / total[1],
                    _ => dloss[0],
                };
                let kept = &kept[4 * row..][..4];
                let logits = &logits[row * classes..][..classes];
                for (class, (dx, x)) in dlogits.iter_mut().zip(logits).enumerate() {
                    let expected = if p.is_log == 0 {
                        kept[2] * (exp(x - kept[0]) / kept[1])
                    } else {
                        0.0
                    };
                    *dx = g * (expected - targets.at(target, class));
                }
            }
        });
    }
}
