//! The tables of a page: a line for each figure or setting, a column for each run.

use serde::Serialize;
use serde_json::Value;
use train::Published;

use crate::gallery::mean;
use crate::plots::shortened;
use crate::run::{Profile, Run};

/// A line of a table with a column for each run.
#[derive(Serialize)]
pub(super) struct Line {
    pub(super) label: String,
    pub(super) values: Vec<String>,
    pub(super) differs: bool,
}

#[derive(Serialize)]
pub(super) struct ProfileTable {
    device: String,
    limits: String,
    kernels: Vec<KernelLine>,
}

#[derive(Serialize)]
struct KernelLine {
    name: String,
    calls: String,
    ms: String,
    gflops: String,
    gb_s: String,
    share: Option<String>,
    width: String,
}

pub(super) fn percent(share: f64) -> String {
    format!("{:.2} %", 100.0 * share)
}

/// A line of the metrics' table; left out where no run has a value. Metrics may differ: nothing is marked.
fn line(label: &str, runs: &[Run], value: impl Fn(&Run) -> Option<String>) -> Option<Line> {
    let values: Vec<_> = runs.iter().map(value).collect();
    values.iter().any(Option::is_some).then(|| Line {
        label: label.to_owned(),
        values: values.into_iter().map(Option::unwrap_or_default).collect(),
        differs: false,
    })
}

pub(super) fn metrics(runs: &[Run]) -> Vec<Line> {
    let loss = |value: f64| format!("{value:.4}");
    let of_test = |value: fn(&train::Summary) -> Option<f64>| {
        move |run: &Run| run.summary.as_ref().and_then(value)
    };
    let lines = [
        line("test accuracy", runs, |run| {
            of_test(|s| s.test_accuracy)(run).map(percent)
        }),
        line("test top-5 accuracy", runs, |run| {
            let top5 = of_test(|s| s.test_top5)(run).filter(|_| run.has_top5());
            top5.map(percent)
        }),
        line("test top-1 error", runs, |run| {
            of_test(|s| s.test_accuracy)(run).map(|share| percent(1.0 - share))
        }),
        line("test top-5 error", runs, |run| {
            let top5 = of_test(|s| s.test_top5)(run).filter(|_| run.has_top5());
            top5.map(|share| percent(1.0 - share))
        }),
        line("published", runs, |run| {
            let published = Published::of(&run.recipe.name).ok().flatten()?;
            Some(format!("{} ({})", published.result, published.source))
        }),
        line("test loss", runs, |run| {
            of_test(|s| s.test_loss)(run).map(loss)
        }),
        line("test macro F1", runs, |run| {
            of_test(|s| s.test_macro_f1)(run).map(loss)
        }),
        line("best validation accuracy", runs, |run| {
            run.best().and_then(|row| row.val_accuracy).map(percent)
        }),
        line("best epoch", runs, |run| {
            run.best().map(|row| row.epoch.to_string())
        }),
        line("last training accuracy", runs, |run| {
            run.rows.last().map(|row| percent(row.train_accuracy))
        }),
        line("last training loss", runs, |run| {
            run.rows.last().map(|row| loss(row.train_loss))
        }),
        line("epochs", runs, |run| Some(run.rows.len().to_string())),
        line("steps", runs, |run| {
            run.rows.last().map(|row| row.step.to_string())
        }),
        line("parameters", runs, |run| {
            run.summary.as_ref().map(|s| thousands(s.parameters))
        }),
    ];
    lines.into_iter().flatten().collect()
}

pub(super) fn speed(runs: &[Run]) -> Vec<Line> {
    let bytes = |bytes: u64| format!("{} MiB", bytes >> 20);
    let lines = [
        line("device", runs, |run| {
            let device = run.environment.as_ref()?.get("device")?.as_str()?;
            Some(device.to_owned())
        }),
        line("training images/s", runs, |run| {
            run.images_per_s().map(|speed| format!("{speed:.0}"))
        }),
        line("waiting for data", runs, |run| {
            mean(run, |row| row.data_wait_fraction).map(percent)
        }),
        line("seconds an epoch", runs, |run| {
            mean(run, |row| row.seconds).map(|seconds| format!("{seconds:.1}"))
        }),
        line("ms a step", runs, |run| {
            run.ms_per_step().map(|ms| format!("{ms:.1}"))
        }),
        line("published ms a step", runs, |run| {
            let published = Published::of(&run.recipe.name).ok().flatten()?;
            published.ms_per_step.map(|ms| format!("{ms:.1}"))
        }),
        line("published seconds an epoch, test included", runs, |run| {
            let published = Published::of(&run.recipe.name).ok().flatten()?;
            let seconds = published.seconds_per_epoch;
            seconds.map(|seconds| format!("{seconds:.1}"))
        }),
        line("time in all", runs, |run| {
            run.summary.as_ref().map(|s| duration(s.wall_s))
        }),
        line("training arithmetic", runs, |run| {
            let flops = run.summary.as_ref()?.training_flops;
            (flops > 0).then(|| scientific(flops))
        }),
        line("spent until the best tenth of accuracy", runs, |run| {
            let best = run.summary.as_ref()?.milestones.last()?;
            let (flops, time) = (scientific(best.flops), duration(best.seconds));
            Some(format!("{flops}, {time} to {}", percent(best.accuracy)))
        }),
        line("peak host memory", runs, |run| {
            run.summary.as_ref()?.peak_host_bytes.map(bytes)
        }),
        line("peak device memory", runs, |run| {
            run.summary.as_ref().map(|s| bytes(s.peak_device_bytes))
        }),
    ];
    lines.into_iter().flatten().collect()
}

