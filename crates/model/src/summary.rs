//! Summaries: a table of a network's layers, output shapes, parameters and costs, and the memory that training takes.

use std::fmt;

use tensor::Shape;

use crate::architecture::Architecture;
use crate::layers::Parameter;

/// The table.
#[derive(Clone, Debug)]
pub struct Summary {
    title: String,
    rows: Vec<SummaryRow>,
}

/// A line of the table.
#[derive(Clone, Debug)]
pub struct SummaryRow {
    /// The layer's name.
    pub layer: String,
    /// What it does, in a word.
    pub kind: &'static str,
    /// What follows within the layer, if anything does: a ReLU.
    pub activation: Option<&'static str>,
    /// The numbers that it is made with, by name, such as `window` and `epsilon`.
    pub settings: Vec<(&'static str, f64)>,
    /// The shape of one image's output.
    pub output: Shape,
    /// Trainable parameters.
    pub parameters: usize,
    /// Parameters that are not trained: batch normalisation's running statistics.
    pub buffers: usize,
    /// Multiplications and additions of the forward pass for one image, of convolutions and dense layers alone: two for
    /// each weight and place that it is used at.
    pub flops: u64,
    /// Bytes of one image's activations that training keeps for the backward pass; max-pooling keeps where each maximum was, too.
    pub activation_bytes: u64,
}

/// Device memory that a training step takes, worked out from shapes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TrainingMemory {
    /// The weights and running statistics.
    pub weights: u64,
    /// The gradient of each weight.
    pub gradients: u64,
    /// The optimizer's state.
    pub optimizer: u64,
    /// What the forward pass keeps, and the batch itself.
    pub activations: u64,
    /// The gradients of activations: one of each layer's output, and where a ReLU is part of the layer, the same once
    /// more behind it. A captured step keeps all of its buffers.
    pub workspace: u64,
}

impl TrainingMemory {
    /// All of it.
    #[must_use]
    pub fn total(&self) -> u64 {
        self.weights + self.gradients + self.optimizer + self.activations + self.workspace
    }
}

impl Architecture {
    /// The table of layers, output shapes and parameters.
    ///
    /// ```
    /// let summary = model::Architecture::new("alexnet", None, None)?.summary();
    /// println!("{summary}");
    /// assert_eq!((summary.parameters(), summary.rows()[0].layer.as_str()), (60_965_224, "conv1"));
    /// # Ok::<(), model::Error>(())
    /// ```
    #[must_use]
    pub fn summary(&self) -> Summary {
        let rows = self.stages().iter().map(|stage| {
            let (module, input, output) = (stage.layer.module(), &stage.input, &stage.output);
            let count = |is_trained| {
                let own = stage.parameters.iter();
                let own = own.filter(|own| own.is_trained == is_trained);
                own.map(|own| own.shape.elements()).sum()
            };
            SummaryRow {
                layer: stage.layer.name().to_owned(),
                kind: module.kind(),
                activation: module.activation(),
                settings: module.settings(input, output),
                output: output.clone(),
                parameters: count(true),
                buffers: count(false),
                flops: module.flops(input, output),
                activation_bytes: module.kept_bytes(output),
            }
        });
        Summary {
            title: self.to_string(),
            rows: rows.collect(),
        }
    }
}

impl Architecture {
    /// What a training step on `batch_size` images takes, with `slots` numbers of optimizer state for each weight (1 for
    /// SGD with momentum, 2 for Adam).
    ///
    /// ```
    /// let network = model::Architecture::new("alexnet-cifar", Some(10), None)?;
    /// let [adam, sgd] = [2, 0].map(|slots| network.training_memory(128, slots));
    /// assert_eq!(adam.total() - sgd.total(), 2 * sgd.gradients, "two moments for each weight");
    /// # Ok::<(), model::Error>(())
    /// ```
    #[must_use]
    pub fn training_memory(&self, batch_size: usize, slots: u64) -> TrainingMemory {
        let bytes = |own: &Parameter| 4 * own.shape.elements() as u64;
        let weights = self.parameters().map(|(_, own)| bytes(own)).sum();
        let trained = self.parameters().filter(|(_, own)| own.is_trained);
        let trained: u64 = trained.map(|(_, own)| bytes(own)).sum();
        let n = batch_size as u64;
        let pixels = self.input().iter().product::<usize>() as u64;
        let kept = self
            .summary()
            .rows
            .iter()
            .map(|row| row.activation_bytes)
            .sum::<u64>();
        let stages = self.stages().iter();
        let gradients = stages.map(|stage| stage.layer.module().gradient_bytes(&stage.output));
        TrainingMemory {
            weights,
            gradients: trained,
            optimizer: slots * trained,
            // The batch as bytes and as floats.
            activations: n * (kept + 5 * pixels),
            workspace: n * gradients.sum::<u64>(),
        }
    }
}

