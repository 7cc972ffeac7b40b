//! The learning rate finder: steps at increasing rates until the loss diverges (Smith 2015, section 3.3).

use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};

use tensor::ops::accuracy::Totals;
use tensor::update::StepScalars;

use super::Trainer;
use crate::error::{Error, Result};
use crate::run::rows::{rounded, significant};
use crate::step::Place;
use crate::trainer::callback::{Event, Listener, Step};

/// The share of the last smoothed loss in the next: about ten steps are averaged over.
const MEMORY: f64 = 0.9;
/// The search ends when the smoothed loss is so many times the least.
const DIVERGED: f64 = 4.0;

/// From which rate to which, in how many steps.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct RateSearch {
    /// The first rate.
    pub from: f64,
    /// The last.
    pub to: f64,
    /// Steps, at rates with equal ratios.
    pub steps: u32,
}

impl Default for RateSearch {
    fn default() -> Self {
        Self {
            from: 1e-7,
            to: 10.0,
            steps: 100,
        }
    }
}

/// A step of the search.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct RatePoint {
    /// The learning rate.
    pub rate: f64,
    /// The batch's loss before the step.
    pub loss: f64,
    /// The mean over the last losses, each with less weight than the next.
    pub smoothed: f64,
}

/// The result of a search.
#[derive(Clone, Debug, PartialEq)]
pub struct RateFinding {
    /// The steps, until the loss went up for good.
    pub points: Vec<RatePoint>,
    /// The rate at the middle of the longest descent of the loss.
    pub suggestion: Option<f64>,
    /// The rate at which the search was given up, because the loss had gone up for good.
    pub diverged_at: Option<f64>,
}

impl Trainer {
    /// Trains at increasing rates and records the loss. The weights are of no use afterwards. Ends early when the loss
    /// goes up for good, or `stop` is set.
    ///
    /// ```
    /// use model::{Architecture, layers::{Dense, Flatten}};
    /// use train::{RateSearch, Recipe, Trainer};
    ///
    /// let data = data::Shapes10::default().with_sizes(64, 8, 8).generate()?;
    /// let layers = vec![Flatten::new().into(), Dense::new(10).into()];
    /// let network = Architecture::from_layers("linear", [32, 32, 3], layers)?;
    /// let mut trainer = Trainer::with_network(Recipe::named("shapes10")?, network, data, &tensor::Device::cpu())?;
    /// let search = RateSearch { from: 1e-5, to: 0.1, steps: 50 };
    /// let found = trainer.find_rate(&search, &false.into(), &mut |_: train::Event<'_>| {})?;
    /// println!("a rate to begin with: {:?}", found.suggestion);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// If the search makes no sense, or images or device fail.
    pub fn find_rate(
        &mut self,
        search: &RateSearch,
        stop: &AtomicBool,
        listener: &mut dyn Listener,
    ) -> Result<RateFinding> {
        search.check()?;
        self.load_initial_weights()?;
        listener.event(Event::Started(&self.start()));
        let mut finding = RateFinding {
            points: Vec::new(),
            suggestion: None,
            diverged_at: None,
        };
        let (mut average, mut least) = (0.0, f64::INFINITY);
        for number in 1..=search.steps {
            if stop.load(Ordering::Relaxed) {
                break;
            }
            let rate = search.rate(number);
            let loss = self.loss_of_step(number, rate)?;
            average = MEMORY * average + (1.0 - MEMORY) * loss;
            let weight = 1.0 - libm::pow(MEMORY, f64::from(number));
            let smoothed = average / weight;
            if !smoothed.is_finite() || smoothed > DIVERGED * least {
                finding.diverged_at = Some(significant(rate));
                break;
            }
            least = least.min(smoothed);
            finding.points.push(RatePoint {
                rate: significant(rate),
                loss: rounded(loss),
                smoothed: rounded(smoothed),
            });
            listener.event(Event::Step(Step {
                step: number.into(),
                epoch: 1,
                done: number as usize,
                of: search.steps as usize,
                loss,
                learning_rate: rate,
                ..self.progress(1)
            }));
        }
        finding.suggestion = valley(&finding.points).map(|point| point.rate);
        Ok(finding)
    }

