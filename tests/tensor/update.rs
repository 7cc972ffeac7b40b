//! Optimizers and mixing inside a captured step: a replay sees the scalars that were written before it.

use tensor::pixels::{Augment, Beside, Crop, augment, can_be_resident, mix};
use tensor::update::{
    Adam, Mix, Norm, Sgd, StepBuffer, StepScalars, adam_step, clip_grad_norm, sgd_step,
};
use tensor::{DType, Device, DeviceOptions, Tensor};

fn vector(device: &Device, values: &[f32]) -> Tensor {
    Tensor::from_slice(device, values, [values.len()]).unwrap()
}

fn scalars(step: u32) -> StepScalars {
    let rate = if step == 1 { 0.5 } else { 0.125 };
    StepScalars::new(3, step, rate).with_betas(0.9, 0.999)
}

/// Two steps of clipped momentum and of Adam, by calling the operators or by replaying them.
fn two_steps(device: &Device, is_captured: bool) -> [Vec<f32>; 2] {
    let gradient = vector(device, &[3.0, 4.0, -12.0]);
    let parameters = [(); 2].map(|()| vector(device, &[1.0, -2.0, 0.5]));
    let zeros = || vector(device, &[0.0; 3]);
    let (velocity, mean, variance) = (zeros(), zeros(), zeros());
    let step = StepBuffer::new(device, &scalars(1)).unwrap();
    let sgd = Sgd {
        momentum: 0.9,
        ..Sgd::default()
    };
    let update = || -> tensor::Result<()> {
        let clip = clip_grad_norm(&[&gradient], 1.0, Norm::Two)?;
        let scale = Some(&clip.factor);
        sgd_step(
            &sgd,
            &parameters[0],
            &gradient,
            Some(&velocity),
            &step,
            scale,
        )?;
        let moments = [&mean, &variance];
        adam_step(
            &Adam::default(),
            &parameters[1],
            &gradient,
            moments,
            &step,
            scale,
        )
    };
    if is_captured {
        let ((), recording) = device.capture(update).unwrap();
        for t in [1, 2] {
            step.write(&scalars(t)).unwrap();
            recording.replay(device).unwrap();
        }
    } else {
        for t in [1, 2] {
            step.write(&scalars(t)).unwrap();
            update().unwrap();
        }
    }
    parameters.map(|parameter| parameter.to_vec().unwrap())
}

#[test]
fn replayed_updates_see_the_rate_and_the_step() {
    let eager = two_steps(&Device::cpu(), false);
    assert_eq!(two_steps(&Device::cpu(), true), eager, "the same bits");
    // The clipped gradient is g / 13: the velocities are g / 13 and 1.9 g / 13.
    let moved = (0.5 + 0.125 * 1.9) / 13.0;
    for (got, (start, g)) in eager[0].iter().zip([(1.0, 3.0), (-2.0, 4.0), (0.5, -12.0)]) {
        assert!((got - (start - moved * g)).abs() < 1e-6, "{got}");
    }
    // Adam's steps are the rate against the gradient's sign, whatever its size.
    for (got, (start, sign)) in eager[1].iter().zip([(1.0, 1.0), (-2.0, 1.0), (0.5, -1.0)]) {
        assert!((got - (start - 0.625 * sign)).abs() < 1e-5, "{got}");
    }
}

#[test]
fn a_batch_is_mixed_as_each_step_says() {
    let device = Device::cpu();
    let x = Tensor::from_slice(&device, &[0.0_f32, 4.0], [2, 1, 1, 1]).unwrap();
    let labels = Tensor::from_slice(&device, &[0_u32, 1], [2]).unwrap();
    let step = StepBuffer::new(&device, &StepScalars::new(0, 1, 0.0)).unwrap();
    let ((y, targets), recording) = device.capture(|| mix(&x, &labels, 2, &step)).unwrap();
    for (mix, images, shares) in [
        (Mix::None, [0.0, 4.0], [1.0, 0.0, 0.0, 1.0]),
        (
            Mix::Mixup { share: 0.75 },
            [1.0, 3.0],
            [0.75, 0.25, 0.25, 0.75],
        ),
        (Mix::Cutmix { share: 0.0 }, [4.0, 0.0], [0.0, 1.0, 1.0, 0.0]),
    ] {
        let scalars = StepScalars {
            mix,
            ..StepScalars::new(0, 1, 0.0)
        };
        step.write(&scalars).unwrap();
        recording.replay(&device).unwrap();
        assert_eq!(y.to_vec::<f32>().unwrap(), images, "{mix:?}");
        assert_eq!(targets.to_vec::<f32>().unwrap(), shares, "{mix:?}");
    }
}

