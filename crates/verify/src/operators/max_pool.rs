//! Cases of max-pooling. All values differ by more than the finite differences' step.

use kernels::ops::max_pool::{self, Pool};
use kernels::{Buffer, Device, Result};

use super::{Case, Fields, Fill, Input, Sizes, pool};

#[derive(Debug)]
struct MaxPoolCase {
    pool: Pool,
}

pub(crate) fn parse(fields: &Fields<'_>) -> Result<Box<dyn Case>, String> {
    let pool = pool::parse(fields)?;
    pool.output().map_err(|error| error.to_string())?;
    Ok(Box::new(MaxPoolCase { pool }))
}

impl MaxPoolCase {
    fn len(&self) -> usize {
        self.pool.n * self.pool.input[0] * self.pool.input[1] * self.pool.channels
    }
}

impl Case for MaxPoolCase {
    fn f16_inputs(&self) -> &'static [&'static str] {
        &["x"]
    }

    fn inputs(&self) -> Vec<Input> {
        vec![Input::with_grad("x", self.len(), Fill::Distinct)]
    }

    fn reference(&self, inputs: &[Vec<f64>]) -> Vec<Vec<f64>> {
        let maximum = |taps: &Vec<usize>| {
            let values = taps.iter().map(|&at| inputs[0][at]);
            values.fold(f64::NEG_INFINITY, f64::max)
        };
        let taps = pool::taps(&self.pool);
        vec![taps.iter().map(|(taps, _)| maximum(taps)).collect()]
    }

    fn forward(&self, device: &Device, inputs: &[Buffer]) -> Result<Vec<Buffer>> {
        let (y, _) = max_pool::forward(device, &self.pool, &inputs[0])?;
        Ok(vec![y])
    }

    fn backward(&self, device: &Device, inputs: &[Buffer], dy: &Buffer) -> Result<Vec<Buffer>> {
        let (_, argmax) = max_pool::forward(device, &self.pool, &inputs[0])?;
        Ok(vec![max_pool::backward(device, &self.pool, dy, &argmax)?])
    }

    fn sizes(&self) -> Sizes {
        let [kh, kw] = self.pool.window.size;
        Sizes {
            forward_terms: 0,
            backward_terms: kh * kw,
            forward_flops: self.len() * kh * kw,
            backward_flops: self.len(),
        }
    }
}
