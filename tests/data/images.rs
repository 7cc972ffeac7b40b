//! Views, splits and limits of images in memory.

use data::{DataError, DataSet, Images};

/// `n` images of 2x2, the k-th filled with k, sorted by class into `classes` equal stretches.
pub(crate) fn sorted(n: usize, classes: usize) -> Images {
    let pixels = (0..n)
        .flat_map(|k| [u8::try_from(k % 256).unwrap(); 12])
        .collect();
    let labels = (0..n)
        .map(|k| u32::try_from(k * classes / n).unwrap())
        .collect();
    Images::from_pixels(
        [2, 2],
        pixels,
        labels,
        (0..classes).map(|c| format!("class {c}")).collect(),
    )
    .unwrap()
}

fn counts(images: &Images) -> Vec<usize> {
    (0..images.class_names().len())
        .map(|class| {
            images
                .labels()
                .iter()
                .filter(|label| **label as usize == class)
                .count()
        })
        .collect()
}

fn first_bytes(images: &Images) -> Vec<u8> {
    images
        .read_all()
        .unwrap()
        .chunks(12)
        .map(|image| image[0])
        .collect()
}

#[test]
fn a_split_is_seeded_proportional_and_loses_nothing() {
    let all = sorted(100, 5);
    let (train, validation) = all.split_off(20, 7).unwrap();
    assert_eq!(
        (counts(&train), counts(&validation)),
        (vec![16; 5], vec![4; 5])
    );
    let mut together = [first_bytes(&train), first_bytes(&validation)].concat();
    together.sort_unstable();
    assert_eq!(together, (0..100).collect::<Vec<u8>>());
    let again = all.split_off(20, 7).unwrap().1;
    assert_eq!(first_bytes(&again), first_bytes(&validation));
    let other = all.split_off(20, 8).unwrap().1;
    assert_ne!(first_bytes(&other), first_bytes(&validation));
}

#[test]
fn a_limit_keeps_every_class_of_a_sorted_set() {
    assert_eq!(counts(&sorted(100, 5).limit(10).unwrap()), vec![2; 5]);
    assert_eq!(sorted(10, 5).limit(1000).unwrap().len(), 10);
}

#[test]
fn views_of_views_read_the_right_pixels() {
    let view = sorted(100, 5)
        .subset(&[90, 10, 50])
        .unwrap()
        .subset(&[2, 0])
        .unwrap();
    assert_eq!(first_bytes(&view), [50, 90]);
    assert_eq!(view.labels(), [2, 4]);
}

#[test]
fn impossible_requests_are_errors() {
    let set = DataSet {
        name: "made".to_owned(),
        train: sorted(10, 2),
        validation: None,
        test: None,
        skipped: Vec::new(),
        left_out: data::LeftOut::default(),
    };
    for (result, message) in [
        (
            set.clone().limit(0),
            "limit: expected at least 1 image, found 0",
        ),
        (
            set.clone().with_validation(10, 0),
            "validation images: expected 1 to 9 of the 10 images, found 10",
        ),
        (
            set.clone().with_validation(0, 0),
            "validation images: expected 1 to 9 of the 10 images, found 0",
        ),
        (
            set.clone().with_validation_fraction(f64::NAN, 0),
            "validation fraction: expected a number between 0 and 1, found NaN",
        ),
    ] {
        assert_eq!(result.unwrap_err().to_string(), message);
    }
    let split = |share| {
        let set = set.clone().with_validation_fraction(share, 0).unwrap();
        (set.train.len(), set.validation.unwrap().len())
    };
    assert_eq!(split(0.2), (8, 2));
    assert_eq!(split(0.001), (9, 1), "at least one");
    let names = || vec!["a".to_owned()];
    assert!(
        matches!(
            Images::from_pixels([1, 1], vec![0; 3], vec![1], names()),
            Err(DataError::Argument { .. })
        ),
        "label"
    );
    assert!(
        matches!(
            Images::from_pixels([1, 1], vec![0; 4], vec![0], names()),
            Err(DataError::Argument { .. })
        ),
        "bytes"
    );
    assert!(
        matches!(
            Images::from_pixels([1, 1], vec![], vec![], names()),
            Err(DataError::Argument { .. })
        ),
        "none"
    );
}

#[test]
fn images_are_read_in_pieces_and_not_beyond_the_last() {
    let (_, taken) = sorted(10, 5).split_off(7, 1).unwrap();
    assert!(taken.are_decoded(), "in memory, as what it is a part of");
    let all = taken.read_all().unwrap();
    let mut piece = [0; 36];
    for first in 0..=4 {
        taken.read_from(first, &mut piece).unwrap();
        assert_eq!(piece, all[12 * first..12 * (first + 3)], "from {first}");
    }
    let beyond = taken.read_from(5, &mut piece).unwrap_err().to_string();
    assert!(beyond.starts_with("index: "), "{beyond}");
    let torn = taken.read_from(0, &mut piece[..30]).unwrap_err();
    assert!(torn.to_string().starts_with("out: "), "{torn}");
}
