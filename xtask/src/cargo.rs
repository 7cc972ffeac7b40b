//! Calling cargo: the command itself, and the part of `cargo metadata` that the tasks need. Not a general binding.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result, bail};
use serde_json::Value;

/// The workspace, as far as the tasks look at it.
#[derive(Debug)]
pub(crate) struct Workspace {
    pub(crate) root: PathBuf,
    pub(crate) target_dir: PathBuf,
    pub(crate) packages: Vec<Package>,
}

/// A member of the workspace.
#[derive(Debug)]
pub(crate) struct Package {
    pub(crate) name: String,
    pub(crate) version: String,
    /// Its `Cargo.toml`, relative to the root.
    pub(crate) manifest: String,
    pub(crate) dependencies: Vec<Dependency>,
}

/// One dependency line of a manifest.
#[derive(Debug)]
pub(crate) struct Dependency {
    pub(crate) name: String,
    pub(crate) is_dev: bool,
}

/// The cargo that runs this program, or the one on the path.
pub(crate) fn command() -> Command {
    Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()))
}

impl Workspace {
    /// Asks cargo about the workspace that this program belongs to, wherever it is called from.
    pub(crate) fn load() -> Result<Self> {
        let mut cargo = command();
        cargo.args(["metadata", "--no-deps", "--format-version", "1"]);
        // Set by `cargo run`, so by `cargo xtask`; a directly started program looks from the current folder.
        if let Some(dir) = std::env::var_os("CARGO_MANIFEST_DIR") {
            cargo
                .arg("--manifest-path")
                .arg(Path::new(&dir).join("Cargo.toml"));
        }
        let output = cargo.output().context("cannot start cargo")?;
        if !output.status.success() {
            bail!(
                "cargo metadata failed: {}",
                String::from_utf8_lossy(&output.stderr).trim()
            );
        }
        Self::parse(&output.stdout)
    }

    /// The version of a member.
    pub(crate) fn version(&self, member: &str) -> Result<&str> {
        let mut packages = self.packages.iter();
        let package = packages.find(|package| package.name == member);
        Ok(&package
            .with_context(|| format!("no crate {member} here"))?
            .version)
    }

    fn parse(json: &[u8]) -> Result<Self> {
        let metadata: Value = serde_json::from_slice(json).context("cargo metadata is not JSON")?;
        let root = text(&metadata, "workspace_root")?;
        let mut packages = Vec::new();
        for package in array(&metadata, "packages")? {
            let mut dependencies = Vec::new();
            for dependency in array(package, "dependencies")? {
                let is_dev = dependency["kind"].as_str() == Some("dev");
                dependencies.push(Dependency {
                    name: text(dependency, "name")?.to_owned(),
                    is_dev,
                });
            }
            let manifest = Path::new(text(package, "manifest_path")?);
            let manifest = manifest.strip_prefix(root).unwrap_or(manifest);
            // With `/` everywhere, as git lists files.
            let manifest = manifest.display().to_string().replace('\\', "/");
            packages.push(Package {
                name: text(package, "name")?.to_owned(),
                version: text(package, "version")?.to_owned(),
                manifest,
                dependencies,
            });
        }
        Ok(Self {
            root: root.into(),
            target_dir: text(&metadata, "target_directory")?.into(),
            packages,
        })
    }
}

fn text<'a>(value: &'a Value, key: &str) -> Result<&'a str> {
    value[key]
        .as_str()
        .with_context(|| format!("cargo metadata has no text `{key}`"))
}

fn array<'a>(value: &'a Value, key: &str) -> Result<&'a Vec<Value>> {
    value[key]
        .as_array()
        .with_context(|| format!("cargo metadata has no list `{key}`"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_cargo_prints() {
        let json = br#"{"workspace_root": "/w", "target_directory": "/t", "packages": [{"name": "model", "version": "0.1.0",
            "manifest_path": "/w/crates/model/Cargo.toml", "dependencies": [{"name": "tensor", "kind": null},
            {"name": "tempfile", "kind": "dev"}]}]}"#;
        let workspace = Workspace::parse(json).unwrap();
        assert_eq!(workspace.target_dir, Path::new("/t"));
        assert_eq!(workspace.version("model").unwrap(), "0.1.0");
        assert_eq!(workspace.packages[0].manifest, "crates/model/Cargo.toml");
        let dev: Vec<_> = workspace.packages[0]
            .dependencies
            .iter()
            .map(|d| (d.name.as_str(), d.is_dev))
            .collect();
        assert_eq!(dev, [("tensor", false), ("tempfile", true)]);
    }

    #[test]
    fn says_what_is_missing() {
        let error = Workspace::parse(br#"{"packages": []}"#).unwrap_err();
        assert!(error.to_string().contains("workspace_root"), "{error}");
    }
}
