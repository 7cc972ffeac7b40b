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
            "alexnet predict model.safetensors picture.png --top 3 --explain",
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

/// The command line.
pub(crate) fn command() -> Command {
    let mut command = Args::command();
    for (name, lines) in EXAMPLES {
        let text = format!("Examples:\n  {}", lines.join("\n  "));
        command = command.mut_subcommand(name, |command| command.after_help(text));
    }
    command
}

#[cfg(test)]
mod tests {
    use super::*;

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
}
