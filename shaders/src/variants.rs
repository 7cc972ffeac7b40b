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
    let of = |other| all.iter().filter(move |listed| listed.reals != other);
    let full = of(Reals::Half).map(|listed| listed.variant);
    let half = of(Reals::Full).map(|listed| listed.variant.half(true));
    full.chain(half).collect()
}

/// The floats that a template's `real` may be, with one set of constants.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Reals {
    /// 32-bit ones; most such templates have no `real`.
    Full,
    /// 32-bit or 16-bit ones: what activations and their gradients pass through.
    Both,
    /// 16-bit ones: it converts between them and 32-bit ones.
    Half,
}

/// A template with one set of constants.
#[derive(Clone, Copy, Debug)]
struct Listed {
    variant: Variant,
    reals: Reals,
}

impl Reals {
    /// Declares a variant that is rendered with these.
    const fn of(self, variant: Variant) -> Listed {
        Listed {
            variant,
            reals: self,
        }
    }
}

/// Every template with every set of constants.
fn templates() -> Vec<Listed> {
    simple()
        .chain(rows::all())
        .chain(gemm::all())
        .chain(conv2d::all())
        .chain(update::all())
        .chain(augment::all())
        .collect()
}

/// The entry points of templates without constants.
fn simple() -> impl Iterator<Item = Listed> {
    use Reals::{Both, Full};
    [
        (Full, "accuracy", "accuracy_add"),
        (Full, "accuracy", "accuracy_confusion"),
        (Full, "accuracy", "accuracy_rank"),
        (Full, "average", "average"),
        (Both, "avg_pool", "avg_pool_backward"),
        (Both, "avg_pool", "avg_pool_forward"),
        (Both, "dropout", "dropout_forward"),
        (Both, "elementwise", "elementwise_add"),
        (Both, "elementwise", "elementwise_axpy"),
        (Both, "elementwise", "elementwise_fill"),
        (Both, "elementwise", "elementwise_multiply"),
        (Both, "elementwise", "elementwise_scale"),
        (Full, "gemm_naive", "gemm_naive"),
        (Full, "im2col", "col2im"),
        (Full, "im2col", "im2col"),
        (Full, "reduce", "reduce_broadcast"),
        (Full, "reduce", "reduce_square_sum"),
        (Full, "reduce", "reduce_sum"),
        (Full, "loss_scale", "loss_scale"),
        (Full, "mix", "mix_images"),
        (Full, "mix", "mix_targets"),
        (Both, "relu", "relu_backward"),
        (Both, "relu", "relu_forward"),
        (Full, "resize", "resize"),
        (Full, "top_k", "top_k_forward"),
    ]
    .into_iter()
    .map(|(reals, stem, entry)| reals.of(Variant::new(stem, entry)))
}
