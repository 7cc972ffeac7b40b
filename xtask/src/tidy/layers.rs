//! Which crate may use which: `cli -> { report, verify } -> train -> { model, data }`, `model -> tensor -> kernels -> { shaders, wgpu }`.
//! What is above `train` also uses what is below it, `kernels` but by `verify` through `tensor`. `files` and `philox` are below all of them.
//! Development dependencies are free; a test may look anywhere.

use super::files::File;
use crate::cargo::{Package, Workspace};

/// Every crate of the workspace, lowest layer first, and those of ours that it may use.
const LAYERS: &[(&str, &[&str])] = &[
    ("files", &[]),
    ("pickle", &[]),
    ("philox", &[]),
    ("shaders", &[]),
    ("kernels", &["philox", "shaders"]),
    ("tensor", &["kernels"]),
    ("model", &["files", "pickle", "tensor"]),
    ("data", &["files", "philox", "pickle"]),
    ("train", &["files", "tensor", "model", "data"]),
    ("report", &["files", "tensor", "model", "data", "train"]),
    ("verify", &["files", "kernels", "tensor", "model", "train"]),
    (
        "cli",
        &[
            "files", "tensor", "model", "data", "train", "report", "verify",
        ],
    ),
    ("xtask", &[]),
];

/// The crate without code, a development dependency of the others; its manifest says what for.
const FEATURES_ONLY: &str = "workspace-hack";

/// Foreign crates that only some of ours may use, and why. `wgpu` stands for `wgpu-core` and its like too.
const RESERVED: &[(&str, &[&str], &str)] = &[
    (
        "wgpu",
        &["kernels"],
        "one crate knows the graphics interface",
    ),
    (
        "naga",
        &["kernels", "shaders"],
        "shaders are read where they are rendered and where they are bound",
    ),
    (
        "anyhow",
        &["cli", "xtask"],
        "a library's errors are its own types",
    ),
    ("clap", &["cli", "xtask"], "only a program has arguments"),
    ("indicatif", &["cli", "xtask"], "only a program prints"),
    ("ratatui", &["cli"], "only a program prints"),
    ("axum", &["report"], "one crate serves pages"),
    ("tokio", &["report"], "one crate serves pages"),
    (
        "ctrlc",
        &["cli", "xtask"],
        "only a program owns its signals",
    ),
];

/// The members of the workspace that have something to test, in the order of the layers, unknown ones last.
pub(crate) fn lowest_first(workspace: &Workspace) -> Vec<&str> {
    let names = workspace
        .packages
        .iter()
        .map(|package| package.name.as_str());
    let mut names: Vec<&str> = names.filter(|name| *name != FEATURES_ONLY).collect();
    names.sort_by_key(|name| {
        LAYERS
            .iter()
            .position(|(layer, _)| layer == name)
            .unwrap_or(LAYERS.len())
    });
    names
}

/// Finds dependencies against the arrows, and crates that the tables above do not know.
pub(super) fn check(packages: &[Package]) -> Vec<String> {
    let mut findings = Vec::new();
    for package in packages {
        let name = package.name.as_str();
        if name == FEATURES_ONLY {
            continue;
        }
        let Some((_, allowed)) = LAYERS.iter().find(|(layer, _)| *layer == name) else {
            findings.push(format!(
                "{}: `{name}` has no place in LAYERS (xtask/src/tidy/layers.rs)",
                manifest(package)
            ));
            continue;
        };
        for dependency in package
            .dependencies
            .iter()
            .filter(|dependency| !dependency.is_dev)
        {
            let uses = dependency.name.as_str();
            if LAYERS.iter().any(|(layer, _)| *layer == uses) && !allowed.contains(&uses) {
                let allowed = if allowed.is_empty() {
                    "none of our crates".to_owned()
                } else {
                    allowed.join(", ")
                };
                findings.push(format!(
                    "{}: `{name}` may not use `{uses}`; it may use {allowed}",
                    manifest(package)
                ));
            }
            findings.extend(check_reserved(package, uses));
        }
    }
    findings
}

fn check_reserved(package: &Package, uses: &str) -> Option<String> {
    let family = uses.split_once('-').map_or(uses, |(family, _)| family);
    let (_, users, reason) = RESERVED.iter().find(|(reserved, ..)| *reserved == family)?;
    (!users.contains(&package.name.as_str())).then(|| {
        let users = users.join(", ");
        format!(
            "{}: `{}` may not use `{uses}`, only {users} may: {reason}",
            manifest(package),
            package.name
        )
    })
}

fn manifest(package: &Package) -> String {
    package.manifest.clone()
}

