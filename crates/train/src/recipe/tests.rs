//! Tests of recipes as wholes.

use super::built_in::BUILT_IN;
use super::*;

#[test]
fn built_in_recipes_are_valid_and_survive_a_round_trip() {
    for (recipe, (name, _)) in Recipe::built_in().unwrap().iter().zip(BUILT_IN) {
        assert_eq!(recipe.name, *name, "a recipe's file and its name");
        let text = recipe.to_toml().unwrap();
        assert_eq!(
            *recipe,
            Recipe::parse(&text, Path::new("config.toml")).unwrap()
        );
    }
}

#[test]
fn a_folder_gets_a_recipe_under_its_own_name() {
    let recipe = Recipe::for_dataset("/home/me/my images/").unwrap();
    assert_eq!(
        (recipe.name.as_str(), recipe.dataset.as_str()),
        ("my-images", "/home/me/my images/")
    );
    recipe.check().unwrap();
    assert_eq!(
        Recipe::for_dataset("cifar10").unwrap().name,
        "cifar10",
        "a set's own"
    );
}

#[test]
fn every_data_set_has_a_recipe_of_its_own() {
    for (dataset, expected) in [
        ("shapes10", "shapes10"),
        ("cifar10", "cifar10"),
        ("cifar100", "cifar100"),
        ("cifar100-coarse", "cifar100-coarse"),
        ("mnist", "mnist"),
        ("fashion-mnist", "fashion-mnist"),
        ("flowers", "flowers-best"),
        ("imagenet", "paper-imagenet"),
    ] {
        let recipe = Recipe::for_dataset(dataset).unwrap();
        recipe.check().unwrap();
        let got = (recipe.name.as_str(), recipe.dataset.as_str());
        assert_eq!(got, (expected, dataset));
        // CIFAR's colours are nobody else's; those who give none take them from their images.
        let is_cifar_like = recipe.images.mean == Some(vec![0.4914, 0.4822, 0.4465]);
        assert_eq!(is_cifar_like, dataset == "cifar10", "{dataset}");
    }
    assert_eq!(data::NAMES.len(), 8, "those above");
    let is_mirrored = |name| Recipe::for_dataset(name).unwrap().images.flip;
    assert!(
        !is_mirrored("mnist") && is_mirrored("fashion-mnist"),
        "digits"
    );
}

#[test]
fn a_misspelt_key_is_an_error_that_names_it() {
    let text = Recipe::named("shapes10").unwrap().to_toml().unwrap();
    let text = text.replace("batch_size = ", "batch_sise = ");
    let message = Recipe::parse(&text, Path::new("mine.toml"))
        .unwrap_err()
        .to_string();
    assert!(
        message.contains("batch_sise") && message.contains("mine.toml"),
        "{message}"
    );
}

#[test]
fn numbers_out_of_range_are_errors() {
    type Change = fn(&mut Recipe);
    let changes: [(&str, Change); 12] = [
        ("limit", |r| r.limit = Some(0)),
        ("batch_size", |r| r.batch_size = 0),
        ("epochs", |r| r.epochs = 0),
        ("seed", |r| r.seed = u64::MAX),
        ("learning_rate", |r| r.optimizer.learning_rate = f64::NAN),
        ("std", |r| {
            r.images.std = Some(vec![1.0, 0.0, 1.0]);
        }),
        ("pad", |r| r.images.pad = 4),
        ("label_smoothing", |r| r.label_smoothing = 1.5),
        ("clip_norm", |r| r.optimizer.clip_norm = Some(0.0)),
        ("accumulate", |r| r.optimizer.accumulate = 0),
        ("mix.probability", |r| r.mix.probability = 0.5),
        ("ema.decay", |r| {
            r.ema = Some(EmaRecipe::new(1.0));
        }),
    ];
    for (setting, change) in changes {
        let mut recipe = Recipe::named("shapes10").unwrap();
        change(&mut recipe);
        let message = recipe.check().unwrap_err().to_string();
        assert!(message.starts_with(setting), "{message}");
    }
}

#[test]
fn a_run_without_word_of_winograd_computed_directly() {
    let recipe = Recipe::named("shapes10").unwrap();
    let of_run = |text: &str| Recipe::of_run(text, Path::new("config.toml")).unwrap();
    let text = recipe.to_toml().unwrap();
    assert_eq!(of_run(&text).runtime.winograd, Winograd::Auto);
    let old = text.replace("winograd = \"auto\"\n", "");
    assert_ne!(old, text, "runs tell of it");
    assert_eq!(of_run(&old).runtime.winograd, Winograd::Never);
    let older = old.replace("[runtime]", "[machine]");
    assert_eq!(of_run(&older).runtime.winograd, Winograd::Never);
    let told = older.replace("[machine]", "[machine]\nwinograd = \"auto\"");
    assert_eq!(of_run(&told).runtime.winograd, Winograd::Auto);
}
