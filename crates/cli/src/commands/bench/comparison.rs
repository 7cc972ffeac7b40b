//! A comparison: every contender measures every network in turn, several times over, each time in a fresh process, so that
//! none is favoured by the machine's mood or by what another left in memory.

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result};
use serde::Deserialize;

use super::contenders::{self, Contender, last_line};
use super::processors::Processors;
use crate::args::BenchArgs;
use crate::report::{self, Compared, Comparison};

/// Networks and batch sizes that are compared. Every peer has these two.
const WORKLOADS: [(&str, usize); 3] = [
    ("alexnet-small", 128),
    ("alexnet-ungrouped", 32),
    ("alexnet-ungrouped", 128),
];
/// How long training and inference are timed in one process, unless told otherwise.
const SECONDS: f64 = 10.0;
/// A contender that took longer than this in the first round, most of it to start, is not measured again.
const SLOW: Duration = Duration::from_secs(180);

/// What a contender prints of one measurement.
#[derive(Debug, Deserialize)]
struct Measured {
    parameters: u64,
    first_step_s: f64,
    train: Times,
    infer: Times,
    peak_host_bytes: Option<u64>,
    peak_device_bytes: Option<u64>,
}

#[derive(Debug, Deserialize)]
struct Times {
    seconds: Vec<f64>,
}

pub(super) fn run(args: &BenchArgs) -> Result<ExitCode> {
    let (mut contenders, mut absent) = (contenders::ours(args.device.as_deref())?, Vec::new());
    if let Some(folder) = &args.peers {
        anyhow::ensure!(
            folder.is_dir(),
            "--peers: {} is not a folder",
            report::shown(folder)
        );
        let peers = contenders::peers(folder, &pythons(args));
        let is_wanted = |peer: &Contender| contenders.iter().any(|ours| ours.device == peer.device);
        let wanted: Vec<_> = peers.0.into_iter().filter(|peer| is_wanted(peer)).collect();
        contenders.extend(wanted);
        absent = peers.1;
    }
    let chosen = WORKLOADS.into_iter().filter(|(network, batch_size)| {
        args.network.as_ref().is_none_or(|name| name == network)
            && args.batch_size.is_none_or(|asked| asked == *batch_size)
    });
    let chosen: Vec<_> = chosen.collect();
    anyhow::ensure!(
        !chosen.is_empty(),
        "peers have {WORKLOADS:?} only: --network and --batch-size leave none of them"
    );
    let mut comparison = Comparison {
        rounds: args.rounds,
        absent,
        results: Vec::new(),
    };
    for (network, batch_size) in chosen {
        let began = comparison.results.len();
        let fresh = contenders
            .iter()
            .map(|contender| Compared::new(network, batch_size, contender));
        comparison.results.extend(fresh);
        compare(args, &contenders, &mut comparison.results[began..])?;
    }
    report::comparison(&comparison, args.output)?;
    Ok(ExitCode::SUCCESS)
}

/// The interpreters that are asked for, else the environment's, else the path's.
fn pythons(args: &BenchArgs) -> Vec<PathBuf> {
    if !args.python.is_empty() {
        return args.python.clone();
    }
    let named = std::env::var_os("BENCH_PYTHON").map(PathBuf::from);
    vec![named.unwrap_or_else(|| "python3".into())]
}

/// Measures one network with every contender, in rounds that begin with another one each time.
fn compare(args: &BenchArgs, contenders: &[Contender], results: &mut [Compared]) -> Result<()> {
    for round in 0..args.rounds {
        for turn in 0..contenders.len() {
            let idx = (round + turn) % contenders.len();
            let result = &mut results[idx];
            if result.failure.is_some() || result.is_slow {
                continue;
            }
            let (others, began) = (Processors::now(), Instant::now());
            match measure(args, &contenders[idx], result) {
                Ok(measured) => take_in(result, measured, &others),
                Err(error) => result.failure = Some(format!("{error:#}")),
            }
            result.is_slow = began.elapsed() > SLOW;
            report::compared(round, result, args.output);
        }
    }
    Ok(())
}

fn measure(args: &BenchArgs, contender: &Contender, result: &Compared) -> Result<Measured> {
    let output = contender
        .command(&result.network, result.batch_size)
        .args(["--steps", &args.steps.to_string()])
        .args(["--seconds", &args.seconds.unwrap_or(SECONDS).to_string()])
        .output()
        .context("cannot start")?;
    if !output.status.success() {
        anyhow::bail!("{}", last_line(&output.stderr));
    }
    serde_json::from_slice(&output.stdout).context("what it printed is not the JSON expected")
}

fn take_in(result: &mut Compared, measured: Measured, others: &Processors) {
    result.parameters = Some(measured.parameters);
    result.first_step_s.push(measured.first_step_s);
    result.train_s.extend(measured.train.seconds);
    result.infer_s.extend(measured.infer.seconds);
    result.train_s.sort_by(f64::total_cmp);
    result.infer_s.sort_by(f64::total_cmp);
    result.peak_host_bytes = result.peak_host_bytes.max(measured.peak_host_bytes);
    result.peak_device_bytes = result.peak_device_bytes.max(measured.peak_device_bytes);
    result.others = result
        .others
        .into_iter()
        .chain(others.taken_by_others())
        .reduce(f64::max);
}
