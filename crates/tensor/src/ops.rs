//! The operators on tensors, one module each: a method that checks shapes and launches, and its backward rule.

pub mod conv2d;
pub mod elementwise;
pub mod gemm;
pub mod relu;
pub mod resize;
