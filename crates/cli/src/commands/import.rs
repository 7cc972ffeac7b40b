//! `alexnet import`.

use std::path::Path;
use std::process::ExitCode;

use anyhow::Result;
use model::{Format, Import, Imported, Network};
use tensor::Device;

use crate::args::{ImportArgs, ImportedArg};
use crate::{hint, report};

pub(crate) fn run(args: &ImportArgs) -> Result<ExitCode> {
    let file = report::shown(&args.file);
    let is_of_keras = args
        .file
        .extension()
        .is_some_and(|end| end.eq_ignore_ascii_case("h5"));
    if is_of_keras && args.like.is_none() {
        return Err(hint::error(
            format!(
                "{file}: expected --like beside weights of Keras, which do not name their network"
            ),
            "`--like RUN` names the run or weight file that they were exported from",
        ));
    }
    report::working(&format!("reading {file}"), args.output);
    let options = options(args)?;
    let imported = match (&args.like, args.network) {
        (Some(like), _) => {
            let like = super::weights(like, args.output)?;
            let network = Network::open(&like.path, &Device::cpu())?;
            Imported {
                network: network.with_keras_weights(&args.file)?,
                ignored: Vec::new(),
            }
        }
        (None, ImportedArg::AlexnetTorchvision) => {
            Network::import(&args.file, &options, &Device::cpu())?
        }
    };
    imported
        .network
        .export(Format::Safetensors, None, &args.out)?;
    report::imported(&imported, &args.out, args.output)?;
    Ok(ExitCode::SUCCESS)
}

fn options(args: &ImportArgs) -> Result<Import> {
    if let Some(path) = &args.classes {
        return Ok(Import {
            class_names: Some(names(path)?),
            new_head: None,
        });
    }
    Ok(match &args.new_head {
        None => Import::default(),
        Some(count) if count.bytes().all(|b| b.is_ascii_digit()) => Import {
            class_names: None,
            new_head: Some(count.parse()?),
        },
        Some(path) => {
            let names = names(Path::new(path))?;
            Import {
                new_head: Some(names.len()),
                class_names: Some(names),
            }
        }
    })
}

/// The lines of a text, without empty ones at its end.
fn names(path: &Path) -> Result<Vec<String>> {
    let text = files::read_text(path, files::MOST_TEXT_BYTES)?;
    Ok(text
        .trim_end()
        .lines()
        .map(|line| line.trim().to_owned())
        .collect())
}
