//! The kernels' native twins: the oracle that reads like the equation, and the device of a machine without a GPU.
//!
//! Each works on fixed chunks in parallel, so that results never depend on the number of threads.

#[cfg_attr(
    not(test),
    expect(dead_code, reason = "launched once its shader is there")
)]
pub(crate) mod conv2d;
pub(crate) mod elementwise;
#[cfg_attr(
    not(test),
    expect(dead_code, reason = "launched once its shader is there")
)]
pub(crate) mod gemm;
pub(crate) mod relu;
mod scratch;
mod tile;

#[cfg(test)]
mod tests;
