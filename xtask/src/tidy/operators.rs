//! Whether every operator is complete. One operator is one stem: launch, shader, twin, cases, reference and gradient rule
//! carry the same name, so that `git ls-files '*lrn*'` prints all of it.

use std::collections::BTreeSet;

/// One of the places where an operator has a file.
struct Part {
    folder: &'static str,
    extension: &'static str,
    what: &'static str,
    /// Whether the folder holds nothing but operators.
    is_pure: bool,
}

const fn part(folder: &'static str, extension: &'static str, what: &'static str) -> Part {
    Part {
        folder,
        extension,
        what,
        is_pure: true,
    }
}

const LAUNCH: Part = part("crates/kernels/src/ops/", ".rs", "launch");
const PARTS: &[Part] = &[
    LAUNCH,
    part("shaders/", ".wgsl", "shader"),
    part("crates/kernels/src/cpu/", ".rs", "CPU twin"),
    part("tests/cases/", ".txt", "cases"),
    // Beside the operators it holds the checks themselves.
    Part {
        is_pure: false,
        ..part("crates/verify/src/operators/", ".rs", "f64 reference")
    },
    part(RULES, ".rs", "gradient rule"),
];

/// The folder of the gradient rules.
const RULES: &str = "crates/tensor/src/ops/";

/// Operators that no gradient flows through, so that they may lack a rule, and why.
const NO_GRADIENT: &[(&str, &str)] = &[
    ("accuracy", "counts right answers, after the forward pass"),
    ("adam", "an update of the weights, after the backward pass"),
    ("augment", "works on pixels, which nobody differentiates"),
    ("ema", "follows the weights, after their update"),
    (
        "clip_grad_norm",
        "works on gradients, after the backward pass",
    ),
    (
        "loss_scale",
        "works on the gradients' norm, after the backward pass",
    ),
    ("mix", "works on images, which nobody differentiates"),
    ("sgd", "an update of the weights, after the backward pass"),
    (
        "winograd",
        "is a way to compute conv2d, whose rule it serves",
    ),
];

/// Operators that the CPU device lacks, so that they have neither a twin nor cases that compare with it, and why.
const GPU_ALONE: &[(&str, &str)] = &[(
    "cast",
    "f16 is for GPUs; tests/kernels/f16.rs has their bits",
)];
/// The parts that such an operator may lack.
const PARTS_OF_TWIN: [&str; 3] = ["CPU twin", "cases", "f64 reference"];

/// Gradient rules that need no kernel of their own, and why.
const NO_KERNEL: &[(&str, &str)] = &[
    ("mse_loss", "is a difference, its squares and their sum"),
    ("reshape", "moves no data"),
];

/// Files among the launches that are no operator, and why they are there.
const HELPERS: &[(&str, &str)] = &[
    (
        "activation",
        "what products and convolutions do to their sums",
    ),
    ("pool", "what maximum and average pooling share"),
    (
        "window",
        "padding and output sizes, for convolution and pooling",
    ),
];

/// The operators: every launch is one.
pub(super) fn names<'a>(paths: &[&'a str]) -> BTreeSet<&'a str> {
    let stems = paths.iter().filter_map(|path| LAUNCH.stem(path));
    stems.filter(|stem| !is_listed(HELPERS, stem)).collect()
}

/// Finds operators that lack a part, and parts that belong to no operator.
pub(super) fn check(paths: &[&str]) -> Vec<String> {
    let operators = names(paths);
    PARTS
        .iter()
        .flat_map(|part| check_part(part, &operators, paths))
        .collect()
}

fn check_part(part: &Part, operators: &BTreeSet<&str>, paths: &[&str]) -> Vec<String> {
    let mut findings = Vec::new();
    let Part {
        folder,
        extension,
        what,
        ..
    } = part;
    let present: BTreeSet<&str> = paths.iter().filter_map(|path| part.stem(path)).collect();
    for stem in present
        .iter()
        .filter(|stem| part.is_pure && !belongs(operators, stem))
    {
        let is_rule_alone = *folder == RULES && is_listed(NO_KERNEL, stem);
        let is_helper = *folder == LAUNCH.folder && is_listed(HELPERS, stem);
        if !is_rule_alone && !is_helper {
            let launch = LAUNCH.path(stem);
            findings.push(format!(
                "{folder}{stem}{extension}: {what} of no operator: {launch} is missing"
            ));
        }
    }
    for operator in operators {
        let is_excused = (*folder == RULES && is_listed(NO_GRADIENT, operator))
            || (PARTS_OF_TWIN.contains(what) && is_listed(GPU_ALONE, operator));
        if !present.contains(operator) && !is_excused {
            findings.push(format!(
                "operator `{operator}` has no {what}: {}",
                part.path(operator)
            ));
        }
    }
    findings
}

impl Part {
    /// The stem of a file of this part; none for another file, or one in a folder below.
    fn stem<'a>(&self, path: &'a str) -> Option<&'a str> {
        let stem = path
            .strip_prefix(self.folder)?
            .strip_suffix(self.extension)?;
        (!stem.contains('/')).then_some(stem)
    }

    fn path(&self, stem: &str) -> String {
        format!("{}{stem}{}", self.folder, self.extension)
    }
}

/// Whether a part is an operator's: its namesake, or one whose name goes on from it, as `gemm_subgroup` from `gemm`.
fn belongs(operators: &BTreeSet<&str>, stem: &str) -> bool {
    operators.iter().any(|operator| {
        stem.strip_prefix(operator)
            .is_some_and(|rest| rest.is_empty() || rest.starts_with('_'))
    })
}

fn is_listed(table: &[(&str, &str)], stem: &str) -> bool {
    table.iter().any(|(name, _)| *name == stem)
}

#[cfg(test)]
mod tests {
    use super::*;

    const LRN: [&str; 6] = [
        "crates/kernels/src/ops/lrn.rs",
        "shaders/lrn.wgsl",
        "crates/kernels/src/cpu/lrn.rs",
        "tests/cases/lrn.txt",
        "crates/verify/src/operators/lrn.rs",
        "crates/tensor/src/ops/lrn.rs",
    ];

    #[test]
    fn a_complete_operator_passes() {
        let elsewhere = [
            "shaders/shared/index.wgsl",
            "crates/kernels/src/ops.rs",
            "crates/kernels/src/ops/window.rs",
            "crates/kernels/src/ops/lrn/check.rs",
            "crates/verify/src/operators/fill.rs",
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
            // Without its launch it is no operator, and each part outside `verify` is an orphan.
            assert_eq!(findings.len(), if idx == 0 { 4 } else { 1 }, "{findings:?}");
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
    fn optimizers_need_no_rule() {
        let sgd = LRN.map(|path| path.replace("lrn", "sgd"));
        let sgd: Vec<&str> = sgd.iter().map(String::as_str).collect();
        assert_eq!(check(&sgd[..5]), Vec::<String>::new());
        assert_eq!(
            check(&sgd[..4]).len(),
            1,
            "the other parts are needed all the same"
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
