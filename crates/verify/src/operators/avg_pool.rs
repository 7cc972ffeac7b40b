//! Cases of average-pooling; `counted` counts the padding.

use kernels::ops::avg_pool::{self, Pool};
use kernels::{Buffer, Device, Result};

use super::{Case, Fields, Fill, Input, Sizes, pool};

#[derive(Debug)]
struct AvgPoolCase {
    pool: Pool,
    counts_padding: bool,
}

pub(crate) fn parse(fields: &Fields<'_>) -> Result<Box<dyn Case>, String> {
    let pool = pool::parse(fields)?;
    pool.output().map_err(|error| error.to_string())?;
    Ok(Box::new(AvgPoolCase {
        pool,
        counts_padding: fields.flag("counted"),
    }))
}

impl AvgPoolCase {
    fn len(&self) -> usize {
        self.pool.n * self.pool.input[0] * self.pool.input[1] * self.pool.channels
    }
}

impl Case for AvgPoolCase {
    fn f16_inputs(&self) -> &'static [&'static str] {
        &["x"]
    }

    fn inputs(&self) -> Vec<Input> {
        vec![Input::with_grad("x", self.len(), Fill::Uniform(-1.0, 1.0))]
    }

    fn reference(&self, inputs: &[Vec<f64>]) -> Vec<Vec<f64>> {
        let taps = pool::taps(&self.pool);
        let mean = |(taps, padded): &(Vec<usize>, usize)| {
            let count = if self.counts_padding {
                *padded
            } else {
                taps.len()
            };
            taps.iter().map(|&at| inputs[0][at]).sum::<f64>() / count as f64
        };
        vec![taps.iter().map(mean).collect()]
    }

    fn forward(&self, device: &Device, inputs: &[Buffer]) -> Result<Vec<Buffer>> {
        let y = avg_pool::forward(device, &self.pool, self.counts_padding, &inputs[0])?;
        Ok(vec![y])
    }

    fn backward(&self, device: &Device, _: &[Buffer], dy: &Buffer) -> Result<Vec<Buffer>> {
        let dx = avg_pool::backward(device, &self.pool, self.counts_padding, dy)?;
        Ok(vec![dx])
    }

    fn sizes(&self) -> Sizes {
        let [kh, kw] = self.pool.window.size;
        Sizes {
            forward_terms: kh * kw,
            backward_terms: kh * kw,
            forward_flops: self.len() * kh * kw,
            backward_flops: self.len(),
        }
    }
}
