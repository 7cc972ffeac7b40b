//! Softmax and cross-entropy in one: `loss = sum over c of t_c (log z - (x_c - m))` with `m = max x` and
//! `z = sum exp(x - m)`, which is stable for any finite logits (Goodfellow, Bengio, Courville 2016, sections 4.1, 6.2.2.3).
//!
//! Targets are labels, with label smoothing (Szegedy et al. 2016, section 7), or probabilities, as mixup makes them. What
//! PyTorch's `cross_entropy` and ONNX's `SoftmaxCrossEntropyLoss` mean by weights and reductions is meant here.

use shaders::variants::{self, Targets as Family};

use super::{check_len, size};
use crate::buffer::Buffer;
use crate::cpu;
use crate::cpu::cross_entropy::CrossEntropyParams;
pub use crate::cpu::cross_entropy::PADDING;
use crate::device::Device;
use crate::error::{Error, Result};
use crate::kernel::{Grid, Kernel, Twin};

const OP: &str = "cross_entropy";
const TOTAL: Kernel<CrossEntropyParams> =
    Kernel::new(variants::cross_entropy_total(), cpu::cross_entropy::total);

/// What becomes of the rows' losses.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Reduction {
    /// They stay as they are.
    None,
    /// Their sum over the sum of the rows' weights: the class weight of the label, 0 for an ignored row, 1 with soft
    /// targets. NaN if that is 0.
    #[default]
    Mean,
    /// Their sum.
    Sum,
}

/// How the loss is computed.
#[derive(Clone, Copy, Debug, Default)]
pub struct CrossEntropy<'a> {
    /// What becomes of the rows' losses.
    pub reduction: Reduction,
    /// The part of each target that is spread evenly over all classes, in `[0, 1]`.
    pub label_smoothing: f32,
    /// A label whose rows count for nothing, beside [`PADDING`].
    pub ignore_index: Option<u32>,
    /// `[classes]`: the weight of each class.
    pub class_weights: Option<&'a Buffer>,
    /// Whether the logits are log-probabilities already, to be taken as they are (negative log-likelihood).
    pub is_log_probability: bool,
}

/// What the logits should have been.
#[derive(Clone, Copy, Debug)]
pub enum Targets<'a> {
    /// `[rows]` class numbers as `u32`. One that is out of range and not ignored makes the loss NaN.
    Labels(&'a Buffer),
    /// `[rows, classes]` probabilities.
    Probabilities(&'a Buffer),
}

impl<'a> Targets<'a> {
    fn buffer(self) -> &'a Buffer {
        match self {
            Self::Labels(buffer) | Self::Probabilities(buffer) => buffer,
        }
    }

    fn is_soft(self) -> bool {
        matches!(self, Self::Probabilities(_))
    }
}

/// The loss, and what backward needs.
#[derive(Clone, Debug)]
pub struct Loss {
    /// One element; or `[rows]` with [`Reduction::None`].
    pub loss: Buffer,
    /// `[rows]`: the losses before the reduction.
    pub row_losses: Buffer,
    kept: Buffer,
    total: Buffer,
}

/// The loss of `logits: [rows, classes]`.
///
/// # Errors
/// If lengths don't fit `[rows, classes]`, the smoothing is not in `[0, 1]`, memory runs out or the device fails.
pub fn forward(
    device: &Device,
    spec: &CrossEntropy<'_>,
    logits: &Buffer,
    targets: Targets<'_>,
    [rows, classes]: [usize; 2],
) -> Result<Loss> {
    let (params, family) = check(spec, logits, targets, [rows, classes])?;
    let row_losses = device.alloc(rows)?;
    let kept = device.alloc(4 * rows)?;
    let total = device.alloc(2)?;
    let twin: Twin<CrossEntropyParams> = if family.soft {
        cpu::cross_entropy::forward::<true>
    } else {
        cpu::cross_entropy::forward::<false>
    };
    let (lanes, grid) = super::row_lanes(rows, classes);
    let kernel = Kernel::new(variants::cross_entropy_forward(family, lanes), twin);
    let mut reads = vec![logits, targets.buffer()];
    reads.extend(spec.class_weights);
    let grid = grid.flops(8 * rows * classes);
    device.launch(&kernel, &params, &reads, &[&row_losses, &kept], grid)?;
    let grid = Grid::groups(1, 1, 1).flops(2 * rows);
    device.launch(&TOTAL, &params, &[&row_losses, &kept], &[&total], grid)?;
    let loss = match spec.reduction {
        Reduction::None => row_losses.clone(),
        Reduction::Mean | Reduction::Sum => total.slice(0..1)?,
    };
    Ok(Loss {
        loss,
        row_losses,
        kept,
        total,
    })
}

/// The gradient of the logits. `loss` is what [`forward`] returned for the same arguments; dloss: as its `loss`.
///
/// # Errors
/// As [`forward`]; or if `dloss` has another length than the loss.
pub fn backward(
    device: &Device,
    spec: &CrossEntropy<'_>,
    logits: &Buffer,
    targets: Targets<'_>,
    loss: &Loss,
    dloss: &Buffer,
) -> Result<Buffer> {
    let rows = loss.row_losses.len();
    let shape = [rows, logits.len() / rows.max(1)];
    let (params, family) = check(spec, logits, targets, shape)?;
    check_len(OP, "dloss", dloss, loss.loss.len())?;
    let dlogits = device.alloc(logits.len())?;
    let twin: Twin<CrossEntropyParams> = if family.soft {
        cpu::cross_entropy::backward::<true>
    } else {
        cpu::cross_entropy::backward::<false>
    };
    let kernel = Kernel::new(variants::cross_entropy_backward(family), twin);
    let mut reads = vec![logits, targets.buffer(), &loss.kept, &loss.total, dloss];
    reads.extend(spec.class_weights);
    let grid = Grid::linear(logits.len()).flops(8 * logits.len());
    device.launch(&kernel, &params, &reads, &[&dlogits], grid)?;
    Ok(dlogits)
}

fn check(
    spec: &CrossEntropy<'_>,
    logits: &Buffer,
    targets: Targets<'_>,
    [rows, classes]: [usize; 2],
) -> Result<(CrossEntropyParams, Family)> {
    if rows == 0 || classes == 0 {
        let got = format!("{rows} rows of {classes} classes");
        return Err(Error::argument(
            OP,
            "logits",
            "at least one row and one class",
            got,
        ));
    }
    check_len(OP, "logits", logits, rows * classes)?;
    let width = if targets.is_soft() { classes } else { 1 };
    check_len(OP, "targets", targets.buffer(), rows * width)?;
    if let Some(weights) = spec.class_weights {
        check_len(OP, "class_weights", weights, classes)?;
    }
    let smoothing = spec.label_smoothing;
    if !(0.0..=1.0).contains(&smoothing) {
        let got = smoothing.to_string();
        return Err(Error::argument(
            OP,
            "label_smoothing",
            "a value in [0, 1]",
            got,
        ));
    }
    let params = CrossEntropyParams {
        rows: size(OP, "rows", rows)?,
        classes: size(OP, "classes", rows * classes).and(size(OP, "classes", classes))?,
        ignore_index: spec.ignore_index.unwrap_or(PADDING),
        reduction: match spec.reduction {
            Reduction::None => 0,
            Reduction::Mean => 1,
            Reduction::Sum => 2,
        },
        smoothing,
        is_log: u32::from(spec.is_log_probability),
    };
    let family = Family {
        soft: targets.is_soft(),
        weighted: spec.class_weights.is_some(),
    };
    Ok((params, family))
}
