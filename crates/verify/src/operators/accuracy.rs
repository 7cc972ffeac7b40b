//! Cases of accuracy: the totals after two batches. Some labels are out of range, and with `nan` one logit in sixteen is a NaN,
//! which makes its row wrong. Padding and the confusion counts, which
//! are words, are tested in `tests/tensor.rs`.

use kernels::ops::{accuracy, elementwise};
use kernels::{Buffer, Device, Result};

use super::{Case, Fields, Fill, Input, Sizes};

#[derive(Debug)]
struct AccuracyCase {
    rows: usize,
    classes: usize,
    has_nan: bool,
}

pub(crate) fn parse(fields: &Fields<'_>) -> Result<Box<dyn Case>, String> {
    Ok(Box::new(AccuracyCase {
        rows: fields.get("rows")?,
        classes: fields.get("classes")?,
        has_nan: fields.flag("nan"),
    }))
}

impl Case for AccuracyCase {
    fn inputs(&self) -> Vec<Input> {
        let labels = u32::try_from(self.classes + 1).unwrap_or(u32::MAX);
        let fill = if self.has_nan {
            Fill::IntegersAndNan(9)
        } else {
            Fill::Integers(9)
        };
        vec![
            // Few different values, so that there are ties.
            Input::constant("logits", self.rows * self.classes, fill),
            Input::constant("labels", self.rows, Fill::Labels(labels)),
            Input::constant("loss", 1, Fill::Uniform(0.5, 2.5)),
        ]
    }

    fn reference(&self, inputs: &[Vec<f64>]) -> Vec<Vec<f64>> {
        let (mut first, mut first_five) = (0.0, 0.0);
        for (logits, label) in inputs[0].chunks(self.classes).zip(&inputs[1]) {
            let mut order: Vec<usize> = (0..self.classes).collect();
            order.sort_by(|&a, &b| logits[b].total_cmp(&logits[a]));
            // Without an answer no label has a rank.
            let is_answered = logits.iter().all(|x| !x.is_nan());
            let rank = order.iter().position(|&class| class as f64 == *label);
            let rank = rank.filter(|_| is_answered);
            first += f64::from(u8::from(rank == Some(0)));
            first_five += f64::from(u8::from(rank.is_some_and(|rank| rank < 5)));
        }
        let rows = self.rows as f64;
        let once = [inputs[2][0] * rows, first, first_five, rows];
        vec![once.iter().map(|x| 2.0 * x).collect()]
    }

    fn forward(&self, device: &Device, inputs: &[Buffer]) -> Result<Vec<Buffer>> {
        let shape = [self.rows, self.classes];
        let totals = device.alloc(accuracy::TOTALS)?;
        elementwise::fill(device, &totals, 0.0)?;
        for _ in 0..2 {
            let ranking = accuracy::rank(device, &inputs[0], &inputs[1], shape)?;
            accuracy::add(device, &ranking, &inputs[2], &totals)?;
        }
        Ok(vec![totals])
    }

    fn backward(&self, _: &Device, _: &[Buffer], _: &Buffer) -> Result<Vec<Buffer>> {
        Ok(Vec::new())
    }

    fn sizes(&self) -> Sizes {
        Sizes {
            forward_terms: 2,
            backward_terms: 0,
            forward_flops: 4 * self.rows * self.classes,
            backward_flops: 0,
        }
    }
}
