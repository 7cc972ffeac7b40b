//! Where the time of a run's first steps goes: `profile.json` and `trace.json` in its folder.
//!
//! The trace is in Chrome's format (trace event format, complete events), which <chrome://tracing> and Perfetto open.

use serde::Serialize;
use serde_json::json;
use tensor::{Device, KernelTime, Profile, Roofline};

use crate::error::Result;
use crate::run::dir::RunDir;

/// Steps before the first that is timed: pools and shader compilers settle.
const WARM_UP: u64 = 3;
/// Steps that are timed, if the epoch has as many.
const STEPS: u64 = 20;

/// Times the kernels of a few training steps.
#[derive(Debug)]
pub(crate) struct Profiler {
    device: Device,
    roofline: Roofline,
    /// Steps begun.
    begun: u64,
    is_on: bool,
}

/// What `profile.json` says of a kernel.
#[derive(Debug, Serialize)]
struct Row {
    name: &'static str,
    calls: u64,
    ms: f64,
    gflops: f64,
    gb_s: f64,
    /// Of the least time that the device's ceilings allow, over the time it took.
    share: f64,
}

impl Profiler {
    /// Measures the device's ceilings.
    pub(crate) fn new(device: &Device) -> Result<Self> {
        let roofline = Roofline::measure(device).map_err(tensor::Error::from)?;
        device.trim();
        Ok(Self {
            device: device.clone(),
            roofline,
            begun: 0,
            is_on: false,
        })
    }

    /// To be called before each step; writes into `run` once the last has been timed.
    pub(crate) fn before_step(&mut self, run: Option<&RunDir>) -> Result<()> {
        if self.begun == WARM_UP {
            self.device.start_profile();
            self.is_on = true;
        }
        if self.begun == WARM_UP + STEPS {
            self.finish(run)?;
        }
        self.begun += 1;
        Ok(())
    }

    /// Ends the profile, if it is going on, with the steps there were.
    pub(crate) fn finish(&mut self, run: Option<&RunDir>) -> Result<()> {
        if !self.is_on {
            return Ok(());
        }
        self.is_on = false;
        let profile = self.device.finish_profile().map_err(tensor::Error::from)?;
        let Some(run) = run else { return Ok(()) };
        let kernels: Vec<_> = profile.kernels.iter().map(|time| self.row(time)).collect();
        run.write_json(
            "profile.json",
            &json!({
                "device": self.device.name(),
                "roofline_gflops": self.roofline.gflops,
                "roofline_gb_s": self.roofline.gigabytes_per_s,
                "steps": self.begun - WARM_UP,
                "kernels": kernels,
            }),
        )?;
        run.write_json("trace.json", &trace(self.device.name(), &profile))
    }

    fn row(&self, time: &KernelTime) -> Row {
        let seconds = time.seconds.max(1e-9);
        let (flops, bytes) = (time.flops as f64, time.bytes as f64);
        Row {
            name: time.kernel,
            calls: time.calls,
            ms: 1e3 * time.seconds,
            gflops: 1e-9 * flops / seconds,
            gb_s: 1e-9 * bytes / seconds,
            share: self.roofline.seconds(flops, bytes) / seconds,
        }
    }
}

/// A complete event for each launch, in microseconds.
fn trace(device: &str, profile: &Profile) -> serde_json::Value {
    let name = json!({ "name": "process_name", "ph": "M", "pid": 1, "args": { "name": device } });
    let launches = profile.launches.iter().map(|launch| {
        json!({
            "name": launch.kernel, "cat": "kernel", "ph": "X", "pid": 1, "tid": 1,
            "ts": 1e6 * launch.start_s, "dur": 1e6 * launch.seconds,
            "args": { "flops": launch.flops, "bytes": launch.bytes },
        })
    });
    let events: Vec<_> = std::iter::once(name).chain(launches).collect();
    json!({ "traceEvents": events, "displayTimeUnit": "ms" })
}
