//! Adam (Kingma and Ba 2015, algorithm 1) and `AdamW` (Loshchilov and Hutter 2019, algorithm 2), as PyTorch writes them.
//! With `g = scale gradient`, at step `t = 1, 2, …`:
//!
//! `AdamW`: `p -= rate weight_decay p`; Adam: `g += weight_decay p`; then `m = beta1 m + (1 - beta1) g`,
//! `v = beta2 v + (1 - beta2) g^2`, `p -= rate / (1 - beta1^t) m / (sqrt(v) / sqrt(1 - beta2^t) + epsilon)`.

use super::{check_len, size};
use crate::buffer::Buffer;
use crate::cpu;
use crate::cpu::adam::AdamParams;
use crate::device::Device;
use crate::error::Result;
use crate::kernel::{Grid, Kernel};
use crate::step::ParameterUpdate;
use shaders::variants::update;

const OP: &str = "adam";

/// By whether the gradient is scaled.
const KERNELS: [Kernel<AdamParams>; 2] = [
    Kernel::new(update::adam(false), cpu::adam::update::<false>),
    Kernel::new(update::adam(true), cpu::adam::update::<true>),
];

/// What does not change from step to step. The learning rate and the bias corrections come with the step's scalars: see
/// [`crate::StepScalars::with_betas`], which must be given the same betas.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Adam {
    /// Decay rate of the first moment.
    pub beta1: f64,
    /// Decay rate of the second moment.
    pub beta2: f64,
    /// Added to the root of the corrected variance.
    pub epsilon: f32,
    /// Weight decay; what it is added to depends on the next field.
    pub weight_decay: f32,
    /// Whether weight decay shrinks the parameter itself (`AdamW`) or is added to its gradient (Adam).
    pub is_decoupled: bool,
    /// What the step's learning rate is multiplied by for this parameter.
    pub rate_factor: f32,
}

impl Default for Adam {
    fn default() -> Self {
        Self {
            beta1: 0.9,
            beta2: 0.999,
            epsilon: 1e-8,
            weight_decay: 0.0,
            is_decoupled: false,
            rate_factor: 1.0,
        }
    }
}

/// Updates the parameter and its moments (mean and variance of the gradient, zero before step 1) in place.
///
/// # Errors
/// If the lengths differ, or the device fails.
pub fn update(
    device: &Device,
    spec: &Adam,
    update: &ParameterUpdate<'_>,
    mean: &Buffer,
    variance: &Buffer,
) -> Result<()> {
    let n = update.check(OP)?;
    check_len(OP, "mean", mean, n)?;
    check_len(OP, "variance", variance, n)?;
    let kernel = &KERNELS[usize::from(update.scale.is_some())];
    for window in super::windows(device, n) {
        let grid = Grid::vec4(window.len()).flops(14 * window.len());
        let [gradient, parameter, mean, variance] =
            [update.gradient, update.parameter, mean, variance]
                .map(|buffer| buffer.slice(window.clone()));
        let (gradient, parameter, mean, variance) = (gradient?, parameter?, mean?, variance?);
        let reads: Vec<_> = [&gradient, update.step]
            .into_iter()
            .chain(update.scale)
            .collect();
        device.launch(
            kernel,
            &spec.params(window.len())?,
            &reads,
            &[&parameter, &mean, &variance],
            grid,
        )?;
    }
    Ok(())
}

impl Adam {
    #[expect(
        clippy::cast_possible_truncation,
        reason = "rounding to f32 is the purpose"
    )]
    fn params(&self, n: usize) -> Result<AdamParams> {
        Ok(AdamParams {
            n: size(OP, "n", n)?,
            beta1: self.beta1 as f32,
            beta2: self.beta2 as f32,
            rest1: (1.0 - self.beta1) as f32,
            rest2: (1.0 - self.beta2) as f32,
            epsilon: self.epsilon,
            weight_decay: self.weight_decay,
            decoupled: u32::from(self.is_decoupled),
            rate_factor: self.rate_factor,
        })
    }
}
