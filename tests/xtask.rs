//! The command line of `cargo xtask`, from outside: help, usage errors and exit codes. What the checks find is tested
//! beside them, on made-up input.

use std::process::{Command, Output};

fn xtask(args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_xtask"))
        .args(args)
        .output()
        .expect("xtask starts")
}

#[test]
fn help_goes_to_standard_output() {
    let output = xtask(&["help"]);
    assert_eq!(output.status.code(), Some(0));
    let text = String::from_utf8(output.stdout).unwrap();
    for verb in ["test", "tidy", "shaders", "bench", "train"] {
        assert!(text.contains(verb), "{verb} is missing in:\n{text}");
    }
}

#[test]
fn no_verb_is_a_usage_error() {
    let output = xtask(&[]);
    assert_eq!(output.status.code(), Some(2));
    assert!(
        output.stdout.is_empty(),
        "usage errors go to standard error"
    );
    assert!(String::from_utf8_lossy(&output.stderr).contains("Usage"));
}

#[test]
fn an_unknown_argument_is_a_usage_error() {
    for args in [
        ["test", "--fast"],
        ["tidy", "everything"],
        ["shaders", "stats"],
        ["shaders", "figures"],
        ["shaders", "paint"],
    ] {
        let output = xtask(&args);
        assert_eq!(output.status.code(), Some(2), "{args:?}");
        let text = String::from_utf8(output.stderr).unwrap();
        assert!(
            text.starts_with("error: ") && text.contains("hint: "),
            "{args:?}: {text}"
        );
    }
}
