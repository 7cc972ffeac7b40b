//! Cases of Adam and `AdamW`: two steps from step `t`.

use kernels::ops::{adam, elementwise};
use kernels::{Buffer, Device, ParameterUpdate, Result, StepScalars};

use super::{Case, Fields, Fill, Input, Sizes};

const RATE: f32 = 0.0625;

#[derive(Debug)]
struct AdamCase {
    n: usize,
    t: u32,
    spec: adam::Adam,
    is_scaled: bool,
}

pub(crate) fn parse(fields: &Fields<'_>) -> Result<Box<dyn Case>, String> {
    let t = u32::try_from(fields.get_or("t", 1)?);
    Ok(Box::new(AdamCase {
        n: fields.get("n")?,
        t: t.map_err(|error| error.to_string())?,
        spec: adam::Adam {
            epsilon: fields.real_or("epsilon", 1e-8)?,
            weight_decay: fields.real_or("decay", 0.0)?,
            is_decoupled: fields.flag("decoupled"),
            rate_factor: fields.real_or("factor", 1.0)?,
            ..adam::Adam::default()
        },
        is_scaled: fields.flag("scaled"),
    }))
}

impl Case for AdamCase {
    fn inputs(&self) -> Vec<Input> {
        vec![
            Input::constant("parameter", self.n, Fill::Uniform(-1.0, 1.0)),
            Input::constant("gradient 1", self.n, Fill::Uniform(-1.0, 1.0)),
            Input::constant("gradient 2", self.n, Fill::Uniform(-1.0, 1.0)),
            Input::constant("scale", 1, Fill::Uniform(0.5, 1.0)),
        ]
    }

    fn reference(&self, inputs: &[Vec<f64>]) -> Vec<Vec<f64>> {
        let adam::Adam { beta1, beta2, .. } = self.spec;
        let [epsilon, decay, rate, factor] = [
            self.spec.epsilon,
            self.spec.weight_decay,
            RATE,
            self.spec.rate_factor,
        ]
        .map(f64::from);
        let rate = factor * rate;
        let scale = if self.is_scaled { inputs[3][0] } else { 1.0 };
        let mut parameter = inputs[0].clone();
        let (mut mean, mut variance) = (vec![0.0; self.n], vec![0.0; self.n]);
        for (gradient, t) in inputs[1..3].iter().zip(self.t..) {
            let t = f64::from(t);
            for i in 0..self.n {
                let mut g = scale * gradient[i];
                if self.spec.is_decoupled {
                    parameter[i] -= rate * decay * parameter[i];
                } else {
                    g += decay * parameter[i];
                }
                mean[i] = beta1 * mean[i] + (1.0 - beta1) * g;
                variance[i] = beta2 * variance[i] + (1.0 - beta2) * g * g;
                let corrected = mean[i] / (1.0 - beta1.powf(t));
                let std = (variance[i] / (1.0 - beta2.powf(t))).sqrt();
                parameter[i] -= rate * corrected / (std + epsilon);
            }
        }
        vec![parameter, mean, variance]
    }

    fn forward(&self, device: &Device, inputs: &[Buffer]) -> Result<Vec<Buffer>> {
        let parameter = elementwise::copy(device, &inputs[0])?;
        let [mean, variance] = [device.alloc(self.n)?, device.alloc(self.n)?];
        elementwise::fill(device, &mean, 0.0)?;
        elementwise::fill(device, &variance, 0.0)?;
        for (step, gradient) in (self.t..).zip(&inputs[1..3]) {
            let scalars = StepScalars::new(0, step, RATE);
            let update = ParameterUpdate {
                parameter: &parameter,
                gradient,
                step: &scalars
                    .with_betas(self.spec.beta1, self.spec.beta2)
                    .upload(device)?,
                scale: self.is_scaled.then_some(&inputs[3]),
            };
            adam::update(device, &self.spec, &update, &mean, &variance)?;
        }
        Ok(vec![parameter, mean, variance])
    }

    fn backward(&self, _: &Device, _: &[Buffer], _: &Buffer) -> Result<Vec<Buffer>> {
        Ok(Vec::new())
    }

    fn sizes(&self) -> Sizes {
        Sizes {
            forward_terms: 8,
            backward_terms: 0,
            forward_flops: 28 * self.n,
            backward_flops: 0,
        }
    }
}