/// `3.5e14 FLOP`.
fn scientific(flops: u64) -> String {
    #[expect(clippy::cast_precision_loss, reason = "two digits are written")]
    let flops = flops as f64;
    format!("{flops:.1e} FLOP")
}

pub(super) fn profile(profile: &Profile) -> ProfileTable {
    let number = |value: Option<f64>| value.map_or_else(String::new, |v| format!("{v:.1}"));
    let mut limits = String::new();
    if let Some(gflops) = profile.roofline_gflops {
        limits.push_str(&format!(", at most {gflops:.0} GFLOP/s"));
    }
    if let Some(gb_s) = profile.roofline_gb_s {
        limits.push_str(&format!(", {gb_s:.0} GB/s"));
    }
    let mut kernels: Vec<_> = profile.kernels.iter().collect();
    kernels.sort_by(|a, b| b.ms.total_cmp(&a.ms));
    let kernels = kernels.into_iter().map(|kernel| KernelLine {
        name: kernel.name.clone(),
        calls: kernel.calls.to_string(),
        ms: format!("{:.3}", kernel.ms),
        gflops: number(kernel.gflops),
        gb_s: number(kernel.gb_s),
        share: kernel.share.map(percent),
        width: format!("{:.2}", 6.0 * kernel.share.unwrap_or(0.0).clamp(0.0, 1.0)),
    });
    ProfileTable {
        device: profile.device.clone(),
        limits,
        kernels: kernels.collect(),
    }
}

/// The leaves of several objects, a line for each key that one of them has.
pub(super) fn side_by_side(objects: &[Value]) -> Vec<Line> {
    let leaves: Vec<_> = objects.iter().map(leaves).collect();
    let mut labels: Vec<&String> = Vec::new();
    for (label, _) in leaves.iter().flatten() {
        if !labels.contains(&label) {
            labels.push(label);
        }
    }
    let lines = labels.into_iter().map(|label| {
        let values: Vec<_> = leaves
            .iter()
            .map(|pairs| {
                let pair = pairs.iter().find(|(key, _)| key == label);
                pair.map_or_else(String::new, |(_, value)| value.clone())
            })
            .collect();
        Line {
            label: label.clone(),
            differs: values.iter().any(|value| *value != values[0]),
            values,
        }
    });
    lines.collect()
}

fn leaves(object: &Value) -> Vec<(String, String)> {
    let mut pairs = Vec::new();
    for (key, value) in object.as_object().into_iter().flatten() {
        match value {
            Value::Null => {}
            Value::Object(_) => {
                let inner = leaves(value).into_iter();
                pairs.extend(inner.map(|(leaf, value)| (format!("{key}.{leaf}"), value)));
            }
            Value::String(text) => pairs.push((key.clone(), shortened(text, 400))),
            Value::Array(items) if items.iter().all(Value::is_string) => {
                let items: Vec<_> = items.iter().filter_map(Value::as_str).collect();
                pairs.push((key.clone(), shortened(&items.join(" "), 400)));
            }
            other => pairs.push((key.clone(), number(other))),
        }
    }
    pairs
}

/// Numbers as a reader has them: f32 settings come with digits that mean nothing.
fn number(value: &Value) -> String {
    match value {
        Value::Array(items) => {
            let items: Vec<_> = items.iter().map(number).collect();
            items.join(", ")
        }
        Value::Number(number) if number.is_f64() => {
            let value = number.as_f64().unwrap_or(f64::NAN);
            // A number that was just written is one.
            let short: f64 = format!("{value:.6e}").parse().unwrap_or(value);
            if short != 0.0 && short.abs() < 1e-3 {
                format!("{short:e}")
            } else {
                short.to_string()
            }
        }
        other => other.to_string(),
    }
}

/// `1 h 02 min`, `3 min 20 s`, `12.3 s`.
pub(crate) fn duration(seconds: f64) -> String {
    if seconds < 60.0 {
        return format!("{seconds:.1} s");
    }
    let minutes = (seconds / 60.0).floor();
    if minutes < 60.0 {
        return format!("{minutes} min {:.0} s", seconds - 60.0 * minutes);
    }
    let hours = (minutes / 60.0).floor();
    format!("{hours} h {:02.0} min", minutes - 60.0 * hours)
}

/// `34.6 MB`.
pub(super) fn megabytes(bytes: u64) -> String {
    format!("{}.{} MB", bytes / 1_000_000, bytes / 100_000 % 10)
}

/// `2,887,306`.
pub(super) fn thousands(n: u64) -> String {
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
