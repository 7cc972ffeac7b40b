//! Dynamic loss scaling (Micikevicius 2018, section 3.2), with the rule of PyTorch's `GradScaler`: the loss is multiplied by a scale, so
//! that small gradients are not lost in f16, and the update divides by it.
//!
//! A step whose gradients have a finite norm is updated by `factor = min(1, max_norm / (norm + 1e-6)) / scale`; after 2000
//! of them in a row the scale doubles. One whose gradients overflowed is skipped (`factor = -1`), and the scale halves.
//! All of it stays on the device.

use super::check_len;
use crate::buffer::Buffer;
use crate::cpu;
use crate::cpu::loss_scale::LossScaleParams;
use crate::device::Device;
use crate::error::Result;
use crate::kernel::{Grid, Kernel};

const OP: &str = "loss_scale";
const KERNEL: Kernel<LossScaleParams> = Kernel::new(
    shaders::Variant::new(OP, "loss_scale"),
    cpu::loss_scale::update,
);
/// Steps in a row without an overflow after which the scale doubles; PyTorch's number.
pub const INTERVAL: u32 = 2000;
/// The scale to begin with; PyTorch's number.
pub const FIRST: f32 = 65536.0;

/// The state, and what follows from it for a step: buffers of one float each.
#[derive(Clone, Debug)]
pub struct LossScale<'a> {
    /// What the next step's loss is multiplied by.
    pub scale: &'a Buffer,
    /// Steps since it changed.
    pub streak: &'a Buffer,
    /// Gets `1 / scale` as the step had it.
    pub inverse: &'a Buffer,
    /// Gets what the step's gradients are to be multiplied by; -1 if the step is to be skipped.
    pub factor: &'a Buffer,
}

/// Ends a step: `total: [1]` is the norm of its gradients, which are scaled, and `max_norm` the most that their norm may be
/// once they are not; infinite for no bound.
///
/// # Errors
/// If a buffer has not one element, or the device fails.
pub fn update(device: &Device, state: &LossScale<'_>, total: &Buffer, max_norm: f32) -> Result<()> {
    let LossScale {
        scale,
        streak,
        inverse,
        factor,
    } = *state;
    for (name, buffer) in [
        ("total", total),
        ("scale", scale),
        ("streak", streak),
        ("inverse", inverse),
        ("factor", factor),
    ] {
        check_len(OP, name, buffer, 1)?;
    }
    #[expect(clippy::cast_precision_loss, reason = "a few thousand")]
    let params = LossScaleParams {
        max_norm,
        interval: INTERVAL as f32,
    };
    let writes = [factor, inverse, scale, streak];
    device.launch(&KERNEL, &params, &[total], &writes, Grid::groups(1, 1, 1))
}
