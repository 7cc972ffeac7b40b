//! Proof of the operators: cases that are data, fills, comparison, and the checks that tests, benches and
//! `alexnet gradcheck` share.
//!
//! Every operator implements [`Case`] in `testing/<op>.rs`, with a forward in f64 that reads like the equation. A case
//! is then checked on each device: forward against that reference, backward against central differences of it, and
//! shader against twin. Tolerances are derived from the number of terms summed; see [`tolerance`].

mod batch_norm;
mod cases;
mod check;
mod column_sum;
mod conv2d;
mod elementwise;
mod fill;
mod gemm;
mod im2col;
#[cfg(test)]
pub(crate) mod naive;
mod relu;
mod roofline;
mod softmax;

pub use cases::{Case, Fields, Line, Operator, Sizes, operators};
pub use check::{Row, check, check_twin, compare, gpu, tolerance};
pub use fill::{Fill, Input};
pub use roofline::Roofline;
