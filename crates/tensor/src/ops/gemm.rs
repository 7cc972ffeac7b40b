//! Matrix product and dense layer. `dA = dC B^T`, `dB = A^T dC`, `dbias` = column sums of `dC`.

use kernels::ops::gemm::{self, Epilogue, Gemm};
use kernels::ops::{column_sum, relu};
use kernels::{Buffer, Device};

use crate::error::{Error, Result};
use crate::tensor::{Element, Tensor};

impl Tensor {
    /// `[m, k]` times `[k, n]`.
    ///
    /// # Errors
    /// If the shapes do not fit together, the devices or element types differ, or the device fails.
    pub fn matmul(&self, other: &Self) -> Result<Self> {
        self.linear(other, None, false)
    }

    /// A dense layer: rows of `[rows, k]` (leading dimensions are flattened into rows, as `[n, h, w, c]` becomes
    /// `[n, h w c]` by [`Tensor::reshape`]) times weights `[k, n]`, plus `bias` (`[n]`), then ReLU if asked for.
    ///
    /// # Errors
    /// As [`Tensor::matmul`].
    pub fn linear(&self, weights: &Self, bias: Option<&Self>, is_relu: bool) -> Result<Self> {
        const OP: &str = "linear";
        for (argument, tensor) in [
            ("x", Some(self)),
            ("weights", Some(weights)),
            ("bias", bias),
        ] {
            if let Some(tensor) = tensor {
                tensor.check_element(OP, argument, Element::F32)?;
                tensor.check_device(OP, argument, self)?;
            }
        }
        let (m, k) = self.shape().rows_and_columns();
        let &[rows, n] = &weights.shape()[..] else {
            return Err(Error::shape(OP, "weights", "[k, n]", weights.shape()));
        };
        if rows != k {
            return Err(Error::shape(
                OP,
                "weights",
                format!("[{k}, n] for x {}", self.shape()),
                weights.shape(),
            ));
        }
        let epilogue = Epilogue {
            bias: bias.map(Self::buffer),
            is_relu,
            ..Epilogue::default()
        };
        let device = self.device().clone();
        let gemm = Gemm::new(m, n, k);
        let y = gemm::product_with(&device, &gemm, [self.buffer(), weights.buffer()], &epilogue)?;
        let mut shape = self.shape().to_vec();
        if let Some(last) = shape.last_mut() {
            *last = n;
        }
        let inputs: Vec<&Self> = [self, weights].into_iter().chain(bias).collect();
        let [needs_dx, needs_dw] = [self, weights].map(Self::needs_gradient);
        let has_bias = bias.is_some();
        let (x, w, output) = (self.detach(), weights.detach(), is_relu.then(|| y.clone()));
        Ok(Self::output(OP, y, shape, &inputs, move |dy| {
            let dy = masked(&device, dy.buffer(), output.as_ref())?;
            let mut gradients = vec![None, None];
            if needs_dx {
                let dx =
                    gemm::product(&device, &Gemm::new(m, k, n).transpose_b(), &dy, w.buffer())?;
                gradients[0] = Some(Self::constant(&device, dx, x.shape().clone()));
            }
            if needs_dw {
                let dw =
                    gemm::product(&device, &Gemm::new(k, n, m).transpose_a(), x.buffer(), &dy)?;
                gradients[1] = Some(Self::constant(&device, dw, w.shape().clone()));
            }
            if has_bias {
                let db = column_sum::forward(&device, &dy, m, n)?;
                gradients.push(Some(Self::constant(&device, db, [n])));
            }
            Ok(gradients)
        }))
    }
}

/// The gradient before a fused ReLU: `dy` where its output is positive; `dy` itself where there is no ReLU.
pub(super) fn masked(device: &Device, dy: &Buffer, output: Option<&Buffer>) -> Result<Buffer> {
    match output {
        Some(y) => Ok(relu::backward(device, dy, y)?),
        None => Ok(dy.clone()),
    }
}
