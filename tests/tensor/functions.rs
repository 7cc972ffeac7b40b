//! Element-wise functions and layouts: their rules against differences, and identities between them.

use tensor::Tensor;
use tensor::random::{self, Philox};

use super::rules::{check_rule, device, numbers};

#[test]
fn arithmetic_and_functions_of_one_number() {
    let (x, y) = (numbers(&[3, 4], 1), numbers(&[3, 4], 2));
    // Away from 0, where quotients, logarithms and roots are steep.
    let positive = random::uniform(device(), [3, 4], 0.5, 2.0, Philox::default()).unwrap();
    check_rule(&x, |x| x.sub(&y).unwrap());
    check_rule(&y, |y| x.sub(y).unwrap());
    check_rule(&x, |x| x.mul(&y).unwrap());
    check_rule(&x, |x| x.div(&positive).unwrap());
    check_rule(&positive, |b| x.div(b).unwrap());
    check_rule(&x, |x| x.exp().unwrap());
    check_rule(&positive, |x| x.ln().unwrap());
    check_rule(&positive, |x| x.sqrt().unwrap());
    check_rule(&x, |x| x.sigmoid().unwrap());
    check_rule(&x, |x| x.tanh().unwrap());
    check_rule(&x, |x| x.gelu().unwrap());
    check_rule(&positive.scale(-1.0).unwrap(), |x| {
        x.leaky_relu(0.1).unwrap()
    });
    check_rule(&positive, |x| x.leaky_relu(0.1).unwrap());
    check_rule(&x, |x| x.mse_loss(&y).unwrap());
    check_rule(&y, |y| x.mse_loss(y).unwrap());
    assert!(x.leaky_relu(-0.1).is_err(), "y would not tell the side");
    assert!(x.div(&numbers(&[4, 3], 1)).is_err(), "the shapes differ");
}

/// Identities between operators, on numbers that no formula was tuned for.
#[test]
fn functions_agree_with_each_other() {
    let x = Tensor::randn(device(), [257], Philox::default()).unwrap();
    let ones = Tensor::ones(device(), [257]).unwrap();
    let close = |a: &Tensor, b: &Tensor, what: &str| {
        let [a, b] = [a, b].map(|tensor| tensor.to_vec::<f32>().unwrap());
        for (a, b) in a.iter().zip(&b) {
            assert!((a - b).abs() <= 1e-6 * b.abs().max(1.0), "{what}: {a} {b}");
        }
    };
    close(&x.exp().unwrap().ln().unwrap(), &x, "ln e^x = x");
    let square = x.mul(&x).unwrap();
    let root = square.sqrt().unwrap();
    close(&root.mul(&root).unwrap(), &square, "sqrt(x^2)^2 = x^2");
    let twice = x.scale(2.0).unwrap().sigmoid().unwrap().scale(2.0);
    let by_sigmoid = twice.unwrap().sub(&ones).unwrap();
    close(
        &x.tanh().unwrap(),
        &by_sigmoid,
        "tanh x = 2 sigmoid(2 x) - 1",
    );
    let back = x.scale(-1.0).unwrap();
    let difference = x.gelu().unwrap().sub(&back.gelu().unwrap()).unwrap();
    close(&difference, &x, "gelu(x) - gelu(-x) = x");
    let leaky = x.leaky_relu(0.25).unwrap();
    let by_relu = x
        .relu()
        .unwrap()
        .sub(&back.relu().unwrap().scale(0.25).unwrap());
    close(&leaky, &by_relu.unwrap(), "leaky ReLU by ReLU");
    close(&x.div(&x).unwrap(), &ones, "x / x = 1");
    let zeros = Tensor::zeros(device(), [257]).unwrap();
    close(&x.sub(&x).unwrap(), &zeros, "x - x = 0");
    // Of 257 numbers the mean and the variance have standard errors of 1 / 16 and 1 / 11.
    let mean = x.mean().unwrap().to_vec::<f32>().unwrap()[0];
    let variance = square.mean().unwrap().to_vec::<f32>().unwrap()[0];
    assert!(
        mean.abs() < 0.25 && (variance - 1.0).abs() < 0.36,
        "{mean}, {variance}"
    );
}

#[test]
fn layouts_and_their_gradients() {
    let x = numbers(&[2, 3, 4, 2], 1);
    let other = numbers(&[2, 1, 4, 2], 2);
    check_rule(&x, |x| x.permute(&[0, 3, 1, 2]).unwrap());
    check_rule(&x, |x| x.transpose(1, 2).unwrap());
    check_rule(&x, |x| x.slice(1, 1..3).unwrap());
    check_rule(&x, |x| Tensor::concat(&[x, &other], 1).unwrap());
    check_rule(&other, |other| Tensor::concat(&[&x, other, &x], 1).unwrap());
    check_rule(&x, |x| Tensor::concat(&[x, x], 3).unwrap());
    let values = |x: &Tensor| x.to_vec::<f32>().unwrap();
    let turned = x.permute(&[3, 0, 2, 1]).unwrap();
    assert_eq!(turned.shape()[..], [2, 2, 4, 3]);
    assert_eq!(values(&turned.permute(&[1, 3, 2, 0]).unwrap()), values(&x));
    let parts = [x.slice(2, 0..1).unwrap(), x.slice(2, 1..4).unwrap()];
    let joined = Tensor::concat(&[&parts[0], &parts[1]], 2).unwrap();
    assert_eq!(values(&joined), values(&x), "cut and joined");
    let matrix = Tensor::from_slice(device(), &[1.0_f32, 2.0, 3.0, 4.0, 5.0, 6.0], [2, 3]);
    let matrix = matrix.unwrap().transpose(0, 1).unwrap();
    assert_eq!(values(&matrix), [1.0, 4.0, 2.0, 5.0, 3.0, 6.0]);
    assert!(x.slice(1, 2..4).is_err(), "beyond the dimension");
    assert!(x.permute(&[0, 1, 2, 2]).is_err(), "2 twice");
    assert!(Tensor::concat(&[&x, &other], 0).is_err(), "other rows");
    assert!(Tensor::concat(&[], 0).is_err(), "nothing");
}
