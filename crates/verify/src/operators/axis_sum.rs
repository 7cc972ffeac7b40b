//! Cases of sums along an axis, `outer axis inner`; with `mean`, of means.

use kernels::ops::axis_sum::{self, AxisSum};
use kernels::{Buffer, Device, Result};

use super::{Case, Fields, Fill, Input, Sizes};

#[derive(Debug)]
struct AxisSumCase(AxisSum);

pub(crate) fn parse(fields: &Fields<'_>) -> Result<Box<dyn Case>, String> {
    let axis = fields.get("axis")?;
    let factor = if fields.flag("mean") {
        1.0 / f32::from(u16::try_from(axis).map_err(|error| error.to_string())?)
    } else {
        1.0
    };
    Ok(Box::new(AxisSumCase(AxisSum {
        outer: fields.get("outer")?,
        axis,
        inner: fields.get("inner")?,
        factor,
    })))
}

impl Case for AxisSumCase {
    fn f16_inputs(&self) -> &'static [&'static str] {
        &["x"]
    }

    fn inputs(&self) -> Vec<Input> {
        let len = self.0.outer * self.0.axis * self.0.inner;
        vec![Input::with_grad("x", len, Fill::Uniform(-1.0, 1.0))]
    }

    fn reference(&self, inputs: &[Vec<f64>]) -> Vec<Vec<f64>> {
        let AxisSum {
            outer,
            axis,
            inner,
            factor,
        } = self.0;
        let sum = |at: usize| -> f64 {
            let (o, i) = (at / inner, at % inner);
            let terms = (0..axis).map(|l| inputs[0][(o * axis + l) * inner + i]);
            f64::from(factor) * terms.sum::<f64>()
        };
        vec![(0..outer * inner).map(sum).collect()]
    }

    fn forward(&self, device: &Device, inputs: &[Buffer]) -> Result<Vec<Buffer>> {
        Ok(vec![axis_sum::forward(device, &self.0, &inputs[0])?])
    }

    fn backward(&self, device: &Device, _: &[Buffer], dy: &Buffer) -> Result<Vec<Buffer>> {
        Ok(vec![axis_sum::backward(device, &self.0, dy)?])
    }

    fn sizes(&self) -> Sizes {
        let len = self.0.outer * self.0.axis * self.0.inner;
        Sizes {
            forward_terms: self.0.axis,
            backward_terms: 1,
            forward_flops: len,
            backward_flops: len,
        }
    }
}
