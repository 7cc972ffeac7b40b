//! Optimizers by themselves, against steps worked out by hand as PyTorch defines them.

use tensor::Device;
use tensor::Tensor;
use train::optim::{Adam, AdamW, Group, Optimizer, Options, Sgd};

#[path = "../../examples/02_mlp.rs"]
#[expect(dead_code, reason = "its main")]
mod mlp;

/// One number, 1, to be trained under a name.
fn parameter(device: &Device, name: &str) -> (String, Tensor) {
    let one = Tensor::from_slice(device, &[1.0_f32], [1]).unwrap();
    (name.to_owned(), one.into_parameter())
}

fn value(parameter: &Tensor) -> f32 {
    parameter.to_vec::<f32>().unwrap()[0]
}

/// A step down the sum of all squares, whose gradients are twice the numbers.
fn step(optimizer: &mut Optimizer, parameters: &[(String, Tensor)], rate: f64) {
    let squares = parameters.iter().map(|(_, it)| it.square_sum().unwrap());
    let loss = squares
        .reduce(|sum, square| sum.add(&square).unwrap())
        .unwrap();
    optimizer.step(&loss.backward().unwrap(), rate).unwrap();
}

fn close(got: f32, expected: f32) {
    assert!(
        (got - expected).abs() < 2e-6,
        "{got} in place of {expected}"
    );
}

#[test]
fn sgd_has_momentum_and_decays_what_it_should() {
    let device = Device::cpu();
    let parameters = ["w", "b"].map(|name| parameter(&device, name));
    let sgd = Sgd {
        momentum: 0.9,
        weight_decay: 0.1,
        ..Sgd::default()
    };
    let options = Options::from(sgd).decaying(|name| name == "w");
    let mut optimizer = Optimizer::new(&parameters, options).unwrap();
    // g = 2.1, v = 2.1; then g = -0.105, v = 1.785.
    step(&mut optimizer, &parameters, 0.5);
    close(value(&parameters[0].1), -0.05);
    // g = 2, v = 2.
    close(value(&parameters[1].1), 0.0);
    step(&mut optimizer, &parameters, 0.5);
    close(value(&parameters[0].1), -0.9425);
    // g = 0, v = 1.8.
    close(value(&parameters[1].1), -0.9);
    assert_eq!(optimizer.steps(), 2);
}

#[test]
fn adam_corrects_its_moments_and_adamw_decays_beside_them() {
    let device = Device::cpu();
    let parameters = [parameter(&device, "w")];
    let mut optimizer = Optimizer::new(&parameters, Adam::default()).unwrap();
    step(&mut optimizer, &parameters, 0.1);
    close(value(&parameters[0].1), 0.9);
    // m = 0.36 / 0.19, v = 0.007236 / 0.001999.
    step(&mut optimizer, &parameters, 0.1);
    close(value(&parameters[0].1), 0.800_412_2);
    let parameters = [parameter(&device, "w")];
    let adam = Adam {
        weight_decay: 0.1,
        ..Adam::default()
    };
    let mut optimizer = Optimizer::new(&parameters, AdamW(adam)).unwrap();
    step(&mut optimizer, &parameters, 0.1);
    close(value(&parameters[0].1), 0.89);
}

#[test]
fn a_group_has_a_rate_and_a_decay_of_its_own() {
    let device = Device::cpu();
    let group = |name: &str| match name {
        "b" => Group {
            rate_factor: 0.25,
            weight_decay: Some(0.5),
        },
        _ => Group::default(),
    };
    let parameters = ["w", "b"].map(|name| parameter(&device, name));
    let sgd = Sgd {
        momentum: 0.9,
        weight_decay: 0.1,
        ..Sgd::default()
    };
    let options = Options::from(sgd).decaying(|_| false).grouped(group);
    let mut optimizer = Optimizer::new(&parameters, options).unwrap();
    // g = 2 without decay, and 2.5 with that of the group, at an eighth of a rate.
    step(&mut optimizer, &parameters, 0.5);
    close(value(&parameters[0].1), 0.0);
    close(value(&parameters[1].1), 1.0 - 2.5 / 8.0);
    // v = 0.9 * 2.5 + 2.5 * 0.6875.
    step(&mut optimizer, &parameters, 0.5);
    close(value(&parameters[1].1), 0.6875 - 3.96875 / 8.0);
    // Adam's first step is as long as the rate, whatever the gradient.
    let parameters = ["w", "b"].map(|name| parameter(&device, name));
    let options = Options::from(AdamW::default()).grouped(group);
    let mut optimizer = Optimizer::new(&parameters, options).unwrap();
    step(&mut optimizer, &parameters, 0.1);
    close(value(&parameters[0].1), 0.9 - 0.1 * 0.01);
    close(value(&parameters[1].1), 1.0 - 0.025 - 0.025 * 0.5);
}

