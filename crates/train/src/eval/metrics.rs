//! Classification metrics: accuracy, precision, recall, F1, confusion, top-k. Host arithmetic in f64 on
//! counts; not for losses, which accumulate on the device.

use std::cmp::Ordering;

/// A confusion matrix: counts of (true class, predicted class).
///
/// ```
/// let mut confusion = train::metrics::Confusion::new(2);
/// for (truth, predicted) in [(0, 0), (0, 1), (1, 1), (1, 1)] {
///     confusion.add(truth, predicted);
/// }
/// assert_eq!((confusion.accuracy(), confusion.recall(0.0).per_class), (0.75, vec![0.5, 1.0]));
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Confusion {
    classes: usize,
    /// `[true][predicted]`, row-major.
    counts: Vec<u64>,
    /// For each true class, images without a prediction: their logits have a NaN.
    unanswered: Vec<u64>,
}

/// Precision, recall or F1 of every class, and its averages.
#[derive(Clone, Debug, PartialEq)]
pub struct Scores {
    /// Of each class.
    pub per_class: Vec<f64>,
    /// Mean over all classes.
    pub macro_all: f64,
    /// Mean over the classes that are true or predicted at least once.
    pub macro_present: f64,
    /// Of all answers together.
    pub micro: f64,
    /// Mean over all classes, weighted by how often each is true.
    pub weighted: f64,
}

impl Confusion {
    /// No predictions yet.
    #[must_use]
    pub fn new(classes: usize) -> Self {
        Self {
            classes,
            counts: vec![0; classes * classes],
            unanswered: vec![0; classes],
        }
    }

    /// Counts a prediction. Returns `false`, and counts nothing, for a class out of range.
    pub fn add(&mut self, truth: usize, predicted: usize) -> bool {
        let is_valid = truth < self.classes && predicted < self.classes;
        if is_valid {
            self.counts[truth * self.classes + predicted] += 1;
        }
        is_valid
    }

    /// Adds an image of class `truth` that no class can be answered for, as a logit is not a number: it is wrong, and
    /// counts in [`Confusion::total`] and [`Confusion::support`]. A class beyond the last is refused, and `false` returned.
    pub fn add_unanswered(&mut self, truth: usize) -> bool {
        let Some(count) = self.unanswered.get_mut(truth) else {
            return false;
        };
        *count += 1;
        true
    }

    /// How many images have no prediction.
    #[must_use]
    pub fn unanswered(&self) -> u64 {
        self.unanswered.iter().sum()
    }

    /// Adds the counts of another matrix.
    ///
    /// # Panics
    /// If the two are not over the same number of classes.
    pub fn merge(&mut self, other: &Self) {
        assert_eq!(self.classes, other.classes, "counts of the same classes");
        for (counts, more) in [
            (&mut self.counts, &other.counts),
            (&mut self.unanswered, &other.unanswered),
        ] {
            for (count, more) in counts.iter_mut().zip(more) {
                *count += more;
            }
        }
    }

    /// How many classes there are.
    #[must_use]
    pub fn classes(&self) -> usize {
        self.classes
    }

    /// The counts `[true][predicted]`, row-major.
    #[must_use]
    pub fn counts(&self) -> &[u64] {
        &self.counts
    }

    /// How many images there are, including those without a prediction.
    #[must_use]
    pub fn total(&self) -> u64 {
        self.counts.iter().sum::<u64>() + self.unanswered()
    }

    /// Accuracy; 0 without any predictions.
    #[must_use]
    pub fn accuracy(&self) -> f64 {
        let right = (0..self.classes).map(|class| self.right(class)).sum();
        ratio(right, self.total(), 0.0)
    }

    fn right(&self, class: usize) -> u64 {
        self.counts[class * self.classes + class]
    }

    /// How often a class is the true one.
    #[must_use]
    pub fn support(&self, class: usize) -> u64 {
        let answered = &self.counts[class * self.classes..][..self.classes];
        answered.iter().sum::<u64>() + self.unanswered[class]
    }

    /// How often a class is predicted.
    #[must_use]
    pub fn predicted(&self, class: usize) -> u64 {
        self.counts
            .iter()
            .skip(class)
            .step_by(self.classes.max(1))
            .sum()
    }

