//! Views of images in another size.

use std::sync::Arc;

use super::Images;
use crate::error::DataError;
use crate::resample::Interpolation;
use crate::sources::Resized;

impl Images {
    /// The same images in another size, resized each time that they are read, each side by itself.
    ///
    /// # Errors
    /// [`DataError::Argument`] for a size of 0.
    pub fn resized(
        &self,
        [height, width]: [usize; 2],
        interpolation: Interpolation,
    ) -> Result<Self, DataError> {
        if height == 0 || width == 0 {
            let found = format!("{height}x{width}");
            return Err(DataError::argument("image size", "at least 1x1", found));
        }
        let source = Resized {
            source: Arc::clone(&self.source),
            from: self.size(),
            to: [height, width],
            channels: self.channels.count(),
            interpolation,
        };
        Ok(Self {
            height,
            width,
            source: Arc::new(source),
            ..self.clone()
        })
    }
}
