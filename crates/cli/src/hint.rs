//! What to try after an error.

use train::Error;
use train::data::DataError;
use train::model;

/// A command or a flag that helps after `error`, if one is known.
pub(crate) fn after(error: &anyhow::Error) -> Option<String> {
    error.chain().find_map(|cause| {
        let own = cause.downcast_ref::<Error>().and_then(of_train);
        own.or_else(|| cause.downcast_ref::<model::Error>().and_then(of_model))
    })
}

fn of_train(error: &Error) -> Option<String> {
    let hint = match error {
        Error::UnknownRecipe { .. } => "`alexnet recipes` lists them",
        Error::Device(_) => {
            "`alexnet devices` lists what this machine has; `--device cpu` always works"
        }
        Error::Diverged { .. } => "a smaller learning rate often helps: `--lr`",
        Error::RunExists { path } => {
            return Some(format!(
                "go on with it by `alexnet train --resume {}`, or choose another folder by `--out`",
                path.display()
            ));
        }
        Error::NoRun { .. } => "a run is the folder that `alexnet train` names when it ends",
        Error::Setting {
            setting: "limit", ..
        } => "leave `--limit` out to use all images",
        Error::Setting { .. } => {
            "`alexnet train --help` explains the flags, `alexnet recipes show NAME` shows the settings"
        }
        Error::Format { .. } => "`alexnet recipes show shapes10` shows a recipe that works",
        Error::Data(error) => return of_data(error),
        Error::Model(error) => return of_model(error),
        _ => return None,
    };
    Some(hint.to_owned())
}

fn of_data(error: &DataError) -> Option<String> {
    let hint = match error {
        DataError::Missing { .. } => {
            "`--data-dir DIR` says where it is; `alexnet train shapes10` needs no download"
        }
        DataError::UnknownDataSet { .. } => "`alexnet train shapes10` needs no download",
        DataError::Argument {
            argument: "batch size",
            ..
        } => "choose a smaller `--batch-size`",
        DataError::Format { .. } => "remove the damaged file's folder, and it is downloaded anew",
        _ => return None,
    };
    Some(hint.to_owned())
}

fn of_model(error: &model::Error) -> Option<String> {
    use model::Error;
    let hint = match error {
        Error::UnknownNetwork { .. } => "`alexnet summary` lists the networks",
        Error::LayerInput { .. } => "choose a larger input size",
        Error::Format { .. } | Error::Tensor { .. } | Error::OtherNetwork { .. } => {
            "a run's folder in place of the file picks its best checkpoint"
        }
        _ => return None,
    };
    Some(hint.to_owned())
}
