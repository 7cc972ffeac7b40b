//! The images that don't fill an epoch's last batch: a smaller batch of their own, or left out.

use std::fs;
use std::sync::atomic::AtomicBool;

use data::{DataSet, Images, Loader, LoaderOptions, Shapes10};
use model::Mode;
use tensor::Device;
use tensor::Tensor;
use train::{Event, OptimizerKind, Outcome, Recipe, RunDir, Start, Trainer};

use super::{assert_same_run, finished, run};

const IMAGES: usize = 25;
const EPOCHS: u64 = 2;
const RATE: f64 = 0.5;

fn data() -> DataSet {
    let set = Shapes10::default().with_sizes(IMAGES, 10, 10).generate();
    let mut set = set.unwrap();
    (set.validation, set.test) = (None, None);
    set
}

/// Plain SGD on the last layer's biases alone: softmax regression on a constant, beside logits that stay.
fn recipe() -> Recipe {
    let mut recipe = Recipe::named("shapes10").unwrap();
    (recipe.epochs, recipe.batch_size) = (EPOCHS, 10);
    recipe.dropout = Some(0.0);
    recipe.optimizer.kind = OptimizerKind::Sgd;
    recipe.optimizer.learning_rate = RATE;
    recipe.schedule = train::ScheduleRecipe::default();
    let names = Trainer::new(recipe.clone(), data(), &Device::cpu()).unwrap();
    let names = names.network().parameters().iter();
    let mut names: Vec<String> = names.map(|(name, _)| name.clone()).collect();
    assert!(names.pop().unwrap().ends_with(".bias"), "the last layer's");
    recipe.optimizer.freeze = names;
    recipe
}

fn biases(trainer: &Trainer) -> Vec<f32> {
    trainer
        .network()
        .parameters()
        .last()
        .unwrap()
        .1
        .to_vec()
        .unwrap()
}

/// The logits of all images, before training.
fn logits(trainer: &Trainer, images: &Images) -> Vec<Vec<f64>> {
    let mut x = Vec::new();
    for idx in 0..images.len() {
        let mut pixels = vec![0; images.image_bytes()];
        images.read(idx, &mut pixels).unwrap();
        // The recipe's mean and standard deviation.
        x.extend(pixels.iter().map(|&p| (f32::from(p) / 255.0 - 0.5) / 0.25));
    }
    let x = Tensor::from_slice(trainer.network().device(), &x, [images.len(), 32, 32, 3]).unwrap();
    let logits = trainer.network().forward(&x, Mode::Eval).unwrap();
    let logits: Vec<f32> = logits.to_vec().unwrap();
    let rows = logits.chunks_exact(10);
    rows.map(|row| row.iter().copied().map(f64::from).collect())
        .collect()
}

/// The order of each epoch's images.
fn orders(images: &Images, seed: u64) -> Vec<Vec<usize>> {
    let options = LoaderOptions::training(images.len(), seed);
    let mut loader = Loader::new(images.clone(), options).unwrap();
    let mut order = || {
        let samples = &loader.next_batch().unwrap().samples;
        samples.iter().map(|&sample| sample as usize).collect()
    };
    (0..EPOCHS).map(|_| order()).collect()
}

/// What training adds to the biases, and the mean loss of the last epoch, in f64: of a step's n images, the gradient of
/// the biases is the mean of `softmax(logits) - onehot(label)`, however the n are split into batches.
fn by_hand(recipe: &Recipe, images: &Images, step: usize) -> (Vec<f64>, f64) {
    let trainer = Trainer::new(recipe.clone(), data(), &Device::cpu()).unwrap();
    let logits = logits(&trainer, images);
    let (mut moved, mut loss) = (vec![0.0; 10], 0.0);
    for order in orders(images, recipe.seed) {
        loss = 0.0;
        for samples in order.chunks(step) {
            let mut gradient = vec![0.0; 10];
            for &sample in samples {
                let row: Vec<f64> = logits[sample]
                    .iter()
                    .zip(&moved)
                    .map(|(x, b)| x + b)
                    .collect();
                let sum: f64 = row.iter().map(|x| x.exp()).sum();
                let label = images.labels()[sample] as usize;
                loss -= (row[label].exp() / sum).ln();
                for (class, gradient) in gradient.iter_mut().enumerate() {
                    let hot = f64::from(u8::from(class == label));
                    *gradient += (row[class].exp() / sum - hot) / samples.len() as f64;
                }
            }
            moved
                .iter_mut()
                .zip(gradient)
                .for_each(|(b, g)| *b -= RATE * g);
        }
    }
    (moved, loss / images.len() as f64)
}

