//! Cases of cross-entropy. The reference is PyTorch's definition, by log-softmax in f64.

use kernels::ops::cross_entropy::{self, CrossEntropy, Loss, Reduction, Targets};
use kernels::{Buffer, Device, Result};

use super::{Case, Fields, Fill, Input, Sizes};

#[derive(Debug)]
struct CrossEntropyCase {
    rows: usize,
    classes: usize,
    smoothing: f32,
    ignore_index: Option<u32>,
    reduction: Reduction,
    is_soft: bool,
    is_weighted: bool,
    is_log: bool,
}

pub(crate) fn parse(fields: &Fields<'_>) -> Result<Box<dyn Case>, String> {
    let ignored = fields.get_or("ignore", usize::MAX)?;
    let reduction = match (fields.flag("sum"), fields.flag("none")) {
        (true, _) => Reduction::Sum,
        (_, true) => Reduction::None,
        _ => Reduction::Mean,
    };
    Ok(Box::new(CrossEntropyCase {
        rows: fields.get("rows")?,
        classes: fields.get("classes")?,
        smoothing: fields.real_or("smoothing", 0.0)?,
        ignore_index: u32::try_from(ignored).ok(),
        reduction,
        is_soft: fields.flag("soft"),
        is_weighted: fields.flag("weighted"),
        is_log: fields.flag("log"),
    }))
}

impl CrossEntropyCase {
    fn spec<'a>(&self, inputs: &'a [Buffer]) -> (CrossEntropy<'a>, Targets<'a>) {
        let spec = CrossEntropy {
            reduction: self.reduction,
            label_smoothing: self.smoothing,
            ignore_index: self.ignore_index,
            class_weights: inputs.get(2),
            is_log_probability: self.is_log,
        };
        let targets = if self.is_soft {
            Targets::Probabilities(&inputs[1])
        } else {
            Targets::Labels(&inputs[1])
        };
        (spec, targets)
    }

    fn loss(&self, device: &Device, inputs: &[Buffer]) -> Result<Loss> {
        let (spec, targets) = self.spec(inputs);
        let shape = [self.rows, self.classes];
        cross_entropy::forward(device, &spec, &inputs[0], targets, shape)
    }

    /// Loss and weight of a row.
    fn row(&self, row: usize, inputs: &[Vec<f64>]) -> (f64, f64) {
        let logits = &inputs[0][row * self.classes..][..self.classes];
        let weight = |class: usize| inputs.get(2).map_or(1.0, |weights| weights[class]);
        let log_z = if self.is_log {
            0.0
        } else {
            let m = logits.iter().fold(f64::MIN, |m, &x| m.max(x));
            m + logits.iter().map(|x| (x - m).exp()).sum::<f64>().ln()
        };
        let label = inputs[1][row];
        if !self.is_soft && self.ignore_index.map(f64::from) == Some(label) {
            return (0.0, 0.0);
        }
        let smoothing = f64::from(self.smoothing);
        let (mut loss, mut row_weight) = (0.0, 1.0);
        for (class, x) in logits.iter().enumerate() {
            let hot = if self.is_soft {
                inputs[1][row * self.classes + class]
            } else if label == class as f64 {
                row_weight = weight(class);
                1.0
            } else {
                0.0
            };
            let target = (1.0 - smoothing) * hot + smoothing / self.classes as f64;
            loss += weight(class) * target * (log_z - x);
        }
        (loss, row_weight)
    }
}

impl Case for CrossEntropyCase {
    fn inputs(&self) -> Vec<Input> {
        let n = self.rows * self.classes;
        let labels = u32::try_from(self.classes).unwrap_or(u32::MAX);
        let targets = if self.is_soft {
            Input::constant("targets", n, Fill::Uniform(0.0, 1.0))
        } else {
            Input::constant("targets", self.rows, Fill::Labels(labels))
        };
        let mut inputs = vec![
            Input::with_grad("logits", n, Fill::Uniform(-4.0, 4.0)),
            targets,
        ];
        if self.is_weighted {
            let weights = Fill::Uniform(0.25, 2.0);
            inputs.push(Input::constant("class_weights", self.classes, weights));
        }
        inputs
    }

    fn reference(&self, inputs: &[Vec<f64>]) -> Vec<Vec<f64>> {
        let rows: Vec<_> = (0..self.rows).map(|row| self.row(row, inputs)).collect();
        let losses: Vec<f64> = rows.iter().map(|(loss, _)| *loss).collect();
        let sum = losses.iter().sum::<f64>();
        let weight = rows.iter().map(|(_, weight)| weight).sum::<f64>();
        match self.reduction {
            Reduction::None => vec![losses],
            Reduction::Mean => vec![vec![sum / weight], losses],
            Reduction::Sum => vec![vec![sum], losses],
        }
    }

    fn forward(&self, device: &Device, inputs: &[Buffer]) -> Result<Vec<Buffer>> {
        let loss = self.loss(device, inputs)?;
        Ok(match self.reduction {
            Reduction::None => vec![loss.loss],
            Reduction::Mean | Reduction::Sum => vec![loss.loss, loss.row_losses],
        })
    }

    fn backward(&self, device: &Device, inputs: &[Buffer], dy: &Buffer) -> Result<Vec<Buffer>> {
        let loss = self.loss(device, inputs)?;
        let (spec, targets) = self.spec(inputs);
        let dlogits = cross_entropy::backward(device, &spec, &inputs[0], targets, &loss, dy)?;
        Ok(vec![dlogits])
    }

    fn sizes(&self) -> Sizes {
        // Exponentials and logarithms round a few times more than sums: as four terms each.
        let n = self.rows * self.classes;
        Sizes {
            forward_terms: 4 * self.classes + self.rows,
            backward_terms: 4 * self.classes,
            forward_flops: 8 * n,
            backward_flops: 8 * n,
        }
    }
}
