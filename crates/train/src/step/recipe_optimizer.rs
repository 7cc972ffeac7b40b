//! A recipe's optimizer on a network in training, with the EMA of the weights, and the file of both.

use std::path::Path;

use model::{Network, TensorFile, tensor_file_bytes};
use tensor::update::{StepBuffer, StepScalars, average_step, ema_step};
use tensor::{Gradients, Tensor};

use crate::error::{Error, Result};
use crate::optim::{Adam, AdamW, Group, Optimizer, Options, Sgd};
use crate::recipe::{EmaRecipe, OptimizerKind, OptimizerRecipe, Recipe};

/// The optimizer of a run, with the network that it updates.
#[derive(Debug)]
pub(crate) struct RecipeOptimizer {
    kind: OptimizerKind,
    optimizer: Optimizer,
    network: Network,
    ema: Option<Ema>,
    /// Steps of the whole run: a growing decay follows them.
    steps: u64,
}

/// A network that follows the one in training. Its running statistics are averages of the other's: those go with
/// averaged weights.
#[derive(Debug)]
struct Ema {
    recipe: EmaRecipe,
    network: Network,
}

impl RecipeOptimizer {
    /// An optimizer of the parameters of `network` that require a gradient.
    pub(crate) fn new(recipe: &Recipe, network: &Network) -> Result<Self> {
        let all = network.parameters();
        let names = all.iter().map(|(name, _)| name.as_str());
        recipe.optimizer.check_names(names)?;
        if !all.iter().any(|(_, tensor)| tensor.requires_grad()) {
            let expected = "patterns that leave a parameter to train";
            let got = recipe.optimizer.freeze.join(", ");
            return Err(Error::setting("freeze", expected, got));
        }
        let mut trained = all.iter().filter(|(_, tensor)| tensor.requires_grad());
        if trained.all(|(name, _)| recipe.optimizer.is_over(name, u64::MAX)) {
            let expected = "a parameter that is trained to the end";
            return Err(Error::setting("optimizer.groups", expected, "none"));
        }
        let options = options(&recipe.optimizer, network)
            .accumulating(recipe.optimizer.accumulate > 1)
            .scaling_loss(!recipe.precision.is_single());
        let ema = |recipe: EmaRecipe| -> Result<Ema> {
            Ok(Ema {
                recipe,
                network: network.duplicate()?,
            })
        };
        Ok(Self {
            kind: recipe.optimizer.kind,
            optimizer: Optimizer::new(all, options)?,
            network: network.clone(),
            ema: recipe.ema.map(ema).transpose()?,
            steps: u64::MAX,
        })
    }

    /// The optimizer of a run of so many steps.
    pub(crate) fn with_steps(mut self, steps: u64) -> Self {
        self.steps = steps;
        self
    }

    /// Ends the training of the parameters whose names `is_over` tells; returns whether there are any that were trained.
    pub(crate) fn end(&mut self, is_over: impl Fn(&str) -> bool) -> bool {
        let mut trained = self.network.parameters().iter();
        let has_new = trained.any(|(name, tensor)| tensor.requires_grad() && is_over(name));
        if has_new {
            self.network.freeze(&is_over);
            self.optimizer.end(is_over);
        }
        has_new
    }

    /// The network to evaluate: the EMA if enabled.
    pub(crate) fn model(&self) -> &Network {
        match &self.ema {
            Some(ema) => &ema.network,
            None => &self.network,
        }
    }

    /// The loss scale, in mixed precision.
    pub(crate) fn loss_scale(&self) -> Option<&Tensor> {
        self.optimizer.loss_scale().map(|state| &state.scale)
    }

    /// The inverse of the last step's loss scale, in mixed precision.
    pub(crate) fn unscale(&self) -> Option<&Tensor> {
        self.optimizer.loss_scale().map(|state| &state.inverse)
    }

    /// See [`Optimizer::penalty`].
    pub(crate) fn penalty(&self) -> Result<Option<f64>> {
        Ok(self.optimizer.penalty()?)
    }

