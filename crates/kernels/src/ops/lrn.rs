//! Local response normalisation: `y_i = x_i (bias + alpha * sum over a window of x_j^2)^-beta` along the channels.

use crate::kernel::params;

params! {
    /// Parameters of both kernels. The window of channel i is `i - before..=i + after`, cut at the ends.
    pub(crate) struct LrnParams {
        rows: u32,
        channels: u32,
        before: u32,
        after: u32,
        bias: f32,
        /// On the raw sum of squares, as in the paper; PyTorch and ONNX divide it by the window.
        alpha: f32,
        beta: f32,
    }
}
