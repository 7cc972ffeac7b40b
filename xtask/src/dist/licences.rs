//! The licences of what is compiled into the program: MIT and its like ask that their texts go along.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use anyhow::{Context as _, Result, ensure};
use serde_json::Value;

use crate::cargo::{self, Workspace};

/// How the names of licence files begin, in upper case.
const BEGINNINGS: [&str; 5] = ["LICENSE", "LICENCE", "COPYING", "NOTICE", "UNLICENSE"];

/// Every crate of others in the program for a target with its version, its licence and that licence's text.
pub(super) fn of_target(workspace: &Workspace, target: &str) -> Result<String> {
    let output = cargo::command()
        .current_dir(&workspace.root)
        .args([
            "metadata",
            "--locked",
            "--format-version",
            "1",
            "--filter-platform",
            target,
        ])
        .output()
        .context("cannot start cargo")?;
    ensure!(
        output.status.success(),
        "cargo metadata: {}",
        String::from_utf8_lossy(&output.stderr)
    );
    let metadata: Value = serde_json::from_slice(&output.stdout)?;
    let used = used_by(&metadata, "cli");
    ensure!(
        !used.is_empty(),
        "cargo metadata names no dependency of cli"
    );
    let mut crates = Vec::new();
    for package in metadata["packages"].as_array().into_iter().flatten() {
        let is_others = !package["source"].is_null();
        if is_others && package["id"].as_str().is_some_and(|id| used.contains(id)) {
            crates.push(Licensed::of(package)?);
        }
    }
    crates.sort();
    Ok(page(&crates))
}

/// A crate with its licence.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Licensed {
    name: String,
    version: String,
    /// An SPDX expression, such as `MIT OR Apache-2.0`.
    licence: String,
    texts: Vec<String>,
}

impl Licensed {
    fn of(package: &Value) -> Result<Self> {
        let text = |key: &str| package[key].as_str().unwrap_or_default().to_owned();
        let manifest = text("manifest_path");
        let folder = Path::new(&manifest)
            .parent()
            .context("a manifest without a folder")?;
        let mut files = Vec::new();
        for entry in
            fs::read_dir(folder).with_context(|| format!("cannot list {}", folder.display()))?
        {
            let path = entry?.path();
            let name = path
                .file_name()
                .unwrap_or_default()
                .to_string_lossy()
                .to_uppercase();
            if path.is_file() && BEGINNINGS.iter().any(|start| name.starts_with(start)) {
                files.push((name, path));
            }
        }
        files.sort();
        // Of two licences to choose from, the shorter.
        if text("license").contains(" OR ") && files.iter().any(|(name, _)| name.contains("MIT")) {
            files.retain(|(name, _)| name.contains("MIT") || name.starts_with("NOTICE"));
        }
        let texts = files.iter().map(|(_, path)| {
            let bytes =
                fs::read(path).with_context(|| format!("cannot read {}", path.display()))?;
            let text = String::from_utf8_lossy(&bytes).replace("\r\n", "\n");
            Ok(text.trim().to_owned())
        });
        Ok(Self {
            name: text("name"),
            version: text("version"),
            licence: text("license"),
            texts: texts.collect::<Result<_>>()?,
        })
    }
}

/// The ids of all packages that a member of the workspace is built from, not counting what builds or tests it.
fn used_by(metadata: &Value, member: &str) -> BTreeSet<String> {
    let nodes = metadata["resolve"]["nodes"].as_array();
    let node = |id: &str| nodes.into_iter().flatten().find(|node| node["id"] == id);
    let packages = metadata["packages"].as_array().into_iter().flatten();
    let mut found = packages.filter(|it| it["name"] == member && it["source"].is_null());
    let first = found.find_map(|package| package["id"].as_str());
    let mut to_do: Vec<String> = first.map(str::to_owned).into_iter().collect();
    let mut used = BTreeSet::new();
    while let Some(id) = to_do.pop() {
        for dependency in node(&id)
            .and_then(|node| node["deps"].as_array())
            .into_iter()
            .flatten()
        {
            let kinds = dependency["dep_kinds"].as_array();
            let is_normal = kinds
                .into_iter()
                .flatten()
                .any(|kind| kind["kind"].is_null());
            if let (true, Some(id)) = (is_normal, dependency["pkg"].as_str())
                && used.insert(id.to_owned())
            {
                to_do.push(id.to_owned());
            }
        }
    }
    used
}

/// The list of crates, then each text once with the names of those that it is of.
fn page(crates: &[Licensed]) -> String {
    let mut page = "The program is built from these crates, whose licences follow.\n\n".to_owned();
    let mut of_text: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for Licensed {
        name,
        version,
        licence,
        texts,
    } in crates
    {
        page.push_str(&format!("{name} {version}: {licence}\n"));
        for text in texts {
            of_text.entry(text).or_default().push(name);
        }
    }
    let mut texts: Vec<_> = of_text.into_iter().collect();
    texts.sort_by(|a, b| a.1.cmp(&b.1));
    for (text, mut names) in texts {
        names.dedup();
        let rule = "-".repeat(80);
        page.push_str(&format!("\n{rule}\n{}\n{rule}\n{text}\n", names.join(", ")));
    }
    page
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_only_builds_or_tests_is_not_in_the_program() {
        let dep = |id: &str, kind: Value| json!({ "pkg": id, "dep_kinds": [{ "kind": kind }] });
        let metadata = json!({
            "packages": [{ "name": "cli", "id": "cli", "source": null }],
            "resolve": { "nodes": [
                { "id": "cli", "deps": [dep("a", Value::Null), dep("t", json!("dev"))] },
                { "id": "a", "deps": [dep("b", Value::Null), dep("c", json!("build")), dep("a", Value::Null)] },
                { "id": "b", "deps": [] },
            ]},
        });
        let used: Vec<_> = used_by(&metadata, "cli").into_iter().collect();
        assert_eq!(used, ["a", "b"]);
        assert!(used_by(&metadata, "nobody").is_empty());
    }

    #[test]
    fn a_text_that_two_share_is_there_once() {
        let of = |name: &str, text: &str| Licensed {
            name: name.to_owned(),
            version: "1.0.0".to_owned(),
            licence: "MIT".to_owned(),
            texts: vec![text.to_owned()],
        };
        let page = page(&[of("a", "same"), of("b", "other"), of("c", "same")]);
        assert!(
            page.contains("\na, c\n") && page.contains("b 1.0.0: MIT\n"),
            "{page}"
        );
        assert_eq!(page.matches("same").count(), 1, "{page}");
    }
}
