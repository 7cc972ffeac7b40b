//! Proof of the operators: cases that are data, fills, comparison, and the checks that tests, benches and
//! `alexnet gradcheck` share.
//!
//! Every operator implements [`Case`] in `operators/<op>.rs`, with a forward in f64 that reads like the equation. A case
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
mod compare;
mod conv2d;
mod cross_entropy;
mod differences;
mod dropout;
mod elementwise;
mod fill;
mod gelu;
mod gemm;
mod im2col;
mod loss_scale;
mod lrn;
mod max_pool;
mod mix;
mod pool;
mod reduce;
mod relu;
mod resize;
mod run;
mod sgd;
mod softmax;
mod strided_copy;
mod top_k;
mod unary;

pub use cases::{Case, Fields, Line, Operator, Sizes, operators};
pub use check::{check, check_half, check_twin, gpu};
pub use compare::{Row, compare, tolerance};
pub use fill::{Fill, Input};
pub use run::{OperatorRow, run};
