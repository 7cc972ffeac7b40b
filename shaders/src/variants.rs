//! Every variant that can be asked for, one function per family. What is not listed here is not validated, so launches
//! take their variants from these functions and never name a constant themselves.

pub mod augment;
mod conv2d;
mod gemm;
mod rows;
mod tile;
pub mod update;

pub use conv2d::Conv2d;
pub use gemm::Gemm;
pub use rows::{
    RowLanes, Targets, batch_norm, bias, cast, column_sum, cross_entropy_backward,
    cross_entropy_forward, cross_entropy_total, lrn, max_pool, softmax,
};
pub use tile::Tile;

use crate::{Variant, files};

/// Every variant of every file.
#[must_use]
pub fn variants() -> Vec<Variant> {
    let all = templates();
    let half = all.iter().filter(|variant| variant.has_half());
    let half: Vec<_> = half.map(|variant| variant.half(true)).collect();
    let single = all.into_iter().filter(|variant| !variant.needs_half());
    single.chain(half).collect()
}

/// Every template with every set of constants.
fn templates() -> Vec<Variant> {
    files::without_constants()
        .chain(rows::all())
        .chain(gemm::all())
        .chain(conv2d::all())
        .chain(update::all())
        .chain(augment::all())
        .collect()
}
