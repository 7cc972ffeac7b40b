//! `histograms.jsonl`: how the values of each parameter are distributed, once an epoch; of its gradient too, where the recipe asks for
//! norms.

use std::fs::File;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use model::Network;
use serde::{Deserialize, Serialize};
use tensor::{Gradients, Tensor};

use crate::error::{Error, Result};
use crate::run::rows::significant;
use crate::run::step_log::reopen;

/// The file in a run folder.
const NAME: &str = "histograms.jsonl";
/// Bars of a histogram.
const BARS: usize = 40;

/// A line of `histograms.jsonl`: bars of equal width from the least value to the largest.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct HistogramRow {
    /// The epoch, from 1.
    pub epoch: u64,
    /// Steps over the whole run.
    pub step: u64,
    /// The parameter's name.
    pub parameter: String,
    /// Whether it is the gradient in the epoch's last batch, not the parameter.
    pub is_gradient: bool,
    /// The least value.
    pub min: f64,
    /// The largest.
    pub max: f64,
    /// How many values are in each bar.
    pub counts: Vec<u64>,
}

/// The file, open at its end.
#[derive(Debug)]
pub(crate) struct HistogramLog {
    path: PathBuf,
    file: File,
}

/// The gradients of an epoch's last batch, and what they are to be multiplied by where the loss was scaled.
#[derive(Clone, Copy, Debug)]
pub(crate) struct LastGradients<'a> {
    pub(crate) gradients: &'a Gradients,
    pub(crate) unscale: Option<&'a Tensor>,
}

impl HistogramLog {
    /// Opens the log of a run that has done `step` steps, without lines of later ones.
    pub(crate) fn open(run: &Path, step: u64) -> Result<Self> {
        let path = run.join(NAME);
        Ok(Self {
            file: reopen(&path, step, |row: &HistogramRow| row.step)?,
            path,
        })
    }

    /// Writes the lines of an epoch's end.
    pub(crate) fn note(
        &mut self,
        epoch: u64,
        step: u64,
        network: &Network,
        last: Option<LastGradients<'_>>,
    ) -> Result<()> {
        let unscale = last
            .and_then(|last| last.unscale)
            .map(Tensor::to_vec::<f32>);
        let unscale = unscale
            .transpose()?
            .and_then(|values| values.first().copied());
        let unscale = unscale.unwrap_or(1.0);
        let mut text = String::new();
        for (parameter, tensor) in network.parameters() {
            let gradient = last.and_then(|last| last.gradients.get(tensor));
            let gradient = gradient.map(Tensor::to_vec::<f32>).transpose()?;
            let scaled =
                |values: Vec<f32>| -> Vec<f32> { values.iter().map(|x| unscale * x).collect() };
            let of = [
                (false, Some(tensor.to_vec::<f32>()?)),
                (true, gradient.map(scaled)),
            ];
            for (is_gradient, values) in of {
                let Some(Bars { min, max, counts }) = values.as_deref().and_then(bars) else {
                    continue;
                };
                let row = HistogramRow {
                    epoch,
                    step,
                    parameter: parameter.clone(),
                    is_gradient,
                    min: significant(min.into()),
                    max: significant(max.into()),
                    counts,
                };
                let line = serde_json::to_string(&row).map_err(|error| {
                    Error::setting("histograms", "numbers that JSON holds", error)
                })?;
                text.push_str(&line);
                text.push('\n');
            }
        }
        let written = self.file.write_all(text.as_bytes());
        written.map_err(Error::io(&self.path, "write"))
    }
}

struct Bars {
    min: f32,
    max: f32,
    counts: Vec<u64>,
}

/// The bars of the finite values, if there are any.
fn bars(values: &[f32]) -> Option<Bars> {
    let finite = || values.iter().copied().filter(|x| x.is_finite());
    let min = finite().fold(f32::INFINITY, f32::min);
    let max = finite().fold(f32::NEG_INFINITY, f32::max);
    if min > max {
        return None;
    }
    let mut counts = vec![0; BARS];
    let [low, width] = [
        f64::from(min),
        (f64::from(max) - f64::from(min)).max(f64::MIN_POSITIVE),
    ];
    for x in finite() {
        counts[bar((f64::from(x) - low) / width)] += 1;
    }
    Some(Bars { min, max, counts })
}

/// The bar of a value at this share of the range.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    clippy::cast_precision_loss,
    reason = "the share is within 0 to 1, and there are few bars"
)]
fn bar(share: f64) -> usize {
    ((share * BARS as f64) as usize).min(BARS - 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_finite_value_is_in_a_bar() {
        let values = [-1.0, f32::NAN, -0.999, 0.0, 0.5, 1.0, f32::INFINITY];
        let Bars { min, max, counts } = bars(&values).unwrap();
        assert_eq!((min, max, counts.iter().sum::<u64>()), (-1.0, 1.0, 5));
        assert_eq!(
            [counts[0], counts[20], counts[30], counts[39]],
            [2, 1, 1, 1]
        );
        let same = bars(&[0.25; 7]).unwrap();
        assert_eq!((same.min, same.counts[0]), (0.25, 7));
        assert!(bars(&[f32::NAN]).is_none() && bars(&[]).is_none());
    }
}
