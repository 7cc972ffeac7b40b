//! Cases of im2col, whose gradient is col2im: those of convolution, `co` and `groups` not being used.

use kernels::ops::im2col;
use kernels::{Buffer, Device, Result};

use super::conv2d::Conv2dCase;
use super::{Case, Fields, Fill, Input, Sizes};

#[derive(Debug)]
struct Im2colCase(Conv2dCase);

pub(crate) fn parse(fields: &Fields<'_>) -> Result<Box<dyn Case>, String> {
    Ok(Box::new(Im2colCase(Conv2dCase::parse(fields)?)))
}

impl Im2colCase {
    fn columns_len(&self) -> usize {
        let ([out_h, out_w], [kh, kw]) = (self.0.out, self.0.conv.window.size);
        self.0.conv.n * out_h * out_w * kh * kw * self.0.conv.c_in
    }
}

impl Case for Im2colCase {
    fn inputs(&self) -> Vec<Input> {
        let conv = &self.0.conv;
        let len = conv.n * conv.input[0] * conv.input[1] * conv.c_in;
        vec![Input::with_grad("x", len, Fill::Integers(9))]
    }

    fn upstream(&self, len: usize) -> Input {
        Input::constant("dy", len, Fill::Integers(9))
    }

    fn reference(&self, inputs: &[Vec<f64>]) -> Vec<Vec<f64>> {
        let (conv, [out_h, out_w]) = (&self.0.conv, self.0.out);
        let ([h, w], [kh, kw]) = (conv.input, conv.window.size);
        let mut columns = Vec::with_capacity(self.columns_len());
        for pixel in 0..conv.n * out_h * out_w {
            let (image, oy, ox) = (pixel / out_w / out_h, pixel / out_w % out_h, pixel % out_w);
            for tap in 0..kh * kw {
                let at = (self.0.pixel(0, oy, tap / kw), self.0.pixel(1, ox, tap % kw));
                for channel in 0..conv.c_in {
                    columns.push(match at {
                        (Some(iy), Some(ix)) => {
                            inputs[0][((image * h + iy) * w + ix) * conv.c_in + channel]
                        }
                        _ => 0.0,
                    });
                }
            }
        }
        vec![columns]
    }

    fn forward(&self, device: &Device, inputs: &[Buffer]) -> Result<Vec<Buffer>> {
        Ok(vec![im2col::forward(device, &self.0.conv, &inputs[0])?])
    }

    fn backward(&self, device: &Device, _: &[Buffer], dy: &Buffer) -> Result<Vec<Buffer>> {
        Ok(vec![im2col::backward(device, &self.0.conv, dy)?])
    }

    fn sizes(&self) -> Sizes {
        Sizes {
            forward_terms: 0,
            backward_terms: 0,
            forward_flops: self.columns_len(),
            backward_flops: self.columns_len(),
        }
    }
}
