//! `alexnet recipes`.

use std::process::ExitCode;

use anyhow::Result;
use train::Recipe;

use crate::args::{RecipesAction, RecipesArgs};
use crate::report;

pub(crate) fn run(args: &RecipesArgs) -> Result<ExitCode> {
    match &args.action {
        Some(RecipesAction::Show { name }) => report::recipe(name, args.output)?,
        None => report::recipes(&Recipe::built_in()?, args.output)?,
    }
    Ok(ExitCode::SUCCESS)
}
