//! Maximum over windows of `[n, h, w, c]`.

use crate::kernel::params;

params! {
    /// Parameters of pooling kernels; what is padded below and to the right follows from the output's size.
    pub(crate) struct PoolParams {
        n: u32,
        h: u32,
        w: u32,
        c: u32,
        kh: u32,
        kw: u32,
        stride_h: u32,
        stride_w: u32,
        pad_top: u32,
        pad_left: u32,
        dilation_h: u32,
        dilation_w: u32,
        out_h: u32,
        out_w: u32,
    }
}
