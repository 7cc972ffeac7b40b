//! Other layouts: dimensions in another order, parts of a tensor, tensors joined. The gradient goes the way back: the inverse
//! order, zeros around a part, the parts of what was joined.

use std::ops::Range;

use kernels::ops::{elementwise, strided_copy};

use crate::error::{Error, Result};
use crate::tensor::Tensor;

impl Tensor {
    /// The dimensions in another order, in memory too: dimension d of the result is number `order[d]` of `self`. `[n, h, w, c]`
    /// in order `[0, 3, 1, 2]` becomes `[n, c, h, w]`.
    ///
    /// # Errors
    /// If the elements are not floats, `order` does not name each dimension once, more than six dimensions move, the tensor is
    /// longer than a binding of the device, or that fails.
    pub fn permute(&self, order: &[usize]) -> Result<Self> {
        self.check_float("permute", "x")?;
        let sizes = self.shape();
        let y = strided_copy::permute(self.device(), self.buffer(), sizes, order)?;
        let out: Vec<usize> = order.iter().map(|&d| sizes[d]).collect();
        let mut back = vec![0; order.len()];
        for (to, &from) in order.iter().enumerate() {
            back[from] = to;
        }
        Ok(Self::output("permute", y, out, &[self], move |dy| {
            Ok(vec![Some(dy.permute(&back)?)])
        }))
    }

    /// Two dimensions exchanged, in memory too: `transpose(0, 1)` of a matrix.
    ///
    /// # Errors
    /// As [`Tensor::permute`]; or if there is no such dimension.
    pub fn transpose(&self, one: usize, other: usize) -> Result<Self> {
        let rank = self.shape().len();
        if one >= rank || other >= rank {
            let expected = format!("with dimensions number {one} and {other}");
            return Err(Error::shape("transpose", "x", expected, self.shape()));
        }
        let mut order: Vec<usize> = (0..rank).collect();
        order.swap(one, other);
        self.permute(&order)
    }

    /// What lies at `range` of dimension number `axis`: `slice(0, 2..5)` of a batch is its images 2, 3 and 4.
    ///
    /// # Errors
    /// If the elements are not floats, the range is empty or reaches beyond the dimension, the tensor is longer than a binding
    /// of the device, or that fails.
    pub fn slice(&self, axis: usize, range: Range<usize>) -> Result<Self> {
        self.check_float("slice", "x")?;
        let sizes = self.shape().clone();
        let y = strided_copy::slice(self.device(), self.buffer(), &sizes, axis, range.clone())?;
        let mut out = sizes.to_vec();
        out[axis] = range.len();
        Ok(Self::output("slice", y, out, &[self], move |dy| {
            let dx = Self::empty(dy.device(), sizes.clone(), dy.dtype())?;
            elementwise::fill(dx.device(), dx.buffer(), 0.0)?;
            dx.fill_in(dy, axis, range.clone())?;
            Ok(vec![Some(dx)])
        }))
    }

    /// Tensors one behind the other along dimension number `axis`; the other dimensions are the same.
    ///
    /// # Errors
    /// If there are none, their shapes, dtypes or devices don't fit, the result is longer than a binding of the device,
    /// or that fails.
    pub fn concat(tensors: &[&Self], axis: usize) -> Result<Self> {
        const OP: &str = "concat";
        let [first, ..] = tensors else {
            let none = Vec::<usize>::new().into();
            return Err(Error::shape(OP, "tensors", "at least one", &none));
        };
        first.check_float(OP, "tensors")?;
        let mut whole = first.shape().to_vec();
        let mut ranges = Vec::new();
        let mut end = 0;
        for tensor in tensors {
            tensor.check_dtype(OP, "tensors", first.dtype())?;
            tensor.check_device(OP, "tensors", first)?;
            let mut sizes = tensor.shape().to_vec();
            let len = sizes.get(axis).copied().unwrap_or_default();
            if let Some(size) = sizes.get_mut(axis) {
                *size = whole.get(axis).copied().unwrap_or_default();
            }
            if sizes != whole || len == 0 {
                let expected = format!("{} but for dimension {axis}", first.shape());
                return Err(Error::shape(OP, "tensors", expected, tensor.shape()));
            }
            ranges.push(end..end + len);
            end += len;
        }
        whole[axis] = end;
        let y = Self::empty(first.device(), whole, first.dtype())?;
        for (tensor, range) in tensors.iter().zip(&ranges) {
            y.fill_in(tensor, axis, range.clone())?;
        }
        let (y, shape) = (y.buffer().clone(), y.shape().clone());
        Ok(Self::output(OP, y, shape, tensors, move |dy| {
            let part = |range: &Range<usize>| Ok(Some(dy.slice(axis, range.clone())?));
            ranges.iter().map(part).collect()
        }))
    }

    /// Overwrites what [`Tensor::slice`] would give.
    fn fill_in(&self, part: &Self, axis: usize, range: Range<usize>) -> Result<()> {
        let (x, y) = (part.buffer(), self.buffer());
        Ok(strided_copy::fill_in(
            self.device(),
            x,
            y,
            self.shape(),
            axis,
            range,
        )?)
    }
}
