//! Mixed precision: how far its gradients are from those in 32 bits, that a run learns, is resumed with the same bits, and gets
//! over an overflow; and what a device without f16 says.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};

use data::{DataSet, Shapes10};
use model::{Architecture, Mode, Network};
use tensor::Device;
use tensor::ops::cross_entropy::CrossEntropy;
use tensor::update::{LossScale, Norm, Sgd, StepBuffer, StepScalars, clip_grad_norm, sgd_step};
use tensor::{DType, Gradients, Tensor};
use train::{Error, Event, Precision, Recipe, RunDir, Trainer};

use super::{assert_same_run, gpu};

const IMAGES: usize = 16;

fn recipe() -> Recipe {
    let mut recipe = Recipe::named("shapes10").unwrap();
    (recipe.epochs, recipe.batch_size) = (2, IMAGES);
    recipe.precision = Precision::F16;
    // The network's own weights: they begin with a large loss, of which few steps show much.
    recipe.init = train::InitKind::Network;
    recipe
}

fn data() -> DataSet {
    let set = Shapes10::default().with_sizes(6 * IMAGES, 20, 20);
    set.generate().unwrap()
}

/// The GPU, if it has f16.
#[expect(clippy::print_stdout, reason = "a test says what it skips")]
fn gpu_with_f16() -> Option<Device> {
    let gpu = gpu()?;
    if gpu.has_f16() {
        return Some(gpu);
    }
    println!("skipped: {} has no f16", gpu.name());
    None
}

/// The loss and the gradients of a network on one batch, with its images of these floats and the loss multiplied by `scale`.
fn gradients(network: &Network, dtype: DType, scale: f32) -> (f32, Gradients) {
    let device = network.device();
    let size = network.architecture().input_size();
    let images = tensor::random::normal(
        device,
        [IMAGES, size, size, 3],
        1.0,
        tensor::random::Philox::default(),
    );
    let labels: Vec<u32> = (0..10).cycle().take(IMAGES).collect();
    let labels = Tensor::from_slice(device, &labels, [IMAGES]).unwrap();
    let step = StepBuffer::new(device, &StepScalars::new(3, 1, 0.1)).unwrap();
    let mode = Mode::Train { step: &step };
    let images = images.unwrap().cast(dtype).unwrap();
    let logits = network.forward(&images, mode).unwrap();
    assert_eq!(logits.dtype(), DType::F32, "logits are of 32 bits");
    let loss = logits
        .cross_entropy(&labels, &CrossEntropy::default())
        .unwrap();
    let gradients = loss.scale(scale).unwrap().backward().unwrap();
    (loss.to_vec::<f32>().unwrap()[0], gradients)
}

/// How far the gradient of each layer in 16 bits may be from that in 32, as Euclidean norms.
///
/// A rounding is `2^-11 / sqrt(3)` = 2.8e-4 in the root mean square, so what reaches a layer is off by some 6e-4 of its standard deviation.
/// That moves units across ReLU's kink, where a normal variable has density 0.4: 0.4 * 0.8 * 6e-4 * 2 = 4e-4 of the active ones,
/// each wrong by all of its gradient, sqrt(2 * 4e-4) = 2.8e-2 in the norm. And it moves maxima of pools to a neighbour: the gap
/// between the two largest of nine has a density of about 2 at zero, so 2 * 0.8 * 6e-4 = 1e-3 of them, wrong in two places,
/// 4.5e-2. Rectifying six times and pooling three times adds up to sqrt(6 * 2.8e-2^2 + 3 * 4.5e-2^2) = 0.10; twice this is let pass. A rule that forgets
/// a term or a factor is off by 0.5 at least.
const FAR: f64 = 0.2;

