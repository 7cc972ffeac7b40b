//! Matrix product: `C = alpha * op(A) op(B) + beta * C`, with bias and ReLU fused.

use crate::kernel::params;

params! {
    /// Parameters of every variant. Row-major, leading dimensions and offsets in elements.
    pub(crate) struct GemmParams {
        m: u32,
        n: u32,
        k: u32,
        lda: u32,
        ldb: u32,
        ldc: u32,
        a_offset: u32,
        b_offset: u32,
        c_offset: u32,
        /// Length of the sums that one workgroup takes; the twin does not split them.
        k_per_split: u32,
        alpha: f32,
        /// If 0, C is not read.
        beta: f32,
    }
}
