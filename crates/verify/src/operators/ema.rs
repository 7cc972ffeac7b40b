//! Cases of the EMA: two steps from step `t`, towards other values in the second; or by shares of the steps, where the second
//! step leaves everything as it is.

use kernels::ops::{elementwise, ema};
use kernels::{Buffer, Device, Result, StepScalars};

use super::{Case, Fields, Fill, Input, Sizes};

#[derive(Debug)]
struct EmaCase {
    n: usize,
    t: u32,
    decay: f64,
    /// The share of a scheduled average, and whether it is written back.
    scheduled: Option<(f32, bool)>,
}

impl EmaCase {
    /// The first step takes its share, the second none, the third again.
    fn shares(share: f32) -> [f32; 3] {
        [share, -1.0, share]
    }
}

pub(crate) fn parse(fields: &Fields<'_>) -> Result<Box<dyn Case>, String> {
    let t = u32::try_from(fields.get_or("t", 1)?);
    Ok(Box::new(EmaCase {
        n: fields.get("n")?,
        t: t.map_err(|error| error.to_string())?,
        decay: f64::from(fields.real_or("decay", 0.999)?),
        scheduled: match (fields.real_or("share", -1.0)?, fields.flag("back")) {
            (share, is_back) if share >= 0.0 => Some((share, is_back)),
            _ => None,
        },
    }))
}

impl Case for EmaCase {
    fn inputs(&self) -> Vec<Input> {
        vec![
            Input::constant("ema", self.n, Fill::Uniform(-1.0, 1.0)),
            Input::constant("weights 1", self.n, Fill::Uniform(-1.0, 1.0)),
            Input::constant("weights 2", self.n, Fill::Uniform(-1.0, 1.0)),
        ]
    }

    fn reference(&self, inputs: &[Vec<f64>]) -> Vec<Vec<f64>> {
        let mut ema = inputs[0].clone();
        if let Some((share, is_back)) = self.scheduled {
            let mut weights = inputs[1].clone();
            for share in Self::shares(share).map(f64::from) {
                if share < 0.0 {
                    continue;
                }
                for (y, x) in ema.iter_mut().zip(&mut weights) {
                    *y += share * (*x - *y);
                    if is_back {
                        *x = *y;
                    }
                }
            }
            return vec![ema, weights];
        }
        for (weights, t) in inputs[1..].iter().zip(self.t..) {
            let t = f64::from(t);
            let decay = self.decay.min((1.0 + t) / (10.0 + t));
            for (y, x) in ema.iter_mut().zip(weights) {
                *y = decay * *y + (1.0 - decay) * x;
            }
        }
        vec![ema]
    }

    fn forward(&self, device: &Device, inputs: &[Buffer]) -> Result<Vec<Buffer>> {
        let ema = elementwise::copy(device, &inputs[0])?;
        if let Some((share, is_back)) = self.scheduled {
            let weights = elementwise::copy(device, &inputs[1])?;
            for (average_share, t) in Self::shares(share).into_iter().zip(self.t..) {
                let step = StepScalars {
                    average_share,
                    ..StepScalars::new(0, t, 0.0)
                };
                ema::scheduled(device, &weights, &ema, &step.upload(device)?, is_back)?;
            }
            return Ok(vec![ema, weights]);
        }
        for (weights, t) in inputs[1..].iter().zip(self.t..) {
            let step = StepScalars::new(0, t, 0.0).upload(device)?;
            ema::update(device, self.decay, weights, &ema, &step)?;
        }
        Ok(vec![ema])
    }

    fn backward(&self, _: &Device, _: &[Buffer], _: &Buffer) -> Result<Vec<Buffer>> {
        Ok(Vec::new())
    }

    fn sizes(&self) -> Sizes {
        Sizes {
            forward_terms: 8,
            backward_terms: 0,
            forward_flops: 6 * self.n,
            backward_flops: 0,
        }
    }
}
