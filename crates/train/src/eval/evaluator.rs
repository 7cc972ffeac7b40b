//! Evaluation: a captured forward pass over a split, scored on the host.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, Ordering};

use data::{Images, Loader, LoaderOptions};
use model::{Mode, Network};
use tensor::ops::elementwise::full;
use tensor::update::scale_gradient;
use tensor::{DType, PendingRead, Recording, Tensor, no_grad};

use crate::error::{Error, Result};
use crate::eval::score::{Score, Tally};
use crate::recipe::{Recipe, Tta};
use crate::step::input::Input;

/// Batches that may be under way on the device before the first is waited for.
const AHEAD: usize = 2;

/// A network's forward pass over one split, captured once.
#[derive(Debug)]
pub struct Evaluator {
    loader: Loader,
    input: Input,
    /// From a batch to the network's input and, if there is one view alone, to the logits.
    views: Vec<Recording>,
    /// From each view of several to the weighted sum of their probabilities.
    forward: Option<Recording>,
    /// The logits of one view, or the sum of probabilities of several.
    output: Tensor,
    /// What the weights of all views add up to.
    weights: f32,
    classes: usize,
}

impl Evaluator {
    /// Captures the forward pass of `network`, whose weights may change afterwards, over batches of `images` in these
    /// views.
    ///
    /// ```
    /// use model::{Architecture, Network, layers::{Dense, Flatten}};
    /// use train::{Evaluator, Recipe, Tta};
    ///
    /// let layers = vec![Flatten::new().into(), Dense::new(10).into()];
    /// let architecture = Architecture::from_layers("linear", [32, 32, 3], layers)?;
    /// let network = Network::new(architecture, 1, &tensor::Device::cpu())?;
    /// let images = data::Shapes10::default().with_sizes(20, 1, 1).generate()?.train;
    /// let recipe = Recipe::named("shapes10")?;
    /// let score = Evaluator::new(&network, images, &recipe, Tta::None)?.run(&mut |_, _| {})?;
    /// assert_eq!(score.images, 20);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// If the images do not suit the network or the views, or the device has no room.
    pub fn new(network: &Network, images: Images, recipe: &Recipe, tta: Tta) -> Result<Self> {
        Self::capture(network, images, recipe, tta, false)
    }

    /// The same for images that are looked at again and again, by their plain view: they stay on the device, if the recipe
    /// keeps them there.
    pub(crate) fn for_epochs(network: &Network, images: Images, recipe: &Recipe) -> Result<Self> {
        let resident = recipe.runtime.resident;
        let is_resident = resident.keeps(&images, network.device())?;
        Self::capture(network, images, recipe, Tta::None, is_resident)
    }

    fn capture(
        network: &Network,
        images: Images,
        recipe: &Recipe,
        tta: Tta,
        is_resident: bool,
    ) -> Result<Self> {
        let n = recipe.evaluation_batch_size.min(images.len());
        let device = network.device();
        let [_, _, taken] = network.architecture().input();
        if taken != images.channels().count() {
            let expected = format!("{taken}, as the network takes");
            let got = images.channels().count();
            return Err(Error::setting("images.channels", expected, got));
        }
        let input = Input::of(device, n, &images, is_resident)?;
        let architecture = network.architecture();
        let ([height, width, channels], classes) = (architecture.input(), architecture.classes());
        let resize = recipe.evaluation.resize;
        let specs = input.for_evaluation(&recipe.images, resize, tta, [height, width])?;
        let options = LoaderOptions {
            threads: recipe.runtime.loader_threads,
            pixels: !is_resident,
            ..LoaderOptions::evaluation(n)
        };
        let loader = Loader::new(images, options)?;
        if let [view] = specs.as_slice() {
            let forward = || no_grad(|| network.forward(&input.images(&view.spec)?, Mode::Eval));
            let (output, recording) = device.capture(forward)?;
            return Ok(Self {
                loader,
                input,
                views: vec![recording],
                forward: None,
                output,
                weights: 1.0,
                classes,
            });
        }
        let weights = specs.iter().map(|view| view.weight).sum();
        let weight = full(device, [1], 1.0)?;
        let x = Tensor::empty(device, [n, height, width, channels], DType::F32)?;
        let output = Tensor::empty(device, [n, classes], DType::F32)?;
        let mut views = Vec::new();
        for (idx, view) in specs.iter().enumerate() {
            let ((), recording) = device.capture(|| {
                if idx == 0 {
                    output.fill(0.0)?;
                }
                weight.fill(view.weight)?;
                input.images_into(&view.spec, &x)
            })?;
            views.push(recording);
        }
        let ((), forward) = device.capture(|| {
            no_grad(|| {
                let probabilities = network.forward(&x, Mode::Eval)?.softmax()?;
                scale_gradient(&probabilities, &weight)?;
                output.add_scaled(1.0, &probabilities)
            })
        })?;
        Ok(Self {
            loader,
            input,
            views,
            forward: Some(forward),
            output,
            weights,
            classes,
        })
    }

