//! Evaluation over several views, against views that are cut and mirrored on the host.

use data::{Images, Shapes10};
use model::{Architecture, Mode, Network};
use tensor::Device;
use tensor::Tensor;
use train::{Evaluator, Recipe, Tta};

const SIDE: usize = 32;

/// Where a view begins, and whether it is mirrored. What is beside the image is its reflection.
type View = (isize, isize, bool);

/// The row or column that a place within a few pixels of the image shows.
fn reflected(at: isize) -> usize {
    let last = SIDE - 1;
    let inside = at.unsigned_abs();
    if inside > last {
        2 * last - inside
    } else {
        inside
    }
}

/// The mean probabilities of the images' views of `size`, `[n, 10]`; a view that is there twice counts twice.
fn by_hand(network: &Network, images: &Images, size: usize, views: &[View]) -> Vec<f64> {
    let place = |begin: isize, at: usize| reflected(begin + isize::try_from(at).unwrap());
    let pixels = images.read_all().unwrap();
    let mut mean = vec![0.0; 10 * images.len()];
    for &(top, left, is_mirrored) in views {
        let mut x = Vec::new();
        for image in pixels.chunks(SIDE * SIDE * 3) {
            for row in (0..size).map(|row| place(top, row)) {
                for column in 0..size {
                    let column = if is_mirrored {
                        size - 1 - column
                    } else {
                        column
                    };
                    let column = place(left, column);
                    let pixel = &image[3 * (SIDE * row + column)..][..3];
                    x.extend(pixel.iter().map(|&v| (f32::from(v) / 255.0 - 0.5) / 0.25));
                }
            }
        }
        let x = Tensor::from_slice(network.device(), &x, [images.len(), size, size, 3]).unwrap();
        let logits = network.forward(&x, Mode::Eval).unwrap();
        let probabilities = logits.softmax().unwrap().to_vec::<f32>().unwrap();
        for (mean, p) in mean.iter_mut().zip(probabilities) {
            *mean += f64::from(p) / views.len() as f64;
        }
    }
    mean
}

fn check(tta: Tta, size: usize, by_hand_views: &[View]) {
    let set = Shapes10::default().with_sizes(20, 10, 23).generate();
    let images = set.unwrap().test.unwrap();
    let mut recipe = Recipe::named("shapes10").unwrap();
    recipe.evaluation_batch_size = 10;
    recipe.evaluation.resize = Some(SIDE);
    let architecture = Architecture::new("alexnet-small", Some(10), Some(size)).unwrap();
    for device in [Some(Device::cpu()), super::gpu()].into_iter().flatten() {
        let network = Network::new(architecture.clone(), 7, &device).unwrap();
        let mean = by_hand(&network, &images, size, by_hand_views);
        let own = |(row, &label): (&[f64], &u32)| -row[label as usize].ln();
        let losses = mean.chunks(10).zip(images.labels()).map(own);
        let expected = losses.sum::<f64>() / images.len() as f64;
        let right = mean.chunks(10).zip(images.labels()).filter(|(row, label)| {
            let best = row.iter().fold(0.0, |best, &p| f64::max(best, p));
            row[**label as usize] >= best
        });
        let right = right.count() as f64 / images.len() as f64;
        let mut evaluator = Evaluator::new(&network, images.clone(), &recipe, tta).unwrap();
        // Twice: the sums of the views must begin anew.
        for _ in 0..2 {
            let score = evaluator.run(&mut |_, _| {}).unwrap();
            assert_eq!(score.images, 23, "{tta:?}");
            assert!(
                (score.loss / expected - 1.0).abs() < 1e-4,
                "{tta:?}: {}, expected {expected}",
                score.loss
            );
            assert!((score.accuracy - right).abs() < 1e-9, "{tta:?}: accuracy");
        }
    }
}

#[test]
fn one_view_is_the_centre() {
    check(Tta::None, 24, &[(4, 4, false)]);
}

#[test]
fn an_image_and_its_mirror_image_are_averaged() {
    check(Tta::Flip, SIDE, &[(0, 0, false), (0, 0, true)]);
}

#[test]
fn shifted_views_count_half_as_much_as_the_centre() {
    let [centre, up, down] = [0, -1, 1].map(|by| [(by, by, false), (by, by, true)]);
    check(Tta::FlipShift, SIDE, &[centre, centre, up, down].concat());
    let [centre, up, down] = [4, 3, 5].map(|by| [(by, by, false), (by, by, true)]);
    check(Tta::FlipShift, 24, &[centre, centre, up, down].concat());
}

#[test]
fn ten_crops_are_averaged() {
    let corners = [(4, 4), (0, 0), (0, 8), (8, 0), (8, 8)];
    let views = [false, true].map(|flip| corners.map(|(top, left)| (top, left, flip)));
    check(Tta::TenCrop, 24, &views.concat());
}

#[test]
fn views_that_do_not_fit_are_errors() {
    let images = Shapes10::default().with_sizes(20, 10, 10).generate();
    let images = images.unwrap().train;
    let architecture = Architecture::new("alexnet-small", Some(10), None).unwrap();
    let network = Network::new(architecture, 7, &Device::cpu()).unwrap();
    for (tta, resize, part) in [
        (Tta::TenCrop, None, "evaluation.tta"),
        (Tta::None, Some(31), "resize"),
    ] {
        let mut recipe = Recipe::named("shapes10").unwrap();
        recipe.evaluation.resize = resize;
        let error = Evaluator::new(&network, images.clone(), &recipe, tta).unwrap_err();
        assert!(error.to_string().starts_with(part), "{error}");
    }
}
