//! Batch normalisation over rows (Ioffe and Szegedy 2015): `y = gamma (x - mean) r + beta`, `r = 1 / sqrt(variance + epsilon)`.
//!
//! x, y: `[rows, channels]`, where the rows are all pixels of all images; gamma, beta, the running mean and variance:
//! `[channels]`. Training takes mean and (biased) variance from the batch, in two passes, so that a large mean does not cancel
//! the variance; `dx = gamma r (dy - (dbeta + (x - mean) r dgamma) / rows)`. Evaluation takes the running ones.
//! One binding holds all rows: a batch longer than that is an error.

use super::{check_len, column_sum, size};
use crate::buffer::Buffer;
use crate::cpu::batch_norm as cpu;
use crate::device::Device;
use crate::error::{Error, Result};
use crate::kernel::{Grid, Kernel, Twin, params};

const OP: &str = "batch_norm";
/// Rows that one invocation adds up on a GPU; see `column_sum`.
const ROWS_PER_PART: usize = 512;

params! {
    /// Parameters of all kernels.
    pub(crate) struct BatchNormParams {
        rows: u32,
        channels: u32,
        rows_per_part: u32,
        /// Whether the running variance takes the batch's sum of squares over rows - 1.
        unbiased: u32,
        /// The weight of the new value.
        momentum: f32,
        epsilon: f32,
    }
}

/// How running statistics follow the batches': `new = old + momentum (batch - old)`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct BatchNorm {
    /// The weight of the batch's value, as in PyTorch; Keras and ONNX state the old value's, which is 1 less this.
    pub momentum: f32,
    /// What is added to the variance.
    pub epsilon: f32,
    /// Whether the running variance takes the unbiased variance (over rows - 1, PyTorch) or the biased one (ONNX, Keras).
    pub is_unbiased: bool,
}

impl Default for BatchNorm {
    /// PyTorch's: momentum 0.1, epsilon 1e-5, unbiased.
    fn default() -> Self {
        Self {
            momentum: 0.1,
            epsilon: 1e-5,
            is_unbiased: true,
        }
    }
}

/// The buffers of the running statistics, `[channels]` each.
#[derive(Clone, Copy, Debug)]
pub struct Running<'a> {
    /// The running mean.
    pub mean: &'a Buffer,
    /// The running variance.
    pub variance: &'a Buffer,
}

/// What [`backward`] gives.
#[derive(Clone, Debug)]
pub struct Gradients {
    /// `[rows, channels]`.
    pub dx: Buffer,
    /// `[channels]`.
    pub dgamma: Buffer,
    /// `[channels]`.
    pub dbeta: Buffer,
}

/// A launch's sizes.
struct Sizes {
    rows: usize,
    channels: usize,
    params: BatchNormParams,
}

impl BatchNorm {
    fn sizes(&self, device: &Device, x: &Buffer, channels: usize) -> Result<Sizes> {
        if channels == 0 || !x.len().is_multiple_of(channels) || x.is_empty() {
            let expected = format!("one row of {channels} channels at least");
            return Err(Error::argument(
                OP,
                "x",
                expected,
                format!("{} elements", x.len()),
            ));
        }
        let rows = x.len() / channels;
        // The CPU device's twins add up all rows in one go.
        let rows_per_part = if device.is_cpu() { rows } else { ROWS_PER_PART };
        let params = BatchNormParams {
            rows: size(OP, "rows", rows)?,
            channels: size(OP, "channels", channels)?,
            rows_per_part: size(OP, "rows", rows_per_part)?,
            unbiased: u32::from(self.is_unbiased),
            momentum: self.momentum,
            epsilon: self.epsilon,
        };
        Ok(Sizes {
            rows,
            channels,
            params,
        })
    }
}

impl Sizes {
    fn parts(&self) -> usize {
        self.rows.div_ceil(self.params.rows_per_part as usize)
    }

