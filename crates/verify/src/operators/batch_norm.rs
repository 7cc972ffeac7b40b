//! Cases of batch normalisation: `rows c`, optional `shift` of x and `eps`; with the flag `eval` by the running statistics. The running
//! statistics that training updates are outputs too.

use kernels::ops::batch_norm::{self, BatchNorm, Momentum, Running};
use kernels::{Buffer, Device, Result};

use super::{Case, Fields, Fill, Input, Sizes};

#[derive(Debug)]
struct BatchNormCase {
    rows: usize,
    channels: usize,
    shift: f64,
    spec: BatchNorm,
    is_eval: bool,
}

pub(crate) fn parse(fields: &Fields<'_>) -> Result<Box<dyn Case>, String> {
    let spec = BatchNorm {
        epsilon: fields.real_or("eps", 1e-5)?,
        is_unbiased: !fields.flag("biased"),
        momentum: if fields.flag("ofold") {
            Momentum::OfOld(0.75)
        } else {
            Momentum::OfNew(0.1)
        },
    };
    Ok(Box::new(BatchNormCase {
        rows: fields.get("rows")?,
        channels: fields.get("c")?,
        shift: f64::from(fields.real_or("shift", 0.0)?),
        spec,
        is_eval: fields.flag("eval"),
    }))
}

impl BatchNormCase {
    /// Runs the operator on copies of the running statistics, which it updates.
    fn run(&self, device: &Device, inputs: &[Buffer]) -> Result<[Buffer; 4]> {
        let copy = |buffer: &Buffer| device.upload(&device.read::<f32>(buffer)?);
        let (mean, variance) = (copy(&inputs[3])?, copy(&inputs[4])?);
        let running = Running {
            mean: &mean,
            variance: &variance,
        };
        let affine = [&inputs[1], &inputs[2]];
        let forward = if self.is_eval {
            batch_norm::eval_forward
        } else {
            batch_norm::forward
        };
        let (y, statistics) = forward(device, &self.spec, &inputs[0], affine, running)?;
        Ok([y, mean, variance, statistics])
    }
}

impl Case for BatchNormCase {
    fn f16_inputs(&self) -> &'static [&'static str] {
        &["x"]
    }

    fn inputs(&self) -> Vec<Input> {
        let c = self.channels;
        let x = Fill::Uniform(self.shift - 1.0, self.shift + 1.0);
        vec![
            Input::with_grad("x", self.rows * c, x),
            Input::with_grad("gamma", c, Fill::Uniform(0.5, 1.5)),
            Input::with_grad("beta", c, Fill::Uniform(-1.0, 1.0)),
            Input::constant("running mean", c, Fill::Uniform(-1.0, 1.0)),
            Input::constant("running variance", c, Fill::Uniform(0.5, 1.5)),
        ]
    }

    fn reference(&self, inputs: &[Vec<f64>]) -> Vec<Vec<f64>> {
        let [x, gamma, beta, mean, variance] = inputs else {
            return Vec::new();
        };
        let (c, rows) = (self.channels, self.rows as f64);
        let mut y = vec![0.0; x.len()];
        let (mut new_mean, mut new_variance) = (mean.clone(), variance.clone());
        for j in 0..c {
            let column: Vec<f64> = x.iter().skip(j).step_by(c).copied().collect();
            let (mut m, mut v) = (mean[j], variance[j]);
            if !self.is_eval {
                m = column.iter().sum::<f64>() / rows;
                let squares = column.iter().map(|x| (x - m) * (x - m)).sum::<f64>();
                v = squares / rows;
                let momentum = match self.spec.momentum {
                    Momentum::OfNew(weight) => f64::from(weight),
                    Momentum::OfOld(weight) => 1.0 - f64::from(weight),
                };
                let divisor = if self.spec.is_unbiased {
                    rows - 1.0
                } else {
                    rows
                };
                new_mean[j] += momentum * (m - mean[j]);
                new_variance[j] += momentum * (squares / divisor - variance[j]);
            }
            let r = 1.0 / (v + f64::from(self.spec.epsilon)).sqrt();
            for (i, x) in column.iter().enumerate() {
                y[i * c + j] = gamma[j] * (x - m) * r + beta[j];
            }
        }
        vec![y, new_mean, new_variance]
    }

    fn forward(&self, device: &Device, inputs: &[Buffer]) -> Result<Vec<Buffer>> {
        let [y, mean, variance, _] = self.run(device, inputs)?;
        Ok(vec![y, mean, variance])
    }

    fn backward(&self, device: &Device, inputs: &[Buffer], dy: &Buffer) -> Result<Vec<Buffer>> {
        let [_, _, _, statistics] = self.run(device, inputs)?;
        let backward = if self.is_eval {
            batch_norm::eval_backward
        } else {
            batch_norm::backward
        };
        let gradients = backward(device, [&inputs[0], dy], &statistics, &inputs[1])?;
        Ok(vec![gradients.dx, gradients.dgamma, gradients.dbeta])
    }

    fn sizes(&self) -> Sizes {
        let flops = 4 * self.rows * self.channels;
        // Rounding of x itself, of size `shift`, is what subtracting the mean leaves: it enters with its square.
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "a case's shift is small and positive"
        )]
        let shift = self.shift as usize;
        let terms = self.rows + 8 + 4 * shift * shift;
        Sizes {
            forward_terms: terms,
            backward_terms: 2 * terms,
            forward_flops: flops,
            backward_flops: 2 * flops,
        }
    }
}
