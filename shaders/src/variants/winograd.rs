//! Variants of `winograd.wgsl`.

use super::{Dtypes, Listed};
use crate::Variant;

/// Sides of the tiles of outputs that there are transforms for.
pub const SIDES: [u32; 2] = [2, 4];

/// The entry points that take no bias.
const ENTRIES: [&str; 5] = [
    "winograd_input",
    "winograd_filter",
    "winograd_flipped_filter",
    "winograd_output_gradient",
    "winograd_filter_gradient",
];

/// An entry point but `winograd_output`, for tiles of `m` x `m` outputs. Bindings: params, x, y.
#[must_use]
pub const fn transform(entry: &'static str, m: u32) -> Variant {
    Variant::new("winograd", entry).with("m", m).with("bias", 0)
}

/// The transform back to images. Bindings: params, planes, bias if there is one, y.
#[must_use]
pub const fn output(m: u32, bias: bool) -> Variant {
    Variant::new("winograd", "winograd_output")
        .with("m", m)
        .with("bias", bias as u32)
}

/// Every variant of the family.
pub(super) fn all() -> impl Iterator<Item = Listed> {
    SIDES.into_iter().flat_map(|m| {
        let transforms = ENTRIES.into_iter().map(move |entry| transform(entry, m));
        let outputs = [false, true].map(|bias| output(m, bias));
        transforms
            .chain(outputs)
            .map(|variant| Dtypes::F32.of(variant))
    })
}
