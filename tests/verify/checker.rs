//! The checks of cases catch wrong kernels: a gradient that is off, an output that is off, one that is all zeros.

use kernels::ops::elementwise;
use kernels::{Buffer, Device, Result};
use verify::operators::{Case, Fill, Input, Sizes, check};

/// `y = x^2`, with a forward that is off by a factor and a backward that is.
#[derive(Debug)]
struct Square {
    forward_factor: f32,
    backward_factor: f32,
}

impl Case for Square {
    fn inputs(&self) -> Vec<Input> {
        vec![Input::with_grad("x", 100, Fill::Uniform(-1.0, 1.0))]
    }

    fn reference(&self, inputs: &[Vec<f64>]) -> Vec<Vec<f64>> {
        vec![inputs[0].iter().map(|x| x * x).collect()]
    }

    fn forward(&self, device: &Device, inputs: &[Buffer]) -> Result<Vec<Buffer>> {
        let square = elementwise::mul(device, &inputs[0], &inputs[0])?;
        Ok(vec![elementwise::scale(
            device,
            &square,
            self.forward_factor,
        )?])
    }

    fn backward(&self, device: &Device, inputs: &[Buffer], dy: &Buffer) -> Result<Vec<Buffer>> {
        let product = elementwise::mul(device, dy, &inputs[0])?;
        Ok(vec![elementwise::scale(
            device,
            &product,
            2.0 * self.backward_factor,
        )?])
    }

    fn sizes(&self) -> Sizes {
        Sizes {
            forward_terms: 1,
            backward_terms: 1,
            forward_flops: 100,
            backward_flops: 200,
        }
    }
}

/// `y = x^2`, whose gradient was forgotten.
#[derive(Debug)]
struct Forgetful(Square);

impl Case for Forgetful {
    fn inputs(&self) -> Vec<Input> {
        self.0.inputs()
    }

    fn reference(&self, inputs: &[Vec<f64>]) -> Vec<Vec<f64>> {
        self.0.reference(inputs)
    }

    fn forward(&self, device: &Device, inputs: &[Buffer]) -> Result<Vec<Buffer>> {
        self.0.forward(device, inputs)
    }

    fn backward(&self, _: &Device, _: &[Buffer], _: &Buffer) -> Result<Vec<Buffer>> {
        Ok(Vec::new())
    }

    fn sizes(&self) -> Sizes {
        self.0.sizes()
    }
}

#[test]
fn a_forgotten_gradient_is_caught() {
    let square = Square {
        forward_factor: 1.0,
        backward_factor: 1.0,
    };
    let rows = check(&Forgetful(square), &Device::cpu()).expect("the CPU device runs it");
    let verdicts: Vec<_> = rows.iter().map(|row| row.passed).collect();
    assert_eq!(verdicts, [true, false]);
    assert_eq!(rows[1].note, "0 gradients of 1 inputs");
}

fn verdicts(forward_factor: f32, backward_factor: f32) -> Vec<bool> {
    let case = Square {
        forward_factor,
        backward_factor,
    };
    let rows = check(&case, &Device::cpu()).expect("the CPU device runs it");
    rows.iter().map(|row| row.passed).collect()
}

#[test]
fn a_right_operator_passes() {
    assert_eq!(verdicts(1.0, 1.0), [true, true]);
}

#[test]
fn a_deliberately_wrong_gradient_is_caught() {
    assert_eq!(verdicts(1.0, 1.0001), [true, false]);
    assert_eq!(verdicts(1.0, -1.0), [true, false]);
    assert_eq!(verdicts(1.0, 0.0), [true, false]);
    assert_eq!(verdicts(1.0, f32::NAN), [true, false]);
}

#[test]
fn a_wrong_output_is_caught() {
    assert_eq!(verdicts(1.00001, 1.0), [false, true]);
    assert_eq!(verdicts(0.0, 1.0), [false, true]);
}
