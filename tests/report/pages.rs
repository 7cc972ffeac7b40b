//! Plots and reports.

use std::fs;

use report::{Gallery, Run, RunState, Shown, write_comparison, write_report};
use train::{Outcome, Recipe, RunDir};

use super::{made_up, recipe, train};

/// What every report has, whatever the run has left.
pub(crate) const SECTIONS: [&str; 10] = [
    "Commands",
    "Curves",
    "Metrics",
    "Confusion matrix",
    "Samples",
    "Mistakes",
    "Kernels",
    "Speed",
    "Configuration",
    "Environment",
];

#[test]
fn a_run_is_drawn_and_reported_in_full() {
    let root = tempfile::tempdir().unwrap();
    let folder = root.path().join("run");
    assert!(matches!(
        train(&folder, recipe(), u64::MAX, &[]),
        Outcome::Finished(_)
    ));
    let written = write_report(&folder).unwrap();
    assert_eq!(written.gallery.missing, None);
    for name in [
        "loss",
        "accuracy",
        "f1",
        "learning-rate",
        "samples",
        "mistakes",
        "kernels",
        "kernels-one-scale",
        "kernels-change",
        "activations",
        "augmented",
    ] {
        assert!(written.gallery.get(name).is_some(), "{name} is missing");
        let svg = fs::read_to_string(folder.join(format!("plots/{name}.svg"))).unwrap();
        assert!(
            svg.starts_with("<svg ") && svg.ends_with("</svg>\n"),
            "{name}: {}",
            &svg[svg.len() - 20..]
        );
        let png = fs::read(folder.join(format!("plots/{name}.png"))).unwrap();
        let size = image::load_from_memory(&png).unwrap();
        let colours: std::collections::HashSet<_> = size.to_rgb8().pixels().copied().collect();
        assert!(colours.len() > 8, "{name} is blank");
    }
    let page = fs::read_to_string(&written.report).unwrap();
    for section in SECTIONS {
        assert!(
            page.contains(&format!("{section}</h2>")),
            "no section {section}"
        );
    }
    assert!(page.contains("alexnet-small") && page.contains("optimizer.learning_rate"));
    for outside in ["<script", "http://", "https://", "src="] {
        let page = page
            .replace("http://www.w3.org", "")
            .replace("src=\"data:", "");
        assert!(
            !page.contains(outside),
            "the page is not self-contained: {outside}"
        );
    }
    let run = Run::read(&folder).unwrap();
    assert_eq!((run.rows.len(), run.state()), (2, RunState::Finished));
}

#[test]
fn text_is_drawn_with_the_embedded_font() {
    let root = tempfile::tempdir().unwrap();
    let run = Run::read(&made_up(root.path(), "run", 3)).unwrap();
    let gallery = Gallery::of(&run).unwrap();
    let png = gallery.get("classes").unwrap().png().unwrap();
    let image = image::load_from_memory(&png).unwrap().to_luma8();
    // The names stand at the left of the bars.
    let dark = image
        .enumerate_pixels()
        .filter(|(x, _, p)| *x < 100 && p.0[0] < 120);
    assert!(dark.count() > 200, "no letters");
}

#[test]
fn a_run_without_weights_says_what_is_missing_and_shows_the_rest() {
    let root = tempfile::tempdir().unwrap();
    let folder = made_up(root.path(), "run", 3);
    let written = write_report(&folder).unwrap();
    let page = fs::read_to_string(&written.report).unwrap();
    assert!(page.contains("Images could not be drawn"));
    for section in SECTIONS {
        assert!(
            page.contains(&format!("{section}</h2>")),
            "no section {section}"
        );
    }
    for part in [
        "conv2d_forward",
        "60.00 %",
        "cpu &lt;2 &amp; more&gt;",
        "plot-confusion",
        "plot-classes",
        "plot-lr-finder",
    ] {
        assert!(page.contains(part), "no {part}");
    }
    let loss = written.gallery.get("loss").unwrap().inline();
    assert!(
        loss.contains("learning rate step"),
        "the rate falls after epoch 3"
    );
    let run = Run::read(&folder).unwrap();
    assert_eq!(
        run.steps.len(),
        1,
        "a line that is still being written is left out"
    );
    assert_eq!(run.state(), RunState::Running);
    assert_eq!(run.best().unwrap().epoch, 5);
}

#[test]
fn a_hundred_classes_are_one_image_without_counts() {
    let root = tempfile::tempdir().unwrap();
    let run = Run::read(&made_up(root.path(), "run", 100)).unwrap();
    let gallery = Gallery::of(&run).unwrap();
    let svg = gallery.get("confusion").unwrap().inline();
    assert!(svg.contains("<image ") && svg.contains("class 99"));
    assert!(svg.len() < 200_000, "{} bytes", svg.len());
    let few = Run::read(&made_up(root.path(), "few", 10)).unwrap();
    let few = Gallery::of(&few).unwrap();
    let svg = few.get("confusion").unwrap().inline();
    assert!(!svg.contains("<image ") && svg.contains("\n80\n"), "counts");
}

