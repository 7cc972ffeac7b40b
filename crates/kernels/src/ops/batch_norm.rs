//! Batch normalisation over rows (Ioffe and Szegedy 2015): `y = gamma (x - mean) r + beta`, `r = 1 / sqrt(variance + epsilon)`.
//!
//! x, y: `[rows, channels]`, where the rows are all pixels of all images; gamma, beta, the running mean and variance:
//! `[channels]`. Training takes mean and (biased) variance from the batch, in two passes, so that a large mean does not cancel
//! the variance; `dx = gamma r (dy - (dbeta + (x - mean) r dgamma) / rows)`. Evaluation takes the running ones.
//! A batch longer than a binding is taken in windows of rows.

use std::ops::Range;

use shaders::variants::batch_norm;

use super::{check_len, column_sum, elementwise, row_windows, size, slice_rows, vectors};
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

/// A kernel, before it is known whether it takes channels by four.
#[derive(Clone, Copy)]
struct Entry {
    name: &'static str,
    twin: Twin<BatchNormParams>,
    work: Work,
}

/// What the invocations of a kernel share out.
#[derive(Clone, Copy)]
enum Work {
    Channels,
    Elements,
    /// The rows of each part, whose sums they take.
    Parts,
}

const SQUARES: Entry = entry("batch_norm_squares", cpu::squares, Work::Parts);
const STATISTICS: Entry = entry("batch_norm_statistics", cpu::statistics, Work::Channels);
const EVAL_STATISTICS: Entry = entry(
    "batch_norm_eval_statistics",
    cpu::eval_statistics,
    Work::Channels,
);
const FORWARD: Entry = entry("batch_norm_forward", cpu::forward, Work::Elements);
const GRADIENT_SUMS: Entry = entry("batch_norm_gradient_sums", cpu::gradient_sums, Work::Parts);
const BACKWARD: Entry = entry("batch_norm_backward", cpu::backward, Work::Elements);
const EVAL_BACKWARD: Entry = entry(
    "batch_norm_eval_backward",
    cpu::eval_backward,
    Work::Elements,
);

const fn entry(name: &'static str, twin: Twin<BatchNormParams>, work: Work) -> Entry {
    Entry { name, twin, work }
}

