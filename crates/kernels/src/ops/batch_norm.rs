//! Batch normalisation over rows (Ioffe and Szegedy 2015): `y = gamma (x - mean) r + beta`, `r = 1 / sqrt(variance + epsilon)`.
//!
//! x, y: `[rows, channels]`, where the rows are all pixels of all images; gamma, beta, the running mean and variance:
//! `[channels]`. Training takes mean and (biased) variance from the batch, in two passes, so that a large mean does not cancel
//! the variance; `dx = gamma r (dy - (dbeta + (x - mean) r dgamma) / rows)`. Evaluation takes the running ones.
//! A batch longer than a binding is taken in windows of rows.

use std::ops::Range;

use shaders::variants::batch_norm;

use super::{check_len, column_sum, elementwise, row_windows, size, slice_rows};
use crate::buffer::Buffer;
use crate::cpu::batch_norm as cpu;
use crate::cpu::batch_norm::BatchNormParams;
use crate::device::Device;
use crate::error::{Error, Result};
use crate::kernel::{Grid, Kernel, Twin};

const OP: &str = "batch_norm";

/// How running statistics follow the batches'. What one framework calls momentum is 1 less what another does.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Momentum {
    /// The weight of the batch's value, as PyTorch states it.
    OfNew(f32),
    /// The weight of the value so far, as Keras and ONNX state it.
    OfOld(f32),
}

/// The constants.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct BatchNorm {
    /// How running statistics follow the batches'.
    pub momentum: Momentum,
    /// What is added to the variance.
    pub epsilon: f32,
    /// Whether the running variance takes the unbiased variance (over rows - 1, PyTorch) or the biased one (ONNX, Keras).
    pub is_unbiased: bool,
}

