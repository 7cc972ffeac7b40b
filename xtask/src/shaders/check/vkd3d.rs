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
    Ok(verdict(&text))
}

/// By the first error, which is told as `FILE:LINE:COLUMN: E5005: …`.
fn verdict(messages: &str) -> Verdict {
    let error = messages.lines().find(|line| line.contains(": E"));
    let error = error.unwrap_or(messages.lines().next().unwrap_or("no message"));
    if error.contains("is not defined on type 'RWByteAddressBuffer'") {
        Verdict::Known(&BYTE_ADDRESS)
    } else {
        Verdict::New(error.to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn methods_that_it_lacks_are_known() {
        let lacks =
            "a.hlsl:3:12: E5005: Method 'Load4' is not defined on type 'RWByteAddressBuffer'.";
        assert!(matches!(verdict(lacks), Verdict::Known(_)));
        let other = "note\na.hlsl:3:12: E5000: syntax error";
        assert!(matches!(verdict(other), Verdict::New(error) if error.ends_with("syntax error")));
    }
}
