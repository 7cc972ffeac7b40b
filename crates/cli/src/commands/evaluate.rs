//! `alexnet evaluate`.

use std::path::Path;
use std::process::ExitCode;

use anyhow::Result;
use data::Split;
use model::Preparation;
use train::{Evaluation, Recipe, Scored, Tta, Weights};

use crate::args::{EvaluateArgs, TtaArg};
use crate::progress::Progress;
use crate::{hint, report};

pub(crate) fn run(args: &EvaluateArgs) -> Result<ExitCode> {
    let weights = super::weights(&args.weights, args.output)?;
    let mut recipe = recipe(args, &weights)?;
    recipe.input_size = None;
    args.preparation.apply(&mut recipe);
    super::apply(&args.runtime, &mut recipe);
    recipe.limit = args.limit;
    recipe.evaluation_batch_size = args.batch_size.unwrap_or(recipe.evaluation_batch_size);
    if let Some(tta) = args.tta {
        recipe.evaluation.tta = match tta {
            TtaArg::None => Tta::None,
            TtaArg::Flip => Tta::Flip,
            TtaArg::FlipShift => Tta::FlipShift,
            TtaArg::TenCrop => Tta::TenCrop,
        };
    }
    recipe.check()?;
    ::data::check_name(Path::new(&recipe.dataset))?;
    let device = recipe.open_device()?;
    super::device::heed(&device, args.output)?;
    let mut progress = Progress::new(args.output);
    let data = recipe.open_data(!args.runtime.no_download, &mut |event| {
        progress.download(&event);
    })?;
    let split = match args.split {
        Some(split) => split.into(),
        None if data.test.is_none() => Split::Validation,
        None => Split::Test,
    };
    let Scored {
        score,
        classes,
        note,
    } = train::evaluate(
        &weights.path,
        &recipe,
        &data,
        split,
        &device,
        &mut |done, of| progress.evaluating(split, done, of),
    )?;
    progress.clear();
    if let Some(note) = note {
        report::working(&note, args.output);
    }
    let evaluation = Evaluation::new(split, &classes, &score);
    if let Some(out) = &args.out {
        evaluation.write(out)?;
    }
    let by_class = args.per_class || args.output.verbose;
    report::score(
        &weights.path,
        &data.name,
        &evaluation,
        by_class,
        args.output,
    )?;
    Ok(ExitCode::SUCCESS)
}

/// How images are prepared: as asked for, else as in the run, else as the weight file says, else as the data set's recipe
/// does.
fn recipe(args: &EvaluateArgs, weights: &Weights) -> Result<Recipe> {
    let mut recipe = match (&args.recipe, &weights.recipe, &args.dataset) {
        (Some(name), ..) => Recipe::named(name)?,
        (None, Some(recipe), _) => recipe.clone(),
        (None, None, Some(dataset)) => {
            let mut recipe = Recipe::for_dataset(dataset)?;
            if let Some(preparation) = Preparation::in_file(&weights.path)? {
                recipe.prepare_as(&preparation);
            }
            recipe
        }
        (None, None, None) => {
            let weights = report::shown(&args.weights);
            return Err(hint::error(
                format!("{weights}: expected a data set too, as no run beside it names one"),
                format!("`alexnet evaluate {weights} DATASET`: a name or a folder"),
            ));
        }
    };
    if let Some(dataset) = &args.dataset
        && *dataset != recipe.dataset
    {
        recipe.validation = None;
        recipe.turn_to(dataset);
    }
    Ok(recipe)
}