impl Architecture {
    /// Bytes of the largest buffer that training on `batch_size` images takes: a weight or a layer's output.
    #[must_use]
    pub fn largest_buffer(&self, batch_size: usize) -> u64 {
        let weights = self.parameters().map(|(_, spec)| spec.shape.elements());
        let stages = self.stages().iter();
        let outputs = stages.map(|stage| stage.output.elements() * batch_size);
        4 * weights.chain(outputs).max().unwrap_or(0) as u64
    }
}

impl Summary {
    /// The lines, a layer each.
    #[must_use]
    pub fn rows(&self) -> &[SummaryRow] {
        &self.rows
    }

    /// Trainable parameters of all layers.
    #[must_use]
    pub fn parameters(&self) -> usize {
        self.rows.iter().map(|row| row.parameters).sum()
    }

    /// Parameters of all layers that are not trained: running statistics, which Keras counts too.
    ///
    /// ```
    /// let summary = model::Architecture::new("alexnet-keras", None, None)?.summary();
    /// assert_eq!((summary.parameters(), summary.buffers()), (58_322_826, 512));
    /// # Ok::<(), model::Error>(())
    /// ```
    #[must_use]
    pub fn buffers(&self) -> usize {
        self.rows.iter().map(|row| row.buffers).sum()
    }

    /// Multiplications and additions of the forward pass for one image.
    #[must_use]
    pub fn flops(&self) -> u64 {
        self.rows.iter().map(|row| row.flops).sum()
    }

    /// Bytes of activations that training keeps for one image.
    #[must_use]
    pub fn activation_bytes(&self) -> u64 {
        self.rows.iter().map(|row| row.activation_bytes).sum()
    }
}

/// The table as text; each line ends in a line break. As in Keras' summaries, a layer's parameters include those that are not
/// trained. Columns are as wide as what is in them, so that the networks here fit a terminal of 80.
impl fmt::Display for Summary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}", self.title)?;
        let (trained, buffers) = (self.parameters() as u64, self.buffers() as u64);
        let heads = [
            "layer",
            "kind",
            "output",
            "parameters",
            "FLOPs",
            "kept bytes",
        ];
        let totals = [trained + buffers, self.flops(), self.activation_bytes()].map(grouped);
        let [parameters, flops, bytes] = totals;
        let first = heads.map(str::to_owned);
        let last = [
            "total".to_owned(),
            String::new(),
            String::new(),
            parameters,
            flops,
            bytes,
        ];
        let rows = std::iter::once(first).chain(self.rows.iter().map(SummaryRow::cells));
        let rows: Vec<_> = rows.chain([last]).collect();
        let letters = |at: usize| rows.iter().map(move |row| row[at].chars().count());
        let widths = [0, 1, 2, 3, 4, 5].map(|at| letters(at).max().unwrap_or(0));
        for row in &rows {
            for (at, (cell, width)) in row.iter().zip(widths).enumerate() {
                match at {
                    0 => write!(f, "{cell:<width$}")?,
                    1 | 2 => write!(f, " {cell:<width$}")?,
                    _ => write!(f, " {cell:>width$}")?,
                }
            }
            writeln!(f)?;
        }
        let [total, trained, buffers] = [trained + buffers, trained, buffers].map(grouped);
        writeln!(
            f,
            "parameters: {total} in all, {trained} trainable, {buffers} non-trainable"
        )
    }
}

impl SummaryRow {
    /// Its line of the table.
    fn cells(&self) -> [String; 6] {
        let parameters = (self.parameters + self.buffers) as u64;
        let [parameters, flops, bytes] =
            [parameters, self.flops, self.activation_bytes].map(grouped);
        let kind = match self.activation {
            Some(activation) => format!("{}, {activation}", self.kind),
            None => self.kind.to_owned(),
        };
        let output = self.output.to_string();
        [self.layer.clone(), kind, output, parameters, flops, bytes]
    }
}

/// `2,887,306`.
fn grouped(n: u64) -> String {
    let digits = n.to_string();
    let mut text = String::new();
    for (idx, digit) in digits.chars().enumerate() {
        if idx > 0 && (digits.len() - idx).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tables_fit_a_terminal() {
        for (name, _) in crate::networks() {
            let network = Architecture::new(name, None, None).unwrap();
            let text = network.summary().to_string();
            let longest = text.lines().max_by_key(|line| line.chars().count());
            let longest = longest.unwrap_or_default();
            assert!(longest.chars().count() <= 80, "{name}: {longest}");
        }
    }

    #[test]
    fn thousands_are_grouped() {
        assert_eq!(grouped(0), "0");
        assert_eq!(grouped(999), "999");
        assert_eq!(grouped(2_887_306), "2,887,306");
    }
}
