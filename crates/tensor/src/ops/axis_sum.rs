//! Sums and means along one axis: `y = factor sum over l of x[.., l, ..]`, `dx[.., l, ..] = factor dy` for each `l`.

use kernels::ops::axis_sum::{self, AxisSum};

use crate::error::{Error, Result};
use crate::shape::Shape;
use crate::tensor::Tensor;

impl Tensor {
    /// The sums along dimension number `axis`, which is gone from the shape: `[n, h, w, c]` along 3 becomes `[n, h, w]`.
    ///
    /// # Errors
    /// If the elements are not floats, there is no such dimension or nothing in it, or the device fails.
    pub fn sum_axis(&self, axis: usize) -> Result<Self> {
        self.along("sum_axis", axis, false)
    }

    /// The means along dimension number `axis`, which is gone from the shape.
    ///
    /// # Errors
    /// As [`Tensor::sum_axis`].
    pub fn mean_axis(&self, axis: usize) -> Result<Self> {
        self.along("mean_axis", axis, true)
    }

    fn along(&self, op: &'static str, axis: usize, is_mean: bool) -> Result<Self> {
        self.check_float(op, "x")?;
        let sizes = self.shape();
        let Some(&len) = sizes.get(axis) else {
            let expected = format!("with a dimension number {axis}");
            return Err(Error::shape(op, "x", expected, sizes));
        };
        #[expect(clippy::cast_precision_loss, reason = "rounds like any other operand")]
        let factor = if is_mean { 1.0 / len as f32 } else { 1.0 };
        let spec = AxisSum {
            outer: sizes[..axis].iter().product(),
            axis: len,
            inner: sizes[axis + 1..].iter().product(),
            factor,
        };
        let y = axis_sum::forward(self.device(), &spec, self.buffer())?;
        let rest = [&sizes[..axis], &sizes[axis + 1..]].concat();
        let (device, shape) = (self.device().clone(), self.shape().clone());
        Ok(Self::output(op, y, Shape::from(rest), &[self], move |dy| {
            let dx = axis_sum::backward(&device, &spec, dy.buffer())?;
            Ok(vec![Some(Self::constant(&device, dx, shape.clone()))])
        }))
    }
}
