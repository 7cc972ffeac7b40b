//! Every operator's backward rule against central differences of its forward, in f32 and so coarsely: what is caught here
//! are rules that keep or pass the wrong things.

use std::sync::OnceLock;

use tensor::ops::accuracy::{Accuracy, Totals};
use tensor::ops::batch_norm::{BatchNorm, Momentum};
use tensor::ops::cross_entropy::{CrossEntropy, PADDING, Reduction};
use tensor::ops::gemm::MatmulOptions;
use tensor::ops::lrn::Lrn;
use tensor::ops::max_pool::{Padding, Window};
use tensor::ops::resize::Resize;
use tensor::random::{self, Philox, Rng};
use tensor::update::{StepBuffer, StepScalars};
use tensor::{Activation, Device, Tensor};

/// Step of the differences and the error that is allowed relative to the largest slope.
const STEP: f32 = 1e-2;
const TOLERANCE: f32 = 2e-2;

/// The device of all tensors here: those of another, even of another CPU device, don't mix with them.
pub(crate) fn device() -> &'static Device {
    static DEVICE: OnceLock<Device> = OnceLock::new();
    DEVICE.get_or_init(Device::cpu)
}

/// Numbers in `[-1, 1)`, different for each `stream`.
pub(crate) fn numbers(shape: &[usize], stream: u32) -> Tensor {
    let philox = Philox {
        stream,
        ..Philox::default()
    };
    random::uniform(device(), shape, -1.0, 1.0, philox).unwrap()
}

fn like(x: &Tensor, values: &[f32]) -> Tensor {
    Tensor::from_slice(x.device(), values, x.shape().clone()).unwrap()
}

/// `sum(w f(x))` for weights `w` that are all different.
fn objective(f: &dyn Fn(&Tensor) -> Tensor, x: &Tensor) -> Tensor {
    let y = f(x);
    let weights = random::uniform(y.device(), y.shape().clone(), 0.5, 1.5, Philox::default());
    let weights = weights.unwrap().to_vec::<f32>().unwrap();
    y.mul(&like(&y, &weights)).unwrap()
}

/// Compares the gradient of `f` at `x` with differences of `f`, element by element.
#[track_caller]
pub(crate) fn check_rule(x: &Tensor, f: impl Fn(&Tensor) -> Tensor) {
    let parameter = x.detach().into_parameter();
    let gradients = objective(&f, &parameter).backward().unwrap();
    let got = gradients.get(&parameter).expect("x is a parameter");
    assert_eq!(got.shape(), x.shape(), "the gradient has the shape of x");
    let got = got.to_vec::<f32>().unwrap();
    let values = x.to_vec::<f32>().unwrap();
    let at = |i: usize, step: f32| {
        let mut values = values.clone();
        values[i] += step;
        let y = objective(&f, &like(x, &values)).to_vec::<f32>().unwrap();
        y.into_iter().map(f64::from).sum::<f64>()
    };
    #[expect(clippy::cast_possible_truncation, reason = "a slope of f32 values")]
    let want: Vec<f32> = (0..values.len())
        .map(|i| ((at(i, STEP) - at(i, -STEP)) / f64::from(2.0 * STEP)) as f32)
        .collect();
    let most = want.iter().fold(1e-3_f32, |most, x| x.abs().max(most));
    for (i, (got, want)) in got.iter().zip(&want).enumerate() {
        assert!(
            (got - want).abs() <= TOLERANCE * most,
            "element {i}: the rule gives {got}, differences {want}"
        );
    }
}

#[test]
fn dropout_masks_forward_and_backward_alike() {
    let step = StepBuffer::new(device(), &StepScalars::new(9, 4, 0.0)).unwrap();
    let rng = step.rng(5);
    let x = numbers(&[3, 7], 1);
    check_rule(&x, |x| x.dropout(0.4, &rng).unwrap());
    let drop = |rng: &Rng| x.dropout(0.4, rng).unwrap().to_vec::<f32>().unwrap();
    let y = drop(&rng);
    // The block of Philox that seed, stream and step name decides, as in the recorded runs of earlier versions.
    let philox = Philox {
        seed: 9,
        stream: 5,
        step: 4,
    };
    let mut draws = [0.0; 21];
    philox.fill_unit(0, &mut draws);
    for (y, draw) in y.iter().zip(draws) {
        assert_eq!(*y == 0.0, draw < 0.4, "{y} at a draw of {draw}");
    }
    assert!(y.contains(&0.0), "some elements are dropped");
    assert_ne!(y, drop(&rng.stream(6)), "another stream has another mask");
    step.write(&StepScalars::new(9, 5, 0.0)).unwrap();
    assert_ne!(y, drop(&rng), "another step has another mask");
    assert!(x.dropout(1.5, &rng).is_err(), "1.5 is no probability");
}

