//! The kernels' native twins: the oracle that reads like the equation, and the device of a machine without a GPU.
//!
//! Each works on fixed chunks in parallel, so that results never depend on the number of threads.

pub(crate) mod accuracy;
pub(crate) mod adam;
pub(crate) mod augment;
pub(crate) mod avg_pool;
pub(crate) mod axis_sum;
pub(crate) mod batch_norm;
pub(crate) mod bias;
pub(crate) mod clip_grad_norm;
pub(crate) mod column_sum;
pub(crate) mod conv2d;
pub(crate) mod cross_entropy;
pub(crate) mod dropout;
pub(crate) mod elementwise;
pub(crate) mod ema;
pub(crate) mod gelu;
pub(crate) mod gemm;
pub(crate) mod im2col;
pub(crate) mod loss_scale;
pub(crate) mod lrn;
pub(crate) mod max_pool;
pub(crate) mod mix;
pub(crate) mod reduce;
pub(crate) mod relu;
pub(crate) mod resize;
pub(crate) mod sgd;
pub(crate) mod softmax;
pub(crate) mod strided_copy;
pub(crate) mod top_k;
pub(crate) mod unary;
pub(crate) mod winograd;

/// What several twins use.
pub(crate) mod shared {
    pub(super) mod axis;
    pub(super) mod exact;
    pub(super) mod pointwise;
    pub(super) mod pool;
    pub(super) mod resample;
    pub(super) mod scratch;
    pub(super) mod tile;
    pub(crate) mod wide;
}

/// The twins against naive references, on awkward shapes.
#[cfg(test)]
mod tests {
    mod conv2d;
    mod gemm;
    mod im2col;
    mod lrn;
    mod naive;
    mod pool;
    mod support;
}
