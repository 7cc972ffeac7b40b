//! The arguments that say how images are prepared, in place of what a run or a weight file says.

use clap::{Args as ClapArgs, ValueEnum};
use model::ImageSize;
use train::{FitKind, InterpolationKind, Recipe};

/// How images are prepared, where the run or the weight file is to be overruled.
#[derive(Clone, Debug, Default, ClapArgs)]
#[command(
    next_help_heading = "How images are prepared [default: as the run, or the weight file, says]"
)]
pub(crate) struct PreparationArgs {
    /// The shorter side that images are resized to before the network's input is cut from their centre
    #[arg(long, value_name = "N")]
    pub(crate) resize: Option<usize>,
    /// The side of the network's input, or its height and width, where its weights allow another one
    #[arg(long, visible_alias = "crop", value_name = "N|HxW", value_parser = size)]
    pub(crate) input_size: Option<ImageSize>,
    /// Subtracted from red, green and blue, or from each other channel, with pixels in 0 to 1
    #[arg(long, value_name = "R,G,B", value_parser = numbers)]
    pub(crate) mean: Option<Numbers>,
    /// What red, green and blue are divided by then
    #[arg(long, alias = "deviation", value_name = "R,G,B", value_parser = numbers)]
    pub(crate) std: Option<Numbers>,
    /// How an image of another shape becomes one of the wanted shape
    #[arg(long, value_name = "FIT")]
    pub(crate) fit: Option<FitArg>,
    /// How pixels between pixels are made where images are decoded
    #[arg(long, value_name = "KIND")]
    pub(crate) interpolation: Option<InterpolationArg>,
}

/// A number for each channel.
#[derive(Clone, Debug)]
pub(crate) struct Numbers(pub(crate) Vec<f32>);

#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum FitArg {
    /// Its centre square, scaled
    Crop,
    /// All of it, each side scaled by itself
    Stretch,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum InterpolationArg {
    /// Bilinear with antialiasing, as Pillow and torchvision resize
    BilinearAntialias,
    /// Bilinear without antialiasing, as `OpenCV` resizes
    Bilinear,
    /// The nearest pixel, as Keras' `flow_from_directory` resizes
    Nearest,
    /// Bicubic with antialiasing, as Pillow and torchvision resize
    Bicubic,
}

fn numbers(text: &str) -> Result<Numbers, String> {
    let numbers: Result<Vec<f32>, _> = text.split(',').map(|part| part.trim().parse()).collect();
    let numbers = numbers
        .ok()
        .filter(|numbers| matches!(numbers.len(), 1 | 3 | 4));
    numbers
        .map(Numbers)
        .ok_or_else(|| "expected three numbers, such as 0.485,0.456,0.406".to_owned())
}

/// `224`, or height and width as `120x160`.
pub(crate) fn size(text: &str) -> Result<ImageSize, String> {
    let sides: Result<Vec<usize>, _> = text.split('x').map(str::parse).collect();
    match sides.as_deref() {
        Ok(&[side]) => Ok(side.into()),
        Ok(&[height, width]) => Ok([height, width].into()),
        _ => Err("expected a number, or a height and a width such as 120x160".to_owned()),
    }
}

impl PreparationArgs {
    /// Puts what is given into a recipe.
    pub(crate) fn apply(&self, recipe: &mut Recipe) {
        let Self {
            resize,
            input_size,
            mean,
            std,
            fit,
            interpolation,
        } = self;
        if let Some(side) = resize {
            // Images of folders are decoded at this side, so that they are resized once.
            recipe.images.source_size = (*side).into();
            recipe.images.resize = Some(*side);
            recipe.evaluation.resize = None;
        }
        recipe.input_size = input_size.or(recipe.input_size);
        for (given, own) in [
            (mean, &mut recipe.images.mean),
            (std, &mut recipe.images.std),
        ] {
            if let Some(Numbers(given)) = given {
                recipe.images.channels = given.len();
                *own = Some(given.clone());
            }
        }
        match interpolation {
            Some(InterpolationArg::BilinearAntialias) => {
                recipe.images.interpolation = InterpolationKind::BilinearAntialias;
            }
            Some(InterpolationArg::Bilinear) => {
                recipe.images.interpolation = InterpolationKind::Bilinear;
            }
            Some(InterpolationArg::Nearest) => {
                recipe.images.interpolation = InterpolationKind::Nearest;
            }
            Some(InterpolationArg::Bicubic) => {
                recipe.images.interpolation = InterpolationKind::Bicubic;
            }
            None => {}
        }
        match fit {
            Some(FitArg::Crop) => recipe.images.fit = FitKind::Crop,
            Some(FitArg::Stretch) => recipe.images.fit = FitKind::Stretch,
            None => {}
        }
    }
}
