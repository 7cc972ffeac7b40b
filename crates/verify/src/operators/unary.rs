//! Cases of functions of one number: `exp`, `ln`, `sqrt`, `sigmoid`, `tanh`, or `leaky_relu` with its `slope`.

use kernels::ops::unary::{self, Unary};
use kernels::{Buffer, Device, Result};

use super::{Case, Fields, Fill, Input, Sizes};

#[derive(Debug)]
struct UnaryCase {
    n: usize,
    function: Unary,
}

pub(crate) fn parse(fields: &Fields<'_>) -> Result<Box<dyn Case>, String> {
    let slope = fields.real_or("slope", 0.01)?;
    let functions = [
        ("exp", Unary::Exp),
        ("ln", Unary::Ln),
        ("sqrt", Unary::Sqrt),
        ("sigmoid", Unary::Sigmoid),
        ("tanh", Unary::Tanh),
        ("leaky_relu", Unary::LeakyRelu { slope }),
    ];
    let found = functions.into_iter().find(|(name, _)| fields.flag(name));
    let (_, function) = found.ok_or("expected the name of a function")?;
    Ok(Box::new(UnaryCase {
        n: fields.get("n")?,
        function,
    }))
}

impl Case for UnaryCase {
    fn f16_inputs(&self) -> &'static [&'static str] {
        &["x"]
    }

    /// What is kept is rounded, and then the gradient.
    fn f16_stores(&self) -> u32 {
        2
    }

    fn inputs(&self) -> Vec<Input> {
        let fill = match self.function {
            Unary::Exp => Fill::Uniform(-4.0, 4.0),
            // The steepest slope is 10, and what is no number at all is far away.
            Unary::Ln | Unary::Sqrt => Fill::Uniform(0.1, 5.0),
            Unary::LeakyRelu { .. } => Fill::AwayFromZero,
            Unary::Sigmoid | Unary::Tanh => Fill::Uniform(-6.0, 6.0),
        };
        vec![Input::with_grad("x", self.n, fill)]
    }

    fn reference(&self, inputs: &[Vec<f64>]) -> Vec<Vec<f64>> {
        let f = |&x: &f64| match self.function {
            Unary::Exp => x.exp(),
            Unary::Ln => x.ln(),
            Unary::Sqrt => x.sqrt(),
            Unary::Sigmoid => 1.0 / (1.0 + (-x).exp()),
            Unary::Tanh => x.tanh(),
            Unary::LeakyRelu { slope } => x.max(f64::from(slope) * x),
        };
        vec![inputs[0].iter().map(f).collect()]
    }

    fn forward(&self, device: &Device, inputs: &[Buffer]) -> Result<Vec<Buffer>> {
        Ok(vec![unary::forward(device, self.function, &inputs[0])?])
    }

    fn backward(&self, device: &Device, inputs: &[Buffer], dy: &Buffer) -> Result<Vec<Buffer>> {
        let y;
        let kept = if self.function.keeps_input() {
            &inputs[0]
        } else {
            y = unary::forward(device, self.function, &inputs[0])?;
            &y
        };
        Ok(vec![unary::backward(device, self.function, dy, kept)?])
    }

    fn sizes(&self) -> Sizes {
        // Units in the last place that WGSL allows its functions: e^x 3 + 2 |x|, a root and a division 5, ln an error of 2^-21
        // of 1, which is 8 units; that of a power of 2 x in tanh counts a quarter at most, as its square is divided by.
        let terms = match self.function {
            Unary::Exp => 3 + 2 * 4,
            Unary::Sqrt => 5,
            Unary::Ln => 8,
            Unary::Sigmoid | Unary::Tanh => 3 + 2 * 6,
            Unary::LeakyRelu { .. } => 1,
        };
        Sizes {
            forward_terms: terms,
            // The slope is made of two roundings of y at most.
            backward_terms: 4 * terms,
            forward_flops: 8 * self.n,
            backward_flops: 3 * self.n,
        }
    }
}
