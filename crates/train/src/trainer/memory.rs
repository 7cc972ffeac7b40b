//! How much memory a run will take, told before its first step.

use data::DataSet;
use model::Network;
use tensor::Device;

use crate::error::Result;
use crate::eval::evaluator::Evaluator;
use crate::recipe::Recipe;
use crate::run::environment::resident_bytes;
use crate::step::recipe_optimizer::RecipeOptimizer;

/// The most memory that a run will hold at any time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Memory {
    /// On the device.
    pub device_bytes: u64,
    /// Resident in this process, where the system tells: on the CPU device and on a software rasteriser this includes what
    /// the device holds. Images that a data set keeps as they are decoded come on top.
    pub host_bytes: Option<u64>,
}

/// What a run will take beyond what it holds before its first step.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Ahead {
    /// On the device, for the test at the end.
    test_bytes: u64,
    /// On the host, while a checkpoint is written.
    checkpoint_bytes: u64,
}

impl Ahead {
    /// Captures the test as it will be at the end, to see what it takes, and lets go of it.
    pub(crate) fn measure(
        network: &Network,
        optimizer: &RecipeOptimizer,
        data: &DataSet,
        recipe: &Recipe,
    ) -> Result<Self> {
        let device = network.device();
        let (before, _) = device.memory();
        let test = data.test.clone();
        let test =
            test.map(|images| Evaluator::new(network, images, recipe, recipe.evaluation.tta));
        let test = test.transpose()?;
        let test_bytes = device.memory().0 - before;
        drop(test);
        let parameters = network.parameters().iter();
        let words: usize = parameters
            .map(|(_, tensor)| tensor.shape().elements())
            .sum();
        let model_bytes = 4 * words as u64;
        Ok(Self {
            test_bytes,
            // The model's values as they were read back, and the file made from them; then that file, the optimizer's
            // values, and the file made from those.
            checkpoint_bytes: model_bytes + model_bytes.max(2 * optimizer.saved_bytes()),
        })
    }

    /// The most that a run on `device` will hold, with or without checkpoints; it has sent the images that stay there.
    pub(crate) fn memory(&self, device: &Device, saves: bool, images_bytes: u64) -> Memory {
        let device_bytes = device.memory().0 + self.test_bytes;
        let test_bytes = if device.is_cpu() { self.test_bytes } else { 0 };
        let checkpoint_bytes = if saves { self.checkpoint_bytes } else { 0 };
        // A driver in software touches the pages of its buffers as kernels do; the CPU device has them from the start.
        let to_come = if device.is_software() {
            device_bytes.saturating_sub(images_bytes)
        } else {
            0
        };
        let ahead = to_come + test_bytes.max(checkpoint_bytes);
        Memory {
            device_bytes,
            host_bytes: resident_bytes().map(|bytes| bytes + ahead),
        }
    }
}
