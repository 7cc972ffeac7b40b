//! Who is compared: this program on each device, and the peers that are found.
//!
//! A peer is a program that answers `--variants` with a JSON list of what it can measure here, and `--network NAME
//! --batch-size N --steps N --seconds S` and a variant's own arguments with one JSON object: what
//! `alexnet bench NAME --json` prints has the same keys.

use std::collections::BTreeMap;
use std::env;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context as _, Result};
use serde::Deserialize;
use tensor::Device;

use crate::report::shown;

/// The peers in Python.
const SCRIPTS: [&str; 2] = ["torch_bench.py", "tf_bench.py"];
/// The peers in Rust, which `cargo xtask bench --peers` builds.
const PROGRAMS: [&str; 3] = ["burn_flex_bench", "burn_wgpu_bench", "candle_bench"];

/// A program with the arguments that make it measure one thing.
#[derive(Clone, Debug)]
pub(crate) struct Contender {
    pub(crate) name: String,
    /// `cpu` or `gpu`: only contenders of the same are compared.
    pub(crate) device: String,
    pub(crate) is_ours: bool,
    program: PathBuf,
    arguments: Vec<String>,
    environment: BTreeMap<String, String>,
}

/// A peer that can't be measured here, and why.
#[derive(Clone, Debug)]
pub(crate) struct Absent {
    pub(crate) name: String,
    pub(crate) reason: String,
}

/// What a peer says it can measure.
#[derive(Debug, Deserialize)]
struct Variant {
    name: String,
    device: String,
    args: Vec<String>,
    #[serde(default)]
    env: BTreeMap<String, String>,
}

impl Contender {
    /// The command that measures a network.
    pub(super) fn command(&self, network: &str, batch_size: usize) -> Command {
        let mut command = Command::new(&self.program);
        command.args(&self.arguments).envs(&self.environment);
        let flag = if self.is_ours {
            None
        } else {
            Some("--network")
        };
        command.args(flag).arg(network);
        command.args(["--batch-size", &batch_size.to_string()]);
        command.stdin(Stdio::null());
        command
    }
}

/// This program on the CPU device and on the best adapter, or on the device that is asked for.
pub(super) fn ours(selector: Option<&str>) -> Result<Vec<Contender>> {
    let program = env::current_exe().context("this program's own path is unknown")?;
    let selectors = match selector {
        Some(selector) => vec![selector],
        None if Device::adapters().is_empty() => vec!["cpu"],
        None => vec!["cpu", "gpu"],
    };
    let mut contenders = Vec::new();
    for selector in selectors {
        let device = Device::open(selector)?;
        let kind = if device.is_cpu() { "cpu" } else { "gpu" };
        let mut add = |name: String, precision: &str| {
            let arguments = [
                "bench",
                "--json",
                "--device",
                selector,
                "--precision",
                precision,
            ];
            contenders.push(Contender {
                name,
                device: kind.to_owned(),
                is_ours: true,
                program: program.clone(),
                arguments: arguments.map(str::to_owned).to_vec(),
                environment: BTreeMap::new(),
            });
        };
        add(format!("alexnet, {}", device.name()), "f32");
        // In software it gains nothing.
        if device.has_f16() && !device.is_software() {
            add(format!("alexnet, {}, f16", device.name()), "f16");
        }
    }
    Ok(contenders)
}

/// The peers in `folder`, those in Python through each of `pythons`; and those that can't run here.
pub(super) fn peers(folder: &Path, pythons: &[PathBuf]) -> (Vec<Contender>, Vec<Absent>) {
    let (mut found, mut absent) = (Vec::new(), Vec::new());
    for script in SCRIPTS {
        let path = folder.join(script);
        let answers = pythons.iter().map(|python| variants(python, Some(&path)));
        take_in(script, answers.collect(), &mut found, &mut absent);
    }
    for program in PROGRAMS {
        let path = folder
            .join("target/release")
            .join(format!("{program}{}", env::consts::EXE_SUFFIX));
        take_in(
            program,
            vec![variants(&path, None)],
            &mut found,
            &mut absent,
        );
    }
    (found, absent)
}

/// Keeps what a peer can measure; or, if it can't be run in any way, the last reason.
fn take_in(
    name: &str,
    answers: Vec<Result<Vec<Contender>>>,
    found: &mut Vec<Contender>,
    absent: &mut Vec<Absent>,
) {
    let before = found.len();
    let mut reason = "no Python to run it".to_owned();
    for answer in answers {
        match answer {
            Ok(contenders) => found.extend(contenders),
            Err(error) => reason = format!("{error:#}"),
        }
    }
    if found.len() == before {
        absent.push(Absent {
            name: name.to_owned(),
            reason,
        });
    }
}

/// Asks a peer what it can measure: a script through `program`, or a program of its own.
fn variants(program: &Path, script: Option<&Path>) -> Result<Vec<Contender>> {
    let file = script.unwrap_or(program);
    anyhow::ensure!(file.exists(), "{} is not there", shown(file));
    let first: Vec<_> = script
        .map(|path| path.display().to_string())
        .into_iter()
        .collect();
    let output = Command::new(program)
        .args(&first)
        .arg("--variants")
        .stdin(Stdio::null())
        .output()
        .with_context(|| format!("cannot start {}", shown(program)))?;
    if !output.status.success() {
        anyhow::bail!("{}", last_line(&output.stderr));
    }
    let variants: Vec<Variant> = serde_json::from_slice(&output.stdout)
        .with_context(|| format!("{} --variants: not the JSON expected", shown(file)))?;
    let contenders = variants.into_iter().map(|variant| Contender {
        name: variant.name,
        device: variant.device,
        is_ours: false,
        program: program.to_owned(),
        arguments: first.iter().cloned().chain(variant.args).collect(),
        environment: variant.env,
    });
    Ok(contenders.collect())
}

/// The last line that says something: where Python and panics have their message.
pub(super) fn last_line(stderr: &[u8]) -> String {
    let text = String::from_utf8_lossy(stderr);
    let mut lines = text.lines().map(str::trim).rev();
    let line = lines.find(|line| !line.is_empty() && !line.starts_with("note: run with"));
    line.unwrap_or("it failed without a message").to_owned()
}
