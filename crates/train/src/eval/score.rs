//! Scores from logits: loss, top-1 and top-5 accuracy, and the confusion matrix, counted on the host in f64.

use data::PADDING;
use serde::{Deserialize, Serialize};

use crate::eval::metrics::{Confusion, is_answer};
use crate::run::rows::rounded;
use tensor::log_sum_exp;

/// How many mistakes are kept: the most confident ones.
const MOST_MISTAKES: usize = 64;

/// Counts over the images seen so far.
#[derive(Clone, Debug)]
pub(crate) struct Tally {
    classes: usize,
    n: u64,
    loss_sum: f64,
    top1: u64,
    top5: u64,
    confusion: Confusion,
    mistakes: Vec<Mistake>,
}

/// A mistake.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Mistake {
    /// The image's index in its split.
    pub sample: u32,
    /// Its class.
    pub truth: u32,
    /// The answer.
    pub predicted: u32,
    /// The probability of the prediction.
    pub confidence: f64,
}

/// The scores of a network on a split.
#[derive(Clone, Debug, PartialEq)]
pub struct Score {
    /// Images.
    pub images: u64,
    /// Mean cross-entropy, in nats; not finite if a logit is not.
    pub loss: f64,
    /// Share of images whose label has the largest logit. Those with a NaN among their logits are wrong.
    pub accuracy: f64,
    /// Top-5 accuracy.
    pub top5: f64,
    /// Images by label and prediction; precision, recall and F1 follow from it.
    pub confusion: Confusion,
    /// The most confident mistakes, at most 64, most confident first.
    pub mistakes: Vec<Mistake>,
}

impl Tally {
    pub(crate) fn new(classes: usize) -> Self {
        Self {
            classes,
            n: 0,
            loss_sum: 0.0,
            top1: 0,
            top5: 0,
            confusion: Confusion::new(classes),
            mistakes: Vec::new(),
        }
    }

    /// Adds a batch of logits `[n, classes]`, the images in the order of their split; padding is skipped.
    pub(crate) fn add(&mut self, logits: &[f32], labels: &[u32]) {
        for (row, &label) in logits.chunks_exact(self.classes).zip(labels) {
            if label == PADDING {
                continue;
            }
            let label = label as usize;
            let own = row[label];
            if !is_answer(row) {
                self.n += 1;
                self.loss_sum = f64::NAN;
                self.confusion.add_unanswered(label);
                continue;
            }
            // Ties count as the worse rank for a later class: as PyTorch's topk, the lower index comes first.
            let better = |(class, &x): (usize, &f32)| x > own || (x == own && class < label);
            let rank = row.iter().enumerate().filter(|&pair| better(pair)).count();
            let largest = row.iter().enumerate().fold(
                0,
                |best, (class, x)| {
                    if *x > row[best] { class } else { best }
                },
            );
            if largest != label {
                self.add_mistake(row, label, largest);
            }
            self.n += 1;
            self.loss_sum += cross_entropy(row, own);
            self.top1 += u64::from(rank == 0);
            self.top5 += u64::from(rank < 5);
            self.confusion.add(label, largest);
        }
    }

    fn add_mistake(&mut self, row: &[f32], label: usize, largest: usize) {
        let confidence = libm::exp(-cross_entropy(row, row[largest]));
        // What is not a number can't be ranked, nor written down.
        if confidence.is_finite() {
            let small = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
            self.mistakes.push(Mistake {
                sample: u32::try_from(self.n).unwrap_or(u32::MAX),
                truth: small(label),
                predicted: small(largest),
                confidence: rounded(confidence),
            });
        }
        if self.mistakes.len() >= 2 * MOST_MISTAKES {
            self.mistakes = worst(&self.mistakes);
        }
    }

    pub(crate) fn score(&self) -> Score {
        let n = ratio_base(self.n);
        Score {
            images: self.n,
            loss: self.loss_sum / n,
            accuracy: ratio_of(self.top1) / n,
            top5: ratio_of(self.top5) / n,
            confusion: self.confusion.clone(),
            mistakes: worst(&self.mistakes),
        }
    }
}

/// The most confident ones, the most confident first and earlier images before later ones.
fn worst(mistakes: &[Mistake]) -> Vec<Mistake> {
    let mut sorted = mistakes.to_vec();
    sorted.sort_by(|a, b| {
        let by_confidence = b.confidence.total_cmp(&a.confidence);
        by_confidence.then(a.sample.cmp(&b.sample))
    });
    sorted.truncate(MOST_MISTAKES);
    sorted
}

