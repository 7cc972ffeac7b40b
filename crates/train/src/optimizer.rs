//! Optimizers: the update of every parameter from its gradient, and the state that goes with it.

use std::path::Path;

use model::{Network, TensorFile, tensor_file_bytes};
use tensor::update::{Adam, Sgd, StepBuffer, StepScalars, adam_step, sgd_step};
use tensor::{Gradients, Tensor};

use crate::error::Result;
use crate::recipe::{OptimizerKind, OptimizerRecipe};

/// An optimizer with its state, on the network's device.
#[derive(Debug)]
pub(crate) struct Optimizer {
    recipe: OptimizerRecipe,
    rule: Rule,
    slots: Vec<Slot>,
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
    /// With the names under which they are saved.
    state: Vec<(String, Tensor)>,
}

impl Optimizer {
    pub(crate) fn new(recipe: &OptimizerRecipe, network: &Network) -> Result<Self> {
        let rule = rule(recipe);
        let states: &[&str] = match &rule {
            Rule::Adam(_) => &["mean", "variance"],
            Rule::Sgd(sgd) if sgd.momentum > 0.0 => &["velocity"],
            Rule::Sgd(_) => &[],
        };
        let mut slots = Vec::new();
        let parameters = network.parameters().iter();
        for (name, parameter) in parameters.filter(|(_, tensor)| tensor.needs_gradient()) {
            let mut state = Vec::new();
            for kind in states {
                let zeros = vec![0.0_f32; parameter.shape().elements()];
                let shape = parameter.shape().clone();
                let tensor = Tensor::from_slice(network.device(), &zeros, shape)?;
                state.push((format!("{name}.{kind}"), tensor));
            }
            slots.push(Slot {
                parameter: parameter.clone(),
                state,
            });
        }
        Ok(Self {
            recipe: *recipe,
            rule,
            slots,
        })
    }

    /// What step number `step` (from 1) is given: the seed, the learning rate and what follows from the number.
    pub(crate) fn scalars(&self, seed: u64, step: u32, learning_rate: f64) -> StepScalars {
        #[expect(
            clippy::cast_possible_truncation,
            reason = "rounding to the kernels' precision is the purpose"
        )]
        let scalars = StepScalars::new(seed, step, learning_rate as f32);
        match self.rule {
            Rule::Adam(adam) => scalars.with_betas(adam.beta1, adam.beta2),
            Rule::Sgd(_) => scalars,
        }
    }

    /// Updates every parameter in place.
    pub(crate) fn update(&self, gradients: &Gradients, step: &StepBuffer) -> tensor::Result<()> {
        for Slot { parameter, state } in &self.slots {
            let Some(gradient) = gradients.get(parameter) else {
                continue;
            };
            match (&self.rule, state.as_slice()) {
                (Rule::Adam(adam), [(_, mean), (_, variance)]) => {
                    adam_step(adam, parameter, gradient, [mean, variance], step, None)?;
                }
                (Rule::Adam(_), _) => unreachable!("made with two states"),
                (Rule::Sgd(sgd), state) => {
                    let velocity = state.first().map(|(_, tensor)| tensor);
                    sgd_step(sgd, parameter, gradient, velocity, step, None)?;
                }
            }
        }
        Ok(())
    }

    fn state(&self) -> impl Iterator<Item = &(String, Tensor)> {
        self.slots.iter().flat_map(|slot| &slot.state)
    }

    /// The state as a safetensors file: `conv1.weight.mean` and so on.
    pub(crate) fn to_bytes(&self) -> Result<Vec<u8>> {
        let mut tensors = Vec::new();
        for (name, tensor) in self.state() {
            tensors.push((name.clone(), tensor.shape().to_vec(), tensor.to_vec()?));
        }
        let kind = format!("{:?}", self.recipe.kind).to_lowercase();
        Ok(tensor_file_bytes(tensors, ("optimizer", &kind))?)
    }

    /// Overwrites the state with that in a file.
    pub(crate) fn load(&self, path: &Path) -> Result<()> {
        let file = TensorFile::open(path)?;
        let shapes: Vec<_> = self
            .state()
            .map(|(name, tensor)| (name.clone(), tensor.shape().to_vec()))
            .collect();
        let values = file.read(&shapes)?;
        for ((_, tensor), data) in self.state().zip(values) {
            tensor.write(&data)?;
        }
        Ok(())
    }
}

#[expect(
    clippy::cast_possible_truncation,
    reason = "rounding to the kernels' precision is the purpose"
)]
fn rule(recipe: &OptimizerRecipe) -> Rule {
    match recipe.kind {
        OptimizerKind::Sgd => Rule::Sgd(Sgd {
            momentum: recipe.momentum as f32,
            dampening: 0.0,
            weight_decay: recipe.weight_decay as f32,
            is_nesterov: recipe.nesterov,
        }),
        OptimizerKind::Adam | OptimizerKind::AdamW => Rule::Adam(Adam {
            beta1: recipe.beta1,
            beta2: recipe.beta2,
            epsilon: recipe.epsilon as f32,
            weight_decay: recipe.weight_decay as f32,
            is_decoupled: recipe.kind == OptimizerKind::AdamW,
        }),
    }
}