/// What a kernel reads.
#[derive(Clone, Copy)]
struct Reads<'a> {
    /// `[rows, channels]` each, of which a window of rows is bound; the first gives the result's width.
    by_row: &'a [&'a Buffer],
    /// What is bound whole: statistics and weights of the channels.
    whole: &'a [&'a Buffer],
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
            let expected = format!("at least one row of {channels} channels");
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
        entry: Entry,
        reads: &[&Buffer],
        writes: &[&Buffer],
    ) -> Result<()> {
        let grid = self.grid(entry.work, self.rows);
        device.launch(&self.kernel(entry), &self.params, reads, writes, grid)
    }

    fn kernel(&self, entry: Entry) -> Kernel<BatchNormParams> {
        Kernel::new(batch_norm(entry.name, self.is_vector()), entry.twin)
    }

    fn grid(&self, work: Work, rows: usize) -> Grid {
        match work {
            Work::Channels => Grid::linear(self.columns()).flops(8 * self.channels),
            Work::Elements => Grid::linear(rows * self.columns()).flops(4 * rows * self.channels),
            Work::Parts => column_sum::grid(self.parts(rows), self.channels, self.is_vector())
                .flops(4 * rows * self.channels),
        }
    }

    /// The parts that so many rows are summed in.
    fn parts(&self, rows: usize) -> usize {
        rows.div_ceil(self.params.rows_per_part as usize)
    }

    fn is_vector(&self) -> bool {
        self.channels.is_multiple_of(4)
    }

    /// The kernels' columns, of four channels where that goes.
    fn columns(&self) -> usize {
        vectors(self.channels, self.is_vector())
    }

    /// Launches a kernel on a window of the rows.
    fn launch_rows(
        &self,
        device: &Device,
        entry: Entry,
        reads: Reads<'_>,
        writes: &[&Buffer],
        rows: &Range<usize>,
    ) -> Result<()> {
        let slices = reads
            .by_row
            .iter()
            .map(|x| slice_rows(x, rows, self.channels));
        let slices = slices.collect::<Result<Vec<_>>>()?;
        let reads: Vec<&Buffer> = slices.iter().chain(reads.whole.iter().copied()).collect();
        let params = BatchNormParams {
            rows: size(OP, "rows", rows.len())?,
            ..self.params
        };
        let grid = self.grid(entry.work, rows.len());
        device.launch(&self.kernel(entry), &params, &reads, writes, grid)
    }

    /// What the kernel computes for each element.
    fn each_element(&self, device: &Device, entry: Entry, reads: Reads<'_>) -> Result<Buffer> {
        let width = reads.by_row[0].width();
        let y = device.alloc_as(width, self.rows * self.channels)?;
        for rows in row_windows(device, width, self.rows, &[self.channels]) {
            let y = slice_rows(&y, &rows, self.channels)?;
            self.launch_rows(device, entry, reads, &[&y], &rows)?;
        }
        Ok(y)
    }

    /// Sums over rows, `N` at a time: the kernel's partial ones, added up by `column_sum`.
    fn sums<const N: usize>(
        &self,
        device: &Device,
        entry: Entry,
        reads: Reads<'_>,
    ) -> Result<[Buffer; N]> {
        let mut totals: Option<[Buffer; N]> = None;
        let width = reads.by_row[0].width();
        for rows in row_windows(device, width, self.rows, &[self.channels]) {
            let parts = self.parts(rows.len());
            let first = device.alloc(parts * self.channels)?;
            let mut sums = std::array::from_fn(|_| first.clone());
            for sum in &mut sums[1..] {
                *sum = device.alloc(first.len())?;
            }
            let writes: Vec<&Buffer> = sums.iter().collect();
            self.launch_rows(device, entry, reads, &writes, &rows)?;
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
        totals.ok_or_else(|| Error::argument(OP, "x", "at least one row", "none"))
    }

    fn check(&self, beta: &Buffer, running: &Running<'_>) -> Result<()> {
        check_len(OP, "beta", beta, self.channels)?;
        check_len(OP, "running mean", running.mean, self.channels)?;
        check_len(OP, "running variance", running.variance, self.channels)
    }

    fn apply(
        &self,
        device: &Device,
        x: &Buffer,
        statistics: &Buffer,
        [gamma, beta]: [&Buffer; 2],
    ) -> Result<Buffer> {
        let reads = Reads {
            by_row: &[x],
            whole: &[statistics, gamma, beta],
        };
        self.each_element(device, FORWARD, reads)
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
    let sizes = spec.sizes(device, x, affine[0].len())?;
    sizes.check(affine[1], &running)?;
    let sums = column_sum::forward(device, x, sizes.rows, sizes.channels)?;
    let reads = Reads {
        by_row: &[x],
        whole: &[&sums],
    };
    let [squares] = sizes.sums(device, SQUARES, reads)?;
    let statistics = device.alloc(2 * sizes.channels)?;
    let writes = [&statistics, running.mean, running.variance];
    sizes.launch(device, STATISTICS, &[&sums, &squares], &writes)?;
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
    let sizes = spec.sizes(device, x, affine[0].len())?;
    sizes.check(affine[1], &running)?;
    let statistics = device.alloc(2 * sizes.channels)?;
    let reads = [running.mean, running.variance];
    sizes.launch(device, EVAL_STATISTICS, &reads, &[&statistics])?;
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
    let reads = Reads {
        by_row: &[x, dy],
        whole: &[statistics],
    };
    let [dbeta, dgamma] = sizes.sums(device, GRADIENT_SUMS, reads)?;
    let dx = if is_training {
        let whole = &[statistics, gamma, &dbeta, &dgamma];
        sizes.each_element(device, BACKWARD, Reads { whole, ..reads })?
    } else {
        let reads = Reads {
            by_row: &[dy],
            whole: &[statistics, gamma],
        };
        sizes.each_element(device, EVAL_BACKWARD, reads)?
    };
    Ok(Gradients { dx, dgamma, dbeta })
}
