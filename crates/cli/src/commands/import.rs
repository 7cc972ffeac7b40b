//! `alexnet import`.

use std::path::Path;
use std::process::ExitCode;

use anyhow::Result;
use model::{Format, Import, Network};
use tensor::Device;

use crate::args::{ImportArgs, ImportedArg};
use crate::report;

pub(crate) fn run(args: &ImportArgs) -> Result<ExitCode> {
    let file = report::shown(&args.file);
    report::working(&format!("reading {file}"), args.output);
    let options = options(args)?;
    let imported = match args.network {
        ImportedArg::AlexnetTorchvision => Network::import(&args.file, &options, &Device::cpu())?,
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