    /// Precision: the share of predictions of `c` that are right. `undefined` stands for 0 / 0.
    #[must_use]
    pub fn precision(&self, undefined: f64) -> Scores {
        self.scores(undefined, |right, _, predicted| (right, predicted))
    }

    /// Recall: the share of images of class `c` that are predicted as it. `undefined` stands for 0 / 0.
    #[must_use]
    pub fn recall(&self, undefined: f64) -> Scores {
        self.scores(undefined, |right, support, _| (right, support))
    }

    /// Harmonic mean of precision and recall. `undefined` stands for 0 / 0.
    #[must_use]
    pub fn f1(&self, undefined: f64) -> Scores {
        self.scores(undefined, |right, support, predicted| {
            (2 * right, support + predicted)
        })
    }

    /// Scores that are a fraction of (right, true, predicted).
    fn scores(&self, undefined: f64, fraction: impl Fn(u64, u64, u64) -> (u64, u64)) -> Scores {
        let counts: Vec<[u64; 3]> = (0..self.classes)
            .map(|class| {
                [
                    self.right(class),
                    self.support(class),
                    self.predicted(class),
                ]
            })
            .collect();
        let score = |[right, support, predicted]: [u64; 3]| {
            let (part, whole) = fraction(right, support, predicted);
            ratio(part, whole, undefined)
        };
        let per_class: Vec<f64> = counts.iter().map(|&counts| score(counts)).collect();
        let is_present = |counts: &[u64; 3]| counts[1] + counts[2] > 0;
        let present = counts
            .iter()
            .zip(&per_class)
            .filter(|(counts, _)| is_present(counts));
        let all = [0, 1, 2].map(|i: usize| counts.iter().map(|counts| counts[i]).sum());
        let weighted: f64 = counts
            .iter()
            .zip(&per_class)
            .map(|(c, s)| c[1] as f64 * s)
            .sum();
        Scores {
            macro_all: mean(per_class.iter().copied()),
            macro_present: mean(present.map(|(_, score)| *score)),
            micro: score(all),
            weighted: if all[1] == 0 {
                0.0
            } else {
                weighted / all[1] as f64
            },
            per_class,
        }
    }
}

fn ratio(part: u64, whole: u64, undefined: f64) -> f64 {
    if whole == 0 {
        undefined
    } else {
        part as f64 / whole as f64
    }
}

/// The mean; 0 of nothing.
fn mean(values: impl Iterator<Item = f64>) -> f64 {
    let (count, sum) = values.fold((0_u64, 0.0), |(count, sum), x| (count + 1, sum + x));
    if count == 0 { 0.0 } else { sum / count as f64 }
}

/// The `k` classes of each row of `scores: [n, classes]` with the largest scores, best first: `[n, min(k, classes)]`. Of
/// equal scores the first class comes first; a score that is not a number comes last. To score images, use
/// [`top_k_accuracy`] on what [`is_answer`] holds for: a row with a NaN has no answer.
///
/// ```
/// use train::metrics::{top_k_accuracy, top_k_classes};
///
/// // Two images, three classes.
/// let ranked = top_k_classes(&[0.1, 0.7, 0.2, 0.5, 0.2, 0.3], 3, 2);
/// assert_eq!(ranked, [1, 2, 0, 2]);
/// assert_eq!(top_k_accuracy(&ranked, 2, &[2, 1], 2), 0.5);
/// ```
///
/// # Panics
/// If there are more than `2^32` classes.
#[must_use]
pub fn top_k_classes(scores: &[f32], classes: usize, k: usize) -> Vec<u32> {
    let mut ranked = Vec::new();
    for row in scores.chunks_exact(classes.max(1)) {
        let mut order: Vec<usize> = (0..classes).collect();
        order.sort_by(|&a, &b| largest_first(row[a], row[b]));
        let best = order.into_iter().take(k);
        ranked.extend(best.map(|class| u32::try_from(class).expect("fewer than 2^32 classes")));
    }
    ranked
}

/// The order of scores, the largest first and NaN after all of them, the infinities too. 0 and -0 are equal.
fn largest_first(a: f32, b: f32) -> Ordering {
    let by_value = b.partial_cmp(&a).unwrap_or(Ordering::Equal);
    a.is_nan().cmp(&b.is_nan()).then(by_value)
}

/// Whether a row of scores has a prediction: none is NaN.
#[must_use]
pub fn is_answer(scores: &[f32]) -> bool {
    !scores.iter().any(|score| score.is_nan())
}

