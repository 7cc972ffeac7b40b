//! Dropout: `y = 0` with probability `rate`, else `x / (1 - rate)` (Krizhevsky 2012, section 4.2; scaled in training,
//! so that evaluation needs no kernel).
//!
//! The mask is a function of seed, stream, step and position ([`crate::philox`]), so none is stored: the gradient is
//! the same operator on `dy` with the same step.

use super::{check_len, size};
use crate::buffer::Buffer;
use crate::cpu;
use crate::cpu::dropout::DropoutParams;
use crate::device::Device;
use crate::error::{Error, Result};
use crate::kernel::{Grid, Kernel};
use crate::step::StepScalars;

const OP: &str = "dropout";
const FORWARD: Kernel<DropoutParams> = Kernel::new(
    shaders::Variant::new(OP, "dropout_forward"),
    cpu::dropout::forward,
);

/// Which elements are dropped.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Dropout {
    /// The probability of each element to become 0, in `[0, 1]`.
    pub rate: f32,
    /// The layer's random stream: layers of one network need different ones.
    pub stream: u32,
}

/// `y = 0` with probability `rate`, else `x / (1 - rate)`. x: any shape; step: the step's scalars,
/// [`StepScalars::WORDS`] words.
///
/// # Errors
/// If the rate is not a probability, `step` has another length, memory runs out or the device fails.
pub fn forward(device: &Device, spec: &Dropout, x: &Buffer, step: &Buffer) -> Result<Buffer> {
    let Dropout { rate, stream } = *spec;
    if !(0.0..=1.0).contains(&rate) {
        return Err(Error::argument(
            OP,
            "rate",
            "a probability",
            rate.to_string(),
        ));
    }
    check_len(OP, "step", step, StepScalars::WORDS)?;
    let y = device.alloc_as(x.width(), x.len())?;
    let params = DropoutParams {
        n: size(OP, "x", x.len())?,
        stream,
        rate,
        // With rate 1 nothing is kept, and 0 instead of infinity keeps the products finite.
        scale: if rate < 1.0 { 1.0 / (1.0 - rate) } else { 0.0 },
    };
    // A block of Philox is about 110 integer operations.
    let grid = Grid::vec4(x.len()).flops(x.len());
    device.launch(&FORWARD, &params, &[x, step], &[&y], grid)?;
    Ok(y)
}

/// The gradient: the same mask and scale on `dy`.
///
/// # Errors
/// As [`forward`].
pub fn backward(device: &Device, spec: &Dropout, dy: &Buffer, step: &Buffer) -> Result<Buffer> {
    forward(device, spec, dy, step)
}
