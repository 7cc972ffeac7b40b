//! The steps of an epoch: run, and their readings taken in.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use tensor::ops::accuracy::Totals;
use tensor::update::StepScalars;

use super::{Pause, Trainer};
use crate::error::{Error, Result};
use crate::recipe::Recipe;
use crate::run::checkpoint::Partial;
use crate::run::dir::RunDir;
use crate::run::histograms::HistogramLog;
use crate::run::step_log::StepLog;
use crate::run::validation_log::ValidationLog;
use crate::step::{Place, Reading};
use crate::trainer::callback::{Event, Listener, RateChange, Step};

impl Trainer {
    /// Runs the rest of an epoch's steps, or as many as there are until it is to stop.
    pub(super) fn train_epoch(
        &mut self,
        stop: &AtomicBool,
        deadline: Option<Instant>,
        listener: &mut dyn Listener,
    ) -> Result<Pause> {
        self.end_groups()?;
        let n_batches = self.loader.n_batches();
        let is_late = || deadline.is_some_and(|deadline| Instant::now() >= deadline);
        let mut pause = Pause::Epoch;
        let (began, waited) = (Instant::now(), self.loader.waited());
        let before = self.state.partial;
        // Time that is not training's.
        let mut evaluated = Duration::ZERO;
        self.step.set_sums(self.state.step, &totals(&before))?;
        while self.state.batch < n_batches {
            if stop.load(Ordering::Relaxed) {
                pause = Pause::Interrupt;
                break;
            }
            if let Some(profiler) = &mut self.profiler {
                profiler.before_step(self.run.as_ref())?;
            }
            let number = self.state.step + 1;
            let index = u32::try_from(number).unwrap_or(u32::MAX);
            let rate = self.learning_rate(number);
            let scalars = StepScalars {
                epoch: u32::try_from(self.state.epoch).unwrap_or(u32::MAX),
                ..self.optimizer.scalars(self.recipe.seed, index, rate)
            };
            let of = self.recipe.optimizer.accumulate;
            let of = of.min(n_batches - self.state.batch);
            let images = self.images_of(self.state.batch, of);
            for idx in 0..of {
                let place = Place { idx, of, images };
                let batch = self.loader.next_batch()?;
                self.step.run(number, place, batch, &scalars)?;
            }
            (self.state.step, self.state.batch) = (number, self.state.batch + of);
            while let Some(reading) = self.step.reading()? {
                self.take_in(&reading)?;
            }
            let partial = &mut self.state.partial;
            partial.seconds = before.seconds + (began.elapsed() - evaluated).as_secs_f64();
            partial.waited_s = before.waited_s + (self.loader.waited() - waited).as_secs_f64();
            self.tell(false, listener)?;
            let every = self.recipe.evaluation.every_steps;
            if every.is_some_and(|every| number.is_multiple_of(every))
                && self.state.batch < n_batches
            {
                let paused = Instant::now();
                let validated = self.validate_within(stop, listener)?;
                evaluated += paused.elapsed();
                if validated.is_err() {
                    pause = Pause::Interrupt;
                    break;
                }
            }
            // However short the time, a step is done: there is something to test.
            if is_late() && self.state.batch < n_batches {
                pause = Pause::Time;
                break;
            }
        }
        if let Some(profiler) = &mut self.profiler {
            profiler.finish(self.run.as_ref())?;
        }
        for reading in self.step.last_readings(self.state.step)? {
            self.take_in(&reading)?;
        }
        self.state.partial.seconds = before.seconds + (began.elapsed() - evaluated).as_secs_f64();
        self.tell(true, listener)?;
        Ok(pause)
    }

    /// Ends the training of the parameters whose epochs are over: steps are captured anew, without what only they need.
    fn end_groups(&mut self) -> Result<()> {
        let (recipe, epochs) = (&self.recipe, self.state.epoch);
        if self
            .optimizer
            .end(|name| recipe.optimizer.is_over(name, epochs))
        {
            let network = self.optimizer.trained();
            self.step.capture_anew(network, &self.optimizer, recipe)?;
        }
        Ok(())
    }

    /// Tells of the last step, and notes it down if that is due, or if it is the last before a pause.
    fn tell(&mut self, is_last: bool, listener: &mut dyn Listener) -> Result<()> {
        let step = self.progress(self.steps_of(self.loader.n_batches()));
        if !is_last {
            listener.event(Event::Step(step));
        }
        let time_s = self.state.wall_s + self.began.elapsed().as_secs_f64();
        match &mut self.log {
            Some(log) => log.note(&step, time_s, is_last),
            None => Ok(()),
        }
    }