#[test]
fn cross_entropy_takes_labels_and_probabilities() {
    let logits = numbers(&[4, 5], 1);
    let labels = Tensor::from_slice(device(), &[3_u32, 0, PADDING, 4], [4]).unwrap();
    for reduction in [Reduction::Mean, Reduction::Sum, Reduction::None] {
        let options = CrossEntropy {
            reduction,
            label_smoothing: 0.1,
            class_weights: Some(like(&numbers(&[5], 2), &[0.5, 1.0, 2.0, 1.5, 1.0])),
            ..CrossEntropy::default()
        };
        check_rule(&logits, |x| x.cross_entropy(&labels, &options).unwrap());
    }
    let soft = random::uniform(device(), [4, 5], 0.0, 1.0, Philox::default()).unwrap();
    let options = CrossEntropy::default();
    check_rule(&logits, |x| x.cross_entropy(&soft, &options).unwrap());
}

#[test]
fn cross_entropy_ignores_padding_and_notices_labels_that_are_no_class() {
    let logits = numbers(&[2, 3], 1);
    let loss = |labels: [u32; 2]| {
        let labels = Tensor::from_slice(device(), &labels, [2]).unwrap();
        let loss = logits
            .cross_entropy(&labels, &CrossEntropy::default())
            .unwrap();
        loss.to_vec::<f32>().unwrap()[0]
    };
    let first = logits.to_vec::<f32>().unwrap()[..3].to_vec();
    let want = first.iter().map(|x| x.exp()).sum::<f32>().ln() - first[1];
    assert!(
        (loss([1, PADDING]) - want).abs() < 1e-6,
        "the mean of one row"
    );
    assert!(loss([1, 3]).is_nan(), "3 is no class");
    let error = Tensor::labels(device(), &[1, PADDING, 3], 3).unwrap_err();
    assert_eq!(
        error.to_string(),
        "labels: row 2: expected a class below 3, got 3"
    );
    assert!(Tensor::labels(device(), &[2, PADDING], 3).is_ok());
}

#[test]
fn lrn_normalises_across_channels() {
    let spec = Lrn {
        alpha: 0.5,
        ..Lrn::default()
    };
    check_rule(&numbers(&[2, 1, 3, 6], 1), |x| x.lrn(&spec).unwrap());
}

#[test]
fn max_pool_gives_the_gradient_to_the_maxima() {
    let window = Window::new(3, 2, Padding::Same);
    // Further apart than the differences' step.
    let values: Vec<f32> = (0..50_u16).map(|i| f32::from(i * 7 % 50) / 10.0).collect();
    let x = Tensor::from_slice(device(), &values, [1, 5, 5, 2]).unwrap();
    check_rule(&x, |x| x.max_pool(&window).unwrap());
    assert_eq!(
        x.max_pool(&window).unwrap().shape()[..],
        [1, 3, 3, 2],
        "TensorFlow's SAME"
    );
    assert!(
        numbers(&[5, 5, 2], 1).max_pool(&window).is_err(),
        "three dimensions"
    );
}

#[test]
fn accuracy_adds_up_and_leaves_padding_out() {
    let mut devices = vec![Device::cpu()];
    devices.extend(Device::open("gpu"));
    for device in devices {
        let logits = [
            0.0,
            2.0,
            1.0,
            3.0,
            3.0,
            0.0,
            5.0,
            4.0,
            f32::NAN,
            1.0,
            0.0,
            0.0,
        ];
        let logits = Tensor::from_slice(&device, &logits, [4, 3]).unwrap();
        let labels = Tensor::from_slice(&device, &[1_u32, 1, 0, PADDING], [4]).unwrap();
        let loss = Tensor::from_slice(&device, &[0.5_f32], [1]).unwrap();
        let accuracy = Accuracy::new(&device, 3, true).unwrap();
        for _ in 0..2 {
            accuracy.add(&logits, &labels, &loss).unwrap();
        }
        let totals = accuracy.read().unwrap();
        // Row 0 is right, in row 1 the lower of two equal classes wins. Row 2 has a NaN: wrong among any first k, also
        // where there are fewer classes, and no class's answer.
        let want = Totals {
            loss: 3.0,
            correct: 2.0,
            correct_in_five: 4.0,
            count: 6.0,
        };
        assert_eq!(totals, want, "{}", device.name());
        let confusion = accuracy.read_confusion().unwrap();
        assert_eq!(confusion, [0, 0, 0, 2, 2, 0, 0, 0, 0], "{}", device.name());
        accuracy.reset().unwrap();
        assert_eq!(accuracy.read().unwrap(), Totals::default(), "after a reset");
    }
}

#[test]
fn avg_pool_spreads_the_gradient() {
    let window = Window::new(3, 2, Padding::all(1));
    for counts_padding in [false, true] {
        let x = numbers(&[1, 5, 4, 2], 1);
        check_rule(&x, |x| x.avg_pool(&window, counts_padding).unwrap());
    }
}

