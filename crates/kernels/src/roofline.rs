//! What a device can do at best, measured on the spot: the roofline of Williams, Waterman and Patterson (2009).

use std::time::Instant;

use crate::device::Device;
use crate::error::Result;
use crate::ops::elementwise;
use crate::ops::gemm::{self, Gemm};

/// The two ceilings of a device.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Roofline {
    /// Arithmetic: f32 matrix product of 4096 x 4096 x 4096 on a GPU, of 1024 x 1024 x 1024 elsewhere, in GFLOP/s.
    pub gflops: f64,
    /// Memory: element-wise addition of 64 MiB operands, in GB/s.
    pub gigabytes_per_s: f64,
}

impl Roofline {
    /// Measures both, in about a second on anything but a software rasteriser.
    ///
    /// # Errors
    /// If the device has no room or fails.
    pub fn measure(device: &Device) -> Result<Self> {
        const WORDS: usize = 1 << 24;
        // Large, and several in a row, so that the card is measured and not the wait for it.
        let is_gpu = !device.is_cpu() && !device.is_software();
        let (size, repeats) = if is_gpu { (4096, 10) } else { (1024, 1) };
        let a = device.upload(&vec![1.0_f32; size * size])?;
        let spec = Gemm::new(size, size, size);
        let multiply = || gemm::product(device, &spec, &a, &a).map(drop);
        let product = best_seconds(device, repeats, multiply)?;
        let x = device.upload(&vec![1.0_f32; WORDS])?;
        let sum = best_seconds(device, repeats, || {
            elementwise::add(device, &x, &x).map(drop)
        })?;
        Ok(Self {
            gflops: 2e-9 * (size as f64).powi(3) / product,
            gigabytes_per_s: 1e-9 * 4.0 * 2.0 * WORDS as f64 / sum,
        })
    }

    /// The least time that `flops` operations on `bytes` bytes can take.
    #[must_use]
    pub fn seconds(&self, flops: f64, bytes: f64) -> f64 {
        (1e-9 * flops / self.gflops).max(1e-9 * bytes / self.gigabytes_per_s)
    }
}

/// Seconds of one call of `f`, in the best of five rounds of `repeats`.
fn best_seconds(device: &Device, repeats: u32, f: impl Fn() -> Result<()>) -> Result<f64> {
    let mut best = f64::INFINITY;
    for _ in 0..5 {
        device.synchronize()?;
        let start = Instant::now();
        for _ in 0..repeats {
            f()?;
        }
        device.synchronize()?;
        best = best.min(start.elapsed().as_secs_f64() / f64::from(repeats));
    }
    Ok(best)
}