#[test]
fn gradients_are_clipped_as_one_vector() {
    let device = Device::cpu();
    let parameters = ["a", "b"].map(|name| parameter(&device, name));
    let options = Options::from(Sgd::default()).clip_norm(1.0);
    let mut optimizer = Optimizer::new(&parameters, options).unwrap();
    // Gradients of 2 and 2: a length of sqrt(8).
    step(&mut optimizer, &parameters, 1.0);
    close(value(&parameters[0].1), 1.0 - 0.5_f32.sqrt());
}

#[test]
fn an_optimizer_goes_on_from_its_state_with_the_same_bits() {
    let device = Device::cpu();
    let [straight, stopped] = ["w", "w"].map(|name| [parameter(&device, name)]);
    let mut one = Optimizer::new(&straight, Adam::default()).unwrap();
    let mut two = Optimizer::new(&stopped, Adam::default()).unwrap();
    step(&mut one, &straight, 0.1);
    step(&mut two, &stopped, 0.1);
    let state = two.state().unwrap();
    let names: Vec<_> = state.tensors.iter().map(|it| it.0.as_str()).collect();
    assert_eq!((state.steps, names), (1, vec!["w.mean", "w.variance"]));
    let mut again = Optimizer::new(&stopped, Adam::default()).unwrap();
    again.load_state(&state).unwrap();
    step(&mut one, &straight, 0.1);
    step(&mut again, &stopped, 0.1);
    assert_eq!(
        value(&straight[0].1).to_bits(),
        value(&stopped[0].1).to_bits()
    );
    let mut other = Optimizer::new(&stopped, Sgd::default()).unwrap();
    assert!(other.load_state(&state).is_err(), "Adam's state for SGD");
}

#[test]
fn nothing_to_train_is_an_error() {
    let fixed = Tensor::from_slice(&Device::cpu(), &[1.0_f32], [1]).unwrap();
    let error = Optimizer::new(&[("w".to_owned(), fixed)], Sgd::default()).unwrap_err();
    assert!(error.to_string().contains("requires a gradient"), "{error}");
}

#[test]
fn the_example_learns_xor_on_both_devices() {
    for device in [Some(Device::cpu()), super::gpu()].into_iter().flatten() {
        let (classes, loss) = mlp::train(&device).unwrap();
        assert_eq!(classes, [0, 1, 1, 0], "{}", device.name());
        assert!(loss < 0.1, "{}: {loss}", device.name());
    }
}

/// Keras' Adam, in f64: `w -= rate sqrt(1 - b2^t) / (1 - b1^t) m / (sqrt(v) + epsilon)`; PyTorch's adds epsilon to
/// `sqrt(v) / sqrt(1 - b2^t)`. The epsilon is large, so that its place shows.
#[test]
fn epsilon_is_added_before_or_after_the_bias_correction() {
    for is_outside in [false, true] {
        let device = Device::cpu();
        let parameters = [parameter(&device, "w")];
        let adam = Adam {
            epsilon: 0.1,
            ..Adam::default()
        };
        let options = Options::from(adam).epsilon_outside(is_outside);
        let mut optimizer = Optimizer::new(&parameters, options).unwrap();
        let (mut w, mut m, mut v) = (1.0_f64, 0.0_f64, 0.0_f64);
        for t in 1..=5 {
            step(&mut optimizer, &parameters, 0.1);
            let g = 2.0 * w;
            (m, v) = (0.9 * m + 0.1 * g, 0.999 * v + 0.001 * g * g);
            let [d, c] = [1.0 - 0.9_f64.powi(t), (1.0 - 0.999_f64.powi(t)).sqrt()];
            w -= if is_outside {
                0.1 * c / d * m / (v.sqrt() + 0.1)
            } else {
                0.1 * (m / d) / (v.sqrt() / c + 0.1)
            };
            let got = f64::from(value(&parameters[0].1));
            assert!(
                (got - w).abs() < 2e-6,
                "step {t}, outside: {is_outside}: {got}, not {w}"
            );
        }
    }
}
