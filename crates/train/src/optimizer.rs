//! Optimizers: the update of every parameter from its gradient, and the state that goes with it, the moving average of the
//! weights included.

use std::path::Path;

use model::{Network, TensorFile, tensor_file_bytes};
use tensor::ops::elementwise::full;
use tensor::update::{
    Adam, LossScale, Norm, Sgd, StepBuffer, StepScalars, adam_step, average_step, clip_grad_norm,
    sgd_step,
};
use tensor::{Gradients, Tensor};

use crate::error::{Error, Result};
use crate::recipe::{OptimizerKind, OptimizerRecipe, Recipe};

/// An optimizer with its state, on the network's device.
#[derive(Debug)]
pub(crate) struct Optimizer {
    kind: OptimizerKind,
    rule: Rule,
    clip_norm: Option<f32>,
    /// In mixed precision.
    loss_scale: Option<LossScale>,
    slots: Vec<Slot>,
    network: Network,
    average: Option<Average>,
}

#[derive(Debug)]
enum Rule {
    Sgd(Sgd),
    Adam(Adam),
}

/// A parameter and what the optimizer remembers of it.
#[derive(Debug)]
struct Slot {
    parameter: Tensor,
    /// Whether weight decay shrinks it.
    decays: bool,
    /// The sum of a step's gradients so far, where a step takes several batches. Zero between steps.
    sum: Option<Tensor>,
    /// With the names under which they are saved.
    state: Vec<(String, Tensor)>,
}

/// A network that follows the one in training. Its running statistics are averages of the other's: those go with
/// averaged weights.
#[derive(Debug)]
struct Average {
    decay: f64,
    network: Network,
}

impl Optimizer {
    /// An optimizer of the parameters of `network` that are variables.
    pub(crate) fn new(recipe: &Recipe, network: &Network) -> Result<Self> {
        let rule = rule(&recipe.optimizer);
        let states: &[&str] = match &rule {
            Rule::Adam(_) => &["mean", "variance"],
            Rule::Sgd(sgd) if sgd.momentum > 0.0 => &["velocity"],
            Rule::Sgd(_) => &[],
        };
        let all = network.parameters();
        let names = all.iter().map(|(name, _)| name.as_str());
        recipe.optimizer.check_names(names)?;
        let mut slots = Vec::new();
        for (name, parameter) in all.iter().filter(|(_, tensor)| tensor.needs_gradient()) {
            let zeros = || full(network.device(), parameter.shape().clone(), 0.0);
            let mut state = Vec::new();
            for kind in states {
                state.push((format!("{name}.{kind}"), zeros()?));
            }
            slots.push(Slot {
                parameter: parameter.clone(),
                decays: decays(&recipe.optimizer, network, name),
                sum: (recipe.optimizer.accumulate > 1).then(zeros).transpose()?,
                state,
            });
        }
        if slots.is_empty() {
            let expected = "patterns that leave a parameter to train";
            let got = recipe.optimizer.freeze.join(", ");
            return Err(Error::setting("freeze", expected, got));
        }
        let loss_scale = (!recipe.precision.is_single()).then(|| LossScale::new(network.device()));
        let average = |recipe: crate::AverageRecipe| -> Result<Average> {
            Ok(Average {
                decay: recipe.decay,
                network: network.duplicate()?,
            })
        };
        Ok(Self {
            kind: recipe.optimizer.kind,
            rule,
            clip_norm: recipe.optimizer.clip_norm.map(single),
            loss_scale: loss_scale.transpose()?,
            slots,
            network: network.clone(),
            average: recipe.average.map(average).transpose()?,
        })
    }

    /// The network that is meant to be used: the average, where there is one.
    pub(crate) fn model(&self) -> &Network {
        match &self.average {
            Some(average) => &average.network,
            None => &self.network,
        }
    }

