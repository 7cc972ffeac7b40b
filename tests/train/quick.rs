//! What `cifar10-quick` is made of, each by itself: whitening, groups of parameters, lookahead, and all of it resumed.

use std::sync::atomic::AtomicBool;

use data::{DataSet, Images};
use model::Architecture;
use tensor::{Device, Tensor};
use train::{
    EmaRecipe, Event, GroupRecipe, OptimizerRecipe, Recipe, ScheduleRecipe, Trainer,
    WhiteningRecipe,
};

use super::{assert_same_run, finished, run};

/// Images of noise whose neighbours and channels go together, each number with a part of its own.
fn noise(n: usize) -> Images {
    let mut word = 1_u32;
    let mut next = || {
        word = word.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        u16::from(word.to_be_bytes()[0])
    };
    let mut pixels = Vec::new();
    for _ in 0..n {
        let mut before = [next(); 3];
        for _ in 0..32 * 32 {
            let shared = next();
            for channel in &mut before {
                *channel = (2 * *channel + shared + next()) / 4;
                pixels.push(u8::try_from(*channel).unwrap());
            }
        }
    }
    let labels = (0..).take(n).map(|i: u32| i % 2).collect();
    let names = ["a", "b"].map(str::to_owned).to_vec();
    Images::from_pixels([32, 32, 3], pixels, labels, names).unwrap()
}

/// Plain SGD, and nothing random but the initial weights and the order.
fn plain(network: &str) -> Recipe {
    let mut recipe = Recipe::named("shapes10").unwrap();
    network.clone_into(&mut recipe.network);
    (recipe.epochs, recipe.batch_size) = (3, 10);
    recipe.dropout = Some(0.0);
    recipe.optimizer = OptimizerRecipe::sgd(0.05, 0.0);
    recipe.schedule = ScheduleRecipe::default();
    recipe.init = train::InitKind::Network;
    (recipe.images.flip, recipe.images.pad) = (false, 0);
    recipe.images.crop = train::CropKind::Centre;
    recipe
}

fn small_data() -> DataSet {
    let set = data::Shapes10::default().with_sizes(30, 10, 10).generate();
    let mut set = set.unwrap();
    (set.validation, set.test) = (None, None);
    set
}

