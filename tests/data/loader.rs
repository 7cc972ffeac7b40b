//! Batches: contents, order, ends of epochs, resuming, failures.

use std::sync::Arc;
use std::time::Duration;

use data::{DataError, Images, Loader, LoaderOptions, PADDING, Source, Tail};

use crate::images::sorted;

/// What a batch holds: epoch, index, samples, labels and the first byte of every image.
type Seen = (u64, usize, Vec<u32>, Vec<u32>, Vec<u8>);

fn take(loader: &mut Loader, n: usize) -> Vec<Seen> {
    (0..n)
        .map(|_| {
            let batch = loader.next_batch().unwrap();
            let firsts = batch.pixels.chunks(12).map(|image| image[0]).collect();
            (
                batch.epoch,
                batch.index,
                batch.samples.clone(),
                batch.labels.clone(),
                firsts,
            )
        })
        .collect()
}

fn options(threads: usize, prefetch: usize) -> LoaderOptions {
    LoaderOptions {
        threads,
        prefetch,
        ..LoaderOptions::training(8, 42)
    }
}

#[test]
fn batches_do_not_depend_on_threads_or_prefetch() {
    let expected = take(&mut Loader::new(sorted(100, 5), options(1, 1)).unwrap(), 40);
    for (threads, prefetch) in [(1, 4), (2, 3), (5, 2), (8, 16)] {
        let seen = take(
            &mut Loader::new(sorted(100, 5), options(threads, prefetch)).unwrap(),
            40,
        );
        assert_eq!(seen, expected, "{threads} threads, {prefetch} ahead");
    }
}

#[test]
fn an_epoch_shuffles_every_image_in_once_and_the_next_one_otherwise() {
    let mut loader = Loader::new(sorted(96, 4), options(2, 4)).unwrap();
    assert_eq!(loader.n_batches(), 12);
    let [first, second] = [take(&mut loader, 12), take(&mut loader, 12)];
    for (epoch, batches) in [&first, &second].into_iter().enumerate() {
        let mut samples: Vec<u32> = batches.iter().flat_map(|batch| batch.2.clone()).collect();
        assert!(
            samples
                .iter()
                .zip(0..)
                .filter(|(sample, place)| *sample == place)
                .count()
                < 12,
            "hardly shuffled"
        );
        samples.sort_unstable();
        assert_eq!(samples, (0..96).collect::<Vec<u32>>());
        for (index, (e, i, samples, labels, firsts)) in batches.iter().enumerate() {
            assert_eq!((*e, *i), (epoch as u64, index));
            assert_eq!(
                samples
                    .iter()
                    .map(|s| u8::try_from(*s).unwrap())
                    .collect::<Vec<_>>(),
                *firsts
            );
            assert_eq!(
                samples.iter().map(|s| s * 4 / 96).collect::<Vec<_>>(),
                *labels
            );
        }
    }
    assert_ne!(first[0].2, second[0].2);
}

#[test]
fn training_drops_and_evaluation_pads_an_incomplete_batch() {
    assert_eq!(
        Loader::new(sorted(100, 5), options(2, 2))
            .unwrap()
            .n_batches(),
        12
    );
    let mut loader = Loader::new(sorted(10, 5), LoaderOptions::evaluation(4)).unwrap();
    assert_eq!(loader.n_batches(), 3);
    let seen = take(&mut loader, 4);
    assert_eq!(seen[0].2, [0, 1, 2, 3]);
    assert_eq!(seen[2].2, [8, 9, PADDING, PADDING]);
    assert_eq!(seen[2].3, [4, 4, PADDING, PADDING]);
    assert_eq!(seen[2].4, [8, 9, 0, 0]);
    assert_eq!((seen[3].0, seen[3].1), (1, 0));
}

#[test]
fn seeking_goes_on_as_if_never_stopped() {
    let all = take(&mut Loader::new(sorted(100, 5), options(2, 4)).unwrap(), 36);
    let mut loader = Loader::new(sorted(100, 5), options(3, 4)).unwrap();
    for start in [17, 3, 0, 30, 30] {
        loader.seek(start as u64 / 12, start % 12).unwrap();
        assert_eq!(
            take(&mut loader, 6),
            all[start..start + 6],
            "from batch {start}"
        );
    }
    let error = loader.seek(0, 12).unwrap_err().to_string();
    assert_eq!(error, "batch: expected below 12, found 12");
}

