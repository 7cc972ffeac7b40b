//! What to try after an error: by its cause, and by what the command was about to do.

mod alike;

use std::io::ErrorKind;
use std::path::Path;

use data::DataError;
use model::Architecture;
use tensor::{Device, DeviceError};
use train::Error;

pub(crate) use self::alike::did_you_mean;
use self::alike::setting_like;
use crate::args::Command;

/// The classes of a network are listed up to so many.
const MOST_CLASSES: usize = 20;
/// No network here needs a larger side than this.
const MOST_SIDE: usize = 512;

/// An error of an argument, with what helps.
#[derive(Debug)]
pub(crate) struct Hinted {
    message: String,
    hint: String,
}

impl std::error::Error for Hinted {}

impl std::fmt::Display for Hinted {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.message)
    }
}

/// An error with what helps.
pub(crate) fn error(message: impl Into<String>, hint: impl Into<String>) -> anyhow::Error {
    let (message, hint) = (message.into(), hint.into());
    anyhow::Error::new(Hinted { message, hint })
}

/// The error of a data set that nobody has published.
pub(crate) fn not_downloaded(name: &str) -> anyhow::Error {
    let like = did_you_mean(name, data::NAMES.into_iter());
    error(
        format!(
            "{name}: only built-in data sets can be downloaded: {}",
            data::NAMES.join(", ")
        ),
        format!("{like}`alexnet data info` tells what one holds"),
    )
}

/// A command or a flag that helps after `error` of this command, if one is known.
pub(crate) fn after(error: &anyhow::Error, command: &Command) -> Option<String> {
    let known = error.chain().find_map(|cause| {
        if let Some(error) = cause.downcast_ref::<Error>() {
            return of_train(error, command);
        }
        if let Some(error) = cause.downcast_ref::<model::Error>() {
            return of_model(error, command);
        }
        if let Some(error) = cause.downcast_ref::<DataError>() {
            return of_data(error, command);
        }
        if let Some(error) = cause.downcast_ref::<DeviceError>() {
            return of_selector(error);
        }
        if let Some(Hinted { hint, .. }) = cause.downcast_ref() {
            return Some(hint.clone());
        }
        if let Some(verify::Error::UnknownOperator { name, known }) = cause.downcast_ref() {
            let like = did_you_mean(name, known.split(", "));
            return Some(format!(
                "{like}operators have the names of their kernels, such as conv2d"
            ));
        }
        if let Some(verify::Error::UnknownTopic { name, known }) = cause.downcast_ref() {
            let like = did_you_mean(name, known.split(", "));
            return Some(format!("{like}`alexnet learn` lists them"));
        }
        let error = cause.downcast_ref::<report::Error>()?;
        of_report(error, command)
    });
    known.or_else(|| of_missing(error))
}

fn of_train(error: &Error, command: &Command) -> Option<String> {
    let hint = match error {
        Error::UnknownRecipe { name, known } => {
            let like = did_you_mean(name, known.split(", "));
            return Some(format!("{like}`alexnet recipes` lists them"));
        }
        Error::UnknownSetting { key, known, .. } => {
            let like = setting_like(key, known);
            return Some(format!(
                "{like}`alexnet recipes show shapes10` shows a recipe with all its settings"
            ));
        }
        Error::Device(tensor::Error::Kernel(error @ DeviceError::NoDevice { .. })) => {
            return of_selector(error);
        }
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
        Error::Classes { class, known, .. } => return Some(of_class(class, known)),
        Error::Setting {
            setting: "limit", ..
        } => "leave `--limit` out to use all images",
        Error::Setting {
            setting: "data set",
            ..
        } => "name the data set that the network was trained on, as the second argument",
        Error::Setting { setting, .. } => return of_setting(setting, command),
        Error::Format { path, .. } => return of_file(path, command),
        Error::Data(error) => return of_data(error, command),
        Error::Model(model::Error::Tensors(error)) | Error::Tensor(error) => {
            return of_device(error, command);
        }
        Error::Model(error) => return of_model(error, command),
        _ => return None,
    };
    Some(hint.to_owned())
}

/// A class that the network does not know.
fn of_class(class: &str, known: &[String]) -> String {
    let like = did_you_mean(class, known.iter().map(String::as_str));
    let rule = "a folder has the name of its class as the network knows it";
    if known.len() > MOST_CLASSES {
        return format!(
            "{like}{rule}: `alexnet inspect` lists its {} classes",
            known.len()
        );
    }
    let known: Vec<_> = known.iter().map(|name| files::escape(name)).collect();
    format!("{like}{rule}: {}", known.join(", "))
}

/// A device that there is not.
fn of_selector(error: &DeviceError) -> Option<String> {
    let DeviceError::NoDevice { selector, .. } = error else {
        return None;
    };
    let adapters = Device::adapters();
    let words = adapters.iter().flat_map(|adapter| adapter.name.split(' '));
    let like = did_you_mean(selector, ["auto", "cpu", "gpu"].into_iter().chain(words));
    Some(format!(
        "{like}`alexnet devices` lists what this machine has; `--device cpu` always works"
    ))
}

/// A page or the dashboard.
fn of_report(error: &report::Error, command: &Command) -> Option<String> {
    match error {
        report::Error::Listen { source, .. } if source.kind() == ErrorKind::AddrInUse => Some(
            "another program listens there: `--listen 127.0.0.1:0` takes a free port".to_owned(),
        ),
        report::Error::Listen { .. } => {
            Some("`--listen 127.0.0.1:0` takes a free port of this machine".to_owned())
        }
        report::Error::Train(error) => of_train(error, command),
        report::Error::Model(error) => of_model(error, command),
        report::Error::Data(error) => of_data(error, command),
        report::Error::Plot { .. } => Some("`alexnet summary NETWORK` lists the layers".to_owned()),
        _ => None,
    }
}

