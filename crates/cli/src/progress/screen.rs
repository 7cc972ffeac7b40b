//! The bars at the bottom of a terminal.

use std::fmt::Write;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressState, ProgressStyle};
use train::{Start, Step};

use super::narrow::Narrow;
use crate::report::columns;

/// How often a bar is drawn while nothing is told: so that it is seen to be alive.
const TICK: Duration = Duration::from_millis(250);

/// A terminal from this width on has room for the learning rate and the share of waiting.
const WIDE: usize = 100;

/// How often bars are drawn in a second, at most.
const RATE_HZ: u8 = 20;

/// The bars that are shown.
static SHOWN: Mutex<Option<MultiProgress>> = Mutex::new(None);

/// Does something, such as ending the program, with the bars that are shown out of the way for as long as it takes.
pub(crate) fn without_bars<T>(action: impl FnOnce() -> T) -> T {
    let shown = SHOWN.lock().unwrap_or_else(PoisonError::into_inner).clone();
    match shown {
        Some(bars) => bars.suspend(action),
        None => action(),
    }
}

/// The bars.
#[derive(Debug)]
pub(super) struct Screen {
    bars: MultiProgress,
    /// Steps of the whole run; not there while something else is done.
    run: Option<ProgressBar>,
    steps: ProgressBar,
    is_coloured: bool,
}

impl Screen {
    pub(super) fn new() -> Self {
        // https://no-color.org
        let is_coloured = std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty());
        let terminal = Box::new(Narrow::stderr());
        let target = ProgressDrawTarget::term_like_with_hz(terminal, RATE_HZ);
        let bars = MultiProgress::with_draw_target(target);
        *SHOWN.lock().unwrap_or_else(PoisonError::into_inner) = Some(bars.clone());
        let steps = bars.add(ProgressBar::no_length());
        steps.set_style(style(
            "{prefix:<12} {wide_bar} {pos}/{len}{msg}{left}",
            is_coloured,
        ));
        Self {
            bars,
            run: None,
            steps,
            is_coloured,
        }
    }

    pub(super) fn begin_run(&mut self, start: &Start) {
        let epoch = start.steps_per_epoch as u64;
        let bar = ProgressBar::new(epoch * start.epochs);
        let bar = self.bars.insert(0, bar);
        bar.set_style(style(
            "{prefix:<12} {wide_bar} {pos}/{len}{left}",
            self.is_coloured,
        ));
        bar.set_prefix("run");
        bar.set_position(epoch * start.epochs_done);
        // What was done before says nothing about the speed now.
        bar.reset_eta();
        self.run = Some(bar);
    }

    pub(super) fn step(&self, step: &Step, prefix: &str) {
        let mut message = format!(" loss {:.4} acc {:.3}", step.loss, step.accuracy);
        if columns(&std::io::stderr()).is_some_and(|columns| columns >= WIDE) {
            let wait = 100.0 * step.data_wait_fraction;
            message += &format!(" lr {:.1e} wait {wait:.0}%", step.learning_rate);
        }
        message += &format!(" {:.0}/s", step.images_per_s);
        self.steps(prefix, step.done as u64, step.of as u64, message);
        if let Some(run) = &self.run {
            run.set_position(step.step);
        }
    }

    pub(super) fn steps(&self, prefix: &str, done: u64, of: u64, message: String) {
        // The prefix may hold names from files, and a bar prints what it is given.
        let prefix = &*files::escape(prefix);
        if self.steps.prefix() != prefix {
            self.steps.reset();
            self.steps.set_prefix(prefix.to_owned());
            self.steps.enable_steady_tick(TICK);
        }
        self.steps.set_length(of);
        self.steps.set_position(done);
        self.steps.set_message(message);
    }

    /// Does something with the bars out of the way.
    pub(super) fn suspended(&self, action: impl FnOnce()) {
        self.bars.suspend(action);
    }

    /// Takes the bars away.
    pub(super) fn clear(&self) {
        if let Some(run) = &self.run {
            run.finish_and_clear();
        }
        self.steps.finish_and_clear();
        // The next stage may have the same name.
        self.steps.set_prefix("");
    }
}

/// A command that fails leaves no bars.
impl Drop for Screen {
    fn drop(&mut self) {
        self.clear();
    }
}

/// A bar of this form; in colour, its done part is.
fn style(template: &str, is_coloured: bool) -> ProgressStyle {
    let bar = if is_coloured {
        "{wide_bar:.cyan/dim}"
    } else {
        "{wide_bar}"
    };
    let style = ProgressStyle::with_template(&template.replace("{wide_bar}", bar));
    let style = style.unwrap_or_else(|_| ProgressStyle::default_bar());
    style.with_key("left", left).progress_chars("━╸─")
}

/// How long it will take, where that can be known; else for how long it has gone on.
fn left(state: &ProgressState, out: &mut dyn Write) {
    let is_known = state.pos() > 0 && state.len().is_some_and(|len| state.pos() < len);
    let (word, time) = if is_known {
        ("ETA", state.eta())
    } else {
        ("for", state.elapsed())
    };
    // Writing to a bar does not fail, and there would be nowhere to tell it.
    write!(out, " {word} {}", spell(time)).unwrap_or_default();
}

/// A time in three to six letters.
fn spell(time: Duration) -> String {
    match time.as_secs() {
        s @ 0..60 => format!("{s}s"),
        s @ 60..3600 => format!("{}m{:02}s", s / 60, s % 60),
        s => format!("{}h{:02}m", s / 3600, s / 60 % 60),
    }
}
