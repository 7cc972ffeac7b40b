//! Cases of sums over all elements: the sum and the mean, or with `squares` the sum of the squares.

use kernels::ops::{elementwise, reduce};
use kernels::{Buffer, Device, Result};

use super::{Case, Fields, Fill, Input, Sizes};

#[derive(Debug)]
struct ReduceCase {
    n: usize,
    is_squares: bool,
}

pub(crate) fn parse(fields: &Fields<'_>) -> Result<Box<dyn Case>, String> {
    Ok(Box::new(ReduceCase {
        n: fields.get("n")?,
        is_squares: fields.flag("squares"),
    }))
}

impl Case for ReduceCase {
    fn inputs(&self) -> Vec<Input> {
        vec![Input::with_grad("x", self.n, Fill::Uniform(-1.0, 1.0))]
    }

    fn reference(&self, inputs: &[Vec<f64>]) -> Vec<Vec<f64>> {
        if self.is_squares {
            return vec![vec![inputs[0].iter().map(|x| x * x).sum()]];
        }
        let sum: f64 = inputs[0].iter().sum();
        vec![vec![sum], vec![sum / self.n as f64]]
    }

    fn forward(&self, device: &Device, inputs: &[Buffer]) -> Result<Vec<Buffer>> {
        if self.is_squares {
            return Ok(vec![reduce::square_sum(device, &inputs[0])?]);
        }
        let sum = reduce::sum(device, &inputs[0])?;
        Ok(vec![sum, reduce::mean(device, &inputs[0])?])
    }

    fn backward(&self, device: &Device, inputs: &[Buffer], dy: &Buffer) -> Result<Vec<Buffer>> {
        if self.is_squares {
            let dy = reduce::broadcast(device, dy, self.n, 2.0)?;
            return Ok(vec![elementwise::mul(device, &dy, &inputs[0])?]);
        }
        Ok(vec![reduce::broadcast(device, dy, self.n, 1.0)?])
    }

    fn sizes(&self) -> Sizes {
        Sizes {
            forward_terms: self.n,
            backward_terms: 1,
            forward_flops: 2 * self.n,
            backward_flops: self.n,
        }
    }
}
