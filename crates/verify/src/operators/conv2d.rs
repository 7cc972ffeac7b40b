//! Cases of the convolution: `n h w ci co kh kw`, optional `sh sw ph pw` (padding at both sides), `pt pb pl pr` (more at one
//! side), `dh dw groups`, flags `same bias relu`.

use kernels::ops::conv2d::{self, Conv2d};
use kernels::ops::relu;
use kernels::ops::window::{Padding, Window};
use kernels::{Activation, Buffer, Device, Result};
use rayon::prelude::*;

use super::{Case, Fields, Fill, Input, Sizes};

#[derive(Debug)]
pub(super) struct Conv2dCase {
    pub(super) conv: Conv2d,
    pub(super) out: [usize; 2],
    before: [usize; 2],
    has_bias: bool,
    pub(super) is_relu: bool,
}

pub(crate) fn parse(fields: &Fields<'_>) -> Result<Box<dyn Case>, String> {
    Ok(Box::new(Conv2dCase::parse(fields)?))
}

impl Conv2dCase {
    pub(super) fn parse(fields: &Fields<'_>) -> Result<Self, String> {
        let (ph, pw) = (fields.get_or("ph", 0)?, fields.get_or("pw", 0)?);
        let explicit = Padding::Explicit {
            top: ph + fields.get_or("pt", 0)?,
            left: pw + fields.get_or("pl", 0)?,
            bottom: ph + fields.get_or("pb", 0)?,
            right: pw + fields.get_or("pr", 0)?,
        };
        let window = Window {
            size: [fields.get("kh")?, fields.get("kw")?],
            stride: [fields.get_or("sh", 1)?, fields.get_or("sw", 1)?],
            dilation: [fields.get_or("dh", 1)?, fields.get_or("dw", 1)?],
            padding: if fields.flag("same") {
                Padding::Same
            } else {
                explicit
            },
            is_ceil: false,
        };
        let conv = Conv2d {
            n: fields.get("n")?,
            input: [fields.get("h")?, fields.get("w")?],
            c_in: fields.get("ci")?,
            c_out: fields.get("co")?,
            window,
            groups: fields.get_or("groups", 1)?,
        };
        let placement = window
            .place("conv2d", conv.input)
            .map_err(|error| error.to_string())?;
        Ok(Self {
            conv,
            out: placement.out,
            before: placement.before,
            has_bias: fields.flag("bias"),
            is_relu: fields.flag("relu"),
        })
    }

    fn filter_rows(&self) -> usize {
        self.conv.window.size[0] * self.conv.window.size[1] * self.conv.c_in / self.conv.groups
    }

    /// The pixel that tap `tap` of window `window` reads along an axis, if it is no padding.
    pub(super) fn pixel(&self, axis: usize, window: usize, tap: usize) -> Option<usize> {
        let at = window * self.conv.window.stride[axis] + tap * self.conv.window.dilation[axis];
        at.checked_sub(self.before[axis])
            .filter(|&at| at < self.conv.input[axis])
    }

    /// One output pixel, all channels: the equation, tap by tap.
    fn output_pixel(&self, inputs: &[Vec<f64>], image: usize, [oy, ox]: [usize; 2], y: &mut [f64]) {
        let Conv2d {
            input: [h, w],
            c_in,
            c_out,
            groups,
            window,
            ..
        } = self.conv;
        let (group_in, group_out) = (c_in / groups, c_out / groups);
        for ky in 0..window.size[0] {
            for kx in 0..window.size[1] {
                let (Some(iy), Some(ix)) = (self.pixel(0, oy, ky), self.pixel(1, ox, kx)) else {
                    continue;
                };
                for i in 0..group_in {
                    for (o, y) in y.iter_mut().enumerate() {
                        let channel = o / group_out * group_in + i;
                        let x = inputs[0][((image * h + iy) * w + ix) * c_in + channel];
                        *y +=
                            x * inputs[1][((ky * window.size[1] + kx) * group_in + i) * c_out + o];
                    }
                }
            }
        }
    }
}

impl Case for Conv2dCase {
    fn f16_inputs(&self) -> &'static [&'static str] {
        &["x", "w"]
    }

    fn inputs(&self) -> Vec<Input> {
        let Conv2d {
            n,
            input: [h, w],
            c_in,
            c_out,
            ..
        } = self.conv;
        // Products of whole numbers up to 3 sum to at most 9 a term, exact in f32 for 1.8 million terms.
        let operand = |name, len| Input {
            requires_grad: !self.is_relu,
            ..Input::with_grad(name, len, Fill::Integers(3))
        };
        let mut inputs = vec![
            operand("x", n * h * w * c_in),
            operand("w", self.filter_rows() * c_out),
        ];
        if self.has_bias {
            inputs.push(Input::constant("bias", c_out, Fill::Integers(9)));
        }
        inputs
    }

    fn upstream(&self, len: usize) -> Input {
        Input::constant("dy", len, Fill::Integers(3))
    }

    fn reference(&self, inputs: &[Vec<f64>]) -> Vec<Vec<f64>> {
        let (c_out, [out_h, out_w]) = (self.conv.c_out, self.out);
        let mut y = vec![0.0; self.conv.n * out_h * out_w * c_out];
        y.par_chunks_mut(c_out).enumerate().for_each(|(pixel, y)| {
            let (row, ox) = (pixel / out_w, pixel % out_w);
            self.output_pixel(inputs, row / out_h, [row % out_h, ox], y);
            for (o, y) in y.iter_mut().enumerate() {
                *y += inputs.get(2).map_or(0.0, |bias| bias[o]);
                *y = if self.is_relu { y.max(0.0) } else { *y };
            }
        });
        vec![y]
    }

    fn forward(&self, device: &Device, inputs: &[Buffer]) -> Result<Vec<Buffer>> {
        let (x, w) = (&inputs[0], &inputs[1]);
        Ok(vec![conv2d::forward(
            device,
            &self.conv,
            x,
            w,
            inputs.get(2),
            Activation::relu_if(self.is_relu),
        )?])
    }

    /// With ReLU through its mask; sums of whole numbers meet its kink, so such cases have no backward.
    fn backward(&self, device: &Device, inputs: &[Buffer], dy: &Buffer) -> Result<Vec<Buffer>> {
        let (x, w) = (&inputs[0], &inputs[1]);
        if self.is_relu {
            let activation = Activation::Relu;
            let y = conv2d::forward(device, &self.conv, x, w, inputs.get(2), activation)?;
            drop(relu::backward(device, dy, &y)?);
            return Ok(Vec::new());
        }
        let dx = conv2d::data_gradient(device, &self.conv, dy, w)?;
        let dw = conv2d::weight_gradient(device, &self.conv, x, dy)?;
        Ok(vec![dx, dw])
    }

    fn sizes(&self) -> Sizes {
        let flops =
            2 * self.conv.n * self.out[0] * self.out[1] * self.conv.c_out * self.filter_rows();
        Sizes {
            forward_terms: 0,
            backward_terms: 0,
            forward_flops: flops,
            backward_flops: 2 * flops,
        }
    }
}
