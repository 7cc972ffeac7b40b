//! Optimizers over any list of named parameters: SGD, Adam and `AdamW`, with clipping and weight decay by name.
//!
//! ```
//! use tensor::{Device, Tensor};
//! use train::optim::{Adam, Optimizer};
//!
//! // The minimum of the sum of (w - 3)^2.
//! let device = Device::cpu();
//! let w = Tensor::from_slice(&device, &[0.0_f32, 1.0], [2])?.into_parameter();
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

mod options;

use tensor::ops::elementwise::full;
use tensor::update::{
    LossScale, Norm, StepBuffer, StepScalars, adam_step, clip_grad_norm, sgd_step,
};
use tensor::{Error, Gradients, Result, Shape, Tensor};

use options::Rule;
pub(crate) use options::single;
pub use options::{Adam, AdamW, Group, Options, Sgd};

/// An optimizer and its state, on the parameters' device.
#[derive(Debug)]
pub struct Optimizer {
    options: Options,
    slots: Vec<Slot>,
    loss_scale: Option<LossScale>,
    /// What [`Optimizer::step`] counts, and gives its kernels.
    steps: u32,
    buffer: StepBuffer,
}

/// A parameter and the optimizer's state for it.
#[derive(Debug)]
struct Slot {
    name: String,
    parameter: Tensor,
    rule: Rule,
    /// The sum of a step's gradients so far, where a step takes several batches. Zero between steps.
    sum: Option<Tensor>,
    /// With the names under which they are saved.
    state: Vec<(String, Tensor)>,
    /// Whether it is not trained any more.
    is_over: bool,
}

/// An optimizer's state: the number of steps, and its tensors by name, such as `conv1.weight.velocity`.
#[derive(Clone, Debug, PartialEq)]
pub struct State {
    /// Steps so far.
    pub steps: u32,
    /// Names, shapes and elements.
    pub tensors: Vec<(String, Vec<usize>, Vec<f32>)>,
}

impl Optimizer {
    /// An optimizer of those of these parameters that require a gradient.
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
        let trained = parameters.iter().filter(|(_, it)| it.requires_grad());
        let mut slots = Vec::new();
        for (name, parameter) in trained {
            let zeros = || full(parameter.device(), parameter.shape().clone(), 0.0);
            let mut state = Vec::new();
            for kind in states {
                state.push((format!("{name}.{kind}"), zeros()?));
            }
            slots.push(Slot {
                name: name.clone(),
                parameter: parameter.clone(),
                rule: options.rule.of(name, &options),
                sum: options.accumulates.then(zeros).transpose()?,
                state,
                is_over: false,
            });
        }
        let Some(first) = slots.first() else {
            let none = Shape::from([0]);
            return Err(Error::shape(
                "optimizer",
                "parameters",
                "at least one parameter that requires a gradient",
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

    /// The optimizer's state, to be saved.
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

    /// Restores the state of an optimizer of the same kind on the same parameters.
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
            Rule::Adam(adam) if self.options.is_epsilon_outside => {
                // The kernel divides the root by its correction before it adds epsilon. With a correction of one it adds
                // epsilon to the root itself, and the rate takes the correction over.
                let correction = (1.0 - libm::pow(adam.beta2, f64::from(step))).sqrt();
                StepScalars {
                    learning_rate: single(learning_rate * correction),
                    correction2: 1.0,
                    ..scalars.with_betas(adam.beta1, adam.beta2)
                }
            }
            Rule::Adam(adam) => scalars.with_betas(adam.beta1, adam.beta2),
            Rule::Sgd(_) => scalars,
        }
    }

    /// The l2 penalty whose gradient weight decay adds to that of the loss: the sum of `weight_decay / 2 w^2` over what
    /// decays. None where nothing does, or decay is decoupled and so no part of a loss.
    pub(crate) fn penalty(&self) -> Result<Option<f64>> {
        let mut sum = None;
        for slot in &self.slots {
            let decay = match slot.rule {
                Rule::Sgd(sgd) => sgd.weight_decay,
                Rule::Adam(adam) if !adam.is_decoupled => adam.weight_decay,
                Rule::Adam(_) => 0.0,
            };
            if decay > 0.0 {
                let weights = slot.parameter.to_vec::<f32>()?;
                let squares = weights.iter().map(|&w| f64::from(w) * f64::from(w));
                let own = f64::from(decay) / 2.0 * squares.sum::<f64>();
                sum = Some(sum.unwrap_or(0.0) + own);
            }
        }
        Ok(sum)
    }

    /// The loss scale, in mixed precision.
    pub(crate) fn loss_scale(&self) -> Option<&LossScale> {
        self.loss_scale.as_ref()
    }

    /// Leaves the parameters whose names `is_over` tells as they are from now on.
    pub(crate) fn end(&mut self, is_over: impl Fn(&str) -> bool) {
        for slot in &mut self.slots {
            slot.is_over |= is_over(&slot.name);
        }
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
            let slots = self.slots.iter().filter(|slot| !slot.is_over);
            slots.filter_map(|slot| Some((slot, slot.sum.as_ref()?)))
        };
        self.update_by(&sums().collect::<Vec<_>>(), step)?;
        sums().try_for_each(|(_, sum)| sum.fill(0.0))
    }

    /// Updates every parameter in place by its gradient.
    pub(crate) fn update(&self, gradients: &Gradients, step: &StepBuffer) -> Result<()> {
        let slots = self.slots.iter().filter(|slot| !slot.is_over);
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
