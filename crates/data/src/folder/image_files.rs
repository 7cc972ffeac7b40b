//! Image files as a source of images: decoded when asked for, or once and kept while a budget lasts.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};

use crate::decode::{DecodeOptions, decode};
use crate::error::DataError;
use crate::images::Source;

use super::FolderOptions;

/// Image files, some of them kept decoded.
pub(super) struct ImageFiles {
    pub(super) files: Vec<PathBuf>,
    /// As long as `files`. What is kept is never given up again: with every epoch in another order, replacing one image
    /// by another would gain nothing.
    kept: Vec<OnceLock<Box<[u8]>>>,
    left: Arc<AtomicU64>,
    options: DecodeOptions,
}

impl ImageFiles {
    pub(super) fn new(files: Vec<PathBuf>, options: &FolderOptions, left: &Arc<AtomicU64>) -> Self {
        let kept = files.iter().map(|_| OnceLock::new()).collect();
        Self {
            files,
            kept,
            left: Arc::clone(left),
            options: options.decode(),
        }
    }

    pub(super) fn image_bytes(&self) -> usize {
        let channels = self.options.channels.count();
        let sides = self.options.size.iter();
        sides.fold(channels, |product, side| product * *side as usize)
    }

    /// Removes the images at these indices, which are in ascending order.
    pub(super) fn remove(&mut self, indices: &[usize]) {
        let good = |place: &usize| indices.binary_search(place).is_err();
        let mut place = 0..;
        self.files
            .retain(|_| place.next().as_ref().is_some_and(good));
        let mut place = 0..;
        self.kept
            .retain(|_| place.next().as_ref().is_some_and(good));
    }
}

impl Source for ImageFiles {
    fn read(&self, index: usize, out: &mut [u8]) -> Result<(), DataError> {
        if let Some(pixels) = self.kept[index].get() {
            out.copy_from_slice(pixels);
            return Ok(());
        }
        decode(&self.files[index], &self.options, out)?;
        let bytes = out.len() as u64;
        let take = |left: u64| left.checked_sub(bytes);
        if self
            .left
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, take)
            .is_ok()
            && self.kept[index].set(out.into()).is_err()
        {
            // Another thread kept the same image meanwhile.
            self.left.fetch_add(bytes, Ordering::Relaxed);
        }
        Ok(())
    }

    fn path(&self, index: usize) -> Option<&Path> {
        self.files.get(index).map(PathBuf::as_path)
    }

    fn is_decoded(&self, index: usize) -> bool {
        self.kept[index].get().is_some()
    }
}

impl fmt::Debug for ImageFiles {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kept = self
            .kept
            .iter()
            .filter(|pixels| pixels.get().is_some())
            .count();
        write!(f, "{} files, {kept} of them in memory", self.files.len())
    }
}
