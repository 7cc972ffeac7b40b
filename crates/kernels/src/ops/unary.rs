//! Functions of one number, element by element: `e^x`, `ln x`, `sqrt x`, sigmoid, tanh, leaky ReLU; each with its gradient.

use super::{check_len, launch_elements};
use crate::buffer::Buffer;
use crate::cpu::unary::{self as cpu, UnaryParams};
use crate::device::Device;
use crate::error::{Error, Result};
use crate::kernel::{Kernel, Twin};

const OP: &str = "unary";

/// Which function.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Unary {
    /// `e^x`.
    Exp,
    /// The natural logarithm; NaN of negative numbers.
    Ln,
    /// The square root; NaN of negative numbers.
    Sqrt,
    /// `1 / (1 + e^-x)`.
    Sigmoid,
    /// `(e^x - e^-x) / (e^x + e^-x)`.
    Tanh,
    /// `slope x` where `x <= 0`, else `x` (Maas et al. 2013).
    LeakyRelu {
        /// At most 1, and not negative.
        slope: f32,
    },
}

impl Unary {
    /// Whether [`backward`] needs x and not y.
    #[must_use]
    pub const fn keeps_input(self) -> bool {
        matches!(self, Self::Ln)
    }

    fn kernel(self, is_backward: bool) -> Kernel<UnaryParams> {
        let of = |[forward, backward]: [&'static str; 2], twins: [Twin<UnaryParams>; 2]| {
            let (entry, twin) = if is_backward {
                (backward, twins[1])
            } else {
                (forward, twins[0])
            };
            Kernel::new(shaders::Variant::new(OP, entry), twin)
        };
        match self {
            Self::Exp => of(
                ["exp_forward", "exp_backward"],
                [cpu::exp, cpu::exp_backward],
            ),
            Self::Ln => of(["ln_forward", "ln_backward"], [cpu::ln, cpu::ln_backward]),
            Self::Sqrt => of(
                ["sqrt_forward", "sqrt_backward"],
                [cpu::sqrt, cpu::sqrt_backward],
            ),
            Self::Sigmoid => of(
                ["sigmoid_forward", "sigmoid_backward"],
                [cpu::sigmoid, cpu::sigmoid_backward],
            ),
            Self::Tanh => of(
                ["tanh_forward", "tanh_backward"],
                [cpu::tanh, cpu::tanh_backward],
            ),
            Self::LeakyRelu { .. } => of(
                ["leaky_relu_forward", "leaky_relu_backward"],
                [cpu::leaky_relu, cpu::leaky_relu_backward],
            ),
        }
    }

    fn run(self, device: &Device, reads: &[&Buffer], is_backward: bool) -> Result<Buffer> {
        let slope = match self {
            Self::LeakyRelu { slope } => slope,
            _ => 0.0,
        };
        if !(0.0..=1.0).contains(&slope) {
            // Where it is negative, the sign of y does not tell that of x, and y is what is kept.
            let got = slope.to_string();
            return Err(Error::argument("leaky_relu", "slope", "0 to 1", got));
        }
        let y = device.alloc_as(reads[0].width(), reads[0].len())?;
        let kernel = self.kernel(is_backward);
        launch_elements(device, &kernel, reads, &y, |n| UnaryParams { n, slope })?;
        Ok(y)
    }
}

/// The function of each element of `x`.
///
/// # Errors
/// If a slope is not in `[0, 1]`, memory runs out or the device fails.
pub fn forward(device: &Device, function: Unary, x: &Buffer) -> Result<Buffer> {
    function.run(device, &[x], false)
}

/// The gradient of x, from that of y and what was kept: y, or x if [`Unary::keeps_input`].
///
/// # Errors
/// As [`forward`]; or if the lengths differ.
pub fn backward(device: &Device, function: Unary, dy: &Buffer, kept: &Buffer) -> Result<Buffer> {
    check_len(OP, "dy", dy, kept.len())?;
    function.run(device, &[dy, kept], true)
}
