//! Cases of column sums: `rows columns`.

use kernels::ops::column_sum;
use kernels::{Buffer, Device, Result};

use super::{Case, Fields, Fill, Input, Sizes};

#[derive(Debug)]
struct ColumnSumCase {
    rows: usize,
    columns: usize,
}

pub(crate) fn parse(fields: &Fields<'_>) -> Result<Box<dyn Case>, String> {
    Ok(Box::new(ColumnSumCase {
        rows: fields.get("rows")?,
        columns: fields.get("columns")?,
    }))
}

impl Case for ColumnSumCase {
    fn f16_inputs(&self) -> &'static [&'static str] {
        &["x"]
    }

    fn inputs(&self) -> Vec<Input> {
        vec![Input::constant(
            "x",
            self.rows * self.columns,
            Fill::Integers(9),
        )]
    }

    fn reference(&self, inputs: &[Vec<f64>]) -> Vec<Vec<f64>> {
        let mut sums = vec![0.0; self.columns];
        for row in inputs[0].chunks(self.columns) {
            for (sum, x) in sums.iter_mut().zip(row) {
                *sum += x;
            }
        }
        vec![sums]
    }

    fn forward(&self, device: &Device, inputs: &[Buffer]) -> Result<Vec<Buffer>> {
        Ok(vec![column_sum::forward(
            device,
            &inputs[0],
            self.rows,
            self.columns,
        )?])
    }

    /// None: the sum is itself the backward of a bias.
    fn backward(&self, _: &Device, _: &[Buffer], _: &Buffer) -> Result<Vec<Buffer>> {
        Ok(Vec::new())
    }

    fn sizes(&self) -> Sizes {
        Sizes {
            forward_terms: 0,
            backward_terms: 0,
            forward_flops: self.rows * self.columns,
            backward_flops: 0,
        }
    }
}
