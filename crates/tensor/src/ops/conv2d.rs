//! Convolution with bias and ReLU fused; the rule masks, then runs the data and weight gradients.

use kernels::ops::column_sum;
use kernels::ops::conv2d::{self, Conv2d};
pub use kernels::ops::window::{Padding, Window};

use super::gemm::masked;
use crate::error::{Error, Result};

use crate::tensor::Tensor;

const OP: &str = "conv2d";

impl Tensor {
    /// Convolves images `[n, h, w, c_in]` with filters `[kh, kw, c_in / groups, c_out]`, adds `bias` (`[c_out]`) and
    /// applies ReLU if asked for: `[n, out_h, out_w, c_out]`. The window's size is that of the filters. Images and filters
    /// are both of 32-bit floats or both of 16-bit ones, in which case the filters' gradient is still of 32.
    ///
    /// # Errors
    /// If the shapes do not fit together, the devices or element types differ, or the device fails.
    pub fn conv2d(
        &self,
        filters: &Self,
        bias: Option<&Self>,
        window: &Window,
        groups: usize,
        is_relu: bool,
    ) -> Result<Self> {
        let conv = self.check_conv2d(filters, bias, window, groups)?;
        let (n, [out_h, out_w], c_out) = (conv.n, conv.output()?, conv.c_out);
        let device = self.device().clone();
        let y = conv2d::forward(
            &device,
            &conv,
            self.buffer(),
            filters.buffer(),
            bias.map(Self::buffer),
            is_relu,
        )?;
        let inputs: Vec<&Self> = [self, filters].into_iter().chain(bias).collect();
        let [needs_dx, needs_dw] = [self, filters].map(Self::needs_gradient);
        let has_bias = bias.is_some();
        let (x, filters_kept, output) =
            (self.detach(), filters.detach(), is_relu.then(|| y.clone()));
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
        window: &Window,
        groups: usize,
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
        if group_in * groups != c_in || [kh, kw] != window.size {
            let [kh, kw] = window.size;
            let expected = format!("[{kh}, {kw}, {c_in} / {groups}, c_out]");
            return Err(Error::shape(OP, "filters", expected, filters.shape()));
        }
        Ok(Conv2d {
            n,
            input: [h, w],
            c_in,
            c_out,
            window: *window,
            groups,
        })
    }
}
