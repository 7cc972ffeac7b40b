//! Twin of `top_k.wgsl`. It sorts, which the shader does not, to the same order.

use std::cmp::Ordering;

use rayon::prelude::*;

use crate::kernel::{CpuArgs, params, words_mut};

params! {
    /// Parameters of the kernel.
    pub(crate) struct TopKParams {
        rows: u32,
        classes: u32,
        k: u32,
    }
}

/// The largest elements of each row and where they were.
pub(crate) fn forward(p: &TopKParams, args: CpuArgs<'_>) {
    let ([x], [values, positions]) = args.split();
    let (classes, k) = (p.classes as usize, p.k as usize);
    let results = values
        .par_chunks_exact_mut(k)
        .zip(words_mut(positions).par_chunks_exact_mut(k));
    let rows = results.zip(x.par_chunks_exact(classes));
    rows.for_each_init(Vec::new, |order, ((values, positions), x)| {
        order.clear();
        order.extend((0..p.classes).zip(x.iter().copied()));
        if k < classes {
            order.select_nth_unstable_by(k - 1, compare);
        }
        order[..k].sort_unstable_by(compare);
        for ((value, position), &(at, x)) in values.iter_mut().zip(positions).zip(order.iter()) {
            (*value, *position) = (x, at);
        }
    });
}

/// Larger values first, NaN before all, equal ones by their position. No two positions are equal, so the order is total.
fn compare(a: &(u32, f32), b: &(u32, f32)) -> Ordering {
    let by_value = match (a.1.is_nan(), b.1.is_nan()) {
        (true, true) => Ordering::Equal,
        (true, false) => Ordering::Less,
        (false, true) => Ordering::Greater,
        (false, false) => b.1.partial_cmp(&a.1).unwrap_or(Ordering::Equal),
    };
    by_value.then(a.0.cmp(&b.0))
}
