//! Stochastic gradient descent with momentum (Krizhevsky 2012, section 5), dampening and Nesterov's form, as PyTorch
//! writes it. At step `t = 1, 2, …`, with `g = scale gradient + weight_decay p`:
//!
//! `v = g` at `t = 1`, else `momentum v + (1 - dampening) g`; `p -= rate (g + momentum v)` if Nesterov, else
//! `p -= rate v`; without momentum `p -= rate g`.

use super::{check_len, size};
use crate::buffer::Buffer;
use crate::cpu;
use crate::cpu::sgd::SgdParams;
use crate::device::Device;
use crate::error::{Error, Result};
use crate::kernel::{Grid, Kernel};
use crate::step::ParameterUpdate;
use shaders::variants::update;

const OP: &str = "sgd";

/// By whether there is momentum, then by whether the gradient is scaled.
const KERNELS: [[Kernel<SgdParams>; 2]; 2] = [
    [
        Kernel::new(update::sgd(false, false), cpu::sgd::update::<false, false>),
        Kernel::new(update::sgd(false, true), cpu::sgd::update::<false, true>),
    ],
    [
        Kernel::new(update::sgd(true, false), cpu::sgd::update::<true, false>),
        Kernel::new(update::sgd(true, true), cpu::sgd::update::<true, true>),
    ],
];

/// What does not change from step to step. The learning rate comes with the step's scalars.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Sgd {
    /// Share of the last velocity that is kept; 0 for plain descent.
    pub momentum: f32,
    /// Share of the gradient that is kept out of the velocity, from the second step on.
    pub dampening: f32,
    /// Coefficient of the parameter that is added to its gradient.
    pub weight_decay: f32,
    /// Whether to use Nesterov momentum.
    pub is_nesterov: bool,
    /// What the step's learning rate is multiplied by for this parameter.
    pub rate_factor: f32,
}

impl Default for Sgd {
    /// Plain descent at the step's learning rate.
    fn default() -> Self {
        Self {
            momentum: 0.0,
            dampening: 0.0,
            weight_decay: 0.0,
            is_nesterov: false,
            rate_factor: 1.0,
        }
    }
}

/// Updates the parameter, and its velocity where there is momentum, in place.
///
/// The velocity may be uninitialised before step 1, which sets it.
///
/// # Errors
/// If the lengths differ, there is momentum but no velocity, or the device fails.
pub fn update(
    device: &Device,
    spec: &Sgd,
    update: &ParameterUpdate<'_>,
    velocity: Option<&Buffer>,
) -> Result<()> {
    let n = update.check(OP)?;
    let velocity = match (spec.momentum == 0.0, velocity) {
        (true, _) => None,
        (false, Some(velocity)) => Some(velocity),
        (false, None) => {
            return Err(Error::argument(OP, "velocity", "a buffer", "none"));
        }
    };
    if let Some(velocity) = velocity {
        check_len(OP, "velocity", velocity, n)?;
    }
    let kernel = &KERNELS[usize::from(velocity.is_some())][usize::from(update.scale.is_some())];
    for window in super::windows(device, n) {
        let params = SgdParams {
            n: size(OP, "n", window.len())?,
            momentum: spec.momentum,
            dampening: spec.dampening,
            weight_decay: spec.weight_decay,
            nesterov: u32::from(spec.is_nesterov),
            rate_factor: spec.rate_factor,
        };
        let grid = Grid::vec4(window.len()).flops(8 * window.len());
        let gradient = update.gradient.slice(window.clone())?;
        let parameter = update.parameter.slice(window.clone())?;
        let velocity = velocity.map(|v| v.slice(window)).transpose()?;
        let reads: Vec<_> = [&gradient, update.step]
            .into_iter()
            .chain(update.scale)
            .collect();
        let writes: Vec<_> = [&parameter].into_iter().chain(&velocity).collect();
        device.launch(kernel, &params, &reads, &writes, grid)?;
    }
    Ok(())
}
