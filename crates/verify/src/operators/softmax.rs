//! Cases of softmax and, with the flag `log`, log-softmax: `rows classes`, optional `scale` of the logits.

use kernels::ops::softmax::{self, Kind};
use kernels::{Buffer, Device, Result};

use super::{Case, Fields, Fill, Input, Sizes};

#[derive(Debug)]
struct SoftmaxCase {
    rows: usize,
    classes: usize,
    scale: f64,
    kind: Kind,
}

pub(crate) fn parse(fields: &Fields<'_>) -> Result<Box<dyn Case>, String> {
    let is_log = fields.flag("log");
    Ok(Box::new(SoftmaxCase {
        rows: fields.get("rows")?,
        classes: fields.get("classes")?,
        scale: f64::from(fields.real_or("scale", 3.0)?),
        kind: if is_log {
            Kind::LogSoftmax
        } else {
            Kind::Softmax
        },
    }))
}

impl Case for SoftmaxCase {
    fn inputs(&self) -> Vec<Input> {
        let fill = Fill::Uniform(-self.scale, self.scale);
        vec![Input::with_grad("x", self.rows * self.classes, fill)]
    }

    fn reference(&self, inputs: &[Vec<f64>]) -> Vec<Vec<f64>> {
        let mut y = Vec::with_capacity(inputs[0].len());
        for row in inputs[0].chunks(self.classes) {
            let most = row.iter().fold(f64::NEG_INFINITY, |most, x| most.max(*x));
            let sum: f64 = row.iter().map(|x| (x - most).exp()).sum();
            y.extend(row.iter().map(|x| match self.kind {
                Kind::Softmax => (x - most).exp() / sum,
                Kind::LogSoftmax => x - most - sum.ln(),
            }));
        }
        vec![y]
    }

    fn forward(&self, device: &Device, inputs: &[Buffer]) -> Result<Vec<Buffer>> {
        Ok(vec![softmax::forward(
            device,
            self.kind,
            &inputs[0],
            self.classes,
        )?])
    }

    fn backward(&self, device: &Device, inputs: &[Buffer], dy: &Buffer) -> Result<Vec<Buffer>> {
        let y = softmax::forward(device, self.kind, &inputs[0], self.classes)?;
        Ok(vec![softmax::backward(
            device,
            self.kind,
            dy,
            &y,
            self.classes,
        )?])
    }

    fn sizes(&self) -> Sizes {
        let flops = 4 * self.rows * self.classes;
        // exp(x) in WGSL is exp2 of a product, whose rounding grows with |x - max| <= 2 scale, as the case gives it.
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "a case's scale is small and positive"
        )]
        let exponent = (2.0 * self.scale) as usize;
        let terms = self.classes + exponent * exponent + 16;
        Sizes {
            forward_terms: terms,
            backward_terms: 2 * terms,
            forward_flops: flops,
            backward_flops: flops,
        }
    }
}
