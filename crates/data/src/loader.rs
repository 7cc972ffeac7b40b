//! Batches of shuffled images, made ahead of time by worker threads. What is in a batch, and the order of batches, is
//! fixed by the seed, the epoch and the options, never by the number of threads or their timing.
//!
//! Not here: anything that changes pixels. Augmentation runs on the device, keyed by a batch's `samples`.

use std::any::Any;
use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use crate::batch::{Batch, LoaderOptions, PADDING, Tail};
use crate::error::DataError;
use crate::images::Images;
use crate::random::{Philox, Stream};

/// An endless sequence of batches: epoch after epoch, [`Loader::n_batches`] in each.
///
/// ```
/// use data::{Loader, LoaderOptions, Shapes10};
/// let set = Shapes10::default().with_sizes(64, 8, 8).generate()?;
/// let mut loader = Loader::new(set.train, LoaderOptions::training(16, 42))?;
/// for _ in 0..loader.n_batches() {
///     let batch = loader.next_batch()?;
///     assert_eq!(batch.pixels.len(), 16 * 32 * 32 * 3);
/// }
/// assert_eq!(loader.next_batch()?.epoch, 1);
/// # Ok::<(), data::DataError>(())
/// ```
#[derive(Debug)]
pub struct Loader {
    shared: Arc<Shared>,
    workers: Vec<JoinHandle<()>>,
    /// The batch that the caller looks at; back to the pool at the next call.
    current: Option<Batch>,
    waited: Duration,
}

#[derive(Debug)]
struct Shared {
    images: Images,
    options: LoaderOptions,
    n_batches: usize,
    state: Mutex<State>,
    /// Signalled when there may be a batch to make, or the loader is dropped.
    work: Condvar,
    /// Signalled when a batch is ready.
    ready: Condvar,
}

#[derive(Debug)]
struct State {
    /// The first batch in the queue, counted over all epochs.
    first: u64,
    /// From `first` on: the batches that workers have taken on, `None` until they are ready.
    queue: VecDeque<Option<Result<Batch, DataError>>>,
    /// Buffers to make batches in.
    free: Vec<Batch>,
    /// Counts the calls of `seek`: what was begun before the last one is thrown away.
    generation: u64,
    /// The order of samples in the epoch that was last asked for.
    order: Option<(u64, Arc<[u32]>)>,
    stop: bool,
}

/// A batch that a worker has taken on.
struct Job {
    generation: u64,
    number: u64,
    order: Arc<[u32]>,
    batch: Batch,
}

impl Loader {
    /// Starts the threads, which begin to make the batches of epoch 0.
    ///
    /// # Errors
    /// [`DataError::Argument`] when an option is zero or no batch can be filled; [`DataError::Io`] when no thread starts.
    pub fn new(images: Images, options: LoaderOptions) -> Result<Self, DataError> {
        for (argument, value) in [
            ("batch size", options.batch_size),
            ("loader threads", options.threads),
            ("prefetch", options.prefetch),
        ] {
            if value == 0 {
                return Err(DataError::argument(argument, "at least 1", 0));
            }
        }
        let n_batches = match options.tail {
            Tail::Drop => images.len() / options.batch_size,
            Tail::Pad => images.len().div_ceil(options.batch_size),
        };
        if n_batches == 0 {
            let expected = format!("at most the {} images there are", images.len());
            return Err(DataError::argument(
                "batch size",
                expected,
                options.batch_size,
            ));
        }
        let state = State {
            first: 0,
            queue: VecDeque::new(),
            free: Vec::new(),
            generation: 0,
            order: None,
            stop: false,
        };
        let shared = Shared {
            images,
            options,
            n_batches,
            state: Mutex::new(state),
            work: Condvar::new(),
            ready: Condvar::new(),
        };
        let mut loader = Self {
            shared: Arc::new(shared),
            workers: Vec::new(),
            current: None,
            waited: Duration::ZERO,
        };
        for number in 0..options.threads {
            let shared = Arc::clone(&loader.shared);
            let thread = std::thread::Builder::new().name(format!("loader-{number}"));
            let worker = thread
                .spawn(move || shared.work())
                .map_err(DataError::io("loader thread", "start"))?;
            loader.workers.push(worker);
        }
        Ok(loader)
    }

    /// Batches in an epoch.
    pub fn n_batches(&self) -> usize {
        self.shared.n_batches
    }

    /// Images in the first so many batches of an epoch, padding not counted.
    pub fn images_in(&self, batches: usize) -> usize {
        let full = batches.saturating_mul(self.shared.options.batch_size);
        full.min(self.shared.images.len())
    }

    /// The images that batches are made of.
    pub fn images(&self) -> &Images {
        &self.shared.images
    }

    /// Goes on at batch `index` of `epoch`, as if everything before had been handed out: for resuming.
    ///
    /// ```
    /// use data::{Loader, LoaderOptions, Shapes10};
    /// let set = Shapes10::default().with_sizes(64, 8, 8).generate()?;
    /// let mut loader = Loader::new(set.train, LoaderOptions::training(16, 42))?;
    /// loader.seek(3, 1)?;
    /// let batch = loader.next_batch()?;
    /// assert_eq!((batch.epoch, batch.index), (3, 1));
    /// # Ok::<(), data::DataError>(())
    /// ```
    ///
    /// # Errors
    /// [`DataError::Argument`] when an epoch has no such batch.
    pub fn seek(&mut self, epoch: u64, index: usize) -> Result<(), DataError> {
        if index >= self.n_batches() {
            return Err(DataError::argument(
                "batch",
                format!("below {}", self.n_batches()),
                index,
            ));
        }
        let first = epoch
            .checked_mul(self.n_batches() as u64)
            .and_then(|n| n.checked_add(index as u64));
        // Room is left for the batches that follow.
        let Some(first) = first.filter(|first| *first < u64::MAX / 2) else {
            return Err(DataError::argument(
                "epoch",
                "a number of epochs that one could train",
                epoch,
            ));
        };
        let mut state = self.shared.lock();
        state.generation += 1;
        state.first = first;
        let begun: Vec<_> = state.queue.drain(..).flatten().flatten().collect();
        state.free.extend(begun);
        self.shared.work.notify_all();
        Ok(())
    }

