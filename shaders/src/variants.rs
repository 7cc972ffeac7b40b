//! Every variant that can be asked for, one function per family. What is not listed here is not validated, so launches
//! take their variants from these functions and never name a constant themselves.

mod conv2d;
mod gemm;
mod tile;

pub use conv2d::Conv2d;
pub use gemm::{Epilogue, Gemm, Operand};
pub use tile::Tile;

use crate::Variant;

/// Every variant of every file.
#[must_use]
pub fn variants() -> Vec<Variant> {
    simple().chain(gemm::all()).chain(conv2d::all()).collect()
}

/// The entry points of templates without constants.
fn simple() -> impl Iterator<Item = Variant> {
    [
        ("elementwise", "elementwise_add"),
        ("elementwise", "elementwise_axpy"),
        ("elementwise", "elementwise_fill"),
        ("elementwise", "elementwise_multiply"),
        ("elementwise", "elementwise_scale"),
        ("relu", "relu_backward"),
        ("relu", "relu_forward"),
    ]
    .into_iter()
    .map(|(stem, entry)| Variant::new(stem, entry))
}
