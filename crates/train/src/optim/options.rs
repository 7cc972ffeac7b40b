//! The rules of optimizers and what goes with them: constants, clipping, and which parameters decay.

use std::fmt;
use std::sync::Arc;

use tensor::update;

/// Stochastic gradient descent: `v = momentum v + g; w -= rate v`, or `w -= rate (g + momentum v)` by Nesterov's rule, with
/// `g` the gradient and `weight_decay w` (Sutskever et al. 2013, as PyTorch states it).
///
/// ```
/// use tensor::{Device, Tensor};
/// use train::optim::{Optimizer, Sgd};
///
/// let w = Tensor::from_slice(&Device::cpu(), &[1.0_f32], [1])?.into_parameter();
/// let mut optimizer = Optimizer::new(&[("w".to_owned(), w.clone())], Sgd { momentum: 0.9, ..Sgd::default() })?;
/// // The gradient of w^2 is 2 w.
/// for _ in 0..2 {
///     optimizer.step(&w.square_sum()?.backward()?, 0.1)?;
/// }
/// assert!((w.to_vec::<f32>()?[0] - 0.46).abs() < 1e-5);
/// # Ok::<(), tensor::Error>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Sgd {
    /// Momentum.
    pub momentum: f64,
    /// Whether to use Nesterov momentum.
    pub nesterov: bool,
    /// How much of the weight the gradient gets.
    pub weight_decay: f64,
}

/// Adam (Kingma and Ba 2015, algorithm 1), whose weight decay is added to the gradient.
///
/// ```
/// use tensor::{Device, Tensor};
/// use train::optim::{Adam, Optimizer};
///
/// let w = Tensor::from_slice(&Device::cpu(), &[1.0_f32], [1])?.into_parameter();
/// let mut optimizer = Optimizer::new(&[("w".to_owned(), w.clone())], Adam::default())?;
/// // The gradient of w^2 is 2 w.
/// optimizer.step(&w.square_sum()?.backward()?, 0.1)?;
/// assert!((w.to_vec::<f32>()?[0] - 0.9).abs() < 1e-5);
/// # Ok::<(), tensor::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Adam {
    /// Decay rate of the first moment.
    pub beta1: f64,
    /// Decay rate of the second moment.
    pub beta2: f64,
    /// What is added to the root of the variance.
    pub epsilon: f64,
    /// How much of the weight the gradient gets.
    pub weight_decay: f64,
}

/// Adam with decoupled weight decay: `w -= rate weight_decay w` beside the step (Loshchilov and Hutter 2019, algorithm 2).
///
/// ```
/// use tensor::{Device, Tensor};
/// use train::optim::{AdamW, Optimizer};
///
/// let w = Tensor::from_slice(&Device::cpu(), &[1.0_f32], [1])?.into_parameter();
/// let mut optimizer = Optimizer::new(&[("w".to_owned(), w.clone())], AdamW::default())?;
/// // The gradient of w^2 is 2 w.
/// optimizer.step(&w.square_sum()?.backward()?, 0.1)?;
/// assert!((w.to_vec::<f32>()?[0] - 0.899).abs() < 1e-5);
/// # Ok::<(), tensor::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct AdamW(
    /// The constants.
    pub Adam,
);

impl Default for Adam {
    fn default() -> Self {
        Self {
            beta1: 0.9,
            beta2: 0.999,
            epsilon: 1e-8,
            weight_decay: 0.0,
        }
    }
}

impl Default for AdamW {
    /// PyTorch's: a weight decay of a hundredth.
    fn default() -> Self {
        Self(Adam {
            weight_decay: 0.01,
            ..Adam::default()
        })
    }
}

/// Which rule moves the parameters, and which of them how.
///
/// ```
/// use train::optim::{AdamW, Options};
///
/// // Biases don't decay.
/// let options = Options::from(AdamW::default()).clip_norm(1.0).decaying(|name| name.ends_with(".weight"));
/// ```
#[derive(Clone)]
pub struct Options {
    pub(super) rule: Rule,
    pub(super) clip_norm: Option<f32>,
    decays: Arc<dyn Fn(&str) -> bool + Send + Sync>,
    groups: Arc<dyn Fn(&str) -> Group + Send + Sync>,
    pub(super) accumulates: bool,
    pub(super) scales_loss: bool,
    pub(super) is_epsilon_outside: bool,
}

/// How a parameter is trained otherwise than the rest: see [`Options::grouped`].
///
/// ```
/// use train::optim::Group;
///
/// assert_eq!((Group::default().rate_factor, Group::default().weight_decay), (1.0, None));
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Group {
    /// What the learning rate is multiplied by.
    pub rate_factor: f64,
    /// A weight decay in place of the rule's, whatever decays otherwise.
    pub weight_decay: Option<f64>,
}

