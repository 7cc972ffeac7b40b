//! The variants of the optimizers and of gradient clipping: `sgd`, `adam`, `clip_grad_norm`.

use super::{Dtypes, Listed};
use crate::Variant;

/// The update of stochastic gradient descent.
#[must_use]
pub const fn sgd(has_momentum: bool, is_scaled: bool) -> Variant {
    Variant::new("sgd", "sgd")
        .with("momentum", has_momentum as u32)
        .with("scaled", is_scaled as u32)
}

/// The update of Adam and `AdamW`.
#[must_use]
pub const fn adam(is_scaled: bool) -> Variant {
    Variant::new("adam", "adam").with("scaled", is_scaled as u32)
}

/// A kernel of gradient clipping by the 1-norm, the 2-norm or, for 0, the largest absolute value.
#[must_use]
pub const fn clip_grad_norm(entry: &'static str, norm: u32) -> Variant {
    Variant::new("clip_grad_norm", entry).with("norm", norm)
}

pub(super) fn all() -> impl Iterator<Item = Listed> {
    let flags = [false, true];
    let sgds = flags
        .into_iter()
        .flat_map(move |momentum| flags.map(|scaled| sgd(momentum, scaled)));
    let clips = ["clip_grad_norm_partial", "clip_grad_norm_factor"]
        .into_iter()
        .flat_map(|entry| [0, 1, 2].map(|norm| clip_grad_norm(entry, norm)))
        .chain([clip_grad_norm("clip_grad_norm_scale", 2)]);
    sgds.chain(flags.map(adam))
        .chain(clips)
        .map(|variant| Dtypes::F32.of(variant))
}
