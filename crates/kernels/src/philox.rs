//! Philox 4x32-10 on the host: random numbers as a pure function of seed, stream, step and position.
//!
//! The generator is that of Salmon, Moraes, Dror and Shaw, "Parallel random numbers: as easy as 1, 2, 3" (2011). It has
//! no state, so results depend neither on the number of threads nor on the device: `shaders/shared/philox.wgsl`
//! computes the same words. Normal numbers use nothing but exactly rounded operations, so they too are the same bits
//! on every machine. Not for secrets.

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

/// Ten rounds over `counter` with `key`.
#[must_use]
pub fn philox(counter: [u32; 4], key: [u32; 2]) -> [u32; 4] {
    let lanes = rounds::<1>(counter.map(|word| [word]), key);
    lanes.map(|[word]| word)
}

/// The upper 24 bits of a word as a number in `[0, 1)`, exact in f32.
#[must_use]
pub fn unit(bits: u32) -> f32 {
    #[expect(clippy::cast_precision_loss, reason = "24 bits are exact in f32")]
    let upper = (bits >> 8) as f32;
    upper * (1.0 / 16_777_216.0)
}

/// The same for `N` counters at once, word by word.
#[inline(always)]
fn rounds<const N: usize>(mut c: [[u32; N]; 4], mut key: [u32; 2]) -> [[u32; N]; 4] {
    for _ in 0..10 {
        let mut next = [[0; N]; 4];
        for lane in 0..N {
            let (high0, low0) = multiply(0xD251_1F53, c[0][lane]);
            let (high1, low1) = multiply(0xCD9E_8D57, c[2][lane]);
            next[0][lane] = high1 ^ c[1][lane] ^ key[0];
            next[1][lane] = low1;
            next[2][lane] = high0 ^ c[3][lane] ^ key[1];
            next[3][lane] = low0;
        }
        c = next;
        key[0] = key[0].wrapping_add(0x9E37_79B9);
        key[1] = key[1].wrapping_add(0xBB67_AE85);
    }
    c
}

/// Upper and lower word of a product.
#[expect(
    clippy::cast_possible_truncation,
    reason = "the two halves of 64 bits are the purpose"
)]
#[inline(always)]
fn multiply(a: u32, b: u32) -> (u32, u32) {
    let product = u64::from(a) * u64::from(b);
    ((product >> 32) as u32, product as u32)
}

impl Philox {
    /// The four words of block `block`: of elements `4 block ..`.
    #[must_use]
    pub fn words(&self, block: u32) -> [u32; 4] {
        let (high, low) = self.seed_words();
        philox([block, self.step, 0, high], [low, self.stream])
    }

    fn seed_words(&self) -> (u32, u32) {
        halves(self.seed)
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
        let (high, low) = self.seed_words();
        let mut block = first_block;
        for values in values.chunks_mut(4 * LANES) {
            let mut counter = [[0; LANES], [self.step; LANES], [0; LANES], [high; LANES]];
            for (lane, word) in (0_u32..).zip(&mut counter[0]) {
                *word = block.wrapping_add(lane);
            }
            block = block.wrapping_add(16);
            let words = rounds(counter, [low, self.stream]);
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
    pub fn fill_normal(&self, mean: f32, deviation: f32, values: &mut [f32]) {
        self.for_each_chunk(values, |first_block, values| {
            for (block, values) in (first_block..).zip(values.chunks_mut(4)) {
                let [a, b, c, d] = self.words(block);
                let ((x0, x1), (x2, x3)) = (normal_pair(a, b), normal_pair(c, d));
                for (value, x) in values.iter_mut().zip([x0, x1, x2, x3]) {
                    *value = mean + deviation * x;
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

/// Upper and lower half of a seed.
fn halves(seed: u64) -> (u32, u32) {
    #[expect(clippy::cast_possible_truncation, reason = "the lower half")]
    let low = seed as u32;
    let high = u32::try_from(seed >> 32).expect("32 bits are left");
    (high, low)
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

    /// `kat_vectors` of Random123, `philox4x32 10`.
    #[test]
    fn the_known_answers_of_random123() {
        assert_eq!(
            philox([0; 4], [0; 2]),
            [0x6627_E8D5, 0xE169_C58D, 0xBC57_AC4C, 0x9B00_DBD8],
            "zeros"
        );
        assert_eq!(
            philox([u32::MAX; 4], [u32::MAX; 2]),
            [0x408F_276D, 0x41C8_3B0E, 0xA20B_C7C6, 0x6D54_51FD],
            "ones"
        );
        let counter = [0x243F_6A88, 0x85A3_08D3, 0x1319_8A2E, 0x0370_7344];
        assert_eq!(
            philox(counter, [0xA409_3822, 0x299F_31D0]),
            [0xD16C_FE09, 0x94FD_CCEB, 0x5001_E420, 0x2412_6EA1],
            "pi"
        );
    }

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
