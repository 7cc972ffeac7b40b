//! Proof of the operators: cases that are data, fills, comparison, and the checks that tests, benches and
//! `alexnet gradcheck` share.
//!
//! Every operator implements [`Case`] in `testing/<op>.rs`, with a forward in f64 that reads like the equation. A case
//! is then checked on each device: forward against that reference, backward against central differences of it, and
//! shader against twin. Tolerances are derived from the number of terms summed; see [`tolerance`].

mod accuracy;
mod adam;
mod augment;
mod average;
mod avg_pool;
mod axis_sum;
mod batch_norm;
mod bias;
mod cases;
mod check;
mod clip_grad_norm;
mod column_sum;
mod conv2d;
mod cross_entropy;
mod dropout;
mod elementwise;
mod fill;
mod gelu;
mod gemm;
mod gemm_peer;
mod im2col;
mod loss_scale;
mod lrn;
mod max_pool;
mod mix;
#[cfg(test)]
pub(crate) mod naive;
mod pool;
mod reduce;
mod relu;
mod resize;
mod sgd;
mod softmax;
mod strided_copy;
mod top_k;
mod unary;

pub use cases::{Case, Fields, Line, Operator, Sizes, operators};
pub use check::{Row, check, check_half, check_twin, compare, gpu, tolerance};
pub use fill::{Fill, Input};
pub use gemm_peer::{library_product, naive_product};
