//! Mean over windows of `[n, h, w, c]`.

use crate::kernel::params;

params! {
    /// Parameters of both kernels. The divisor counts the taps inside the image or, if `count_include_pad` is not 0,
    /// inside the padded image, as PyTorch does for windows that hang over the end.
    pub(crate) struct AvgPoolParams {
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
        pad_bottom: u32,
        pad_right: u32,
        count_include_pad: u32,
    }
}
