//! Progress: bars and a growing table on a terminal, plain lines that `grep` finds when standard error is not one.

mod clock;
mod lines;
mod narrow;
mod screen;

use std::io::IsTerminal as _;
use std::time::{Duration, Instant};

use data::{DataSet, Progress as DataProgress, Split, Stage as DataStage};
use model::Head;
use train::{Event, FineTuning, Metric, Published, RateChange, Row, Start, Step};

use self::clock::{Clock, Stage};
use self::screen::Screen;
pub(crate) use self::screen::without_bars;
use crate::args::OutputArgs;
use crate::report::{left_out_lines, shown, skipped_lines, to_stderr};
use crate::signals::listen;

/// How often a plain line says how far an epoch is.
const LINE_EVERY: Duration = Duration::from_secs(10);

/// The columns of the table of epochs.
const HEADER: &str =
    "  epoch     loss    acc val loss val acc  top 5       lr images/s wait     time";

/// What is shown while a command runs.
#[derive(Debug)]
pub(crate) struct Progress {
    screen: Option<Screen>,
    output: OutputArgs,
    clock: Clock,
    last_line: Instant,
    epochs: u64,
    best: Option<Row>,
    best_by: Metric,
    /// What the recipe's source has published.
    published: Option<Published>,
    /// Steps that were done before the current epoch.
    steps_before: u64,
}

impl Progress {
    pub(crate) fn new(output: OutputArgs) -> Self {
        let screen = (!output.quiet && std::io::stderr().is_terminal()).then(Screen::new);
        if screen.is_some() {
            // So that Ctrl-C takes the bars away. Where nobody can listen, it ends the program as ever.
            drop(listen());
        }
        Self {
            screen,
            output,
            clock: Clock::new(),
            last_line: Instant::now(),
            epochs: 0,
            best: None,
            best_by: Metric::ValAccuracy,
            published: None,
            steps_before: 0,
        }
    }

    /// Prints a line above the bars.
    pub(crate) fn line(&mut self, text: &str) {
        if self.output.quiet {
            return;
        }
        let print = || to_stderr(&format!("{}\n", files::escape(text)));
        match &self.screen {
            Some(screen) => screen.suspended(print),
            None => print(),
        }
        self.last_line = Instant::now();
    }

    fn line_is_due(&self) -> bool {
        self.screen.is_none() && self.last_line.elapsed() >= LINE_EVERY
    }

    fn bar(&self, prefix: &str, done: u64, of: u64, message: String) {
        if let Some(screen) = &self.screen {
            screen.steps(prefix, done, of, message);
        }
    }

    /// Takes the bars away.
    pub(crate) fn clear(&self) {
        if let Some(screen) = &self.screen {
            screen.clear();
        }
    }

    /// Shows how far a data set's files are.
    pub(crate) fn download(&mut self, progress: &DataProgress<'_>) {
        if progress.stage == DataStage::Note {
            self.line(progress.what);
            return;
        }
        let stage = match progress.stage {
            DataStage::Download => "download",
            DataStage::Unpack => "unpack",
            _ => "read",
        };
        let total = progress.total.unwrap_or(progress.done);
        let prefix = format!("{stage} {}", progress.what);
        self.bar(&prefix, progress.done, total, String::new());
        if self.line_is_due() {
            self.line(&format!("{prefix} {}/{total}", progress.done));
        }
    }

    /// Shows how far a count is.
    pub(crate) fn counting(&mut self, what: &str, done: usize, of: usize) {
        self.bar(what, done as u64, of as u64, String::new());
        if self.line_is_due() {
            self.line(&format!("{what} {done}/{of}"));
        }
    }

    /// Lists what was left out.
    pub(crate) fn left_out(&mut self, data: &DataSet) {
        let lines = skipped_lines(&data.skipped);
        for line in lines.into_iter().chain(left_out_lines(&data.left_out)) {
            self.line(&line);
        }
    }

    /// Shows how far an evaluation is.
    pub(crate) fn evaluating(&mut self, split: Split, done: usize, of: usize) {
        self.bar(&split.to_string(), done as u64, of as u64, String::new());
        if self.line_is_due() {
            self.line(&format!("{split} batch {done}/{of}"));
        }
    }

    /// Shows how far the plots and the report are.
    pub(crate) fn drawing(&mut self, what: &str, done: usize, of: usize) {
        self.counting(what, done, of);
        self.clock.done(Stage::Drawing);
    }

    /// The end: where the time went since the command began.
    pub(crate) fn times(&mut self) -> String {
        self.clear();
        self.clock.done(Stage::Drawing);
        self.clock.line()
    }

