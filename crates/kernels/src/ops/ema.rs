//! Exponential moving average (EMA) of weights (Polyak and Juditsky 1992), with the slow start of TensorFlow's
//! `ExponentialMovingAverage`. At step `t = 1, 2, …`:
//!
//! `y += s (x - y)` with `s = max(1 - decay, 9 / (10 + t))`, so that `decay` counts from about step `9 / (1 - decay)` on
//! and the initial weights are soon forgotten. [`scheduled`] takes `s` from the step's scalars, in the steps that have one, and may write
//! `y` back into `x` (Zhang et al. 2019: lookahead).

use super::{check_len, size};
use crate::buffer::Buffer;
use crate::cpu;
use crate::cpu::ema::EmaParams;
use crate::device::Device;
use crate::error::{Error, Result};
use crate::kernel::{Grid, Kernel};
use crate::step::StepScalars;

const OP: &str = "ema";
const EMA: Kernel<EmaParams> = Kernel::new(shaders::Variant::new(OP, OP), cpu::ema::ema);
const SCHEDULED: Kernel<EmaParams> = Kernel::new(
    shaders::Variant::new(OP, "ema_scheduled"),
    cpu::ema::scheduled,
);

/// Moves the EMA `y` towards `x`, in place. The step's number comes from `step`.
///
/// # Errors
/// If `decay` is not in `[0, 1]`, the lengths differ, both share memory, or the device fails.
pub fn update(device: &Device, decay: f64, x: &Buffer, y: &Buffer, step: &Buffer) -> Result<()> {
    if !(0.0..=1.0).contains(&decay) {
        let got = decay.to_string();
        return Err(Error::argument(OP, "decay", "a number from 0 to 1", got));
    }
    check_len(OP, "x", x, y.len())?;
    check_len(OP, "step", step, StepScalars::WORDS)?;
    #[expect(
        clippy::cast_possible_truncation,
        reason = "rounding to f32 is the purpose"
    )]
    let rest = (1.0 - decay) as f32;
    for window in super::windows(device, y.len()) {
        let params = EmaParams {
            n: size(OP, "n", window.len())?,
            rest,
            write_back: 0,
        };
        let grid = Grid::vec4(window.len()).flops(3 * window.len());
        let (x, y) = (x.slice(window.clone())?, y.slice(window)?);
        device.launch(&EMA, &params, &[&x, step], &[&y], grid)?;
    }
    Ok(())
}

/// Moves the average `y` towards `x` by the share in `step`, in place, and writes it back into `x` if that is asked for. A
/// negative share leaves both as they are.
///
/// # Errors
/// If the lengths differ, both share memory, or the device fails.
pub fn scheduled(
    device: &Device,
    x: &Buffer,
    y: &Buffer,
    step: &Buffer,
    is_written_back: bool,
) -> Result<()> {
    check_len(OP, "x", x, y.len())?;
    check_len(OP, "step", step, StepScalars::WORDS)?;
    for window in super::windows(device, y.len()) {
        let params = EmaParams {
            n: size(OP, "n", window.len())?,
            rest: 0.0,
            write_back: is_written_back.into(),
        };
        let grid = Grid::vec4(window.len()).flops(3 * window.len());
        let (x, y) = (x.slice(window.clone())?, y.slice(window)?);
        device.launch(&SCHEDULED, &params, &[step], &[&x, &y], grid)?;
    }
    Ok(())
}
