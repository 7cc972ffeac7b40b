//! Element-wise arithmetic on tensors of one shape; gradients by the rules of sums, products and quotients.

use kernels::ops::elementwise;

use crate::error::{Error, Result};
use crate::shape::Shape;
use crate::tensor::{DType, Tensor};
use kernels::Device;

/// A float tensor with every element `value`.
///
/// # Errors
/// If the device has no room.
pub fn full(device: &Device, shape: impl Into<Shape>, value: f32) -> Result<Tensor> {
    let tensor = Tensor::empty(device, shape, DType::F32)?;
    elementwise::fill(device, tensor.buffer(), value)?;
    Ok(tensor)
}

impl Tensor {
    /// A tensor of f32 that are all 0.
    ///
    /// # Errors
    /// If the device has no room.
    pub fn zeros(device: &Device, shape: impl Into<Shape>) -> Result<Self> {
        full(device, shape, 0.0)
    }

    /// A tensor of f32 that are all 1.
    ///
    /// # Errors
    /// If the device has no room.
    pub fn ones(device: &Device, shape: impl Into<Shape>) -> Result<Self> {
        full(device, shape, 1.0)
    }

    /// `self + other`.
    ///
    /// # Errors
    /// If the shapes, dtypes or devices differ, or the device fails.
    pub fn add(&self, other: &Self) -> Result<Self> {
        self.check_pair("add", other)?;
        let y = elementwise::add(self.device(), self.buffer(), other.buffer())?;
        let rule = |dy: &Self| Ok(vec![Some(dy.clone()), Some(dy.clone())]);
        Ok(Self::output(
            "add",
            y,
            self.shape().clone(),
            &[self, other],
            rule,
        ))
    }

    /// `self - other`.
    ///
    /// # Errors
    /// As [`Tensor::add`].
    pub fn sub(&self, other: &Self) -> Result<Self> {
        self.check_pair("sub", other)?;
        let y = elementwise::sub(self.device(), self.buffer(), other.buffer())?;
        let shape = self.shape().clone();
        Ok(Self::output("sub", y, shape, &[self, other], |dy| {
            Ok(vec![Some(dy.clone()), Some(dy.scale(-1.0)?)])
        }))
    }

    /// `self other`, element by element.
    ///
    /// # Errors
    /// As [`Tensor::add`].
    pub fn mul(&self, other: &Self) -> Result<Self> {
        self.check_pair("mul", other)?;
        let y = elementwise::mul(self.device(), self.buffer(), other.buffer())?;
        let (a, b) = (self.detach(), other.detach());
        let shape = self.shape().clone();
        Ok(Self::output("mul", y, shape, &[self, other], move |dy| {
            Ok(vec![Some(dy.mul(&b)?), Some(dy.mul(&a)?)])
        }))
    }

    /// `self / other`, element by element.
    ///
    /// # Errors
    /// As [`Tensor::add`].
    pub fn div(&self, other: &Self) -> Result<Self> {
        self.check_pair("div", other)?;
        let y = elementwise::div(self.device(), self.buffer(), other.buffer())?;
        let (a, b) = (self.detach(), other.detach());
        let shape = self.shape().clone();
        Ok(Self::output("div", y, shape, &[self, other], move |dy| {
            // 1 / b and -a / b^2.
            let da = dy.div(&b)?;
            let db = da.mul(&a)?.div(&b)?.scale(-1.0)?;
            Ok(vec![Some(da), Some(db)])
        }))
    }

    /// `factor self`.
    ///
    /// # Errors
    /// If the elements are not floats, or the device fails.
    pub fn scale(&self, factor: f32) -> Result<Self> {
        self.check_float("scale", "x")?;
        let y = elementwise::scale(self.device(), self.buffer(), factor)?;
        Ok(Self::output(
            "scale",
            y,
            self.shape().clone(),
            &[self],
            move |dy| Ok(vec![Some(dy.scale(factor)?)]),
        ))
    }

    /// Sets every element to `value`, for all that share the memory.
    ///
    /// # Errors
    /// If the elements are not floats, or the device fails.
    pub fn fill(&self, value: f32) -> Result<()> {
        self.check_float("fill", "self")?;
        Ok(elementwise::fill(self.device(), self.buffer(), value)?)
    }

    /// `self += factor other`, in place, for all that share the memory. No gradient flows through it.
    ///
    /// # Errors
    /// As [`Tensor::add`]; or if both share memory.
    pub fn add_scaled(&self, factor: f32, other: &Self) -> Result<()> {
        self.check_pair("add_scaled", other)?;
        Ok(elementwise::axpy(
            self.device(),
            factor,
            other.buffer(),
            self.buffer(),
        )?)
    }

    /// An error unless both are tensors of the same floats, of one shape, on one device.
    fn check_pair(&self, op: &'static str, other: &Self) -> Result<()> {
        self.check_float(op, "a")?;
        other.check_dtype(op, "b", self.dtype())?;
        other.check_device(op, "b", self)?;
        if self.shape() == other.shape() {
            return Ok(());
        }
        Err(Error::shape(
            op,
            "b",
            self.shape().to_string(),
            other.shape(),
        ))
    }
}
