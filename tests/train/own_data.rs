//! Images of the caller's own, grey, oblong or with opacity: on both devices, stopped and gone on with, in weight files.

use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};

use data::{DataSet, Images, Shapes10};
use model::layers::{BatchNorm, Conv2d, Dense, Flatten, MaxPool, Module as _, Relu};
use model::{Architecture, Format, Layer, Preparation};
use tensor::Device;
use train::{
    Classifier, CropKind, EraseRecipe, Event, ImagesRecipe, OptimizerRecipe, Outcome, Recipe,
    RunDir, ScheduleKind, ScheduleRecipe, Trainer, Tta, Weights,
};

#[path = "../../examples/04_own_dataset.rs"]
#[expect(dead_code, reason = "its main")]
mod example;

/// The host's cores, and a GPU if there is one.
fn devices() -> Vec<Device> {
    [Device::cpu()].into_iter().chain(super::gpu()).collect()
}

#[test]
fn the_example_of_a_data_set_of_ones_own_learns_on_both_devices() {
    let root = tempfile::tempdir().unwrap();
    for (idx, device) in devices().iter().enumerate() {
        let run = root.path().join(format!("run-{idx}"));
        let right = example::train(&run, device).unwrap();
        assert!(right > 0.8, "on {}: {right}", device.name());
        assert!(run.join("summary.json").is_file(), "a run like any other");
    }
}

/// Images of a shape, class after class, brighter from class to class.
fn images(shape: [usize; 3], n: u32, seed: usize) -> Images {
    let names = ["dark", "grey", "light"].map(str::to_owned).to_vec();
    let labels = (0..n).map(|index| index % 3).collect();
    let draw = move |index: usize, out: &mut [u8]| {
        for (at, value) in out.iter_mut().enumerate() {
            let noise = (at * 31 + index * 17 + seed) % 61;
            *value = u8::try_from(index % 3 * 80 + noise).unwrap();
        }
    };
    Images::from_fn(shape, labels, names, draw).unwrap()
}

fn data(shape: [usize; 3]) -> DataSet {
    let set = DataSet::new("shades", images(shape, 70, 0));
    let set = set.with_validation(22, 1).unwrap();
    set.with_test(images(shape, 20, 3)).unwrap()
}

fn layers() -> Vec<Layer> {
    vec![
        Conv2d::new(6, 3).same().named("conv1"),
        BatchNorm::new().into(),
        Relu::new().into(),
        MaxPool::new(2, 2).into(),
        Flatten::new().into(),
        Dense::new(3).named("logits"),
    ]
}

/// Two epochs with everything random that suits images of any channels.
fn trainer(shape: [usize; 3], device: &Device) -> Trainer {
    let images = ImagesRecipe {
        crop: CropKind::Random,
        pad: 2,
        flip: true,
        brightness: 0.2,
        contrast: 0.2,
        erase: Some(EraseRecipe::default()),
        ..ImagesRecipe::default()
    };
    let builder = Trainer::builder(data(shape)).layers("mine", layers());
    let builder = builder.unwrap().images(images).epochs(2).batch_size(16);
    let builder = builder.optimizer(OptimizerRecipe::sgd(0.01, 0.9));
    let mixed = |recipe: &mut Recipe| {
        (recipe.mix.mixup, recipe.mix.cutmix, recipe.mix.probability) = (0.2, 1.0, 0.5);
        recipe.evaluation.tta = Tta::Flip;
    };
    builder.with(mixed).build(device).unwrap()
}

/// Trains in a folder, or goes on there, until `stop_at` steps are done.
fn run(folder: &Path, shape: [usize; 3], device: &Device, stop_at: u64) -> Outcome {
    train_until(trainer(shape, device), folder, stop_at)
}

fn train_until(mut trainer: Trainer, folder: &Path, stop_at: u64) -> Outcome {
    if folder.exists() {
        trainer.resume(RunDir::open(folder).unwrap()).unwrap();
    } else {
        let run = RunDir::create(folder, trainer.recipe()).unwrap();
        trainer.save_to(run).unwrap();
    }
    let stop = AtomicBool::new(false);
    let mut listener = |event: Event<'_>| {
        if let Event::Step(step) = event {
            stop.store(step.step >= stop_at, Ordering::Relaxed);
        }
    };
    trainer.run(&stop, &mut listener).unwrap()
}

fn weights(folder: &Path) -> Vec<u8> {
    std::fs::read(folder.join("checkpoints/last/model.safetensors")).unwrap()
}

