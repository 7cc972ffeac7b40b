//! `learn` and `kernels`: pages that are whole, sources that are those of this build, and what is printed of shaders.

use std::fs;
use std::path::Path;

use serde_json::Value;

use super::chromium::{browser, dump, fits};
use super::{fail, path_text, succeed};

/// The lessons there are.
fn topics() -> Vec<String> {
    let list: Value = serde_json::from_str(&succeed(&["learn", "--json"])).unwrap();
    let topics = list.as_array().unwrap().iter();
    let names = topics.map(|topic| topic["name"].as_str().unwrap().to_owned());
    names.collect()
}

#[test]
fn every_lesson_has_all_of_its_parts() {
    let topics = topics();
    assert!(topics.len() >= 8, "{topics:?}");
    let listed = succeed(&["learn"]);
    for name in &topics {
        assert!(listed.contains(name), "{name} in\n{listed}");
        let said = succeed(&["learn", name, "--device", "cpu"]);
        for part in [
            "Equation (Krizhevsky, Sutskever, Hinton",
            "section ",
            "Before and after",
            "Reference in 64 bits",
            "fn reference(",
            "Shader, forward: ",
            "struct Params",
            "Twin in Rust",
            "par_chunks",
            "Without it",
            "Go on",
            "alexnet gradcheck",
        ] {
            let is_twin_elsewhere = part == "par_chunks";
            assert!(
                is_twin_elsewhere || said.contains(part),
                "{name}: no '{part}' in\n{said}"
            );
        }
        let pictures = said.lines().filter(|line| line.contains("**"));
        assert!(pictures.count() > 0, "{name}: no picture in\n{said}");
        assert!(
            !said.contains('\u{1b}'),
            "{name}: colours without a terminal"
        );
    }
}

#[test]
fn a_page_is_about_the_readers_picture_and_fits_windows() {
    let root = tempfile::tempdir().unwrap();
    let photo = root.path().join("photo.bmp");
    fs::write(&photo, super::exchange::bitmap()).unwrap();
    let page = root.path().join("page.html");
    let browser = browser();
    // One with shaders of several hundred lines, and one with a table.
    for more in [
        &["conv2d"][..],
        &["lrn", "--ablate", "--limit", "64", "--epochs", "1"],
    ] {
        let args = [
            "--image",
            path_text(&photo),
            "--html",
            path_text(&page),
            "--device",
            "cpu",
        ];
        let said = succeed(&[&["learn"], more, &args[..]].concat());
        assert!(said.contains("page.html"), "{said}");
        let text = fs::read_to_string(&page).unwrap();
        for outside in ["<script", "http://", "https://"] {
            assert!(!text.contains(outside), "{outside}");
        }
        assert!(text.matches("data:image/png").count() >= 3, "pictures");
        if let Some(browser) = &browser {
            let url = format!("file://{}", page.display());
            let dom = dump(browser, &root.path().join("profile"), &url, false);
            for section in [
                "Equation",
                "Before and after",
                "Sources",
                "Without it",
                "Go on",
            ] {
                assert!(dom.contains(&format!("<h2>{section}</h2>")), "no {section}");
            }
            assert_eq!(dom.contains("no LRN</td>"), more.len() > 1, "the table");
            fits(browser, root.path(), &page);
        }
    }
}

#[test]
fn a_training_without_an_operator_is_told_beside_the_one_with_it() {
    let args = [
        "--ablate", "--epochs", "1", "--limit", "48", "--seeds", "1", "--device", "cpu",
    ];
    let said = succeed(&[&["learn", "relu"], &args[..]].concat());
    let rows: Vec<_> = said
        .lines()
        .filter(|line| line.contains("  42  "))
        .collect();
    assert_eq!(rows.len(), 2, "{said}");
    assert!(
        rows[0].contains("ReLU") && rows[1].contains("tanh"),
        "{said}"
    );
    let json = succeed(&[&["learn", "sgd", "--json", "--quiet"], &args[..]].concat());
    let json: Value = serde_json::from_str(&json).unwrap();
    assert_eq!(json["trials"]["rows"][1][0], "no momentum", "{json}");
    fail(
        &["learn", "softmax", "--ablate"],
        &["--ablate: nothing trains without softmax"],
    );
}

#[test]
fn kernels_are_listed_and_printed_as_a_card_gets_them() {
    let listed = succeed(&["kernels"]);
    let long = listed.lines().find(|line| line.chars().count() > 80);
    assert_eq!(long, None, "80 columns");
    let json: Value = serde_json::from_str(&succeed(&["kernels", "--json"])).unwrap();
    for kernel in json.as_array().unwrap() {
        let name = kernel["kernel"].as_str().unwrap();
        assert!(listed.contains(name), "{name}");
    }
    for name in [
        "conv2d_forward",
        "lrn_backward",
        "gemm",
        "softmax_forward",
        "cast_forward",
    ] {
        let text = succeed(&["kernels", name, "--device", "cpu"]);
        assert!(
            text.starts_with("// ") && text.contains(&format!("fn {name}(")),
            "{text}"
        );
        assert!(!text.contains("{%") && !text.contains("{{"), "rendered");
    }
    // An operator is its first kernel.
    let own = succeed(&["kernels", "lrn", "--device", "cpu"]);
    assert!(own.contains("fn lrn_forward("), "{own}");
    let variants = succeed(&["kernels", "lrn", "--list", "--device", "cpu"]);
    let starred = variants.lines().filter(|line| line.starts_with("* lrn/"));
    assert_eq!(starred.collect::<Vec<_>>(), ["* lrn/lrn_forward[paper=1]"]);
    let other = succeed(&["kernels", "lrn", "--variant", "lrn/lrn_forward[paper=0]"]);
    assert_ne!(own.lines().nth(9), None);
    assert!(own.split_once('\n').unwrap().1 != other.split_once('\n').unwrap().1);
    let twin = succeed(&["kernels", "lrn", "--twin"]);
    let file = "../../crates/kernels/src/cpu/lrn.rs";
    let file = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(file)).unwrap();
    assert!(twin.contains(&file), "the file as it is");
    fail(
        &["kernels", "lrn", "--variant", "lrn"],
        &["--variant lrn: ", "found several"],
    );
    fail(&["kernels", "cast_forward", "--twin"], &["it has no twin"]);
}
