//! Every operator and case, on the CPU device and on a GPU: the proof that `alexnet gradcheck` prints as a table.

#[path = "kernels/device.rs"]
mod device;
#[path = "common/drivers.rs"]
mod drivers;
#[path = "kernels/drivers.rs"]
mod drivers_test;
#[path = "kernels/f16.rs"]
mod f16;
#[path = "kernels/faults.rs"]
mod faults;
#[path = "kernels/nan.rs"]
mod nan;
#[path = "kernels/probe.rs"]
mod probe;
#[path = "kernels/variants.rs"]
mod variants;

use std::sync::{Mutex, OnceLock, PoisonError};

use kernels::{Device, Options, TileKind};
use verify::operators::{Case, Row, check, check_f16, check_twin, gpu, operators};

fn check_all(device: &Device, only: &[&str], run: Check) {
    check_cases(device, only, usize::MAX, run);
}

/// Checks the cases whose forward takes at most `most_flops`.
#[expect(clippy::panic, reason = "a helper of tests: a panic is how it fails")]
fn check_cases(device: &Device, only: &[&str], most_flops: usize, run: Check) {
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
            if case.sizes().forward_flops > most_flops {
                continue;
            }
            let rows = run(&*case, device)
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
    check_all(&Device::cpu(), &[], check);
}

/// What a software rasteriser does in a moment with the slowest tile. Large layers prove nothing more of a tile than these do:
/// edges, several tiles both ways, split and long sums are among the small cases.
const QUICK_FLOPS: usize = 50_000_000;

/// Every tile, the split sums of real GPUs among them, on whatever adapter there is.
#[test]
fn matrix_products_hold_with_every_tile() {
    for (_, device) in tiled() {
        let device = device.lock().unwrap_or_else(PoisonError::into_inner);
        check_cases(&device, &["gemm", "conv2d"], QUICK_FLOPS, check_twin);
        if device.has_f16() {
            check_cases(&device, &["gemm", "conv2d"], QUICK_FLOPS, check_f16);
        }
    }
}

/// For each tile that it can use, a GPU that uses this one alone. Tests take turns with it: what one has compiled, which takes most of
/// their time, the other finds there.
fn tiled() -> &'static [(TileKind, Mutex<Device>)] {
    static DEVICES: OnceLock<Vec<(TileKind, Mutex<Device>)>> = OnceLock::new();
    let open = |tile| Some((tile, Mutex::new(open_with_tile(tile)?)));
    DEVICES.get_or_init(|| TileKind::ALL.into_iter().filter_map(open).collect())
}

/// A GPU that uses this tile alone, if it can.
fn open_with_tile(tile: TileKind) -> Option<Device> {
    let options = Options {
        tile: Some(tile),
        ..Options::default()
    };
    match Device::open_with("gpu", options) {
        // A tile for software rasterisers, which real GPUs can't run.
        Ok(device) if tile == TileKind::Subgroup && !has_subgroups_of_8(&device) => None,
        Ok(device) => Some(device),
        Err(error) => {
            no_gpu(&error.to_string());
            None
        }
    }
}

/// What mixed precision stores in 16 bits. Other tiles have their turn above.
#[test]
fn operators_hold_with_16_bit_floats() {
    if let Some(device) = f16::device() {
        check_cases(&device, &[], QUICK_FLOPS, check_f16);
    }
}

/// The twins are checked in full by the test of the CPU device, so a GPU is compared with them.
type Check = fn(&dyn Case, &Device) -> kernels::Result<Vec<Row>>;

/// Operands cut into windows, by a limit far under any device's.
#[test]
fn operators_hold_when_bindings_are_short() {
    let options = Options {
        // Less than a batch, a dense weight and a gradient of the cases, more than any filter.
        max_binding_bytes: Some(3_600_000),
        ..Options::default()
    };
    let operators = ["column_sum", "conv2d", "elementwise", "gemm", "relu"];
    match Device::open_with("gpu", options) {
        Ok(device) => {
            check_all(&device, &operators, check_twin);
            if device.has_f16() {
                check_cases(&device, &operators, QUICK_FLOPS, check_f16);
            }
        }
        Err(error) => no_gpu(&error.to_string()),
    }
}

fn has_subgroups_of_8(device: &Device) -> bool {
    let adapter = Device::adapters()
        .into_iter()
        .find(|adapter| adapter.name == device.name());
    adapter.is_some_and(|adapter| adapter.subgroup == Some((8, 8)))
}

#[test]
fn operators_hold_on_a_gpu() {
    match gpu() {
        Ok(device) => check_all(&device, &[], check_twin),
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
            // Of pools, windows are whole images, so one of AlexNet-small's has to fit.
            let case_idx = match operator.stem {
                "adam" | "ema" | "batch_norm" | "clip_grad_norm" | "elementwise" | "lrn"
                | "reduce" | "sgd" => 0,
                "max_pool" | "avg_pool" => 2,
                _ => continue,
            };
            let (line, case) = &operator.cases().expect("the case files parse")[case_idx];
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
