//! Devices on which something fails: errors of the right kind, no panic, and a device that works on where it can.

use std::time::Duration;

use kernels::ops::{elementwise, relu};
use kernels::{Device, Error, Fault, Faults, Options};

/// A GPU with these faults, if there is one.
#[expect(clippy::print_stdout, reason = "a test says what it skips")]
fn gpu(options: Options, faults: &Faults) -> Option<Device> {
    match Device::open_with_faults("gpu", options, faults) {
        Ok(device) => Some(device),
        Err(reason) => {
            let is_needed = std::env::var_os("REQUIRE_GPU").is_some();
            assert!(!is_needed, "{reason}");
            println!("skipped on a GPU: {reason}");
            None
        }
    }
}

#[test]
fn a_reading_waits_for_its_own_submission_and_not_for_the_next() {
    // Each launch counts for 1000 x 8 bytes x 20 x 1e6 operations: 160 s.
    let faults = Faults::simulated(1e9, 1_000_000, |_| {});
    let options = Options {
        submission_work: Some(u64::MAX),
        ..Options::default()
    };
    let Some(device) = gpu(options, &faults) else {
        return;
    };
    let x = device.upload(&[1.0_f32; 1000]).unwrap();
    let readings = [1, 2].map(|_| {
        let y = relu::forward(&device, &x).unwrap();
        device.read_later(&y).unwrap()
    });
    assert_eq!(faults.now(), Some(Duration::ZERO), "nothing is waited for");
    for (reading, seconds) in readings.into_iter().zip([160, 320]) {
        let values: Vec<f32> = reading.wait(&device).unwrap();
        assert_eq!(values, [1.0; 1000]);
        assert_eq!(faults.now(), Some(Duration::from_secs(seconds)));
    }
}

#[test]
fn few_long_submissions_are_under_way() {
    let faults = Faults::simulated(1e9, 1_000_000, |_| {});
    let options = Options {
        submission_work: Some(160_000_000_000),
        ..Options::default()
    };
    let Some(device) = gpu(options, &faults) else {
        return;
    };
    let x = device.upload(&[1.0_f32; 1000]).unwrap();
    let (_, recording) = device.capture(|| relu::forward(&device, &x)).unwrap();
    for replay in 1..=10_u64 {
        recording.replay(&device).unwrap();
        // All but two are done by then.
        let waited = Duration::from_secs(160 * replay.saturating_sub(2));
        assert_eq!(faults.now(), Some(waited), "replay {replay}");
    }
}

#[test]
fn an_allocation_that_fails_leaves_a_device_that_works_on() {
    let mut devices = Vec::new();
    for selector in ["cpu", "gpu"] {
        let faults = Faults::default();
        let opened = Device::open_with_faults(selector, Options::default(), &faults);
        devices.extend(opened.map(|device| (device, faults)));
    }
    for (device, faults) in devices {
        // Longer than the memory that small copies share.
        let values = vec![1.0_f32; 100_000];
        let all = || -> kernels::Result<Vec<f32>> {
            device.trim();
            let x = device.upload(&values)?;
            device.write(&x, &values)?;
            let y = elementwise::scale(&device, &x, 2.0)?;
            device.read(&y)
        };
        let mut failed = 0;
        loop {
            let before = faults.occasions(Fault::Allocation);
            faults.plan(Fault::Allocation, failed + 1);
            let result = all();
            if faults.occasions(Fault::Allocation) - before <= failed {
                assert_eq!(result.unwrap(), vec![2.0; 100_000], "{}", device.name());
                break;
            }
            // Memory to copy by is asked for a second time, once what holds it is done.
            match result {
                Err(Error::OutOfMemory { bytes, .. }) => assert!(bytes > 0, "{bytes} bytes"),
                Err(error) => panic!("{}: allocation {failed}: {error}", device.name()),
                Ok(values) => assert_eq!(values, vec![2.0; 100_000], "{}", device.name()),
            }
            failed += 1;
        }
        let least = if device.is_cpu() { 2 } else { 5 };
        assert!(failed >= least, "{}: {failed} allocations", device.name());
    }
}

#[test]
fn a_device_that_goes_while_it_is_waited_for_is_an_error() {
    let faults = Faults::default();
    let Some(device) = gpu(Options::default(), &faults) else {
        return;
    };
    let x = device.upload(&[1.0_f32]).unwrap();
    faults.plan(Fault::Wait, 1);
    let error = device.read::<f32>(&x).unwrap_err();
    assert!(matches!(error, Error::DeviceLost { .. }), "{error}");
    // It stays lost.
    let error = device.synchronize().unwrap_err();
    assert!(matches!(error, Error::DeviceLost { .. }), "{error}");
}

#[test]
fn a_reading_that_fails_is_an_error_of_its_own() {
    let faults = Faults::default();
    let Some(device) = gpu(Options::default(), &faults) else {
        return;
    };
    let x = device.upload(&[1.0_f32]).unwrap();
    faults.plan(Fault::Reading, 1);
    let error = device.read::<f32>(&x).unwrap_err();
    assert!(
        matches!(
            error,
            Error::Gpu {
                context: "reading",
                ..
            }
        ),
        "{error}"
    );
    assert_eq!(device.read::<f32>(&x).unwrap(), [1.0], "the next one");
}

#[test]
fn sizes_that_no_device_has_are_out_of_memory() {
    for device in [
        Some(Device::cpu()),
        gpu(Options::default(), &Faults::default()),
    ] {
        let Some(device) = device else { continue };
        for words in [1 << 50, usize::MAX / 4, usize::MAX] {
            let error = device.alloc(words).unwrap_err();
            assert!(matches!(error, Error::OutOfMemory { .. }), "{error}");
        }
    }
}
