//! How the weights are updated, and which.

use model::Layer;
use model::layers::BatchNorm;
use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};
use crate::globs::is_match;
use crate::recipe::GroupRecipe;

/// The optimizer and its numbers.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "switches of a recipe, each under a key of its own"
)]
pub struct OptimizerRecipe {
    /// Which one.
    pub kind: OptimizerKind,
    /// The learning rate.
    pub learning_rate: f64,
    /// The coefficient of weight decay: what the gradient gets is this times the weight. (Keras' `l2(x)` adds `x w^2` to
    /// the loss: its coefficient here is `2 x`.)
    #[serde(default)]
    pub weight_decay: f64,
    /// Whether weight decay shrinks the biases of convolutions and dense layers too.
    #[serde(default = "yes")]
    pub decay_biases: bool,
    /// Whether weight decay shrinks the scales and shifts of normalisations too.
    #[serde(default = "yes")]
    pub decay_norms: bool,
    /// The parameters that weight decay shrinks, as patterns of their names (`conv2.weight`, `conv*.weight`), in place of
    /// the two rules before; none for all.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub decay_only: Vec<String>,
    /// The parameters that training leaves as they are, as patterns of their names: `conv*` for all convolutions. Running
    /// statistics of batch normalisation go on.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub freeze: Vec<String>,
    /// Gradient clipping: the largest global norm.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub clip_norm: Option<f64>,
    /// Gradient accumulation: batches in a step, whose gradients are averaged. What is left over at the end of an epoch makes
    /// a smaller step.
    #[serde(default = "one")]
    pub accumulate: usize,
    /// SGD: momentum.
    #[serde(default)]
    pub momentum: f64,
    /// SGD: whether to use Nesterov momentum.
    #[serde(default)]
    pub nesterov: bool,
    /// Adam: decay rate of the first moment.
    #[serde(default = "default_beta1")]
    pub beta1: f64,
    /// Adam: decay rate of the second moment.
    #[serde(default = "default_beta2")]
    pub beta2: f64,
    /// Adam: what is added to the root of the variance.
    #[serde(default = "default_epsilon")]
    pub epsilon: f64,
    /// Adam: whether epsilon is added to the root before the bias correction, as TensorFlow and Keras do. See
    /// [`crate::optim::Options::epsilon_outside`].
    #[serde(default, skip_serializing_if = "is_false")]
    pub epsilon_outside: bool,
    /// Parameters that are trained otherwise than the rest.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub groups: Vec<GroupRecipe>,
}

/// Which optimizer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum OptimizerKind {
    /// Stochastic gradient descent.
    Sgd,
    /// Adam, with weight decay added to the gradient.
    Adam,
    /// Adam with decoupled weight decay.
    AdamW,
}

#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "serde passes a reference"
)]
const fn is_false(value: &bool) -> bool {
    !*value
}

const fn yes() -> bool {
    true
}

const fn one() -> usize {
    1
}

const fn default_beta1() -> f64 {
    0.9
}

const fn default_beta2() -> f64 {
    0.999
}

const fn default_epsilon() -> f64 {
    1e-8
}

impl OptimizerRecipe {
    /// Stochastic gradient descent with this learning rate and momentum.
    ///
    /// ```
    /// let sgd = train::OptimizerRecipe::sgd(0.01, 0.9);
    /// assert_eq!((sgd.learning_rate, sgd.kind), (0.01, train::OptimizerKind::Sgd));
    /// ```
    #[must_use]
    pub fn sgd(learning_rate: f64, momentum: f64) -> Self {
        Self {
            momentum,
            ..Self::of(OptimizerKind::Sgd, learning_rate)
        }
    }

    /// Adam with its usual numbers.
    ///
    /// ```
    /// let adam = train::OptimizerRecipe::adam(1e-3);
    /// assert_eq!((adam.learning_rate, adam.kind), (1e-3, train::OptimizerKind::Adam));
    /// ```
    #[must_use]
    pub fn adam(learning_rate: f64) -> Self {
        Self::of(OptimizerKind::Adam, learning_rate)
    }

