//! Cases of element-wise arithmetic. Each case runs all of it: `3 (a b + a) + b`, by multiply, add, scale, axpy, and a fill.

use kernels::ops::elementwise;
use kernels::{Buffer, Device, Result};

use super::{Case, Fields, Fill, Input, Sizes};

#[derive(Debug)]
struct ElementwiseCase {
    n: usize,
}

pub(crate) fn parse(fields: &Fields<'_>) -> Result<Box<dyn Case>, String> {
    Ok(Box::new(ElementwiseCase {
        n: fields.get("n")?,
    }))
}

impl Case for ElementwiseCase {
    fn half_inputs(&self) -> &'static [&'static str] {
        &["a", "b"]
    }

    /// Multiply, add, scale, axpy.
    fn half_stores(&self) -> u32 {
        4
    }

    fn inputs(&self) -> Vec<Input> {
        vec![
            Input::variable("a", self.n, Fill::Integers(9)),
            Input::variable("b", self.n, Fill::Integers(9)),
        ]
    }

    fn reference(&self, inputs: &[Vec<f64>]) -> Vec<Vec<f64>> {
        let pairs = inputs[0].iter().zip(&inputs[1]);
        vec![
            pairs.map(|(a, b)| 3.0 * (a * b + a) + b).collect(),
            vec![0.25; self.n],
        ]
    }

    fn forward(&self, device: &Device, inputs: &[Buffer]) -> Result<Vec<Buffer>> {
        let (a, b) = (&inputs[0], &inputs[1]);
        let product = elementwise::multiply(device, a, b)?;
        let y = elementwise::scale(device, &elementwise::add(device, &product, a)?, 3.0)?;
        elementwise::axpy(device, 1.0, b, &y)?;
        let filled = device.alloc(self.n)?;
        elementwise::fill(device, &filled, 0.25)?;
        Ok(vec![y, filled])
    }

    fn backward(&self, device: &Device, inputs: &[Buffer], dy: &Buffer) -> Result<Vec<Buffer>> {
        let (a, b) = (&inputs[0], &inputs[1]);
        let dy3 = elementwise::scale(device, dy, 3.0)?;
        let da = elementwise::add(device, &elementwise::multiply(device, &dy3, b)?, &dy3)?;
        let db = elementwise::add(device, &elementwise::multiply(device, &dy3, a)?, dy)?;
        Ok(vec![da, db])
    }

    fn sizes(&self) -> Sizes {
        Sizes {
            forward_terms: 0,
            backward_terms: 3,
            forward_flops: 5 * self.n,
            backward_flops: 5 * self.n,
        }
    }
}
