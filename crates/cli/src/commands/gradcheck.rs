//! `alexnet gradcheck`: the proof of operators and networks, a line each as it is there.

use std::process::ExitCode;

use anyhow::Result;
use model::Architecture;
use tensor::Device;
use verify::{network, operators};

use crate::args::GradcheckArgs;
use crate::report::{self, Check};

/// Networks that are checked when neither operators nor networks are named: AlexNet's own layer shapes, and the small one.
const NETWORKS: [&str; 2] = ["alexnet-small", "alexnet"];

pub(crate) fn run(args: &GradcheckArgs) -> Result<ExitCode> {
    for name in &args.models {
        Architecture::new(name, None, None)?;
    }
    let mut table = report::Checks::new(args.output);
    for device in devices(args)? {
        if args.models.is_empty() {
            operators::run(&device, &args.operators, |row| {
                table.add(&Check::of_operator(&row));
            })?;
        }
        let networks: Vec<&str> = match (args.operators.is_empty(), args.models.is_empty()) {
            (true, true) => NETWORKS.to_vec(),
            _ => args.models.iter().map(String::as_str).collect(),
        };
        for name in networks {
            let architecture = Architecture::new(name, None, None)?;
            let mut add = |row| table.add(&Check::of_network(name, device.name(), &row));
            network::slopes(&architecture, &device, &mut add)?;
            if !device.is_cpu() {
                network::step(&architecture, &device, &mut add)?;
            }
        }
    }
    table.finish()
}

/// The device asked for, or the CPU device and the best adapter.
fn devices(args: &GradcheckArgs) -> Result<Vec<Device>> {
    if let Some(selector) = &args.device {
        return Ok(vec![Device::open(selector)?]);
    }
    let mut devices = vec![Device::cpu()];
    if Device::adapters().is_empty() {
        let text = "no Vulkan, Metal or DX12 adapter here: checking the CPU device alone";
        report::working(text, args.output);
    } else {
        devices.push(Device::open("gpu")?);
    }
    Ok(devices)
}
