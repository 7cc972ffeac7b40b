//! What to try after an error: by its cause, and by what the command was about to do.

use data::DataError;
use tensor::DeviceError;
use train::Error;

use crate::args::Command;

/// A command or a flag that helps after `error` of this command, if one is known.
pub(crate) fn after(error: &anyhow::Error, command: &Command) -> Option<String> {
    error.chain().find_map(|cause| {
        let own = cause.downcast_ref::<Error>();
        let own = own.and_then(|error| of_train(error, command));
        own.or_else(|| {
            let error = cause.downcast_ref::<model::Error>();
            error.and_then(|error| of_model(error, command))
        })
    })
}

fn of_train(error: &Error, command: &Command) -> Option<String> {
    let hint = match error {
        Error::UnknownRecipe { .. } => "`alexnet recipes` lists them",
        Error::Device(_) => {
            "`alexnet devices` lists what this machine has; `--device cpu` always works"
        }
        Error::Diverged { .. } => "a smaller learning rate often helps: `--lr`",
        Error::RunExists { path } => {
            return Some(format!(
                "resume it with `alexnet train --resume {}`, or choose another folder by `--out`",
                files::shown(path)
            ));
        }
        Error::NoRun { .. } => "a run is the folder that `alexnet train` names when it ends",
        Error::InUse { .. } => "wait until it ends, or stop it by Ctrl-C: it saves where it is",
        Error::Damaged { .. } => return Some(other_checkpoint(command).to_owned()),
        Error::DataChanged {
            can_go_on: true, ..
        } => "`--accept-changed-data` resumes with the images as they are now",
        Error::DataChanged { .. } => {
            "bring the classes back, or begin a new run with its weights by `--from`"
        }
        Error::ConfigChanged { .. } => {
            "change them back, or begin a new run with its weights by `--from`"
        }
        Error::Classes { .. } => "name the folder of each class as the network names it",
        Error::Setting {
            setting: "limit", ..
        } => "leave `--limit` out to use all images",
        Error::Setting { .. } => return of_setting(command),
        Error::Format { path, .. } => return of_file(path, command),
        Error::Data(error) => return of_data(error),
        Error::Model(model::Error::Tensors(error)) | Error::Tensor(error) => {
            return of_device(error, command);
        }
        Error::Model(error) => return of_model(error, command),
        _ => return None,
    };
    Some(hint.to_owned())
}

/// A device that fails.
fn of_device(error: &tensor::Error, command: &Command) -> Option<String> {
    let tensor::Error::Kernel(error) = error else {
        return None;
    };
    let hint = match (error, command) {
        (DeviceError::DeviceLost { .. }, Command::Train(_) | Command::Sweep(_)) => {
            "`--resume` goes on from the last checkpoint; if the device is lost again, update its driver"
        }
        (DeviceError::DeviceLost { .. }, _) => {
            "try again; if the device is lost again, update its driver, or use `--device cpu`"
        }
        (DeviceError::OutOfMemory { .. }, Command::Train(_) | Command::Evaluate(_)) => {
            "choose a smaller `--batch-size`, or `--device cpu`"
        }
        _ => return None,
    };
    Some(hint.to_owned())
}

/// Settings come from flags and recipes where something is trained.
fn of_setting(command: &Command) -> Option<String> {
    let hint = match command {
        Command::Train(_) => {
            "`alexnet train --help` explains the flags, `alexnet recipes show NAME` shows the settings"
        }
        Command::Sweep(_) => "`alexnet recipes show NAME` shows the settings",
        Command::Evaluate(_) => "`alexnet evaluate --help` explains the flags",
        _ => return None,
    };
    Some(hint.to_owned())
}

/// A text file that can't be understood: which one says what helps.
fn of_file(path: &std::path::Path, command: &Command) -> Option<String> {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let hint = match (name.as_ref(), command) {
        ("state.json", _) => other_checkpoint(command),
        ("data.json", _) => "remove it, and the run resumes without comparing its images",
        ("summary.json" | "evaluation.json" | "metrics.jsonl" | "steps.jsonl", _) => {
            "remove it; `alexnet train --resume RUN` writes it anew"
        }
        ("config.toml", _) => "the run's own settings are in its checkpoints' state.json too",
        (_, Command::Train(_) | Command::Sweep(_)) => {
            "`alexnet recipes show shapes10` shows a recipe that works"
        }
        _ => return None,
    };
    Some(hint.to_owned())
}

/// What else a run has, when one of its checkpoints is damaged.
fn other_checkpoint(command: &Command) -> &'static str {
    match command {
        Command::Train(_) => {
            "resume from another: `--resume RUN --checkpoint best`, or last, or epoch-0010 if it is kept"
        }
        _ => "name another checkpoint: RUN/checkpoints/last, best or one of an epoch",
    }
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
        DataError::Pickle { .. } => {
            "unpack the published archive again, or set the folder aside: then it is downloaded"
        }
        _ => return None,
    };
    Some(hint.to_owned())
}

fn of_model(error: &model::Error, command: &Command) -> Option<String> {
    use model::Error;
    let hint = match error {
        Error::UnknownNetwork { .. } => "`alexnet summary` lists the networks",
        Error::LayerInput { .. } => "choose a larger input size",
        Error::OtherNetwork { .. } => "`alexnet inspect FILE` tells what is in it",
        Error::Format { path, .. } | Error::Tensor { path, .. } => {
            return of_weights(path, command);
        }
        _ => return None,
    };
    Some(hint.to_owned())
}

/// A weight file that is damaged or not what it should be.
fn of_weights(path: &std::path::Path, command: &Command) -> Option<String> {
    let ending = path.extension().unwrap_or_default().to_string_lossy();
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let is_of_torch = ["pth", "pt", "bin", "ckpt"].contains(&ending.to_lowercase().as_str());
    let hint = match command {
        _ if name == "model.safetensors" || name == "optimizer.safetensors" => {
            other_checkpoint(command)
        }
        Command::Import(_) if is_of_torch => {
            "save it anew in Python: `torch.save(model.state_dict(), FILE)`"
        }
        Command::Import(_) => "it takes torchvision's alexnet, as safetensors or `.pth`",
        _ if is_of_torch => "`alexnet import FILE --out WEIGHTS.safetensors` reads PyTorch's files",
        _ => return None,
    };
    Some(hint.to_owned())
}
