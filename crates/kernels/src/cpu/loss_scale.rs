//! Twin of `loss_scale.wgsl`.

use crate::kernel::{CpuArgs, params};

params! {
    /// Parameters of the kernel.
    pub(crate) struct LossScaleParams {
        max_norm: f32,
        interval: f32,
    }
}

/// Reads the norm of scaled gradients; writes factor, inverse, scale and streak.
pub(crate) fn update(p: &LossScaleParams, args: CpuArgs<'_>) {
    let ([total], [factor, inverse, scale, streak]) = args.split();
    let before = scale[0];
    inverse[0] = 1.0 / before;
    if !total[0].is_finite() {
        factor[0] = -1.0;
        scale[0] = (0.5 * before).max(1.0);
        streak[0] = 0.0;
        return;
    }
    let ratio = p.max_norm / (total[0] / before + 1e-6);
    factor[0] = ratio.min(1.0) / before;
    let next = streak[0] + 1.0;
    let grows = next >= p.interval;
    scale[0] = if grows { 2.0 * before } else { before };
    streak[0] = if grows { 0.0 } else { next };
}
