//! Cases of ReLU.

use kernels::ops::relu;
use kernels::{Buffer, Device, Result};

use super::{Case, Fields, Fill, Input, Sizes};

#[derive(Debug)]
struct ReluCase {
    n: usize,
}

pub(crate) fn parse(fields: &Fields<'_>) -> Result<Box<dyn Case>, String> {
    Ok(Box::new(ReluCase {
        n: fields.get("n")?,
    }))
}

impl Case for ReluCase {
    fn f16_inputs(&self) -> &'static [&'static str] {
        &["x"]
    }

    fn inputs(&self) -> Vec<Input> {
        vec![Input::with_grad("x", self.n, Fill::AwayFromZero)]
    }

    fn reference(&self, inputs: &[Vec<f64>]) -> Vec<Vec<f64>> {
        vec![inputs[0].iter().map(|x| x.max(0.0)).collect()]
    }

    fn forward(&self, device: &Device, inputs: &[Buffer]) -> Result<Vec<Buffer>> {
        Ok(vec![relu::forward(device, &inputs[0])?])
    }

    fn backward(&self, device: &Device, inputs: &[Buffer], dy: &Buffer) -> Result<Vec<Buffer>> {
        let y = relu::forward(device, &inputs[0])?;
        Ok(vec![relu::backward(device, dy, &y)?])
    }

    fn sizes(&self) -> Sizes {
        Sizes {
            forward_terms: 0,
            backward_terms: 0,
            forward_flops: self.n,
            backward_flops: self.n,
        }
    }
}
