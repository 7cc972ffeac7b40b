//! Cases of bias: `rows columns`, and `relu` for the fused one.

use kernels::ops::bias;
use kernels::{Activation, Buffer, Device, Result};

use super::{Case, Fields, Fill, Input, Sizes};

#[derive(Debug)]
struct BiasCase {
    rows: usize,
    columns: usize,
    activation: Activation,
}

pub(crate) fn parse(fields: &Fields<'_>) -> Result<Box<dyn Case>, String> {
    Ok(Box::new(BiasCase {
        rows: fields.get("rows")?,
        columns: fields.get("columns")?,
        activation: Activation::relu_if(fields.flag("relu")),
    }))
}

impl Case for BiasCase {
    fn inputs(&self) -> Vec<Input> {
        // A fraction and a whole number: the sum keeps away from ReLU's kink.
        vec![
            Input::with_grad("x", self.rows * self.columns, Fill::Uniform(0.1, 0.9)),
            Input::with_grad("bias", self.columns, Fill::Integers(3)),
        ]
    }

    fn reference(&self, inputs: &[Vec<f64>]) -> Vec<Vec<f64>> {
        let bias = inputs[1].iter().cycle();
        let sums = inputs[0].iter().zip(bias).map(|(x, bias)| x + bias);
        let activated = sums.map(|sum| match self.activation {
            Activation::Relu => sum.max(0.0),
            Activation::None => sum,
        });
        vec![activated.collect()]
    }

    fn forward(&self, device: &Device, inputs: &[Buffer]) -> Result<Vec<Buffer>> {
        Ok(vec![bias::forward(
            device,
            &inputs[0],
            &inputs[1],
            self.activation,
        )?])
    }

    fn backward(&self, device: &Device, inputs: &[Buffer], dy: &Buffer) -> Result<Vec<Buffer>> {
        let y = bias::forward(device, &inputs[0], &inputs[1], self.activation)?;
        let is_relu = self.activation == Activation::Relu;
        let (dx, db) = bias::backward(device, dy, is_relu.then_some(&y), self.columns)?;
        Ok(vec![dx, db])
    }

    fn sizes(&self) -> Sizes {
        Sizes {
            forward_terms: 1,
            backward_terms: self.rows,
            forward_flops: self.rows * self.columns,
            backward_flops: self.rows * self.columns,
        }
    }
}
