//! Backward against central differences of the f64 reference.

use super::cases::Case;
use super::compare::{Row, compare, largest, tolerance};
use super::fill::SplitMix;

/// Step of the central differences. The reference is f64, so truncation (`h^2`) and cancellation (`2^-53 / h`) both
/// stay far under f32's rounding.
const STEP: f64 = 1e-4;

/// `L = sum(dy * reference(inputs)[0])` as a function of one input.
pub(super) struct Objective<'a> {
    pub(super) case: &'a dyn Case,
    pub(super) values: &'a [Vec<f64>],
    pub(super) dy: &'a [f64],
    pub(super) input: usize,
}

impl Objective<'_> {
    fn at(&self, direction: &[f64], step: f64) -> f64 {
        let mut values = self.values.to_vec();
        for (x, v) in values[self.input].iter_mut().zip(direction) {
            *x += step * v;
        }
        self.case.reference(&values)[0]
            .iter()
            .zip(self.dy)
            .map(|(y, dy)| y * dy)
            .sum()
    }

    /// Compares `gradient` with central differences along each of some directions.
    pub(super) fn check(&self, name: &str, gradient: &[f64], terms: usize, flops: usize) -> Row {
        let (mut got, mut want, mut scale) = (Vec::new(), Vec::new(), 0.0_f64);
        if gradient.len() != self.values[self.input].len() {
            return compare(
                format!("backward {name}"),
                gradient,
                &self.values[self.input],
                1.0,
                0.0,
            );
        }
        let most = largest(gradient);
        for direction in directions(gradient.len(), flops) {
            let norm = direction.iter().map(|v| v * v).sum::<f64>().sqrt();
            let slope = (self.at(&direction, STEP) - self.at(&direction, -STEP)) / (2.0 * STEP);
            got.push(
                gradient
                    .iter()
                    .zip(&direction)
                    .map(|(g, v)| g * v)
                    .sum::<f64>()
                    / norm,
            );
            want.push(slope / norm);
            scale = scale.max(want[want.len() - 1].abs());
        }
        // Rounding errors of the elements are independent, so along a unit direction they add to one element's.
        // What the differences themselves lose is 1e-6 at most of the steepest slope.
        compare(
            format!("backward {name}"),
            &got,
            &want,
            most.max(scale),
            tolerance(terms) + 1e-6,
        )
    }
}

/// Every coordinate of a short input; of a long one single coordinates and dense directions, fewer where forward is dear.
fn directions(len: usize, flops: usize) -> Vec<Vec<f64>> {
    let unit = |i: usize| {
        let mut v = vec![0.0; len];
        v[i] = 1.0;
        v
    };
    if len <= 24 {
        return (0..len).map(unit).collect();
    }
    let mut random = SplitMix(7);
    let (single, dense) = if flops < 1_000_000 {
        (12, 4)
    } else if flops < 50_000_000 {
        (4, 3)
    } else {
        (1, 2)
    };
    let mut all: Vec<_> = (0..single).map(|_| unit(random.index(len))).collect();
    all.extend((0..dense).map(|_| (0..len).map(|_| 2.0 * random.unit() - 1.0).collect()));
    all
}
