//! The sources of this crate's own: pixels in memory, images that a function makes, and another source's with other channels.

use std::fmt;
use std::path::Path;
use std::sync::Arc;

use crate::channels::Channels;
use crate::error::DataError;
use crate::images::Source;
use crate::resample::{Interpolation, Sizes, resized};

/// Pixels in memory, one image after the other.
pub(crate) struct Memory {
    pub(crate) image_bytes: usize,
    pub(crate) pixels: Vec<u8>,
}

impl Source for Memory {
    fn read(&self, index: usize, out: &mut [u8]) -> Result<(), DataError> {
        let start = index * self.image_bytes;
        out.copy_from_slice(&self.pixels[start..start + self.image_bytes]);
        Ok(())
    }

    fn is_decoded(&self, _: usize) -> bool {
        true
    }
}

impl fmt::Debug for Memory {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} bytes in memory", self.pixels.len())
    }
}

/// Images that a function makes.
pub(crate) struct Made<F>(pub(crate) F);

impl<F: Fn(usize, &mut [u8]) + Send + Sync> Source for Made<F> {
    fn read(&self, index: usize, out: &mut [u8]) -> Result<(), DataError> {
        (self.0)(index, out);
        Ok(())
    }
}

impl<F> fmt::Debug for Made<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("made by a function")
    }
}

/// Another source's images with other channels.
#[derive(Debug)]
pub(crate) struct Converted {
    pub(crate) source: Arc<dyn Source>,
    pub(crate) from: Channels,
    pub(crate) to: Channels,
}

impl Source for Converted {
    fn read(&self, index: usize, out: &mut [u8]) -> Result<(), DataError> {
        let mut own = vec![0; out.len() / self.to.count() * self.from.count()];
        self.source.read(index, &mut own)?;
        self.from.convert(&own, self.to, out);
        Ok(())
    }

    fn path(&self, index: usize) -> Option<&Path> {
        self.source.path(index)
    }

    fn is_decoded(&self, index: usize) -> bool {
        self.source.is_decoded(index)
    }
}

/// Another source's images in another size.
#[derive(Debug)]
pub(crate) struct Resized {
    pub(crate) source: Arc<dyn Source>,
    pub(crate) from: [usize; 2],
    pub(crate) to: [usize; 2],
    pub(crate) channels: usize,
    pub(crate) interpolation: Interpolation,
}

impl Source for Resized {
    fn read(&self, index: usize, out: &mut [u8]) -> Result<(), DataError> {
        let mut pixels = vec![0; self.from[0] * self.from[1] * self.channels];
        self.source.read(index, &mut pixels)?;
        let sizes = Sizes {
            from: self.from,
            to: self.to,
            channels: self.channels,
        };
        out.copy_from_slice(&resized(&pixels, sizes, self.interpolation));
        Ok(())
    }

    fn path(&self, index: usize) -> Option<&Path> {
        self.source.path(index)
    }
}
