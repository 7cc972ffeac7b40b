//! The kernels' native twins: the oracle that reads like the equation, and the device of a machine without a GPU.
//!
//! Each works on fixed chunks in parallel, so that results never depend on the number of threads.

pub(crate) mod elementwise;
pub(crate) mod relu;
