//! How pixels become the network's input.

use data::{CHANNELS, Channels, Images};
use model::ImageSize;
use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};
use crate::optim::single;
use crate::recipe::{CropKind, FitKind, InterpolationKind, PadKind};

/// Images that statistics are taken over when a recipe leaves them to the training set: evenly spread, and enough for
/// the mean colour to be within a few thousandths.
const SAMPLE: usize = 5000;
/// The least standard deviation that is divided by: a channel that never changes has none.
const MIN_STD: f64 = 1.0 / 255.0;

/// How pixels become the network's input.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ImagesRecipe {
    /// The side at which images in files are decoded and kept in memory, or their `[height, width]`: for a network whose
    /// input is not square, of its shape. CIFAR and the like have a size of their own.
    pub source_size: ImageSize,
    /// Numbers in a pixel: 1 for grey, 3 for red, green and blue, 4 with opacity behind them. Images with others are
    /// converted: see [`Channels::convert`]. A `config.toml` of a time before this setting is of 3.
    #[serde(skip_serializing_if = "is_rgb")]
    pub channels: usize,
    /// How an image of another shape becomes one of that size.
    pub fit: FitKind,
    /// How pixels between pixels are made where images in files are brought to that size, and by `resize_first`.
    #[serde(skip_serializing_if = "InterpolationKind::is_default")]
    pub interpolation: InterpolationKind,
    /// The side, or `[height, width]`, that images of a data set with a size of its own are resized to first, as bytes, before
    /// they are resized to what the network gets: the first of two resizes in a row. Not at all if absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub resize_first: Option<ImageSize>,
    /// Whether images in files are turned as their EXIF orientation says. torchvision and Keras don't.
    pub exif_rotation: bool,
    /// Subtracted from each channel, with pixels in 0 to 1; the training images' mean if absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mean: Option<Vec<f32>>,
    /// What each channel is divided by then; the training images' standard deviation if absent.
    #[serde(alias = "deviation", skip_serializing_if = "Option::is_none")]
    pub std: Option<Vec<f32>>,
    /// The shorter side that images are resized to before they are cropped; the network's input if absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub resize: Option<usize>,
    /// How training images are cropped.
    pub crop: CropKind,
    /// Random crop: pixels that are added on each side first.
    pub pad: usize,
    /// What these are: black, or the image's reflection.
    #[serde(skip_serializing_if = "PadKind::is_black")]
    pub pad_with: PadKind,
    /// Area crop: the least and the largest share of the image.
    pub area: [f32; 2],
    /// Area crop: the least and the largest ratio of width to height.
    pub ratio: [f32; 2],
    /// Random horizontal flips of training images.
    pub flip: bool,
    /// Flips: each image is mirrored in every other epoch instead, a half of them, by their numbers, from the first epoch on
    /// (Jordan 2024, arXiv 2404.00498, section 3.6).
    #[serde(skip_serializing_if = "is_false")]
    pub alternate_flip: bool,
    /// Training images' brightness is uniform in 1 plus or minus this.
    pub brightness: f32,
    /// Training images' contrast, about the mean colour, is uniform in 1 plus or minus this.
    pub contrast: f32,
    /// Training images are shifted along the principal components of the training set's colours by normal numbers of
    /// this standard deviation (Krizhevsky 2012, section 4.1: 0.1); 0 for none.
    pub colour_shift: f32,
    /// The components, each times its eigenvalue: a row for each of red, green and blue; the training images' if absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub colour_components: Option<[[f32; 3]; 3]>,
    /// A random rectangle of a training image becomes the mean colour.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub erase: Option<EraseRecipe>,
}

/// Random erasing (Zhong 2017).
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct EraseRecipe {
    /// How likely it is.
    pub probability: f32,
    /// The smallest and the largest share of the image's area.
    pub area: [f32; 2],
    /// The smallest and the largest aspect ratio, width over height.
    pub ratio: [f32; 2],
}

