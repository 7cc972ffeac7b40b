//! Versions of an image whose colours are shifted along the principal components of an image's own colours: a picture of what
//! Krizhevsky's augmentation does, drawn as walk-throughs draw it.

use crate::channels::CHANNELS;
use crate::error::DataError;
use crate::images::Images;
use crate::random::{Philox, Stream};
use crate::statistics::principal_components;

/// How [`colour_shifts`] draws.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ColourShifts {
    /// The image whose colours have the components.
    pub components_of: usize,
    /// The image that is shifted.
    pub image: usize,
    /// How many versions.
    pub n: usize,
    /// The standard deviation of the normal numbers that multiply each component and its eigenvalue.
    pub std: f64,
    /// The seed that draws them.
    pub seed: u64,
}

/// The image itself and then `n` versions of it: `[1 + n, height, width, 3]` as images with its label.
///
/// The components are those of one image's pixels, each channel with mean 0 and variance 1, and their eigenvalues count in
/// levels of 0 to 255, so that shifts are small: a standard deviation of 5 is what an eye sees. An eigenvector is a row
/// here; walk-through 3 multiplies by its matrix the other way round, which is a slip.
///
/// ```
/// let set = data::Shapes10::default().with_sizes(20, 5, 5).generate()?;
/// let shifts = data::ColourShifts { components_of: 0, image: 4, n: 10, std: 5.0, seed: 0 };
/// assert_eq!(data::colour_shifts(&set.train, shifts)?.len(), 11);
/// # Ok::<(), data::DataError>(())
/// ```
///
/// # Errors
/// [`DataError::Argument`] for images without colours, an image that is not there, or a standard deviation that is no positive number; the
/// source's error if one can't be read.
pub fn colour_shifts(images: &Images, shifts: ColourShifts) -> Result<Images, DataError> {
    let [height, width, channels] = images.shape();
    if channels != CHANNELS {
        let expected = "images of red, green and blue";
        return Err(DataError::argument(
            "colour shift",
            expected,
            images.channels(),
        ));
    }
    if !(shifts.std > 0.0 && shifts.std.is_finite()) {
        let expected = "a standard deviation above 0";
        return Err(DataError::argument("colour shift", expected, shifts.std));
    }
    let mut pixels = vec![0; images.image_bytes()];
    images.read(shifts.components_of, &mut pixels)?;
    let components = principal_components(correlation(&pixels));
    images.read(shifts.image, &mut pixels)?;
    let mut all = pixels.clone();
    for version in 0..shifts.n as u64 {
        let mut random = Philox::new(shifts.seed, Stream::ColourPicture, version);
        let along = components
            .values
            .map(|value| shifts.std * normal(&mut random) * value);
        let of_channel = |channel: usize| -> f64 {
            let vectors = components.vectors.iter();
            vectors
                .zip(along)
                .map(|(vector, along)| vector[channel] * along)
                .sum()
        };
        let shift = [0, 1, 2].map(of_channel);
        let shifted = |(place, value): (usize, &u8)| {
            #[expect(
                clippy::cast_possible_truncation,
                clippy::cast_sign_loss,
                reason = "clamped to a byte"
            )]
            let byte = (f64::from(*value) + shift[place % CHANNELS])
                .round()
                .clamp(0.0, 255.0) as u8;
            byte
        };
        all.extend(pixels.iter().enumerate().map(shifted));
    }
    let labels = vec![images.labels()[shifts.image]; 1 + shifts.n];
    let names = images.class_names().to_vec();
    Images::from_pixels([height, width, channels], all, labels, names)
}

/// The covariance (by n - 1) of an image's channels, each scaled to variance 1 (by n); of a channel that never changes 0.
fn correlation(pixels: &[u8]) -> [[f64; CHANNELS]; CHANNELS] {
    let n = (pixels.len() / CHANNELS) as f64;
    let of = |channel: usize| {
        let values = pixels.iter().skip(channel).step_by(CHANNELS);
        values.map(|value| f64::from(*value))
    };
    let mean = [0, 1, 2].map(|channel| of(channel).sum::<f64>() / n);
    let covariance = |i: usize, j: usize| {
        let products = of(i).zip(of(j)).map(|(a, b)| (a - mean[i]) * (b - mean[j]));
        products.sum::<f64>() / n
    };
    let std = [0, 1, 2].map(|channel| covariance(channel, channel).sqrt());
    [0, 1, 2].map(|i| {
        [0, 1, 2].map(|j| {
            if std[i] == 0.0 || std[j] == 0.0 {
                return 0.0;
            }
            covariance(i, j) / (std[i] * std[j]) * n / (n - 1.0).max(1.0)
        })
    })
}

/// A normal number (Box and Muller).
fn normal(random: &mut Philox) -> f64 {
    let radius = (-2.0 * libm::log(f64::from(1.0 - random.unit()))).sqrt();
    radius * libm::cos(std::f64::consts::TAU * f64::from(random.unit()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shifts_lie_along_the_components_and_have_their_spread() {
        // One direction of colour, (1, 1, 1) once each channel has variance 1: eigenvalue 3 n / (n - 1) = 4.
        let pixels: Vec<u8> = [
            [100, 90, 80],
            [110, 110, 110],
            [120, 130, 140],
            [110, 110, 110],
        ]
        .concat();
        let images = Images::from_pixels([2, 2], pixels, vec![0], vec!["a".to_owned()]).unwrap();
        let shifts = ColourShifts {
            components_of: 0,
            image: 0,
            n: 4000,
            std: 5.0,
            seed: 1,
        };
        let all = colour_shifts(&images, shifts).unwrap().read_all().unwrap();
        let moved: Vec<f64> = all
            .chunks_exact(12)
            .map(|image| {
                let [r, g, b] = [3, 4, 5].map(|at| f64::from(image[at]) - 110.0);
                assert!(r == g && g == b, "along (1, 1, 1): {r} {g} {b}");
                r
            })
            .collect();
        assert_eq!(moved[0], 0.0, "the image itself");
        let squares = moved.iter().map(|shift| shift * shift).sum::<f64>();
        // 5 times the eigenvalue over sqrt(3), and rounding's 1/12; of 4,000 squares the mean is within 8 %.
        let expected = (5.0 * 4.0_f64).powi(2) / 3.0 + 1.0 / 12.0;
        let ratio = squares / 4000.0 / expected;
        assert!((ratio - 1.0).abs() < 0.08, "{ratio}");
    }
}
