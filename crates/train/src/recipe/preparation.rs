//! Between a recipe's settings and what a weight file says of how its images are prepared.

use model::{Fit, ImageSize, Interpolation, Preparation, PreparedTta};

use crate::error::Result;
use crate::recipe::{FitKind, InterpolationKind, Recipe, Tta};

impl Recipe {
    /// How a network for inputs `[height, width, channels]` is given images that are kept at `source`: height and width.
    ///
    /// # Errors
    /// [`crate::Error::Setting`] before mean and standard deviation are known.
    pub fn preparation(&self, source: [usize; 2], input: [usize; 3]) -> Result<Preparation> {
        let [mean, std] = self.images.normalisation()?;
        Ok(Preparation {
            source,
            fit: match self.images.fit {
                FitKind::Crop => Fit::Crop,
                FitKind::Stretch => Fit::Stretch,
            },
            resize: self.evaluation.resize.or(self.images.resize),
            input_size: ImageSize::from([input[0], input[1]]),
            mean: mean.to_vec(),
            std: std.to_vec(),
            interpolation: match self.images.interpolation {
                InterpolationKind::BilinearAntialias => Interpolation::BilinearAntialias,
                InterpolationKind::Bilinear => Interpolation::Bilinear,
                InterpolationKind::Nearest => Interpolation::Nearest,
                InterpolationKind::Bicubic => Interpolation::Bicubic,
            },
            exif_rotation: self.images.exif_rotation,
            tta: match self.evaluation.tta {
                Tta::Flip => PreparedTta::Flip,
                Tta::FlipShift => PreparedTta::FlipShift,
                Tta::TenCrop => PreparedTta::TenCrop,
                Tta::None => PreparedTta::None,
            },
        })
    }

    /// Height and width at which the recipe keeps images: those of its data set, or the ones it sets.
    #[must_use]
    pub fn source(&self) -> [usize; 2] {
        match (data::image_size(&self.dataset), self.images.resize_first) {
            (None, _) => self.images.source_size.sides(),
            (Some(_), Some(first)) => first.sides(),
            (Some(size), None) => size.map(|side| side as usize),
        }
    }

    /// Prepares images for evaluation as a weight file says.
    pub fn prepare_as(&mut self, preparation: &Preparation) {
        self.decode_at(preparation.source);
        self.images.channels = preparation.mean.len();
        self.input_size = Some(preparation.input_size);
        self.images.fit = match preparation.fit {
            Fit::Stretch => FitKind::Stretch,
            Fit::Crop => FitKind::Crop,
        };
        self.images.interpolation = match preparation.interpolation {
            Interpolation::Bilinear => InterpolationKind::Bilinear,
            Interpolation::Nearest => InterpolationKind::Nearest,
            Interpolation::Bicubic => InterpolationKind::Bicubic,
            _ => InterpolationKind::BilinearAntialias,
        };
        self.images.exif_rotation = preparation.exif_rotation;
        self.images.resize = preparation.resize;
        self.images.mean = Some(preparation.mean.clone());
        self.images.std = Some(preparation.std.clone());
        self.evaluation.resize = None;
        self.evaluation.tta = match preparation.tta {
            PreparedTta::Flip => Tta::Flip,
            PreparedTta::FlipShift => Tta::FlipShift,
            PreparedTta::TenCrop => Tta::TenCrop,
            _ => Tta::None,
        };
    }

    /// Turns to another data set, whose images are brought to the size that the training images had.
    pub fn turn_to(&mut self, dataset: &str) {
        let source = self.source();
        dataset.clone_into(&mut self.dataset);
        self.decode_at(source);
    }

    /// Brings images to a height and width: files where they are decoded, images of a data set that has another size of its own
    /// before anything else.
    fn decode_at(&mut self, source: [usize; 2]) {
        self.images.source_size = source.into();
        let own = data::image_size(&self.dataset).map(|size| size.map(|side| side as usize));
        self.images.resize_first = own.filter(|own| *own != source).map(|_| source.into());
    }
}
