//! The arguments that say how images are prepared, in place of what a run or a weight file says.

use clap::{Args as ClapArgs, ValueEnum};
use train::{FitKind, Recipe};

/// How images are prepared, where the run or the weight file is to be overruled.
#[derive(Clone, Debug, Default, ClapArgs)]
#[command(
    next_help_heading = "How images are prepared [default: as the run, or the weight file, says]"
)]
pub(crate) struct PreparationArgs {
    /// The shorter side that images are resized to before the network's input is cut from their centre
    #[arg(long, value_name = "N")]
    pub(crate) resize: Option<usize>,
    /// The side of the network's input, where its weights allow another one
    #[arg(long, visible_alias = "crop", value_name = "N")]
    pub(crate) input_size: Option<usize>,
    /// Subtracted from red, green and blue, with pixels in 0 to 1
    #[arg(long, value_name = "R,G,B", value_parser = three)]
    pub(crate) mean: Option<Three>,
    /// What red, green and blue are divided by then
    #[arg(long, visible_alias = "deviation", value_name = "R,G,B", value_parser = three)]
    pub(crate) std: Option<Three>,
    /// How a picture of another shape becomes a square
    #[arg(long, value_name = "FIT")]
    pub(crate) fit: Option<FitArg>,
    /// Between pixels
    #[arg(long, value_name = "KIND")]
    pub(crate) interpolation: Option<InterpolationArg>,
}

/// A number for each of red, green and blue.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Three(pub(crate) [f32; 3]);

#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum FitArg {
    /// Its centre square, scaled
    Crop,
    /// All of it, each side scaled by itself
    Stretch,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum InterpolationArg {
    /// Bilinear with antialiasing, as Pillow and torchvision resize: the one that there is
    BilinearAntialias,
}

fn three(text: &str) -> Result<Three, String> {
    let numbers: Result<Vec<f32>, _> = text.split(',').map(|part| part.trim().parse()).collect();
    let numbers = numbers
        .ok()
        .and_then(|numbers| <[f32; 3]>::try_from(numbers).ok());
    numbers
        .map(Three)
        .ok_or_else(|| "expected three numbers, such as 0.485,0.456,0.406".to_owned())
}

impl PreparationArgs {
    /// Puts what is given into a recipe.
    pub(crate) fn apply(&self, recipe: &mut Recipe) {
        // The one kind that there is needs no setting.
        let Self {
            resize,
            input_size,
            mean,
            std,
            fit,
            interpolation: _,
        } = self;
        if let Some(side) = resize {
            // Pictures of folders are decoded at this side, so that they are resized once.
            recipe.images.source_size = *side;
            recipe.images.resize = Some(*side);
            recipe.evaluation.resize = None;
        }
        recipe.input_size = input_size.or(recipe.input_size);
        recipe.images.mean = mean.map(|three| three.0).or(recipe.images.mean);
        recipe.images.deviation = std.map(|three| three.0).or(recipe.images.deviation);
        match fit {
            Some(FitArg::Crop) => recipe.images.fit = FitKind::Crop,
            Some(FitArg::Stretch) => recipe.images.fit = FitKind::Stretch,
            None => {}
        }
    }
}