#[test]
fn grey_oblong_images_train_stop_and_go_on_on_both_devices() {
    let root = tempfile::tempdir().unwrap();
    for (idx, device) in devices().iter().enumerate() {
        let shape = [10, 14, 1];
        let [whole, stopped] =
            ["whole", "stopped"].map(|name| root.path().join(format!("{name}{idx}")));
        let Outcome::Finished(summary) = run(&whole, shape, device, u64::MAX) else {
            panic!("not finished");
        };
        assert!(summary.test_loss.is_some_and(f64::is_finite), "tested");
        let first = run(&stopped, shape, device, 4);
        assert!(matches!(first, Outcome::Interrupted { .. }), "{first:?}");
        run(&stopped, shape, device, u64::MAX);
        assert!(weights(&whole) == weights(&stopped), "on {}", device.name());
    }
}

#[test]
fn opacity_is_a_channel_like_the_others() {
    let mut losses = Vec::new();
    for device in devices() {
        let mut trainer = trainer([9, 12, 4], &device);
        let mut steps = Vec::new();
        let mut listener = |event: Event<'_>| {
            if let Event::Epoch(row) = event {
                steps.push(row.train_loss);
            }
        };
        trainer.run(&AtomicBool::new(false), &mut listener).unwrap();
        losses.push(steps);
    }
    for (a, b) in losses[0].iter().zip(&losses[losses.len() - 1]) {
        assert!((a - b).abs() < 1e-3, "{losses:?}");
    }
}

#[test]
fn a_grey_runs_weights_say_how_images_are_prepared_and_are_exported() {
    let root = tempfile::tempdir().unwrap();
    let folder = root.path().join("run");
    run(&folder, [10, 14, 1], &Device::cpu(), u64::MAX);
    let weights = Weights::find(&folder).unwrap();
    let preparation = Preparation::in_file(&weights.path).unwrap().unwrap();
    assert_eq!(preparation.source, [10, 14]);
    assert_eq!(preparation.input_size.sides(), [10, 14]);
    assert_eq!([preparation.mean.len(), preparation.std.len()], [1, 1]);
    // With the run's recipe, and with what the file says alone.
    let alone = Classifier::default_recipe(&weights.path).unwrap();
    for recipe in [weights.recipe.clone().unwrap(), alone] {
        recipe.check().unwrap();
        let classifier = Classifier::open(&weights, &recipe, &Device::cpu()).unwrap();
        assert_eq!(classifier.size(), [10, 14]);
        // A light image in colour becomes a grey one.
        let image = data::heat_map(&[220; 10 * 14], [10, 14], &[0.0], 1).unwrap();
        let path = root.path().join("light.png");
        image.write_png(&path).unwrap();
        let bytes = data::read_image(&path).unwrap();
        let pixels = classifier.pixels(&bytes, &path).unwrap();
        assert_eq!(pixels.len(), 10 * 14);
        let answer = classifier.classify(std::slice::from_ref(&pixels)).unwrap();
        assert!((answer[0].iter().sum::<f32>() - 1.0).abs() < 1e-5);
        let why = classifier
            .occlusion_map(&pixels, 0, &mut |_, _| {})
            .unwrap();
        assert_eq!(why.falls.len(), 16 * 16);
        let network = classifier.network();
        for (format, name) in [
            (Format::Onnx, "net.onnx"),
            (Format::Keras, "net.weights.h5"),
        ] {
            network
                .export(format, None, &root.path().join(name))
                .unwrap();
        }
    }
}

#[test]
fn what_does_not_suit_the_images_is_an_error_of_one_line() {
    let cpu = Device::cpu();
    let message = |change: fn(&mut Recipe), shape: [usize; 3]| {
        let builder = Trainer::builder(data(shape))
            .layers("mine", layers())
            .unwrap();
        let error = builder.with(change).build(&cpu).unwrap_err();
        let text = error.to_string();
        assert!(!text.contains('\n'), "{text}");
        text
    };
    let grey = [10, 14, 1];
    let shift = message(|recipe| recipe.images.colour_shift = 0.1, grey);
    assert!(
        shift.contains("colour_shift") && shift.contains("one channel"),
        "{shift}"
    );
    let means = message(|recipe| recipe.images.mean = Some(vec![0.5; 3]), grey);
    assert!(means.contains("mean"), "{means}");
    let channels = message(|recipe| recipe.images.channels = 2, grey);
    assert!(channels.contains("1, 3 or 4"), "{channels}");
    let resize = message(|recipe| recipe.images.resize = Some(8), grey);
    assert!(resize.contains("10x14"), "{resize}");
    // A network for other channels, and for other classes.
    let network = |input| Architecture::from_layers("mine", input, layers()).unwrap();
    let build = |input| {
        Trainer::builder(data(grey))
            .network(network(input))
            .build(&cpu)
    };
    let text = build([10, 14, 3]).unwrap_err().to_string();
    assert!(text.contains("grey images of 1 channels"), "{text}");
    // Of another size: images are resized.
    build([12, 8, 1]).unwrap();
}

