//! Cases of the matrix product: `m k n`, flags `ta tb bias relu`, numbers `alpha beta`.

use kernels::ops::elementwise;
use kernels::ops::gemm::{self, Epilogue, Gemm};
use kernels::{Activation, Buffer, Device, Result};
use rayon::prelude::*;

use super::{Case, Fields, Fill, Input, Sizes};

#[derive(Debug)]
struct GemmCase {
    gemm: Gemm,
    alpha: f32,
    beta: f32,
    has_bias: bool,
    is_relu: bool,
}

pub(crate) fn parse(fields: &Fields<'_>) -> Result<Box<dyn Case>, String> {
    let gemm = Gemm {
        is_a_transposed: fields.flag("ta"),
        is_b_transposed: fields.flag("tb"),
        ..Gemm::new(fields.get("m")?, fields.get("n")?, fields.get("k")?)
    };
    Ok(Box::new(GemmCase {
        gemm,
        alpha: fields.real_or("alpha", 1.0)?,
        beta: fields.real_or("beta", 0.0)?,
        has_bias: fields.flag("bias"),
        is_relu: fields.flag("relu"),
    }))
}

impl GemmCase {
    /// Element `(row, column)` of an operand stored with `leading` elements a row, or transposed.
    fn at(transposed: bool, leading: usize, row: usize, column: usize) -> usize {
        if transposed {
            column * leading + row
        } else {
            row * leading + column
        }
    }
}

impl Case for GemmCase {
    fn f16_inputs(&self) -> &'static [&'static str] {
        &["a", "b", "c"]
    }

    fn inputs(&self) -> Vec<Input> {
        let Gemm { m, n, k, .. } = self.gemm;
        // Products of whole numbers up to 3 sum to at most 9 k, exact in f32 for k under 1.8 million.
        let operand = |name, len| Input {
            requires_grad: !self.is_relu,
            ..Input::with_grad(name, len, Fill::Integers(3))
        };
        let mut inputs = vec![
            operand("a", m * k),
            operand("b", k * n),
            Input::constant("c", m * n, Fill::Integers(3)),
        ];
        if self.has_bias {
            inputs.push(Input::constant("bias", n, Fill::Integers(9)));
        }
        inputs
    }

    fn upstream(&self, len: usize) -> Input {
        Input::constant("dy", len, Fill::Integers(3))
    }

    fn reference(&self, inputs: &[Vec<f64>]) -> Vec<Vec<f64>> {
        let Gemm {
            m,
            n,
            k,
            is_a_transposed,
            is_b_transposed,
        } = self.gemm;
        let (lda, ldb) = (
            if is_a_transposed { m } else { k },
            if is_b_transposed { k } else { n },
        );
        let mut y = vec![0.0; m * n];
        y.par_chunks_mut(n.max(1)).enumerate().for_each(|(i, row)| {
            for p in 0..k {
                let a = inputs[0][Self::at(is_a_transposed, lda, i, p)];
                for (j, y) in row.iter_mut().enumerate() {
                    *y += a * inputs[1][Self::at(is_b_transposed, ldb, p, j)];
                }
            }
            for (j, y) in row.iter_mut().enumerate() {
                *y = f64::from(self.alpha) * *y + f64::from(self.beta) * inputs[2][i * n + j];
                *y += inputs.get(3).map_or(0.0, |bias| bias[j]);
                *y = if self.is_relu { y.max(0.0) } else { *y };
            }
        });
        vec![y]
    }

    fn forward(&self, device: &Device, inputs: &[Buffer]) -> Result<Vec<Buffer>> {
        let c = elementwise::copy(device, &inputs[2])?;
        let epilogue = Epilogue {
            alpha: self.alpha,
            beta: self.beta,
            bias: inputs.get(3),
            activation: Activation::relu_if(self.is_relu),
        };
        gemm::update(device, &self.gemm, [&inputs[0], &inputs[1]], &epilogue, &c)?;
        Ok(vec![c])
    }

    /// `dA = dC op(B)^T`, `dB = op(A)^T dC`, through the transposed variants. Not with ReLU, whose mask is not kept.
    fn backward(&self, device: &Device, inputs: &[Buffer], dy: &Buffer) -> Result<Vec<Buffer>> {
        if self.is_relu {
            return Ok(Vec::new());
        }
        let Gemm {
            m,
            n,
            k,
            is_a_transposed: ta,
            is_b_transposed: tb,
        } = self.gemm;
        let (a, b) = (&inputs[0], &inputs[1]);
        let scaled = Epilogue {
            alpha: self.alpha,
            ..Epilogue::default()
        };
        let transposes = |gemm: Gemm, a, b| Gemm {
            is_a_transposed: a,
            is_b_transposed: b,
            ..gemm
        };
        let da = if ta {
            gemm::product_with(
                device,
                &transposes(Gemm::new(k, m, n), tb, true),
                [b, dy],
                &scaled,
            )?
        } else {
            gemm::product_with(
                device,
                &transposes(Gemm::new(m, k, n), false, !tb),
                [dy, b],
                &scaled,
            )?
        };
        let db = if tb {
            gemm::product_with(
                device,
                &transposes(Gemm::new(n, k, m), true, ta),
                [dy, a],
                &scaled,
            )?
        } else {
            gemm::product_with(
                device,
                &transposes(Gemm::new(k, n, m), !ta, false),
                [a, dy],
                &scaled,
            )?
        };
        Ok(vec![da, db])
    }

    fn sizes(&self) -> Sizes {
        let Gemm { m, n, k, .. } = self.gemm;
        Sizes {
            forward_terms: 0,
            backward_terms: 0,
            forward_flops: 2 * m * n * k,
            backward_flops: 4 * m * n * k,
        }
    }
}
