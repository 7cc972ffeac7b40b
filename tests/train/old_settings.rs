//! Settings under the names of earlier versions: `machine`, `average`, `deviation`, `views`.

use std::path::Path;

use train::{Recipe, Tta};

const OLD: &str = include_str!("../golden/e25ac3f/settings.toml");

/// The old settings on top of a built-in recipe, under the names that are in `text`.
fn with(text: &str) -> Recipe {
    let recipe = Recipe::named("cifar10").unwrap();
    recipe
        .overridden_by(text, Path::new("settings.toml"))
        .unwrap()
}

/// The old settings under today's names.
fn renamed() -> String {
    let names = [
        ("[machine]", "[runtime]"),
        ("[average]", "[ema]"),
        ("\ndeviation =", "\nstd ="),
        ("\nviews =", "\ntta ="),
    ];
    let mut text = OLD.to_owned();
    for (old, new) in names {
        assert_eq!(text.matches(old).count(), 1, "{old}");
        text = text.replace(old, new);
    }
    text
}

#[test]
fn old_names_mean_what_the_new_ones_mean() {
    let recipe = with(OLD);
    assert_eq!(recipe, with(&renamed()));
    assert_eq!(recipe.runtime.device, "cpu");
    assert_eq!(recipe.ema.map(|ema| ema.decay), Some(0.75));
    assert_eq!(recipe.images.std, Some(vec![0.25, 0.2, 0.15]));
    assert_eq!(recipe.evaluation.tta, Tta::Flip);
    // Today's names are written, and a whole recipe with the old ones is read.
    let written = recipe.to_toml().unwrap();
    for name in ["[runtime]", "[ema]", "std = ", "tta = "] {
        assert!(written.contains(name), "{name} in\n{written}");
    }
    let old = written
        .replace("[runtime]", "[machine]")
        .replace("[ema]", "[average]")
        .replace("\nstd = ", "\ndeviation = ")
        .replace("\ntta = ", "\nviews = ");
    let path = Path::new("config.toml");
    assert_eq!(Recipe::parse(&old, path).unwrap(), recipe);
    assert!(Recipe::parse(&format!("{old}\n[runtime]\nnorms = false\n"), path).is_err());
}

#[test]
fn single_settings_have_old_names_too() {
    let recipe = Recipe::named("folder").unwrap();
    for (old, new) in [
        ("machine.device=cpu", "runtime.device=cpu"),
        ("machine.resident=never", "runtime.resident=never"),
        ("average.decay=0.5", "ema.decay=0.5"),
        ("average={decay=0.5}", "ema={decay=0.5}"),
        (
            "images.deviation=[0.5, 0.25, 1.0]",
            "images.std=[0.5, 0.25, 1.0]",
        ),
        ("evaluation.views=ten-crop", "evaluation.tta=ten-crop"),
        ("evaluation.tta=plain", "evaluation.tta=none"),
    ] {
        let [old, new] = [old, new].map(|setting| recipe.with_settings(&[setting]).unwrap());
        assert_eq!(old, new);
        assert_eq!(
            new.evaluation.resize, recipe.evaluation.resize,
            "follows no other setting"
        );
    }
}
