//! Matrix product and dense layer. `dA = dC B^T`, `dB = A^T dC`, `dbias` = column sums of `dC`.

use kernels::ops::gemm::{self, Epilogue, Gemm};
use kernels::ops::{column_sum, elementwise, relu};
use kernels::{Activation, Buffer, Device};

use crate::error::{Error, Result};
use crate::tensor::{DType, Tensor};

/// A general matrix product: `alpha op(A) op(B) + beta C`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct MatmulOptions {
    /// Whether A is stored `[k, m]`.
    pub is_a_transposed: bool,
    /// Whether B is stored `[n, k]`.
    pub is_b_transposed: bool,
    /// Scales the product.
    pub alpha: f32,
    /// Scales C.
    pub beta: f32,
}

impl Default for MatmulOptions {
    fn default() -> Self {
        Self {
            is_a_transposed: false,
            is_b_transposed: false,
            alpha: 1.0,
            beta: 0.0,
        }
    }
}

impl MatmulOptions {
    /// `[m, n, k]` of a product of two stored matrices.
    fn sizes(&self, a: &Tensor, b: &Tensor) -> Result<[usize; 3]> {
        let &[a0, a1] = &a.shape()[..] else {
            return Err(Error::shape("product", "a", "[m, k]", a.shape()));
        };
        let (m, k) = if self.is_a_transposed {
            (a1, a0)
        } else {
            (a0, a1)
        };
        match b.shape()[..] {
            [n, depth] if self.is_b_transposed && depth == k => Ok([m, n, k]),
            [depth, n] if !self.is_b_transposed && depth == k => Ok([m, n, k]),
            _ => {
                let order = if self.is_b_transposed {
                    "[n, k]"
                } else {
                    "[k, n]"
                };
                let expected = format!("{order} with k = {k}");
                Err(Error::shape("product", "b", expected, b.shape()))
            }
        }
    }

    fn gemm(&self, [m, n, k]: [usize; 3]) -> Gemm {
        Gemm {
            is_a_transposed: self.is_a_transposed,
            is_b_transposed: self.is_b_transposed,
            ..Gemm::new(m, n, k)
        }
    }

    /// The gradients of A and B, as they are stored, given that of the result.
    fn gradients(&self, [a, b]: [&Tensor; 2], dy: &Tensor) -> Result<[Tensor; 2]> {
        let (ta, tb) = (self.is_a_transposed, self.is_b_transposed);
        let with = |is_a_transposed, is_b_transposed| Self {
            is_a_transposed,
            is_b_transposed,
            alpha: self.alpha,
            beta: 0.0,
        };
        let da = if ta {
            b.matmul_with(dy, None, &with(tb, true))?
        } else {
            dy.matmul_with(b, None, &with(false, !tb))?
        };
        let db = if tb {
            dy.matmul_with(a, None, &with(true, ta))?
        } else {
            a.matmul_with(dy, None, &with(!ta, false))?
        };
        Ok([da, db])
    }
}