#[test]
fn augmentation_depends_on_the_sample_and_the_step_alone() {
    let device = Device::cpu();
    let bytes: Vec<u8> = (0..=255).cycle().take(2 * 8 * 8 * 3).collect();
    let pixels = Tensor::from_slice(&device, &bytes, [2, 8, 8, 3]).unwrap();
    let mut spec = Augment::plain([8, 8], [8, 8], [0.5; 3], [0.25; 3]);
    spec.crop = Crop::Random {
        resized: [8, 8],
        pad: 4,
    };
    spec.flip = 0.5;
    let images = |samples: [u32; 2], step: u32| {
        let samples = Tensor::from_slice(&device, &samples, [2]).unwrap();
        let step = StepBuffer::new(&device, &StepScalars::new(5, step, 0.0)).unwrap();
        let y = augment(&spec, &pixels, &samples, &step).unwrap();
        assert_eq!(y.dtype(), DType::F32, "floats");
        y.to_vec::<f32>().unwrap()
    };
    let first = images([7, 9], 1);
    assert_eq!(images([7, 9], 1), first, "the same bits again");
    assert_eq!(
        images([7, 8], 1)[..192],
        first[..192],
        "whatever is beside it"
    );
    assert_ne!(images([7, 9], 2), first, "another step");
    assert_ne!(images([8, 9], 1)[..192], first[..192], "another sample");
}

#[test]
fn alternating_flips_show_each_image_both_ways_in_two_epochs() {
    const IMAGES: usize = 200;
    for device in devices() {
        // Black on the left, white on the right.
        let bytes = [0_u8, 0, 0, 255, 255, 255].repeat(IMAGES);
        let pixels = Tensor::from_slice(&device, &bytes, [IMAGES, 1, 2, 3]).unwrap();
        let mut spec = Augment::plain([1, 2], [1, 2], [0.0; 3], [1.0; 3]);
        spec.alternates = true;
        let samples: Vec<u32> = (0..).take(IMAGES).collect();
        let samples = Tensor::from_slice(&device, &samples, [IMAGES]).unwrap();
        let mirrored = |seed: u64, step: u32, epoch: u32| -> Vec<bool> {
            let scalars = StepScalars {
                epoch,
                ..StepScalars::new(seed, step, 0.0)
            };
            let step = StepBuffer::new(&device, &scalars).unwrap();
            let y = augment(&spec, &pixels, &samples, &step).unwrap();
            let y: Vec<f32> = y.to_vec().unwrap();
            y.chunks(6).map(|image| image[0] > 0.5).collect()
        };
        let first = mirrored(7, 1, 0);
        assert_eq!(mirrored(7, 9, 0), first, "whatever the step");
        let other: Vec<bool> = first.iter().map(|is_mirrored| !is_mirrored).collect();
        assert_eq!(mirrored(7, 10, 1), other, "the next epoch");
        assert_eq!(mirrored(7, 30, 2), first, "the one after it");
        assert_eq!(mirrored(7, 40, 3), other);
        // Five standard deviations of a binomial.
        let n = first.iter().filter(|is_mirrored| **is_mirrored).count();
        assert!((65..=135).contains(&n), "{n} of {IMAGES}");
        assert_ne!(mirrored(8, 1, 0), first, "another seed");
    }
}

#[test]
fn a_reflection_does_not_repeat_the_edge_and_reaches_no_further_than_the_image() {
    for device in devices() {
        // Grey images of three by four pixels: ten times the row and the column.
        let bytes: Vec<u8> = (0..3)
            .flat_map(|row| (0..4).map(move |column| 10 * row + column))
            .collect();
        let pixels = Tensor::from_slice(&device, &bytes, [1, 3, 4, 1]).unwrap();
        let samples = Tensor::from_slice(&device, &[0_u32], [1]).unwrap();
        let step = StepBuffer::new(&device, &StepScalars::new(5, 1, 0.0)).unwrap();
        let of = |by: [i32; 2]| {
            let mut spec = Augment::plain([3, 4], [3, 4], [0.0], [1.0 / 255.0]);
            spec.beside = Beside::Reflection;
            spec.crop = Crop::Shifted {
                resized: [3, 4],
                by,
            };
            augment(&spec, &pixels, &samples, &step).map(|y| {
                let y: Vec<f32> = y.to_vec().unwrap();
                y.iter().map(|v| v.round()).collect::<Vec<f32>>()
            })
        };
        // Rows 2 1 0, columns 3 2 1 0; rows 2 1 0, columns 1 2 3 2.
        let expected = [23_u8, 22, 21, 20, 13, 12, 11, 10, 3, 2, 1, 0].map(f32::from);
        assert_eq!(of([-2, -3]).unwrap(), expected, "{}", device.name());
        let expected = [21_u8, 22, 23, 22, 11, 12, 13, 12, 1, 2, 3, 2].map(f32::from);
        assert_eq!(of([2, 1]).unwrap(), expected, "{}", device.name());
        for by in [[-3, 0], [3, 0], [0, -4], [0, 4]] {
            let message = of(by).unwrap_err().to_string();
            assert!(message.contains("beside"), "{message}");
        }
    }
}

