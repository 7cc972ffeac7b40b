//! Convolution with bias and activation fused; the rule masks, then runs the data and weight gradients.

use kernels::Activation;
use kernels::ops::column_sum;
use kernels::ops::conv2d::{self, Conv2d};
pub use kernels::ops::window::{Padding, Window};

use super::gemm::masked;
use crate::error::{Error, Result};

use crate::tensor::Tensor;

const OP: &str = "conv2d";

/// How a convolution moves over an image, and what becomes of its sums. The size of its window is that of the filters.
///
/// The default is stride 1, no padding, one group and no activation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Conv2dOptions {
    /// Places between windows, `[vertical, horizontal]`.
    pub stride: [usize; 2],
    /// Places between the taps of a window.
    pub dilation: [usize; 2],
    /// What lies around the image: zeros.
    pub padding: Padding,
    /// Groups of channels that see nothing of each other.
    pub groups: usize,
    /// What becomes of the sums.
    pub activation: Activation,
}

impl Default for Conv2dOptions {
    fn default() -> Self {
        Self {
            stride: [1; 2],
            dilation: [1; 2],
            padding: Padding::Valid,
            groups: 1,
            activation: Activation::None,
        }
    }
}

impl Conv2dOptions {
    /// The default with this padding.
    #[must_use]
    pub fn padded(padding: Padding) -> Self {
        Self {
            padding,
            ..Self::default()
        }
    }

    /// As this window moves; its own size is not read, and neither is whether it may hang over the end.
    #[must_use]
    pub fn of(window: &Window) -> Self {
        Self {
            stride: window.stride,
            dilation: window.dilation,
            padding: window.padding,
            ..Self::default()
        }
    }

    /// The same with this many groups.
    #[must_use]
    pub const fn groups(mut self, groups: usize) -> Self {
        self.groups = groups;
        self
    }

    /// The same with this activation.
    #[must_use]
    pub const fn activation(mut self, activation: Activation) -> Self {
        self.activation = activation;
        self
    }
}

impl Tensor {
    /// Convolves images `[n, h, w, c_in]` with filters `[kh, kw, c_in / groups, c_out]`, adds `bias` (`[c_out]`) and
    /// applies the activation: `[n, out_h, out_w, c_out]`. Images and filters are both of f32 or both of f16, in which case the filters' gradient is still of 32.
    ///
    /// # Errors
    /// If the shapes do not fit together, the devices or dtypes differ, or the device fails.
    pub fn conv2d(
        &self,
        filters: &Self,
        bias: Option<&Self>,
        options: &Conv2dOptions,
    ) -> Result<Self> {
        let conv = self.check_conv2d(filters, bias, options)?;
        let (n, [out_h, out_w], c_out) = (conv.n, conv.output()?, conv.c_out);
        let device = self.device().clone();
        let y = conv2d::forward(
            &device,
            &conv,
            self.buffer(),
            filters.buffer(),
            bias.map(Self::buffer),
            options.activation,
        )?;
        let inputs: Vec<&Self> = [self, filters].into_iter().chain(bias).collect();
        let [needs_dx, needs_dw] = [self, filters].map(Self::requires_grad);
        let has_bias = bias.is_some();
        let (x, filters_kept) = (self.detach(), filters.detach());
        let output = (options.activation == Activation::Relu).then(|| y.clone());
        Ok(Self::output(
            OP,
            y,
            [n, out_h, out_w, c_out],
            &inputs,
            move |dy| {
                let dy = masked(&device, dy.buffer(), output.as_ref())?;
                let wrap =
                    |buffer, like: &Self| Self::constant(&device, buffer, like.shape().clone());
                let mut gradients = vec![None, None];
                if needs_dx {
                    gradients[0] = Some(wrap(
                        conv2d::data_gradient(&device, &conv, &dy, filters_kept.buffer())?,
                        &x,
                    ));
                }
                if needs_dw {
                    gradients[1] = Some(wrap(
                        conv2d::weight_gradient(&device, &conv, x.buffer(), &dy)?,
                        &filters_kept,
                    ));
                }
                if has_bias {
                    let db = column_sum::forward(&device, &dy, dy.len() / c_out, c_out)?;
                    gradients.push(Some(Self::constant(&device, db, [c_out])));
                }
                Ok(gradients)
            },
        ))
    }

    /// The sizes of the convolution, once the tensors are known to fit together.
    fn check_conv2d(
        &self,
        filters: &Self,
        bias: Option<&Self>,
        options: &Conv2dOptions,
    ) -> Result<Conv2d> {
        self.check_operands(OP, "filters", filters, bias)?;
        let &[n, h, w, c_in] = &self.shape()[..] else {
            return Err(Error::shape(OP, "x", "[n, h, w, c_in]", self.shape()));
        };
        let &[kh, kw, group_in, c_out] = &filters.shape()[..] else {
            return Err(Error::shape(
                OP,
                "filters",
                "[kh, kw, c_in / groups, c_out]",
                filters.shape(),
            ));
        };
        let groups = options.groups;
        if group_in.checked_mul(groups) != Some(c_in) {
            let expected = format!("[{kh}, {kw}, {c_in} / {groups}, c_out]");
            return Err(Error::shape(OP, "filters", expected, filters.shape()));
        }
        Ok(Conv2d {
            n,
            input: [h, w],
            c_in,
            c_out,
            window: Window {
                size: [kh, kw],
                stride: options.stride,
                dilation: options.dilation,
                padding: options.padding,
                is_ceil: false,
            },
            groups,
        })
    }
}
