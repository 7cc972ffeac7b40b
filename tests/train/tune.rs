//! Trying tiles on a network's products.

use model::Architecture;
use tensor::{Device, TileKind};
use train::{Recipe, tune};

#[test]
fn every_product_is_timed_with_every_plan() {
    let Some(device) = super::gpu() else {
        return;
    };
    let architecture = Architecture::new("alexnet-small", None, None).unwrap();
    let recipe = Recipe::named("shapes10").unwrap();
    let tiles = [device.tiles()[0], TileKind::Small];
    let mut told = Vec::new();
    let found = tune::tune(&architecture, &recipe, 2, &device, &tiles, |done, of| {
        told.push((done, of));
    });
    let found = found.unwrap();
    assert_eq!(told.last(), Some(&(22, 22)), "eleven splits of two tiles");
    // Five convolutions and three dense layers: forward, two gradients each but for the first layer's images.
    let calls: usize = found.iter().map(|tuned| tuned.calls).sum();
    assert_eq!(calls, 3 * 8 - 1);
    for tuned in &found {
        let times: Vec<f64> = tuned.plans.iter().map(|plan| plan.1).collect();
        assert!(times.is_sorted() && times[0] > 0.0, "{tuned:?}");
        assert!(tuned.plans.contains(&tuned.predicted), "{tuned:?}");
        assert!(tuned.flops() > 0.0, "{tuned:?}");
        for tile in tiles {
            assert!(
                tuned.plans.iter().any(|(plan, _)| plan.tile == tile),
                "{tile:?}"
            );
        }
    }
}

#[test]
fn the_cpu_device_has_no_tiles() {
    assert!(Device::cpu().tiles().is_empty());
    assert!(Device::cpu().card().is_none());
}