#[test]
fn a_recipe_trains_in_grey_or_with_opacity_what_is_in_colour() {
    for (channels, sides) in [(1, "[24, 40]"), (4, "32")] {
        let recipe = super::recipe();
        let settings = [
            format!("images.channels={channels}"),
            format!("input_size={sides}"),
        ];
        let mut recipe = recipe.with_settings(&settings).unwrap();
        (recipe.images.crop, recipe.images.pad, recipe.epochs) = (CropKind::Centre, 0, 1);
        let text = recipe.to_toml().unwrap();
        assert_eq!(
            Recipe::parse(&text, Path::new("config.toml")).unwrap(),
            recipe
        );
        let kind = data::Channels::of(channels).unwrap();
        let set = Shapes10::default()
            .with_sizes(16, 10, 10)
            .generate()
            .unwrap();
        let mut trainer = Trainer::new(recipe, set.with_channels(kind), &Device::cpu()).unwrap();
        assert_eq!(trainer.network().architecture().input()[2], channels);
        trainer
            .run(&AtomicBool::new(false), &mut |_: Event<'_>| {})
            .unwrap();
    }
}

/// Six epochs of three steps of a rate that moves nothing, which the plateau halves in the fourth and the sixth.
fn standing() -> Trainer {
    let schedule = ScheduleRecipe {
        kind: ScheduleKind::Plateau,
        patience: 1,
        factor: 0.5,
        ..ScheduleRecipe::default()
    };
    let layers = vec![Flatten::new().into(), Dense::new(3).named("logits")];
    let builder = Trainer::builder(data([6, 5, 1])).layers("mine", layers);
    let builder = builder.unwrap().schedule(schedule).epochs(6).batch_size(16);
    let builder = builder.optimizer(OptimizerRecipe::sgd(1e-12, 0.0));
    builder.build(&Device::cpu()).unwrap()
}

fn rates(folder: &Path) -> Vec<f64> {
    let text = std::fs::read_to_string(folder.join("metrics.csv")).unwrap();
    let rate = |line: &str| line.split(',').nth(2).unwrap().parse().unwrap();
    text.lines().skip(1).map(rate).collect()
}

/// As checkpoints were before a plateau's state was kept: format 1, without checksums.
fn without_plateau(run: &Path) {
    for name in ["last", "best"] {
        let path = run.join("checkpoints").join(name).join("state.json");
        let text = std::fs::read_to_string(&path).unwrap();
        let mut state: serde_json::Value = serde_json::from_str(&text).unwrap();
        let fields = state.as_object_mut().unwrap();
        // That of the best may be one from before the first stop.
        if let Some(plateau) = fields.remove("plateau") {
            assert!(plateau["rate"].is_string(), "as a text: {plateau}");
        }
        fields.insert("format".to_owned(), 1.into());
        for key in ["sha256", "config"] {
            fields.remove(key);
        }
        std::fs::write(&path, state.to_string()).unwrap();
    }
}

#[test]
fn a_plateaus_state_is_kept_and_worked_out_where_a_checkpoint_has_none() {
    let root = tempfile::tempdir().unwrap();
    let [straight, stopped, old] =
        ["straight", "stopped", "old"].map(|name| root.path().join(name));
    train_until(standing(), &straight, u64::MAX);
    let expected = [1e-12, 1e-12, 1e-12, 5e-13, 5e-13, 2.5e-13];
    assert_eq!(rates(&straight), expected);
    for folder in [&stopped, &old] {
        // Within the third epoch, and the fifth.
        for stop_at in [8, 14] {
            train_until(standing(), folder, stop_at);
            if folder == &old {
                without_plateau(folder);
            }
        }
        train_until(standing(), folder, u64::MAX);
        assert_eq!(rates(folder), expected, "{}", folder.display());
        assert!(weights(folder) == weights(&straight));
    }
}
