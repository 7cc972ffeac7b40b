//! Every operator and case, on the CPU device and on a GPU: the proof that `alexnet gradcheck` prints as a table.

#[path = "kernels/device.rs"]
mod device;

use kernels::Device;
use kernels::testing::{check, gpu, operators};

#[expect(clippy::panic, reason = "a helper of tests: a panic is how it fails")]
fn check_all(device: &Device) {
    let mut failures = Vec::new();
    let filter = std::env::var("OP").ok();
    for operator in operators() {
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
    check_all(&Device::cpu());
}

#[test]
fn operators_hold_on_a_gpu() {
    match gpu() {
        Ok(device) => check_all(&device),
        Err(reason) if std::env::var("REQUIRE_GPU").is_ok_and(|v| v == "1") => {
            panic!("REQUIRE_GPU=1: {reason}")
        }
        Err(reason) => println!("skipped on a GPU: {reason}"),
    }
}
