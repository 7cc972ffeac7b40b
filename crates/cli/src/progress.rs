//! Progress: a bar on a terminal, plain lines that `grep` finds when standard error is not one.

use std::io::IsTerminal as _;
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use train::data::{Progress as DataProgress, Skipped, Split, Stage};
use train::{Event, FineTuning, Row, Start, Step};

use crate::args::OutputArgs;
use crate::report::{skipped_lines, split_name, to_stderr};

/// How often a plain line says how far an epoch is.
const LINE_EVERY: Duration = Duration::from_secs(10);

/// What is shown while a command runs.
#[derive(Debug)]
pub(crate) struct Progress {
    bar: Option<ProgressBar>,
    output: OutputArgs,
    last_line: Instant,
    epochs: u64,
}

impl Progress {
    pub(crate) fn new(output: OutputArgs) -> Self {
        let bar = (!output.quiet && std::io::stderr().is_terminal()).then(|| {
            let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr());
            let style =
                ProgressStyle::with_template("{prefix} {wide_bar} {pos}/{len} {msg} ETA {eta}");
            bar.with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()))
        });
        Self {
            bar,
            output,
            last_line: Instant::now(),
            epochs: 0,
        }
    }

    /// Prints a line above the bar.
    pub(crate) fn line(&mut self, text: &str) {
        if self.output.quiet {
            return;
        }
        let print = || to_stderr(&format!("{text}\n"));
        match &self.bar {
            Some(bar) => bar.suspend(print),
            None => print(),
        }
        self.last_line = Instant::now();
    }

    fn line_is_due(&self) -> bool {
        self.bar.is_none() && self.last_line.elapsed() >= LINE_EVERY
    }

    fn bar(&self, prefix: &str, done: u64, of: u64, message: String) {
        if let Some(bar) = &self.bar {
            if bar.prefix() != prefix {
                bar.reset();
                bar.set_prefix(prefix.to_owned());
            }
            bar.set_length(of);
            bar.set_position(done);
            bar.set_message(message);
        }
    }

    /// Takes the bar away.
    pub(crate) fn clear(&self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }

    /// Shows how far a data set's files are.
    pub(crate) fn download(&mut self, progress: &DataProgress<'_>) {
        let stage = match progress.stage {
            Stage::Download => "download",
            Stage::Unpack => "unpack",
            _ => "read",
        };
        let total = progress.total.unwrap_or(progress.done);
        let prefix = format!("{stage} {}", progress.what);
        self.bar(&prefix, progress.done, total, String::new());
        if self.line_is_due() {
            self.line(&format!("{prefix} {}/{total}", progress.done));
        }
    }

    /// Lists files that were left out.
    pub(crate) fn skipped(&mut self, skipped: &[Skipped]) {
        for line in skipped_lines(skipped) {
            self.line(&line);
        }
    }

    /// Shows how far an evaluation is.
    pub(crate) fn evaluating(&mut self, split: Split, done: usize, of: usize) {
        self.bar(split_name(split), done as u64, of as u64, String::new());
        if self.line_is_due() {
            self.line(&format!("{} batch {done}/{of}", split_name(split)));
        }
    }

    /// Shows what happens in a run.
    pub(crate) fn event(&mut self, event: &Event<'_>) {
        match event {
            Event::Started(start) => self.started(start),
            Event::Step(step) => self.step(step),
            Event::Evaluating { split, done, of } => self.evaluating(*split, *done, *of),
            Event::Epoch(row) => self.epoch(row),
            Event::Finished(_) => self.clear(),
            _ => {}
        }
    }

    fn started(&mut self, start: &Start) {
        self.epochs = start.epochs;
        let [train, validation, test] = start.images;
        self.line(&format!(
            "{} with {} parameters on {}, {train} training, {validation} validation and {test} test images, {}",
            start.network, start.parameters, start.dataset, start.device
        ));
        let mib = |bytes: u64| bytes >> 20;
        let resident = start.memory.host_bytes.map_or_else(String::new, |bytes| {
            format!(", {} MiB resident on the host", mib(bytes))
        });
        self.line(&format!(
            "memory: will take {} MiB on the device{resident}",
            mib(start.memory.device_bytes)
        ));
        if start.is_software {
            self.line(
                "this device is a software rasteriser, which is slow: `--device cpu` is faster",
            );
        }
        if let Some(initial) = &start.initial {
            let FineTuning {
                path, loaded, new, ..
            } = initial;
            let path = path.display();
            self.line(&format!("{} parameters are those of {path}", loaded.len()));
            if !new.is_empty() {
                self.line(&format!(
                    "new, as it has none of this shape: {}",
                    new.join(", ")
                ));
            }
            if !initial.unused.is_empty() {
                self.line(&format!("not used: {}", initial.unused.join(", ")));
            }
        }
        if start.epochs_done > 0 {
            self.line(&format!("going on after epoch {}", start.epochs_done));
        }
    }

    fn step(&mut self, step: &Step) {
        let figures = format!(
            "loss {:.4} accuracy {:.4} images/s {:.0}",
            step.loss, step.accuracy, step.images_per_s
        );
        let prefix = format!("epoch {}/{}", step.epoch, self.epochs);
        if self.line_is_due() || (self.output.verbose && self.bar.is_none()) {
            self.line(&format!(
                "{prefix} step {}/{} {figures}",
                step.done, step.of
            ));
        }
        self.bar(&prefix, step.done as u64, step.of as u64, figures);
    }

    fn epoch(&mut self, row: &Row) {
        let validation = match (row.val_loss, row.val_accuracy) {
            (Some(loss), Some(accuracy)) => {
                format!(" val_loss {loss:.4} val_accuracy {accuracy:.4}")
            }
            _ => String::new(),
        };
        self.line(&format!(
            "epoch {}/{} step {} lr {} loss {:.4} accuracy {:.4}{validation} images/s {:.0} seconds {:.1}",
            row.epoch,
            self.epochs,
            row.step,
            row.lr,
            row.train_loss,
            row.train_accuracy,
            row.images_per_s,
            row.seconds
        ));
    }
}
