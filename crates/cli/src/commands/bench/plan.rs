//! `alexnet bench NETWORK --plan`: the times on cards that need not be there, from what the product would launch on them.

use std::process::ExitCode;

use anyhow::Result;
use clap::ValueEnum as _;
use model::{Architecture, Network};
use tensor::{AdapterKind, CardSpec, Device, DeviceOptions};
use train::{DryRun, Recipe};

use super::{DEFAULT_BATCH, recipe};
use crate::args::{BenchArgs, CardArg};
use crate::report::{self, Planned};

pub(super) fn run(network: &str, args: &BenchArgs) -> Result<ExitCode> {
    let batch_size = args.batch_size.unwrap_or(DEFAULT_BATCH);
    let architecture = args.sizes.network(network)?;
    let mut recipe = recipe(&architecture, args.precision)?;
    recipe.runtime.winograd = args.winograd.into();
    let cards: Vec<CardArg> = match args.card {
        Some(card) => vec![card],
        None => CardArg::value_variants().to_vec(),
    };
    let planned: Vec<Planned> = cards
        .into_iter()
        .map(|card| predict(card, &architecture, &recipe, batch_size))
        .collect::<Result<_>>()?;
    report::planned(&architecture, &recipe, batch_size, &planned, args.output)?;
    Ok(ExitCode::SUCCESS)
}

fn predict(
    card: CardArg,
    architecture: &Architecture,
    recipe: &Recipe,
    batch_size: usize,
) -> Result<Planned> {
    let spec = spec(card);
    let options = DeviceOptions {
        winograd: recipe.runtime.winograd.into(),
        ..DeviceOptions::default()
    };
    let device = Device::dry_with(spec.clone(), options);
    let network = Network::new(architecture.clone(), 1, &device)?;
    let [step, forward] = DryRun::new(&network, recipe)?.predict(batch_size)?;
    Ok(Planned {
        spec,
        step,
        forward,
    })
}

/// What a card's driver tells of it.
fn spec(card: CardArg) -> CardSpec {
    const NVIDIA: u32 = 0x10de;
    let (name, vendor, kind) = match card {
        CardArg::H100 => ("NVIDIA H100 80GB HBM3", NVIDIA, AdapterKind::Discrete),
        CardArg::Rtx4090 => ("NVIDIA GeForce RTX 4090", NVIDIA, AdapterKind::Discrete),
        CardArg::Rx7900 => ("AMD Radeon RX 7900 XTX", 0x1002, AdapterKind::Discrete),
        CardArg::Arc => (
            "Intel(R) Arc(tm) A770 Graphics",
            0x8086,
            AdapterKind::Discrete,
        ),
        CardArg::M2 => ("Apple M2", 0x106b, AdapterKind::Integrated),
        CardArg::Igpu => ("Intel(R) UHD Graphics", 0x8086, AdapterKind::Integrated),
    };
    CardSpec::new(name, vendor, kind)
}
