//! What a set of images looks like in numbers: images per class, and mean, standard deviation and principal components of colour.

use rayon::prelude::*;

use crate::channels::{CHANNELS, Channels};
use crate::error::DataError;
use crate::images::Images;

/// The most channels that an image has.
const MOST: usize = Channels::Rgba.count();

/// Numbers about a set of images. Colour values run from 0 to 1.
#[derive(Clone, Debug, PartialEq)]
pub struct Statistics {
    /// Images in each class.
    pub counts: Vec<usize>,
    /// The mean of each channel over all pixels.
    pub mean: Vec<f64>,
    /// The standard deviation of each channel over all pixels (the population's: divided by their number).
    pub std: Vec<f64>,
    /// How colours vary together; none of grey images.
    pub principal: Option<PrincipalComponents>,
}

/// The eigenvalues and eigenvectors of the 3x3 covariance of red, green and blue over all pixels.
///
/// Krizhevsky, Sutskever, Hinton 2012, section 4.1, shifts colours along them: for each i, add `vectors[i]` times
/// `values[i]` times a normal random number of standard deviation 0.1.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct PrincipalComponents {
    /// Eigenvalues, the largest first.
    pub values: [f64; CHANNELS],
    /// `vectors[i]`: the unit eigenvector of `values[i]`, its largest component positive.
    pub vectors: [[f64; CHANNELS]; CHANNELS],
}

/// Sums over pixels, in integers: exact, so that the order of summing does not matter.
#[derive(Clone, Copy, Default)]
struct Sums {
    values: [u64; MOST],
    products: [[u64; MOST]; MOST],
}

impl Sums {
    fn of(pixels: &[u8], channels: usize) -> Self {
        let mut sums = Self::default();
        for pixel in pixels.chunks_exact(channels) {
            for (i, a) in pixel.iter().enumerate() {
                sums.values[i] += u64::from(*a);
                for (j, b) in pixel.iter().enumerate() {
                    sums.products[i][j] += u64::from(*a) * u64::from(*b);
                }
            }
        }
        sums
    }

    fn plus(mut self, other: Self) -> Self {
        for i in 0..MOST {
            self.values[i] += other.values[i];
            for j in 0..MOST {
                self.products[i][j] += other.products[i][j];
            }
        }
        self
    }
}

/// Reads all images, in parallel, and computes their [`Statistics`].
///
/// ```
/// let set = data::Shapes10::default().with_sizes(100, 10, 10).generate()?;
/// let statistics = data::statistics(&set.train)?;
/// assert_eq!(statistics.counts, [10; 10]);
/// println!("mean {:.3?}, standard deviation {:.3?}", statistics.mean, statistics.std);
/// # Ok::<(), data::DataError>(())
/// ```
///
/// # Errors
/// The source's first error.
pub fn statistics(images: &Images) -> Result<Statistics, DataError> {
    let mut counts = vec![0; images.class_names().len()];
    images
        .labels()
        .iter()
        .for_each(|label| counts[*label as usize] += 1);
    let channels = images.channels().count();
    let new_buffer = || vec![0; images.image_bytes()];
    let sums = (0..images.len())
        .into_par_iter()
        .map_init(new_buffer, |buffer, index| {
            images.read(index, buffer)?;
            Ok::<_, DataError>(Sums::of(buffer, channels))
        });
    let sums = sums.try_reduce(Sums::default, |a, b| Ok(a.plus(b)))?;
    let n_pixels = float((images.len() * images.image_bytes() / channels) as u64);
    let mean = sums.values.map(|sum| float(sum) / n_pixels / 255.0);
    let covariance = |i: usize, j: usize| {
        float(sums.products[i][j]) / n_pixels / (255.0 * 255.0) - mean[i] * mean[j]
    };
    let std = |i| covariance(i, i).max(0.0).sqrt();
    // Opacity is no colour.
    let colours = || [0, 1, 2].map(|i| [0, 1, 2].map(|j| covariance(i, j)));
    Ok(Statistics {
        counts,
        mean: mean[..channels].to_vec(),
        std: (0..channels).map(std).collect(),
        principal: (channels >= CHANNELS).then(|| principal_components(colours())),
    })
}

fn float(count: u64) -> f64 {
    #[expect(
        clippy::cast_precision_loss,
        reason = "a relative error of 2^-53 in a sum does not matter"
    )]
    let value = count as f64;
    value
}

/// Jacobi's method: rotations that make one off-diagonal element zero each, until all are.
pub(crate) fn principal_components(mut matrix: [[f64; CHANNELS]; CHANNELS]) -> PrincipalComponents {
    let mut vectors = [[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]];
    // Convergence is quadratic: a 3x3 matrix needs about five sweeps.
    for (p, q) in [(0, 1), (0, 2), (1, 2)].into_iter().cycle().take(3 * 20) {
        if matrix[p][q] == 0.0 {
            continue;
        }
        let theta = (matrix[q][q] - matrix[p][p]) / (2.0 * matrix[p][q]);
        let tangent = theta.signum() / (theta.abs() + libm::hypot(theta, 1.0));
        let cosine = 1.0 / libm::hypot(tangent, 1.0);
        let sine = tangent * cosine;
        let rotate = |a: &mut f64, b: &mut f64| {
            (*a, *b) = (cosine * *a - sine * *b, sine * *a + cosine * *b);
        };
        for row in &mut matrix {
            let [mut a, mut b] = [row[p], row[q]];
            rotate(&mut a, &mut b);
            (row[p], row[q]) = (a, b);
        }
        for k in 0..CHANNELS {
            let [mut a, mut b] = [matrix[p][k], matrix[q][k]];
            rotate(&mut a, &mut b);
            (matrix[p][k], matrix[q][k]) = (a, b);
            // Eigenvectors are kept as rows.
            let [mut a, mut b] = [vectors[p][k], vectors[q][k]];
            rotate(&mut a, &mut b);
            (vectors[p][k], vectors[q][k]) = (a, b);
        }
    }
    let mut order = [0, 1, 2];
    order.sort_by(|a, b| matrix[*b][*b].total_cmp(&matrix[*a][*a]));
    let values = order.map(|i| matrix[i][i].max(0.0));
    let vectors = order.map(|i| {
        let largest = vectors[i]
            .into_iter()
            .max_by(|a, b| a.abs().total_cmp(&b.abs()))
            .unwrap_or(1.0);
        vectors[i].map(|component| component * largest.signum())
    });
    PrincipalComponents { values, vectors }
}
