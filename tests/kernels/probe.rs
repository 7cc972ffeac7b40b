//! The probe of a device, and what is avoided after it.

use kernels::ops::gemm::{self, Gemm};
use kernels::{Avoided, Device, Options, QUIRKS, TileKind, probe};

use super::no_gpu;

#[test]
fn the_cpu_device_is_usable_and_has_nothing_to_avoid() {
    let probe = probe(&Device::cpu()).unwrap();
    assert!(probe.is_usable(), "{probe:?}");
    assert_eq!(probe.avoided(), Avoided::default());
    assert!(
        probe.f16.is_none() && probe.products.is_empty(),
        "{probe:?}"
    );
    let names: Vec<_> = probe.functions.iter().map(|found| found.function).collect();
    assert_eq!(names, ["pow", "exp", "log", "sqrt"]);
    for found in &probe.functions {
        // A function that was not run at all would have no error either.
        assert!(found.error > 0.0, "{found:?}");
    }
}

#[test]
fn every_tile_of_a_large_gpu_is_probed() {
    let options = Options {
        is_large_gpu: true,
        ..Options::default()
    };
    let device = match Device::open_with("gpu", options) {
        Ok(device) => device,
        Err(error) => return no_gpu(&error.to_string()),
    };
    let probe = probe(&device).unwrap();
    assert!(probe.is_usable(), "{probe:?}");
    let tiles: Vec<_> = probe.products.iter().map(|product| product.tile).collect();
    assert_eq!(tiles, device.card().unwrap().tiles);
    assert!(
        probe
            .products
            .iter()
            .all(|product| product.of == 2 * 130 * 68),
        "{probe:?}"
    );
    // What was tried leaves no plan behind.
    let [a, b] = [0, 1].map(|_| device.upload(&[1.0_f32; 64]).unwrap());
    gemm::product(&device, &Gemm::new(8, 8, 8), &a, &b).unwrap();
}

#[test]
fn what_is_avoided_is_not_used() {
    let device = match Device::open("gpu") {
        Ok(device) => device,
        Err(error) => return no_gpu(&error.to_string()),
    };
    let suitable = device.card().unwrap().tiles.to_vec();
    device.avoid(Avoided {
        f16: true,
        tiles: suitable.clone(),
    });
    assert!(!device.has_f16(), "f16");
    let operands = [3.0_f32, 5.0].map(|value| device.upload(&[value; 64 * 64]).unwrap());
    let product = || gemm::product(&device, &Gemm::new(64, 64, 64), &operands[0], &operands[1]);
    let (c, recording) = device.capture(product).unwrap();
    device.start_profile();
    recording.replay(&device).unwrap();
    let profile = device.finish_profile().unwrap();
    let (_, plan) = profile.launches[0].product.unwrap();
    assert!(!suitable.contains(&plan.tile), "{plan:?}");
    assert_eq!(device.read::<f32>(&c).unwrap(), [960.0; 64 * 64]);
    // Where nothing is left, the device goes on with what suits it.
    let (f16, tiles) = (false, TileKind::ALL.to_vec());
    device.avoid(Avoided { f16, tiles });
    assert_eq!(
        device.read::<f32>(&product().unwrap()).unwrap(),
        [960.0; 64 * 64]
    );
}

#[test]
fn quirks_are_whole_sentences_with_a_source() {
    for quirk in QUIRKS {
        for text in [quirk.what, quirk.remedy, quirk.source] {
            assert!(text.len() > 10 && !text.ends_with('.'), "{text}");
        }
    }
    let known = Device::adapters();
    let llvmpipe = known
        .iter()
        .find(|adapter| adapter.name.contains("llvmpipe"));
    if let Some(adapter) = llvmpipe {
        let applying = QUIRKS.iter().filter(|quirk| quirk.applies(adapter)).count();
        assert_eq!(applying, 2, "what is known of lavapipe");
    }
}
