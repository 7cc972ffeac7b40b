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
    let ([x], [values, indices]) = args.split();
    let (classes, k) = (p.classes as usize, p.k as usize);
    let results = values
        .par_chunks_exact_mut(k)
        .zip(words_mut(indices).par_chunks_exact_mut(k));
    let rows = results.zip(x.par_chunks_exact(classes));
    rows.for_each_init(Vec::new, |order, ((values, indices), x)| {
        order.clear();
        let ranked = (0..p.classes).zip(x);
        order.extend(ranked.map(|(at, &value)| Ranked { at, value }));
        if k < classes {
            order.select_nth_unstable_by(k - 1, compare);
        }
        order[..k].sort_unstable_by(compare);
        for ((value, position), ranked) in values.iter_mut().zip(indices).zip(order.iter()) {
            (*value, *position) = (ranked.value, ranked.at);
        }
    });
}

/// An element of a row and where it is.
#[derive(Clone, Copy)]
struct Ranked {
    at: u32,
    value: f32,
}

/// Larger values first, NaN before all, equal ones by their position. No two indices are equal, so the order is total.
fn compare(a: &Ranked, b: &Ranked) -> Ordering {
    let by_value = match (a.value.is_nan(), b.value.is_nan()) {
        (true, true) => Ordering::Equal,
        (true, false) => Ordering::Less,
        (false, true) => Ordering::Greater,
        (false, false) => b.value.partial_cmp(&a.value).unwrap_or(Ordering::Equal),
    };
    by_value.then(a.at.cmp(&b.at))
}
