//! Whole networks at their own layer shapes: every parameter's gradient against the loss's slope, and a training step on
//! a GPU against the same step on the CPU device.

#![expect(clippy::unwrap_used, reason = "the helpers of tests fail the test")]

use train::model::Architecture;
use train::{Device, proof};

fn check(network: &str, selector: &str) {
    let architecture = Architecture::new(network, None, None).unwrap();
    let device = match Device::open(selector) {
        Ok(device) => device,
        Err(error) => {
            assert!(
                std::env::var("REQUIRE_GPU").as_deref() != Ok("1"),
                "REQUIRE_GPU=1: {error}"
            );
            return;
        }
    };
    let mut rows = Vec::new();
    proof::network(&architecture, &device, |row| rows.push(row)).unwrap();
    let checks = if device.is_cpu() { 1 } else { 2 };
    assert_eq!(
        rows.len(),
        16 * checks,
        "a weight and a bias in each of eight layers"
    );
    let failed: Vec<_> = rows.iter().filter(|row| !row.passed).collect();
    assert!(
        failed.is_empty(),
        "{network} on {}: {failed:#?}",
        device.name()
    );
}

#[test]
fn alexnet_small_holds_on_the_cpu_device() {
    check("alexnet-small", "cpu");
}

#[test]
fn alexnet_small_holds_on_a_gpu() {
    check("alexnet-small", "gpu");
}

/// The 2012 paper's network: two towers, 61 million parameters, a fc6 of 144 MiB that must be bound in windows where a
/// binding is 128 MiB at most.
#[test]
fn the_papers_alexnet_holds_on_a_gpu() {
    check("alexnet", "gpu");
}
