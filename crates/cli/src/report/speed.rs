//! What `alexnet bench` prints.

use std::fmt::Write as _;

use anyhow::Result;
use model::Architecture;
use serde_json::json;
use tensor::{Device, KernelTime, Profile};
use train::{Precision, peak_host_bytes};

use super::{print_json, to_stdout};
use crate::args::OutputArgs;

/// Sorted seconds of steps, and where the time went if it was asked for.
pub(crate) struct Speed<'a> {
    pub(crate) network: &'a Architecture,
    pub(crate) device: &'a Device,
    pub(crate) batch_size: usize,
    pub(crate) precision: Precision,
    pub(crate) first_step_s: f64,
    pub(crate) train_s: &'a [f64],
    pub(crate) infer_s: &'a [f64],
    pub(crate) profile: &'a Profile,
}

/// A quartile of sorted numbers; the second is the median.
pub(super) fn quantile(sorted: &[f64], quarter: usize) -> f64 {
    sorted
        .get(sorted.len() * quarter / 4)
        .or(sorted.last())
        .copied()
        .unwrap_or(f64::NAN)
}

pub(crate) fn speed(speed: &Speed<'_>, output: OutputArgs) -> Result<()> {
    let images_per_s = |seconds: f64| speed.batch_size as f64 / seconds;
    let (_, peak_bytes) = speed.device.memory();
    if output.json {
        let times = |sorted: &[f64]| {
            json!({
                "images_per_s": images_per_s(quantile(sorted, 2)),
                "median_s": quantile(sorted, 2), "p25_s": quantile(sorted, 1), "p75_s": quantile(sorted, 3),
                "steps": sorted.len(), "seconds": sorted,
            })
        };
        let kernels: Vec<_> = speed.profile.kernels.iter().map(kernel_json).collect();
        return print_json(&json!({
            "network": speed.network.to_string(), "device": speed.device.name(), "batch_size": speed.batch_size,
            "precision": speed.precision,
            "parameters": speed.network.summary().parameters(),
            "first_step_s": speed.first_step_s, "train": times(speed.train_s), "infer": times(speed.infer_s),
            "peak_host_bytes": peak_host_bytes(), "peak_device_bytes": peak_bytes, "kernels": kernels,
        }));
    }
    let mut text = format!(
        "{} on {}, batch {}{}\n",
        speed.network,
        speed.device.name(),
        speed.batch_size,
        if speed.precision.is_single() {
            ""
        } else {
            ", f16"
        }
    );
    for (name, sorted) in [("train", speed.train_s), ("infer", speed.infer_s)] {
        let [low, median, high] = [1, 2, 3].map(|quarter| 1e3 * quantile(sorted, quarter));
        writeln!(
            text,
            "{name} {:.1} images/s (step {median:.2} ms, quartiles {low:.2} to {high:.2}, {} steps)",
            images_per_s(1e-3 * median),
            sorted.len()
        )?;
    }
    let mib = peak_bytes as f64 / f64::from(1 << 20);
    writeln!(
        text,
        "first step {:.2} s, device memory {mib:.0} MiB",
        speed.first_step_s
    )?;
    kernels(&mut text, speed.profile)?;
    to_stdout(&text)
}

/// A line for each kernel of a profile, if there are any.
pub(super) fn kernels(text: &mut String, profile: &Profile) -> std::fmt::Result {
    if profile.kernels.is_empty() {
        return Ok(());
    }
    writeln!(
        text,
        "{:<28} {:>6} {:>10} {:>10} {:>8}",
        "kernel", "calls", "ms", "GFLOP/s", "GB/s"
    )?;
    for kernel in &profile.kernels {
        let rate = |count: u64| 1e-9 * count as f64 / kernel.seconds.max(f64::MIN_POSITIVE);
        writeln!(
            text,
            "{:<28} {:>6} {:>10.2} {:>10.1} {:>8.1}",
            kernel.kernel,
            kernel.calls,
            1e3 * kernel.seconds,
            rate(kernel.flops),
            rate(kernel.bytes)
        )?;
    }
    Ok(())
}

pub(super) fn kernel_json(kernel: &KernelTime) -> serde_json::Value {
    json!({
        "kernel": kernel.kernel, "calls": kernel.calls, "seconds": kernel.seconds,
        "flops": kernel.flops, "bytes": kernel.bytes,
    })
}
