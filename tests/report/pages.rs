//! Plots and reports.

use std::fs;

use report::{Gallery, Run, RunState, write_comparison, write_report};
use train::Outcome;

use super::{made_up, recipe, train};

/// What every report has, whatever the run has left.
pub(crate) const SECTIONS: [&str; 9] = [
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
        "learning-rate",
        "samples",
        "mistakes",
        "kernels",
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
        let page = page.replace("http://www.w3.org", "");
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