/// `ln sum exp(x) - x_label`. The differences from the largest are f32's, as in every evaluation that was ever recorded.
fn cross_entropy(row: &[f32], own: f32) -> f64 {
    let largest = row.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    let differences = row.iter().map(|&x| f64::from(x - largest));
    log_sum_exp(differences) + f64::from(largest) - f64::from(own)
}

impl Score {
    /// The mean of the classes' F1 scores, over the classes that are present or predicted.
    #[must_use]
    pub fn macro_f1(&self) -> f64 {
        self.confusion.f1(0.0).macro_present
    }
}

#[expect(
    clippy::cast_precision_loss,
    reason = "counts of images are far below 2^53"
)]
pub(crate) fn ratio_of(n: u64) -> f64 {
    n as f64
}

/// A denominator that is never zero.
pub(crate) fn ratio_base(n: u64) -> f64 {
    ratio_of(n.max(1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_small_batch_scores_as_worked_out_by_hand() {
        let mut tally = Tally::new(2);
        let third = 2.0_f32.ln();
        tally.add(
            &[third, 0.0, 0.0, third, third, 0.0, 9.0, 9.0],
            &[0, 1, 1, PADDING],
        );
        let score = tally.score();
        assert_eq!(
            (score.images, score.confusion.counts()),
            (3, &[1, 0, 1, 1][..])
        );
        let loss = (2.0 * 1.5_f64.ln() + 3.0_f64.ln()) / 3.0;
        assert!((score.loss - loss).abs() < 1e-7, "{}", score.loss);
        assert!(
            (score.accuracy - 2.0 / 3.0).abs() < 1e-12,
            "{}",
            score.accuracy
        );
        assert!(
            (score.macro_f1() - 2.0 / 3.0).abs() < 1e-12,
            "{}",
            score.macro_f1()
        );
        assert!(
            (score.top5 - 1.0).abs() < 1e-12,
            "two classes are always among five"
        );
    }

    #[test]
    fn the_most_confident_mistakes_are_kept_with_their_places() {
        let mut tally = Tally::new(2);
        // Image i answers class 1 by i / 100; the even ones are of class 0, so wrong.
        for start in (0..300_u16).step_by(3) {
            let images: Vec<u16> = (start..start + 3).collect();
            let logits = images.iter().flat_map(|&i| [0.0, f32::from(i) / 100.0]);
            let mut labels: Vec<u32> = images.iter().map(|&i| u32::from(i % 2)).collect();
            labels.push(PADDING);
            let logits: Vec<f32> = logits.chain([0.0, 9.0]).collect();
            tally.add(&logits, &labels);
        }
        let mistakes = tally.score().mistakes;
        let samples: Vec<u32> = mistakes.iter().map(|mistake| mistake.sample).collect();
        let expected: Vec<u32> = (0..64).map(|rank| 298 - 2 * rank).collect();
        assert_eq!(samples, expected);
        let worst = mistakes[0];
        assert_eq!((worst.truth, worst.predicted), (0, 1));
        let probability = 1.0 / (1.0 + (-2.98_f64).exp());
        assert!((worst.confidence - probability).abs() < 1e-6, "{worst:?}");
    }

    #[test]
    fn large_and_bad_logits_keep_their_meaning() {
        let mut tally = Tally::new(3);
        tally.add(&[1e30, 0.0, 0.0], &[0]);
        assert!(tally.score().loss.abs() < 1e-12, "no overflow");
        tally.add(&[f32::NAN, 0.0, 0.0], &[0]);
        let score = tally.score();
        assert!(score.loss.is_nan(), "a bad logit is not hidden");
        // Wherever the NaN is, the row is wrong: among three classes, all are among the first five.
        tally.add(&[0.0, f32::NAN, 0.0], &[2]);
        tally.add(&[f32::NAN; 3], &[1]);
        let score = tally.score();
        assert_eq!((score.accuracy, score.top5), (0.25, 0.25));
        assert_eq!(score.confusion.counts().iter().sum::<u64>(), 1);
        assert_eq!((score.images, score.confusion.unanswered()), (4, 3));
        assert_eq!(score.confusion.support(1), 1);
        assert!(score.mistakes.is_empty(), "{:?}", score.mistakes);
    }
}