    /// What the loss is multiplied by before backward, in mixed precision.
    pub(crate) fn loss_scale(&self) -> Option<&Tensor> {
        self.loss_scale.as_ref().map(|state| &state.scale)
    }

    /// What the last step's gradients are to be multiplied by to be those of the loss, where that was scaled.
    pub(crate) fn unscale(&self) -> Option<&Tensor> {
        self.loss_scale.as_ref().map(|state| &state.inverse)
    }

    /// The network whose weights are updated.
    pub(crate) fn trained(&self) -> &Network {
        &self.network
    }

    /// What step number `step` (from 1) is given: the seed, the learning rate and what follows from the number.
    pub(crate) fn scalars(&self, seed: u64, step: u32, learning_rate: f64) -> StepScalars {
        let scalars = StepScalars::new(seed, step, single(learning_rate));
        match self.rule {
            Rule::Adam(adam) => scalars.with_betas(adam.beta1, adam.beta2),
            Rule::Sgd(_) => scalars,
        }
    }

    /// Adds a batch's gradients to those of the step so far.
    pub(crate) fn accumulate(&self, gradients: &Gradients) -> tensor::Result<()> {
        for slot in &self.slots {
            if let (Some(sum), Some(gradient)) = (&slot.sum, gradients.get(&slot.parameter)) {
                sum.add_scaled(1.0, gradient)?;
            }
        }
        Ok(())
    }

    /// Updates every parameter in place by what was accumulated, which becomes zero again.
    pub(crate) fn update_by_sums(&self, step: &StepBuffer) -> tensor::Result<()> {
        let sums = || {
            self.slots
                .iter()
                .filter_map(|slot| Some((slot, slot.sum.as_ref()?)))
        };
        self.update_by(sums().collect(), step)?;
        sums().try_for_each(|(_, sum)| sum.fill(0.0))
    }

    /// Updates every parameter in place by its gradient.
    pub(crate) fn update(&self, gradients: &Gradients, step: &StepBuffer) -> tensor::Result<()> {
        let slots = self.slots.iter();
        let found = slots.filter_map(|slot| Some((slot, gradients.get(&slot.parameter)?)));
        self.update_by(found.collect(), step)
    }

    fn update_by(&self, slots: Vec<(&Slot, &Tensor)>, step: &StepBuffer) -> tensor::Result<()> {
        let scale = self.scale_of(&slots)?;
        for (slot, gradient) in slots {
            slot.update(&self.rule, gradient, step, scale.as_ref())?;
        }
        if let Some(average) = &self.average {
            let pairs = self
                .network
                .parameters()
                .iter()
                .zip(average.network.parameters());
            for ((_, parameter), (_, averaged)) in pairs {
                average_step(average.decay, parameter, averaged, step)?;
            }
        }
        Ok(())
    }

    /// What the gradients are multiplied by: for clipping, and where the loss was scaled.
    fn scale_of(&self, slots: &[(&Slot, &Tensor)]) -> tensor::Result<Option<Tensor>> {
        if self.clip_norm.is_none() && self.loss_scale.is_none() {
            return Ok(None);
        }
        let max_norm = self.clip_norm.unwrap_or(f32::INFINITY);
        let gradients: Vec<_> = slots.iter().map(|(_, gradient)| *gradient).collect();
        let clip = clip_grad_norm(&gradients, max_norm, Norm::Two)?;
        let Some(state) = &self.loss_scale else {
            return Ok(Some(clip.factor));
        };
        state.update(&clip.total, max_norm)?;
        Ok(Some(state.factor.clone()))
    }

    /// What a run goes on from beside the model: the state, the loss's scale, and the weights in training where the model is
    /// their average.
    fn saved(&self) -> Vec<(&str, &Tensor)> {
        let state = self.slots.iter().flat_map(|slot| &slot.state);
        let weights = self.average.iter().flat_map(|_| self.network.parameters());
        let named = state.chain(weights);
        let scale = self.loss_scale.iter().flat_map(|state| {
            [
                ("loss_scale", &state.scale),
                ("loss_scale.streak", &state.streak),
            ]
        });
        named
            .map(|(name, tensor)| (name.as_str(), tensor))
            .chain(scale)
            .collect()
    }

