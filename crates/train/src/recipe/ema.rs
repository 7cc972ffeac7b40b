//! The average of the weights: how fast it follows, when, and whether training goes on from it.

use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};
use crate::optim::single;

/// The exponential moving average (EMA) of the weights, which validation, the test and the saved model use.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EmaRecipe {
    /// The decay of the EMA. Unless one of the other settings is on, early steps use less, `(1 + t) / (10 + t)` in step `t`,
    /// so that the initial weights are soon forgotten.
    pub decay: f64,
    /// Steps from one update of the average to the next.
    #[serde(default = "one", skip_serializing_if = "is_one")]
    pub every: u64,
    /// In step `t` of `n` the decay is `(t / n)^growth` times as large: the average follows fast at first and slowly at the end.
    /// 0 for the same decay throughout.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub growth: f64,
    /// Whether the weights in training become the average at each update: lookahead (Zhang et al. 2019). The last step ends
    /// with them.
    #[serde(default, skip_serializing_if = "is_false")]
    pub write_back: bool,
}

const fn one() -> u64 {
    1
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks for it")]
const fn is_one(every: &u64) -> bool {
    *every == 1
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks for it")]
fn is_zero(growth: &f64) -> bool {
    *growth == 0.0
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks for it")]
const fn is_false(flag: &bool) -> bool {
    !*flag
}

impl EmaRecipe {
    /// An average of this decay, which follows in every step.
    ///
    /// ```
    /// let lookahead = train::EmaRecipe { every: 5, write_back: true, ..train::EmaRecipe::new(0.5) };
    /// assert_eq!((lookahead.decay, lookahead.growth), (0.5, 0.0));
    /// ```
    #[must_use]
    pub const fn new(decay: f64) -> Self {
        Self {
            decay,
            every: one(),
            growth: 0.0,
            write_back: false,
        }
    }

    /// Whether the average follows by shares that come with the steps, rather than by one decay in every step.
    pub(crate) fn is_scheduled(&self) -> bool {
        self.every > 1 || self.growth > 0.0 || self.write_back
    }

    /// The share of the weights that the average takes in step `step` (from 1) of `steps`; negative if it stays as it is.
    #[expect(clippy::cast_precision_loss, reason = "steps are far below 2^52")]
    pub(crate) fn share(&self, step: u64, steps: u64) -> f32 {
        if step.is_multiple_of(self.every.max(1)) {
            let way = step.min(steps) as f64 / steps.max(1) as f64;
            return single(1.0 - self.decay * libm::pow(way, self.growth));
        }
        // The weights in training end as the average, whose last steps are its own.
        if self.write_back && step == steps {
            0.0
        } else {
            -1.0
        }
    }

    /// An error if a number makes no sense.
    pub(crate) fn check(self) -> Result<()> {
        if !(0.0..1.0).contains(&self.decay) {
            let expected = "a number from 0 to below 1";
            return Err(Error::setting("ema.decay", expected, self.decay));
        }
        if self.every == 0 {
            return Err(Error::setting("ema.every", "at least 1", 0));
        }
        if !(0.0..=100.0).contains(&self.growth) {
            let expected = "a number from 0 to 100";
            return Err(Error::setting("ema.growth", expected, self.growth));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_are_those_of_lookahead_with_a_growing_decay() {
        let lookahead = EmaRecipe {
            every: 5,
            growth: 3.0,
            write_back: true,
            ..EmaRecipe::new(0.95_f64.powi(5))
        };
        assert!(lookahead.is_scheduled() && !EmaRecipe::new(0.9).is_scheduled());
        let shares: Vec<f32> = (1..=47).map(|step| lookahead.share(step, 47)).collect();
        for (share, step) in shares.iter().zip(1_u8..) {
            let expected = match step {
                _ if step % 5 == 0 => 1.0 - 0.773_780_937_5 * (f64::from(step) / 47.0).powi(3),
                47 => 0.0,
                _ => -1.0,
            };
            assert!((f64::from(*share) - expected).abs() < 1e-6, "step {step}");
        }
        let plain = EmaRecipe {
            every: 2,
            ..EmaRecipe::new(0.25)
        };
        let shares = [1, 2, 3, 4].map(|step| plain.share(step, 5));
        assert_eq!(shares, [-1.0, 0.75, -1.0, 0.75]);
    }
}
