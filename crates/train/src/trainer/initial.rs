//! The weights that a run begins with: random, from its images, or those of another.

use std::path::Path;

use data::DataSet;
use model::{Architecture, Network};
use tensor::Device;

use super::Trainer;
use crate::error::{Error, Result};
use crate::eval::evaluate::Weights;
use crate::recipe::Recipe;
use crate::trainer::callback::FineTuning;

/// The network with the weights that training begins with.
pub(super) fn initial_network(
    architecture: Architecture,
    recipe: &Recipe,
    data: &DataSet,
    device: &Device,
) -> Result<Network> {
    let preparation = recipe.preparation(data.train.size(), architecture.input())?;
    let mut network = Network::new(architecture, recipe.seed, device)?
        .with_class_names(data.class_names())?
        .with_preparation(preparation);
    if let Some(whitening) = &recipe.whitening {
        whitening.apply(&network, &data.train, recipe)?;
    }
    network.freeze(|name| recipe.optimizer.freezes(name));
    Ok(network)
}

impl Trainer {
    /// Takes the recipe's initial weights from where it says, unless the run has begun already or they were taken before:
    /// [`Trainer::run`] does it too. Parameters that the file does not have in the same shape stay random.
    ///
    /// # Errors
    /// If there are no weights, the file is damaged, or nothing in it suits the network.
    pub fn load_initial_weights(&mut self) -> Result<()> {
        let Some(from) = &self.recipe.from else {
            return Ok(());
        };
        if self.state.step > 0 || self.initial.is_some() {
            return Ok(());
        }
        let path = Weights::find(Path::new(from))?.path;
        let matching = self.optimizer.trained().load_matching(&path)?;
        // The averages, where there are any, begin with the same weights.
        self.network.load_matching(&path)?;
        if matching.loaded.is_empty() {
            let expected = format!("weights of {} or its like", self.network.architecture());
            let got = format!("{}, in which nothing suits it", files::shown(&path));
            return Err(Error::setting("from", expected, got));
        }
        self.initial = Some(FineTuning {
            path,
            loaded: matching.loaded,
            new: matching.missing,
            unused: matching.unused,
            head: matching.head,
        });
        Ok(())
    }
}
