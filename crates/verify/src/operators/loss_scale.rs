//! Cases of loss scaling: one step with a finite norm of the scaled gradients, or an infinite one.

use kernels::ops::loss_scale::{self, INTERVAL, LossScale};
use kernels::{Buffer, Device, Result};

use super::{Case, Fields, Fill, Input, Sizes};

#[derive(Debug)]
struct LossScaleCase {
    scale: f32,
    streak: f32,
    max_norm: f32,
    overflows: bool,
}

pub(crate) fn parse(fields: &Fields<'_>) -> Result<Box<dyn Case>, String> {
    Ok(Box::new(LossScaleCase {
        scale: fields.real_or("scale", loss_scale::FIRST)?,
        streak: fields.real_or("streak", 0.0)?,
        max_norm: fields.real_or("max", f32::INFINITY)?,
        overflows: fields.flag("overflow"),
    }))
}

impl Case for LossScaleCase {
    fn inputs(&self) -> Vec<Input> {
        vec![Input::constant("total", 1, Fill::Uniform(0.5, 1.5))]
    }

    fn reference(&self, inputs: &[Vec<f64>]) -> Vec<Vec<f64>> {
        let [scale, streak] = [self.scale, self.streak].map(f64::from);
        let outputs = if self.overflows {
            [-1.0, 1.0 / scale, (scale / 2.0).max(1.0), 0.0]
        } else {
            let norm = inputs[0][0] / scale;
            let factor = (f64::from(self.max_norm) / (norm + 1e-6)).min(1.0) / scale;
            if streak + 1.0 < f64::from(INTERVAL) {
                [factor, 1.0 / scale, scale, streak + 1.0]
            } else {
                [factor, 1.0 / scale, 2.0 * scale, 0.0]
            }
        };
        outputs.map(|value| vec![value]).into()
    }

    fn forward(&self, device: &Device, inputs: &[Buffer]) -> Result<Vec<Buffer>> {
        let total = if self.overflows {
            device.upload(&[f32::INFINITY])?
        } else {
            inputs[0].clone()
        };
        let [scale, streak] = [
            device.upload(&[self.scale])?,
            device.upload(&[self.streak])?,
        ];
        let [factor, inverse] = [device.alloc(1)?, device.alloc(1)?];
        let state = LossScale {
            scale: &scale,
            streak: &streak,
            inverse: &inverse,
            factor: &factor,
        };
        loss_scale::update(device, &state, &total, self.max_norm)?;
        Ok(vec![factor, inverse, scale, streak])
    }

    fn backward(&self, _: &Device, _: &[Buffer], _: &Buffer) -> Result<Vec<Buffer>> {
        Ok(Vec::new())
    }

    fn sizes(&self) -> Sizes {
        Sizes {
            forward_terms: 4,
            backward_terms: 0,
            forward_flops: 8,
            backward_flops: 0,
        }
    }
}