fn devices() -> Vec<Device> {
    let mut devices = vec![Device::cpu()];
    devices.extend(Device::open("gpu"));
    devices
}

#[test]
fn images_of_a_resident_data_set_are_those_of_a_batch_bit_for_bit() {
    const IMAGES: usize = 50;
    const LEN: usize = 7 * 9 * 3;
    let all: Vec<u8> = (0..=255).cycle().take(IMAGES * LEN).collect();
    // The first and the last, one twice, and two places that are padding.
    let samples = [0, 49, 7, 7, 50, u32::MAX, 31];
    let n = samples.len();
    let taken = samples.map(|sample| match all.get(LEN * sample as usize..) {
        Some(image) if !image.is_empty() => image[..LEN].to_vec(),
        _ => vec![0; LEN],
    });
    let plain = Augment {
        flip: 0.5,
        contrast: 0.3,
        ..Augment::plain([7, 9], [7, 9], [0.5, 0.4, 0.3], [0.25; 3])
    };
    let area = Crop::Area {
        share: [0.2, 1.0],
        ratio: [0.75, 1.3],
    };
    for device in devices() {
        let pixels = Tensor::empty(&device, [IMAGES, 7, 9, 3], DType::U8).unwrap();
        for first in (0..all.len()).step_by(2048) {
            let piece = &all[first..all.len().min(first + 2048)];
            pixels.write_from(first, piece).unwrap();
        }
        assert_eq!(pixels.to_vec::<u8>().unwrap(), all, "{}", device.name());
        let batch = Tensor::from_slice(&device, &taken.concat(), [n, 7, 9, 3]).unwrap();
        let numbers = Tensor::from_slice(&device, &samples, [n]).unwrap();
        let step = StepBuffer::new(&device, &StepScalars::new(5, 3, 0.0)).unwrap();
        for crop in [plain.crop, area] {
            let of_batch = Augment { crop, ..plain };
            let of_all = Augment {
                resident: Some(IMAGES),
                ..of_batch
            };
            let expected = augment(&of_batch, &batch, &numbers, &step).unwrap();
            let ours = augment(&of_all, &pixels, &numbers, &step).unwrap();
            let bits = |x: &Tensor| -> Vec<u32> {
                let values = x.to_vec::<f32>().unwrap().into_iter();
                values.map(f32::to_bits).collect()
            };
            assert!(
                bits(&ours) == bits(&expected),
                "{crop:?} on {}",
                device.name()
            );
            assert!(
                augment(&of_all, &batch, &numbers, &step).is_err(),
                "too few"
            );
        }
    }
}

#[test]
fn pieces_that_would_touch_their_neighbours_are_refused() {
    let x = Tensor::empty(&Device::cpu(), [1000], DType::U8).unwrap();
    for (first, len) in [(1, 255), (0, 255), (256, 512), (768, 232)] {
        let is_good = (first, len) == (256, 512) || first + len == 1000;
        let written = x.write_from(first, &vec![1_u8; len]);
        assert_eq!(written.is_ok(), is_good, "{first} {len}: {written:?}");
    }
    assert!(x.write_from(768, &[1_u8; 233]).is_err(), "one too many");
    assert!(x.write_from(0, &[1.0_f32; 64]).is_err(), "of another type");
}

#[test]
fn a_data_set_is_resident_where_one_binding_holds_it() {
    let cpu = Device::cpu();
    assert!(can_be_resident(&cpu, 60_000, 32 * 32 * 3), "CIFAR");
    assert!(!can_be_resident(&cpu, 1 << 25, 3), "too many");
    assert!(
        !can_be_resident(&cpu, 1_281_167, 256 * 256 * 3),
        "too large"
    );
    let options = DeviceOptions {
        max_binding_bytes: Some(3 * 32 * 32 * 100),
        ..DeviceOptions::default()
    };
    if let Ok(gpu) = Device::open_with("gpu", options) {
        assert!(can_be_resident(&gpu, 100, 32 * 32 * 3), "just so");
        assert!(!can_be_resident(&gpu, 101, 32 * 32 * 3), "one too many");
    }
}
