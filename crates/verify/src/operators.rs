//! Proof of the operators: cases that are data, fills, comparison, and the checks that tests, benches and
//! `alexnet gradcheck` share.
//!
//! Every operator implements [`Case`] in `operators/<op>.rs`, with a forward in f64 that reads like the equation. A case
//! is then checked on each device: forward against that reference, backward against central differences of it, and
//! shader against twin. Tolerances are derived from the number of terms summed; see [`tolerance`].

mod cases;
mod check;
mod compare;
mod differences;
mod fill;
mod pool;
mod run;

pub use cases::{Case, Fields, Line, Operator, Sizes};
pub use check::{check, check_f16, check_twin, gpu};
pub use compare::{Row, compare, tolerance};
pub use fill::{Fill, Input};
pub use run::{OperatorRow, run};

/// Declares the operators' modules, and lists them with their cases.
macro_rules! operators {
    ($($stem:ident),+ $(,)?) => {
        $(mod $stem;)+

        /// Every operator that has cases.
        #[must_use]
        pub fn operators() -> Vec<Operator> {
            vec![$(Operator {
                stem: stringify!($stem),
                text: include_str!(concat!("../../../tests/cases/", stringify!($stem), ".txt")),
                parse: $stem::parse,
            }),+]
        }
    };
}

// `cargo fmt` does not see these files; `cargo xtask test` does.
operators!(
    accuracy,
    adam,
    augment,
    ema,
    avg_pool,
    axis_sum,
    batch_norm,
    bias,
    clip_grad_norm,
    column_sum,
    conv2d,
    cross_entropy,
    dropout,
    elementwise,
    gelu,
    gemm,
    im2col,
    loss_scale,
    lrn,
    max_pool,
    mix,
    reduce,
    relu,
    resize,
    sgd,
    softmax,
    strided_copy,
    top_k,
    unary,
    winograd,
);