/// A file or folder that is not there.
fn of_missing(error: &anyhow::Error) -> Option<String> {
    let is_missing = error.chain().any(|cause| {
        let source = cause.downcast_ref::<std::io::Error>();
        source.is_some_and(|source| source.kind() == ErrorKind::NotFound)
    });
    let here = is_missing.then(std::env::current_dir)?.ok()?;
    Some(format!(
        "there is none; paths begin in {}",
        files::shown(&here)
    ))
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

/// Flags of `train` by the settings that they put.
const FLAGS: [(&str, &str); 7] = [
    ("batch_size", "--batch-size"),
    ("epochs", "--epochs"),
    ("learning_rate", "--lr"),
    ("limit", "--limit"),
    ("loader_threads", "--threads"),
    ("seed", "--seed"),
    ("precision", "--precision"),
];

/// Settings come from flags and recipes where something is trained.
fn of_setting(setting: &str, command: &Command) -> Option<String> {
    let verb = match command {
        Command::Train(_) => "train",
        Command::Evaluate(_) => "evaluate",
        Command::Predict(_) => "predict",
        Command::Sweep(_) => {
            return Some("`alexnet recipes show NAME` shows the settings of a recipe".to_owned());
        }
        _ => return None,
    };
    let flag = FLAGS.iter().find(|(known, _)| *known == setting);
    Some(match (flag, setting, verb) {
        (Some((_, flag)), _, "train") => format!("without `{flag}` it is the recipe's"),
        (_, "freeze", _) => {
            "`alexnet summary NETWORK` lists the layers; `--freeze 'conv*'` is all convolutions"
                .to_owned()
        }
        (_, "--set", _) => "`--set optimizer.momentum=0.9`, for instance".to_owned(),
        (None, _, "train") => {
            "`alexnet recipes show NAME` shows the settings of a recipe".to_owned()
        }
        _ => format!("`alexnet {verb} --help` explains the flags"),
    })
}

/// A text file that can't be understood: which one says what helps.
fn of_file(path: &Path, command: &Command) -> Option<String> {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let hint = match (name.as_ref(), command) {
        ("state.json", _) => other_checkpoint(command),
        ("data.json", _) => "remove it, and the run resumes without comparing its images",
        ("summary.json" | "evaluation.json" | "metrics.jsonl" | "steps.jsonl", _) => {
            "remove it; `alexnet train --resume RUN` writes it anew"
        }
        (name, _) if name.starts_with("--set") => {
            "`alexnet recipes show shapes10` shows settings with their values"
        }
        ("config.toml", _) => "the run's own settings are in its checkpoints' state.json too",
        (_, Command::Sweep(_)) => {
            "a sweep names a `recipe` and has a [grid] of lists or [[run]] tables: `alexnet sweep --help` shows one, and \
             `alexnet recipes show shapes10` the settings"
        }
        (_, Command::Train(_)) => "`alexnet recipes show shapes10` shows a recipe that works",
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

fn of_data(error: &DataError, command: &Command) -> Option<String> {
    let hint = match error {
        DataError::Missing { .. } => {
            "`--data-dir DIR` says where it is; `alexnet train shapes10` needs no download"
        }
        DataError::UnknownDataSet { name, known } => {
            let like = did_you_mean(name, known.split(", "));
            return Some(format!(
                "{like}a folder of your own has a folder of images for each class"
            ));
        }
        DataError::Folder { .. } => "a data set has a folder of images for each class",
        DataError::Argument {
            argument: "batch size",
            ..
        } => "choose a smaller `--batch-size`",
        DataError::Image { .. } => match command {
            Command::Train(_) | Command::Evaluate(_) | Command::Sweep(_) => {
                "`--skip-unreadable` leaves such images out, and says how many"
            }
            Command::Learn(_) => "it takes JPEG, PNG, WebP, BMP, GIF and TIFF",
            _ => return None,
        },
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
        Error::UnknownNetwork { name, known } => {
            let like = did_you_mean(name, known.split(", "));
            return Some(format!("{like}`alexnet summary` lists the networks"));
        }
        Error::LayerInput { network, .. } => return Some(of_size(network, command)),
        Error::OtherNetwork { .. } => "`alexnet inspect FILE` tells what is in it",
        Error::Format { path, .. } | Error::Tensor { path, .. } => {
            return of_weights(path, command);
        }
        _ => return None,
    };
    Some(hint.to_owned())
}

/// An image that is too small for a network.
fn of_size(network: &str, command: &Command) -> String {
    // It may be told with its classes: `alexnet(classes=10)`.
    let name = network.split(['(', ' ']).next().unwrap_or(network);
    let fits = |side: &usize| Architecture::new(name, None, Some(*side)).is_ok();
    let Some(least) = (1..MOST_SIDE).find(fits) else {
        return "choose a larger input size".to_owned();
    };
    let flag = match command {
        Command::Train(_) | Command::Sweep(_) => "--set input_size=",
        _ => "--input-size ",
    };
    format!("{name} takes sides of {least} and more: `{flag}{least}`")
}

/// A weight file that is damaged or not what it should be.
fn of_weights(path: &Path, command: &Command) -> Option<String> {
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
        _ => {
            "expected a run's folder, or weights as `alexnet train` and `alexnet import` write them"
        }
    };
    Some(hint.to_owned())
}
