//! Cases of GELU.

use kernels::ops::gelu;
use kernels::{Buffer, Device, Result};

use super::{Case, Fields, Fill, Input, Sizes};

#[derive(Debug)]
struct GeluCase {
    n: usize,
}

pub(crate) fn parse(fields: &Fields<'_>) -> Result<Box<dyn Case>, String> {
    Ok(Box::new(GeluCase {
        n: fields.get("n")?,
    }))
}

/// `erf x = 2 / sqrt(pi) e^(-x^2) sum of 2^k x^(2k + 1) / (1 3 5 .. (2k + 1))` (Abramowitz and Stegun 7.1.6), whose terms have
/// one sign.
fn erf(x: f64) -> f64 {
    let (mut term, mut sum, mut k) = (x, 0.0, 0.0);
    while term.abs() > 1e-17 * f64::abs(sum) {
        sum += term;
        k += 1.0;
        term *= 2.0 * x * x / (2.0 * k + 1.0);
    }
    std::f64::consts::FRAC_2_SQRT_PI * (-x * x).exp() * sum
}

impl Case for GeluCase {
    fn f16_inputs(&self) -> &'static [&'static str] {
        &["x"]
    }

    /// Into both tails.
    fn inputs(&self) -> Vec<Input> {
        vec![Input::with_grad("x", self.n, Fill::Uniform(-8.0, 8.0))]
    }

    fn reference(&self, inputs: &[Vec<f64>]) -> Vec<Vec<f64>> {
        let root = std::f64::consts::SQRT_2;
        let gelu = |x: &f64| 0.5 * x * (1.0 + erf(x / root));
        vec![inputs[0].iter().map(gelu).collect()]
    }

    fn forward(&self, device: &Device, inputs: &[Buffer]) -> Result<Vec<Buffer>> {
        Ok(vec![gelu::forward(device, &inputs[0])?])
    }

    fn backward(&self, device: &Device, inputs: &[Buffer], dy: &Buffer) -> Result<Vec<Buffer>> {
        Ok(vec![gelu::backward(device, dy, &inputs[0])?])
    }

    fn sizes(&self) -> Sizes {
        // The polynomial of ten terms is off by 6e-8 at most, a rounding; WGSL's e^-4, where the tail times x is largest, by
        // 3 + 2 * 4 units in the last place.
        let terms = 10 + 11;
        Sizes {
            forward_terms: terms,
            backward_terms: 2 * terms,
            forward_flops: 28 * self.n,
            backward_flops: 40 * self.n,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_reference_is_the_published_function() {
        // Abramowitz and Stegun, table 7.1.
        for (x, want) in [
            (0.0, 0.0),
            (0.5, 0.520_499_877_8),
            (1.0, 0.842_700_792_9),
            (2.0, 0.995_322_265_0),
        ] {
            assert!((erf(x) - want).abs() < 1e-10, "erf {x}: {}", erf(x));
            assert!((erf(-x) + want).abs() < 1e-10, "erf -{x}");
        }
    }

    /// From the same book's table of the normal distribution, 26.1.
    #[test]
    fn numbers_of_a_printed_table() {
        let device = Device::cpu();
        let x = device.upload(&[-3.0_f32, -1.0, -0.5, 0.0, 0.5, 1.0, 3.0, 20.0, -20.0]);
        let y = forward_of(&device, &x.unwrap());
        let want = [
            -0.004_049_694,
            -0.158_655_25,
            -0.154_268_77,
            0.0,
            0.345_731_23,
            0.841_344_7,
            2.995_950_3,
            20.0,
            0.0,
        ];
        for (y, want) in y.iter().zip(want) {
            assert!((y - want).abs() < 3e-7, "{y}, not {want}");
        }
    }

    fn forward_of(device: &Device, x: &Buffer) -> Vec<f32> {
        device.read(&gelu::forward(device, x).unwrap()).unwrap()
    }
}
