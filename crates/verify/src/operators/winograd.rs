//! Cases of Winograd's convolution: those of [`super::conv2d`], and `m2` or `m4`.
//!
//! With m = 2 the transforms add, subtract and halve, so that results on whole numbers are exact. With m = 4 rounding is
//! amplified. Let every number be random with variance 1, and all sums and products round independently. An element of the transformed
//! tiles, filters and products then has the variance of a product of two factors, one for its row and one for its column: the square
//! of the norms of the rows of `B^T` and G, 42, 34, 34, 10, 10, 42 times .0625, .0833, .0833, .0365, .0365, 1. Its rounding
//! enters an output with the squares of a row of `A^T`; for the last row 0, 1, 1, 64, 64, 1 that is 94.4, and 94.4^2 for both
//! directions, where a direct sum has 9: the error's deviation is sqrt(94.4^2 / 9) = 31.5 times that of a direct sum. For the filters'
//! gradient the same with A's rows (1, 4, 4, 85, 85, 1) and the last column of G gives sqrt(96.8^2 / 16) = 24.2.

use kernels::ops::winograd::{Side, Winograd};
use kernels::{Activation, Buffer, Device, Result};

use super::conv2d::Conv2dCase;
use super::{Case, Fields, Fill, Input, Sizes};

/// By how much the tiles of m = 4 amplify rounding at most, see above.
const AMPLIFICATION: usize = 32;

#[derive(Debug)]
struct WinogradCase {
    conv: Conv2dCase,
    side: Side,
}

pub(crate) fn parse(fields: &Fields<'_>) -> Result<Box<dyn Case>, String> {
    let side = match fields.get("m")? {
        2 => Side::Two,
        4 => Side::Four,
        m => return Err(format!("m is {m}: there are transforms for 2 and 4")),
    };
    let conv = Conv2dCase::parse(fields)?;
    Ok(Box::new(WinogradCase { conv, side }))
}

impl WinogradCase {
    fn winograd(&self) -> Winograd {
        Winograd {
            conv: self.conv.conv,
            side: self.side,
        }
    }

    /// As many terms as [`super::tolerance`] has to be told for sums of `terms`.
    fn terms(&self, terms: usize) -> usize {
        match self.side {
            Side::Two => 0,
            Side::Four => (AMPLIFICATION * (2 + terms.isqrt() + 1)).pow(2),
        }
    }
}

impl Case for WinogradCase {
    fn inputs(&self) -> Vec<Input> {
        let inputs = self.conv.inputs().into_iter();
        inputs
            .map(|input| match self.side {
                Side::Two => input,
                Side::Four => Input {
                    fill: Fill::Uniform(-1.0, 1.0),
                    ..input
                },
            })
            .collect()
    }

    fn upstream(&self, len: usize) -> Input {
        self.conv.upstream(len)
    }

    fn reference(&self, inputs: &[Vec<f64>]) -> Vec<Vec<f64>> {
        self.conv.reference(inputs)
    }

    fn forward(&self, device: &Device, inputs: &[Buffer]) -> Result<Vec<Buffer>> {
        let activation = Activation::relu_if(self.conv.is_relu);
        let operands = [&inputs[0], &inputs[1]];
        let winograd = self.winograd();
        Ok(vec![winograd.forward(
            device,
            operands,
            inputs.get(2),
            activation,
        )?])
    }

    fn backward(&self, device: &Device, inputs: &[Buffer], dy: &Buffer) -> Result<Vec<Buffer>> {
        if self.conv.is_relu {
            return Ok(Vec::new()); // as of `conv2d`
        }
        let dx = self.winograd().data_gradient(device, dy, &inputs[1])?;
        let dw = self.winograd().weight_gradient(device, &inputs[0], dy)?;
        Ok(vec![dx, dw])
    }

    fn sizes(&self) -> Sizes {
        let conv = &self.conv.conv;
        let pixels = conv.n * self.conv.out[0] * self.conv.out[1];
        let sums = 9 * conv.c_in.max(conv.c_out) / conv.groups;
        Sizes {
            forward_terms: self.terms(9 * conv.c_in / conv.groups),
            backward_terms: self.terms(pixels.max(sums)),
            ..self.conv.sizes()
        }
    }
}