impl Default for BatchNorm {
    /// PyTorch's: a tenth of the new, epsilon 1e-5, unbiased.
    fn default() -> Self {
        Self {
            momentum: Momentum::OfNew(0.1),
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

/// A kernel.
type Entry = (&'static str, Twin<BatchNormParams>);

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
        let rows_per_part = if device.is_cpu() {
            rows
        } else {
            column_sum::rows_per_part(rows)
        };
        let new_weight = match self.momentum {
            Momentum::OfNew(weight) => weight,
            Momentum::OfOld(weight) => 1.0 - weight,
        };
        let params = BatchNormParams {
            rows: size(OP, "rows", rows)?,
            all_rows: size(OP, "rows", rows)?,
            channels: size(OP, "channels", channels)?,
            rows_per_part: size(OP, "rows", rows_per_part)?,
            unbiased: u32::from(self.is_unbiased),
            new_weight,
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
    /// Launches a kernel that works on channels alone.
    fn launch(
        &self,
        device: &Device,
        (entry, twin): Entry,
        reads: &[&Buffer],
        writes: &[&Buffer],
    ) -> Result<()> {
        let kernel = Kernel::new(batch_norm(entry, self.is_vector()), twin);
        let grid = Grid::linear(self.columns()).flops(8 * self.channels);
        device.launch(&kernel, &self.params, reads, writes, grid)
    }

    fn is_vector(&self) -> bool {
        self.channels.is_multiple_of(4)
    }

    /// The kernels' columns, of four channels where that goes.
    fn columns(&self) -> usize {
        self.channels / if self.is_vector() { 4 } else { 1 }
    }

    /// Launches a kernel on a window of the rows of `by_row`, of which it reads `whole` beside. `parts` of the rows are summed, or
    /// each element is computed.
    fn launch_rows(
        &self,
        device: &Device,
        (entry, twin): Entry,
        (by_row, whole): (&[&Buffer], &[&Buffer]),
        writes: &[&Buffer],
        (rows, parts): (&Range<usize>, Option<usize>),
    ) -> Result<()> {
        let slices = by_row.iter().map(|x| slice_rows(x, rows, self.channels));
        let slices = slices.collect::<Result<Vec<_>>>()?;
        let reads: Vec<&Buffer> = slices.iter().chain(whole.iter().copied()).collect();
        let params = BatchNormParams {
            rows: size(OP, "rows", rows.len())?,
            ..self.params
        };
        let kernel = Kernel::new(batch_norm(entry, self.is_vector()), twin);
        let grid = match parts {
            Some(parts) => column_sum::grid(parts, self.channels, self.is_vector()),
            None => Grid::linear(rows.len() * self.columns()),
        };
        let grid = grid.flops(4 * rows.len() * self.channels);
        device.launch(&kernel, &params, &reads, writes, grid)
    }

    /// What the kernel computes for each element.
    fn each_element(
        &self,
        device: &Device,
        entry: Entry,
        reads: (&[&Buffer], &[&Buffer]),
    ) -> Result<Buffer> {
        let y = device.alloc_as(reads.0[0].width(), self.rows * self.channels)?;
        for rows in row_windows(device, reads.0[0].width(), self.rows, &[self.channels]) {
            let y = slice_rows(&y, &rows, self.channels)?;
            self.launch_rows(device, entry, reads, &[&y], (&rows, None))?;
        }
        Ok(y)
    }

    /// Sums over rows, `N` at a time: the kernel's partial ones, added up by `column_sum`.
    fn sums<const N: usize>(
        &self,
        device: &Device,
        entry: Entry,
        reads: (&[&Buffer], &[&Buffer]),
    ) -> Result<[Buffer; N]> {
        let mut totals: Option<[Buffer; N]> = None;
        for rows in row_windows(device, reads.0[0].width(), self.rows, &[self.channels]) {
            let parts = rows.len().div_ceil(self.params.rows_per_part as usize);
            let first = device.alloc(parts * self.channels)?;
            let mut sums = std::array::from_fn(|_| first.clone());
            for sum in &mut sums[1..] {
                *sum = device.alloc(first.len())?;
            }
            let writes: Vec<&Buffer> = sums.iter().collect();
            self.launch_rows(device, entry, reads, &writes, (&rows, Some(parts)))?;
            if parts > 1 {
                for sum in &mut sums {
                    *sum = column_sum::forward(device, sum, parts, self.channels)?;
                }
            }
            match &totals {
                None => totals = Some(sums),
                Some(totals) => {
                    for (total, sum) in totals.iter().zip(&sums) {
                        elementwise::axpy(device, 1.0, sum, total)?;
                    }
                }
            }
        }
        totals.ok_or_else(|| Error::argument(OP, "x", "one row at least", "none"))
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
        [gamma, beta]: [&Buffer; 2],
    ) -> Result<Buffer> {
        let entry: Entry = ("batch_norm_forward", cpu::forward);
        self.each_element(device, entry, (&[x], &[statistics, gamma, beta]))
    }
}

/// Normalises with the batch's own mean and variance and updates the running ones. Returns `y` and what [`backward`] needs:
/// `[2, channels]`, means and `r`.
///
/// # Errors
/// If a buffer's length does not fit, memory runs out or the device fails.
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
    let entry: Entry = ("batch_norm_squares", cpu::squares);
    let [squares] = sizes.sums(device, entry, (&[x], &[&sums]))?;
    let statistics = device.alloc(2 * sizes.channels)?;
    let writes = [&statistics, running.mean, running.variance];
    let entry: Entry = ("batch_norm_statistics", cpu::statistics);
    sizes.launch(device, entry, &[&sums, &squares], &writes)?;
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
    let entry: Entry = ("batch_norm_eval_statistics", cpu::eval_statistics);
    let reads = [running.mean, running.variance];
    sizes.launch(device, entry, &reads, &[&statistics])?;
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
    let entry: Entry = ("batch_norm_gradient_sums", cpu::gradient_sums);
    let [dbeta, dgamma] = sizes.sums(device, entry, (&[x, dy], &[statistics]))?;
    let dx = if is_training {
        let entry: Entry = ("batch_norm_backward", cpu::backward);
        let whole = [statistics, gamma, &dbeta, &dgamma];
        sizes.each_element(device, entry, (&[x, dy], &whole))?
    } else {
        let entry: Entry = ("batch_norm_eval_backward", cpu::eval_backward);
        sizes.each_element(device, entry, (&[dy], &[statistics, gamma]))?
    };
    Ok(Gradients { dx, dgamma, dbeta })
}
