//! `cargo xtask shaders check`: every variant of every shader through the compilers that are installed. Tint is what browsers compile WGSL with,
//! spirv-val what Vulkan's rules are checked with, vkd3d-compiler reads HLSL as DirectX 12's older compiler does.
//!
//! What is known to be rejected, by a bug of somebody else's, is counted apart; anything else that is rejected fails the check.

mod dawn;
mod report;
mod spirv;
mod spirv_repair;
mod tint;
mod tools;
mod vkd3d;

use std::path::{Path, PathBuf};
use std::process::{ExitCode, Stdio};

use anyhow::{Context as _, Result, bail};

use crate::cargo::{self, Workspace};
use report::{Outcome, Report, Verdict};

/// A variant as `shaders/examples/translate.rs` lists it.
#[derive(Clone, Debug, PartialEq)]
struct Variant {
    /// Of its files, without what follows the dot.
    name: String,
    /// What messages call it.
    label: String,
    entry: String,
    is_f16: bool,
    has_subgroups: bool,
}

impl Variant {
    /// Whether its text is that of a matrix product, which some compilers take seconds for.
    fn is_tiled(&self) -> bool {
        self.label.contains("tile_m=")
    }

    /// Whether it is one of a few matrix products that stand for the others: vec4 operands, no bias, the smallest tile.
    fn is_small_example(&self) -> bool {
        let scalar = ["vector=0", "vector_a=0", "vector_b=0", "has_bias=1"];
        self.label.contains("style=0 tile_m=32 ")
            && !scalar.iter().any(|flag| self.label.contains(flag))
    }
}

/// The verb.
pub(crate) fn run() -> Result<ExitCode> {
    Ok(if check(&Workspace::load()?)? {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

/// Prints the table; false when a compiler rejects what it is not known to reject.
pub(crate) fn check(workspace: &Workspace) -> Result<bool> {
    let folder = workspace.target_dir.join("shaders-check");
    let variants = translate(workspace, &folder)?;
    let mut reports = vec![translated(workspace, &variants)];
    let mut absent = Vec::new();
    let outcomes = [
        tint::run(&folder, &variants)?,
        dawn::run(workspace, &folder, &variants)?,
        spirv::run(workspace, &folder, &variants)?,
        vkd3d::run(&folder, &variants)?,
    ];
    for outcome in outcomes {
        match outcome {
            Outcome::Ran(ran) => reports.extend(ran),
            Outcome::Absent(hint) => absent.push(hint),
        }
    }
    let of = |flag: fn(&Variant) -> bool| variants.iter().filter(|variant| flag(variant)).count();
    println!(
        "{} variants, {} of them with f16, {} with subgroup operations, in {}\n",
        variants.len(),
        of(|variant| variant.is_f16),
        of(|variant| variant.has_subgroups),
        folder.display()
    );
    Ok(report::print(&reports, &absent))
}

/// Has every variant written to `folder` as the compilers take it, by an example of the crate `shaders`: this program
/// stays small, since every other verb builds it too.
fn translate(workspace: &Workspace, folder: &Path) -> Result<Vec<Variant>> {
    let mut cargo = cargo::command();
    cargo
        .current_dir(&workspace.root)
        .args(["run", "--quiet", "-p", "shaders", "--example", "translate"])
        .arg("--")
        .arg(folder)
        .stdin(Stdio::null());
    if folder.exists() {
        std::fs::remove_dir_all(folder)
            .with_context(|| format!("cannot remove {}", folder.display()))?;
    }
    let status = cargo.status().context("cannot start cargo")?;
    if !status.success() {
        bail!("naga does not translate every variant: see above");
    }
    let list = tools::read(&folder.join("list.tsv"))?;
    list.lines().map(listed).collect()
}

/// A line of the example's list.
fn listed(line: &str) -> Result<Variant> {
    let fields: Vec<&str> = line.split('\t').collect();
    let [name, label, entry, dtype, subgroups, _bytes] = fields[..] else {
        bail!("list.tsv: expected 6 fields, found `{line}`");
    };
    Ok(Variant {
        name: name.to_owned(),
        label: label.to_owned(),
        entry: entry.to_owned(),
        is_f16: dtype == "f16",
        has_subgroups: subgroups == "1",
    })
}

/// naga's row: the example stops at the first variant that it can't translate.
fn translated(workspace: &Workspace, variants: &[Variant]) -> Report {
    let lock = tools::read(&workspace.root.join("Cargo.lock")).unwrap_or_default();
    let version = lock
        .split("name = \"naga\"\nversion = \"")
        .nth(1)
        .and_then(|rest| rest.split('"').next());
    let version = version.unwrap_or("of an unknown version");
    Report {
        tool: format!("naga {version}: SPIR-V 1.3, 1.5, 1.6, MSL, HLSL"),
        verdicts: variants
            .iter()
            .map(|variant| (variant.label.clone(), Verdict::Accepted))
            .collect(),
    }
}

/// The file of a variant.
fn file(folder: &Path, kind: &str, variant: &Variant, end: &str) -> PathBuf {
    folder.join(kind).join(format!("{}.{end}", variant.name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_the_list() {
        let line = "gemm-gemm-f16\tgemm/gemm f16[style=0 tile_m=32 vector=1]\tgemm\tf16\t0\t4096";
        let variant = listed(line).unwrap();
        assert!(variant.is_f16 && !variant.has_subgroups && variant.is_small_example());
        assert!(listed("gemm\tgemm").is_err());
    }

    #[test]
    fn a_scalar_product_is_no_example() {
        let line = "g\tgemm/gemm[vector=0 has_bias=0 style=0 tile_m=32 tile_n=32]\tgemm\tf32\t0\t0";
        let variant = listed(line).unwrap();
        assert!(variant.is_tiled() && !variant.is_small_example());
    }
}
