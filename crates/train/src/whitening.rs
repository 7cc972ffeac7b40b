//! The first convolution's weights from the training images: filters whose answers to patches are uncorrelated and of one
//! variance.
//!
//! Of patches `x` of the normalised images, `[kh, kw, channels]`, with the covariance `C = V diag(l) V^T`, filter `k` is
//! `v_k / sqrt(l_k + epsilon)`, the largest eigenvalue first, and a second half of the filters is the first half's negative:
//! what a ReLU or a GELU takes away of one it leaves of the other (Jordan 2024, arXiv 2404.00498, section 3.1).
//!
//! All of it is worked out on the host, in f64 and in a fixed order: a network begins with the same bits on every device.

use data::Images;
use model::Network;
use model::layers::Conv2d;
use tensor::Device;

use crate::error::{Error, Result};
use crate::eval::preview::batch;
use crate::optim::single;
use crate::recipe::{Recipe, Tta, WhiteningRecipe};
use crate::step::input::Input;

/// Images that are prepared at once.
const AT_ONCE: usize = 64;
/// Products that are added up at most, in all: about a second's. Where there would be more, not every place has a patch.
const MOST_PRODUCTS: f64 = 1e9;
/// Sweeps over all pairs of axes: convergence is quadratic, and ten are enough for a thousand axes.
const SWEEPS: usize = 60;

/// A window on an image, and the step from one patch to the next.
#[derive(Clone, Copy)]
struct Patches {
    window: [usize; 2],
    /// Height, width and channels of an image.
    image: [usize; 3],
    step: usize,
}

/// Sums over patches: of values, and of the products of two, of which the second is no earlier one.
struct Sums {
    n: f64,
    values: Vec<f64>,
    products: Vec<f64>,
}

impl WhiteningRecipe {
    /// Writes the weights of the first layer of `network`, which must be a convolution of all channels.
    pub(crate) fn apply(&self, network: &Network, train: &Images, recipe: &Recipe) -> Result<()> {
        let architecture = network.architecture();
        let image = architecture.input();
        let first = architecture.layers().next();
        let weight = network.parameters().first().map(|(_, weight)| weight);
        let wrong = || {
            let expected = "a network that begins with a convolution of all channels";
            Error::setting("whitening", expected, architecture.name())
        };
        let is_convolution = first.is_some_and(|layer| layer.is::<Conv2d>());
        let weight = weight.filter(|_| is_convolution).ok_or_else(wrong)?;
        let &[height, width, channels, filters] = &weight.shape()[..] else {
            return Err(wrong());
        };
        if channels != image[2] || height > image[0] || width > image[1] {
            return Err(wrong());
        }
        let images = train.limit(self.images)?;
        let patches = Patches::new([height, width], image, images.len());
        let covariance = patches.sums(&images, recipe)?.covariance();
        let mut values: Vec<f32> = weight.to_vec()?;
        fill(&mut values, filters, &eigen(covariance), self.epsilon);
        Ok(weight.write(&values)?)
    }
}

/// The filters, `[kh, kw, channels, filters]`: pairs of an eigenvector and its negative, as many as there are. Filters beyond
/// them stay as they are.
fn fill(values: &mut [f32], filters: usize, eigen: &[(f64, Vec<f64>)], epsilon: f64) {
    let pairs = eigen.len().min(filters / 2);
    for (pair, (value, vector)) in eigen.iter().take(pairs).enumerate() {
        let scale = (value.max(0.0) + epsilon).sqrt().recip();
        for (row, component) in values.chunks_exact_mut(filters).zip(vector) {
            row[pair] = single(component * scale);
            row[pairs + pair] = -row[pair];
        }
    }
}

impl Patches {
    /// At every place of each of `n` images, or at fewer where that would take too long.
    fn new(window: [usize; 2], image: [usize; 3], n: usize) -> Self {
        let every = Self {
            window,
            image,
            step: 1,
        };
        let size = float(every.size());
        let places = float(every.places().count() * n);
        let share = places * size * (size + 1.0) / 2.0 / MOST_PRODUCTS;
        let step = (1..=image[0]).find(|&step| float(step * step) >= share);
        Self {
            step: step.unwrap_or(image[0]),
            ..every
        }
    }

    /// Numbers in a patch.
    fn size(&self) -> usize {
        self.window[0] * self.window[1] * self.image[2]
    }

    /// Where patches begin.
    fn places(&self) -> impl Iterator<Item = [usize; 2]> + use<> {
        let [rows, columns] = [0, 1].map(|axis: usize| self.image[axis] + 1 - self.window[axis]);
        let step = self.step;
        (0..rows)
            .step_by(step)
            .flat_map(move |row| (0..columns).step_by(step).map(move |column| [row, column]))
    }