impl Default for Group {
    /// As all are trained.
    fn default() -> Self {
        Self {
            rate_factor: 1.0,
            weight_decay: None,
        }
    }
}

/// A rule with its constants as the kernels take them.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Rule {
    Sgd(update::Sgd),
    Adam(update::Adam),
}

impl From<Sgd> for Options {
    fn from(sgd: Sgd) -> Self {
        Self::new(Rule::Sgd(update::Sgd {
            momentum: single(sgd.momentum),
            dampening: 0.0,
            weight_decay: single(sgd.weight_decay),
            is_nesterov: sgd.nesterov,
            ..update::Sgd::default()
        }))
    }
}

impl From<Adam> for Options {
    fn from(adam: Adam) -> Self {
        Self::new(Rule::Adam(update::Adam {
            beta1: adam.beta1,
            beta2: adam.beta2,
            epsilon: single(adam.epsilon),
            weight_decay: single(adam.weight_decay),
            is_decoupled: false,
            ..update::Adam::default()
        }))
    }
}

impl From<AdamW> for Options {
    fn from(AdamW(adam): AdamW) -> Self {
        let mut options = Self::from(adam);
        if let Rule::Adam(adam) = &mut options.rule {
            adam.is_decoupled = true;
        }
        options
    }
}

impl Options {
    fn new(rule: Rule) -> Self {
        Self {
            rule,
            clip_norm: None,
            decays: Arc::new(|_| true),
            groups: Arc::new(|_| Group::default()),
            accumulates: false,
            scales_loss: false,
            is_epsilon_outside: false,
        }
    }

    /// Adam without decoupled decay: adds epsilon to the root of the variance before its bias correction, as TensorFlow and
    /// Keras do (the "epsilon hat" of Kingma and Ba 2015, end of section 2).
    ///
    /// With `m` and `v` the moments, `c = sqrt(1 - beta2^t)` and `d = 1 - beta1^t`, the step is
    /// `rate (m / d) / (sqrt(v) / c + epsilon)`, and with this `rate (c / d) m / (sqrt(v) + epsilon)`: as if epsilon were
    /// `epsilon / c`. In step 1 with a beta2 of .999 that is 31.6 times as much, and the same after some thousands.
    #[must_use]
    pub fn epsilon_outside(mut self, is_outside: bool) -> Self {
        self.is_epsilon_outside = is_outside;
        self
    }

    /// Scales all gradients down where, as one vector, they are longer than this.
    #[must_use]
    pub fn clip_norm(mut self, longest: f64) -> Self {
        self.clip_norm = Some(single(longest));
        self
    }

    /// Lets weight decay shrink those parameters alone whose names `decays` tells.
    #[must_use]
    pub fn decaying(mut self, decays: impl Fn(&str) -> bool + Send + Sync + 'static) -> Self {
        self.decays = Arc::new(decays);
        self
    }

    /// Trains each parameter as the group says that `groups` tells by its name.
    #[must_use]
    pub fn grouped(mut self, groups: impl Fn(&str) -> Group + Send + Sync + 'static) -> Self {
        self.groups = Arc::new(groups);
        self
    }

    /// With room for the sums of several batches' gradients.
    #[must_use]
    pub(crate) fn accumulating(mut self, accumulates: bool) -> Self {
        self.accumulates = accumulates;
        self
    }

    /// With a scale of the loss, for mixed precision.
    #[must_use]
    pub(crate) fn scaling_loss(mut self, scales_loss: bool) -> Self {
        self.scales_loss = scales_loss;
        self
    }
}

impl fmt::Debug for Options {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Options")
            .field("rule", &self.rule)
            .field("clip_norm", &self.clip_norm)
            .finish_non_exhaustive()
    }
}

impl Rule {
    /// The rule for the parameter `name`, which weight decay may leave alone.
    pub(super) fn of(self, name: &str, options: &Options) -> Self {
        let decays = (options.decays)(name);
        let group = (options.groups)(name);
        let rate_factor = single(group.rate_factor);
        let kept = |coefficient| match group.weight_decay {
            Some(own) => single(own),
            None if decays => coefficient,
            None => 0.0,
        };
        match self {
            Self::Sgd(sgd) => Self::Sgd(update::Sgd {
                weight_decay: kept(sgd.weight_decay),
                rate_factor,
                ..sgd
            }),
            Self::Adam(adam) => Self::Adam(update::Adam {
                weight_decay: kept(adam.weight_decay),
                rate_factor,
                ..adam
            }),
        }
    }
}

#[expect(
    clippy::cast_possible_truncation,
    reason = "rounding to the kernels' precision is the purpose"
)]
pub(crate) fn single(value: f64) -> f32 {
    value as f32
}
