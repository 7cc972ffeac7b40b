//! Which module of a crate may use which, where a circle would come in unseen: the compiler allows them.

use super::files::File;

/// How the paths of some files begin, what these files may not name, and why.
const REFUSED: &[(&[&str], &[&str], &str)] = &[(
    // The twins, and what they use in turn.
    &[
        "crates/kernels/src/cpu",
        "crates/kernels/src/device",
        "crates/kernels/src/gpu_device",
        "crates/kernels/src/kernel.rs",
        "crates/kernels/src/profile.rs",
        "crates/kernels/src/tile",
    ],
    &["crate::ops", "super::ops"],
    "a launch uses its twin, and no twin its launch: what both need is the twin's",
)];

/// Finds files that name a module which they may not use.
pub(super) fn check(file: &File) -> Vec<String> {
    let mut findings = Vec::new();
    for (begins, refused, reason) in REFUSED {
        if !begins.iter().any(|begin| file.path.starts_with(begin)) {
            continue;
        }
        for (idx, line) in file.text.lines().enumerate() {
            let is_comment = line.trim_start().starts_with("//");
            let named = refused.iter().find(|refused| names(line, refused));
            if let (false, Some(named)) = (is_comment, named) {
                let line = idx + 1;
                findings.push(format!("{}:{line}: names `{named}`: {reason}", file.path));
            }
        }
    }
    findings
}

/// Whether a line has the path, and not one whose last part goes on, as `crate::ops_count` does.
fn names(line: &str, path: &str) -> bool {
    line.match_indices(path).any(|(idx, _)| {
        let next = line[idx + path.len()..].chars().next();
        next.is_none_or(|c| !c.is_alphanumeric() && c != '_')
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_twin_that_names_its_launch_is_caught() {
        for line in [
            "use crate::ops::lrn::Lrn;",
            "use super::super::ops;",
            "let lrn: crate::ops::lrn::Lrn = x;",
        ] {
            let text = format!("//! A twin.\n\n{line}\n");
            let found = check(&File::made_up("crates/kernels/src/cpu/lrn.rs", &text));
            assert!(
                found.len() == 1 && found[0].starts_with("crates/kernels/src/cpu/lrn.rs:3:"),
                "{line}: {found:?}"
            );
            let launch = File::made_up("crates/kernels/src/ops/lrn.rs", &text);
            assert_eq!(check(&launch), Vec::<String>::new(), "{line}");
        }
    }

    #[test]
    fn other_names_pass() {
        let text =
            "//! A twin.\n// As crate::ops does.\nuse std::ops::Range;\nuse crate::ops_count;\n";
        let file = File::made_up("crates/kernels/src/cpu/lrn.rs", text);
        assert_eq!(check(&file), Vec::<String>::new());
    }
}