impl Default for ImagesRecipe {
    fn default() -> Self {
        Self {
            source_size: ImageSize::from(256),
            channels: CHANNELS,
            fit: FitKind::Crop,
            interpolation: InterpolationKind::default(),
            resize_first: None,
            exif_rotation: true,
            mean: None,
            std: None,
            resize: None,
            crop: CropKind::Centre,
            pad: 0,
            pad_with: PadKind::Black,
            area: [0.08, 1.0],
            ratio: [0.75, 4.0 / 3.0],
            flip: false,
            alternate_flip: false,
            brightness: 0.0,
            contrast: 0.0,
            colour_shift: 0.0,
            colour_components: None,
            erase: None,
        }
    }
}

impl Default for EraseRecipe {
    fn default() -> Self {
        Self {
            probability: 0.25,
            area: [0.02, 0.33],
            ratio: [0.3, 3.3],
        }
    }
}

impl ImagesRecipe {
    /// Fills in what the recipe leaves to the training images: mean, standard deviation, principal components. They are taken over at most
    /// 5000 images, evenly spread.
    ///
    /// # Errors
    /// [`Error::Setting`] for shifts of colour where there are no colours; if an image can't be read.
    pub fn resolve(&mut self, train: &Images) -> Result<()> {
        self.check_colours()?;
        let needs_components = self.colour_shift > 0.0 && self.colour_components.is_none();
        if self.mean.is_some() && self.std.is_some() && !needs_components {
            return Ok(());
        }
        let statistics = data::statistics(&train.limit(SAMPLE)?)?;
        let mean = || statistics.mean.iter().map(|mean| single(*mean)).collect();
        self.mean.get_or_insert_with(mean);
        let std = statistics.std.iter();
        let std = || std.map(|std| single(std.max(MIN_STD))).collect();
        self.std.get_or_insert_with(std);
        if let Some(principal) = statistics.principal.filter(|_| needs_components) {
            let data::PrincipalComponents { values, vectors } = principal;
            let along =
                |colour: usize| [0, 1, 2].map(|i: usize| single(vectors[i][colour] * values[i]));
            self.colour_components = Some([0, 1, 2].map(along));
        }
        Ok(())
    }

    /// Mean and standard deviation, once they are known.
    ///
    /// # Errors
    /// [`Error::Setting`] before [`ImagesRecipe::resolve`].
    pub fn normalisation(&self) -> Result<[&[f32]; 2]> {
        match (&self.mean, &self.std) {
            (Some(mean), Some(std)) => Ok([mean, std]),
            _ => {
                let expected =
                    "a number each for every channel, or a training set to take them from";
                Err(Error::setting("mean and std", expected, "none"))
            }
        }
    }

    /// An error if colours are to be shifted where there are none.
    fn check_colours(&self) -> Result<()> {
        if self.channels >= CHANNELS || self.colour_shift == 0.0 {
            return Ok(());
        }
        let expected = "0, as images of one channel have no colours";
        Err(Error::setting("colour_shift", expected, self.colour_shift))
    }

