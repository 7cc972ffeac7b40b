//! Where a device's time goes: seconds, FLOPs and bytes of each kernel while profiling is on.

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use crate::buffer::{Buffer, lock};

/// What one launch costs, known before it runs.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Cost {
    pub(crate) kernel: &'static str,
    pub(crate) flops: u64,
    pub(crate) bytes: u64,
}

impl Cost {
    /// The cost of a launch that touches every word it binds once.
    pub(crate) fn new(
        kernel: &'static str,
        flops: u64,
        reads: &[&Buffer],
        writes: &[&Buffer],
    ) -> Self {
        let words: usize = reads.iter().chain(writes).map(|buffer| buffer.len()).sum();
        Self {
            kernel,
            flops,
            bytes: 4 * words as u64,
        }
    }
}

/// The sum of a kernel's launches while profiling was on.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct KernelTime {
    /// The entry point.
    pub kernel: &'static str,
    /// Launches.
    pub calls: u64,
    /// Time in the kernel, in seconds: by the device's clock on a GPU, by the host's on the CPU.
    pub seconds: f64,
    /// Floating-point operations.
    pub flops: u64,
    /// Bytes of its bindings, each counted once a launch.
    pub bytes: u64,
}

/// The times gathered on one device.
#[derive(Debug, Default)]
pub(crate) struct Profile {
    is_on: AtomicBool,
    times: Mutex<BTreeMap<&'static str, KernelTime>>,
}

impl Profile {
    pub(crate) fn is_on(&self) -> bool {
        self.is_on.load(Ordering::Relaxed)
    }

    /// Clears what was gathered and turns profiling on.
    pub(crate) fn start(&self) {
        lock(&self.times).clear();
        self.is_on.store(true, Ordering::Relaxed);
    }

    /// Turns profiling off and returns what was gathered, the longest first.
    pub(crate) fn finish(&self) -> Vec<KernelTime> {
        self.is_on.store(false, Ordering::Relaxed);
        let mut times: Vec<_> = std::mem::take(&mut *lock(&self.times))
            .into_values()
            .collect();
        times.sort_by(|a, b| b.seconds.total_cmp(&a.seconds));
        times
    }

    pub(crate) fn add(&self, cost: &Cost, seconds: f64) {
        let mut times = lock(&self.times);
        let time = times.entry(cost.kernel).or_default();
        time.kernel = cost.kernel;
        time.calls += 1;
        time.seconds += seconds;
        time.flops += cost.flops;
        time.bytes += cost.bytes;
    }

    /// Runs `f`, timed if profiling is on.
    pub(crate) fn time(&self, cost: &Cost, f: impl FnOnce()) {
        if self.is_on() {
            let start = Instant::now();
            f();
            self.add(cost, start.elapsed().as_secs_f64());
        } else {
            f();
        }
    }
}
