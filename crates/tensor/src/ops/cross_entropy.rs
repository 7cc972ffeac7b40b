//! Softmax and cross-entropy in one. The logits, their maxima and sums are kept, not the probabilities.

use kernels::Device;
use kernels::ops::cross_entropy::{self as kernel, Targets};
pub use kernels::ops::cross_entropy::{PADDING, Reduction};

use crate::error::{Error, Result};
use crate::shape::Shape;
use crate::tensor::{DType, Tensor};

/// How the loss is computed; the default is the mean of the plain loss.
#[derive(Clone, Debug, Default)]
pub struct CrossEntropy {
    /// What becomes of the rows' losses.
    pub reduction: Reduction,
    /// The part of each target that is spread evenly over all classes, in `[0, 1]`.
    pub label_smoothing: f32,
    /// A label whose rows count for nothing, beside [`PADDING`].
    pub ignore_index: Option<u32>,
    /// `[classes]`: the weight of each class.
    pub class_weights: Option<Tensor>,
    /// Whether the logits are log-probabilities already, to be taken as they are (negative log-likelihood).
    pub is_log_probability: bool,
}

impl CrossEntropy {
    fn spec(&self) -> kernel::CrossEntropy<'_> {
        kernel::CrossEntropy {
            reduction: self.reduction,
            label_smoothing: self.label_smoothing,
            ignore_index: self.ignore_index,
            class_weights: self.class_weights.as_ref().map(Tensor::buffer),
            is_log_probability: self.is_log_probability,
        }
    }
}

fn targets_of(targets: &Tensor) -> Targets<'_> {
    if targets.dtype() == DType::U32 {
        Targets::Labels(targets.buffer())
    } else {
        Targets::Probabilities(targets.buffer())
    }
}

impl Tensor {
    /// The labels of a batch: class numbers under `classes`, or [`PADDING`] for rows that count for nothing.
    ///
    /// Labels made in another way ([`Tensor::from_slice`]) are not looked at, since no device tells the host of one element: one
    /// out of range makes the loss NaN.
    ///
    /// # Errors
    /// [`Error::Label`] for the first that is out of range; or if the device has no room.
    pub fn labels(device: &Device, labels: &[u32], classes: usize) -> Result<Self> {
        let is_class = |label: u32| usize::try_from(label).is_ok_and(|label| label < classes);
        let mut all = labels.iter().copied().enumerate();
        if let Some((row, label)) = all.find(|&(_, label)| label != PADDING && !is_class(label)) {
            return Err(Error::Label {
                row,
                label,
                classes,
            });
        }
        Self::from_slice(device, labels, [labels.len()])
    }

    /// The cross-entropy of `self: [.., classes]` logits with labels (`u32`, one a row) or target probabilities (float,
    /// of the logits' shape). [`Tensor::labels`] refuses labels out of range; here it makes the loss NaN. A scalar, or one loss a row if nothing is reduced. No gradient flows to the targets.
    ///
    /// # Errors
    /// If shapes, dtypes or devices don't fit, the smoothing is not in `[0, 1]`, or the device fails.
    pub fn cross_entropy(&self, targets: &Self, options: &CrossEntropy) -> Result<Self> {
        const OP: &str = "cross_entropy";
        self.check_dtype(OP, "logits", DType::F32)?;
        targets.check_device(OP, "targets", self)?;
        let (rows, classes) = self.shape().rows_and_columns();
        let is_soft = targets.dtype() != DType::U32;
        if is_soft {
            targets.check_dtype(OP, "targets", DType::F32)?;
        }
        if is_soft && targets.shape() != self.shape() {
            let expected = self.shape().to_string();
            return Err(Error::shape(OP, "targets", expected, targets.shape()));
        }
        if !is_soft && targets.shape().elements() != rows {
            let expected = format!("of {rows} labels");
            return Err(Error::shape(OP, "targets", expected, targets.shape()));
        }
        if let Some(weights) = &options.class_weights {
            weights.check_dtype(OP, "class_weights", DType::F32)?;
            weights.check_device(OP, "class_weights", self)?;
        }
        let device = self.device().clone();
        let (logits, targets, options) = (self.detach(), targets.detach(), options.clone());
        let spec = options.spec();
        let loss = kernel::forward(
            &device,
            &spec,
            logits.buffer(),
            targets_of(&targets),
            [rows, classes],
        )?;
        let shape = match options.reduction {
            Reduction::None => Shape::from([rows]),
            Reduction::Mean | Reduction::Sum => Shape::default(),
        };
        Ok(Self::output(
            OP,
            loss.loss.clone(),
            shape,
            &[self],
            move |dloss| {
                let dlogits = kernel::backward(
                    &device,
                    &options.spec(),
                    logits.buffer(),
                    targets_of(&targets),
                    &loss,
                    dloss.buffer(),
                )?;
                let shape = logits.shape().clone();
                Ok(vec![Some(Self::constant(&device, dlogits, shape))])
            },
        ))
    }
}
