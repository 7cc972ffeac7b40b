//! Development tasks: what CI runs, the layout checks, and the short way to run `alexnet` from a checkout.
//!
//! One file per verb. Nothing here computes or trains: a verb that is not a task of this program is handed to the
//! `alexnet` binary, built in release mode, with its arguments unread.
#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a command-line program: what it has to say goes to the terminal"
)]

mod alexnet;
mod bench;
mod cargo;
mod cross;
mod dist;
mod shaders;
mod test;
mod tidy;
mod vulkan;

use std::ffi::OsString;
use std::process::ExitCode;

const HELP: &str = "\
Usage: cargo xtask VERB [ARGS...]

Checks:
  test             everything that CI runs: formatting, tidy, clippy, tests crate by crate, docs, example projects
    --quick        without the docs and the example projects
    --keep-going   all steps, even after one has failed
    --cross        the other platforms instead: compiles for Linux on ARM, macOS, the web and Windows, runs under Wine;
                   one of these by --cross=linux-arm, macos, web, windows or wine
  ci               the same as test
  tidy             layers, operators and files only; takes a second
  shaders stats    registers, spills and cycles by compilers of five makers' GPUs, without one: see benches/README.md
    --chroot DIR                measures with Debian sid in this folder, which is set up first
    --against FILE|COMMIT       compares with another table
  shaders check    every shader variant through the compilers that are installed: Tint, spirv-val, vkd3d

Releases:
  dist             a stripped program for each platform that can be built for here, packed with licences and man pages
    --target T     for this platform alone, as rustc calls it; may be given again
    --profile P    another of cargo's profiles, such as dev
    --out DIR      another folder than target/dist

Every other verb builds the alexnet binary in release mode and runs it, for example:
  cargo xtask train             train on the built-in shapes10 data set
  cargo xtask train cifar10     train on CIFAR-10
  cargo xtask gradcheck         prove every operator on the devices of this machine
  cargo xtask bench             images per second in training and inference
    --peers                     beside PyTorch, TensorFlow, burn and candle: see benches/README.md
  cargo xtask help-alexnet      the help of alexnet itself
";

/// Exit status for a command line that cannot be understood, as in `alexnet`.
const USAGE: u8 = 2;

fn main() -> ExitCode {
    let mut args = std::env::args_os().skip(1);
    let Some(verb) = args.next() else {
        eprint!("{HELP}");
        return ExitCode::from(USAGE);
    };
    match run(verb, args.collect()) {
        Ok(code) => code,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(verb: OsString, args: Vec<OsString>) -> anyhow::Result<ExitCode> {
    match verb.to_str() {
        Some("help" | "--help" | "-h") => {
            print!("{HELP}");
            Ok(ExitCode::SUCCESS)
        }
        Some("test" | "ci") => match test::Options::parse(&args) {
            Ok(options) => test::run(&options),
            Err(message) => Ok(usage(&message)),
        },
        Some("dist") => match dist::Options::parse(&args) {
            Ok(options) => dist::run(&options),
            Err(message) => Ok(usage(&message)),
        },
        Some("tidy") if args.is_empty() => tidy::run(),
        Some("tidy") => Ok(usage("`tidy` takes no arguments")),
        Some("shaders") => shaders::run(&args),
        Some("bench") if args.iter().any(|arg| arg == bench::PEERS) => bench::run(args),
        Some("help-alexnet") => alexnet::run(&["--help".into()]),
        _ => {
            let mut all = vec![verb];
            all.extend(args);
            alexnet::run(&all)
        }
    }
}

fn usage(message: &str) -> ExitCode {
    eprintln!("error: {message}\nhint: `cargo xtask help` lists the verbs");
    ExitCode::from(USAGE)
}
