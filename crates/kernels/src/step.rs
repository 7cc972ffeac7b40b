//! The scalars that change from step to step, as the kernels read them: one small buffer, written before each replay.
//! `shaders/shared/step.wgsl` has the same list.
//!
//! | word | meaning | type |
//! |---|---|---|
//! | 0, 1 | seed, low and high half | `u32` |
//! | 2 | step number, from 1; also Philox's step counter | `u32` |
//! | 3 | learning rate | `f32` |
//! | 4 | Adam: `1 - beta1^t` | `f32` |
//! | 5 | Adam: `sqrt(1 - beta2^t)` | `f32` |
//! | 6 | mixup: the share of the sample itself; cutmix: the rectangle's share of a side, `sqrt(1 - share)` | `f32` |
//! | 7 | 0: do not mix, 1: mixup, 2: cutmix | `u32` |
//! | 8 | epoch, from 0 | `u32` |
//! | 9 | scheduled average: the share that it takes of the weights; negative for none in this step | `f32` |

use crate::buffer::Buffer;
use crate::device::Device;
use crate::error::Result;
use crate::ops::check_len;

/// How a batch is mixed with itself; see [`crate::ops::mix`].
#[derive(Clone, Copy, Debug, Default, PartialEq)]
#[non_exhaustive]
pub enum Mix {
    /// Not at all.
    #[default]
    None,
    /// Every pixel is `share x + (1 - share) partner` (Zhang 2018).
    Mixup {
        /// Share of the sample itself, in `[0, 1]`.
        share: f32,
    },
    /// A rectangle of about `1 - share` of the area comes from the partner (Yun 2019).
    Cutmix {
        /// Share of the sample itself, in `[0, 1]`.
        share: f32,
    },
}

/// The values of a step buffer.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct StepScalars {
    /// Seed of everything random in the run.
    pub seed: u64,
    /// Number of the optimizer step, from 1.
    pub step: u32,
    /// Learning rate of this step.
    pub learning_rate: f32,
    /// Adam's `1 - beta1^t`; 1 for no correction.
    pub correction1: f32,
    /// Adam's `sqrt(1 - beta2^t)`; 1 for no correction.
    pub correction2: f32,
    /// How the batch is mixed.
    pub mix: Mix,
    /// Number of the epoch, from 0: alternating flips follow it.
    pub epoch: u32,
    /// The share of the weights that a scheduled average takes in this step; negative if it is left as it is. See
    /// [`crate::ops::ema::scheduled`].
    pub average_share: f32,
}

impl StepScalars {
    /// Length of a step buffer in words.
    pub const WORDS: usize = 10;

    /// The scalars of step number `step`, counted from 1, of the first epoch, without Adam's corrections, mixing and
    /// scheduled average.
    #[must_use]
    pub const fn new(seed: u64, step: u32, learning_rate: f32) -> Self {
        Self {
            seed,
            step,
            learning_rate,
            correction1: 1.0,
            correction2: 1.0,
            mix: Mix::None,
            epoch: 0,
            average_share: -1.0,
        }
    }

    /// The same with Adam's bias corrections for its step number, computed in f64.
    #[must_use]
    #[expect(
        clippy::cast_possible_truncation,
        reason = "rounding to f32 is the purpose"
    )]
    pub fn with_betas(self, beta1: f64, beta2: f64) -> Self {
        let t = f64::from(self.step);
        Self {
            correction1: (1.0 - libm::pow(beta1, t)) as f32,
            correction2: (1.0 - libm::pow(beta2, t)).sqrt() as f32,
            ..self
        }
    }

    /// The words, in the order of the module's table.
    #[must_use]
    pub fn to_words(&self) -> [u32; Self::WORDS] {
        let (share, mode) = match self.mix {
            Mix::None => (1.0, 0),
            Mix::Mixup { share } => (share, 1),
            // Rooted here, because devices round roots differently and the rectangle's sides are whole numbers.
            Mix::Cutmix { share } => ((1.0 - share).max(0.0).sqrt(), 2),
        };
        let [low, high] = halves(self.seed);
        let floats = [
            self.learning_rate,
            self.correction1,
            self.correction2,
            share,
        ];
        let [rate, correction1, correction2, share] = floats.map(f32::to_bits);
        [
            low,
            high,
            self.step,
            rate,
            correction1,
            correction2,
            share,
            mode,
            self.epoch,
            self.average_share.to_bits(),
        ]
    }

    /// A new step buffer with these values.
    ///
    /// # Errors
    /// If the device has no room or fails.
    pub fn upload(&self, device: &Device) -> Result<Buffer> {
        device.upload(&self.to_words())
    }

    /// Overwrites a step buffer with these values.
    ///
    /// # Errors
    /// If `buffer` is shorter, or the device fails.
    pub fn write(&self, device: &Device, buffer: &Buffer) -> Result<()> {
        device.write(buffer, &self.to_words())
    }
}

/// What every optimizer's update of one parameter takes. `parameter` is written in place.
#[derive(Clone, Copy, Debug)]
pub struct ParameterUpdate<'a> {
    /// The parameter.
    pub parameter: &'a Buffer,
    /// Its gradient, as long as the parameter.
    pub gradient: &'a Buffer,
    /// The step's scalars: [`StepScalars::WORDS`] words.
    pub step: &'a Buffer,
    /// One float that the gradient is multiplied by, such as the factor of gradient clipping. If it is negative, nothing is
    /// updated: see [`crate::ops::loss_scale`].
    pub scale: Option<&'a Buffer>,
}

impl ParameterUpdate<'_> {
    /// The parameter's length; an error unless the others suit it.
    pub(crate) fn check(&self, op: &'static str) -> Result<usize> {
        check_len(op, "gradient", self.gradient, self.parameter.len())?;
        check_len(op, "step", self.step, StepScalars::WORDS)?;
        if let Some(scale) = self.scale {
            check_len(op, "scale", scale, 1)?;
        }
        Ok(self.parameter.len())
    }
}

/// The low and the high half of a seed.
fn halves(seed: u64) -> [u32; 2] {
    bytemuck::cast([seed.to_le()])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_where_the_kernels_read_them() {
        let scalars = StepScalars::new(0x0123_4567_89AB_CDEF, 3, 0.5).with_betas(0.9, 0.999);
        let words = scalars.to_words();
        assert_eq!(words[..3], [0x89AB_CDEF, 0x0123_4567, 3], "seed and step");
        let [rate, first, second, share] = [3, 4, 5, 6].map(|i: usize| f32::from_bits(words[i]));
        assert!(rate == 0.5 && share == 1.0, "rate and share");
        assert!((f64::from(first) - 0.271).abs() < 1e-7, "1 - 0.9^3");
        assert!(
            (f64::from(second) - 0.002_997_001_f64.sqrt()).abs() < 1e-8,
            "sqrt(1 - 0.999^3)"
        );
        assert_eq!(words[7..9], [0, 0], "no mixing, the first epoch");
        assert!(f32::from_bits(words[9]) < 0.0, "no scheduled average");
    }
}
