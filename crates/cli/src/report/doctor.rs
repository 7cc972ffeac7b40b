//! What `alexnet doctor` prints: the machine, each device with its limits, what a probe saw of its arithmetic, what is known of its like,
//! and what to do.

use std::fmt::Write as _;

use anyhow::Result;
use serde_json::{Value, json};
use tensor::{Adapter, Device, FunctionError, Probe, QUIRKS, Quirk};

use super::machine::{adapter_json, adapter_lines};
use super::{print_json, to_stdout};
use crate::args::OutputArgs;

/// A device and what was found.
pub(crate) struct Examined<'a> {
    pub(crate) selector: String,
    /// The adapter and its number; none of the CPU device.
    pub(crate) adapter: Option<(usize, &'a Adapter)>,
    pub(crate) found: Found,
}

/// What the probe of a device came to.
pub(crate) enum Found {
    /// It ran.
    Probed {
        name: String,
        probe: Probe,
        seconds: f64,
    },
    /// The device did not open, or failed: why.
    Failed(String),
}

impl Examined<'_> {
    /// Whether the device can train.
    pub(crate) fn is_usable(&self) -> bool {
        match &self.found {
            Found::Probed { probe, .. } => probe.is_usable(),
            Found::Failed(_) => false,
        }
    }

    fn quirks(&self) -> impl Iterator<Item = &'static Quirk> {
        let adapter = self.adapter.map(|(_, adapter)| adapter);
        QUIRKS
            .iter()
            .filter(move |quirk| adapter.is_some_and(|adapter| quirk.applies(adapter)))
    }

    /// What to do, or that nothing has to be done.
    fn advice(&self) -> String {
        let selector = &self.selector;
        let probe = match &self.found {
            Found::Failed(error) => {
                return format!(
                    "does not work: {error}. Update its driver, or train with --device cpu"
                );
            }
            Found::Probed { probe, .. } => probe,
        };
        if !probe.is_usable() {
            return format!(
                "computes wrong results: update its driver, train with --device cpu, and please report this text ({selector})"
            );
        }
        let avoided = probe.avoided();
        let mut advice = "can train".to_owned();
        if avoided.f16 {
            advice.push_str(", in f32 alone: its floats of 16 bits break mixed precision");
        }
        if !avoided.tiles.is_empty() {
            let names: Vec<_> = avoided.tiles.iter().map(|tile| tile.name()).collect();
            write!(
                advice,
                ", without the tiles {}, which give wrong products; please report this text",
                names.join(", ")
            )
            .unwrap_or_default();
        }
        if let Some((_, adapter)) = self.adapter
            && adapter.kind == tensor::AdapterKind::Software
        {
            advice.push_str("; it is software, and --device cpu is faster");
        }
        advice
    }
}

/// Prints what was found of each device.
pub(crate) fn doctor(examined: &[Examined<'_>], output: OutputArgs) -> Result<()> {
    if output.json {
        return print_json(&json!({
            "version": env!("CARGO_PKG_VERSION"),
            "system": system(),
            "devices": examined.iter().map(to_json).collect::<Vec<_>>(),
        }));
    }
    let mut text = format!("alexnet {} on {}\n", env!("CARGO_PKG_VERSION"), system());
    for one in examined {
        text.push('\n');
        match (&one.adapter, &one.found) {
            (Some((idx, adapter)), _) => adapter_lines(&mut text, *idx, adapter)?,
            (None, Found::Probed { name, .. }) => writeln!(text, "cpu    {name}")?,
            (None, Found::Failed(_)) => writeln!(text, "{}", one.selector)?,
        }
        if let Found::Probed { probe, seconds, .. } = &one.found {
            probe_lines(&mut text, probe, *seconds)?;
        }
        for quirk in one.quirks() {
            writeln!(text, "       known: {}: {}", quirk.what, quirk.remedy)?;
            writeln!(text, "              ({})", quirk.source)?;
        }
        writeln!(text, "       {}", one.advice())?;
    }
    // Where the CPU alone was asked for, a GPU may be there all the same.
    if examined.iter().all(|one| one.adapter.is_none()) && Device::adapters().is_empty() {
        writeln!(
            text,
            "\nno GPU was found: install its maker's Vulkan driver (on Linux also libvulkan1), or train with --device cpu"
        )?;
    }
    to_stdout(&text)
}

fn probe_lines(text: &mut String, probe: &Probe, seconds: f64) -> Result<()> {
    writeln!(text, "       probed in {seconds:.2} s")?;
    if let Some(f16) = probe.f16 {
        writeln!(
            text,
            "       f16: {}, {}, {}",
            if f16.overflows {
                "too large is infinite"
            } else {
                "TOO LARGE IS NOT INFINITE"
            },
            if f16.ties_to_even {
                "ties go to even"
            } else {
                "TIES DO NOT GO TO EVEN"
            },
            if f16.keeps_subnormals {
                "subnormals are kept"
            } else {
                "subnormals become 0"
            },
        )?;
    }
    for product in &probe.products {
        match product.wrong {
            0 => writeln!(
                text,
                "       products with tile {}: exact",
                product.tile.name()
            )?,
            wrong => writeln!(
                text,
                "       products with tile {}: {wrong} of {} WRONG",
                product.tile.name(),
                product.of
            )?,
        }
    }
    let functions = probe.functions.iter().map(|function| {
        let verdict = if function.holds() { "within" } else { "BEYOND" };
        let FunctionError {
            function,
            error,
            bound,
        } = function;
        format!("{function} {error:.1e} ({verdict} {bound:.1e})")
    });
    writeln!(
        text,
        "       errors: {}",
        functions.collect::<Vec<_>>().join(", ")
    )?;
    Ok(())
}

fn to_json(one: &Examined<'_>) -> Value {
    let mut object = match one.adapter {
        Some((idx, adapter)) => adapter_json(idx, adapter),
        None => json!({ "selector": one.selector, "kind": "native" }),
    };
    match &one.found {
        Found::Failed(error) => object["error"] = json!(error),
        Found::Probed {
            name,
            probe,
            seconds,
        } => {
            object["name"] = json!(name);
            object["probe_s"] = json!(seconds);
            object["f16_rounding"] = json!(probe.f16.map(|f16| json!({
                "overflows": f16.overflows,
                "ties_to_even": f16.ties_to_even,
                "keeps_subnormals": f16.keeps_subnormals,
            })));
            let products = probe.products.iter().map(|product| {
                json!({ "tile": product.tile.name(), "wrong": product.wrong, "of": product.of })
            });
            object["products"] = products.collect();
            let functions = probe.functions.iter().map(|function| {
                json!({
                    "function": function.function,
                    "error": function.error,
                    "bound": function.bound,
                    "holds": function.holds(),
                })
            });
            object["functions"] = functions.collect();
        }
    }
    let quirks = one
        .quirks()
        .map(|quirk| json!({ "what": quirk.what, "remedy": quirk.remedy, "source": quirk.source }));
    object["known"] = quirks.collect();
    object["usable"] = json!(one.is_usable());
    object["advice"] = json!(one.advice());
    object
}

/// The system, as a bug report needs it.
fn system() -> String {
    let cores = std::thread::available_parallelism().map_or(0, usize::from);
    format!(
        "{} {}, {cores} cores",
        std::env::consts::OS,
        std::env::consts::ARCH
    )
}
