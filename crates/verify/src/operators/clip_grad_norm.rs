//! Cases of gradient clipping: the norm of two gradients, the factor, and both gradients clipped.

use kernels::ops::clip_grad_norm::{self, Norm};
use kernels::ops::elementwise;
use kernels::{Buffer, Device, Result};

use super::{Case, Fields, Fill, Input, Sizes};

#[derive(Debug)]
struct ClipCase {
    lengths: [usize; 2],
    max_norm: f32,
    norm: Norm,
}

pub(crate) fn parse(fields: &Fields<'_>) -> Result<Box<dyn Case>, String> {
    Ok(Box::new(ClipCase {
        lengths: [fields.get("n")?, fields.get("m")?],
        max_norm: fields.real_or("max", 1.0)?,
        norm: match fields.get_or("norm", 2)? {
            0 => Norm::Infinity,
            1 => Norm::One,
            2 => Norm::Two,
            other => return Err(format!("no norm {other}")),
        },
    }))
}

impl Case for ClipCase {
    fn inputs(&self) -> Vec<Input> {
        let [n, m] = self.lengths;
        vec![
            Input::constant("gradient 1", n, Fill::Uniform(-1.0, 1.0)),
            Input::constant("gradient 2", m, Fill::Uniform(-1.0, 1.0)),
        ]
    }

    fn reference(&self, inputs: &[Vec<f64>]) -> Vec<Vec<f64>> {
        let all = || inputs.iter().flatten().map(|g| g.abs());
        let total = match self.norm {
            Norm::One => all().sum(),
            Norm::Two => all().map(|g| g * g).sum::<f64>().sqrt(),
            Norm::Infinity => all().fold(0.0, f64::max),
            other => unreachable!("no reference for {other:?}"),
        };
        let factor = (f64::from(self.max_norm) / (total + 1e-6)).min(1.0);
        let clipped = inputs
            .iter()
            .map(|g| g.iter().map(|g| factor * g).collect());
        [vec![total], vec![factor]]
            .into_iter()
            .chain(clipped)
            .collect()
    }

    fn forward(&self, device: &Device, inputs: &[Buffer]) -> Result<Vec<Buffer>> {
        let gradients = [
            elementwise::copy(device, &inputs[0])?,
            elementwise::copy(device, &inputs[1])?,
        ];
        let [first, second] = &gradients;
        let clip = clip_grad_norm::forward(device, &[first, second], self.max_norm, self.norm)?;
        for gradient in &gradients {
            clip_grad_norm::scale(device, gradient, &clip.factor)?;
        }
        Ok([clip.total, clip.factor]
            .into_iter()
            .chain(gradients)
            .collect())
    }

    fn backward(&self, _: &Device, _: &[Buffer], _: &Buffer) -> Result<Vec<Buffer>> {
        Ok(Vec::new())
    }

    fn sizes(&self) -> Sizes {
        let n = self.lengths.iter().sum();
        Sizes {
            forward_terms: n,
            backward_terms: 0,
            forward_flops: 3 * n,
            backward_flops: 0,
        }
    }
}
