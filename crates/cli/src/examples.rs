//! The command line with examples under each command's help.

use clap::{Command, CommandFactory as _};

use crate::args::Args;

/// Each command's examples, a line each.
const EXAMPLES: &[(&str, &[&str])] = &[
    (
        "train",
        &[
            "alexnet train",
            "alexnet train cifar10 --epochs 20",
            "alexnet train path/to/folder --network alexnet --device gpu",
            "alexnet train --resume runs/cifar10-20261121-200759",
        ],
    ),
    (
        "evaluate",
        &[
            "alexnet evaluate runs/cifar10-20261121-200759",
            "alexnet evaluate model.safetensors path/to/folder --split test --json",
        ],
    ),
    (
        "predict",
        &[
            "alexnet predict runs/flowers-20261121-200759 rose.jpg tulips/",
            "alexnet predict model.safetensors image.png --top 3 --occlusion-map",
            "curl -s https://example.org/rose.jpg | alexnet predict model.safetensors - --json",
        ],
    ),
    ("inspect", &["alexnet inspect runs/cifar10-20261121-200759"]),
    (
        "import",
        &["alexnet import alexnet-owt-7be5be79.pth --out model.safetensors"],
    ),
    (
        "export",
        &[
            "alexnet export runs/flowers-20261121-200759 --format onnx --out flowers.onnx",
            "alexnet export model.safetensors --format keras --out flowers.weights.h5",
        ],
    ),
    (
        "sweep",
        &[
            "alexnet sweep torch-cifar100",
            "alexnet sweep rates.toml --set epochs=5",
            "alexnet sweep rates.toml --resume sweeps/rates-20261121-200759",
        ],
    ),
    (
        "doctor",
        &["alexnet doctor", "alexnet doctor --device gpu:1 --json"],
    ),
    (
        "data",
        &[
            "alexnet data info path/to/folder",
            "alexnet data stats cifar10 --json",
            "alexnet data show flowers --out flowers.png",
        ],
    ),
    (
        "report",
        &[
            "alexnet report runs/cifar10-20261121-200759",
            "alexnet report runs/first runs/second --out both.html",
            "alexnet report runs/first --activations conv2 --image photo.jpg",
        ],
    ),
    ("watch", &["alexnet watch runs/cifar10-20261121-200759"]),
    (
        "dashboard",
        &[
            "alexnet dashboard",
            "alexnet dashboard runs --listen 127.0.0.1:8080",
        ],
    ),
    (
        "tune",
        &[
            "alexnet tune",
            "alexnet tune alexnet-ungrouped --batch-size 64 --json",
        ],
    ),
    (
        "bench",
        &[
            "alexnet bench alexnet --batch-size 128 --profile",
            "alexnet bench alexnet-small --device cpu --peers benches/peers --python venv/bin/python",
        ],
    ),
    (
        "gradcheck",
        &[
            "alexnet gradcheck",
            "alexnet gradcheck conv2d lrn --device gpu",
        ],
    ),
    ("devices", &["alexnet devices"]),
    (
        "summary",
        &[
            "alexnet summary",
            "alexnet summary alexnet --classes 1000 --batch-size 128",
        ],
    ),
    (
        "recipes",
        &["alexnet recipes", "alexnet recipes show shapes10"],
    ),
    ("parity", &["alexnet parity path/to/cases --only 'conv2d*'"]),
    (
        "learn",
        &[
            "alexnet learn",
            "alexnet learn lrn --image photo.jpg --html lrn.html",
            "alexnet learn relu --ablate",
        ],
    ),
    (
        "kernels",
        &[
            "alexnet kernels",
            "alexnet kernels conv2d_forward --device gpu",
            "alexnet kernels lrn --list",
        ],
    ),
    (
        "completions",
        &["alexnet completions bash > ~/.local/share/bash-completion/completions/alexnet"],
    ),
    (
        "man",
        &[
            "alexnet man | man -l -",
            "alexnet man --out ~/.local/share/man/man1",
        ],
    ),
];

/// A sweep file, for the help.
const SWEEP: &str = "\
A sweep file, of every combination of settings:
  recipe = \"cifar10\"
  base = { epochs = 5 }
  [grid]
  \"optimizer.learning_rate\" = [1e-3, 3e-4]
  batch_size = [64, 128]
or, in place of [grid], a [[run]] table with a name and settings for each run.

";

/// The command line.
pub(crate) fn command() -> Command {
    let mut command = Args::command();
    for (name, lines) in EXAMPLES {
        let before = if *name == "sweep" { SWEEP } else { "" };
        let text = format!("{before}Examples:\n  {}", lines.join("\n  "));
        command = command.mut_subcommand(name, |command| command.after_help(text));
    }
    command
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    #[test]
    fn the_sweep_of_the_help_is_one() {
        let (_, file) = SWEEP.split_once(":\n").unwrap();
        let (file, _) = file.split_once("or, in place").unwrap();
        let sweep = train::Sweep::parse(file, Path::new("help.toml")).unwrap();
        assert_eq!(sweep.runs.len(), 4);
    }

    #[test]
    fn examples_are_commands_that_are_understood() {
        for (name, lines) in EXAMPLES {
            for line in *lines {
                let own = line
                    .split(" | ")
                    .find(|part| part.starts_with("alexnet"))
                    .unwrap();
                let words = own.split(" > ").next().unwrap().split(' ');
                let parsed =
                    command().try_get_matches_from(words.map(|word| word.trim_matches('\'')));
                let parsed = parsed.unwrap_or_else(|error| panic!("{line}: {error}"));
                assert_eq!(parsed.subcommand_name(), Some(*name), "{line}");
            }
        }
    }

    fn page(path: &str) -> String {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
        std::fs::read_to_string(root.join(path)).unwrap()
    }

    /// The command lines in a page: lines of its shell blocks, and the first cells of its tables' rows, without what is
    /// optional there.
    fn commands(page: &str) -> Vec<String> {
        let mut commands = Vec::new();
        for line in page.lines() {
            let line = line.strip_prefix("| `").map_or(Some(line), |row| {
                let (command, rest) = row.split_once('`')?;
                (rest.starts_with(" |") && !command.contains("\\|")).then_some(command)
            });
            let Some(rest) = line.and_then(|line| line.strip_prefix("cargo xtask ")) else {
                continue;
            };
            let command = rest.split(" #").next().unwrap_or_default();
            let command = command.split(" [").next().unwrap_or_default().trim();
            let verb = command.split(' ').next().unwrap_or_default();
            if !["test", "tidy", "shaders", "dist"].contains(&verb) {
                commands.push(command.to_owned());
            }
        }
        commands
    }

    #[test]
    fn commands_of_the_docs_are_understood() {
        for path in ["README.md", "docs/commands.md", "docs/results.md"] {
            let commands = commands(&page(path));
            assert!(commands.len() >= 5, "{path}: {commands:?}");
            for line in commands {
                let words = ["alexnet"].into_iter().chain(line.split_whitespace());
                let parsed = command().try_get_matches_from(words);
                assert!(parsed.is_ok(), "{path}: {line}: {}", parsed.unwrap_err());
            }
        }
    }

    #[test]
    fn every_verb_is_in_the_docs() {
        let page = page("docs/commands.md");
        for verb in command().get_subcommands().map(Command::get_name) {
            assert!(page.contains(&format!("`cargo xtask {verb}")), "{verb}");
        }
    }
}
