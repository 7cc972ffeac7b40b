//! Groups of parameters that are trained otherwise than the rest.

use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};
use crate::globs::is_match;
use crate::recipe::OptimizerRecipe;

/// Parameters with a learning rate and a weight decay of their own, or that are trained for a time. A parameter is of the first
/// group that has its name.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GroupRecipe {
    /// The parameters, as patterns of their names: `bn*.bias`.
    pub parameters: Vec<String>,
    /// What the learning rate is multiplied by.
    #[serde(default = "one", skip_serializing_if = "is_one")]
    pub rate_factor: f64,
    /// Their weight decay, in place of the optimizer's and of its rules on what decays; that if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub weight_decay: Option<f64>,
    /// They are trained in the first so many epochs and stay as they are then; to the end if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub epochs: Option<u64>,
}

const fn one() -> f64 {
    1.0
}

#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "serde passes a reference"
)]
fn is_one(factor: &f64) -> bool {
    *factor == 1.0
}

impl GroupRecipe {
    /// These parameters, trained as all others are.
    ///
    /// ```
    /// let group = train::GroupRecipe { rate_factor: 0.1, ..train::GroupRecipe::of(&["conv*"]) };
    /// assert_eq!((group.parameters[0].as_str(), group.epochs), ("conv*", None));
    /// ```
    #[must_use]
    pub fn of(parameters: &[&str]) -> Self {
        Self {
            parameters: parameters.iter().map(|&name| name.to_owned()).collect(),
            rate_factor: one(),
            weight_decay: None,
            epochs: None,
        }
    }

    /// An error if a number makes no sense.
    pub(crate) fn check(&self) -> Result<()> {
        if self.parameters.is_empty() {
            let expected = "patterns of parameters' names";
            return Err(Error::setting("optimizer.groups", expected, "none"));
        }
        let numbers = [
            ("rate_factor", Some(self.rate_factor)),
            ("weight_decay", self.weight_decay),
        ];
        for (setting, value) in numbers {
            if let Some(value) = value
                && !(0.0..f64::INFINITY).contains(&value)
            {
                let expected = format!("a {setting} from 0");
                return Err(Error::setting("optimizer.groups", expected, value));
            }
        }
        Ok(())
    }
}

impl OptimizerRecipe {
    /// The group of a parameter, if it is of one.
    pub(crate) fn group_of(&self, name: &str) -> Option<&GroupRecipe> {
        let has = |group: &&GroupRecipe| group.parameters.iter().any(|own| is_match(own, name));
        self.groups.iter().find(has)
    }

    /// Whether a parameter is not trained any more after so many epochs.
    pub(crate) fn is_over(&self, name: &str, epochs: u64) -> bool {
        let limit = self.group_of(name).and_then(|group| group.epochs);
        limit.is_some_and(|limit| limit <= epochs)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_parameter_is_of_the_first_group_that_has_its_name() {
        let optimizer = OptimizerRecipe {
            groups: vec![
                GroupRecipe {
                    epochs: Some(3),
                    ..GroupRecipe::of(&["conv1.bias", "conv2.bias"])
                },
                GroupRecipe {
                    rate_factor: 64.0,
                    ..GroupRecipe::of(&["*.bias"])
                },
            ],
            ..OptimizerRecipe::sgd(1.0, 0.9)
        };
        let factor = |name: &str| optimizer.group_of(name).map(|group| group.rate_factor);
        assert_eq!(factor("conv1.bias"), Some(1.0));
        assert_eq!(factor("bn2.bias"), Some(64.0));
        assert_eq!(factor("bn2.weight"), None);
        let over = [2, 3, 4].map(|epochs| optimizer.is_over("conv2.bias", epochs));
        assert_eq!(over, [false, true, true]);
        assert!(!optimizer.is_over("bn2.bias", 1000), "to the end");
        for (wrong, part) in [
            (GroupRecipe::of(&[]), "patterns"),
            (
                GroupRecipe {
                    rate_factor: -1.0,
                    ..GroupRecipe::of(&["*"])
                },
                "rate_factor",
            ),
            (
                GroupRecipe {
                    weight_decay: Some(f64::NAN),
                    ..GroupRecipe::of(&["*"])
                },
                "weight_decay",
            ),
        ] {
            let message = wrong.check().unwrap_err().to_string();
            assert!(message.contains(part), "{message}");
        }
    }
}
