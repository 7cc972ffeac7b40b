//! Devices themselves: memory, transfers, capture and replay, and what they refuse.

use kernels::ops::conv2d::{self, Conv2d};
use kernels::ops::gemm::{self, Gemm, naive_product};
use kernels::ops::window::{Padding, Window};
use kernels::ops::{elementwise, relu};
use kernels::{Activation, Device, Error, Options};

/// The CPU device and, where there is an adapter, a GPU: new ones, so that profiles see this test's launches alone.
#[expect(clippy::print_stdout, reason = "a test says what it skips")]
fn devices() -> Vec<Device> {
    let mut devices = vec![Device::cpu()];
    match Device::open("gpu") {
        Ok(device) => devices.push(device),
        Err(reason) => println!("skipped on a GPU: {reason}"),
    }
    devices
}

#[test]
fn a_replayed_step_sees_what_was_written_before_it() {
    for device in devices() {
        let x = device.upload(&[1.0_f32, -2.0, 3.0]).unwrap();
        let step = || -> kernels::Result<_> {
            let y = relu::forward(&device, &x)?;
            elementwise::add(&device, &y, &x)
        };
        let (sum, recording) = device.capture(step).unwrap();
        assert_eq!(recording.len(), 2, "{}", device.name());
        for input in [[1.0_f32, -2.0, 3.0], [-4.0, 5.0, 0.5]] {
            device.write(&x, &input).unwrap();
            recording.replay(&device).unwrap();
            let want: Vec<f32> = input.iter().map(|v| v.max(0.0) + v).collect();
            assert_eq!(device.read::<f32>(&sum).unwrap(), want, "{}", device.name());
        }
    }
}

#[test]
fn memory_of_a_recording_is_nobody_elses() {
    for device in devices() {
        let x = device.upload(&[1.0_f32; 100]).unwrap();
        let (y, recording) = device
            .capture(|| {
                let temporary = elementwise::scale(&device, &x, 2.0)?;
                elementwise::scale(&device, &temporary, 2.0)
            })
            .map_err(|error: Error| error)
            .unwrap();
        // The temporary is free by now: what is allocated next must not get its memory.
        let other = device.upload(&[7.0_f32; 100]).unwrap();
        recording.replay(&device).unwrap();
        assert_eq!(
            device.read::<f32>(&other).unwrap(),
            [7.0; 100],
            "{}",
            device.name()
        );
        assert_eq!(
            device.read::<f32>(&y).unwrap(),
            [4.0; 100],
            "{}",
            device.name()
        );
    }
}

#[test]
fn a_recording_of_more_dispatches_than_one_parameter_buffer_holds_is_whole() {
    for device in devices() {
        let x = device.upload(&[0.0_f32; 5]).unwrap();
        let one = device.upload(&[1.0_f32; 5]).unwrap();
        let step = || (1..=600).try_for_each(|_| elementwise::axpy(&device, 1.0, &one, &x));
        let ((), recording) = device.capture(step).unwrap();
        recording.replay(&device).unwrap();
        assert_eq!(
            device.read::<f32>(&x).unwrap(),
            [600.0; 5],
            "{}",
            device.name()
        );
        step().unwrap();
        assert_eq!(
            device.read::<f32>(&x).unwrap(),
            [1200.0; 5],
            "{}",
            device.name()
        );
    }
}

#[test]
fn transfers_keep_bytes_and_refuse_what_does_not_fit() {
    for device in devices() {
        let bytes: Vec<u8> = (0..7).collect();
        let buffer = device.upload(&bytes).unwrap();
        assert_eq!(
            device.read::<u8>(&buffer).unwrap(),
            [0, 1, 2, 3, 4, 5, 6, 0],
            "{}",
            device.name()
        );
        assert!(
            device.write(&buffer, &[0_u32; 3]).is_err(),
            "12 bytes into 8"
        );
        let empty = device.upload::<f32>(&[]).unwrap();
        assert!(
            device.read::<f32>(&empty).unwrap().is_empty(),
            "{}",
            device.name()
        );
        assert!(
            buffer.slice(0..9).is_err() && buffer.slice(1..2).is_err(),
            "windows outside or unaligned"
        );
    }
}