    /// The network whose weights are updated.
    pub(crate) fn trained(&self) -> &Network {
        &self.network
    }

    /// See [`Optimizer::scalars`]; with the share of the average.
    pub(crate) fn scalars(&self, seed: u64, step: u32, learning_rate: f64) -> StepScalars {
        let scalars = self.optimizer.scalars(seed, step, learning_rate);
        let ema = self.ema.as_ref().map(|ema| ema.recipe);
        match ema.filter(EmaRecipe::is_scheduled) {
            Some(ema) => StepScalars {
                average_share: ema.share(step.into(), self.steps),
                ..scalars
            },
            None => scalars,
        }
    }

    /// Adds a batch's gradients to those of the step so far.
    pub(crate) fn accumulate(&self, gradients: &Gradients) -> tensor::Result<()> {
        self.optimizer.accumulate(gradients)
    }

    /// Updates every parameter in place by what was accumulated, which becomes zero again.
    pub(crate) fn update_by_sums(&self, step: &StepBuffer) -> tensor::Result<()> {
        self.optimizer.update_by_sums(step)?;
        self.follow(step)
    }

    /// Updates every parameter in place by its gradient.
    pub(crate) fn update(&self, gradients: &Gradients, step: &StepBuffer) -> tensor::Result<()> {
        self.optimizer.update(gradients, step)?;
        self.follow(step)
    }

    /// Moves the EMA towards the weights.
    fn follow(&self, step: &StepBuffer) -> tensor::Result<()> {
        let Some(ema) = &self.ema else {
            return Ok(());
        };
        let emas = ema.network.parameters().iter();
        let mut pairs = self.network.parameters().iter().zip(emas);
        pairs.try_for_each(|((_, parameter), (_, averaged))| {
            if ema.recipe.is_scheduled() {
                average_step(parameter, averaged, step, ema.recipe.write_back)
            } else {
                ema_step(ema.recipe.decay, parameter, averaged, step)
            }
        })
    }

    /// What resuming needs besides the model: the optimizer's state, and the weights in training where the model is their
    /// average.
    fn saved(&self) -> Vec<(&str, &Tensor)> {
        let weights = self.ema.iter().flat_map(|_| self.network.parameters());
        let weights = weights.map(|(name, tensor)| (name.as_str(), tensor));
        self.optimizer.saved().into_iter().chain(weights).collect()
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
        Ok(tensor_file_bytes(tensors, "optimizer", &kind)?)
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

/// The options of a recipe, for a network's parameters.
fn options(recipe: &OptimizerRecipe, network: &Network) -> Options {
    let adam = Adam {
        beta1: recipe.beta1,
        beta2: recipe.beta2,
        epsilon: recipe.epsilon,
        weight_decay: recipe.weight_decay,
    };
    let mut options = match recipe.kind {
        OptimizerKind::Sgd => Options::from(Sgd {
            momentum: recipe.momentum,
            nesterov: recipe.nesterov,
            weight_decay: recipe.weight_decay,
        }),
        OptimizerKind::Adam => Options::from(adam).epsilon_outside(recipe.epsilon_outside),
        OptimizerKind::AdamW => Options::from(AdamW(adam)),
    };
    if let Some(longest) = recipe.clip_norm {
        options = options.clip_norm(longest);
    }
    let groups = recipe.clone();
    let options = options.grouped(move |name| {
        let group = groups.group_of(name);
        group.map_or_else(Group::default, |group| Group {
            rate_factor: group.rate_factor,
            weight_decay: group.weight_decay,
        })
    });
    let (recipe, architecture) = (recipe.clone(), network.architecture().clone());
    options.decaying(move |name| {
        let of_layer = |layer: &&model::Layer| name.split('.').next() == Some(layer.name());
        let layer = architecture.layers().find(of_layer);
        layer.is_some_and(|layer| recipe.decays(name, layer))
    })
}