#[test]
fn a_batch_larger_than_the_data_and_zeroes_are_errors() {
    let error = |options| Loader::new(sorted(10, 5), options).unwrap_err().to_string();
    assert_eq!(
        error(LoaderOptions::training(11, 1)),
        "batch size: expected at most the 10 images there are, found 11"
    );
    assert_eq!(
        error(LoaderOptions::training(0, 1)),
        "batch size: expected at least 1, found 0"
    );
    assert_eq!(
        error(options(0, 1)),
        "loader threads: expected at least 1, found 0"
    );
    assert_eq!(
        error(options(1, 0)),
        "prefetch: expected at least 1, found 0"
    );
}

/// Fails at image 5, panics at image 9, sleeps at image 12.
#[derive(Debug)]
struct Trouble;

#[expect(clippy::panic, reason = "a panicking source is what is tested")]
impl Source for Trouble {
    fn read(&self, index: usize, out: &mut [u8]) -> Result<(), DataError> {
        match index {
            5 => {
                let (expected, found) = ("a good image".to_owned(), "image 5".to_owned());
                return Err(DataError::Argument {
                    argument: "image",
                    expected,
                    found,
                });
            }
            9 => panic!("image 9 is cursed"),
            12 => std::thread::sleep(Duration::from_millis(60)),
            _ => {}
        }
        out.fill(u8::try_from(index).unwrap());
        Ok(())
    }
}

#[test]
fn errors_and_panics_of_a_source_come_back_in_order_and_waiting_is_counted() {
    let images = Images::from_source(
        [1, 1],
        Arc::new(Trouble),
        vec![0; 16],
        vec!["only".to_owned()],
    )
    .unwrap();
    let options = LoaderOptions {
        batch_size: 4,
        shuffle: None,
        tail: Tail::Drop,
        pixels: true,
        threads: 3,
        prefetch: 4,
    };
    let mut loader = Loader::new(images, options).unwrap();
    assert_eq!(loader.next_batch().unwrap().index, 0);
    assert_eq!(
        loader.next_batch().unwrap_err().to_string(),
        "image: expected a good image, found image 5"
    );
    let panic = loader.next_batch().unwrap_err().to_string();
    assert_eq!(
        panic,
        "loader: a worker panicked at epoch 0, batch 2: image 9 is cursed"
    );
    let before = loader.waited();
    assert_eq!(loader.next_batch().unwrap().pixels[..4], [12, 12, 12, 13]);
    assert!(loader.waited() > before, "the sleep was waited for");
    assert_eq!(loader.next_batch().unwrap().epoch, 1);
}

#[test]
fn without_pixels_no_image_is_read_and_all_else_is_as_ever() {
    let labelled = |source| {
        let names = vec!["even".to_owned(), "odd".to_owned()];
        let labels = (0..16).map(|i| i % 2).collect();
        Images::from_source([1, 1], source, labels, names).unwrap()
    };
    let options = LoaderOptions {
        shuffle: Some(3),
        pixels: false,
        ..LoaderOptions::evaluation(6)
    };
    // Some of these images are errors, and one panics.
    let mut without = Loader::new(labelled(Arc::new(Trouble)), options).unwrap();
    let with = LoaderOptions {
        pixels: true,
        ..options
    };
    let mut with = Loader::new(labelled(Arc::new(Black)), with).unwrap();
    for _ in 0..7 {
        let (without, with) = (without.next_batch().unwrap(), with.next_batch().unwrap());
        assert_eq!((without.pixels.len(), with.pixels.len()), (0, 18));
        let rest = |batch: &data::Batch| {
            let numbers = (batch.n_images, batch.epoch, batch.index);
            (batch.labels.clone(), batch.samples.clone(), numbers)
        };
        assert_eq!(rest(without), rest(with));
    }
}

/// Images that are all black.
#[derive(Debug)]
struct Black;

impl Source for Black {
    fn read(&self, _: usize, out: &mut [u8]) -> Result<(), DataError> {
        out.fill(0);
        Ok(())
    }
}
