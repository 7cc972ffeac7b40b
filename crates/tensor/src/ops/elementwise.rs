//! Element-wise arithmetic on tensors of one shape; gradients by the sum and product rules.

use kernels::ops::elementwise;

use crate::error::{Error, Result};
use crate::shape::Shape;
use crate::tensor::{Element, Tensor};
use kernels::Device;

/// A float tensor with every element `value`.
///
/// # Errors
/// If the device has no room.
pub fn full(device: &Device, shape: impl Into<Shape>, value: f32) -> Result<Tensor> {
    let tensor = Tensor::empty(device, shape, Element::F32)?;
    elementwise::fill(device, tensor.buffer(), value)?;
    Ok(tensor)
}

impl Tensor {
    /// `self + other`.
    ///
    /// # Errors
    /// If the shapes, element types or devices differ, or the device fails.
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

    /// `self other`, element by element.
    ///
    /// # Errors
    /// As [`Tensor::add`].
    pub fn multiply(&self, other: &Self) -> Result<Self> {
        self.check_pair("multiply", other)?;
        let y = elementwise::multiply(self.device(), self.buffer(), other.buffer())?;
        let (a, b) = (self.detach(), other.detach());
        Ok(Self::output(
            "multiply",
            y,
            self.shape().clone(),
            &[self, other],
            move |dy| Ok(vec![Some(dy.multiply(&b)?), Some(dy.multiply(&a)?)]),
        ))
    }

    /// `factor self`.
    ///
    /// # Errors
    /// If the elements are no floats, or the device fails.
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
    /// If the elements are no floats, or the device fails.
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
        other.check_element(op, "b", self.element())?;
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
