//! What `alexnet tune` prints.

use std::fmt::Write as _;

use anyhow::Result;
use model::Architecture;
use serde_json::{Value, json};
use tensor::{Device, TilePlan};
use train::tune::Tuned;

use super::{print_json, to_stdout};
use crate::args::OutputArgs;

/// The products of a training step of `network`, with the plan that is used and the fastest of all.
pub(crate) fn tuned(
    network: &Architecture,
    device: &Device,
    found: &[Tuned],
    output: OutputArgs,
) -> Result<()> {
    let fastest = |tuned: &Tuned| tuned.plans.first().copied().unwrap_or(tuned.predicted);
    let sum = |seconds: &dyn Fn(&Tuned) -> f64| found.iter().map(seconds).sum::<f64>();
    let used_s = sum(&|tuned| tuned.predicted.1);
    let fastest_s = sum(&|tuned| fastest(tuned).1);
    if output.json {
        let products = found.iter().map(product_json);
        return print_json(&json!({
            "network": network.to_string(), "device": device.name(),
            "used_s": used_s, "fastest_s": fastest_s, "products": products.collect::<Vec<_>>(),
        }));
    }
    let mut text = format!("{network} on {}\n", device.name());
    writeln!(
        text,
        "{:<24} {:>7} {:>5} {:>6} {:>6}  {:<12} {:>8} {:>8}  {:<12} {:>8}",
        "product", "m", "n", "k", "groups", "used", "ms", "TFLOP/s", "fastest", "ms"
    )?;
    for tuned in found {
        let (plan, seconds) = tuned.predicted;
        let (best, best_seconds) = fastest(tuned);
        let product = &tuned.product;
        writeln!(
            text,
            "{:<24} {:>7} {:>5} {:>6} {:>6}  {:<12} {:>8.3} {:>8.1}  {:<12} {:>8.3}",
            product.kernel,
            product.m,
            product.n,
            product.k,
            product.layers,
            name(plan),
            1e3 * seconds,
            1e-12 * tuned.flops() / seconds,
            name(best),
            1e3 * best_seconds
        )?;
    }
    writeln!(
        text,
        "all products: {:.3} ms a step as used, {:.3} with the fastest of each",
        1e3 * used_s,
        1e3 * fastest_s
    )?;
    to_stdout(&text)
}

fn name(plan: TilePlan) -> String {
    format!("{:?} / {}", plan.tile, plan.splits).to_lowercase()
}

fn product_json(tuned: &Tuned) -> Value {
    let plan = |(plan, seconds): &(TilePlan, f64)| {
        let tile = format!("{:?}", plan.tile).to_lowercase();
        json!({ "tile": tile, "splits": plan.splits, "seconds": seconds })
    };
    let product = &tuned.product;
    json!({
        "kernel": product.kernel, "m": product.m, "n": product.n, "k": product.k, "groups": product.layers,
        "calls": tuned.calls, "flops": tuned.flops(), "used": plan(&tuned.predicted),
        "plans": tuned.plans.iter().map(plan).collect::<Vec<_>>(),
    })
}
