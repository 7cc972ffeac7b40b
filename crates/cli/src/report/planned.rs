//! What `alexnet bench --plan` prints.

use std::fmt::Write as _;

use anyhow::Result;
use model::Architecture;
use serde_json::{Value, json};
use tensor::{Card, CardSpec, Profile};
use train::Recipe;

use super::speed::{kernel_json, kernels};
use super::{print_json, to_stdout};
use crate::args::OutputArgs;

/// What is predicted for a card.
pub(crate) struct Planned {
    pub(crate) spec: CardSpec,
    pub(crate) step: Profile,
    pub(crate) forward: Profile,
}

/// What the predictions rest on.
const ASSUMPTIONS: &str = "predicted, not measured: products by the rates that each tile reached on an H100, in proportion to the \
                           card's peak; all else by the traffic of its bindings at .66 of the card's bandwidth, and 4 us a dispatch; \
                           the host keeps up";

pub(crate) fn planned(
    network: &Architecture,
    recipe: &Recipe,
    batch_size: usize,
    planned: &[Planned],
    output: OutputArgs,
) -> Result<()> {
    let images_per_s = |profile: &Profile| batch_size as f64 / profile.seconds();
    if output.json {
        let cards: Vec<Value> = planned
            .iter()
            .map(|of| card_json(of, &images_per_s))
            .collect();
        return print_json(&json!({
            "network": network.to_string(), "batch_size": batch_size, "precision": recipe.precision,
            "winograd": recipe.runtime.winograd, "assumptions": ASSUMPTIONS, "cards": cards,
        }));
    }
    let half = if recipe.precision.is_single() {
        ""
    } else {
        ", f16"
    };
    let mut text = format!("{network}, batch {batch_size}{half}\n");
    writeln!(
        text,
        "{:<32} {:>8} {:>7} {:>9} {:>9} {:>9}",
        "card", "TFLOP/s", "GB/s", "step ms", "train/s", "infer/s"
    )?;
    for of in planned {
        let card = Card::of(&of.spec);
        writeln!(
            text,
            "{:<32} {:>8.1} {:>7.0} {:>9.2} {:>9.0} {:>9.0}",
            of.spec.name,
            1e-12 * peak(&card),
            1e-9 * card.bandwidth,
            1e3 * of.step.seconds(),
            images_per_s(&of.step),
            images_per_s(&of.forward)
        )?;
    }
    if let [only] = planned {
        kernels(&mut text, &only.step)?;
    }
    writeln!(text, "{ASSUMPTIONS}")?;
    to_stdout(&text)
}

/// Floating-point operations a second, at best.
fn peak(card: &Card) -> f64 {
    f64::from(card.multiprocessors) * card.flops
}

fn card_json(of: &Planned, images_per_s: &dyn Fn(&Profile) -> f64) -> Value {
    let card = Card::of(&of.spec);
    json!({
        "card": of.spec.name, "multiprocessors": card.multiprocessors, "flops_per_s": peak(&card),
        "bytes_per_s": card.bandwidth, "step_s": of.step.seconds(), "forward_s": of.forward.seconds(),
        "train_images_per_s": images_per_s(&of.step), "infer_images_per_s": images_per_s(&of.forward),
        "kernels": of.step.kernels.iter().map(kernel_json).collect::<Vec<_>>(),
    })
}
