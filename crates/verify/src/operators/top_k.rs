//! Cases of the k largest. The indices, which are words, are compared as floats.

use kernels::ops::top_k;
use kernels::{Buffer, Device, Result};

use super::{Case, Fields, Fill, Input, Sizes};

#[derive(Debug)]
struct TopKCase {
    rows: usize,
    classes: usize,
    k: usize,
    has_ties: bool,
}

pub(crate) fn parse(fields: &Fields<'_>) -> Result<Box<dyn Case>, String> {
    Ok(Box::new(TopKCase {
        rows: fields.get("rows")?,
        classes: fields.get("classes")?,
        k: fields.get("k")?,
        has_ties: fields.flag("ties"),
    }))
}

impl Case for TopKCase {
    fn inputs(&self) -> Vec<Input> {
        let fill = if self.has_ties {
            Fill::Integers(9)
        } else {
            Fill::Distinct
        };
        vec![Input::constant("x", self.rows * self.classes, fill)]
    }

    fn reference(&self, inputs: &[Vec<f64>]) -> Vec<Vec<f64>> {
        let (mut values, mut indices) = (Vec::new(), Vec::new());
        for row in inputs[0].chunks(self.classes) {
            let mut order: Vec<usize> = (0..self.classes).collect();
            order.sort_by(|&a, &b| row[b].total_cmp(&row[a]));
            order.truncate(self.k);
            values.extend(order.iter().map(|&at| row[at]));
            indices.extend(order.iter().map(|&at| at as f64));
        }
        vec![values, indices]
    }

    fn forward(&self, device: &Device, inputs: &[Buffer]) -> Result<Vec<Buffer>> {
        let shape = [self.rows, self.classes];
        let (values, indices) = top_k::forward(device, &inputs[0], shape, self.k)?;
        #[expect(clippy::cast_precision_loss, reason = "indices under 2^24")]
        let as_floats = |word: u32| word as f32;
        let indices = device.read::<u32>(&indices)?.into_iter().map(as_floats);
        let indices = device.upload(&indices.collect::<Vec<_>>())?;
        Ok(vec![values, indices])
    }

    fn backward(&self, _: &Device, _: &[Buffer], _: &Buffer) -> Result<Vec<Buffer>> {
        Ok(Vec::new())
    }

    fn sizes(&self) -> Sizes {
        Sizes {
            forward_terms: 0,
            backward_terms: 0,
            forward_flops: self.rows * self.classes * self.classes,
            backward_flops: 0,
        }
    }
}
