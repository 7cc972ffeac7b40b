//! Functions of one number, element by element; each slope follows from y: `y` of `e^x`, `1 / (2 y)` of the root, `y (1 - y)` of
//! sigmoid, `1 - y^2` of tanh; of the logarithm from x, `1 / x`.

use kernels::ops::unary::{self, Unary};

use crate::error::Result;
use crate::tensor::Tensor;

impl Tensor {
    /// `e^x` of each element.
    ///
    /// # Errors
    /// If the elements are not floats, or the device fails.
    pub fn exp(&self) -> Result<Self> {
        self.unary("exp", Unary::Exp)
    }

    /// The natural logarithm of each element; NaN of negative ones.
    ///
    /// # Errors
    /// As [`Tensor::exp`].
    pub fn ln(&self) -> Result<Self> {
        self.unary("ln", Unary::Ln)
    }

    /// The square root of each element; NaN of negative ones. The gradient at 0 is infinite.
    ///
    /// # Errors
    /// As [`Tensor::exp`].
    pub fn sqrt(&self) -> Result<Self> {
        self.unary("sqrt", Unary::Sqrt)
    }

    /// `1 / (1 + e^-x)` of each element.
    ///
    /// # Errors
    /// As [`Tensor::exp`].
    pub fn sigmoid(&self) -> Result<Self> {
        self.unary("sigmoid", Unary::Sigmoid)
    }

    /// The hyperbolic tangent of each element.
    ///
    /// # Errors
    /// As [`Tensor::exp`].
    pub fn tanh(&self) -> Result<Self> {
        self.unary("tanh", Unary::Tanh)
    }

    /// `slope x` where an element is not positive, else `x` (Maas et al. 2013); PyTorch's default slope is 0.01. The gradient
    /// at 0 is the slope.
    ///
    /// # Errors
    /// As [`Tensor::exp`]; or if the slope is not in `[0, 1]`.
    pub fn leaky_relu(&self, slope: f32) -> Result<Self> {
        self.unary("leaky_relu", Unary::LeakyRelu { slope })
    }

    fn unary(&self, op: &'static str, function: Unary) -> Result<Self> {
        self.check_float(op, "x")?;
        let y = unary::forward(self.device(), function, self.buffer())?;
        let kept = if function.keeps_input() {
            self.buffer().clone()
        } else {
            y.clone()
        };
        let (device, shape) = (self.device().clone(), self.shape().clone());
        Ok(Self::output(op, y, shape.clone(), &[self], move |dy| {
            let dx = unary::backward(&device, function, dy.buffer(), &kept)?;
            Ok(vec![Some(Self::constant(&device, dx, shape.clone()))])
        }))
    }
}
