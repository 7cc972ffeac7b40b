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
    // What the program is built from on this target, features and all; `metadata` would count those of every target.
    let mut tree = "tree --locked -p cli --edges normal,no-proc-macro --prefix none --target"
        .split(' ')
        .collect::<Vec<_>>();
    tree.push(target);
    let used = names(&asked(workspace, &tree)?);
    ensure!(used.len() > 1, "cargo tree names no dependency of cli");
    let metadata = asked(
        workspace,
        &["metadata", "--locked", "--format-version", "1"],
    )?;
    let metadata: Value = serde_json::from_str(&metadata)?;
    let mut crates = Vec::new();
    for package in metadata["packages"].as_array().into_iter().flatten() {
        let key = |key: &str| package[key].as_str().unwrap_or_default().to_owned();
        if !package["source"].is_null() && used.contains(&(key("name") + " " + &key("version"))) {
            crates.push(Licensed::of(package)?);
        }
    }
    crates.sort();
    Ok(page(&crates))
}

/// What cargo answers.
fn asked(workspace: &Workspace, args: &[&str]) -> Result<String> {
    let mut cargo = cargo::command();
    let output = cargo.current_dir(&workspace.root).args(args).output();
    let output = output.context("cannot start cargo")?;
    ensure!(
        output.status.success(),
        "cargo {args:?}: {}",
        String::from_utf8_lossy(&output.stderr)
    );
    Ok(String::from_utf8(output.stdout)?)
}

/// `NAME VERSION` of each line of `cargo tree`, which says `NAME vVERSION` and more.
fn names(tree: &str) -> BTreeSet<String> {
    let name = |line: &str| {
        let mut words = line.split(' ');
        let name = words.next()?;
        let version = words.next()?.strip_prefix('v')?;
        Some(format!("{name} {version}"))
    };
    tree.lines().filter_map(name).collect()
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
    use super::*;

    #[test]
    fn crates_are_read_from_cargo_tree() {
        let tree =
            "cli v0.1.0 (/w/crates/cli)\nanyhow v1.0.104\nzip v9.4.1 (*)\n\nanyhow v1.0.104\n";
        let names: Vec<_> = names(tree).into_iter().collect();
        assert_eq!(names, ["anyhow 1.0.104", "cli 0.1.0", "zip 9.4.1"]);
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