impl Tensor {
    /// `alpha op(self) op(other) + beta c`, where `op` transposes an operand that is stored so (BLAS xGEMM).
    ///
    /// # Errors
    /// As [`Tensor::matmul`]; or if `c` is missing although beta is not 0.
    pub fn matmul_with(
        &self,
        other: &Self,
        c: Option<&Self>,
        product: &MatmulOptions,
    ) -> Result<Self> {
        const OP: &str = "product";
        let operands = [("a", Some(self)), ("b", Some(other)), ("c", c)];
        for (argument, tensor) in operands {
            let Some(tensor) = tensor else { continue };
            tensor.check_dtype(OP, argument, DType::F32)?;
            tensor.check_device(OP, argument, self)?;
        }
        let sizes @ [m, n, _] = product.sizes(self, other)?;
        let device = self.device().clone();
        let c = c.filter(|_| product.beta != 0.0);
        let y = match c {
            Some(c) if c.shape()[..] == [m, n] => elementwise::copy(&device, c.buffer())?,
            None if product.beta == 0.0 => device.alloc(m * n)?,
            _ => {
                let got = c.map(|c| c.shape().clone()).unwrap_or_default();
                return Err(Error::shape(OP, "c", format!("[{m}, {n}]"), &got));
            }
        };
        let epilogue = Epilogue {
            alpha: product.alpha,
            beta: product.beta,
            ..Epilogue::default()
        };
        let operands = [self.buffer(), other.buffer()];
        gemm::update(&device, &product.gemm(sizes), operands, &epilogue, &y)?;
        let inputs: Vec<&Self> = [self, other].into_iter().chain(c).collect();
        let (a, b, has_c) = (self.detach(), other.detach(), c.is_some());
        let product = *product;
        Ok(Self::output(OP, y, [m, n], &inputs, move |dy| {
            let [da, db] = product.gradients([&a, &b], dy)?;
            let mut gradients = vec![Some(da), Some(db)];
            if has_c {
                gradients.push(Some(dy.scale(product.beta)?));
            }
            Ok(gradients)
        }))
    }

    /// `[m, k]` times `[k, n]`.
    ///
    /// # Errors
    /// If the shapes do not fit together, the devices or dtypes differ, or the device fails.
    pub fn matmul(&self, other: &Self) -> Result<Self> {
        self.linear(other, None, Activation::None)
    }

    /// A dense layer: rows of `[rows, k]` (leading dimensions are flattened into rows, as `[n, h, w, c]` becomes
    /// `[n, h w c]` by [`Tensor::reshape`]) times weights `[k, n]`, plus `bias` (`[n]`), then the activation. Rows and
    /// weights are both of f32 or both of f16, in which case the weights' gradient is still of 32.
    ///
    /// # Errors
    /// As [`Tensor::matmul`].
    pub fn linear(
        &self,
        weights: &Self,
        bias: Option<&Self>,
        activation: Activation,
    ) -> Result<Self> {
        const OP: &str = "linear";
        self.check_operands(OP, "weights", weights, bias)?;
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
            activation,
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
        let [needs_dx, needs_dw] = [self, weights].map(Self::requires_grad);
        let has_bias = bias.is_some();
        let (x, w) = (self.detach(), weights.detach());
        let output = (activation == Activation::Relu).then(|| y.clone());
        Ok(Self::output(OP, y, shape, &inputs, move |dy| {
            let dy = masked(&device, dy.buffer(), output.as_ref())?;
            let mut gradients = vec![None, None];
            if needs_dx {
                let dx =
                    gemm::product(&device, &Gemm::new(m, k, n).transpose_b(), &dy, w.buffer())?;
                gradients[0] = Some(Self::constant(&device, dx, x.shape().clone()));
            }
            if needs_dw {
                let dw = device.alloc(k * n)?;
                let gemm = Gemm::new(k, n, m).transpose_a();
                gemm::update(&device, &gemm, [x.buffer(), &dy], &Epilogue::default(), &dw)?;
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

impl Tensor {
    /// An error unless a layer's weights are of the same floats as `self`, its bias of f32, all on one device.
    pub(super) fn check_operands(
        &self,
        op: &'static str,
        name: &'static str,
        weights: &Self,
        bias: Option<&Self>,
    ) -> Result<()> {
        self.check_float(op, "x")?;
        weights.check_dtype(op, name, self.dtype())?;
        weights.check_device(op, name, self)?;
        if let Some(bias) = bias {
            bias.check_dtype(op, "bias", DType::F32)?;
            bias.check_device(op, "bias", self)?;
        }
        Ok(())
    }
}

/// The gradient before a fused ReLU: `dy` where its output is positive; `dy` itself where there is no ReLU.
pub(super) fn masked(device: &Device, dy: &Buffer, output: Option<&Buffer>) -> Result<Buffer> {
    match output {
        Some(y) => Ok(relu::backward(device, dy, y)?),
        None => Ok(dy.clone()),
    }
}