    /// The sums over the patches of these images, prepared as the recipe prepares them for evaluation.
    fn sums(&self, images: &Images, recipe: &Recipe) -> Result<Sums> {
        let device = Device::cpu();
        let [height, width, _] = self.image;
        let mut all = Sums::new(self.size());
        let samples: Vec<u32> = (0..).take(images.len()).collect();
        for samples in samples.chunks(AT_ONCE) {
            let input = Input::new(&device, samples.len(), images.shape())?;
            input.write(&batch(images, samples)?)?;
            let (own, resize) = (&recipe.images, recipe.evaluation.resize);
            let views = input.for_evaluation(own, resize, Tta::None, [height, width])?;
            let x: Vec<f32> = input.images(&views[0].spec)?.to_vec()?;
            let images = x.chunks_exact(self.image.iter().product());
            images.for_each(|image| self.note(image, &mut all));
        }
        Ok(all)
    }

    /// Adds the patches of an image.
    fn note(&self, image: &[f32], sums: &mut Sums) {
        let mut patch = vec![0.0; self.size()];
        let [height, width] = self.window;
        let [_, columns, channels] = self.image;
        let line = width * channels;
        for [row, column] in self.places() {
            for (offset, into) in (0..height).zip(patch.chunks_exact_mut(line)) {
                let from = &image[((row + offset) * columns + column) * channels..][..line];
                for (into, &from) in into.iter_mut().zip(from) {
                    *into = f64::from(from);
                }
            }
            sums.note(&patch);
        }
    }
}

impl Sums {
    fn new(size: usize) -> Self {
        Self {
            n: 0.0,
            values: vec![0.0; size],
            products: vec![0.0; size * size],
        }
    }

    fn note(&mut self, patch: &[f64]) {
        let size = patch.len();
        self.n += 1.0;
        for (i, &a) in patch.iter().enumerate() {
            self.values[i] += a;
            let products = &mut self.products[i * size + i..(i + 1) * size];
            for (sum, &b) in products.iter_mut().zip(&patch[i..]) {
                *sum += a * b;
            }
        }
    }

    /// The covariance, row by row.
    fn covariance(&self) -> Vec<Vec<f64>> {
        let size = self.values.len();
        let mean = |i: usize| self.values[i] / self.n;
        let of = |i: usize, j: usize| {
            let (first, second) = (i.min(j), i.max(j));
            self.products[first * size + second] / self.n - mean(i) * mean(j)
        };
        (0..size)
            .map(|i| (0..size).map(|j| of(i, j)).collect())
            .collect()
    }
}

/// The eigenvalues of a symmetric matrix, the largest first, each with its unit vector, whose largest component is positive. By
/// Jacobi's method: rotations that make one element beside the diagonal zero each, until all are.
fn eigen(mut matrix: Vec<Vec<f64>>) -> Vec<(f64, Vec<f64>)> {
    let size = matrix.len();
    let unit = |i: usize| (0..size).map(|j| if i == j { 1.0 } else { 0.0 }).collect();
    // Vectors are kept as rows.
    let mut vectors: Vec<Vec<f64>> = (0..size).map(unit).collect();
    for _ in 0..SWEEPS {
        let rows = matrix.iter().enumerate();
        let beside = rows.flat_map(|(i, row)| row.iter().skip(i + 1));
        let beside: f64 = beside.map(|x| x * x).sum();
        let diagonal: f64 = (0..size).map(|i| matrix[i][i] * matrix[i][i]).sum();
        if beside <= 1e-30 * diagonal {
            break;
        }
        for p in 0..size {
            for q in p + 1..size {
                rotate(&mut matrix, &mut vectors, p, q);
            }
        }
    }
    let mut pairs: Vec<(f64, Vec<f64>)> = vectors
        .into_iter()
        .enumerate()
        .map(|(i, vector)| (matrix[i][i], pointing_up(vector)))
        .collect();
    pairs.sort_by(|a, b| b.0.total_cmp(&a.0));
    pairs
}

/// Turns axes `p` and `q` so that their element beside the diagonal becomes zero.
fn rotate(matrix: &mut [Vec<f64>], vectors: &mut [Vec<f64>], p: usize, q: usize) {
    if matrix[p][q] == 0.0 {
        return;
    }
    let theta = (matrix[q][q] - matrix[p][p]) / (2.0 * matrix[p][q]);
    let tangent = theta.signum() / (theta.abs() + libm::hypot(theta, 1.0));
    let cosine = libm::hypot(tangent, 1.0).recip();
    let sine = tangent * cosine;
    let turned = |a: f64, b: f64| (cosine * a - sine * b, sine * a + cosine * b);
    for row in matrix.iter_mut() {
        (row[p], row[q]) = turned(row[p], row[q]);
    }
    for rows in [matrix, vectors] {
        let (before, after) = rows.split_at_mut(q);
        for (a, b) in before[p].iter_mut().zip(&mut after[0]) {
            (*a, *b) = turned(*a, *b);
        }
    }
}

fn pointing_up(mut vector: Vec<f64>) -> Vec<f64> {
    let largest = vector.iter().max_by(|a, b| a.abs().total_cmp(&b.abs()));
    let sign = largest.map_or(1.0, |largest| largest.signum());
    vector.iter_mut().for_each(|x| *x *= sign);
    vector
}

#[expect(clippy::cast_precision_loss, reason = "counts are far below 2^52")]
fn float(n: usize) -> f64 {
    n as f64
}
