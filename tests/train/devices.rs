//! The same losses on every device.

use std::sync::atomic::AtomicBool;

use tensor::{Device, DeviceOptions, Winograd};
use train::{Event, Recipe, Trainer};

use super::drivers::{rerun_on_newer_mesa, rerun_on_swiftshader};
use super::{data, gpu, recipe};

/// The losses of each step of a run of `epochs` of 4 steps.
///
/// With the full rate from the first step, Adam on this network is chaotic: a change of one image channel by 4e-7 alters
/// the loss by 1e-2 within ten steps, on one device. Behind a warm-up, what differs between devices stays what it was.
fn losses(device: &Device, epochs: u64) -> Vec<f64> {
    losses_of(recipe(), device, epochs)
}

/// The same of another network.
fn losses_of(mut recipe: Recipe, device: &Device, epochs: u64) -> Vec<f64> {
    (recipe.epochs, recipe.batch_size) = (epochs, 16);
    recipe.schedule.warmup_steps = 1000;
    let mut trainer = Trainer::new(recipe, data(), device).unwrap();
    let mut losses = Vec::new();
    let mut listener = |event: Event<'_>| {
        if let Event::Step(step) = event {
            losses.push(step.loss);
        }
    };
    trainer.run(&AtomicBool::new(false), &mut listener).unwrap();
    losses
}

/// What the other drivers run: SwiftShader takes seconds a step.
#[test]
fn the_first_losses_agree_on_this_driver() {
    let Some(gpu) = gpu() else { return };
    println!("device: {}", gpu.name());
    let (ours, theirs) = (losses(&Device::cpu(), 1), losses(&gpu, 1));
    // A real GPU is read every few steps, and tells the mean of them.
    let n_read = if gpu.is_software() { 4 } else { 1 };
    assert_eq!((ours.len(), theirs.len()), (4, 4), "one loss a step");
    for (idx, (a, b)) in ours.iter().zip(&theirs).enumerate().take(n_read) {
        let far = ((a - b) / a).abs();
        assert!(far < 1e-3, "step {}: cpu {a}, gpu {b}", idx + 1);
    }
}

const FIRST_LOSSES: &str = "devices::the_first_losses_agree_on_this_driver";

#[test]
fn the_first_losses_agree_on_swiftshader() {
    rerun_on_swiftshader(FIRST_LOSSES);
}

#[test]
fn the_first_losses_agree_on_a_newer_lavapipe() {
    rerun_on_newer_mesa(FIRST_LOSSES);
}

#[test]
fn the_first_losses_agree_between_cpu_and_gpu() {
    let Some(gpu) = gpu() else { return };
    let (ours, theirs) = (losses(&Device::cpu(), 5), losses(&gpu, 5));
    assert_eq!(ours.len(), 20, "one loss a step");
    // A GPU that is read every few steps repeats the last loss in between.
    let is_read = |idx: usize| idx == 0 || theirs[idx].to_bits() != theirs[idx - 1].to_bits();
    for (idx, (a, b)) in ours.iter().zip(&theirs).enumerate() {
        let far = ((a - b) / a).abs();
        assert!(
            far < 1e-3 || (!gpu.is_software() && !is_read(idx)),
            "step {}: cpu {a}, gpu {b}",
            idx + 1
        );
    }
}

/// By Winograd's transforms and directly, on the CPU device and on a GPU.
#[test]
fn transformed_convolutions_learn_the_same() {
    let options = DeviceOptions {
        winograd: Winograd::Auto,
        ..DeviceOptions::default()
    };
    let transforming = |name| Device::open_with(name, options).unwrap();
    // Of small images the CPU device transforms nothing, as filters would take longer.
    let losses = |device: &Device| {
        let recipe = Recipe {
            network: "alexnet-cifar".to_owned(),
            ..recipe()
        };
        losses_of(recipe, device, 5)
    };
    let direct = losses(&Device::cpu());
    let mut devices = vec![transforming("cpu")];
    devices.extend(gpu().map(|_| transforming("gpu")));
    for device in devices {
        let losses = losses(&device);
        assert_eq!(losses.len(), 20, "one loss a step");
        assert_ne!(losses, direct, "{}: nothing was transformed", device.name());
        let n_read = if device.is_cpu() || device.is_software() {
            20
        } else {
            1
        };
        for (idx, (a, b)) in direct.iter().zip(&losses).enumerate().take(n_read) {
            let far = ((a - b) / a).abs();
            assert!(
                far < 1e-3,
                "{}, step {}: {a} and {b}",
                device.name(),
                idx + 1
            );
        }
    }
}

/// The paths of a real GPU, on whatever adapter there is: its tiles, split sums, and losses that are read every few steps.
#[test]
fn a_large_gpu_learns_the_same_and_tells_of_its_loss_from_the_first_step_on() {
    let options = DeviceOptions {
        is_large_gpu: true,
        ..DeviceOptions::default()
    };
    let Ok(large) = Device::open_with("gpu", options) else {
        assert!(gpu().is_none(), "a GPU that opens only without");
        return;
    };
    let (ours, theirs) = (losses(&Device::cpu(), 5), losses(&large, 5));
    assert_eq!(theirs.len(), 20, "one loss a step");
    let mut fresh = 0;
    for (idx, (a, b)) in ours.iter().zip(&theirs).enumerate() {
        let is_read = idx == 0 || b.to_bits() != theirs[idx - 1].to_bits();
        let far = ((a - b) / a).abs();
        assert!(b.is_finite(), "step {}: {b}", idx + 1);
        // A loss that is read later is the mean of several steps.
        assert!(idx > 0 || far < 1e-3, "step 1: cpu {a}, gpu {b}");
        fresh += usize::from(is_read);
    }
    assert!(fresh > 2, "it is read now and then: {theirs:?}");
    let last = |losses: &[f64]| losses[losses.len() - 4..].iter().sum::<f64>() / 4.0;
    let (a, b) = (last(&ours), last(&theirs));
    assert!(
        ((a - b) / a).abs() < 0.1,
        "the last steps: cpu {a}, gpu {b}"
    );
}
