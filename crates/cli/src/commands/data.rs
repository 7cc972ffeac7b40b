//! `alexnet data`.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context as _, Result, bail};
use data::{DataSet, Split};
use train::Recipe;

use crate::args::{DataAction, DataArgs, DataSetArgs, DownloadArgs, ShowArgs};
use crate::progress::Progress;
use crate::report;

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
    recipe.runtime.data_dir.clone_from(&args.data_dir);
    recipe.images_dir.clone_from(&args.images_dir);
    // Each image is looked at once or twice: keeping them would take more memory than it saves time.
    recipe.runtime.cache_mib = 0;
    recipe.validation = validation.map(Into::into).or(recipe.validation);
    recipe.skip_unreadable = true;
    let mut progress = Progress::new(args.output);
    let data = recipe.open_data(!args.no_download, &mut |event| progress.download(&event))?;
    progress.clear();
    Ok(data)
}

fn show(args: &ShowArgs) -> Result<()> {
    let data = open(&args.data, None)?;
    let split = Split::from(args.split);
    let images = data
        .split(split)
        .with_context(|| format!("{} has no {split} images", data.name))?;
    let rows = data::rows_by_class(images, args.per_class, args.seed);
    let sheet = data::contact_sheet(images, &rows, args.tile)?;
    let out = match &args.out {
        Some(out) => out.clone(),
        None => PathBuf::from(format!("{}.png", data.name)),
    };
    sheet.write_png(&out)?;
    report::sheet(&out, sheet.size(), args.data.output)
}

fn download(args: &DownloadArgs) -> Result<()> {
    let name = args.dataset.as_str();
    if !data::NAMES.contains(&name) {
        bail!(
            "{name}: only built-in data sets can be downloaded: {}",
            data::NAMES.join(", ")
        );
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
