//! Cases of dropout. The reference takes the mask from the host's generator, whose words are known answers.

use kernels::ops::dropout::{self, Dropout};
use kernels::philox::{Philox, unit};
use kernels::{Buffer, Device, Result, StepScalars};

use super::{Case, Fields, Fill, Input, Sizes};

#[derive(Debug)]
struct DropoutCase {
    n: usize,
    spec: Dropout,
}

pub(crate) fn parse(fields: &Fields<'_>) -> Result<Box<dyn Case>, String> {
    let stream = u32::try_from(fields.get_or("stream", 0)?).map_err(|error| error.to_string())?;
    Ok(Box::new(DropoutCase {
        n: fields.get("n")?,
        spec: Dropout {
            rate: fields.real_or("rate", 0.5)?,
            stream,
        },
    }))
}

impl Case for DropoutCase {
    fn f16_inputs(&self) -> &'static [&'static str] {
        &["x"]
    }

    fn inputs(&self) -> Vec<Input> {
        vec![
            Input::with_grad("x", self.n, Fill::Uniform(-1.0, 1.0)),
            Input::constant("step", StepScalars::WORDS, Fill::Words),
        ]
    }

    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "the words are whole numbers under 2^32"
    )]
    fn reference(&self, inputs: &[Vec<f64>]) -> Vec<Vec<f64>> {
        let [low, high, step] = [0, 1, 2].map(|i| inputs[1][i] as u32);
        let philox = Philox {
            seed: u64::from(high) << 32 | u64::from(low),
            stream: self.spec.stream,
            step,
        };
        let rate = self.spec.rate;
        let y = (0..).zip(&inputs[0]).map(|(i, x)| {
            let random = unit(philox.words(i / 4)[i as usize % 4]);
            if random < rate {
                0.0
            } else {
                x / (1.0 - f64::from(rate))
            }
        });
        vec![y.collect()]
    }

    fn forward(&self, device: &Device, inputs: &[Buffer]) -> Result<Vec<Buffer>> {
        Ok(vec![dropout::forward(
            device, &self.spec, &inputs[0], &inputs[1],
        )?])
    }

    fn backward(&self, device: &Device, inputs: &[Buffer], dy: &Buffer) -> Result<Vec<Buffer>> {
        Ok(vec![dropout::backward(device, &self.spec, dy, &inputs[1])?])
    }

    fn sizes(&self) -> Sizes {
        Sizes {
            forward_terms: 1,
            backward_terms: 1,
            forward_flops: self.n,
            backward_flops: self.n,
        }
    }
}
