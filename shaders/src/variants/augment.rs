//! The variants of `augment.wgsl`.

use super::{Listed, Reals};
use crate::Variant;

/// What happens to each image.
#[must_use]
pub const fn plan() -> Variant {
    Variant::new("augment", "augment_plan")
}

/// Doing it, with or without interpolation.
#[must_use]
pub const fn apply(is_resampled: bool) -> Variant {
    Variant::new("augment", "augment_apply").with("resample", is_resampled as u32)
}

pub(super) fn all() -> impl Iterator<Item = Listed> {
    [plan(), apply(false), apply(true)]
        .into_iter()
        .map(|variant| Reals::Full.of(variant))
}
