//! Trials: short runs in memory that prove something and leave nothing.

use data::DataSet;

use crate::error::Result;
use crate::recipe::{CheckpointsRecipe, CropKind, EvaluationRecipe, MixRecipe, Recipe};
use crate::run::rows::Summary;
use crate::schedule::{ScheduleKind, ScheduleRecipe};

/// Batches of each split in a fast run.
const FAST_BATCHES: usize = 3;
/// A loss that counts as near zero: the right class then has nine tenths of the probability.
const NEAR_ZERO: f64 = 0.105;
/// The share of a one-batch run in which the rate rises: some initial weights can't bear the full rate at once.
const WARMUP_SHARE: u64 = 10;

impl Recipe {
    /// The recipe cut down to one epoch of a few batches of each split: every part of a run is passed through, in seconds.
    ///
    /// ```
    /// let recipe = train::Recipe::named("shapes10")?.for_fast_run();
    /// assert_eq!((recipe.epochs, recipe.limit), (1, Some(3 * 32)));
    /// # Ok::<(), train::Error>(())
    /// ```
    #[must_use]
    pub fn for_fast_run(mut self) -> Self {
        let images = FAST_BATCHES * self.batch_size;
        self.limit = Some(self.limit.map_or(images, |limit| limit.min(images)));
        (self.epochs, self.early_stopping) = (1, None);
        self.checkpoints = CheckpointsRecipe::default();
        self
    }

    /// The recipe and the data for training on one batch over and over, for so many steps, with nothing that is random
    /// from step to step but dropout. The batch is the validation split too: its loss says how well it is learnt.
    ///
    /// # Errors
    /// If the data set has no image.
    pub fn for_one_batch(mut self, data: &DataSet, steps: u64) -> Result<(Self, DataSet)> {
        let train = data.train.limit(self.batch_size)?;
        (self.limit, self.batch_size, self.epochs) = (None, train.len(), steps);
        self.schedule = ScheduleRecipe {
            kind: ScheduleKind::Constant,
            warmup_steps: usize::try_from(steps / WARMUP_SHARE).unwrap_or(0),
            ..ScheduleRecipe::default()
        };
        (self.early_stopping, self.ema) = (None, None);
        self.checkpoints = CheckpointsRecipe::default();
        self.optimizer.accumulate = 1;
        self.label_smoothing = 0.0;
        let images = &mut self.images;
        images.crop = CropKind::Centre;
        (images.pad, images.flip, images.erase) = (0, false, None);
        images.alternate_flip = false;
        (images.brightness, images.contrast, images.colour_shift) = (0.0, 0.0, 0.0);
        self.mix = MixRecipe::default();
        self.evaluation = EvaluationRecipe::default();
        let data = DataSet {
            validation: Some(train.clone()),
            train,
            test: None,
            ..data.clone()
        };
        Ok((self, data))
    }
}

/// Whether a run of [`Recipe::for_one_batch`] has overfit its batch: the loss, with dropout off, is near zero.
///
/// ```
/// use model::{Architecture, layers::{Dense, Flatten}};
/// use train::{Outcome, Recipe, Trainer, has_learnt_batch};
///
/// let data = data::Shapes10::default().with_sizes(64, 8, 8).generate()?;
/// let recipe = Recipe::named("shapes10")?.with_settings(&["batch_size=8"])?;
/// let (recipe, data) = recipe.for_one_batch(&data, 200)?;
/// let layers = vec![Flatten::new().into(), Dense::new(10).into()];
/// let architecture = Architecture::from_layers("linear", [32, 32, 3], layers)?;
/// let mut trainer = Trainer::with_network(recipe, architecture, data, &tensor::Device::cpu())?;
/// if let Outcome::Finished(summary) = trainer.run(&false.into(), &mut |_: train::Event<'_>| {})? {
///     assert!(has_learnt_batch(&summary), "a loss of {:?}", summary.val_loss);
/// }
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[must_use]
pub fn has_learnt_batch(summary: &Summary) -> bool {
    summary.val_loss.is_some_and(|loss| loss < NEAR_ZERO)
}
