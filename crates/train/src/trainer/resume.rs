//! Resuming a run from one of its checkpoints, after the files and what they depend on were checked.

use std::path::Path;

use super::{BEST, LAST, Trainer};
use crate::error::{Error, Result};
use crate::recipe::Recipe;
use crate::run::checkpoint::{self, Part, State};
use crate::run::dir::RunDir;
use crate::run::split_record::{self, SplitRecord};

/// How a run is resumed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ResumeOptions {
    /// The checkpoint to resume from: `last`, `best` or `epoch-0010`, say. If it is absent, the last, and then the best must
    /// be whole too.
    pub checkpoint: Option<String>,
    /// Resume although images were added, deleted or changed. Never with other classes.
    pub accept_changed_data: bool,
}

impl Trainer {
    /// Resumes the run in a folder from its last checkpoint: bit for bit as if it had never stopped. A run that was
    /// killed before its first checkpoint starts again.
    ///
    /// ```
    /// use model::{Architecture, layers::{Dense, Flatten}};
    /// use train::{Recipe, RunDir, Trainer};
    ///
    /// let folder = tempfile::tempdir()?;
    /// let path = folder.path().join("run");
    /// let begin = || -> train::Result<Trainer> {
    ///     let data = data::Shapes10::default().with_sizes(32, 8, 8).generate()?;
    ///     let layers = vec![Flatten::new().into(), Dense::new(10).into()];
    ///     let network = Architecture::from_layers("linear", [32, 32, 3], layers)?;
    ///     let recipe = Recipe::named("shapes10")?.with_settings(&["epochs=1"])?;
    ///     Trainer::with_network(recipe, network, data, &tensor::Device::cpu())
    /// };
    /// let mut trainer = begin()?;
    /// trainer.save_to(RunDir::create(&path, trainer.recipe())?)?;
    /// drop(trainer); // as if the process had been killed
    /// let mut again = begin()?;
    /// again.resume(RunDir::open(&path)?)?;
    /// again.run(&false.into(), &mut |_: train::Event<'_>| {})?;
    /// assert!(RunDir::open(&path)?.summary()?.is_some());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// As [`Trainer::resume_with`].
    pub fn resume(&mut self, run: RunDir) -> Result<()> {
        self.resume_with(run, &ResumeOptions::default()).map(drop)
    }

    /// Resumes the run in a folder. Returns notes for the user, a line each.
    ///
    /// # Errors
    /// [`Error::InUse`] if another process trains there; [`Error::Damaged`] if a file is not the one that was saved;
    /// [`Error::DataChanged`] and [`Error::ConfigChanged`] if what the run began with is not what there is now;
    /// [`Error::NoRun`] if there is no such checkpoint; if a file can't be read or is of another network.
    pub fn resume_with(&mut self, run: RunDir, options: &ResumeOptions) -> Result<Vec<String>> {
        let run = run.locked()?;
        let mut notes = Vec::new();
        self.check_data(run.path(), options, &mut notes)?;
        let folder = run.checkpoint(options.checkpoint.as_deref().unwrap_or(LAST));
        if let Some(state) = checkpoint::load_state(&folder)? {
            self.check_config(&run, &state, &mut notes)?;
            if !checkpoint::verify(&folder, &[Part::Model, Part::Optimizer])? {
                let folder = files::shown(&folder);
                notes.push(format!(
                    "{folder}: saved before checkpoints had checksums, read unchecked"
                ));
            }
            self.rate_change = self.rate_change_since(&run.recipe()?, state.step);
            self.network.load(&checkpoint::model_path(&folder))?;
            self.optimizer.load(&checkpoint::optimizer_path(&folder))?;
            // All batches of an epoch are done where its validation was interrupted.
            let (epochs, batch) = (
                state.batch / self.loader.n_batches(),
                state.batch % self.loader.n_batches(),
            );
            self.loader
                .seek(state.epoch.saturating_add(epochs as u64), batch)?;
            self.state = state;
            self.take_up_plateau(&run)?;
        } else if options.checkpoint.is_some() {
            return Err(Error::NoRun {
                path: folder,
                expected: "a checkpoint",
            });
        }
        self.check_best(&run, options, &mut notes)?;
        run.remove_results()?;
        run.write_metrics(&self.state.rows)?;
        self.save_to(run)?;
        Ok(notes)
    }