#[test]
fn a_buffer_bound_twice_for_writing_and_a_foreign_buffer_are_refused() {
    let cpu = Device::cpu();
    for device in devices() {
        let x = device.upload(&[1.0_f32; 4]).unwrap();
        let aliased = elementwise::axpy(&device, 1.0, &x, &x);
        assert!(matches!(aliased, Err(Error::Aliased { .. })), "{aliased:?}");
        let foreign = relu::forward(&cpu, &x);
        assert!(
            matches!(foreign, Err(Error::ForeignBuffer { .. })),
            "{foreign:?}"
        );
        let short = device.upload(&[1.0_f32; 3]).unwrap();
        let message = elementwise::add(&device, &x, &short)
            .unwrap_err()
            .to_string();
        assert_eq!(
            message,
            "elementwise: b: expected 4 elements, got 3 elements",
            "{}",
            device.name()
        );
    }
}

#[test]
fn transfers_and_captures_are_refused_while_a_step_is_captured() {
    for device in devices() {
        let x = device.upload(&[1.0_f32]).unwrap();
        let result = device.capture(|| -> kernels::Result<()> {
            assert!(
                matches!(device.read::<f32>(&x), Err(Error::Capturing { .. })),
                "read"
            );
            assert!(
                matches!(device.write(&x, &[0_u32]), Err(Error::Capturing { .. })),
                "write"
            );
            let inner = device.capture(|| Ok::<_, Error>(()));
            assert!(matches!(inner, Err(Error::Capturing { .. })), "capture");
            Ok(())
        });
        result.unwrap();
        assert_eq!(
            device.read::<f32>(&x).unwrap(),
            [1.0],
            "{} works afterwards",
            device.name()
        );
    }
}

#[test]
fn memory_over_the_budget_is_an_error_and_freed_memory_is_reused() {
    for selector in ["cpu", "gpu"] {
        let options = Options {
            memory_budget_bytes: Some(1 << 20),
            ..Options::default()
        };
        let Ok(device) = Device::open_with(selector, options) else {
            println!("skipped on {selector}: no adapter");
            continue;
        };
        let error = device.alloc(1 << 20).unwrap_err();
        assert!(
            matches!(
                error,
                Error::OutOfMemory {
                    bytes: 4_194_304,
                    ..
                }
            ),
            "{error}"
        );
        for _ in 0..100 {
            drop(device.alloc(100_000).unwrap());
        }
        let (held, peak) = device.memory();
        assert!(
            held == peak && held < 500_000,
            "{selector}: {held} of {peak} bytes"
        );
        device.trim();
        assert_eq!(device.memory().0, 0, "{selector}");
    }
}

#[test]
fn operands_longer_than_a_binding_are_bound_in_windows() {
    let options = Options {
        max_binding_bytes: Some(1024),
        ..Options::default()
    };
    for selector in ["cpu", "gpu"] {
        let Ok(device) = Device::open_with(selector, options) else {
            println!("skipped on {selector}: no adapter");
            continue;
        };
        let values: Vec<f32> = (0..1000_u16).map(f32::from).collect();
        let x = device.upload(&values).unwrap();
        let y = elementwise::scale(&device, &x, 2.0).unwrap();
        let want: Vec<f32> = values.iter().map(|v| 2.0 * v).collect();
        assert_eq!(device.read::<f32>(&y).unwrap(), want, "{selector}");
    }
}

#[test]
fn a_profile_names_each_kernel_with_its_cost() {
    for device in devices() {
        let x = device.upload(&[1.0_f32; 1000]).unwrap();
        device.start_profile();
        for _ in 0..3 {
            drop(relu::forward(&device, &x).unwrap());
        }
        let profile = device.finish_profile().unwrap();
        let starts: Vec<_> = profile
            .launches
            .iter()
            .map(|launch| launch.start_s)
            .collect();
        assert!(
            starts.len() == 3 && starts[0] == 0.0 && starts.is_sorted(),
            "{}: {starts:?}",
            device.name()
        );
        let times = profile.kernels;
        assert_eq!(times.len(), 1, "{}: {times:?}", device.name());
        let relu = times[0];
        assert_eq!(
            (relu.kernel, relu.calls),
            ("relu_forward", 3),
            "{}",
            device.name()
        );
        assert_eq!((relu.flops, relu.bytes), (3000, 24000), "{}", device.name());
        assert!(
            relu.seconds > 0.0 && relu.seconds < 10.0,
            "{}: {times:?}",
            device.name()
        );
    }
}

