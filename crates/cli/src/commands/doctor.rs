//! `alexnet doctor`: every device opened and probed.

use std::process::ExitCode;

use anyhow::Result;
use tensor::{Device, Probe, probe};

use crate::args::DoctorArgs;
use crate::report::{self, Examined, Found};

pub(crate) fn run(args: &DoctorArgs) -> Result<ExitCode> {
    let adapters = Device::adapters();
    let selectors = match &args.device {
        Some(selector) => vec![selector.clone()],
        None => std::iter::once("cpu".to_owned())
            .chain((0..adapters.len()).map(|idx| format!("gpu:{idx}")))
            .collect(),
    };
    let mut examined = Vec::new();
    for selector in selectors {
        // A selector that names nothing is a wrong argument; a device that does not open is what the doctor is for.
        let adapter_idx = Device::find(&selector)?;
        report::working(&format!("probing {selector}"), args.output);
        let found = match examine(&selector) {
            Ok(found) => found,
            Err(error) => Found::Failed(format!("{error:#}")),
        };
        examined.push(Examined {
            selector,
            adapter: adapter_idx.and_then(|idx| Some((idx, adapters.get(idx)?))),
            found,
        });
    }
    report::doctor(&examined, args.output)?;
    let is_well = examined.iter().all(Examined::is_usable);
    Ok(ExitCode::from(u8::from(!is_well)))
}

fn examine(selector: &str) -> Result<Found> {
    let device = Device::open(selector)?;
    let began = std::time::Instant::now();
    let probe: Probe = probe(&device)?;
    Ok(Found::Probed {
        name: device.name().to_owned(),
        probe,
        seconds: began.elapsed().as_secs_f64(),
    })
}