/// Finds members whose manifest leaves the workspace's lint table out, and libraries that switch off the lints which
/// keep them from printing or ending the process.
pub(super) fn check_manifests(files: &[File]) -> Vec<String> {
    let mut findings = Vec::new();
    for file in files {
        let mut parts = file.path.split('/');
        let folder = match (parts.next(), parts.next()) {
            (Some("crates"), Some(name)) => name,
            (Some(name @ ("shaders" | "xtask")), Some(_)) => name,
            _ => continue,
        };
        if file.path.ends_with(&format!("{folder}/Cargo.toml"))
            && !file.text.contains("[lints]\nworkspace = true\n")
        {
            findings.push(format!(
                "{}: lacks `[lints]` with `workspace = true`",
                file.path
            ));
        }
        if file.path.ends_with(".rs") && !matches!(folder, "cli" | "xtask") {
            for lint in [
                "clippy::print_stdout",
                "clippy::print_stderr",
                "clippy::exit",
            ] {
                if file.text.contains(lint) {
                    findings.push(format!(
                        "{}: silences `{lint}`; only cli and xtask print or exit",
                        file.path
                    ));
                }
            }
        }
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cargo::Dependency;

    /// A crate with the dependencies named; `dev:` before a name makes it one for development.
    fn package(name: &str, uses: &[&str]) -> Package {
        let dependency = |line: &&str| match line.strip_prefix("dev:") {
            Some(name) => Dependency {
                name: name.to_owned(),
                is_dev: true,
            },
            None => Dependency {
                name: (*line).to_owned(),
                is_dev: false,
            },
        };
        let manifest = format!("crates/{name}/Cargo.toml");
        Package {
            name: name.to_owned(),
            version: "0.1.0".to_owned(),
            manifest,
            dependencies: uses.iter().map(dependency).collect(),
        }
    }

    #[test]
    fn the_arrows_of_the_design_pass() {
        let packages = [
            package("kernels", &["shaders", "wgpu", "naga", "rayon"]),
            package("tensor", &["kernels", "thiserror"]),
            package("train", &["data", "model", "tensor"]),
            package("cli", &["train", "anyhow", "clap"]),
        ];
        assert_eq!(check(&packages), Vec::<String>::new());
    }

    #[test]
    fn a_wrong_arrow_is_caught() {
        let findings = check(&[package("model", &["tensor", "data"])]);
        assert_eq!(
            findings,
            [
                "crates/model/Cargo.toml: `model` may not use `data`; it may use files, pickle, tensor"
            ]
        );
        assert_eq!(
            check(&[package("kernels", &["tensor"])]).len(),
            1,
            "upwards"
        );
        assert_eq!(
            check(&[package("data", &["kernels"])]).len(),
            1,
            "data is a leaf"
        );
        assert_eq!(
            check(&[package("model", &["kernels"])]).len(),
            1,
            "past a layer"
        );
    }

    #[test]
    fn development_dependencies_are_free() {
        assert_eq!(
            check(&[package(
                "shaders",
                &["dev:kernels", "dev:wgpu", "dev:anyhow"]
            )]),
            Vec::<String>::new()
        );
    }

    #[test]
    fn reserved_crates_are_caught() {
        assert!(
            check(&[package("tensor", &["wgpu"])])[0]
                .contains("one crate knows the graphics interface")
        );
        assert_eq!(
            check(&[package("tensor", &["wgpu-types"])]).len(),
            1,
            "a part of wgpu"
        );
        assert_eq!(
            check(&[package("data", &["anyhow"])]).len(),
            1,
            "anyhow in a library"
        );
        assert_eq!(
            check(&[package("train", &["clap"])]).len(),
            1,
            "arguments in a library"
        );
    }

    #[test]
    fn an_unknown_crate_is_caught() {
        assert!(check(&[package("utils", &[])])[0].contains("LAYERS"));
    }

    #[test]
    fn tests_run_from_the_lowest_layer_up() {
        let packages = ["cli", "kernels", "newcomer", "shaders"]
            .map(|name| package(name, &[]))
            .into();
        let workspace = Workspace {
            root: "/w".into(),
            target_dir: "/t".into(),
            packages,
        };
        assert_eq!(
            lowest_first(&workspace),
            ["shaders", "kernels", "cli", "newcomer"]
        );
    }

    #[test]
    fn manifests_take_the_lint_table() {
        let with = File::made_up(
            "crates/data/Cargo.toml",
            "[package]\n\n[lints]\nworkspace = true\n",
        );
        let without = File::made_up("shaders/Cargo.toml", "[package]\n");
        let elsewhere = File::made_up("tests/projects/one/Cargo.toml", "[package]\n");
        let findings = check_manifests(&[with, without, elsewhere]);
        assert_eq!(
            findings,
            ["shaders/Cargo.toml: lacks `[lints]` with `workspace = true`"]
        );
    }

    #[test]
    fn a_printing_library_is_caught() {
        let library = File::made_up(
            "crates/data/src/lib.rs",
            "#![expect(clippy::print_stderr)]\n",
        );
        let program = File::made_up(
            "crates/cli/src/main.rs",
            "#![expect(clippy::print_stderr)]\n",
        );
        assert_eq!(
            check_manifests(&[library, program]).len(),
            1,
            "the library only"
        );
    }
}
