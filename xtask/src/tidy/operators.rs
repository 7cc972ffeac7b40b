//! Whether every operator is complete. One operator is one stem: shader, twin, launch, cases and gradient rule carry the
//! same name, so that `git ls-files '*lrn*'` prints all of it.

use std::collections::{BTreeMap, BTreeSet};

/// Where an operator's parts live: folder, extension, and what the part is.
const PARTS: &[(&str, &str, &str)] = &[
    ("shaders/", ".wgsl", "shader"),
    ("crates/kernels/src/cpu/", ".rs", "CPU twin"),
    ("crates/kernels/src/ops/", ".rs", "launch"),
    ("tests/cases/", ".txt", "cases"),
    (RULES, ".rs", "gradient rule"),
];

/// The folder of the gradient rules.
const RULES: &str = "crates/tensor/src/ops/";

/// Operators that no gradient flows through, and why.
const NO_GRADIENT: &[(&str, &str)] = &[
    ("adam", "an update of the weights, after the backward pass"),
    ("sgd", "an update of the weights, after the backward pass"),
    ("augment", "works on pixels, which nobody differentiates"),
];

/// Gradient rules that need no kernel of their own, and why.
const NO_KERNEL: &[(&str, &str)] = &[("reshape", "moves no data")];

/// The operators: every launch is one.
pub(super) fn names<'a>(paths: &[&'a str]) -> BTreeSet<&'a str> {
    let (folder, extension, _) = PARTS[2];
    paths
        .iter()
        .filter_map(|path| stem(path, folder, extension))
        .collect()
}

/// Finds operators that lack a part, and parts that belong to no operator.
pub(super) fn check(paths: &[&str]) -> Vec<String> {
    let operators = names(paths);
    let mut findings = Vec::new();
    let mut present: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for path in paths {
        for (folder, extension, what) in PARTS {
            let Some(stem) = stem(path, folder, extension) else {
                continue;
            };
            present.entry(folder).or_default().insert(stem);
            let is_rule_alone = *folder == RULES && is_listed(NO_KERNEL, stem);
            if owner(&operators, stem).is_none() && !is_rule_alone {
                findings.push(format!(
                    "{path}: {what} of no operator: crates/kernels/src/ops/{stem}.rs is missing"
                ));
            }
        }
    }
    for operator in &operators {
        for (folder, extension, what) in PARTS {
            let is_present = present
                .get(folder)
                .is_some_and(|stems| stems.contains(operator));
            let is_excused = *folder == RULES && is_listed(NO_GRADIENT, operator);
            match (is_present, is_excused) {
                (false, false) => {
                    findings.push(format!(
                        "operator `{operator}` has no {what}: {folder}{operator}{extension}"
                    ));
                }
                (true, true) => findings.push(format!(
                    "operator `{operator}` has a rule, but is in NO_GRADIENT"
                )),
                _ => {}
            }
        }
    }
    findings
}

/// The file's stem if it lies in the folder itself and has the extension.
fn stem<'a>(path: &'a str, folder: &str, extension: &str) -> Option<&'a str> {
    let stem = path.strip_prefix(folder)?.strip_suffix(extension)?;
    (!stem.contains('/')).then_some(stem)
}

/// The operator that a part belongs to: its namesake, or the one whose name it goes on from, as `gemm_subgroup` does
/// from `gemm`.
fn owner<'a>(operators: &BTreeSet<&'a str>, stem: &str) -> Option<&'a str> {
    let goes_on = |operator: &str| {
        stem.strip_prefix(operator)
            .is_some_and(|rest| rest.is_empty() || rest.starts_with('_'))
    };
    operators.iter().copied().find(|operator| goes_on(operator))
}

fn is_listed(table: &[(&str, &str)], stem: &str) -> bool {
    table.iter().any(|(name, _)| *name == stem)
}

#[cfg(test)]
mod tests {
    use super::*;

    const LRN: [&str; 5] = [
        "shaders/lrn.wgsl",
        "crates/kernels/src/cpu/lrn.rs",
        "crates/kernels/src/ops/lrn.rs",
        "tests/cases/lrn.txt",
        "crates/tensor/src/ops/lrn.rs",
    ];

    #[test]
    fn a_complete_operator_passes() {
        let elsewhere = [
            "shaders/shared/index.wgsl",
            "crates/kernels/src/ops.rs",
            "crates/kernels/src/ops/lrn/check.rs",
        ];
        let paths = [&LRN[..], &elsewhere].concat();
        assert_eq!(check(&paths), Vec::<String>::new());
        assert_eq!(names(&paths), BTreeSet::from(["lrn"]));
    }

    #[test]
    fn every_missing_part_is_caught() {
        for (idx, missing) in LRN.iter().enumerate() {
            let paths: Vec<&str> = LRN.iter().copied().filter(|path| path != missing).collect();
            let findings = check(&paths);
            assert!(
                findings.iter().any(|finding| finding.contains(missing)),
                "{missing}: {findings:?}"
            );
            // Without its launch it is no operator, and each of the four other parts is an orphan.
            assert_eq!(findings.len(), if idx == 2 { 4 } else { 1 }, "{findings:?}");
        }
    }

    #[test]
    fn variants_belong_to_their_operator() {
        let paths = [
            &LRN[..],
            &[
                "shaders/lrn_subgroup.wgsl",
                "crates/kernels/src/cpu/lrn_f64.rs",
            ],
        ]
        .concat();
        assert_eq!(check(&paths), Vec::<String>::new());
        let paths = [&LRN[..], &["shaders/lrnx.wgsl"]].concat();
        assert_eq!(check(&paths).len(), 1, "another word is another operator");
    }

    #[test]
    fn optimizers_need_no_rule_and_may_not_have_one() {
        let sgd = LRN.map(|path| path.replace("lrn", "sgd"));
        let sgd: Vec<&str> = sgd.iter().map(String::as_str).collect();
        assert_eq!(check(&sgd[..4]), Vec::<String>::new());
        assert_eq!(
            check(&sgd),
            ["operator `sgd` has a rule, but is in NO_GRADIENT"]
        );
    }

    #[test]
    fn a_rule_may_stand_alone_where_that_is_listed() {
        assert_eq!(
            check(&["crates/tensor/src/ops/reshape.rs"]),
            Vec::<String>::new()
        );
        assert_eq!(
            check(&["crates/tensor/src/ops/mystery.rs"]).len(),
            1,
            "not listed"
        );
    }
}
