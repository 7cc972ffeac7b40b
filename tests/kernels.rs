//! Every operator and case, on the CPU device and on a GPU: the proof that `alexnet gradcheck` prints as a table.

#[path = "kernels/device.rs"]
mod device;

use kernels::testing::{check, gpu, operators};
use kernels::{Device, Options};

#[expect(clippy::panic, reason = "a helper of tests: a panic is how it fails")]
fn check_all(device: &Device, only: &[&str]) {
    let mut failures = Vec::new();
    let filter = std::env::var("OP").ok();
    for operator in operators() {
        if !only.is_empty() && !only.contains(&operator.stem) {
            continue;
        }
        if filter
            .as_deref()
            .is_some_and(|wanted| wanted != operator.stem)
        {
            continue;
        }
        for (line, case) in operator.cases().expect("the case files parse") {
            let rows = check(&*case, device)
                .unwrap_or_else(|error| panic!("{}: {line}: {error}", operator.stem));
            for row in rows.iter().filter(|row| !row.passed) {
                failures.push(format!(
                    "{}: {line}: {}: error {:.3e} > {:.3e} {}",
                    operator.stem, row.check, row.error, row.tolerance, row.note
                ));
            }
        }
    }
    let hint = "reproduce one operator with OP=<stem> cargo test -p kernels --test kernels";
    assert!(
        failures.is_empty(),
        "on {}:\n{}\n{hint}",
        device.name(),
        failures.join("\n")
    );
}

#[test]
fn operators_hold_on_the_cpu_device() {
    check_all(&Device::cpu(), &[]);
}

/// The tiles in workgroup memory and the split sums of real GPUs, on whatever adapter there is.
#[test]
fn matrix_products_hold_with_the_tiles_of_real_gpus() {
    let options = Options {
        is_hardware_assumed: true,
        ..Options::default()
    };
    match Device::open_with("gpu", options) {
        Ok(device) => check_all(&device, &["gemm", "conv2d"]),
        Err(error) => no_gpu(&error.to_string()),
    }
}

#[test]
fn operators_hold_on_a_gpu() {
    match gpu() {
        Ok(device) => check_all(&device, &[]),
        Err(reason) => no_gpu(&reason),
    }
}

/// fc6 of AlexNet is longer than a binding may be: what is bound in windows must not depend on where they end.
#[test]
fn long_buffers_are_worked_on_window_by_window() {
    let options = Options {
        max_binding_bytes: Some(64 * 1024),
        ..Options::default()
    };
    let devices = ["cpu", "gpu"].map(|selector| Device::open_with(selector, options));
    for device in devices.iter().flatten() {
        for operator in operators() {
            if !["adam", "clip_grad_norm", "elementwise", "sgd"].contains(&operator.stem) {
                continue;
            }
            let (line, case) = &operator.cases().expect("the case files parse")[0];
            for row in check(&**case, device).expect("windows fit in bindings") {
                assert!(row.passed, "{}: {line}: {row:?}", operator.stem);
            }
        }
    }
}

/// Says that a test had no GPU to run on; fails where one is required.
#[expect(clippy::print_stdout, reason = "a test says what it skips")]
fn no_gpu(reason: &str) {
    assert!(
        std::env::var("REQUIRE_GPU").as_deref() != Ok("1"),
        "REQUIRE_GPU=1: {reason}"
    );
    println!("skipped on a GPU: {reason}");
}
