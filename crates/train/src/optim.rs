//! Optimizers over any list of named parameters: SGD, Adam and `AdamW`, with clipping and weight decay by name.
//!
//! ```
//! use tensor::{Device, Tensor};
//! use train::optim::{Adam, Optimizer};
//!
//! // The minimum of the mean of (w - 3)^2 / 2, whose gradient is (w - 3) / n.
//! let device = Device::cpu();
//! let w = Tensor::from_slice(&device, &[0.0_f32, 1.0], [2])?.into_variable();
//! let target = Tensor::from_slice(&device, &[-3.0_f32, -3.0], [2])?;
//! let parameters = [("w".to_owned(), w.clone())];
//! let mut optimizer = Optimizer::new(&parameters, Adam::default())?;
//! for _ in 0..300 {
//!     let loss = w.add(&target)?.square_sum()?;
//!     optimizer.step(&loss.backward()?, 0.1)?;
//! }
//! assert!(w.to_vec::<f32>()?.iter().all(|w| (w - 3.0).abs() < 0.01));
//! # Ok::<(), tensor::Error>(())
//! ```

use std::fmt;
use std::sync::Arc;

use tensor::ops::elementwise::full;
use tensor::update::{
    LossScale, Norm, StepBuffer, StepScalars, adam_step, clip_grad_norm, sgd_step,
};
use tensor::{Error, Gradients, Result, Shape, Tensor, update};

/// Stochastic gradient descent: `v = momentum v + g; w -= rate v`, or `w -= rate (g + momentum v)` by Nesterov's rule, with
/// `g` the gradient and `weight_decay w` (Sutskever et al. 2013, as PyTorch states it).
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Sgd {
    /// The share of the last velocity that is kept.
    pub momentum: f64,
    /// Whether to look ahead along the velocity.
    pub nesterov: bool,
    /// How much of the weight the gradient gets.
    pub weight_decay: f64,
}

/// Adam (Kingma and Ba 2015, algorithm 1), whose weight decay is added to the gradient.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Adam {
    /// Decay of the gradient's mean.
    pub beta1: f64,
    /// Decay of the squared gradient's mean.
    pub beta2: f64,
    /// What is added to the root of the variance.
    pub epsilon: f64,
    /// How much of the weight the gradient gets.
    pub weight_decay: f64,
}

/// Adam with decoupled weight decay: `w -= rate weight_decay w` beside the step (Loshchilov and Hutter 2019, algorithm 2).
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
#[derive(Clone)]
pub struct Options {
    rule: Rule,
    clip_norm: Option<f32>,
    decays: Arc<dyn Fn(&str) -> bool + Send + Sync>,
    accumulates: bool,
    scales_loss: bool,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Rule {
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
            accumulates: false,
            scales_loss: false,
        }
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

/// An optimizer with its state, on the parameters' device.
#[derive(Debug)]
pub struct Optimizer {
    options: Options,
    slots: Vec<Slot>,
    loss_scale: Option<LossScale>,
    /// What [`Optimizer::step`] counts, and gives its kernels.
    steps: u32,
    buffer: StepBuffer,
}

/// A parameter and what the optimizer remembers of it.
#[derive(Debug)]
struct Slot {
    parameter: Tensor,
    rule: Rule,
    /// The sum of a step's gradients so far, where a step takes several batches. Zero between steps.
    sum: Option<Tensor>,
    /// With the names under which they are saved.
    state: Vec<(String, Tensor)>,
}

/// What an optimizer goes on from: the steps it has made, and its tensors by name, such as `conv1.weight.velocity`.
#[derive(Clone, Debug, PartialEq)]
pub struct State {
    /// Steps so far.
    pub steps: u32,
    /// Names, shapes and elements.
    pub tensors: Vec<(String, Vec<usize>, Vec<f32>)>,
}

impl Optimizer {
    /// An optimizer of those of these parameters that are variables.
    ///
    /// # Errors
    /// If none is one, or the device has no room.
    pub fn new(parameters: &[(String, Tensor)], options: impl Into<Options>) -> Result<Self> {
        let options = options.into();
        let states: &[&str] = match &options.rule {
            Rule::Adam(_) => &["mean", "variance"],
            Rule::Sgd(sgd) if sgd.momentum > 0.0 => &["velocity"],
            Rule::Sgd(_) => &[],
        };
        let trained = parameters.iter().filter(|(_, it)| it.needs_gradient());
        let mut slots = Vec::new();
        for (name, parameter) in trained {
            let zeros = || full(parameter.device(), parameter.shape().clone(), 0.0);
            let mut state = Vec::new();
            for kind in states {
                state.push((format!("{name}.{kind}"), zeros()?));
            }
            slots.push(Slot {
                parameter: parameter.clone(),
                rule: options.rule.of(name, &options),
                sum: options.accumulates.then(zeros).transpose()?,
                state,
            });
        }
        let Some(first) = slots.first() else {
            let none = Shape::from([0]);
            return Err(Error::shape(
                "optimizer",
                "parameters",
                "a variable at least",
                &none,
            ));
        };
        let device = first.parameter.device();
        let loss_scale = options.scales_loss.then(|| LossScale::new(device));
        Ok(Self {
            loss_scale: loss_scale.transpose()?,
            buffer: StepBuffer::new(device, &StepScalars::new(0, 1, 0.0))?,
            steps: 0,
            options,
            slots,
        })
    }

