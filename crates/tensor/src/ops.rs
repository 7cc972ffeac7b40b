//! The operators on tensors, one module each: a method that checks shapes and launches, and its backward rule.

pub mod batch_norm;
pub mod conv2d;
pub mod elementwise;
pub mod gemm;
pub mod im2col;
pub mod relu;
pub mod softmax;
