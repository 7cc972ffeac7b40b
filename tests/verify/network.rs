//! Whole networks at their own layer shapes: every parameter's gradient against the loss's slope, and a training step on
//! a GPU against the same step on the CPU device.

use model::Architecture;
use tensor::Device;
use verify::network::{self, NetworkRow};

type Proof = fn(&Architecture, &Device, &mut dyn FnMut(NetworkRow)) -> verify::Result<()>;

fn check(name: &str, selector: &str, proof: Proof) {
    let architecture = Architecture::new(name, None, None).unwrap();
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
    proof(&architecture, &device, &mut |row| rows.push(row)).unwrap();
    assert_eq!(
        rows.len(),
        16,
        "a weight and a bias in each of eight layers"
    );
    let failed: Vec<_> = rows.iter().filter(|row| !row.passed).collect();
    assert!(
        failed.is_empty(),
        "{name} on {}: {failed:#?}",
        device.name()
    );
}

#[test]
fn the_gradients_of_alexnet_small_are_the_losss_slopes() {
    check("alexnet-small", "cpu", |a, d, report| {
        network::slopes(a, d, report)
    });
    check("alexnet-small", "gpu", |a, d, report| {
        network::slopes(a, d, report)
    });
}

#[test]
fn a_step_of_alexnet_small_is_the_same_on_a_gpu() {
    check("alexnet-small", "gpu", |a, d, report| {
        network::step(a, d, report)
    });
}

/// The 2012 paper's network: two towers, 61 million parameters, a fc6 of 144 MiB that must be bound in windows where a
/// binding is 128 MiB at most.
#[test]
fn a_step_of_the_papers_alexnet_is_the_same_on_a_gpu() {
    check("alexnet", "gpu", |a, d, report| network::step(a, d, report));
}
