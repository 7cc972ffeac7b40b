//! The operators on tensors, one module each: a method that checks shapes and launches, and its backward rule.

pub mod accuracy;
pub mod avg_pool;
pub mod axis_sum;
pub mod batch_norm;
pub mod bias;
pub mod cast;
pub mod column_sum;
pub mod conv2d;
pub mod cross_entropy;
pub mod dropout;
pub mod elementwise;
pub mod gelu;
pub mod gemm;
pub mod im2col;
pub mod lrn;
pub mod max_pool;
pub mod mse_loss;
pub mod reduce;
pub mod relu;
pub mod resize;
pub mod softmax;
pub mod strided_copy;
pub mod top_k;
pub mod unary;