/// Share of images whose true class is among the `k` first of `ranked`: the classes of each image, best first.
#[must_use]
pub fn top_k_accuracy(ranked: &[u32], width: usize, labels: &[u32], k: usize) -> f64 {
    let hits = ranked
        .chunks_exact(width.max(1))
        .zip(labels)
        .filter(|(classes, label)| classes.iter().take(k).any(|class| class == *label))
        .count();
    ratio(hits as u64, labels.len() as u64, 0.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn confusion(classes: usize, answers: &[(usize, usize)]) -> Confusion {
        let mut confusion = Confusion::new(classes);
        for &(truth, predicted) in answers {
            assert!(confusion.add(truth, predicted), "a class there is");
        }
        confusion
    }

    #[test]
    fn scores_of_a_small_example() {
        let answers = [(0, 0), (0, 0), (0, 1), (1, 1), (2, 0)];
        let confusion = confusion(4, &answers);
        assert_eq!(confusion.total(), 5, "five answers");
        assert!((confusion.accuracy() - 0.6).abs() < 1e-12, "three right");
        let precision = confusion.precision(0.0);
        let expected = [2.0 / 3.0, 0.5, 0.0, 0.0];
        assert_eq!(precision.per_class, expected, "never predicted: 0");
        assert!(
            (precision.macro_present - 3.5 / 9.0).abs() < 1e-12,
            "class 3 is absent"
        );
        assert!(
            (precision.micro - 0.6).abs() < 1e-12,
            "micro is the accuracy"
        );
        let f1 = confusion.f1(0.0);
        assert!(
            (f1.per_class[0] - 2.0 / 3.0).abs() < 1e-12,
            "2 / (3 + 3) twice"
        );
        assert!(
            (f1.weighted - (3.0 * 2.0 / 3.0 + 2.0 / 3.0) / 5.0).abs() < 1e-12,
            "by support"
        );
    }

    #[test]
    fn a_class_that_is_not_there_is_refused() {
        let mut confusion = Confusion::new(2);
        assert!(
            !confusion.add(2, 0) && !confusion.add(0, 2),
            "beyond the last"
        );
        assert_eq!(confusion.total(), 0, "nothing is counted");
        assert_eq!(confusion.f1(0.0).macro_all, 0.0, "of nothing");
    }

    #[test]
    fn an_image_without_an_answer_is_wrong_and_counts() {
        let mut confusion = confusion(2, &[(0, 0), (1, 1), (1, 0)]);
        assert!(confusion.add_unanswered(1) && !confusion.add_unanswered(2));
        assert_eq!((confusion.total(), confusion.unanswered()), (4, 1));
        assert_eq!(confusion.support(1), 3);
        assert!((confusion.accuracy() - 0.5).abs() < 1e-12, "two of four");
        let recall = confusion.recall(0.0).per_class;
        assert!((recall[1] - 1.0 / 3.0).abs() < 1e-12, "{recall:?}");
        let f1 = confusion.f1(0.0).per_class;
        assert!((f1[1] - 0.5).abs() < 1e-12, "2 / (3 + 1): {f1:?}");
        let mut twice = confusion.clone();
        twice.merge(&confusion);
        assert_eq!((twice.total(), twice.unanswered()), (8, 2));
    }

    #[test]
    fn a_nan_is_the_last_of_all_scores() {
        let (nan, inf) = (f32::NAN, f32::INFINITY);
        for (row, order) in [
            ([nan, 1.0, -inf], [1, 2, 0]),
            ([-nan, inf, nan], [1, 0, 2]),
            ([0.0, -0.0, nan], [0, 1, 2]),
        ] {
            assert_eq!(top_k_classes(&row, 3, 3), order, "{row:?}");
            assert!(!is_answer(&row), "{row:?}");
        }
        assert!(is_answer(&[-inf, inf]), "infinities can be compared");
    }

    #[test]
    fn top_k_counts_the_first_k() {
        let ranked = [3, 1, 2, 0, 2, 1];
        for (k, want) in [(1, 0.0), (2, 0.5), (3, 1.0)] {
            let got = top_k_accuracy(&ranked, 3, &[2, 2], k);
            assert!((got - want).abs() < 1e-12, "top {k}: {got}");
        }
    }
}