#[test]
fn runs_are_compared_side_by_side() {
    let root = tempfile::tempdir().unwrap();
    let one = made_up(root.path(), "one", 3);
    let two = made_up(root.path(), "two <b>", 3);
    let config = fs::read_to_string(two.join("config.toml")).unwrap();
    fs::write(
        two.join("config.toml"),
        config.replace("seed = 42", "seed = 43"),
    )
    .unwrap();
    let out = root.path().join("both.html");
    write_comparison(&[one, two], &out).unwrap();
    let page = fs::read_to_string(out).unwrap();
    assert!(page.contains("plot-compare-accuracy") && page.contains("plot-compare-loss"));
    assert!(
        page.contains("two &lt;b&gt;") && !page.contains("two <b>"),
        "names are escaped"
    );
    let differing: Vec<_> = page.match_indices("<tr class=\"differs\">").collect();
    assert_eq!(differing.len(), 1, "the seed and nothing else");
}

#[test]
fn damaged_files_are_one_line_with_their_name() {
    let root = tempfile::tempdir().unwrap();
    let folder = made_up(root.path(), "run", 3);
    for (file, text, part) in [
        ("metrics.jsonl", "{}\n", "line 1"),
        ("evaluation.json", "[", "evaluation.json"),
        ("config.toml", "name = 1", "config.toml"),
    ] {
        let good = fs::read(folder.join(file)).unwrap();
        fs::write(folder.join(file), text).unwrap();
        let message = write_report(&folder).unwrap_err().to_string();
        assert!(
            message.contains(file) && message.contains(part),
            "{message}"
        );
        fs::write(folder.join(file), good).unwrap();
    }
    let message = write_report(root.path()).unwrap_err().to_string();
    assert!(message.contains("no run here"), "{message}");
}

#[test]
fn kernels_by_epoch_and_any_layers_activations_are_drawn() {
    let root = tempfile::tempdir().unwrap();
    let folder = root.path().join("run");
    let mut recipe = recipe();
    recipe.checkpoints.every = 1;
    assert!(matches!(
        train(&folder, recipe, u64::MAX, &[]),
        Outcome::Finished(_)
    ));
    let run = Run::read(&folder).unwrap();
    let gallery = Gallery::of(&run).unwrap();
    let epochs = gallery.get("kernels-epochs").unwrap().inline();
    for label in ["start", "epoch 1", "epoch 2"] {
        assert!(epochs.contains(label), "no {label}");
    }
    let change = gallery.get("kernels-change").unwrap();
    assert!(
        change.title().contains("% of what they began with"),
        "{}",
        change.title()
    );
    let drawn = |layer: &str, image| Gallery::activations(&run, layer, image).unwrap().unwrap();
    let maps = drawn("conv2", Shown::Sample(3));
    assert!(
        maps.title().contains("of 128 channels after layer conv2"),
        "{}",
        maps.title()
    );
    let photo = root.path().join("photo.png");
    image::RgbImage::from_pixel(50, 40, image::Rgb([200, 30, 30]))
        .save(&photo)
        .unwrap();
    let units = drawn("fc6", Shown::File(&photo));
    assert!(
        units.title().contains("512 units after layer fc6"),
        "{}",
        units.title()
    );
    assert!(units.png().unwrap().len() > 1000);
    for (layer, image, part) in [
        ("conv9", Shown::Sample(0), "conv9"),
        ("conv1", Shown::Sample(1_000_000), "1000000"),
        (
            "conv1",
            Shown::File(&root.path().join("none.png")),
            "none.png",
        ),
    ] {
        let message = Gallery::activations(&run, layer, image)
            .unwrap_err()
            .to_string();
        assert!(message.contains(part), "{message}");
    }
}

/// A made-up run of a recipe with a published log: its curve stands beside ours, as do result and time of a step.
#[test]
fn the_published_log_stands_beside_ours() {
    let root = tempfile::tempdir().unwrap();
    let folder = root.path().join("run");
    let recipe = Recipe::named("keras-cifar10").unwrap();
    RunDir::create(&folder, &recipe).unwrap();
    let rows = (1..=6_u32).map(|epoch| {
        let (loss, validation) = (2.0 / f64::from(epoch), 1.0 + 0.2 * f64::from(epoch.abs_diff(2)));
        format!(
            r#"{{"epoch":{epoch},"step":{},"lr":0.001,"train_loss":{loss},"train_accuracy":0.5,"val_loss":{validation},"val_accuracy":0.4,"val_top5":0.9,"images_per_s":160.0,"data_wait_fraction":0.01,"seconds":250.0,"val_macro_f1":0.39,"penalty":0.25}}"#,
            625 * epoch
        ) + "\n"
    });
    fs::write(folder.join("metrics.jsonl"), rows.collect::<String>()).unwrap();
    let written = write_report(&folder).unwrap();
    for (name, part) in [
        ("loss", "published validation"),
        ("accuracy", "published train"),
        ("loss", "overfits since epoch 2"),
        ("accuracy", "overfits since epoch 2"),
    ] {
        let plot = written.gallery.get(name).unwrap();
        assert!(plot.inline().contains(part), "{name}: no {part}");
    }
    assert_eq!(
        written.gallery.get("loss").unwrap().title(),
        "Loss, with penalty"
    );
    let page = fs::read_to_string(&written.report).unwrap();
    for part in [
        "best validation accuracy .7381",
        "published ms a step",
        "264.0",
        "400.0",
    ] {
        assert!(page.contains(part), "no {part}");
    }
}
