//! Inputs of cases: deterministic values of a kind that suits the operator.

use kernels::{Buffer, Device, Result};

/// What an input's values are like.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub enum Fill {
    /// Whole numbers in `-max..=max`: sums of their products are exact in f32, in any order.
    Integers(u32),
    /// As [`Fill::Integers`], but one in sixteen is a NaN: for what must not count it as the largest.
    IntegersAndNan(u32),
    /// Uniform in `[low, high)`.
    Uniform(f64, f64),
    /// Uniform in `[-1, 1)` but at least 0.05 away from 0, where ReLU has a kink.
    AwayFromZero,
    /// All different, in random order, further apart than finite differences reach: for maxima.
    Distinct,
    /// Whole numbers in `0..classes`, stored as `u32`.
    Labels(u32),
    /// Random 32-bit words.
    Words,
}

/// An input of a case.
#[derive(Clone, Copy, Debug)]
pub struct Input {
    /// The argument's name, for messages.
    pub name: &'static str,
    /// Length in elements.
    pub len: usize,
    /// Its values.
    pub fill: Fill,
    /// Whether backward gives a gradient with respect to it.
    pub requires_grad: bool,
}

impl Input {
    /// An input that backward gives a gradient for.
    #[must_use]
    pub fn with_grad(name: &'static str, len: usize, fill: Fill) -> Self {
        Self {
            name,
            len,
            fill,
            requires_grad: true,
        }
    }

    /// An input without a gradient.
    #[must_use]
    pub fn constant(name: &'static str, len: usize, fill: Fill) -> Self {
        Self {
            name,
            len,
            fill,
            requires_grad: false,
        }
    }

    /// Whether the values are `u32` words and not floats.
    #[must_use]
    pub fn is_words(&self) -> bool {
        matches!(self.fill, Fill::Labels(_) | Fill::Words)
    }

    /// The values for `seed` on a device.
    ///
    /// # Errors
    /// If the device has no room.
    pub fn upload(&self, device: &Device, seed: u64) -> Result<Buffer> {
        self.upload_values(device, &self.values(seed))
    }

    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "fills are exact in f32 or in u32"
    )]
    pub(crate) fn upload_values(&self, device: &Device, values: &[f64]) -> Result<Buffer> {
        if self.is_words() {
            device.upload(&values.iter().map(|&x| x as u32).collect::<Vec<_>>())
        } else {
            device.upload(&values.iter().map(|&x| x as f32).collect::<Vec<_>>())
        }
    }

    /// The values for `seed`, exact in f32 (or in u32).
    #[must_use]
    pub fn values(&self, seed: u64) -> Vec<f64> {
        let mut random = SplitMix(seed ^ 0x5151_AA55_1234_8765);
        match self.fill {
            Fill::Integers(max) => {
                let count = 2 * u64::from(max) + 1;
                (0..self.len)
                    .map(|_| random.below(count) - f64::from(max))
                    .collect()
            }
            Fill::IntegersAndNan(max) => {
                let count = 2 * u64::from(max) + 1;
                let values = (0..self.len).map(|_| (random.below(count), random.below(16)));
                let value = |(x, nan): (f64, f64)| {
                    if nan == 0.0 {
                        f64::NAN
                    } else {
                        x - f64::from(max)
                    }
                };
                values.map(value).collect()
            }
            Fill::Uniform(low, high) => (0..self.len)
                .map(|_| to_f32(low + (high - low) * random.unit()))
                .collect(),
            Fill::AwayFromZero => (0..self.len)
                .map(|_| {
                    let x = 2.0 * random.unit() - 1.0;
                    to_f32(0.95 * x + 0.05 * x.signum())
                })
                .collect(),
            Fill::Distinct => {
                let mut order: Vec<usize> = (0..self.len).collect();
                for i in (1..self.len).rev() {
                    order.swap(i, random.index(i + 1));
                }
                let middle = self.len as f64 / 2.0;
                order
                    .into_iter()
                    .map(|rank| to_f32((rank as f64 - middle) * 0.0625))
                    .collect()
            }
            Fill::Labels(classes) => (0..self.len)
                .map(|_| random.below(u64::from(classes)))
                .collect(),
            Fill::Words => (0..self.len).map(|_| random.below(1 << 32)).collect(),
        }
    }
}

/// The nearest f16, ties to even: 11 significant bits, `2^-24` the least above 0.
pub(crate) fn round_to_f16(x: f64) -> f64 {
    let exponent = x.abs().log2().floor().max(-14.0);
    let unit = (exponent - 10.0).exp2();
    (x / unit).round_ties_even() * unit
}

#[expect(
    clippy::cast_possible_truncation,
    reason = "rounding to f32 is the purpose"
)]
fn to_f32(x: f64) -> f64 {
    f64::from(x as f32)
}

/// Splitmix64 (Steele, Lea, Flood 2014): enough for test inputs, and the same on every machine.
#[derive(Debug)]
pub(crate) struct SplitMix(pub(crate) u64);

impl SplitMix {
    pub(crate) fn bits(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    /// Uniform in `[0, 1)`.
    pub(crate) fn unit(&mut self) -> f64 {
        (self.bits() >> 11) as f64 / (1_u64 << 53) as f64
    }

    /// A whole number in `0..count`.
    pub(crate) fn below(&mut self, count: u64) -> f64 {
        (self.bits() % count) as f64
    }

    /// An index in `0..count`.
    pub(crate) fn index(&mut self, count: usize) -> usize {
        usize::try_from(self.bits() % count as u64).expect("the remainder is below a usize")
    }
}
