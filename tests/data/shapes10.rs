//! The built-in data set: the same bytes everywhere, and neither trivial nor hopeless.

use data::{DataSet, Images, Shapes10};
use rayon::prelude::*;

/// FNV-1a over everything, 64 bits.
fn hash(set: &DataSet) -> u64 {
    let images = [Some(&set.train), set.validation.as_ref(), set.test.as_ref()];
    let mut hash = 0xcbf2_9ce4_8422_2325_u64;
    for images in images.into_iter().flatten() {
        let labels = images
            .labels()
            .iter()
            .map(|label| u8::try_from(*label).unwrap());
        for byte in images.read_all().unwrap().into_iter().chain(labels) {
            hash = (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
        }
    }
    hash
}

#[test]
fn the_default_set_is_the_same_bytes_everywhere() {
    let set = Shapes10::default().generate().unwrap();
    let sizes = [Some(&set.train), set.validation.as_ref(), set.test.as_ref()]
        .map(|images| images.unwrap().len());
    assert_eq!(sizes, [8000, 1000, 1000]);
    assert_eq!(format!("{:016x}", hash(&set)), "7d3ff127cda93c58");
}

#[test]
fn classes_are_balanced_seeds_differ_and_sizes_change_nothing_else() {
    let small = Shapes10::default()
        .with_sizes(100, 10, 10)
        .generate()
        .unwrap();
    for class in 0..10 {
        assert_eq!(
            small
                .train
                .labels()
                .iter()
                .filter(|label| **label == class)
                .count(),
            10
        );
    }
    let large = Shapes10::default()
        .with_sizes(200, 20, 20)
        .generate()
        .unwrap();
    let first: Vec<u32> = (0..100).collect();
    assert_eq!(
        large.train.subset(&first).unwrap().read_all().unwrap(),
        small.train.read_all().unwrap()
    );
    let other = Shapes10::default()
        .with_sizes(100, 10, 10)
        .with_seed(1)
        .generate()
        .unwrap();
    assert_ne!(hash(&other), hash(&small));
    assert!(
        Shapes10::default().with_sizes(1, 0, 1).generate().is_err(),
        "an empty split"
    );
}

/// Pixels as numbers around zero, with a one for the bias: `[n, 3073]`.
fn features(images: &Images) -> Vec<f32> {
    let pixels = images.read_all().unwrap();
    let image = |pixels: &[u8]| -> Vec<f32> {
        pixels
            .iter()
            .map(|byte| (f32::from(*byte) - 128.0) / 64.0)
            .chain([1.0])
            .collect()
    };
    pixels.par_chunks(3072).flat_map_iter(image).collect()
}

fn scores(weights: &[f32], x: &[f32]) -> [f32; 10] {
    let mut scores = [0.0; 10];
    for (weights, x) in weights.chunks_exact(10).zip(x) {
        for (score, weight) in scores.iter_mut().zip(weights) {
            *score += weight * x;
        }
    }
    scores
}

/// The gradient of the cross-entropy with respect to the scores: softmax less the one-hot label.
fn score_gradient(scores: [f32; 10], label: u32) -> [f32; 10] {
    let top = scores.into_iter().fold(f32::MIN, f32::max);
    let mut gradient = scores.map(|score| (score - top).exp());
    let sum: f32 = gradient.iter().sum();
    gradient.iter_mut().for_each(|value| *value /= sum);
    gradient[label as usize] -= 1.0;
    gradient
}

fn accuracy(weights: &[f32], images: &Images) -> f64 {
    let best = |scores: [f32; 10]| {
        (0..10_u32).max_by(|a, b| scores[*a as usize].total_cmp(&scores[*b as usize]))
    };
    let x = features(images);
    let right = x
        .par_chunks(3073)
        .zip(images.labels())
        .filter(|(x, label)| best(scores(weights, x)) == Some(**label));
    f64::from(u32::try_from(right.count()).unwrap())
        / f64::from(u32::try_from(images.len()).unwrap())
}

#[test]
fn a_linear_classifier_stays_under_sixty_percent() {
    let set = Shapes10::default().generate().unwrap();
    let x = features(&set.train);
    let mut weights = vec![0.0_f32; 3073 * 10];
    for epoch in 0..8_u8 {
        let rate = 2e-3 / (1.0 + f32::from(epoch));
        for (x, labels) in x.chunks(3073 * 20).zip(set.train.labels().chunks(20)) {
            let gradients: Vec<[f32; 10]> = x
                .chunks(3073)
                .zip(labels)
                .map(|(x, label)| score_gradient(scores(&weights, x), *label))
                .collect();
            for (x, gradient) in x.chunks(3073).zip(gradients) {
                for (weights, x) in weights.chunks_exact_mut(10).zip(x) {
                    for (weight, gradient) in weights.iter_mut().zip(gradient) {
                        *weight -= rate / 20.0 * gradient * x;
                    }
                }
            }
        }
    }
    let (train, test) = (
        accuracy(&weights, &set.train),
        accuracy(&weights, set.test.as_ref().unwrap()),
    );
    // Well over chance on its own training set shows that it did learn.
    assert!(train > 0.4, "the regression did not learn: {train}");
    assert!(test < 0.60, "a linear classifier gets {test}");
}