    /// Trains a step, and waits for the loss of its batches.
    fn loss_of_step(&mut self, number: u32, rate: f64) -> Result<f64> {
        self.step
            .set_sums(u64::from(number) - 1, &Totals::default())?;
        let of = self.recipe.optimizer.accumulate;
        let (batches, n_batches) = ((number as usize - 1) * of, self.loader.n_batches());
        let first = batches % n_batches;
        let scalars = StepScalars {
            epoch: u32::try_from(batches / n_batches).unwrap_or(u32::MAX),
            ..self.optimizer.scalars(self.recipe.seed, number, rate)
        };
        let images = self.images_of(first, of);
        for idx in 0..of {
            let place = Place { idx, of, images };
            let batch = self.loader.next_batch()?;
            self.step.run(number.into(), place, batch, &scalars)?;
        }
        let readings = self.step.last_readings(number.into())?;
        let totals = readings.last().map(|reading| reading.totals);
        Ok(totals.map_or(f64::NAN, |totals| totals.loss / totals.count))
    }
}

impl RateSearch {
    fn check(&self) -> Result<()> {
        if !(self.from > 0.0 && self.from < self.to && self.to.is_finite()) {
            let got = format!("{} and {}", self.from, self.to);
            return Err(Error::setting(
                "rates",
                "two ascending positive numbers",
                got,
            ));
        }
        if self.steps < 2 {
            return Err(Error::setting("steps", "at least 2", self.steps));
        }
        Ok(())
    }

    /// The rate of a step, from 1.
    fn rate(&self, number: u32) -> f64 {
        let share = f64::from(number - 1) / f64::from(self.steps - 1);
        self.from * libm::pow(self.to / self.from, share)
    }
}

/// Of the longest run of ever smaller smoothed losses, gaps allowed, the point in its middle: where the loss falls for
/// sure, and well before it stops to (fastai's "valley").
fn valley(points: &[RatePoint]) -> Option<RatePoint> {
    let mut lengths = vec![1_usize; points.len()];
    let mut end = 0;
    for idx in 0..points.len() {
        for before in 0..idx {
            if points[idx].smoothed < points[before].smoothed {
                lengths[idx] = lengths[idx].max(lengths[before] + 1);
            }
        }
        if lengths[idx] > lengths[end] {
            end = idx;
        }
    }
    let length = lengths.get(end).copied().filter(|&length| length > 1)?;
    points.get(end - length / 2).copied()
}

impl RateFinding {
    /// Writes the points as `lr_find.csv` into a folder.
    ///
    /// # Errors
    /// If the file can't be written.
    pub fn write(&self, folder: &Path) -> Result<()> {
        let mut csv = "lr,loss,smoothed_loss\n".to_owned();
        for point in &self.points {
            csv.push_str(&format!(
                "{},{},{}\n",
                point.rate, point.loss, point.smoothed
            ));
        }
        Ok(files::replace(&folder.join("lr_find.csv"), csv.as_bytes())?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rates_have_equal_ratios() {
        let search = RateSearch {
            from: 1e-4,
            to: 1.0,
            steps: 5,
        };
        for (number, expected) in (1..).zip([1e-4, 1e-3, 1e-2, 1e-1, 1.0]) {
            let rate: f64 = search.rate(number);
            assert!((rate / expected - 1.0).abs() < 1e-12, "{number}: {rate}");
        }
    }

    #[test]
    fn the_suggestion_lies_in_the_fall() {
        // Flat, then a fall from the tenth to the thirtieth, then up.
        let loss = |idx: u32| match idx {
            0..10 => 2.3 + 0.01 * f64::from(idx % 2),
            10..30 => 2.3 - 0.05 * f64::from(idx - 9),
            _ => 1.25 + 0.3 * f64::from(idx - 29),
        };
        let points: Vec<RatePoint> = (0..40)
            .map(|idx| RatePoint {
                rate: f64::from(idx),
                loss: loss(idx),
                smoothed: loss(idx),
            })
            .collect();
        let found = valley(&points).unwrap().rate;
        assert!((15.0..25.0).contains(&found), "{found}");
        assert_eq!(valley(&points[..1]), None, "one point falls nowhere");
        assert_eq!(valley(&[]), None);
    }
}
