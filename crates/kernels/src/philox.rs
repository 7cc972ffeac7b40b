//! Random numbers on the host for seed, stream, step and position: those of the crate `philox`, which the shaders compute
//! too. Normal numbers use nothing but exactly rounded operations, so they too are the same bits on every machine. Not for
//! secrets.

use ::philox::{halves, philox_lanes};
pub use ::philox::{philox, unit};
use rayon::prelude::*;

use crate::cpu::shared::wide::wide;

/// Which random numbers: a key and the upper part of the counter.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Philox {
    /// The run's seed.
    pub seed: u64,
    /// What the numbers are for: a layer, the loader; different streams are independent.
    pub stream: u32,
    /// Which step of the run, where numbers are drawn anew in each.
    pub step: u32,
}

/// Blocks that are computed side by side, so that the compiler turns each operation into a vector's.
const LANES: usize = 16;
/// Numbers per parallel task.
const CHUNK: usize = 4096;

impl Philox {
    /// The four words of block `block`: of elements `4 block ..`.
    #[must_use]
    pub fn words(&self, block: u32) -> [u32; 4] {
        let [low, high] = halves(self.seed);
        philox([block, self.step, 0, high], [low, self.stream])
    }

    /// Uniform numbers in `[0, 1)` for the elements from `4 first_block` on.
    ///
    /// # Panics
    /// If there are elements past `2^34`, which the counter does not reach.
    pub fn fill_unit(&self, first_block: u32, values: &mut [f32]) {
        let blocks = values.len().div_ceil(4);
        let last = u64::from(first_block) + blocks as u64;
        assert!(last <= 1 << 32, "the block counter has 32 bits");
        wide(
            #[inline(always)]
            || self.fill_unit_lanes(first_block, values),
        );
    }

    #[inline(always)]
    fn fill_unit_lanes(&self, first_block: u32, values: &mut [f32]) {
        let [low, high] = halves(self.seed);
        let mut block = first_block;
        for values in values.chunks_mut(4 * LANES) {
            let mut counter = [[0; LANES], [self.step; LANES], [0; LANES], [high; LANES]];
            for (lane, word) in (0_u32..).zip(&mut counter[0]) {
                *word = block.wrapping_add(lane);
            }
            block = block.wrapping_add(16);
            let words = philox_lanes(counter, [low, self.stream]);
            for (lane, values) in values.chunks_mut(4).enumerate() {
                for (value, word) in values.iter_mut().zip(&words) {
                    *value = unit(word[lane]);
                }
            }
        }
    }

    /// Uniform numbers in `[low, high)`.
    ///
    /// # Panics
    /// As [`Philox::fill_unit`].
    pub fn fill_uniform(&self, low: f32, high: f32, values: &mut [f32]) {
        self.for_each_chunk(values, |first_block, values| {
            self.fill_unit(first_block, values);
            for value in values {
                *value = low + (high - low) * *value;
            }
        });
    }

    /// Normal numbers, by Box and Muller's transform of each pair of words.
    ///
    /// # Panics
    /// As [`Philox::fill_unit`].
    pub fn fill_normal(&self, mean: f32, std: f32, values: &mut [f32]) {
        self.for_each_chunk(values, |first_block, values| {
            for (block, values) in (first_block..).zip(values.chunks_mut(4)) {
                let [a, b, c, d] = self.words(block);
                let ((x0, x1), (x2, x3)) = (normal_pair(a, b), normal_pair(c, d));
                for (value, x) in values.iter_mut().zip([x0, x1, x2, x3]) {
                    *value = mean + std * x;
                }
            }
        });
    }

    /// Calls `fill` with each chunk and its first block, in parallel.
    fn for_each_chunk(&self, values: &mut [f32], fill: impl Fn(u32, &mut [f32]) + Sync) {
        let blocks = values.len().div_ceil(4);
        assert!(blocks as u64 <= 1 << 32, "the block counter has 32 bits");
        let chunks = values.par_chunks_mut(CHUNK).enumerate();
        chunks.for_each(|(chunk, values)| {
            let first = u32::try_from(chunk * (CHUNK / 4)).expect("asserted above");
            fill(first, values);
        });
    }
}