    /// `AdamW` with its usual numbers.
    ///
    /// ```
    /// let adamw = train::OptimizerRecipe::adamw(1e-3, 0.05);
    /// assert_eq!((adamw.weight_decay, adamw.kind), (0.05, train::OptimizerKind::AdamW));
    /// ```
    #[must_use]
    pub fn adamw(learning_rate: f64, weight_decay: f64) -> Self {
        Self {
            weight_decay,
            ..Self::of(OptimizerKind::AdamW, learning_rate)
        }
    }

    fn of(kind: OptimizerKind, learning_rate: f64) -> Self {
        Self {
            kind,
            learning_rate,
            weight_decay: 0.0,
            decay_biases: yes(),
            decay_norms: yes(),
            decay_only: Vec::new(),
            freeze: Vec::new(),
            clip_norm: None,
            accumulate: one(),
            momentum: 0.0,
            nesterov: false,
            beta1: default_beta1(),
            beta2: default_beta2(),
            epsilon: default_epsilon(),
            epsilon_outside: false,
            groups: Vec::new(),
        }
    }

    /// Whether weight decay shrinks a parameter, by its name and its layer.
    pub(crate) fn decays(&self, name: &str, layer: &Layer) -> bool {
        if !self.decay_only.is_empty() {
            return self.decay_only.iter().any(|only| is_match(only, name));
        }
        if layer.is::<BatchNorm>() {
            self.decay_norms
        } else {
            self.decay_biases || !name.ends_with(".bias")
        }
    }

    /// Whether training leaves a parameter as it is.
    pub(crate) fn freezes(&self, name: &str) -> bool {
        self.freeze.iter().any(|frozen| is_match(frozen, name))
    }

    /// An error if a pattern means none of a network's parameters: it is misspelt.
    pub(crate) fn check_names<'a>(
        &self,
        names: impl Iterator<Item = &'a str> + Clone,
    ) -> Result<()> {
        let own = [("decay_only", &self.decay_only), ("freeze", &self.freeze)];
        let groups = self.groups.iter();
        let groups = groups.map(|group| ("optimizer.groups", &group.parameters));
        for (setting, patterns) in own.into_iter().chain(groups) {
            for pattern in patterns {
                if !names.clone().any(|name| is_match(pattern, name)) {
                    let some: Vec<_> = names.clone().take(3).collect();
                    let expected = format!("the name of a parameter, such as {}", some.join(", "));
                    return Err(Error::setting(setting, expected, pattern));
                }
            }
        }
        Ok(())
    }

    /// An error if a number makes no sense.
    pub(crate) fn check(&self) -> Result<()> {
        let rates = [
            ("learning_rate", self.learning_rate, f64::INFINITY),
            ("weight_decay", self.weight_decay, f64::INFINITY),
            ("momentum", self.momentum, 1.0),
            ("beta1", self.beta1, 1.0),
            ("beta2", self.beta2, 1.0),
            ("epsilon", self.epsilon, f64::INFINITY),
        ];
        for (setting, value, below) in rates {
            if !(0.0..below).contains(&value) {
                let expected = format!("a number from 0 to below {below}");
                return Err(Error::setting(setting, expected, value));
            }
        }
        if let Some(norm) = self.clip_norm
            && !(norm > 0.0 && norm.is_finite())
        {
            return Err(Error::setting("clip_norm", "a positive number", norm));
        }
        if self.epsilon_outside && self.kind != OptimizerKind::Adam {
            let expected = "false unless kind is adam";
            return Err(Error::setting("epsilon_outside", expected, true));
        }
        if self.accumulate == 0 {
            return Err(Error::setting("accumulate", "at least 1", 0));
        }
        self.groups.iter().try_for_each(GroupRecipe::check)
    }
}