    /// An error if a number makes no sense.
    pub(crate) fn check(&self) -> Result<()> {
        let is_positive = |d: &f32| *d > 0.0 && d.is_finite();
        let wrong =
            |setting, expected: &str, got: String| Err(Error::setting(setting, expected, got));
        let n = self.channels;
        if Channels::of(n).is_none() {
            return wrong("channels", "1, 3 or 4", n.to_string());
        }
        let is_deviation = |d: &&Vec<f32>| d.len() == n && d.iter().all(is_positive);
        if let Some(std) = self.std.as_ref().filter(|d| !is_deviation(d)) {
            let expected = numbers(n, "positive ");
            return wrong("std", &expected, format!("{std:?}"));
        }
        let is_mean = |mean: &&Vec<f32>| mean.len() == n && mean.iter().all(|m| m.is_finite());
        if let Some(mean) = self.mean.as_ref().filter(|mean| !is_mean(mean)) {
            return wrong("mean", &numbers(n, ""), format!("{mean:?}"));
        }
        self.check_colours()?;
        let most = 1 << 15;
        let sides = [
            ("source_size", Some(self.source_size.height)),
            ("source_size", Some(self.source_size.width)),
            ("resize", self.resize),
            ("resize_first", self.resize_first.map(|size| size.height)),
            ("resize_first", self.resize_first.map(|size| size.width)),
        ];
        for (setting, side) in sides {
            if side.is_some_and(|side| !(1..most).contains(&side)) {
                let got = side.unwrap_or_default().to_string();
                return wrong(setting, "1 to 32767 pixels", got);
            }
        }
        if self.pad >= most || (self.pad > 0 && self.crop != CropKind::Random) {
            let expected = "pixels, with crop = \"random\"";
            return wrong("pad", expected, self.pad.to_string());
        }
        if self.alternate_flip && !self.flip {
            return wrong("alternate_flip", "false without flip", true.to_string());
        }
        check_part(["area", "ratio"], self.area, self.ratio)?;
        let shares = [
            ("brightness", self.brightness),
            ("contrast", self.contrast),
            ("colour_shift", self.colour_shift),
            (
                "erase.probability",
                self.erase.map_or(0.0, |e| e.probability),
            ),
        ];
        for (setting, value) in shares {
            if !(0.0..=1.0).contains(&value) {
                return wrong(setting, "a number from 0 to 1", value.to_string());
            }
        }
        match self.erase {
            Some(erase) => check_part(["erase.area", "erase.ratio"], erase.area, erase.ratio),
            None => Ok(()),
        }
    }
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks for it")]
const fn is_false(flag: &bool) -> bool {
    !*flag
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks for it")]
fn is_rgb(channels: &usize) -> bool {
    *channels == CHANNELS
}

/// A number for each of so many channels, in words.
fn numbers(channels: usize, kind: &str) -> String {
    match channels {
        1 => format!("one {kind}number"),
        4 => format!("four {kind}numbers"),
        _ => format!("three {kind}numbers"),
    }
}

/// An error unless these are ascending limits of a part's share and shape.
fn check_part(settings: [&'static str; 2], area: [f32; 2], ratio: [f32; 2]) -> Result<()> {
    if !(area[0] > 0.0 && area[0] <= area[1] && area[1] <= 1.0) {
        let expected = "two ascending shares above 0 and up to 1";
        return Err(Error::setting(settings[0], expected, format!("{area:?}")));
    }
    if !(ratio[0] > 0.0 && ratio[0] <= ratio[1] && ratio[1].is_finite()) {
        let expected = "two ascending positive numbers";
        return Err(Error::setting(settings[1], expected, format!("{ratio:?}")));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_left_to_the_training_images_is_taken_from_them() {
        // Two pixels, black and (255, 51, 0): one direction of colour, with variance 1/4 (1, 1/25, 0).
        let pixels = vec![0, 0, 0, 255, 51, 0];
        let names = ["a", "b"].map(str::to_owned).to_vec();
        let train = Images::from_pixels([1, 2], pixels, vec![0], names).unwrap();
        let mut recipe = ImagesRecipe {
            std: Some(vec![0.5; 3]),
            colour_shift: 0.1,
            ..ImagesRecipe::default()
        };
        assert!(recipe.normalisation().is_err(), "not known yet");
        recipe.resolve(&train).unwrap();
        let [mean, std] = recipe.normalisation().unwrap();
        for (got, expected) in mean.iter().zip([0.5, 0.1, 0.0]) {
            assert!((got - expected).abs() < 1e-6, "{mean:?}");
        }
        assert_eq!(std, [0.5; 3], "as given");
        // The first eigenvalue is the sum of the variances, 0.26, its vector (5, 1, 0) / sqrt(26).
        let components = recipe.colour_components.unwrap();
        let expected = [0.26 * 5.0 / 26_f32.sqrt(), 0.26 / 26_f32.sqrt(), 0.0];
        for (row, expected) in components.iter().zip(expected) {
            assert!((row[0] - expected).abs() < 1e-6, "{components:?}");
            assert!(row[1].abs() < 1e-6 && row[2].abs() < 1e-6, "{components:?}");
        }
        recipe.std = None;
        recipe.resolve(&train).unwrap();
        let [_, std] = recipe.normalisation().unwrap();
        assert!(
            (std[2] - 1.0 / 255.0).abs() < 1e-9,
            "a channel that never changes: {std:?}"
        );
    }
}