    /// Bytes of the images that stay on the device.
    pub(crate) fn resident_bytes(&self) -> u64 {
        self.input.resident_bytes()
    }

    /// Scores the whole split; `progress` is called with batches done and in all.
    ///
    /// # Errors
    /// If an image can't be read, or the device fails.
    pub fn run(&mut self, progress: &mut dyn FnMut(usize, usize)) -> Result<Score> {
        match self.run_until(&AtomicBool::new(false), progress)? {
            Some(score) => Ok(score),
            None => unreachable!("nobody asks it to stop"),
        }
    }

    /// As [`Evaluator::run`]; nothing if `stop` is set before the last batch.
    ///
    /// # Errors
    /// As [`Evaluator::run`].
    pub fn run_until(
        &mut self,
        stop: &AtomicBool,
        progress: &mut dyn FnMut(usize, usize),
    ) -> Result<Option<Score>> {
        let device = self.output.device().clone();
        let (n_views, weights) = (self.views.len(), self.weights);
        let mut tally = Tally::new(self.classes);
        let mut under_way: VecDeque<(Vec<u32>, PendingRead)> = VecDeque::new();
        let mut finish = |(labels, read): (Vec<u32>, PendingRead)| -> Result<()> {
            let mut output: Vec<f32> = read.wait(&device).map_err(tensor::Error::from)?;
            if n_views > 1 {
                output
                    .iter_mut()
                    .for_each(|sum| *sum = log_mean(*sum, weights));
            }
            tally.add(&output, &labels);
            Ok(())
        };
        let n_batches = self.loader.n_batches();
        progress(0, n_batches);
        for done in 1..=n_batches {
            if stop.load(Ordering::Relaxed) {
                // The next run begins with the first batch.
                self.loader.seek(0, 0)?;
                return Ok(None);
            }
            let batch = self.loader.next_batch()?;
            self.input.write(batch)?;
            let labels = batch.labels.clone();
            for view in &self.views {
                for recording in [Some(view), self.forward.as_ref()].into_iter().flatten() {
                    recording.replay(&device).map_err(tensor::Error::from)?;
                }
            }
            let read = device
                .read_later(self.output.buffer())
                .map_err(tensor::Error::from)?;
            under_way.push_back((labels, read));
            if under_way.len() > AHEAD
                && let Some(first) = under_way.pop_front()
            {
                finish(first)?;
            }
            progress(done, n_batches);
        }
        under_way.into_iter().try_for_each(&mut finish)?;
        Ok(Some(tally.score()))
    }
}

/// The logarithm of a mean probability from the weighted sum over the views: a logit whose softmax is that mean.
fn log_mean(sum: f32, weights: f32) -> f32 {
    let mean = sum / weights;
    // A probability that rounded to 0 still has a logarithm. `max` would make a number of a NaN.
    if mean < f32::MIN_POSITIVE {
        libm::logf(f32::MIN_POSITIVE)
    } else {
        libm::logf(mean)
    }
}
