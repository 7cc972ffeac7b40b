//! Trains a two-layer net on made-up points with `tensor` alone, on the CPU device or on the one named as the first
//! argument (`cargo run -- gpu`). The points lie on the surface `z = |x| - y`, which no single layer can fit.

use tensor::{Activation, Device, Result, Tensor};

/// Points along each side of the square from -1 to 1.
const SIDE: u16 = 12;
const POINTS: usize = SIDE as usize * SIDE as usize;
const HIDDEN: usize = 16;
const STEPS: usize = 300;
const RATE: f32 = 0.1;

fn main() -> Result<()> {
    let device = match std::env::args().nth(1) {
        Some(name) => Device::open(&name)?,
        None => Device::cpu(),
    };
    let (x, z) = points(&device)?;
    let net = Net::new(&device)?;

    let first = net.step(&x, &z)?;
    let mut last = first;
    for step in 2..=STEPS {
        last = net.step(&x, &z)?;
        if step % 100 == 0 {
            println!("step {step}: mean squared error {last:.5}");
        }
    }
    println!(
        "on {}: mean squared error from {first:.5} to {last:.5}",
        device.name()
    );
    assert!(
        last < 0.05 * first,
        "the net has not learned: {first} to {last}"
    );
    Ok(())
}

/// The points `[POINTS, 2]`, and the negated heights `[POINTS, 1]`, so that an addition gives the error.
fn points(device: &Device) -> Result<(Tensor, Tensor)> {
    let place = |i: u16| 2.0 * f32::from(i) / f32::from(SIDE - 1) - 1.0;
    let mut x = Vec::with_capacity(2 * POINTS);
    let mut negated = Vec::with_capacity(POINTS);
    for (i, j) in (0..SIDE).flat_map(|i| (0..SIDE).map(move |j| (i, j))) {
        x.extend([place(i), place(j)]);
        negated.push(place(j) - place(i).abs());
    }
    Ok((
        Tensor::from_slice(device, &x, [POINTS, 2])?,
        Tensor::from_slice(device, &negated, [POINTS, 1])?,
    ))
}

/// Weights and biases of both layers, `[in, out]` and `[out]`.
struct Net {
    parameters: [Tensor; 4],
}

impl Net {
    fn new(device: &Device) -> Result<Self> {
        // Spread between -1 and 1 by the sine of the index, so that every run is the same.
        let spread = |n: u8, scale: f32| -> Vec<f32> {
            (1..=n)
                .map(|i| scale * (37.0 * f32::from(i)).sin())
                .collect()
        };
        let parameter = |values: Vec<f32>, shape: &[usize]| -> Result<Tensor> {
            Ok(Tensor::from_slice(device, &values, shape)?.into_parameter())
        };
        let parameters = [
            parameter(spread(32, 1.0), &[2, HIDDEN])?,
            parameter(spread(16, 0.1), &[HIDDEN])?,
            parameter(spread(16, 0.5), &[HIDDEN, 1])?,
            parameter(vec![0.0], &[1])?,
        ];
        Ok(Self { parameters })
    }

    /// One step of gradient descent on all points; the mean squared error before it.
    fn step(&self, x: &Tensor, negated: &Tensor) -> Result<f32> {
        let [w1, b1, w2, b2] = &self.parameters;
        let hidden = x.linear(w1, Some(b1), Activation::Relu)?;
        let error = hidden
            .linear(w2, Some(b2), Activation::None)?
            .add(negated)?;
        // Backward starts from the sum over all elements, so scaling by 1 / POINTS makes it the mean.
        let loss = error.mul(&error)?.scale(1.0 / POINTS as f32)?;

        let gradients = loss.backward()?;
        for parameter in &self.parameters {
            if let Some(gradient) = gradients.get(parameter) {
                parameter.add_scaled(-RATE, gradient)?;
            }
        }
        Ok(loss.to_vec::<f32>()?.iter().sum())
    }
}
