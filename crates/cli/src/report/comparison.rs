//! What a comparison prints: a table for each network, this program's figures over each peer's.

use std::fmt::Write as _;

use anyhow::Result;
use serde_json::{Value, json};

use super::speed::quantile;
use super::{print_json, to_stderr, to_stdout};
use crate::args::OutputArgs;
use crate::commands::bench::contenders::{Absent, Contender};

/// Everything that was compared.
pub(crate) struct Comparison {
    pub(crate) rounds: usize,
    pub(crate) results: Vec<Compared>,
    pub(crate) absent: Vec<Absent>,
}

/// One contender on one network: sorted seconds of the steps of all rounds.
pub(crate) struct Compared {
    pub(crate) network: String,
    pub(crate) batch_size: usize,
    pub(crate) name: String,
    pub(crate) device: String,
    pub(crate) is_ours: bool,
    pub(crate) parameters: Option<u64>,
    /// Of each round.
    pub(crate) first_step_s: Vec<f64>,
    pub(crate) train_s: Vec<f64>,
    pub(crate) infer_s: Vec<f64>,
    pub(crate) peak_host_bytes: Option<u64>,
    pub(crate) peak_device_bytes: Option<u64>,
    /// Processors that other programs took, in the worst round.
    pub(crate) others: Option<f64>,
    /// Whether it took so long that further rounds are left out.
    pub(crate) is_slow: bool,
    pub(crate) failure: Option<String>,
}

impl Compared {
    pub(crate) fn new(network: &str, batch_size: usize, contender: &Contender) -> Self {
        Self {
            network: network.to_owned(),
            batch_size,
            name: contender.name.clone(),
            device: contender.device.clone(),
            is_ours: contender.is_ours,
            parameters: None,
            first_step_s: Vec::new(),
            train_s: Vec::new(),
            infer_s: Vec::new(),
            peak_host_bytes: None,
            peak_device_bytes: None,
            others: None,
            is_slow: false,
            failure: None,
        }
    }

    /// Images per second of the lower quartile of times, of the median and of the upper quartile.
    fn images_per_s(&self, seconds: &[f64]) -> [f64; 3] {
        [3, 2, 1].map(|quarter| self.batch_size as f64 / quantile(seconds, quarter))
    }

    /// The first step's shortest time over the rounds: later rounds find files in the system's cache.
    fn first_step_s(&self) -> f64 {
        self.first_step_s.iter().copied().fold(f64::NAN, f64::min)
    }
}

impl Comparison {
    /// How much faster this program is than `peer`, in training and in inference, on the same kind of device.
    fn ratios(&self, peer: &Compared) -> Option<[f64; 2]> {
        let ours = self.results.iter().find(|ours| {
            ours.is_ours
                && (&ours.network, ours.batch_size, &ours.device)
                    == (&peer.network, peer.batch_size, &peer.device)
        })?;
        let ratio = |ours: &[f64], theirs: &[f64]| quantile(theirs, 2) / quantile(ours, 2);
        let ratios = [
            ratio(&ours.train_s, &peer.train_s),
            ratio(&ours.infer_s, &peer.infer_s),
        ];
        ratios
            .iter()
            .all(|ratio| ratio.is_finite())
            .then_some(ratios)
    }

    fn to_json(&self) -> Value {
        let times = |result: &Compared, seconds: &[f64]| {
            let [low, median, high] = result.images_per_s(seconds);
            json!({
                "images_per_s": median, "p25_images_per_s": low, "p75_images_per_s": high,
                "steps": seconds.len(),
            })
        };
        let results = self.results.iter().map(|result| {
            let ratios = self.ratios(result);
            json!({
                "network": result.network, "batch_size": result.batch_size, "name": result.name,
                "device": result.device, "is_ours": result.is_ours, "parameters": result.parameters,
                "train": times(result, &result.train_s), "infer": times(result, &result.infer_s),
                "train_ratio": ratios.map(|[train, _]| train), "infer_ratio": ratios.map(|[_, infer]| infer),
                "first_step_s": result.first_step_s(), "rounds": result.first_step_s.len(),
                "peak_host_bytes": result.peak_host_bytes, "peak_device_bytes": result.peak_device_bytes,
                "processors_taken_by_others": result.others, "failure": result.failure,
            })
        });
        let absent = self.absent.iter();
        let absent = absent.map(|peer| json!({ "name": peer.name, "reason": peer.reason }));
        json!({
            "rounds": self.rounds,
            "results": results.collect::<Vec<_>>(),
            "absent": absent.collect::<Vec<_>>(),
        })
    }

