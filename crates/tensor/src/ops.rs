//! The operators on tensors, one module each: a method that checks shapes and launches, and its backward rule.

pub mod elementwise;
pub mod relu;