    /// The next batch; waits for it when it is not ready. After an error the sequence goes on behind the bad batch.
    ///
    /// # Errors
    /// The error of the image that could not be read, or [`DataError::Worker`] when reading one panicked.
    pub fn next_batch(&mut self) -> Result<&Batch, DataError> {
        let mut state = self.shared.lock();
        state.free.extend(self.current.take());
        // A buffer came back, so that a worker may begin another batch.
        self.shared.work.notify_one();
        let begun = Instant::now();
        let result = loop {
            if matches!(state.queue.front(), Some(Some(_)))
                && let Some(Some(result)) = state.queue.pop_front()
            {
                break result;
            }
            state = self
                .shared
                .ready
                .wait(state)
                .unwrap_or_else(PoisonError::into_inner);
        };
        self.waited += begun.elapsed();
        state.first += 1;
        self.shared.work.notify_one();
        drop(state);
        let batch = result?;
        Ok(self.current.insert(batch))
    }

    /// The total time that [`Loader::next_batch`] has waited: the caller's loss to a slow source.
    pub fn waited(&self) -> Duration {
        self.waited
    }
}

impl Drop for Loader {
    fn drop(&mut self) {
        self.shared.lock().stop = true;
        self.shared.work.notify_all();
        for worker in self.workers.drain(..) {
            // Panics of sources were caught and reported; one of ours has been printed by the panic hook.
            drop(worker.join());
        }
    }
}

impl Shared {
    /// A panic while the lock is held would be a bug here, and leaves the state whole: poisoning tells nothing.
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A worker's life.
    fn work(&self) {
        while let Some(job) = self.take_job() {
            let Job {
                generation,
                number,
                order,
                mut batch,
            } = job;
            let result = match catch_unwind(AssertUnwindSafe(|| self.fill(&order, &mut batch))) {
                Ok(filled) => filled.map(|()| batch),
                Err(panic) => Err(DataError::Worker {
                    epoch: batch.epoch,
                    batch: batch.index,
                    message: panic_message(&*panic),
                }),
            };
            let mut state = self.lock();
            if state.generation == generation {
                let place = usize::try_from(number - state.first).expect("the queue is short");
                state.queue[place] = Some(result);
                self.ready.notify_all();
            } else {
                state.free.extend(result);
            }
        }
    }

    /// Waits until a batch is to be made, and gives it a place in the queue. `None` when the loader is dropped.
    fn take_job(&self) -> Option<Job> {
        let mut state = self.lock();
        while !state.stop && state.queue.len() >= self.options.prefetch {
            state = self
                .work
                .wait(state)
                .unwrap_or_else(PoisonError::into_inner);
        }
        if state.stop {
            return None;
        }
        let number = state.first + state.queue.len() as u64;
        state.queue.push_back(None);
        let mut batch = state.free.pop().unwrap_or_else(|| self.empty_batch());
        let n_batches = self.n_batches as u64;
        batch.epoch = number / n_batches;
        batch.index = usize::try_from(number % n_batches).expect("below a usize");
        let order = match &state.order {
            Some((epoch, order)) if *epoch == batch.epoch => Arc::clone(order),
            _ => {
                let order = self.order(batch.epoch);
                state.order = Some((batch.epoch, Arc::clone(&order)));
                order
            }
        };
        Some(Job {
            generation: state.generation,
            number,
            order,
            batch,
        })
    }

    fn empty_batch(&self) -> Batch {
        let n = self.options.batch_size;
        let image_bytes = if self.options.pixels {
            self.images.image_bytes()
        } else {
            0
        };
        Batch {
            pixels: vec![0; n * image_bytes],
            labels: vec![0; n],
            samples: vec![0; n],
            n_images: 0,
            epoch: 0,
            index: 0,
        }
    }

    /// The samples of an epoch in the order in which they are handed out.
    fn order(&self, epoch: u64) -> Arc<[u32]> {
        let n = u32::try_from(self.images.len()).expect("checked when the images were made");
        let mut order: Vec<u32> = (0..n).collect();
        if let Some(seed) = self.options.shuffle {
            Philox::new(seed, Stream::Shuffle, epoch).shuffle(&mut order);
        }
        order.into()
    }

    /// Reads the images of `batch.index` into `batch`.
    fn fill(&self, order: &[u32], batch: &mut Batch) -> Result<(), DataError> {
        let begin = batch.index * self.options.batch_size;
        let samples = &order[begin..order.len().min(begin + self.options.batch_size)];
        batch.n_images = samples.len();
        batch.labels.fill(PADDING);
        batch.samples.fill(PADDING);
        batch.samples[..samples.len()].copy_from_slice(samples);
        for (sample, label) in samples.iter().zip(&mut batch.labels) {
            *label = self.images.labels()[*sample as usize];
        }
        let mut images = batch.pixels.chunks_exact_mut(self.images.image_bytes());
        for (sample, pixels) in samples.iter().zip(&mut images) {
            self.images.read(*sample as usize, pixels)?;
        }
        images.for_each(|pixels| pixels.fill(0));
        Ok(())
    }
}

fn panic_message(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().copied().map(str::to_owned);
    text.or_else(|| panic.downcast_ref::<String>().cloned())
        .unwrap_or_else(|| "no message".to_owned())
}