    fn to_text(&self) -> Result<String, std::fmt::Error> {
        let mut text = String::new();
        let is_one =
            |a: &Compared, b: &Compared| (&a.network, a.batch_size) == (&b.network, b.batch_size);
        for group in self.results.chunk_by(is_one) {
            for device in ["cpu", "gpu"] {
                let rows: Vec<_> = group.iter().filter(|row| row.device == device).collect();
                self.write_table(&mut text, device, &rows)?;
            }
        }
        for peer in &self.absent {
            writeln!(text, "absent: {}: {}", peer.name, peer.reason)?;
        }
        Ok(text)
    }

    fn write_table(&self, text: &mut String, device: &str, rows: &[&Compared]) -> std::fmt::Result {
        let Some(first) = rows.first() else {
            return Ok(());
        };
        writeln!(
            text,
            "{}, batch {}, {device}: images/s (quartiles), and how much faster this program is",
            first.network, first.batch_size
        )?;
        writeln!(
            text,
            "{:<46} {:>24} {:>6} {:>24} {:>6} {:>8} {:>9} {:>7}",
            "", "training", "ratio", "inference", "ratio", "first s", "peak MiB", "others"
        )?;
        for row in rows {
            if let Some(failure) = &row.failure {
                writeln!(text, "{:<46} failed: {failure}", row.name)?;
                continue;
            }
            let rate = |seconds: &[f64]| {
                let [low, median, high] = row.images_per_s(seconds);
                format!("{median:.1} ({low:.1}-{high:.1})")
            };
            let ratios = self.ratios(row).filter(|_| !row.is_ours);
            let [train, infer] = ratios.map_or([String::new(), String::new()], |ratios| {
                ratios.map(|ratio| format!("{ratio:.2}"))
            });
            let mib = |bytes: Option<u64>| bytes.map_or("?".to_owned(), |b| (b >> 20).to_string());
            let others = row
                .others
                .map_or("?".to_owned(), |taken| format!("{taken:.2}"));
            writeln!(
                text,
                "{:<46} {:>24} {train:>6} {:>24} {infer:>6} {:>8.2} {:>9} {others:>7}",
                row.name,
                rate(&row.train_s),
                rate(&row.infer_s),
                row.first_step_s(),
                mib(row.peak_host_bytes),
            )?;
        }
        writeln!(text)
    }
}

/// Says what a round found, on standard error.
pub(crate) fn compared(round: usize, result: &Compared, output: OutputArgs) {
    if output.quiet {
        return;
    }
    let figure = match &result.failure {
        Some(failure) => format!("failed: {failure}"),
        None => {
            let [train, infer] =
                [&result.train_s, &result.infer_s].map(|seconds| result.images_per_s(seconds)[1]);
            format!("{train:.1} images/s in training, {infer:.1} in inference")
        }
    };
    let Compared {
        network,
        batch_size,
        name,
        ..
    } = result;
    to_stderr(&format!(
        "round {}: {network} batch {batch_size}: {name}: {figure}\n",
        round + 1
    ));
}

pub(crate) fn comparison(comparison: &Comparison, output: OutputArgs) -> Result<()> {
    if output.json {
        return print_json(&comparison.to_json());
    }
    to_stdout(&comparison.to_text()?)
}
