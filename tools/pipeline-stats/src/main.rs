//! What Vulkan drivers' compilers make of the shaders, in two steps, as the drivers may be those of another system's folder:
//!
//! - `pipeline-stats list OUT [all]` writes the SPIR-V of every variant that a card's tables can choose to `OUT/NUMBER.spv`, and
//!   `OUT/COMPILER.tsv` for each compiler: number, runs, bindings, entry point, label. With `all`, of every variant there is.
//! - `pipeline-stats compile OUT COMPILER` makes a pipeline of each line on the first Vulkan device that there is, and writes what
//!   `VK_KHR_pipeline_executable_properties` tells to `OUT/COMPILER.stats`: `label TAB runs TAB key=value …`. Nothing is dispatched, so
//!   that a driver will do whose kernel is a stub. A driver that gives its listings to standard output has that in `OUT/COMPILER.out`.

mod compile;
mod list;
mod listing;

use std::path::Path;
use std::process::ExitCode;

/// A failure, told in words.
type Outcome<T = ()> = Result<T, Box<dyn std::error::Error>>;

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    let done = match args[..] {
        ["list", out] => list::run(Path::new(out), false),
        ["list", out, "all"] => list::run(Path::new(out), true),
        ["compile", out, compiler] => compile::run(Path::new(out), compiler),
        _ => {
            eprintln!("usage: pipeline-stats list OUT [all] | compile OUT COMPILER");
            return ExitCode::from(2);
        }
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}
