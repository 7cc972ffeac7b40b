//! Mixing of images and labels: what a recipe says, and what a step draws.

use serde::{Deserialize, Serialize};
use tensor::random::Philox;
use tensor::update::Mix;

use crate::error::{Error, Result};

/// The random numbers' stream. Layers take the lowest, kernels four letters of their names.
const STREAM: u32 = 0x6D69_7864;
/// The largest alpha: beyond it the draw below would reject too often.
const MOST_ALPHA: f64 = 4.0;

/// How batches are mixed with themselves. A step that mixes does so by mixup or, where both are on, by either at even
/// chances.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct MixRecipe {
    /// Mixup's alpha: an image keeps a share drawn from Beta(alpha, alpha). 0 for no mixup.
    pub mixup: f64,
    /// Cutmix's alpha, likewise. 0 for no cutmix.
    pub cutmix: f64,
    /// How likely a step mixes.
    pub probability: f64,
}

impl MixRecipe {
    /// Whether any step mixes.
    pub(crate) fn is_on(&self) -> bool {
        self.probability > 0.0 && (self.mixup > 0.0 || self.cutmix > 0.0)
    }

    /// How a step mixes: a function of the seed and the step's number alone.
    pub(crate) fn draw(&self, seed: u64, step: u32) -> Mix {
        if !self.is_on() {
            return Mix::None;
        }
        let source = Philox {
            seed,
            stream: STREAM,
            step,
        };
        let first = source.words(0).map(unit);
        if first[0] >= self.probability {
            return Mix::None;
        }
        let is_cutmix = self.mixup == 0.0 || (self.cutmix > 0.0 && first[1] < 0.5);
        let alpha = if is_cutmix { self.cutmix } else { self.mixup };
        #[expect(
            clippy::cast_possible_truncation,
            reason = "rounding to the kernels' precision is the purpose"
        )]
        let share = beta(alpha, source) as f32;
        if is_cutmix {
            Mix::Cutmix { share }
        } else {
            Mix::Mixup { share }
        }
    }

    /// An error if a number makes no sense.
    pub(crate) fn check(&self) -> Result<()> {
        let limits = [
            ("mix.mixup", self.mixup, MOST_ALPHA),
            ("mix.cutmix", self.cutmix, MOST_ALPHA),
            ("mix.probability", self.probability, 1.0),
        ];
        for (setting, value, most) in limits {
            if !(0.0..=most).contains(&value) {
                let expected = format!("a number from 0 to {most}");
                return Err(Error::setting(setting, expected, value));
            }
        }
        if self.probability > 0.0 && !self.is_on() {
            let expected = "0 without an alpha of mixup or cutmix";
            return Err(Error::setting(
                "mix.probability",
                expected,
                self.probability,
            ));
        }
        Ok(())
    }
}

/// A number drawn from Beta(alpha, alpha) by rejection (Jöhnk 1964): of two uniform powers `u^(1/alpha)` whose sum is at
/// most 1, the share of the first.
fn beta(alpha: f64, source: Philox) -> f64 {
    // An alpha of 4 accepts one pair in 70: so many blocks of two pairs fail once in 10^25 draws.
    for block in 1..2048 {
        let words = source.words(block).map(unit);
        for pair in words.chunks_exact(2) {
            let [x, y] = [pair[0], pair[1]].map(|u| libm::pow(u, alpha.recip()));
            if x + y <= 1.0 && x + y > 0.0 {
                return x / (x + y);
            }
        }
    }
    0.5
}

/// A word as a number in `(0, 1)`.
fn unit(word: u32) -> f64 {
    (f64::from(word) + 0.5) / 4_294_967_296.0
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The mean and the variance of many draws.
    fn moments(recipe: MixRecipe) -> (f64, f64) {
        let shares = (1..=4000).filter_map(|step| match recipe.draw(7, step) {
            Mix::Mixup { share } | Mix::Cutmix { share } => Some(f64::from(share)),
            _ => None,
        });
        let shares: Vec<f64> = shares.collect();
        let n = shares.len() as f64;
        let mean = shares.iter().sum::<f64>() / n;
        let squares = shares.iter().map(|share| (share - mean).powi(2));
        (mean, squares.sum::<f64>() / n)
    }

    #[test]
    fn shares_are_distributed_as_beta() {
        for alpha in [0.2, 1.0, 4.0] {
            let recipe = MixRecipe {
                mixup: alpha,
                cutmix: 0.0,
                probability: 1.0,
            };
            let (mean, variance) = moments(recipe);
            let expected = 1.0 / (4.0 * (2.0 * alpha + 1.0));
            // Five standard errors of 4000 draws at most.
            assert!((mean - 0.5).abs() < 0.035, "alpha {alpha}: mean {mean}");
            assert!(
                (variance / expected - 1.0).abs() < 0.12,
                "alpha {alpha}: variance {variance}, expected {expected}"
            );
        }
    }

    #[test]
    fn a_step_draws_the_same_again_and_mixes_as_often_as_it_should() {
        let recipe = MixRecipe {
            mixup: 0.4,
            cutmix: 1.0,
            probability: 0.5,
        };
        let draws: Vec<Mix> = (1..=2000).map(|step| recipe.draw(1, step)).collect();
        assert_eq!(draws[16], recipe.draw(1, 17), "the same step");
        let share = |is: fn(&Mix) -> bool| draws.iter().filter(|mix| is(mix)).count();
        let (mixup, cutmix) = (
            share(|mix| matches!(mix, Mix::Mixup { .. })),
            share(|mix| matches!(mix, Mix::Cutmix { .. })),
        );
        // A quarter each, within five standard deviations of a binomial.
        assert!((400..600).contains(&mixup), "{mixup} of 2000 by mixup");
        assert!((400..600).contains(&cutmix), "{cutmix} of 2000 by cutmix");
        assert_eq!(MixRecipe::default().draw(1, 1), Mix::None, "off");
    }
}