#[test]
fn a_partial_batch_counts_by_its_own_size_as_worked_out_by_hand() {
    let images = data().train;
    // Batches of 10, 10 and 5: steps of one batch each, of two and the last, of all; of 7, in steps of 14 and 11; one of
    // all images, as no more are there.
    for (batch_size, accumulate, steps) in
        [(10, 1, 6), (10, 2, 4), (10, 3, 2), (7, 2, 4), (40, 1, 2)]
    {
        let mut recipe = recipe();
        (recipe.batch_size, recipe.optimizer.accumulate) = (batch_size, accumulate);
        let (moved, loss) = by_hand(&recipe, &images, batch_size * accumulate);
        let mut trainer = Trainer::new(recipe, data(), &Device::cpu()).unwrap();
        let before = biases(&trainer);
        let summary = finished(
            trainer
                .run(&AtomicBool::new(false), &mut |_: Event<'_>| {})
                .unwrap(),
        );
        assert_eq!(
            summary.steps, steps,
            "batches of {batch_size} by {accumulate}"
        );
        // Sums of at most 25 terms of f32, ten classes, six steps.
        for ((after, before), moved) in biases(&trainer).iter().zip(before).zip(moved) {
            let got = f64::from(*after) - f64::from(before);
            assert!(
                (got - moved).abs() < 2e-6,
                "{batch_size} by {accumulate}: {got}, not {moved}"
            );
        }
        assert!(
            (summary.train_loss - loss).abs() < 3e-6,
            "{} and {loss}",
            summary.train_loss
        );
    }
}

/// 70 images in batches of 16: five steps, the last of 6 images.
fn partial() -> Recipe {
    let mut recipe = super::recipe();
    (recipe.epochs, recipe.drop_last) = (2, false);
    recipe
}

#[test]
fn a_run_stopped_before_and_after_a_partial_batch_goes_on_with_the_same_bits() {
    let root = tempfile::tempdir().unwrap();
    let straight = root.path().join("straight");
    let mut recipe = partial();
    recipe.mix.mixup = 0.2;
    recipe.mix.probability = 1.0;
    finished(run(&straight, recipe.clone(), u64::MAX));
    for stop in [4, 5, 6] {
        let stopped = root.path().join(format!("stopped-{stop}"));
        run(&stopped, recipe.clone(), stop);
        finished(run(&stopped, recipe.clone(), u64::MAX));
        assert_same_run(&straight, &stopped, &format!("stopped after {stop}"));
    }
}

fn start(recipe: Recipe) -> Start {
    let mut trainer = super::trainer(recipe);
    let mut seen = None;
    let stop = AtomicBool::new(true);
    let mut listener = |event: Event<'_>| {
        if let Event::Started(start) = event {
            seen = Some(start.clone());
        }
    };
    let outcome = trainer.run(&stop, &mut listener).unwrap();
    assert!(
        matches!(outcome, Outcome::Interrupted { .. }),
        "{outcome:?}"
    );
    seen.unwrap()
}

#[test]
fn a_run_says_how_many_images_an_epoch_sees() {
    let keeps = start(partial());
    let drops = start(Recipe {
        drop_last: true,
        ..partial()
    });
    assert_eq!((keeps.steps_per_epoch, keeps.images_per_epoch), (5, 70));
    assert_eq!((drops.steps_per_epoch, drops.images_per_epoch), (4, 64));
    // The buffers of the smaller batch are told.
    assert!(keeps.memory.device_bytes > drops.memory.device_bytes);
}

#[test]
fn a_run_from_before_the_setting_goes_on_without_incomplete_batches() {
    let root = tempfile::tempdir().unwrap();
    let folder = root.path().join("run");
    let config = folder.join("config.toml");
    RunDir::create(&folder, &partial()).unwrap();
    super::trainer(partial())
        .save_to(RunDir::open(&folder).unwrap())
        .unwrap();
    assert!(
        !RunDir::open(&folder).unwrap().recipe().unwrap().drop_last,
        "as it says"
    );
    let text = fs::read_to_string(&config).unwrap();
    assert!(text.contains("drop_last = false\n"), "always written");
    fs::write(&config, text.replace("drop_last = false\n", "")).unwrap();
    assert!(
        RunDir::open(&folder).unwrap().recipe().unwrap().drop_last,
        "as it was"
    );
    for name in ["shapes10", "folder"] {
        assert!(!Recipe::named(name).unwrap().drop_last, "{name}");
    }
    assert!(Recipe::named("cifar10").unwrap().drop_last, "45,000 of 128");
}

#[test]
fn batch_normalisation_over_one_value_is_an_error_that_names_the_layer() {
    // It normalises the 512 units of its hidden dense layer: one value of each for an image.
    let mut recipe = super::recipe();
    "alexnet-cifar".clone_into(&mut recipe.network);
    recipe.batch_size = 1;
    let tried = |recipe: &Recipe| match Trainer::new(recipe.clone(), super::data(), &Device::cpu())
    {
        Ok(_) => String::new(),
        Err(error) => error.to_string(),
    };
    let message = tried(&recipe);
    assert!(message.contains("per channel at bn6,"), "{message}");
    assert!(
        message.contains("more than one value per channel"),
        "{message}"
    );
    assert!(message.contains("drop_last"), "{message}");
    recipe.batch_size = 2;
    assert_eq!(tried(&recipe), "", "70 images in twos");
    // 70 = 23 * 3 + 1: the last batch alone is too small.
    (recipe.batch_size, recipe.drop_last) = (3, false);
    assert!(tried(&recipe).contains("per channel at bn6,"));
    recipe.drop_last = true;
    assert_eq!(tried(&recipe), "", "23 threes");
}
