//! Twin of `relu.wgsl`. A NaN passes through, as there.

use super::shared::pointwise::{map, map2};
use crate::kernel::{CpuArgs, params};

params! {
    /// Parameters of both kernels.
    pub(crate) struct ReluParams {
        n: u32,
    }
}

/// `y = max(x, 0)`.
pub(crate) fn forward(_: &ReluParams, args: CpuArgs<'_>) {
    map(
        args,
        #[inline(always)]
        |x| if x <= 0.0 { 0.0 } else { x },
    );
}

/// `dx = dy where y > 0`.
pub(crate) fn backward(_: &ReluParams, args: CpuArgs<'_>) {
    map2(
        args,
        #[inline(always)]
        |dy, y| if y <= 0.0 { 0.0 } else { dy },
    );
}