/// Two independent standard normal numbers: `sqrt(-2 ln u) (cos, sin)(2 pi v)` with `u` in `(0, 1]`.
fn normal_pair(u: u32, v: u32) -> (f32, f32) {
    let radius = (-2.0 * ln(f64::from((u >> 8) + 1) / 16_777_216.0)).sqrt();
    let (sin, cos) = sin_cos_turns(f64::from(v >> 8) / 16_777_216.0);
    #[expect(
        clippy::cast_possible_truncation,
        reason = "rounding to f32 is the purpose"
    )]
    ((radius * cos) as f32, (radius * sin) as f32)
}

/// The natural logarithm of a positive normal number to about 1e-15, by `2 atanh((m - 1) / (m + 1))`. The standard
/// library's differs from system to system.
fn ln(x: f64) -> f64 {
    let bits = x.to_bits();
    let mut exponent = i32::try_from(bits >> 52).expect("a positive number") - 1023;
    let mut mantissa = f64::from_bits(bits & 0x000F_FFFF_FFFF_FFFF | 1023 << 52);
    if mantissa > std::f64::consts::SQRT_2 {
        (mantissa, exponent) = (mantissa / 2.0, exponent + 1);
    }
    let s = (mantissa - 1.0) / (mantissa + 1.0);
    let series = (0..11)
        .rev()
        .fold(0.0, |sum, k| sum * s * s + 1.0 / f64::from(2 * k + 1));
    f64::from(exponent) * std::f64::consts::LN_2 + 2.0 * s * series
}

/// Sine and cosine of `turns` full turns, for `turns` in `[0, 1)`, by Taylor's series within an eighth of a turn.
fn sin_cos_turns(turns: f64) -> (f64, f64) {
    let quarter = (4.0 * turns + 0.5).floor();
    let x = std::f64::consts::TAU * (turns - quarter / 4.0);
    let (mut sin, mut cos) = (1.0, 1.0);
    for k in (1..9).rev() {
        let k = f64::from(2 * k);
        sin = 1.0 - sin * x * x / (k * (k + 1.0));
        cos = 1.0 - cos * x * x / (k * (k - 1.0));
    }
    sin *= x;
    if quarter == 1.0 {
        (cos, -sin)
    } else if quarter == 2.0 {
        (-sin, -cos)
    } else if quarter == 3.0 {
        (-cos, sin)
    } else {
        (sin, cos)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lanes_equal_single_blocks() {
        let philox = Philox {
            seed: 0x0123_4567_89AB_CDEF,
            stream: 3,
            step: 7,
        };
        let mut values = [0.0; 203];
        philox.fill_unit(5, &mut values);
        for (i, value) in (0..).zip(values) {
            let word = philox.words(5 + i / 4)[i as usize % 4];
            assert_eq!(value, unit(word), "element {i}");
            assert!((0.0..1.0).contains(&value), "element {i}: {value}");
        }
    }

    #[test]
    fn normal_numbers_have_their_moments_and_their_functions_agree_with_std() {
        let mut values = vec![0.0; 40_001];
        Philox {
            seed: 1,
            stream: 2,
            step: 0,
        }
        .fill_normal(1.0, 2.0, &mut values);
        let n = values.len() as f64;
        let mean = values.iter().map(|&x| f64::from(x)).sum::<f64>() / n;
        let variance = values
            .iter()
            .map(|&x| (f64::from(x) - mean).powi(2))
            .sum::<f64>()
            / n;
        assert!(
            (mean - 1.0).abs() < 0.04,
            "mean {mean}: four standard errors"
        );
        assert!((variance - 4.0).abs() < 0.12, "variance {variance}");
        for i in 0..4096 {
            let t = f64::from(i) / 4096.0;
            let (sin, cos) = sin_cos_turns(t);
            let (want_sin, want_cos) = (std::f64::consts::TAU * t).sin_cos();
            assert!(
                (sin - want_sin).abs() + (cos - want_cos).abs() < 1e-13,
                "{t} turns"
            );
            let u = (f64::from(i) + 1.0) / 4096.0;
            assert!((ln(u) - u.ln()).abs() < 1e-14, "ln {u}");
        }
    }
}