    /// Updates every parameter that has a gradient, in place.
    ///
    /// # Errors
    /// If a step is being captured, or the device fails.
    pub fn step(&mut self, gradients: &Gradients, learning_rate: f64) -> Result<()> {
        self.steps = self.steps.saturating_add(1);
        self.buffer
            .write(&self.scalars(0, self.steps, learning_rate))?;
        self.update(gradients, &self.buffer)
    }

    /// Steps so far, by [`Optimizer::step`].
    #[must_use]
    pub fn steps(&self) -> u32 {
        self.steps
    }

    /// What it takes to go on elsewhere.
    ///
    /// # Errors
    /// If the device fails.
    pub fn state(&self) -> Result<State> {
        let tensors = self.saved().into_iter().map(|(name, tensor)| {
            let elements = tensor.to_vec()?;
            Ok((name.to_owned(), tensor.shape().to_vec(), elements))
        });
        Ok(State {
            steps: self.steps,
            tensors: tensors.collect::<Result<_>>()?,
        })
    }

    /// Goes on from a state of an optimizer of the same kind on the same parameters.
    ///
    /// # Errors
    /// If its tensors have other names or shapes; if the device fails.
    pub fn load_state(&mut self, state: &State) -> Result<()> {
        let own = self.saved();
        let names = |own: &[(&str, &Tensor)]| {
            format!("{:?}", own.iter().map(|it| it.0).collect::<Vec<_>>())
        };
        let is_same = own.len() == state.tensors.len()
            && own
                .iter()
                .zip(&state.tensors)
                .all(|((name, tensor), (other, shape, elements))| {
                    name == other
                        && **tensor.shape() == shape[..]
                        && elements.len() == tensor.shape().elements()
                });
        if !is_same {
            let found = Shape::from([state.tensors.len()]);
            return Err(Error::shape("optimizer", "state", names(&own), &found));
        }
        for ((_, tensor), (_, _, elements)) in own.iter().zip(&state.tensors) {
            tensor.write(elements)?;
        }
        self.steps = state.steps;
        Ok(())
    }

    /// What step number `step` (from 1) is given: the seed, the learning rate and what follows from the number.
    pub(crate) fn scalars(&self, seed: u64, step: u32, learning_rate: f64) -> StepScalars {
        let scalars = StepScalars::new(seed, step, single(learning_rate));
        match self.options.rule {
            Rule::Adam(adam) => scalars.with_betas(adam.beta1, adam.beta2),
            Rule::Sgd(_) => scalars,
        }
    }

    /// What the loss is multiplied by before backward, in mixed precision.
    pub(crate) fn loss_scale(&self) -> Option<&LossScale> {
        self.loss_scale.as_ref()
    }

    /// Adds a batch's gradients to those of the step so far.
    pub(crate) fn accumulate(&self, gradients: &Gradients) -> Result<()> {
        for slot in &self.slots {
            if let (Some(sum), Some(gradient)) = (&slot.sum, gradients.get(&slot.parameter)) {
                sum.add_scaled(1.0, gradient)?;
            }
        }
        Ok(())
    }