fn trained(recipe: Recipe) -> Trainer {
    let mut trainer = Trainer::new(recipe, small_data(), &Device::cpu()).unwrap();
    finished(
        trainer
            .run(&AtomicBool::new(false), &mut |_: Event<'_>| {})
            .unwrap(),
    );
    trainer
}

fn values(trainer: &Trainer, name: &str) -> Vec<f32> {
    let mut all = trainer.network().parameters().iter();
    let (_, found) = all.find(|(known, _)| known == name).unwrap();
    found.to_vec().unwrap()
}

/// The largest difference of two sets of weights.
fn distance(a: &Trainer, b: &Trainer) -> f32 {
    let pairs = a
        .network()
        .parameters()
        .iter()
        .zip(b.network().parameters());
    pairs.fold(0.0, |most, ((_, a), (_, b))| {
        let (a, b) = (a.to_vec::<f32>().unwrap(), b.to_vec::<f32>().unwrap());
        let apart = a.iter().zip(&b).map(|(a, b)| (a - b).abs());
        apart.fold(most, f32::max)
    })
}

#[test]
fn whitened_patches_have_the_identity_for_their_covariance() {
    let images = noise(100);
    let mut recipe = plain("alexnet-quick");
    recipe.whitening = Some(WhiteningRecipe {
        epsilon: 1e-9,
        images: 100,
    });
    (recipe.images.mean, recipe.images.std) = (Some(vec![0.4; 3]), Some(vec![0.2; 3]));
    let set = DataSet::new("noise", images.clone());
    let trainer = Trainer::new(recipe.clone(), set.clone(), &Device::cpu()).unwrap();
    let network = trainer.network();
    let pixels = images.read_all().unwrap();
    let x: Vec<f32> = pixels
        .iter()
        .map(|&p| (f32::from(p) / 255.0 - 0.4) / 0.2)
        .collect();
    let x = Tensor::from_slice(network.device(), &x, [100, 32, 32, 3]).unwrap();
    let y = network.activations(&x, 0).unwrap();
    assert_eq!(y.shape()[..], [100, 31, 31, 24]);
    let y: Vec<f32> = y.to_vec().unwrap();
    let n = (y.len() / 24) as f64;
    let mean = |i: usize| {
        y.iter()
            .skip(i)
            .step_by(24)
            .map(|&v| f64::from(v))
            .sum::<f64>()
            / n
    };
    let means: Vec<f64> = (0..24).map(mean).collect();
    for (i, mean_i) in means.iter().enumerate().take(12) {
        for (j, mean_j) in means.iter().enumerate().skip(i) {
            let rows = y.chunks_exact(24);
            let products = rows.map(|row| f64::from(row[i]) * f64::from(row[j]));
            let covariance = products.sum::<f64>() / n - mean_i * mean_j;
            // The second half are the negatives of the first.
            let expected = f64::from(i8::from(i == j) - i8::from(i + 12 == j));
            assert!(
                (covariance - expected).abs() < 1e-3,
                "{i} {j}: {covariance}, not {expected}"
            );
        }
    }
    // The same bits again, on any device, and not those of the network's own rule.
    let weight = values(&trainer, "conv1.weight");
    for device in [Some(Device::cpu()), super::gpu()].into_iter().flatten() {
        let again = Trainer::new(recipe.clone(), set.clone(), &device).unwrap();
        assert_eq!(values(&again, "conv1.weight"), weight, "{}", device.name());
    }
    recipe.whitening = None;
    let without = Trainer::new(recipe, set, &Device::cpu()).unwrap();
    assert_ne!(values(&without, "conv1.weight"), weight);
}

#[test]
fn whitening_fills_as_many_filters_as_there_are_pairs_and_refuses_what_is_no_convolution() {
    // 3 x 3 x 3: 27 pairs, of which 32 filters take 16, and 64 take all and leave ten filters as they were.
    let of = |filters: usize, is_whitened: bool| {
        let layers = vec![
            model::layers::Conv2d::new(filters, 3).into(),
            model::layers::GlobalAvgPool::new().into(),
            model::layers::Dense::new(2).into(),
        ];
        let network = Architecture::from_layers("mine", [32, 32, 3], layers).unwrap();
        let mut recipe = plain("alexnet-cifar");
        recipe.whitening = is_whitened.then(WhiteningRecipe::default);
        let set = DataSet::new("noise", noise(20));
        let trainer = Trainer::with_network(recipe, network, set, &Device::cpu()).unwrap();
        values(&trainer, "convolution_1.weight")
    };
    for (filters, pairs) in [(32, 16), (64, 27), (33, 16)] {
        let (ours, before) = (of(filters, true), of(filters, false));
        for (ours, before) in ours.chunks(filters).zip(before.chunks(filters)) {
            for pair in 0..pairs {
                assert_eq!(
                    ours[pair],
                    -ours[pairs + pair],
                    "filter {pair} of {filters}"
                );
            }
            assert_eq!(ours[2 * pairs..], before[2 * pairs..], "the rest");
        }
    }
    let mut recipe = plain("alexnet-cifar");
    recipe.whitening = Some(WhiteningRecipe::default());
    let layers = vec![
        model::layers::Flatten::new().into(),
        model::layers::Dense::new(10).into(),
    ];
    let network = Architecture::from_layers("linear", [32, 32, 3], layers).unwrap();
    let error = Trainer::with_network(recipe, network, small_data(), &Device::cpu()).unwrap_err();
    let message = error.to_string();
    assert!(
        message.contains("whitening") && message.contains("linear"),
        "{message}"
    );
}

#[test]
fn a_group_is_trained_in_its_epochs_and_the_rest_goes_on() {
    for accumulate in [1, 2] {
        let mut recipe = plain("alexnet-small");
        // Momentum and decay would move a parameter that is left out of the gradient alone.
        (recipe.optimizer.momentum, recipe.optimizer.weight_decay) = (0.9, 0.01);
        recipe.optimizer.learning_rate = 1e-3;
        recipe.optimizer.accumulate = accumulate;
        let start = Recipe {
            optimizer: OptimizerRecipe {
                freeze: vec!["conv1.bias".to_owned()],
                ..recipe.optimizer.clone()
            },
            ..recipe.clone()
        };
        let start = trained(start);
        recipe.optimizer.groups = vec![GroupRecipe {
            epochs: Some(1),
            ..GroupRecipe::of(&["conv1.bias"])
        }];
        let long = trained(recipe.clone());
        recipe.epochs = 1;
        let short = trained(recipe);
        let of = |trainer: &Trainer, name: &str| values(trainer, name);
        assert_eq!(of(&long, "conv1.bias"), of(&short, "conv1.bias"));
        assert_ne!(of(&short, "conv1.bias"), of(&start, "conv1.bias"));
        assert_ne!(of(&long, "conv1.weight"), of(&short, "conv1.weight"));
    }
}

#[test]
fn groups_without_a_parameter_and_groups_of_all_are_errors() {
    for (group, part) in [
        (GroupRecipe::of(&["convolution9.*"]), "convolution9"),
        (
            GroupRecipe {
                epochs: Some(1),
                ..GroupRecipe::of(&["*"])
            },
            "to the end",
        ),
    ] {
        let mut recipe = plain("alexnet-small");
        recipe.optimizer.groups = vec![group];
        let error = Trainer::new(recipe, small_data(), &Device::cpu()).unwrap_err();
        let message = error.to_string();
        assert!(
            message.contains("optimizer.groups") && message.contains(part),
            "{message}"
        );
    }
}

/// Without momentum, a step from the average and back to it is a shorter step: `w - (1 - decay) rate g`.
#[test]
fn lookahead_in_every_step_is_plain_descent_at_a_lower_rate() {
    let mut lookahead = plain("alexnet-small");
    lookahead.ema = Some(EmaRecipe {
        write_back: true,
        ..EmaRecipe::new(0.75)
    });
    lookahead.optimizer.learning_rate = 4e-3;
    let mut slow = lookahead.clone();
    (slow.ema, slow.optimizer.learning_rate) = (None, 1e-3);
    let mut fast = slow.clone();
    fast.optimizer.learning_rate = 4e-3;
    let [lookahead, slow, fast] = [lookahead, slow, fast].map(trained);
    let (apart, moved) = (distance(&lookahead, &slow), distance(&lookahead, &fast));
    assert!(moved > 1e-3 && apart < 1e-3 * moved, "{apart} of {moved}");
}

/// With a decay of 0 the average is what the weights are in every third step, and training goes on as without.
#[test]
fn an_average_without_memory_changes_nothing() {
    let mut recipe = plain("alexnet-small");
    recipe.optimizer = OptimizerRecipe::sgd(1e-3, 0.9);
    let without = trained(recipe.clone());
    recipe.ema = Some(EmaRecipe {
        every: 3,
        growth: 2.0,
        write_back: true,
        ..EmaRecipe::new(0.0)
    });
    // Nine steps.
    let with = trained(recipe.clone());
    assert_eq!(distance(&with, &without), 0.0, "the same bits");
    // After eight steps it is of the sixth.
    recipe.ema = Some(EmaRecipe {
        every: 7,
        ..EmaRecipe::new(0.0)
    });
    let late = trained(recipe);
    assert!(distance(&late, &without) > 1e-4, "of the seventh step");
}

fn quick() -> Recipe {
    let mut recipe = Recipe::named("cifar10-quick").unwrap();
    // Three steps of 8 in an epoch; the first layer's bias is trained in the first.
    (recipe.batch_size, recipe.epochs, recipe.limit) = (8, 3, Some(24));
    recipe.optimizer.groups[1].epochs = Some(1);
    // Lookahead within epochs, across them, and in the last step.
    recipe.ema.as_mut().unwrap().every = 2;
    recipe.optimizer.learning_rate = 0.05;
    recipe
}

#[test]
fn the_quick_recipe_is_resumed_with_the_same_bits() {
    let root = tempfile::tempdir().unwrap();
    let path = |name: &str| root.path().join(name);
    finished(run(&path("straight"), quick(), u64::MAX));
    // Within the first epoch, and after the first layer's bias is as it will be.
    for stop_at in [2, 3, 7] {
        let folder = path(&format!("stopped-{stop_at}"));
        run(&folder, quick(), stop_at);
        finished(run(&folder, quick(), u64::MAX));
        let what = format!("stopped after {stop_at}");
        assert_same_run(&path("straight"), &folder, &what);
    }
}

#[test]
fn the_quick_recipes_first_layer_whitens_and_stays() {
    let weight = |recipe: Recipe| values(&super::trainer(recipe), "conv1.weight");
    let before = weight(quick());
    let mut trainer = super::trainer(quick());
    finished(
        trainer
            .run(&AtomicBool::new(false), &mut |_: Event<'_>| {})
            .unwrap(),
    );
    assert_eq!(values(&trainer, "conv1.weight"), before);
    assert!(values(&trainer, "conv1.bias").iter().any(|&b| b != 0.0));
    // No learnt scales.
    assert!(values(&trainer, "bn3.weight").iter().all(|&w| w == 1.0));
    assert!(values(&trainer, "bn3.bias").iter().any(|&b| b != 0.0));
}
