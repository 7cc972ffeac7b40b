//! The gradient checker passes right gradients and catches wrong ones.

use tensor::gradcheck::{Options, gradcheck};
use tensor::{Device, Tensor};

fn numbers(len: usize) -> Vec<f32> {
    (0..len)
        .map(|i| 0.3 + 0.07 * ((i * 37 % 23) as f32))
        .collect()
}

fn inputs() -> Vec<Tensor> {
    let device = Device::cpu();
    vec![
        Tensor::from_slice(&device, &numbers(12), [3, 4]).unwrap(),
        Tensor::from_slice(&device, &numbers(20), [4, 5]).unwrap(),
    ]
}

#[test]
fn a_right_gradient_passes() {
    let f = |x: &[Tensor]| x[0].matmul(&x[1])?.mul(&x[0].matmul(&x[1])?);
    let findings = gradcheck(&inputs(), f, &Options::default()).unwrap();
    assert_eq!(findings.len(), 2, "one for each input");
    assert!(
        findings.iter().all(|finding| finding.passed),
        "{findings:?}"
    );
}

#[test]
fn a_deliberately_wrong_gradient_is_caught() {
    // Half of the product rule is cut off, so the tape's gradient of x^2 is x and not 2x.
    let f = |x: &[Tensor]| x[0].mul(&x[0].detach());
    let findings = gradcheck(&inputs()[..1], f, &Options::default()).unwrap();
    assert!(!findings[0].passed, "{findings:?}");
    assert!(
        (findings[0].numeric / findings[0].analytic - 2.0).abs() < 0.01,
        "{findings:?}"
    );
}

#[test]
fn a_missing_gradient_is_caught() {
    let f = |x: &[Tensor]| x[0].matmul(&x[1].detach());
    let findings = gradcheck(&inputs(), f, &Options::default()).unwrap();
    assert!(findings[0].passed && !findings[1].passed, "{findings:?}");
}

#[test]
fn a_function_of_no_variable_is_an_error() {
    let f = |x: &[Tensor]| x[0].detach().relu();
    assert!(
        gradcheck(&inputs(), f, &Options::default()).is_err(),
        "nothing leads to a parameter"
    );
}
