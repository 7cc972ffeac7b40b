//! Gradient clipping by the global norm of many gradients (Pascanu 2013, algorithm 1), as PyTorch writes it:
//! `factor = min(1, max_norm / (total + 1e-6))`, where `total` is the norm of all gradients as one vector.
//!
//! The factor stays on the device: the optimizers take it as their `scale`, so that nothing waits for the host.

use super::{check_len, size};
use crate::buffer::Buffer;
use crate::cpu;
use crate::cpu::clip_grad_norm::{ClipGradNormParams, PART};
use crate::device::Device;
use crate::error::{Error, Result};
use crate::kernel::{Grid, Kernel, Twin};
use shaders::variants::update;

const OP: &str = "clip_grad_norm";
/// WebGPU's limit on workgroups in one dimension.
const MAX_GROUPS: usize = 65_535;

const SCALE: Kernel<ClipGradNormParams> = Kernel::new(
    update::clip_grad_norm("clip_grad_norm_scale", 2),
    cpu::clip_grad_norm::scale,
);

/// Which norm is meant.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Norm {
    /// Sum of absolute values.
    One,
    /// Root of the sum of squares.
    #[default]
    Two,
    /// Largest absolute value.
    Infinity,
}

impl Norm {
    const fn number(self) -> u32 {
        match self {
            Self::One => 1,
            Self::Two => 2,
            Self::Infinity => 0,
        }
    }

    const fn partial(self) -> Kernel<ClipGradNormParams> {
        let twin: Twin<ClipGradNormParams> = match self {
            Self::One => cpu::clip_grad_norm::partial::<1>,
            Self::Two => cpu::clip_grad_norm::partial::<2>,
            Self::Infinity => cpu::clip_grad_norm::partial::<0>,
        };
        Kernel::new(
            update::clip_grad_norm("clip_grad_norm_partial", self.number()),
            twin,
        )
    }

    const fn factor(self) -> Kernel<ClipGradNormParams> {
        let twin: Twin<ClipGradNormParams> = match self {
            Self::One => cpu::clip_grad_norm::factor::<1>,
            Self::Two => cpu::clip_grad_norm::factor::<2>,
            Self::Infinity => cpu::clip_grad_norm::factor::<0>,
        };
        Kernel::new(
            update::clip_grad_norm("clip_grad_norm_factor", self.number()),
            twin,
        )
    }
}

/// What clipping found. Both are buffers of one float.
#[derive(Clone, Debug)]
pub struct Clip {
    /// The norm of all gradients before clipping.
    pub total: Buffer,
    /// What they are to be multiplied by.
    pub factor: Buffer,
}

/// The norm of `gradients` as one vector, and the factor that brings it down to `max_norm`.
///
/// # Errors
/// If there is no gradient, `max_norm` is negative, memory runs out or the device fails.
pub fn forward(device: &Device, gradients: &[&Buffer], max_norm: f32, norm: Norm) -> Result<Clip> {
    if max_norm.is_nan() || max_norm < 0.0 {
        let got = max_norm.to_string();
        return Err(Error::argument(
            OP,
            "max_norm",
            "0 or a positive number",
            got,
        ));
    }
    let parts_of =
        |gradient: &Buffer| -> Vec<_> { super::windows(device, gradient.len()).collect() };
    let n_partials = gradients
        .iter()
        .flat_map(|gradient| parts_of(gradient))
        .map(|window| window.len().div_ceil(PART))
        .sum();
    if n_partials == 0 {
        return Err(Error::argument(OP, "gradients", "at least one", "none"));
    }
    let partials = device.alloc(n_partials)?;
    let mut offset = 0;
    for gradient in gradients {
        for window in parts_of(gradient) {
            let parts = window.len().div_ceil(PART);
            let rows = parts.div_ceil(MAX_GROUPS);
            let grid = Grid::groups(parts.div_ceil(rows), rows, 1).flops(2 * window.len());
            let params = params(window.len(), offset, max_norm)?;
            let part = gradient.slice(window)?;
            device.launch(&norm.partial(), &params, &[&part], &[&partials], grid)?;
            offset += parts;
        }
    }
    let clip = Clip {
        total: device.alloc(1)?,
        factor: device.alloc(1)?,
    };
    device.launch(
        &norm.factor(),
        &params(n_partials, 0, max_norm)?,
        &[&partials],
        &[&clip.total, &clip.factor],
        Grid::groups(1, 1, 1).flops(n_partials),
    )?;
    Ok(clip)
}

/// `gradient *= factor`, in place; not needed where an optimizer takes the factor.
///
/// # Errors
/// If `factor` is not one float, or the device fails.
pub fn scale(device: &Device, gradient: &Buffer, factor: &Buffer) -> Result<()> {
    check_len(OP, "factor", factor, 1)?;
    for window in super::windows(device, gradient.len()) {
        let params = params(window.len(), 0, 0.0)?;
        let grid = Grid::vec4(window.len()).flops(window.len());
        let gradient = gradient.slice(window)?;
        device.launch(&SCALE, &params, &[factor], &[&gradient], grid)?;
    }
    Ok(())
}

fn params(n: usize, offset: usize, max_norm: f32) -> Result<ClipGradNormParams> {
    Ok(ClipGradNormParams {
        n: size(OP, "n", n)?,
        offset: size(OP, "partials", offset)?,
        max_norm,
    })
}
