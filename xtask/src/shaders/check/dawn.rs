//! Tint once more, in Dawn's build for node (npm's `webgpu`), on a device that has every feature: SwiftShader, which the browser is started with, has no f16.

use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::{Context as _, Result, bail};
use serde_json::{Value, json};

use super::report::Outcome;
use super::{Variant, file, tint, tools};
use crate::cargo::Workspace;

const SCRIPT: &str = include_str!("dawn.mjs");

pub(super) fn run(workspace: &Workspace, folder: &Path, variants: &[Variant]) -> Result<Outcome> {
    let package = std::env::var_os("DAWN_NODE").map_or_else(
        || tools::readers(workspace).join("node_modules/webgpu"),
        Into::into,
    );
    let description = package.join("package.json");
    let node = tools::find("NODE", &["node"]).filter(|_| description.is_file());
    let Some(node) = node else {
        let hint = format!(
            "Tint with f16: no node with npm's webgpu (npm install --prefix {} webgpu)",
            tools::readers(workspace).display()
        );
        return Ok(Outcome::Absent(hint));
    };
    let description: Value = serde_json::from_str(&tools::read(&description)?)?;
    let list: Vec<Value> = variants
        .iter()
        .map(|variant| {
            let path = file(folder, "wgsl", variant, "wgsl");
            json!({"name": variant.name, "file": path, "needs": tint::needs(variant)})
        })
        .collect();
    let (script, shaders) = (folder.join("dawn.mjs"), folder.join("dawn.json"));
    for (path, text) in [
        (&script, SCRIPT),
        (&shaders, &Value::Array(list).to_string()),
    ] {
        std::fs::write(path, text).with_context(|| format!("cannot write {}", path.display()))?;
    }
    let output = Command::new(&node)
        .args([&script, &package, &shaders])
        .stdin(Stdio::null())
        .output()
        .with_context(|| format!("cannot start {}", node.display()))?;
    let results: Vec<Value> = String::from_utf8_lossy(&output.stdout)
        .lines()
        .filter_map(|line| serde_json::from_str(line).ok())
        .collect();
    // The script ends itself by a signal: its results tell whether it got to the end.
    if results.is_empty() {
        bail!("Dawn: {}", String::from_utf8_lossy(&output.stderr).trim());
    }
    let version = description["version"].as_str().unwrap_or("?");
    let tool = format!("Tint of Dawn (npm webgpu {version}): WGSL with f16");
    Ok(Outcome::Ran(vec![tint::report(tool, variants, &results)]))
}