    /// Shows what happens in a run.
    pub(crate) fn event(&mut self, event: &Event<'_>) {
        self.clock.done(match event {
            Event::Started(_) => Stage::Starting,
            Event::Step(_) => Stage::Training,
            Event::Epoch(_) | Event::RateCut(_) => Stage::Saving,
            _ => Stage::Evaluating,
        });
        match event {
            Event::Started(start) => self.started(start),
            Event::Step(step) => self.step(step),
            Event::Evaluating { split, done, of } => self.evaluating(*split, *done, *of),
            Event::Epoch(row) => self.epoch(row),
            Event::Validated(row) => self.line(&lines::validated(row, self.epochs)),
            Event::RateCut(cut) => self.line(&lines::rate_cut(cut)),
            Event::Finished(_) => self.clear(),
            _ => {}
        }
    }

    /// What of the weights that a run begins with was taken, and what is new.
    fn fine_tuning(&mut self, initial: &FineTuning) {
        let FineTuning {
            path, loaded, new, ..
        } = initial;
        let path = shown(path);
        self.line(&format!("{} parameters are those of {path}", loaded.len()));
        match initial.head {
            Head::ByName => self.line("the last layer's outputs are taken by class name"),
            Head::New => self.line("the last layer is new: its classes have other names"),
            _ => {}
        }
        if !new.is_empty() {
            self.line(&format!(
                "new, as it has none of this shape or class: {}",
                new.join(", ")
            ));
        }
        if !initial.unused.is_empty() {
            self.line(&format!("not used: {}", initial.unused.join(", ")));
        }
    }

    fn started(&mut self, start: &Start) {
        self.epochs = start.epochs;
        self.best_by = start.best_by;
        self.published = Published::of(&start.recipe).ok().flatten();
        self.steps_before = start.epochs_done * start.steps_per_epoch as u64;
        let [train, validation, test] = start.images;
        let mib = |bytes: u64| bytes >> 20;
        let host = start.memory.host_bytes.map_or_else(String::new, |bytes| {
            format!(" and {} MiB resident", mib(bytes))
        });
        let images = match start.resident_bytes {
            0 => String::new(),
            bytes => format!(" ({} MiB of images)", mib(bytes)),
        };
        self.line(&format!(
            "{} with {} parameters on {}, {train} training, {validation} validation and {test} test images, {}, \
             will take {} MiB on the device{images}{host}",
            start.network,
            start.parameters,
            start.dataset,
            start.device,
            mib(start.memory.device_bytes)
        ));
        let seen = start.images_per_epoch;
        if seen == train {
            self.line(&format!(
                "an epoch sees all {train} training images in {} steps",
                start.steps_per_epoch
            ));
        } else {
            self.line(&format!(
                "an epoch sees {seen} of {train} training images in {} steps: its last batch would be incomplete, and \
                 drop_last is set",
                start.steps_per_epoch
            ));
        }
        if let Some(RateChange {
            step,
            old,
            new,
            epochs: [before, now],
        }) = start.rate_change
        {
            self.line(&format!(
                "the learning rate jumps from {old:.3e} to {new:.3e} after step {step}: the schedule is now that of \
                 {now} epochs, and was of {before}"
            ));
        }
        if start.is_software {
            self.line(
                "this device is a software rasteriser, which is slow: `--device cpu` is faster",
            );
        }
        if let Some(initial) = &start.initial {
            self.fine_tuning(initial);
        }
        if start.epochs_done > 0 {
            self.line(&format!("resuming after epoch {}", start.epochs_done));
        }
        if let Some(screen) = &mut self.screen {
            screen.begin_run(start);
            self.line(HEADER);
        }
    }

    fn step(&mut self, step: &Step) {
        let figures = format!(
            "loss {:.4} accuracy {:.4} images/s {:.0}",
            step.loss, step.accuracy, step.images_per_s
        );
        let prefix = format!("epoch {}/{}", step.epoch, self.epochs);
        if self.line_is_due() || (self.output.verbose && self.screen.is_none()) {
            self.line(&format!(
                "{prefix} step {}/{} {figures}",
                step.done, step.of
            ));
        }
        if let Some(screen) = &self.screen {
            screen.step(step, &prefix);
        }
    }

    fn epoch(&mut self, row: &Row) {
        if self.screen.is_some() {
            let is_best = match &self.best {
                Some(best) => self.best_by.is_better(row, best),
                None => row.val_accuracy.is_some(),
            };
            if is_best {
                self.best = Some(row.clone());
            }
            self.line(&lines::table(row, is_best));
            if let Some(more) = lines::below_table(row) {
                self.line(&more);
            }
        } else {
            self.line(&lines::epoch(row, self.epochs));
        }
        let steps = row.step.saturating_sub(self.steps_before);
        self.steps_before = row.step;
        let beside = self.published.as_ref();
        if let Some(text) = beside.and_then(|published| lines::published(published, row, steps)) {
            self.line(&text);
        }
    }
}
