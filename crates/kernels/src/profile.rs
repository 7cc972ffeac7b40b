//! Where a device's time goes: seconds, FLOPs and bytes of each kernel while profiling is on.

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use crate::buffer::{Buffer, lock};
use crate::device::Device;
use crate::error::Result;
use crate::kernel::Grid;
use crate::tile::{Product, TilePlan};

/// What one launch costs, known before it runs.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Cost {
    pub(crate) kernel: &'static str,
    pub(crate) flops: u64,
    pub(crate) bytes: u64,
    pub(crate) product: Option<(Product, TilePlan)>,
}

impl Cost {
    /// The cost of a launch that touches every word it binds once.
    pub(crate) fn new(
        kernel: &'static str,
        grid: &Grid,
        reads: &[&Buffer],
        writes: &[&Buffer],
    ) -> Self {
        Self {
            kernel,
            flops: grid.flops,
            product: grid.product,
            bytes: reads
                .iter()
                .chain(writes)
                .map(|buffer| buffer.bytes())
                .sum(),
        }
    }
}

impl Cost {
    /// As if there were so much more to do.
    pub(crate) fn times(self, scale: u64) -> Self {
        Self {
            flops: self.flops.saturating_mul(scale),
            bytes: self.bytes.saturating_mul(scale),
            ..self
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

/// One launch while profiling was on.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Launch {
    /// The entry point.
    pub kernel: &'static str,
    /// When it began, in seconds after the first launch of the profile did.
    pub start_s: f64,
    /// How long it took.
    pub seconds: f64,
    /// Floating-point operations.
    pub flops: u64,
    /// Bytes of its bindings.
    pub bytes: u64,
    /// If it is a matrix product, explicit or not, on a GPU: which, and how it was cut.
    pub product: Option<(Product, TilePlan)>,
}

/// Where a device's time went.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Profile {
    /// The sums of each kernel, the longest first.
    pub kernels: Vec<KernelTime>,
    /// The first launches, in order: [`Profile::MOST_LAUNCHES`] at most.
    pub launches: Vec<Launch>,
}

impl Profile {
    /// Launches that are kept one by one: some hundred training steps, and a trace that a browser still opens.
    pub const MOST_LAUNCHES: usize = 10_000;

    /// The time of all launches together.
    #[must_use]
    pub fn seconds(&self) -> f64 {
        self.kernels.iter().map(|kernel| kernel.seconds).sum()
    }
}

impl Device {
    /// Starts to gather the time of each kernel, from nothing. Profiled steps wait for the device and so take longer.
    pub fn start_profile(&self) {
        self.common().profiler.start();
    }

    /// Stops and returns what was gathered; empty if the device can't time its kernels.
    ///
    /// # Errors
    /// If the device is lost or refused what was launched.
    pub fn finish_profile(&self) -> Result<Profile> {
        self.synchronize()?;
        Ok(self.common().profiler.finish())
    }
}

/// Gathers a device's profile.
#[derive(Debug, Default)]
pub(crate) struct Profiler {
    is_on: AtomicBool,
    launches: Mutex<Launches>,
}

#[derive(Debug, Default)]
struct Launches {
    since: Option<Instant>,
    kernels: BTreeMap<&'static str, KernelTime>,
    first: Vec<Launch>,
}

impl Profiler {
    pub(crate) fn is_on(&self) -> bool {
        self.is_on.load(Ordering::Relaxed)
    }

    /// Clears what was gathered and turns profiling on.
    pub(crate) fn start(&self) {
        *lock(&self.launches) = Launches {
            since: Some(Instant::now()),
            ..Launches::default()
        };
        self.is_on.store(true, Ordering::Relaxed);
    }

    /// Turns profiling off and returns what was gathered.
    pub(crate) fn finish(&self) -> Profile {
        self.is_on.store(false, Ordering::Relaxed);
        let Launches {
            kernels, mut first, ..
        } = std::mem::take(&mut *lock(&self.launches));
        let mut kernels: Vec<_> = kernels.into_values().collect();
        kernels.sort_by(|a, b| b.seconds.total_cmp(&a.seconds));
        // A device's clock starts anywhere.
        let start_s = first.first().map_or(0.0, |launch| launch.start_s);
        for launch in &mut first {
            launch.start_s -= start_s;
        }
        Profile {
            kernels,
            launches: first,
        }
    }

    pub(crate) fn add(&self, launch: Launch) {
        let mut launches = lock(&self.launches);
        let time = launches.kernels.entry(launch.kernel).or_default();
        time.kernel = launch.kernel;
        time.calls += 1;
        time.seconds += launch.seconds;
        time.flops += launch.flops;
        time.bytes += launch.bytes;
        if launches.first.len() < Profile::MOST_LAUNCHES {
            launches.first.push(launch);
        }
    }

    /// Runs `f`, timed if profiling is on.
    pub(crate) fn time(&self, cost: &Cost, f: impl FnOnce()) {
        if !self.is_on() {
            return f();
        }
        let start = Instant::now();
        f();
        let seconds = start.elapsed().as_secs_f64();
        let since = lock(&self.launches).since.unwrap_or(start);
        self.add(Launch {
            kernel: cost.kernel,
            start_s: start.saturating_duration_since(since).as_secs_f64(),
            seconds,
            flops: cost.flops,
            bytes: cost.bytes,
            product: cost.product,
        });
    }
}