#[test]
fn threads_capture_apart_from_each_other() {
    for device in devices() {
        let x = device.upload(&[-1.0_f32, 2.0]).unwrap();
        let (y, recording) = device
            .capture(|| {
                std::thread::scope(|scope| {
                    let eager = scope.spawn(|| {
                        let sum = elementwise::add(&device, &x, &x).unwrap();
                        device.read::<f32>(&sum).unwrap()
                    });
                    assert_eq!(eager.join().unwrap(), [-2.0, 4.0], "{}", device.name());
                });
                relu::forward(&device, &x)
            })
            .unwrap();
        assert_eq!(
            recording.kernels().collect::<Vec<_>>(),
            ["relu_forward"],
            "{}",
            device.name()
        );
        recording.replay(&device).unwrap();
        assert_eq!(
            device.read::<f32>(&y).unwrap(),
            [0.0, 2.0],
            "{}",
            device.name()
        );
    }
}

#[test]
fn the_products_that_benches_compare_are_the_same() {
    let [m, n, k] = [33, 41, 65];
    // Whole numbers up to 3: every sum is exact, in any order.
    let values = |len: usize| -> Vec<f32> { (0..len).map(|i| (i * 5 % 7) as f32 - 3.0).collect() };
    let (a, b) = (values(m * k), values(k * n));
    let element = |i: usize| {
        let terms = (0..k).map(|l| a[i / n * k + l] * b[l * n + i % n]);
        terms.sum::<f32>()
    };
    let want: Vec<f32> = (0..m * n).map(element).collect();
    assert!(
        want.iter().any(|value| *value != 0.0),
        "products of nothing"
    );
    for device in devices() {
        let (a, b) = (device.upload(&a).unwrap(), device.upload(&b).unwrap());
        let naive = naive_product(&device, [m, n, k], &a, &b).unwrap();
        assert_eq!(
            device.read::<f32>(&naive).unwrap(),
            want,
            "{}",
            device.name()
        );
        let tiled = gemm::product(&device, &Gemm::new(m, n, k), &a, &b).unwrap();
        assert_eq!(
            device.read::<f32>(&tiled).unwrap(),
            want,
            "{}",
            device.name()
        );
    }
}

#[test]
fn a_product_of_more_rows_than_a_grid_has_workgroups_for_is_taken_in_parts() {
    // A software rasteriser's tiles have at most 64 rows, and a grid 65,535 of them.
    let rows = 65_535 * 64 + 100;
    for device in devices() {
        let x: Vec<f32> = (0..rows).map(|i| (i % 13) as f32).collect();
        let want: Vec<f32> = x.iter().map(|x| 3.0 * x).collect();
        let (x, w) = (
            device.upload(&x).unwrap(),
            device.upload(&[3.0_f32]).unwrap(),
        );
        let product = gemm::product(&device, &Gemm::new(rows, 1, 1), &x, &w).unwrap();
        assert!(
            device.read::<f32>(&product).unwrap() == want,
            "gemm on {}",
            device.name()
        );
        let conv = Conv2d {
            n: rows,
            input: [1, 1],
            c_in: 1,
            c_out: 1,
            window: Window::new(1, 1, Padding::Valid),
            groups: 1,
        };
        let y = conv2d::forward(&device, &conv, &x, &w, None, Activation::None).unwrap();
        assert!(
            device.read::<f32>(&y).unwrap() == want,
            "forward on {}",
            device.name()
        );
        let dx = conv2d::data_gradient(&device, &conv, &x, &w).unwrap();
        assert!(
            device.read::<f32>(&dx).unwrap() == want,
            "data gradient on {}",
            device.name()
        );
    }
}