#[test]
fn sums_repeat_the_gradient() {
    let x = numbers(&[3, 4], 1);
    check_rule(&x, |x| x.sum().unwrap());
    check_rule(&x, |x| x.mean().unwrap());
    check_rule(&x, |x| x.square_sum().unwrap());
    check_rule(&x, |x| x.column_sum().unwrap());
    let x = numbers(&[2, 3, 4], 1);
    for axis in 0..3 {
        check_rule(&x, |x| x.sum_axis(axis).unwrap());
        check_rule(&x, |x| x.mean_axis(axis).unwrap());
    }
    assert_eq!(x.sum_axis(1).unwrap().shape()[..], [2, 4], "3 is gone");
    assert!(x.sum_axis(3).is_err(), "there is no fourth dimension");
    let total = x.sum().unwrap().to_vec::<f32>().unwrap()[0];
    let in_turns = x.sum_axis(2).unwrap().sum_axis(0).unwrap().sum_axis(0);
    let in_turns = in_turns.unwrap().to_vec::<f32>().unwrap()[0];
    assert!((total - in_turns).abs() < 1e-5, "{total}, {in_turns}");
}

#[test]
fn softmax_and_its_logarithm() {
    let x = numbers(&[2, 2, 5], 1);
    check_rule(&x, |x| x.softmax().unwrap());
    check_rule(&x, |x| x.log_softmax().unwrap());
}

#[test]
fn batch_norm_in_training_and_in_evaluation() {
    let [gamma, beta, mean] = [4, 5, 6].map(|stream| numbers(&[3], stream));
    let variance = like(&numbers(&[3], 7), &[0.5, 1.0, 2.0]);
    let spec = BatchNorm {
        momentum: Momentum::OfOld(0.5),
        ..BatchNorm::default()
    };
    let x = numbers(&[2, 2, 3], 1);
    for is_training in [false, true] {
        let norm = |x: &Tensor, affine: [&Tensor; 2]| {
            let running = [&mean, &variance];
            if is_training {
                x.batch_norm(&spec, affine, running).unwrap()
            } else {
                x.batch_norm_eval(&spec, affine, running).unwrap()
            }
        };
        check_rule(&x, |x| norm(x, [&gamma, &beta]));
        check_rule(&gamma, |gamma| norm(&x, [gamma, &beta]));
        check_rule(&beta, |beta| norm(&x, [&gamma, beta]));
    }
    let batch = x.column_sum().unwrap().to_vec::<f32>().unwrap()[0] / 4.0;
    let running = mean.to_vec::<f32>().unwrap()[0];
    assert!(
        (running - batch).abs() < 1e-5,
        "after many batches {running} is {batch}"
    );
}

#[test]
fn a_bias_gathers_the_rows() {
    let (x, bias) = (numbers(&[3, 5], 1), numbers(&[5], 2));
    for activation in [Activation::None, Activation::Relu] {
        check_rule(&x, |x| x.add_bias(&bias, activation).unwrap());
        check_rule(&bias, |bias| x.add_bias(bias, activation).unwrap());
    }
}

#[test]
fn top_k_orders_ties_and_nan() {
    let mut devices = vec![Device::cpu()];
    devices.extend(Device::open("gpu"));
    for device in devices {
        let x = [1.0, 3.0, 3.0, -0.0, 0.0, f32::NAN, -1.0, f32::INFINITY];
        let x = Tensor::from_slice(&device, &x, [2, 1, 4]).unwrap();
        let (values, positions) = x.top_k(3).unwrap();
        assert_eq!(values.shape()[..], [2, 1, 3], "{}", device.name());
        let positions = positions.to_vec::<u32>().unwrap();
        assert_eq!(positions, [1, 2, 0, 1, 3, 0], "{}", device.name());
        assert!(x.top_k(5).is_err(), "more than there are");
    }
}

#[test]
fn products_of_stored_and_transposed_matrices() {
    for (is_a_transposed, is_b_transposed) in
        [(false, false), (false, true), (true, false), (true, true)]
    {
        let product = MatmulOptions {
            is_a_transposed,
            is_b_transposed,
            alpha: 0.5,
            beta: -1.5,
        };
        let a = numbers(if is_a_transposed { &[3, 2] } else { &[2, 3] }, 1);
        let b = numbers(if is_b_transposed { &[4, 3] } else { &[3, 4] }, 2);
        let c = numbers(&[2, 4], 3);
        check_rule(&a, |a| a.matmul_with(&b, Some(&c), &product).unwrap());
        check_rule(&b, |b| a.matmul_with(b, Some(&c), &product).unwrap());
        check_rule(&c, |c| a.matmul_with(&b, Some(c), &product).unwrap());
        assert!(a.matmul_with(&b, None, &product).is_err(), "beta without C");
        assert!(
            a.matmul_with(&a, Some(&c), &product).is_err(),
            "depths differ"
        );
    }
}

#[test]
fn resizing_spreads_the_gradient_as_it_gathered() {
    let x = numbers(&[2, 5, 4, 3], 1);
    let up = Resize::new([5, 4], [7, 9], 3);
    check_rule(&x, |x| x.resize(&up).unwrap());
    check_rule(&x, |x| x.resize(&up.with_aligned_corners()).unwrap());
    let mut down = Resize::new([5, 4], [2, 3], 3);
    down.is_antialiased = true;
    check_rule(&x, |x| x.resize(&down).unwrap());
}
