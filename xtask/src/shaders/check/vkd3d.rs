//! vkd3d-compiler on the HLSL of shader model 5.1, which wgpu gives to DirectX 12 where there is no DXC: f32 without subgroup operations.

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use anyhow::Result;

use super::report::{BYTE_ADDRESS, Outcome, Report, Verdict};
use super::{Variant, file, tools};

/// Its analysis of unrolled tiles takes minutes.
const LIMIT: Duration = Duration::from_secs(20);

pub(super) fn run(folder: &Path, variants: &[Variant]) -> Result<Outcome> {
    let Some(program) = tools::find("VKD3D_COMPILER", &["vkd3d-compiler"]) else {
        let hint = "vkd3d-compiler is not installed: Debian's vkd3d-compiler 2.0 or later (after Debian 13)";
        return Ok(Outcome::Absent(hint.to_owned()));
    };
    let version = tools::version(&program)?;
    let given: Vec<&Variant> = variants
        .iter()
        .filter(|variant| !variant.is_f16 && !variant.has_subgroups)
        .filter(|variant| !variant.is_tiled() || variant.is_small_example())
        .collect();
    let verdicts = tools::in_parallel(&given, |variant| {
        Ok((variant.label.clone(), judge(&program, folder, variant)?))
    })?;
    let words: Vec<&str> = version.split(' ').collect();
    let number = words
        .iter()
        .position(|word| *word == "version")
        .and_then(|at| words.get(at + 1));
    Ok(Outcome::Ran(vec![Report {
        tool: format!(
            "vkd3d-compiler {}: HLSL 5.1, the smallest tile",
            number.unwrap_or(&"")
        ),
        verdicts,
    }]))
}

fn judge(program: &Path, folder: &Path, variant: &Variant) -> Result<Verdict> {
    let mut command = Command::new(program);
    command
        .args([
            "-x",
            "hlsl",
            "-b",
            "dxbc-tpf",
            "-p",
            "cs_5_1",
            "-e",
            &variant.entry,
        ])
        .arg(file(folder, "hlsl", variant, "hlsl"))
        .arg("-o")
        .arg(file(folder, "hlsl", variant, "dxbc"));
    let Some(output) = tools::run_within(&mut command, LIMIT)? else {
        return Ok(Verdict::Known(&BYTE_ADDRESS));
    };
    if output.status.success() {
        return Ok(Verdict::Accepted);
    }
    let text = String::from_utf8_lossy(&output.stderr);
    let error = text.lines().find(|line| line.contains(": E"));
    let error = error.unwrap_or(text.lines().next().unwrap_or("no message"));
    Ok(
        if error.contains("not yet implemented") || error.contains("not supported") {
            Verdict::Known(&BYTE_ADDRESS)
        } else {
            Verdict::New(error.to_owned())
        },
    )
}
