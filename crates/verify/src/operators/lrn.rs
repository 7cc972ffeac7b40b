//! Cases of local response normalisation.

use kernels::ops::lrn::{self, Lrn};
use kernels::{Buffer, Device, Result};

use super::{Case, Fields, Fill, Input, Sizes};

#[derive(Debug)]
struct LrnCase {
    rows: usize,
    channels: usize,
    spec: Lrn,
}

pub(crate) fn parse(fields: &Fields<'_>) -> Result<Box<dyn Case>, String> {
    let paper = Lrn::default();
    let radius = fields.get_or("radius", 2)?;
    Ok(Box::new(LrnCase {
        rows: fields.get_or("n", 1)? * fields.get_or("h", 1)? * fields.get_or("w", 1)?,
        channels: fields.get("c")?,
        spec: Lrn {
            radius_before: fields.get_or("before", radius)?,
            radius_after: fields.get_or("after", radius)?,
            bias: fields.real_or("bias", paper.bias)?,
            alpha: fields.real_or("alpha", paper.alpha)?,
            beta: fields.real_or("beta", paper.beta)?,
        },
    }))
}

impl Case for LrnCase {
    fn f16_inputs(&self) -> &'static [&'static str] {
        &["x"]
    }

    fn inputs(&self) -> Vec<Input> {
        let fill = Fill::Uniform(-2.0, 2.0);
        vec![Input::with_grad("x", self.rows * self.channels, fill)]
    }

    fn reference(&self, inputs: &[Vec<f64>]) -> Vec<Vec<f64>> {
        let Lrn {
            radius_before,
            radius_after,
            ..
        } = self.spec;
        let [bias, alpha, beta] = [self.spec.bias, self.spec.alpha, self.spec.beta].map(f64::from);
        let mut y = Vec::with_capacity(inputs[0].len());
        for row in inputs[0].chunks(self.channels) {
            for (i, x) in row.iter().enumerate() {
                let window = i.saturating_sub(radius_before)..row.len().min(i + radius_after + 1);
                let sum = row[window].iter().map(|x| x * x).sum::<f64>();
                y.push(x * (bias + alpha * sum).powf(-beta));
            }
        }
        vec![y]
    }

    fn forward(&self, device: &Device, inputs: &[Buffer]) -> Result<Vec<Buffer>> {
        let y = lrn::forward(device, &self.spec, &inputs[0], self.channels)?;
        Ok(vec![y])
    }

    fn backward(&self, device: &Device, inputs: &[Buffer], dy: &Buffer) -> Result<Vec<Buffer>> {
        let dx = lrn::backward(device, &self.spec, dy, &inputs[0], self.channels)?;
        Ok(vec![dx])
    }

    fn sizes(&self) -> Sizes {
        let window = self.spec.radius_before + self.spec.radius_after + 1;
        let window = window.min(self.channels);
        // A power rounds like a few sums; by exponential and logarithm, where beta is none of the usual, like many.
        let power = if [0.5, 0.75, 1.0].contains(&self.spec.beta) {
            8
        } else {
            128
        };
        let n = self.rows * self.channels;
        Sizes {
            forward_terms: window + power,
            backward_terms: 2 * window + power,
            forward_flops: 2 * n * window,
            backward_flops: 4 * n * window,
        }
    }
}