    /// Works the plateau's state out of the epochs so far, where the checkpoint is of before it was kept, or where the
    /// recipe has other numbers now: those count from the first epoch on.
    fn take_up_plateau(&mut self, run: &RunDir) -> Result<()> {
        let of = |recipe: &Recipe| {
            let rate = recipe.optimizer.learning_rate.to_bits();
            (recipe.schedule.clone(), rate)
        };
        let path = run.path().join("config.toml");
        let before = self.state.config.as_ref();
        let before = before.map(|text| Recipe::of_run(text, &path)).transpose()?;
        let is_same = before.is_some_and(|before| of(&before) == of(&self.recipe));
        if self.state.plateau.is_none() || !is_same {
            let base = self.recipe.optimizer.learning_rate;
            let schedule = &self.recipe.schedule;
            self.state.plateau = schedule.plateau_after(base, &self.state.rows);
        }
        Ok(())
    }

    /// Writes down which images the run has.
    pub(super) fn record_data(&self, run: &RunDir) -> Result<()> {
        run.write_json(split_record::NAME, &self.split_record())
    }

    fn split_record(&self) -> SplitRecord {
        SplitRecord::of(&self.data, Path::new(&self.recipe.dataset))
    }

    /// An error if the images are not those of the run.
    fn check_data(
        &self,
        run: &Path,
        options: &ResumeOptions,
        notes: &mut Vec<String>,
    ) -> Result<()> {
        let path = run.join(split_record::NAME);
        let Some(record) = SplitRecord::read(run)? else {
            notes.push(format!(
                "{}: not there: whether the images are those that the run began with can't be told",
                files::shown(&path)
            ));
            return Ok(());
        };
        let Some(changes) = record.changes(&self.split_record()) else {
            return Ok(());
        };
        if changes.is_of_classes || !options.accept_changed_data {
            return Err(Error::DataChanged {
                path,
                changes: changes.text,
                can_go_on: !changes.is_of_classes,
            });
        }
        notes.push(format!("resuming with other images: {}", changes.text));
        Ok(())
    }

    /// An error if settings differ that must stay the same within a run.
    fn check_config(&self, run: &RunDir, state: &State, notes: &mut Vec<String>) -> Result<()> {
        let path = run.path().join("config.toml");
        let Some(text) = &state.config else {
            notes.push(format!(
                "{}: so old a checkpoint does not record settings to compare",
                files::shown(&path)
            ));
            return Ok(());
        };
        let changes = Recipe::of_run(text, &path)?.changes(&self.recipe)?;
        if !changes.refused.is_empty() {
            return Err(Error::ConfigChanged {
                path,
                changes: changes.refused.join("; "),
            });
        }
        let allowed = changes.allowed.into_iter();
        notes.extend(allowed.map(|change| format!("changed setting: {change}")));
        Ok(())
    }

    /// The best checkpoint must be whole, as the end of the run tests it. One of an epoch that is still to come, because
    /// the run goes on from an earlier one, stays the best until a better comes; a damaged one is given up if another was
    /// chosen to go on from.
    fn check_best(
        &mut self,
        run: &RunDir,
        options: &ResumeOptions,
        notes: &mut Vec<String>,
    ) -> Result<()> {
        let folder = run.checkpoint(BEST);
        checkpoint::recover(&folder)?;
        if self.state.best.is_none() && options.checkpoint.is_none() {
            return Ok(());
        }
        let checked = checkpoint::verify(&folder, &[Part::Model, Part::Optimizer])
            .and_then(|_| checkpoint::load_state(&folder));
        match checked {
            Ok(Some(best)) if options.checkpoint.is_some() => self.state.best = best.best,
            Ok(_) => {}
            Err(error) if options.checkpoint.is_none() => return Err(error),
            Err(error) => {
                notes.push(format!(
                    "{error}; the best of what is to come takes its place"
                ));
                self.state.best = None;
            }
        }
        Ok(())
    }
}