    /// The bytes of what is saved.
    pub(crate) fn saved_bytes(&self) -> u64 {
        let words = self.saved().into_iter();
        4 * words
            .map(|(_, tensor)| tensor.shape().elements() as u64)
            .sum::<u64>()
    }

    /// The optimizer's file, in safetensors: `conv1.weight.mean` and so on, and `conv1.weight` where the model is an
    /// average.
    pub(crate) fn to_bytes(&self) -> Result<Vec<u8>> {
        let mut tensors = Vec::new();
        for (name, tensor) in self.saved() {
            tensors.push((name.to_owned(), tensor.shape().to_vec(), tensor.to_vec()?));
        }
        let kind = format!("{:?}", self.kind).to_lowercase();
        Ok(tensor_file_bytes(tensors, ("optimizer", &kind))?)
    }

    /// Overwrites the state with that in a file.
    pub(crate) fn load(&self, path: &Path) -> Result<()> {
        let file = TensorFile::open(path)?;
        let saved = self.saved();
        let shapes: Vec<_> = saved
            .iter()
            .map(|(name, tensor)| ((*name).to_owned(), tensor.shape().to_vec()))
            .collect();
        let values = file.read(&shapes)?;
        for ((_, tensor), data) in saved.into_iter().zip(values) {
            tensor.write(&data)?;
        }
        Ok(())
    }
}

impl Slot {
    fn update(
        &self,
        rule: &Rule,
        gradient: &Tensor,
        step: &StepBuffer,
        scale: Option<&Tensor>,
    ) -> tensor::Result<()> {
        let decay = |coefficient| if self.decays { coefficient } else { 0.0 };
        match (rule, self.state.as_slice()) {
            (Rule::Adam(adam), [(_, mean), (_, variance)]) => {
                let adam = Adam {
                    weight_decay: decay(adam.weight_decay),
                    ..*adam
                };
                let moments = [mean, variance];
                adam_step(&adam, &self.parameter, gradient, moments, step, scale)
            }
            (Rule::Adam(_), _) => unreachable!("made with two states"),
            (Rule::Sgd(sgd), state) => {
                let sgd = Sgd {
                    weight_decay: decay(sgd.weight_decay),
                    ..*sgd
                };
                let velocity = state.first().map(|(_, tensor)| tensor);
                sgd_step(&sgd, &self.parameter, gradient, velocity, step, scale)
            }
        }
    }
}

/// Whether weight decay shrinks the parameter `name` of a network.
fn decays(recipe: &OptimizerRecipe, network: &Network, name: &str) -> bool {
    let of_layer = |layer: &&model::Layer| name.split('.').next() == Some(layer.name());
    let layer = network.architecture().layers().find(of_layer);
    layer.is_some_and(|layer| recipe.decays(name, layer))
}

#[expect(
    clippy::cast_possible_truncation,
    reason = "rounding to the kernels' precision is the purpose"
)]
fn single(value: f64) -> f32 {
    value as f32
}

fn rule(recipe: &OptimizerRecipe) -> Rule {
    match recipe.kind {
        OptimizerKind::Sgd => Rule::Sgd(Sgd {
            momentum: single(recipe.momentum),
            dampening: 0.0,
            weight_decay: single(recipe.weight_decay),
            is_nesterov: recipe.nesterov,
        }),
        OptimizerKind::Adam | OptimizerKind::AdamW => Rule::Adam(Adam {
            beta1: recipe.beta1,
            beta2: recipe.beta2,
            epsilon: single(recipe.epsilon),
            weight_decay: single(recipe.weight_decay),
            is_decoupled: recipe.kind == OptimizerKind::AdamW,
        }),
    }
}
