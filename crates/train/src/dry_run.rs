//! What training launches, without training: a step and a forward pass are captured and thrown away. On a dry device
//! ([`Device::dry`](tensor::Device)) that takes neither the card nor memory nor time.

use model::{Mode, Network};
use tensor::pixels::Augment;
use tensor::{Profile, no_grad};

use crate::error::Result;
use crate::recipe::Recipe;
use crate::step::TrainStep;
use crate::step::input::Input;
use crate::step::recipe_optimizer::RecipeOptimizer;

/// A network and its optimizer, of which steps are captured.
#[derive(Debug)]
pub struct DryRun<'a> {
    network: &'a Network,
    recipe: &'a Recipe,
    optimizer: RecipeOptimizer,
}

impl<'a> DryRun<'a> {
    /// A run of `network` by `recipe`.
    ///
    /// # Errors
    /// If the network's device has no room, or the recipe does not fit.
    pub fn new(network: &'a Network, recipe: &'a Recipe) -> Result<Self> {
        Ok(Self {
            network,
            recipe,
            optimizer: RecipeOptimizer::new(recipe, network)?,
        })
    }

    /// Captures a training step and a forward pass on batches of `n` images.
    ///
    /// ```
    /// use model::{Architecture, Network};
    /// use tensor::{AdapterKind, CardSpec, Device};
    ///
    /// let device = Device::dry(CardSpec::new("Apple M1", 0x106b, AdapterKind::Integrated));
    /// let architecture = Architecture::new("alexnet-small", Some(10), None)?;
    /// let network = Network::new(architecture, 1, &device)?;
    /// let recipe = train::Recipe::named("shapes10")?;
    /// train::DryRun::new(&network, &recipe)?.capture(128)?;
    /// assert!(device.compiled().iter().any(|variant| variant.entry == "conv2d_forward"));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// If the device has no room, or fails.
    pub fn capture(&self, n: usize) -> Result<()> {
        self.train_step(n)?;
        self.forward_pass(n)
    }

    /// What a training step and a forward pass on batches of `n` images are predicted to take on the card that a dry device stands for.
    ///
    /// ```
    /// use model::{Architecture, Network};
    /// use tensor::{AdapterKind, CardSpec, Device};
    ///
    /// let device = Device::dry(CardSpec::new("NVIDIA H100 80GB HBM3", 0x10de, AdapterKind::Discrete));
    /// let network = Network::new(Architecture::new("alexnet-small", Some(10), None)?, 1, &device)?;
    /// let recipe = train::Recipe::named("shapes10")?;
    /// let [step, forward] = train::DryRun::new(&network, &recipe)?.predict(128)?;
    /// assert!(step.seconds() > forward.seconds() && step.seconds() < 0.01);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// If the device has no room, or fails.
    pub fn predict(&self, n: usize) -> Result<[Profile; 2]> {
        let device = self.network.device();
        device.start_profile();
        self.train_step(n)?;
        let step = device.finish_profile().map_err(tensor::Error::from)?;
        device.start_profile();
        self.forward_pass(n)?;
        Ok([step, device.finish_profile().map_err(tensor::Error::from)?])
    }

    fn train_step(&self, n: usize) -> Result<()> {
        let (network, recipe) = (self.network, self.recipe);
        let input = Input::new(network.device(), n, network.architecture().input())?;
        let step = TrainStep::capture(network, &self.optimizer, recipe, input, None)?;
        drop(step);
        Ok(())
    }

    fn forward_pass(&self, n: usize) -> Result<()> {
        let (network, recipe) = (self.network, self.recipe);
        let device = network.device();
        let shape = network.architecture().input();
        let [height, width, channels] = shape;
        let input = Input::new(device, n, shape)?;
        let (mean, std) = (vec![0.5; channels], vec![0.25; channels]);
        let view = Augment::plain([height, width], [height, width], mean, std);
        let forward = || {
            let images = || input.images(&view)?.cast(recipe.precision.dtype());
            no_grad(|| network.forward(&images()?, Mode::Eval))
        };
        drop(device.capture(forward)?);
        Ok(())
    }
}
