//! `alexnet data`.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context as _, Result};
use data::{ColourShifts, DataSet, Images, Raster, SheetRow, Split};
use train::{FirstBatch, Recipe};

use crate::args::{DataAction, DataArgs, DataSetArgs, DownloadArgs, ShowArgs};
use crate::progress::Progress;
use crate::{hint, report};

/// Images of a batch that are drawn, and how many beside each other.
const BATCH_SHOWN: usize = 25;
const BATCH_COLUMNS: usize = 5;
/// Versions of an image with shifted colours.
const SHIFTED: usize = 10;

pub(crate) fn run(args: &DataArgs) -> Result<ExitCode> {
    match &args.action {
        DataAction::Info(args) => {
            let data = open(args, None)?;
            let sizes = data::image_sizes(&data)?;
            report::data_info(&data, sizes, args.output)?;
        }
        DataAction::Stats(args) => {
            // Published figures are those of all training images, with those that are set aside for validation.
            let data = open(args, Some(0))?;
            let statistics = data::statistics(&data.train)?;
            report::data_statistics(&data, &statistics, args.output)?;
        }
        DataAction::Show(args) => show(args)?,
        DataAction::Download(args) => download(args)?,
    }
    Ok(ExitCode::SUCCESS)
}

/// Opens a data set as training would, but for images that can't be read: those are listed.
fn open(args: &DataSetArgs, validation: Option<usize>) -> Result<DataSet> {
    let mut recipe = Recipe::for_dataset(&args.dataset)?;
    recipe.validation = validation.map(Into::into).or(recipe.validation);
    opened(args, &mut recipe)
}

/// The same by a recipe.
fn opened(args: &DataSetArgs, recipe: &mut Recipe) -> Result<DataSet> {
    recipe.runtime.data_dir.clone_from(&args.data_dir);
    recipe.images_dir.clone_from(&args.images_dir);
    // Each image is looked at once or twice: keeping them would take more memory than it saves time.
    recipe.runtime.cache_mib = 0;
    recipe.skip_unreadable = true;
    let mut progress = Progress::new(args.output);
    let data = recipe.open_data(!args.no_download, &mut |event| progress.download(&event))?;
    progress.clear();
    Ok(data)
}

fn show(args: &ShowArgs) -> Result<()> {
    if args.batch {
        return show_batch(args);
    }
    let data = open(&args.data, None)?;
    let split = Split::from(args.split);
    let images = data
        .split(split)
        .with_context(|| format!("{} has no {split} images", data.name))?;
    let sheet = match args.colour_shift {
        Some(std) => colour_shift(images, args, std)?,
        None => {
            let rows = data::rows_by_class(images, args.per_class, args.seed);
            data::contact_sheet(images, &rows, args.tile)?
        }
    };
    let out = out(args, &data.name);
    sheet.write_png(&out)?;
    report::sheet(&out, sheet.size(), args.data.output)
}

/// Where a picture of a data set goes.
fn out(args: &ShowArgs, name: &str) -> PathBuf {
    let own = || PathBuf::from(format!("{name}.png"));
    args.out.clone().unwrap_or_else(own)
}

/// An image, and versions of it with shifted colours.
fn colour_shift(images: &Images, args: &ShowArgs, std: f64) -> Result<Raster> {
    let shifts = ColourShifts {
        components_of: 0,
        image: args.image,
        n: SHIFTED,
        std,
        seed: args.seed,
    };
    let versions = data::colour_shifts(images, shifts)?;
    let row = SheetRow {
        label: format!("std {std}"),
        samples: (0..).take(versions.len()).collect(),
    };
    Ok(data::contact_sheet(&versions, &[row], args.tile)?)
}

/// What training's first step gets.
fn show_batch(args: &ShowArgs) -> Result<()> {
    let name = &args.data.dataset;
    let mut recipe = match &args.recipe {
        Some(recipe) => Recipe {
            dataset: name.clone(),
            ..Recipe::named(recipe)?
        },
        None => Recipe::for_dataset(name)?,
    };
    "cpu".clone_into(&mut recipe.runtime.device);
    let data = opened(&args.data, &mut recipe)?;
    let batch = FirstBatch::new(&recipe, &data, &recipe.open_device()?)?;
    let some: Vec<u32> = (0..).take(batch.images.len().min(BATCH_SHOWN)).collect();
    let sheet = data::captioned(&batch.images.subset(&some)?, BATCH_COLUMNS, args.tile)?;
    let out = out(args, &data.name);
    sheet.write_png(&out)?;
    report::first_batch(&recipe, &batch, args.data.output)?;
    if args.data.output.json {
        return Ok(());
    }
    report::sheet(&out, sheet.size(), args.data.output)
}

fn download(args: &DownloadArgs) -> Result<()> {
    let name = args.dataset.as_str();
    if !data::NAMES.contains(&name) {
        return Err(hint::not_downloaded(name));
    }
    let dataset = DataSetArgs {
        dataset: name.to_owned(),
        data_dir: args.data_dir.clone(),
        images_dir: None,
        no_download: false,
        output: args.output,
    };
    let data = open(&dataset, Some(0))?;
    let folder = data::data_dir(args.data_dir.as_deref().map(Path::new))?;
    report::downloaded(&data, &folder, args.output)
}
