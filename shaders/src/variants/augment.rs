//! The variants of `augment.wgsl`.

use super::{Dtypes, Listed};
use crate::Variant;

/// What happens to each image.
#[must_use]
pub const fn plan() -> Variant {
    Variant::new("augment", "augment_plan")
}

/// Doing it to images of 1, 3 or 4 channels, with or without interpolation.
#[must_use]
pub const fn apply(is_resampled: bool, channels: usize) -> Variant {
    let channels = match channels {
        1 => 1,
        4 => 4,
        _ => 3,
    };
    Variant::new("augment", "augment_apply")
        .with("resample", is_resampled as u32)
        .with("channels", channels)
}

pub(super) fn all() -> impl Iterator<Item = Listed> {
    let kinds = [1, 3, 4]
        .into_iter()
        .flat_map(|channels| [false, true].map(|is_resampled| apply(is_resampled, channels)));
    [plan()]
        .into_iter()
        .chain(kinds)
        .map(|variant| Dtypes::F32.of(variant))
}