#[test]
fn gradients_are_close_to_those_in_32_bits() {
    let Some(device) = gpu_with_f16() else { return };
    // With LRN and dropout, and with batch norm.
    for name in ["alexnet-small", "alexnet-cifar"] {
        let architecture = Architecture::new(name, None, None).unwrap();
        let network = Network::new(architecture, 5, &device).unwrap();
        let scale = 1024.0;
        let (loss, exact) = gradients(&network, DType::F32, 1.0);
        let (rounded_loss, rounded) = gradients(&network, DType::F16, scale);
        assert!(
            (loss - rounded_loss).abs() < 1e-2 * loss,
            "{name}: {loss}, {rounded_loss}"
        );
        // Weights and bias of a layer together: that of a bias before batch norm is zero, and what is there is rounding.
        let mut layers: BTreeMap<&str, [f64; 2]> = BTreeMap::new();
        for (parameter, tensor) in network.parameters() {
            let Some(exact) = exact.get(tensor) else {
                continue;
            };
            let rounded = rounded.get(tensor).expect("the same parameters have one");
            assert_eq!(rounded.dtype(), DType::F32, "{name}: {parameter}");
            let [exact, rounded] = [exact, rounded].map(|it| it.to_vec::<f32>().unwrap());
            let square = |x: f32| f64::from(x) * f64::from(x);
            let layer = parameter.split('.').next().unwrap_or_default();
            let [apart, length] = layers.entry(layer).or_default();
            let pairs = exact.iter().zip(&rounded);
            *apart += pairs.map(|(a, b)| square(a - b / scale)).sum::<f64>();
            *length += exact.iter().copied().map(square).sum::<f64>();
        }
        for (layer, [apart, length]) in layers {
            let far = (apart / length).sqrt();
            assert!(far < FAR, "{name}: {layer}: {far}");
        }
    }
}

#[test]
fn a_gradient_that_overflows_skips_the_step_and_lowers_the_scale() {
    for device in [Some(Device::cpu()), gpu()].into_iter().flatten() {
        let tensor = |values: &[f32]| Tensor::from_slice(&device, values, [values.len()]).unwrap();
        let (weights, state) = (tensor(&[1.0, 2.0]), LossScale::new(&device).unwrap());
        let step = StepBuffer::new(&device, &StepScalars::new(0, 1, 0.5)).unwrap();
        let update = |gradient: &[f32]| {
            let gradient = tensor(gradient);
            let clip = clip_grad_norm(&[&gradient], f32::INFINITY, Norm::Two).unwrap();
            state.update(&clip.total, f32::INFINITY).unwrap();
            let scale = Some(&state.factor);
            sgd_step(&Sgd::default(), &weights, &gradient, None, &step, scale).unwrap();
            let [scale] = state.scale.to_vec::<f32>().unwrap()[..] else {
                panic!("one scale")
            };
            (weights.to_vec::<f32>().unwrap(), scale)
        };
        let name = device.name();
        for (overflow, scale) in [(f32::INFINITY, 32768.0), (f32::NAN, 16384.0)] {
            assert_eq!(update(&[0.0, overflow]), (vec![1.0, 2.0], scale), "{name}");
        }
        // Scaled by 16,384, a gradient of 2 moves the first weight by half of that.
        let moved = update(&[2.0 * 16384.0, 0.0]);
        assert_eq!(moved, (vec![0.0, 2.0], 16384.0), "{name}");
    }
}

/// Runs into `folder`, or goes on there, and is stopped after `stop_at` steps of the whole run.
fn run(folder: &Path, device: &Device, stop_at: u64) -> Vec<f64> {
    let mut trainer = Trainer::new(recipe(), data(), device).unwrap();
    if folder.exists() {
        trainer.resume(RunDir::open(folder).unwrap()).unwrap();
    } else {
        let dir = RunDir::create(folder, trainer.recipe()).unwrap();
        trainer.save_to(dir).unwrap();
    }
    let (stop, mut losses) = (AtomicBool::new(false), Vec::new());
    let mut listener = |event: Event<'_>| {
        if let Event::Step(step) = event {
            losses.push(step.loss);
            stop.store(step.step == stop_at, Ordering::Relaxed);
        }
    };
    drop(trainer.run(&stop, &mut listener).unwrap());
    losses
}

#[test]
fn a_run_learns_and_is_resumed_with_the_same_bits() {
    let Some(device) = gpu_with_f16() else { return };
    let root = tempfile::tempdir().unwrap();
    let [whole, parts] = ["whole", "parts"].map(|name| root.path().join(name));
    let losses = run(&whole, &device, u64::MAX);
    let (first, last) = (losses[0], losses[losses.len() - 1]);
    assert!(last < first, "{losses:?}");
    run(&parts, &device, 4);
    run(&parts, &device, u64::MAX);
    assert_same_run(&whole, &parts, "stopped in mixed precision");
    let saved = std::fs::read(whole.join("checkpoints/last/optimizer.safetensors")).unwrap();
    let has_scale = saved.windows(10).any(|part| part == b"loss_scale");
    assert!(has_scale, "the scale is part of what a run goes on from");
}

#[test]
fn a_device_without_16_bit_floats_is_an_error() {
    let error = Trainer::new(recipe(), data(), &Device::cpu()).unwrap_err();
    assert!(matches!(error, Error::Setting { .. }), "{error}");
    let message = error.to_string();
    assert!(
        message.contains("precision: expected f32 on cpu ("),
        "{message}"
    );
}
