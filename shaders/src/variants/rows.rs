//! Variants with one or two flags: pooling, sums of columns, softmax, cross-entropy, bias.

use super::gemm::bits;
use super::{Dtypes, Listed};
use crate::Variant;

/// Invocations that share a row of a softmax or cross-entropy.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum RowLanes {
    /// An invocation has a row to itself, 64 rows to a workgroup: for short rows, and where barriers cost much.
    One = 1,
    /// A workgroup of 64 shares a row.
    SixtyFour = 64,
}

impl RowLanes {
    /// Both.
    pub const ALL: [Self; 2] = [Self::One, Self::SixtyFour];

    const fn add_to(self, variant: Variant) -> Variant {
        variant.with("lanes", self as u32)
    }
}

/// An entry point of softmax.wgsl: `softmax_forward`, `softmax_backward`, `log_softmax_forward` or `log_softmax_backward`.
#[must_use]
pub const fn softmax(entry: &'static str, lanes: RowLanes) -> Variant {
    lanes.add_to(Variant::new("softmax", entry))
}

/// How the targets of a cross-entropy are given.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub struct Targets {
    /// A distribution over the classes for each row, not a label.
    pub soft: bool,
    /// There are class weights.
    pub weighted: bool,
}

impl Targets {
    const fn variant(self, entry: &'static str) -> Variant {
        Variant::new("cross_entropy", entry)
            .with("soft", self.soft as u32)
            .with("weighted", self.weighted as u32)
    }
}

/// Losses of each row. Bindings: params, logits, targets, weights if there are any, losses, kept.
#[must_use]
pub const fn cross_entropy_forward(targets: Targets, lanes: RowLanes) -> Variant {
    lanes.add_to(targets.variant("cross_entropy_forward"))
}

/// The loss of all rows. Bindings: params, losses, kept, total.
#[must_use]
pub const fn cross_entropy_total() -> Variant {
    Variant::new("cross_entropy", "cross_entropy_total")
}

/// The gradient. Bindings: params, logits, targets, kept, total, dloss, weights if there are any, dlogits.
#[must_use]
pub const fn cross_entropy_backward(targets: Targets) -> Variant {
    targets.variant("cross_entropy_backward")
}

/// An entry point of `lrn.wgsl`: `lrn_forward` or `lrn_backward`. `paper`: the window has radius 2, the channels are a
/// multiple of 4.
#[must_use]
pub const fn lrn(entry: &'static str, paper: bool) -> Variant {
    Variant::new("lrn", entry).with("paper", paper as u32)
}

/// An entry point of `max_pool.wgsl`: `max_pool_forward` or `max_pool_backward`. `vector`: the channels are a multiple of 4.
#[must_use]
pub const fn max_pool(entry: &'static str, vector: bool) -> Variant {
    Variant::new("max_pool", entry).with("vector", vector as u32)
}

/// Conversion to f16, or with `widen` from them. It is only there as [`Variant::f16`].
#[must_use]
pub const fn cast(widen: bool) -> Variant {
    Variant::new("cast", "cast_forward").with("widen", widen as u32)
}

/// One turn of the sums of columns. `vector`: the columns are a multiple of 4.
#[must_use]
pub const fn column_sum(vector: bool) -> Variant {
    Variant::new("column_sum", "column_sum").with("vector", vector as u32)
}

/// An entry point of `batch_norm.wgsl`. `vector`: the channels are a multiple of 4.
#[must_use]
pub const fn batch_norm(entry: &'static str, vector: bool) -> Variant {
    Variant::new("batch_norm", entry).with("vector", vector as u32)
}

/// Adding a bias to each row, then ReLU. `vector`: the columns are a multiple of 4.
#[must_use]
pub const fn bias(vector: bool, relu: bool) -> Variant {
    Variant::new("bias", "bias_forward")
        .with("vector", vector as u32)
        .with("relu", relu as u32)
}

/// The entry points of `batch_norm.wgsl`. Statistics are made of sums, which are of 32 bits.
const BATCH_NORM: [(Dtypes, &str); 7] = [
    (Dtypes::Both, "batch_norm_backward"),
    (Dtypes::Both, "batch_norm_eval_backward"),
    (Dtypes::F32, "batch_norm_eval_statistics"),
    (Dtypes::Both, "batch_norm_forward"),
    (Dtypes::Both, "batch_norm_gradient_sums"),
    (Dtypes::Both, "batch_norm_squares"),
    (Dtypes::F32, "batch_norm_statistics"),
];

/// Every variant of these families.
pub(super) fn all() -> Vec<Listed> {
    use Dtypes::{Both, F16, F32};
    let mut all = vec![F32.of(cross_entropy_total())];
    for entry in [
        "softmax_forward",
        "softmax_backward",
        "log_softmax_forward",
        "log_softmax_backward",
    ] {
        all.extend(RowLanes::ALL.map(|lanes| F32.of(softmax(entry, lanes))));
    }
    for [soft, weighted] in bits::<2>() {
        let targets = Targets { soft, weighted };
        all.extend(RowLanes::ALL.map(|lanes| F32.of(cross_entropy_forward(targets, lanes))));
        all.push(F32.of(cross_entropy_backward(targets)));
    }
    for vector in [false, true] {
        all.extend(["lrn_forward", "lrn_backward"].map(|entry| Both.of(lrn(entry, vector))));
        all.extend(
            ["max_pool_forward", "max_pool_backward"].map(|entry| Both.of(max_pool(entry, vector))),
        );
        all.extend([false, true].map(|relu| F32.of(bias(vector, relu))));
        all.push(Both.of(column_sum(vector)));
        all.extend(BATCH_NORM.map(|(dtypes, entry)| dtypes.of(batch_norm(entry, vector))));
        all.push(F16.of(cast(vector)));
    }
    all
}
