//! Two-dimensional convolution over `[n, h, w, c]`, with groups, strides, dilation and padding.

use crate::kernel::params;

params! {
    /// Parameters of the forward and backward kernels; what is padded below and to the right follows from the output's
    /// size.
    pub(crate) struct Conv2dParams {
        n: u32,
        h: u32,
        w: u32,
        c_in: u32,
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
        c_out: u32,
        groups: u32,
        /// Length of the sums that one workgroup takes; the twin does not split them.
        k_per_split: u32,
    }
}
