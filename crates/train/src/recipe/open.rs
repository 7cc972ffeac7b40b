//! From a recipe to its images: the data set it names, and how images become pixels.

use std::path::{Path, PathBuf};

use data::{Channels, DataSet, DecodeOptions, FolderOptions, OpenOptions, Unreadable};

use super::{Recipe, ValidationKind};
use crate::error::Result;

impl Recipe {
    /// Opens the recipe's data set. One that is not there is downloaded, if `download` says so; `progress` hears how
    /// that goes.
    ///
    /// ```
    /// let recipe = train::Recipe::named("shapes10")?;
    /// let data = recipe.open_data(false, &mut |_| {})?;
    /// assert_eq!(data.train.len(), 8000);
    /// # Ok::<(), train::Error>(())
    /// ```
    ///
    /// # Errors
    /// If there is no such data set, it can't be had, or its files are bad.
    pub fn open_data(
        &self,
        download: bool,
        progress: &mut dyn FnMut(data::Progress<'_>),
    ) -> Result<DataSet> {
        let source = self.images.source_size.sides();
        let decode =
            self.decode_options(source.map(|side| u32::try_from(side).unwrap_or(u32::MAX)));
        let options = OpenOptions {
            data_dir: self.runtime.data_dir.as_ref().map(PathBuf::from),
            validation: self
                .validation
                .as_ref()
                .map_or(data::Validation::Default, ValidationKind::to_data),
            seed: self.seed,
            download,
            channels: Some(decode.channels),
            folder: FolderOptions {
                images_dir: self.images_dir.as_ref().map(PathBuf::from),
                unreadable: if self.skip_unreadable {
                    Unreadable::Skip
                } else {
                    Unreadable::Fail
                },
                size: decode.size,
                fit: decode.fit,
                interpolation: decode.interpolation,
                exif_rotation: decode.exif_rotation,
                channels: decode.channels,
                memory_bytes: decode.memory_bytes,
                cache_bytes: self.runtime.cache_mib << 20,
                ..FolderOptions::default()
            },
        };
        let data = data::open(Path::new(&self.dataset), &options, progress)?;
        match self.images.resize_first {
            Some(size) if data::image_size(&self.dataset).is_some() => {
                Ok(data.resized(size.sides(), self.images.interpolation.into())?)
            }
            _ => Ok(data),
        }
    }

    /// How an image file becomes pixels of this size, `[height, width]`, before the network's own preparation.
    #[must_use]
    pub fn decode_options(&self, size: [u32; 2]) -> DecodeOptions {
        DecodeOptions {
            size,
            fit: self.images.fit.into(),
            interpolation: self.images.interpolation.into(),
            exif_rotation: self.images.exif_rotation,
            channels: Channels::of(self.images.channels).unwrap_or_default(),
            memory_bytes: self.runtime.decode_mib << 20,
        }
    }
}
