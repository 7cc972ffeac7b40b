//! What the `tensor` crate promises: gradients by rules that call the right kernels. The kernels' own numbers are proven
//! in `tests/kernels.rs`.

#![expect(clippy::unwrap_used, reason = "the helpers of tests fail the test")]

#[path = "tensor/gradcheck.rs"]
mod gradcheck;
#[path = "tensor/rules.rs"]
mod rules;
#[path = "tensor/update.rs"]
mod update;