    /// Updates every parameter in place by what was accumulated, which becomes zero again.
    pub(crate) fn update_by_sums(&self, step: &StepBuffer) -> Result<()> {
        let sums = || {
            self.slots
                .iter()
                .filter_map(|slot| Some((slot, slot.sum.as_ref()?)))
        };
        self.update_by(&sums().collect::<Vec<_>>(), step)?;
        sums().try_for_each(|(_, sum)| sum.fill(0.0))
    }

    /// Updates every parameter in place by its gradient.
    pub(crate) fn update(&self, gradients: &Gradients, step: &StepBuffer) -> Result<()> {
        let slots = self.slots.iter();
        let found = slots.filter_map(|slot| Some((slot, gradients.get(&slot.parameter)?)));
        self.update_by(&found.collect::<Vec<_>>(), step)
    }

    fn update_by(&self, slots: &[(&Slot, &Tensor)], step: &StepBuffer) -> Result<()> {
        let scale = self.scale_of(slots)?;
        let mut slots = slots.iter();
        slots.try_for_each(|(slot, gradient)| slot.update(gradient, step, scale.as_ref()))
    }

    /// What the gradients are multiplied by: for clipping, and where the loss was scaled.
    fn scale_of(&self, slots: &[(&Slot, &Tensor)]) -> Result<Option<Tensor>> {
        if self.options.clip_norm.is_none() && self.loss_scale.is_none() {
            return Ok(None);
        }
        let max_norm = self.options.clip_norm.unwrap_or(f32::INFINITY);
        let gradients: Vec<_> = slots.iter().map(|(_, gradient)| *gradient).collect();
        let clip = clip_grad_norm(&gradients, max_norm, Norm::Two)?;
        let Some(state) = &self.loss_scale else {
            return Ok(Some(clip.factor));
        };
        state.update(&clip.total, max_norm)?;
        Ok(Some(state.factor.clone()))
    }

    /// The tensors of the state, by name: the parameters' first, in their order, then the loss's scale.
    pub(crate) fn saved(&self) -> Vec<(&str, &Tensor)> {
        let state = self.slots.iter().flat_map(|slot| &slot.state);
        state
            .map(|(name, tensor)| (name.as_str(), tensor))
            .chain(self.saved_scale())
            .collect()
    }

    /// What is saved of the loss's scale.
    fn saved_scale(&self) -> impl Iterator<Item = (&str, &Tensor)> {
        let scale = self.loss_scale.iter();
        scale.flat_map(|state| {
            [
                ("loss_scale", &state.scale),
                ("loss_scale.streak", &state.streak),
            ]
        })
    }
}

impl Rule {
    /// The rule for the parameter `name`, which weight decay may leave alone.
    fn of(self, name: &str, options: &Options) -> Self {
        let decays = (options.decays)(name);
        let kept = |coefficient| if decays { coefficient } else { 0.0 };
        match self {
            Self::Sgd(sgd) => Self::Sgd(update::Sgd {
                weight_decay: kept(sgd.weight_decay),
                ..sgd
            }),
            Self::Adam(adam) => Self::Adam(update::Adam {
                weight_decay: kept(adam.weight_decay),
                ..adam
            }),
        }
    }
}

impl Slot {
    fn update(&self, gradient: &Tensor, step: &StepBuffer, scale: Option<&Tensor>) -> Result<()> {
        match (&self.rule, self.state.as_slice()) {
            (Rule::Adam(adam), [(_, mean), (_, variance)]) => {
                let moments = [mean, variance];
                adam_step(adam, &self.parameter, gradient, moments, step, scale)
            }
            (Rule::Adam(_), _) => unreachable!("made with two states"),
            (Rule::Sgd(sgd), state) => {
                let velocity = state.first().map(|(_, tensor)| tensor);
                sgd_step(sgd, &self.parameter, gradient, velocity, step, scale)
            }
        }
    }
}

#[expect(
    clippy::cast_possible_truncation,
    reason = "rounding to the kernels' precision is the purpose"
)]
fn single(value: f64) -> f32 {
    value as f32
}
