//! What the `tensor` crate promises: gradients by rules that call the right kernels. The kernels' own numbers are proven
//! in `tests/kernels.rs`.

#![expect(
    clippy::disallowed_methods,
    reason = "references, compared within tolerances"
)]
#![expect(clippy::unwrap_used, reason = "the helpers of tests fail the test")]

#[path = "tensor/custom.rs"]
mod custom;
#[path = "../examples/01_tensor.rs"]
#[expect(dead_code, reason = "its main")]
mod example;
#[path = "tensor/functions.rs"]
mod functions;
#[path = "tensor/gradcheck.rs"]
mod gradcheck;
#[path = "tensor/rules.rs"]
mod rules;
#[path = "tensor/update.rs"]
mod update;

#[test]
fn the_example_gives_the_slope_worked_out_by_hand() {
    // x w = (-1.5, -2.5), and 2 x^T x w = 2 (-9, -13).
    let slope = example::slope(&tensor::Device::cpu()).unwrap();
    assert_eq!(slope, [-18.0, -26.0]);
}
