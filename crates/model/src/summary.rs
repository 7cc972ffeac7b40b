//! Summaries: a table of a network's layers, output shapes and parameters.

use std::fmt;

use tensor::Shape;

use crate::architecture::Architecture;
use crate::layers::Kind;

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
    pub layer: &'static str,
    /// What it does, in a word.
    pub kind: &'static str,
    /// The shape of one image's output.
    pub output: Shape,
    /// Numbers that training changes.
    pub parameters: usize,
}

impl Architecture {
    /// The table of layers, output shapes and parameters.
    #[must_use]
    pub fn summary(&self) -> Summary {
        let rows = self.stages().map(|(layer, input, output)| SummaryRow {
            layer: layer.name,
            kind: kind(&layer.kind),
            output: output.clone(),
            parameters: layer
                .parameters(input)
                .iter()
                .filter(|parameter| parameter.is_trained)
                .map(|parameter| parameter.shape.elements())
                .sum(),
        });
        Summary {
            title: self.to_string(),
            rows: rows.collect(),
        }
    }
}

fn kind(kind: &Kind) -> &'static str {
    match kind {
        Kind::Conv2d(_) => "convolution",
        Kind::Dense(_) => "dense",
        Kind::Lrn(_) => "LRN",
        Kind::MaxPool(_) => "max-pool",
        Kind::AvgPoolTo(_) => "average-pool",
        Kind::BatchNorm(_) => "batch norm",
        Kind::Relu => "ReLU",
        Kind::Dropout(_) => "dropout",
        Kind::Flatten => "flatten",
    }
}

impl Summary {
    /// The lines, a layer each.
    #[must_use]
    pub fn rows(&self) -> &[SummaryRow] {
        &self.rows
    }

    /// Parameters of all layers.
    #[must_use]
    pub fn parameters(&self) -> usize {
        self.rows.iter().map(|row| row.parameters).sum()
    }
}

/// The table as text; each line ends in a line break.
impl fmt::Display for Summary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}", self.title)?;
        let mut line = |layer: &str, kind: &str, output: &str, parameters: &str| {
            writeln!(f, "{layer:<10} {kind:<12} {output:<16} {parameters:>12}")
        };
        line("layer", "kind", "output", "parameters")?;
        for row in &self.rows {
            let parameters = grouped(row.parameters);
            line(row.layer, row.kind, &row.output.to_string(), &parameters)?;
        }
        line("total", "", "", &grouped(self.parameters()))
    }
}

/// `2,887,306`.
fn grouped(n: usize) -> String {
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
    fn thousands_are_grouped() {
        assert_eq!(grouped(0), "0");
        assert_eq!(grouped(999), "999");
        assert_eq!(grouped(2_887_306), "2,887,306");
    }
}