    /// Launches `entry` with one invocation for each of `invocations`.
    fn launch(
        &self,
        device: &Device,
        (entry, twin): (&'static str, Twin<BatchNormParams>),
        (reads, writes): (&[&Buffer], &[&Buffer]),
        invocations: usize,
    ) -> Result<()> {
        let kernel = Kernel::new(shaders::Variant::new(OP, entry), twin);
        let grid = Grid::linear(invocations).flops(4 * self.rows * self.channels);
        device.launch(&kernel, &self.params, reads, writes, grid)
    }

    /// Sums over rows, `N` at a time: the kernel's partial ones, added up by `column_sum`.
    fn sums<const N: usize>(
        &self,
        device: &Device,
        kernel: (&'static str, Twin<BatchNormParams>),
        reads: &[&Buffer],
    ) -> Result<[Buffer; N]> {
        let partial = device.alloc(self.parts() * self.channels)?;
        let mut sums = std::array::from_fn(|_| partial.clone());
        for sum in &mut sums[1..] {
            *sum = device.alloc(partial.len())?;
        }
        let writes: Vec<&Buffer> = sums.iter().collect();
        self.launch(device, kernel, (reads, &writes), partial.len())?;
        if self.parts() > 1 {
            for sum in &mut sums {
                *sum = column_sum::forward(device, sum, self.parts(), self.channels)?;
            }
        }
        Ok(sums)
    }

    fn check_channels(&self, buffers: &[(&'static str, &Buffer)]) -> Result<()> {
        buffers
            .iter()
            .try_for_each(|(name, buffer)| check_len(OP, name, buffer, self.channels))
    }

    fn apply(
        &self,
        device: &Device,
        x: &Buffer,
        statistics: &Buffer,
        affine: [&Buffer; 2],
    ) -> Result<Buffer> {
        let y = device.alloc(x.len())?;
        let kernel: (_, Twin<BatchNormParams>) = ("batch_norm_forward", cpu::forward);
        let [gamma, beta] = affine;
        self.launch(
            device,
            kernel,
            (&[x, statistics, gamma, beta], &[&y]),
            x.len(),
        )?;
        Ok(y)
    }
}

/// Normalises with the batch's own mean and variance and updates the running ones. Returns `y` and what [`backward`] needs:
/// `[2, channels]`, means and `r`.
///
/// # Errors
/// If a buffer's length does not fit, x is longer than a binding, memory runs out or the device fails.
pub fn forward(
    device: &Device,
    spec: &BatchNorm,
    x: &Buffer,
    affine: [&Buffer; 2],
    running: Running<'_>,
) -> Result<(Buffer, Buffer)> {
    let [gamma, beta] = affine;
    let sizes = spec.sizes(device, x, gamma.len())?;
    sizes.check_channels(&[
        ("beta", beta),
        ("running mean", running.mean),
        ("running variance", running.variance),
    ])?;
    let sums = column_sum::forward(device, x, sizes.rows, sizes.channels)?;
    let [squares] = sizes.sums(device, ("batch_norm_squares", cpu::squares), &[x, &sums])?;
    let statistics = device.alloc(2 * sizes.channels)?;
    let writes = [&statistics, running.mean, running.variance];
    let kernel: (_, Twin<BatchNormParams>) = ("batch_norm_statistics", cpu::statistics);
    sizes.launch(
        device,
        kernel,
        (&[&sums, &squares], &writes),
        sizes.channels,
    )?;
    let y = sizes.apply(device, x, &statistics, affine)?;
    Ok((y, statistics))
}

/// Normalises with the running mean and variance. Returns what [`forward`] does, for [`eval_backward`].
///
/// # Errors
/// As [`forward`].
pub fn eval_forward(
    device: &Device,
    spec: &BatchNorm,
    x: &Buffer,
    affine: [&Buffer; 2],
    running: Running<'_>,
) -> Result<(Buffer, Buffer)> {
    let [gamma, beta] = affine;
    let sizes = spec.sizes(device, x, gamma.len())?;
    sizes.check_channels(&[
        ("beta", beta),
        ("running mean", running.mean),
        ("running variance", running.variance),
    ])?;
    let statistics = device.alloc(2 * sizes.channels)?;
    let kernel: (_, Twin<BatchNormParams>) = ("batch_norm_eval_statistics", cpu::eval_statistics);
    let reads = [running.mean, running.variance];
    sizes.launch(device, kernel, (&reads, &[&statistics]), sizes.channels)?;
    let y = sizes.apply(device, x, &statistics, affine)?;
    Ok((y, statistics))
}

/// The gradients of a training step, from what [`forward`] kept.
///
/// # Errors
/// As [`forward`].
pub fn backward(
    device: &Device,
    [x, dy]: [&Buffer; 2],
    statistics: &Buffer,
    gamma: &Buffer,
) -> Result<Gradients> {
    gradients(device, [x, dy], statistics, gamma, true)
}

/// The gradients where the statistics were the running ones, which do not depend on x.
///
/// # Errors
/// As [`forward`].
pub fn eval_backward(
    device: &Device,
    [x, dy]: [&Buffer; 2],
    statistics: &Buffer,
    gamma: &Buffer,
) -> Result<Gradients> {
    gradients(device, [x, dy], statistics, gamma, false)
}

fn gradients(
    device: &Device,
    [x, dy]: [&Buffer; 2],
    statistics: &Buffer,
    gamma: &Buffer,
    is_training: bool,
) -> Result<Gradients> {
    check_len(OP, "dy", dy, x.len())?;
    check_len(OP, "statistics", statistics, 2 * gamma.len())?;
    let sizes = BatchNorm::default().sizes(device, x, gamma.len())?;
    let kernel: (_, Twin<BatchNormParams>) = ("batch_norm_gradient_sums", cpu::gradient_sums);
    let [dbeta, dgamma] = sizes.sums(device, kernel, &[x, dy, statistics])?;
    let dx = device.alloc(x.len())?;
    if is_training {
        let kernel: (_, Twin<BatchNormParams>) = ("batch_norm_backward", cpu::backward);
        let reads = [x, dy, statistics, gamma, &dbeta, &dgamma];
        sizes.launch(device, kernel, (&reads, &[&dx]), x.len())?;
    } else {
        let kernel: (_, Twin<BatchNormParams>) = ("batch_norm_eval_backward", cpu::eval_backward);
        sizes.launch(device, kernel, (&[dy, statistics, gamma], &[&dx]), x.len())?;
    }
    Ok(Gradients { dx, dgamma, dbeta })
}
