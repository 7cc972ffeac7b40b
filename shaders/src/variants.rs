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

use crate::Variant;

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
    simple()
        .chain(rows::all())
        .chain(gemm::all())
        .chain(conv2d::all())
        .chain(update::all())
        .chain(augment::all())
        .collect()
}

/// The entry points of templates without constants.
fn simple() -> impl Iterator<Item = Variant> {
    [
        ("accuracy", "accuracy_add"),
        ("accuracy", "accuracy_confusion"),
        ("accuracy", "accuracy_rank"),
        ("average", "average"),
        ("avg_pool", "avg_pool_backward"),
        ("avg_pool", "avg_pool_forward"),
        ("dropout", "dropout_forward"),
        ("elementwise", "elementwise_add"),
        ("elementwise", "elementwise_axpy"),
        ("elementwise", "elementwise_fill"),
        ("elementwise", "elementwise_multiply"),
        ("elementwise", "elementwise_scale"),
        ("gemm_naive", "gemm_naive"),
        ("im2col", "col2im"),
        ("im2col", "im2col"),
        ("reduce", "reduce_broadcast"),
        ("reduce", "reduce_square_sum"),
        ("reduce", "reduce_sum"),
        ("loss_scale", "loss_scale"),
        ("mix", "mix_images"),
        ("mix", "mix_targets"),
        ("relu", "relu_backward"),
        ("relu", "relu_forward"),
        ("resize", "resize"),
        ("top_k", "top_k_forward"),
    ]
    .into_iter()
    .map(|(stem, entry)| Variant::new(stem, entry))
}
