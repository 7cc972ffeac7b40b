//! How much is printed, and in which form.

use clap::Args as ClapArgs;

use super::{Command, DataAction};

/// Verbosity and format of the output.
#[derive(Clone, Copy, Debug, ClapArgs)]
pub(crate) struct OutputArgs {
    /// Print nothing but errors and, with --json, the result
    #[arg(short, long)]
    pub(crate) quiet: bool,
    /// Print more
    #[arg(short, long, conflicts_with = "quiet")]
    pub(crate) verbose: bool,
    /// Print the result as JSON on standard output
    #[arg(long)]
    pub(crate) json: bool,
}

impl Command {
    /// Whether the user wants nothing but errors and, with `--json`, the result.
    pub(crate) fn is_quiet(&self) -> bool {
        let output = match self {
            Self::Train(args) => args.output,
            Self::Evaluate(args) => args.output,
            Self::Predict(args) => args.output,
            Self::Inspect(args) => args.output,
            Self::Import(args) => args.output,
            Self::Export(args) => args.output,
            Self::Sweep(args) => args.output,
            Self::Data(args) => match &args.action {
                DataAction::Info(args) | DataAction::Stats(args) => args.output,
                DataAction::Show(args) => args.data.output,
                DataAction::Download(args) => args.output,
            },
            Self::Bench(args) => args.output,
            Self::Tune(args) => args.output,
            Self::Gradcheck(args) => args.output,
            Self::Devices(output) => *output,
            Self::Doctor(args) => args.output,
            Self::Summary(args) => args.output,
            Self::Recipes(args) => args.output,
            Self::Parity(args) => args.output,
            Self::Report(args) => args.output,
            Self::Dashboard(args) => args.output,
            Self::Learn(args) => args.output,
            Self::Kernels(args) => args.output,
            Self::Watch(_) | Self::Completions(_) | Self::Man(_) => return false,
        };
        output.quiet
    }
}