    /// Opens what is written from step to step.
    pub(super) fn open_logs(&mut self, run: &RunDir) -> Result<()> {
        let (path, step) = (run.path(), self.state.step);
        self.log = Some(StepLog::open(path, step)?);
        let within = self.recipe.evaluation.every_steps;
        let log = within.map(|_| ValidationLog::open(path, step));
        self.validation_log = log.transpose()?;
        self.histograms = Some(HistogramLog::open(path, step)?);
        Ok(())
    }

    fn take_in(&mut self, reading: &Reading) -> Result<()> {
        let Reading {
            first,
            step,
            totals,
        } = reading;
        let partial = &mut self.state.partial;
        if !totals.loss.is_finite() {
            return Err(Error::Diverged {
                of: "the loss".to_owned(),
                first: *first,
                step: *step,
                found: totals.loss.to_string(),
            });
        }
        let images = totals.count - partial.images;
        if images > 0.0 {
            self.last_loss = (totals.loss - partial.loss) / images;
        }
        (partial.loss, partial.images) = (totals.loss, totals.count);
        (partial.correct, partial.correct_in_five) = (totals.correct, totals.correct_in_five);
        Ok(())
    }

    /// The learning rate of step number `step`, from 1.
    pub(super) fn learning_rate(&self, step: u64) -> f64 {
        let t = usize::try_from(step.saturating_sub(1)).unwrap_or(usize::MAX);
        let base = self.recipe.optimizer.learning_rate;
        let base = self.state.plateau.map_or(base, |plateau| plateau.rate);
        self.schedule.rate(base, t)
    }

    /// Images in `n` batches from batch `first` of an epoch on; the batches may reach into the epochs after it.
    pub(super) fn images_of(&self, first: usize, n: usize) -> usize {
        let n_batches = self.loader.n_batches();
        let until = |batches: usize| {
            let epochs = (batches / n_batches) * self.loader.images_in(n_batches);
            epochs + self.loader.images_in(batches % n_batches)
        };
        until(first + n) - until(first)
    }

    /// What the rate jumps by if the run of `before` goes on after `step` steps by the recipe of now.
    pub(super) fn rate_change_since(&self, before: &Recipe, step: u64) -> Option<RateChange> {
        let (optimizer, batches) = (&before.optimizer, self.loader.n_batches());
        let epochs = usize::try_from(before.epochs).unwrap_or(usize::MAX);
        let (rate, steps) = (
            optimizer.learning_rate,
            batches.div_ceil(optimizer.accumulate.max(1)),
        );
        let schedule = before.schedule.schedule(rate, epochs, steps);
        let last = usize::try_from(step.checked_sub(1)?).unwrap_or(usize::MAX);
        let now = self.recipe.optimizer.learning_rate;
        // What plateaus have taken off is the same factor of both.
        let (old, new) = (schedule.rate(rate, last), self.schedule.rate(now, last));
        let is_same = (new - old).abs() <= 1e-9 * old.abs();
        let epochs = [before.epochs, self.recipe.epochs];
        (!is_same).then_some(RateChange {
            step,
            old,
            new,
            epochs,
        })
    }

    /// How many steps this many batches of an epoch make.
    pub(super) fn steps_of(&self, batches: usize) -> usize {
        batches.div_ceil(self.recipe.optimizer.accumulate)
    }

    pub(super) fn progress(&self, of: usize) -> Step {
        let partial = &self.state.partial;
        Step {
            step: self.state.step,
            epoch: self.state.epoch + 1,
            done: self.steps_of(self.state.batch),
            of,
            loss: self.last_loss,
            accuracy: partial.correct / partial.images.max(1.0),
            images_per_s: partial.images / partial.seconds.max(1e-9),
            data_wait_fraction: partial.waited_s / partial.seconds.max(1e-9),
            learning_rate: self.learning_rate(self.state.step),
        }
    }
}

/// The device's running totals of the current epoch.
fn totals(partial: &Partial) -> Totals {
    Totals {
        loss: partial.loss,
        correct: partial.correct,
        correct_in_five: partial.correct_in_five,
        count: partial.images,
    }
}
