//! Cases of element-wise arithmetic: `3 (a b + a) + b`, by mul, add, scale, axpy, and a fill; or with `quotient`, `(a - b) / b`.

use kernels::ops::elementwise;
use kernels::{Buffer, Device, Result};

use super::{Case, Fields, Fill, Input, Sizes};

#[derive(Debug)]
struct ElementwiseCase {
    n: usize,
    is_quotient: bool,
}

pub(crate) fn parse(fields: &Fields<'_>) -> Result<Box<dyn Case>, String> {
    Ok(Box::new(ElementwiseCase {
        n: fields.get("n")?,
        is_quotient: fields.flag("quotient"),
    }))
}

impl Case for ElementwiseCase {
    fn f16_inputs(&self) -> &'static [&'static str] {
        &["a", "b"]
    }

    /// Mul, add, scale, axpy; or for the gradient of b div, mul, div, scale.
    fn f16_stores(&self) -> u32 {
        4
    }

    fn inputs(&self) -> Vec<Input> {
        if self.is_quotient {
            return vec![
                Input::with_grad("a", self.n, Fill::Uniform(-2.0, 2.0)),
                Input::with_grad("b", self.n, Fill::Uniform(0.5, 2.0)),
            ];
        }
        vec![
            Input::with_grad("a", self.n, Fill::Integers(9)),
            Input::with_grad("b", self.n, Fill::Integers(9)),
        ]
    }

    fn reference(&self, inputs: &[Vec<f64>]) -> Vec<Vec<f64>> {
        let pairs = inputs[0].iter().zip(&inputs[1]);
        if self.is_quotient {
            return vec![pairs.map(|(a, b)| (a - b) / b).collect()];
        }
        vec![
            pairs.map(|(a, b)| 3.0 * (a * b + a) + b).collect(),
            vec![0.25; self.n],
        ]
    }

    fn forward(&self, device: &Device, inputs: &[Buffer]) -> Result<Vec<Buffer>> {
        let (a, b) = (&inputs[0], &inputs[1]);
        if self.is_quotient {
            let difference = elementwise::sub(device, a, b)?;
            return Ok(vec![elementwise::div(device, &difference, b)?]);
        }
        let product = elementwise::mul(device, a, b)?;
        let y = elementwise::scale(device, &elementwise::add(device, &product, a)?, 3.0)?;
        elementwise::axpy(device, 1.0, b, &y)?;
        let filled = device.alloc(self.n)?;
        elementwise::fill(device, &filled, 0.25)?;
        Ok(vec![y, filled])
    }

    fn backward(&self, device: &Device, inputs: &[Buffer], dy: &Buffer) -> Result<Vec<Buffer>> {
        let (a, b) = (&inputs[0], &inputs[1]);
        if self.is_quotient {
            // Of a 1 / b, of b -a / b^2.
            let da = elementwise::div(device, dy, b)?;
            let db = elementwise::div(device, &elementwise::mul(device, &da, a)?, b)?;
            return Ok(vec![da, elementwise::scale(device, &db, -1.0)?]);
        }
        let dy3 = elementwise::scale(device, dy, 3.0)?;
        let da = elementwise::add(device, &elementwise::mul(device, &dy3, b)?, &dy3)?;
        let db = elementwise::add(device, &elementwise::mul(device, &dy3, a)?, dy)?;
        Ok(vec![da, db])
    }

    fn sizes(&self) -> Sizes {
        Sizes {
            // WGSL divides to 2.5 units in the last place: as 4 terms allow.
            forward_terms: if self.is_quotient { 4 } else { 0 },
            backward_terms: if self.is_quotient { 4 } else { 3 },
            forward_flops: 5 * self.n,
            backward_flops: 5 * self.n,
        }
    }
}
