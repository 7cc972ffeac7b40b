//! Evaluation: a captured forward pass over a split, scored on the host.

use std::collections::VecDeque;

use data::{Images, Loader, LoaderOptions};
use model::{Mode, Network};
use tensor::{PendingRead, Recording, Tensor, no_grad};

use crate::error::Result;
use crate::input::Input;
use crate::recipe::Recipe;
use crate::score::{Score, Tally};

/// Batches that may be under way on the device before the first is waited for.
const AHEAD: usize = 2;

/// A network's forward pass over one split, captured once.
#[derive(Debug)]
pub struct Evaluator {
    loader: Loader,
    input: Input,
    logits: Tensor,
    recording: Recording,
    classes: usize,
}

impl Evaluator {
    /// Captures the forward pass of `network`, whose weights may change afterwards, over batches of `images`.
    ///
    /// # Errors
    /// If the images do not suit the network, or the device has no room.
    pub fn new(network: &Network, images: Images, recipe: &Recipe) -> Result<Self> {
        let n = recipe.evaluation_batch_size.min(images.len());
        let device = network.device();
        let input = Input::new(device, n, images.size())?;
        let size = network.architecture().input_size();
        let (logits, recording) = device.capture(|| {
            no_grad(|| {
                let x = input.for_evaluation(&recipe.images, size)?;
                network.forward(&x, Mode::Eval)
            })
        })?;
        let options = LoaderOptions {
            threads: recipe.machine.loader_threads,
            ..LoaderOptions::evaluation(n)
        };
        Ok(Self {
            loader: Loader::new(images, options)?,
            input,
            logits,
            recording,
            classes: network.architecture().classes(),
        })
    }

    /// Scores the whole split; `progress` is told of batches done and batches in all.
    ///
    /// # Errors
    /// If an image can't be read, or the device fails.
    pub fn run(&mut self, progress: &mut dyn FnMut(usize, usize)) -> Result<Score> {
        let device = self.logits.device().clone();
        let mut tally = Tally::new(self.classes);
        let mut under_way: VecDeque<(Vec<u32>, PendingRead)> = VecDeque::new();
        let mut finish = |(labels, read): (Vec<u32>, PendingRead)| -> Result<()> {
            let logits = read.wait(&device).map_err(tensor::Error::from)?;
            tally.add(&logits, &labels);
            Ok(())
        };
        let n_batches = self.loader.n_batches();
        for done in 1..=n_batches {
            let batch = self.loader.next_batch()?;
            self.input.write(batch)?;
            let labels = batch.labels.clone();
            self.recording
                .replay(&device)
                .map_err(tensor::Error::from)?;
            let read = device
                .read_later(self.logits.buffer())
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
        Ok(tally.score())
    }
}
