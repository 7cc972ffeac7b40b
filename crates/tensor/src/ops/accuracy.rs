//! Loss, accuracy and confusion counts that are added up on the device. Nothing here has a gradient.

use kernels::Device;
use kernels::ops::accuracy::{self as kernel, TOTALS};
use kernels::ops::elementwise;

use crate::error::{Error, Result};
use crate::tensor::{DType, Tensor};

/// Loss and accuracy over many batches, as sums.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Totals {
    /// The sum of the rows' losses.
    pub loss: f64,
    /// Rows whose label has the largest logit.
    pub correct: f64,
    /// Rows whose label is among the five largest logits.
    pub correct_in_five: f64,
    /// Rows, without padding.
    pub count: f64,
}

/// What a classifier's batches add up to. Clones share the sums.
#[derive(Clone, Debug)]
pub struct Accuracy {
    totals: Tensor,
    confusion: Option<Tensor>,
    classes: usize,
}

impl Accuracy {
    /// Sums of nothing, for logits of `classes` classes; with the confusion counts if asked for.
    ///
    /// # Errors
    /// If the device has no room or fails.
    pub fn new(device: &Device, classes: usize, has_confusion: bool) -> Result<Self> {
        let confusion = has_confusion
            .then(|| Tensor::empty(device, [classes, classes], DType::U32))
            .transpose()?;
        let accuracy = Self {
            totals: Tensor::empty(device, [TOTALS], DType::F32)?,
            confusion,
            classes,
        };
        accuracy.reset()?;
        Ok(accuracy)
    }

    /// Starts again from nothing. It can be part of a captured step.
    ///
    /// # Errors
    /// If the device fails.
    pub fn reset(&self) -> Result<()> {
        // The bits of 0.0 are those of the word 0.
        for sums in [Some(&self.totals), self.confusion.as_ref()]
            .into_iter()
            .flatten()
        {
            elementwise::fill(sums.device(), sums.buffer(), 0.0)?;
        }
        Ok(())
    }

    /// Adds a batch. logits: `[rows, classes]`; labels: `[rows]` words, `u32::MAX` being padding; loss: the mean over the
    /// rows, one element. Nothing is read back, so it can be part of a captured step.
    ///
    /// # Errors
    /// If shapes, dtypes or devices don't fit, or the device fails.
    pub fn add(&self, logits: &Tensor, labels: &Tensor, loss: &Tensor) -> Result<()> {
        const OP: &str = "accuracy";
        logits.check_dtype(OP, "logits", DType::F32)?;
        labels.check_dtype(OP, "labels", DType::U32)?;
        loss.check_dtype(OP, "loss", DType::F32)?;
        let (rows, classes) = logits.shape().rows_and_columns();
        if classes != self.classes {
            let expected = format!("[rows, {}]", self.classes);
            return Err(Error::shape(OP, "logits", expected, logits.shape()));
        }
        let device = self.totals.device();
        let (x, labels) = (logits.buffer(), labels.buffer());
        let ranking = kernel::rank(device, x, labels, [rows, classes])?;
        kernel::add(device, &ranking, loss.buffer(), self.totals.buffer())?;
        if let Some(confusion) = &self.confusion {
            kernel::confusion(device, &ranking, labels, confusion.buffer())?;
        }
        Ok(())
    }

    /// Waits for the sums so far.
    ///
    /// # Errors
    /// If the device fails or a step is being captured.
    pub fn read(&self) -> Result<Totals> {
        let totals = self.totals.to_vec::<f32>()?;
        let [loss, correct, correct_in_five, count] = [0, 1, 2, 3].map(|i| f64::from(totals[i]));
        Ok(Totals {
            loss,
            correct,
            correct_in_five,
            count,
        })
    }

    /// The sums as a tensor `[4]`: loss, correct, correct in five, count.
    #[must_use]
    pub fn totals(&self) -> &Tensor {
        &self.totals
    }

    /// Waits for the confusion counts, `[classes, classes]` row by row: a row for each label, a column for each answer.
    /// Empty if they were not asked for.
    ///
    /// # Errors
    /// As [`Accuracy::read`].
    pub fn read_confusion(&self) -> Result<Vec<u32>> {
        self.confusion
            .as_ref()
            .map_or(Ok(Vec::new()), Tensor::to_vec)
    }
}
