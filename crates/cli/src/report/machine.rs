//! What is printed about networks' costs, and about the devices that have to bear them.

use std::fmt::Write as _;

use anyhow::Result;
use model::{Architecture, ImageSize, networks};
use serde_json::{Value, json};
use tensor::{Adapter, Device};

use super::{print_json, to_stdout};
use crate::args::OutputArgs;

/// The batch sizes that memory is told for.
const BATCHES: [usize; 2] = [1, 128];
/// Numbers of state for each weight: those of Adam, the most that an optimizer here has.
const SLOTS: u64 = 2;

/// What a network needs of a device.
struct Need {
    network: &'static str,
    /// Bytes in all, at each of [`BATCHES`].
    train: [u64; 2],
    /// The largest buffer at the last of them.
    largest: u64,
}

impl Need {
    fn all() -> Result<Vec<Self>> {
        let need = |(network, _)| {
            let architecture = Architecture::new(network, None, None)?;
            Ok(Self {
                network,
                train: BATCHES.map(|n| architecture.training_memory(n, SLOTS).total()),
                largest: architecture.largest_buffer(BATCHES[1]),
            })
        };
        networks().map(need).collect()
    }
}

fn mebibytes(bytes: u64) -> String {
    format!("{} MiB", bytes.div_ceil(1 << 20))
}

/// A network's table, and the memory that training on `batch_size` images takes.
pub(crate) fn summary(network: &Architecture, batch_size: usize, output: OutputArgs) -> Result<()> {
    let summary = network.summary();
    let memory = network.training_memory(batch_size, SLOTS);
    if !output.json {
        let parts = [
            ("weights", memory.weights),
            ("gradients", memory.gradients),
            ("Adam's state", memory.optimizer),
            ("activations", memory.activations),
            ("gradients of activations", memory.workspace),
        ];
        let parts = parts.map(|(name, bytes)| format!("{name} {}", mebibytes(bytes)));
        return to_stdout(&format!(
            "{summary}FLOPs: multiplications and additions of convolutions and dense layers, forward, one image\n\
             to train at batch {batch_size}: about {} ({})\n",
            mebibytes(memory.total()),
            parts.join(", ")
        ));
    }
    let layers = summary.rows().iter().map(|row| {
        let settings = row.settings.iter();
        let settings = settings.map(|&(name, value)| (name.to_owned(), value.into()));
        json!({
            "layer": row.layer,
            "kind": row.kind,
            "activation": row.activation,
            "settings": settings.collect::<serde_json::Map<_, _>>(),
            "output": row.output.to_vec(),
            "parameters": row.parameters,
            "non_trainable": row.buffers,
            "flops": row.flops,
            "activation_bytes": row.activation_bytes,
        })
    });
    let [height, width, channels] = network.input();
    print_json(&json!({
        "network": network.name(),
        "classes": network.classes(),
        "input_size": ImageSize::from([height, width]),
        "channels": channels,
        "parameters": summary.parameters(),
        "flops": summary.flops(),
        "activation_bytes": summary.activation_bytes(),
        "training_memory": {
            "batch_size": batch_size,
            "weight_bytes": memory.weights,
            "gradient_bytes": memory.gradients,
            "optimizer_bytes": memory.optimizer,
            "activation_bytes": memory.activations,
            "workspace_bytes": memory.workspace,
            "total_bytes": memory.total(),
        },
        "layers": layers.collect::<Vec<_>>(),
    }))
}

