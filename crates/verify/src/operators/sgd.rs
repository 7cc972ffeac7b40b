//! Cases of stochastic gradient descent: two steps, the first of which sets the velocity.

use kernels::ops::{elementwise, sgd};
use kernels::{Buffer, Device, ParameterUpdate, Result, StepScalars};

use super::{Case, Fields, Fill, Input, Sizes};

/// The learning rates of the two steps: they differ, as under a schedule.
const RATES: [f32; 2] = [0.125, 0.0625];

#[derive(Debug)]
struct SgdCase {
    n: usize,
    spec: sgd::Sgd,
    is_scaled: bool,
}

pub(crate) fn parse(fields: &Fields<'_>) -> Result<Box<dyn Case>, String> {
    Ok(Box::new(SgdCase {
        n: fields.get("n")?,
        spec: sgd::Sgd {
            momentum: fields.real_or("momentum", 0.0)?,
            dampening: fields.real_or("dampening", 0.0)?,
            weight_decay: fields.real_or("decay", 0.0)?,
            is_nesterov: fields.flag("nesterov"),
            rate_factor: fields.real_or("factor", 1.0)?,
        },
        is_scaled: fields.flag("scaled"),
    }))
}

impl Case for SgdCase {
    fn inputs(&self) -> Vec<Input> {
        vec![
            Input::constant("parameter", self.n, Fill::Uniform(-1.0, 1.0)),
            Input::constant("gradient 1", self.n, Fill::Uniform(-1.0, 1.0)),
            Input::constant("gradient 2", self.n, Fill::Uniform(-1.0, 1.0)),
            Input::constant("scale", 1, Fill::Uniform(0.5, 1.0)),
        ]
    }

    fn reference(&self, inputs: &[Vec<f64>]) -> Vec<Vec<f64>> {
        let [momentum, dampening, decay] = [
            self.spec.momentum,
            self.spec.dampening,
            self.spec.weight_decay,
        ]
        .map(f64::from);
        let scale = if self.is_scaled { inputs[3][0] } else { 1.0 };
        let (mut parameter, mut velocity) = (inputs[0].clone(), vec![0.0; self.n]);
        for (t, rate) in RATES.into_iter().enumerate() {
            for i in 0..self.n {
                let mut g = scale * inputs[1 + t][i] + decay * parameter[i];
                if momentum != 0.0 {
                    let rest = if t == 0 { 1.0 } else { 1.0 - dampening };
                    velocity[i] = momentum * velocity[i] + rest * g;
                    g = if self.spec.is_nesterov {
                        g + momentum * velocity[i]
                    } else {
                        velocity[i]
                    };
                }
                parameter[i] -= f64::from(self.spec.rate_factor) * f64::from(rate) * g;
            }
        }
        if momentum == 0.0 {
            vec![parameter]
        } else {
            vec![parameter, velocity]
        }
    }

    fn forward(&self, device: &Device, inputs: &[Buffer]) -> Result<Vec<Buffer>> {
        let parameter = elementwise::copy(device, &inputs[0])?;
        let velocity = device.alloc(self.n)?;
        let velocity = (self.spec.momentum != 0.0).then_some(&velocity);
        for ((step, rate), gradient) in (1..).zip(RATES).zip(&inputs[1..]) {
            let update = ParameterUpdate {
                parameter: &parameter,
                gradient,
                step: &StepScalars::new(0, step, rate).upload(device)?,
                scale: self.is_scaled.then_some(&inputs[3]),
            };
            sgd::update(device, &self.spec, &update, velocity)?;
        }
        Ok([&parameter].into_iter().chain(velocity).cloned().collect())
    }

    fn backward(&self, _: &Device, _: &[Buffer], _: &Buffer) -> Result<Vec<Buffer>> {
        Ok(Vec::new())
    }

    fn sizes(&self) -> Sizes {
        Sizes {
            forward_terms: 8,
            backward_terms: 0,
            forward_flops: 16 * self.n,
            backward_flops: 0,
        }
    }
}
