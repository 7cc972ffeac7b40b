//! What a loader makes, and the options it makes it by.

/// The label and the sample of a padded place in a batch: no class and no image have this number.
pub const PADDING: u32 = u32::MAX;

/// What becomes of the images that don't fill the last batch of an epoch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tail {
    /// They are left out of this epoch; the next shuffle leaves out others. For training with batches of one size.
    Drop,
    /// The batch is filled up with black images whose label and sample are [`PADDING`]: for evaluation,
    /// and for training that takes a batch's first [`Batch::n_images`] alone.
    Pad,
}

/// How a [`crate::Loader`] makes batches.
#[derive(Clone, Copy, Debug)]
pub struct LoaderOptions {
    /// Images in every batch.
    pub batch_size: usize,
    /// The seed of the shuffles; `None` keeps the images in order.
    pub shuffle: Option<u64>,
    /// What becomes of an incomplete batch.
    pub tail: Tail,
    /// Whether batches have pixels. Without, no image is read: for a device that holds all of them and takes a batch's by
    /// their [`Batch::samples`].
    pub pixels: bool,
    /// Worker threads, at least 1. Batches don't depend on it.
    pub threads: usize,
    /// Batches that may be ready or under way ahead of the caller, at least 1.
    pub prefetch: usize,
}

impl LoaderOptions {
    /// Shuffled, complete batches, from two threads and four batches ahead.
    pub const fn training(batch_size: usize, seed: u64) -> Self {
        Self {
            batch_size,
            shuffle: Some(seed),
            tail: Tail::Drop,
            pixels: true,
            threads: 2,
            prefetch: 4,
        }
    }

    /// Every image once and in order, the last batch padded, from two threads and four batches ahead.
    pub const fn evaluation(batch_size: usize) -> Self {
        Self {
            batch_size,
            shuffle: None,
            tail: Tail::Pad,
            pixels: true,
            threads: 2,
            prefetch: 4,
        }
    }
}

/// One batch. Its buffers are reused for a later one.
#[derive(Debug)]
pub struct Batch {
    /// `[batch_size, height, width, channels]`; nothing without [`LoaderOptions::pixels`].
    pub pixels: Vec<u8>,
    /// A class for each image, or [`PADDING`].
    pub labels: Vec<u32>,
    /// Each image's index in the [`crate::Images`], or [`PADDING`].
    pub samples: Vec<u32>,
    /// Images that are not padding: they come first.
    pub n_images: usize,
    /// The epoch that this batch belongs to.
    pub epoch: u64,
    /// Its place in that epoch, from 0.
    pub index: usize,
}