/// The devices of this machine, as selectors name them.
pub(crate) fn devices(cpu: &Device, adapters: &[Adapter], output: OutputArgs) -> Result<()> {
    let needs = Need::all()?;
    if output.json {
        let networks = |most: u64| {
            let needs = needs.iter().map(|need| {
                json!({
                    "network": need.network,
                    "largest_buffer_bytes": need.largest,
                    "train_bytes": need.train,
                    "fits": need.largest <= most,
                })
            });
            needs.collect::<Vec<_>>()
        };
        let gpus = adapters.iter().enumerate().map(|(idx, adapter)| {
            let mut object = adapter_json(idx, adapter);
            object["networks"] = networks(adapter.max_buffer_bytes).into();
            object
        });
        let first = json!({ "selector": "cpu", "name": cpu.name(), "kind": "native", "networks": networks(u64::MAX) });
        let all: Vec<_> = std::iter::once(first).chain(gpus).collect();
        return print_json(&Value::Array(all));
    }
    let mut text = format!("cpu    {}\n", cpu.name());
    for (idx, adapter) in adapters.iter().enumerate() {
        adapter_lines(&mut text, idx, adapter)?;
    }
    if adapters.is_empty() {
        writeln!(text, "no Vulkan, Metal or DirectX 12 driver was found")?;
    }
    needs_table(&mut text, &needs, adapters)?;
    to_stdout(&text)
}

/// What an adapter says of itself.
pub(super) fn adapter_lines(text: &mut String, idx: usize, adapter: &Adapter) -> Result<()> {
    writeln!(
        text,
        "gpu:{idx}  {} ({}, {})",
        adapter.name, adapter.kind, adapter.backend
    )?;
    writeln!(text, "       driver {}", adapter.driver)?;
    writeln!(
        text,
        "       bindings to {} MiB, buffers to {} MiB, workgroups of {} with {} KiB, {} storage buffers",
        adapter.max_binding_bytes >> 20,
        adapter.max_buffer_bytes >> 20,
        adapter.workgroup_invocations,
        adapter.workgroup_bytes >> 10,
        adapter.storage_buffers
    )?;
    let subgroup = match adapter.subgroup {
        Some((least, most)) if least == most => format!("subgroups of {least}"),
        Some((least, most)) => format!("subgroups of {least} to {most}"),
        None => "no subgroups".to_owned(),
    };
    let (f16, timestamps) = (adapter.has_f16, adapter.has_timestamps);
    writeln!(
        text,
        "       {subgroup}, f16 {}, timestamps {}",
        yes(f16),
        yes(timestamps)
    )?;
    Ok(())
}

/// The same as an object.
pub(super) fn adapter_json(idx: usize, adapter: &Adapter) -> Value {
    json!({
        "selector": format!("gpu:{idx}"),
        "name": adapter.name,
        "kind": adapter.kind.to_string(),
        "backend": adapter.backend,
        "driver": adapter.driver,
        "max_binding_bytes": adapter.max_binding_bytes,
        "max_buffer_bytes": adapter.max_buffer_bytes,
        "workgroup_bytes": adapter.workgroup_bytes,
        "workgroup_invocations": adapter.workgroup_invocations,
        "storage_buffers": adapter.storage_buffers,
        "subgroup": adapter.subgroup.map(|(least, most)| [least, most]),
        "f16": adapter.has_f16,
        "timestamps": adapter.has_timestamps,
    })
}

/// What each network needs, and where its buffers fit.
fn needs_table(text: &mut String, needs: &[Need], adapters: &[Adapter]) -> Result<()> {
    let [one, many] = BATCHES.map(|n| format!("batch {n}"));
    writeln!(
        text,
        "\nmemory to train with Adam, and the largest buffer at batch {}",
        BATCHES[1]
    )?;
    writeln!(
        text,
        "{:<20} {one:>10} {many:>10} {:>10}  fits",
        "network", "buffer"
    )?;
    for need in needs {
        let [one, many] = need.train.map(mebibytes);
        let fitting = adapters
            .iter()
            .enumerate()
            .filter(|(_, a)| need.largest <= a.max_buffer_bytes);
        let names: Vec<_> = std::iter::once("cpu".to_owned())
            .chain(fitting.map(|(idx, _)| format!("gpu:{idx}")))
            .collect();
        let largest = mebibytes(need.largest);
        writeln!(
            text,
            "{:<20} {one:>10} {many:>10} {largest:>10}  {}",
            need.network,
            names.join(" ")
        )?;
    }
    writeln!(
        text,
        "a buffer longer than a binding is bound in parts; drivers do not tell how much memory is free"
    )?;
    Ok(())
}

fn yes(is_so: bool) -> &'static str {
    if is_so { "yes" } else { "no" }
}
