//! `alexnet doctor`.

use serde_json::Value;

use super::{fail, succeed};

#[test]
fn doctor_probes_every_device_and_says_what_to_do() {
    let text = succeed(&["doctor"]);
    for part in ["alexnet 0.", "cpu    cpu (", "errors: pow ", "can train"] {
        assert!(text.contains(part), "no '{part}' in\n{text}");
    }
    let json: Value = serde_json::from_str(&succeed(&["doctor", "--quiet", "--json"])).unwrap();
    let devices = json["devices"].as_array().unwrap();
    assert_eq!(devices.len(), 1 + tensor::Device::adapters().len());
    for device in devices {
        assert_eq!(device["usable"], true, "{device}");
        assert!(
            device["advice"].as_str().unwrap().starts_with("can train"),
            "{device}"
        );
        let functions = device["functions"].as_array().unwrap();
        assert_eq!(functions.len(), 4, "{device}");
        let is_gpu = device["kind"] != "native";
        let products = device["products"].as_array().unwrap();
        assert_eq!(products.is_empty(), !is_gpu, "{device}");
        for product in products {
            assert_eq!(product["wrong"], 0, "{device}");
        }
    }
    let one: Value =
        serde_json::from_str(&succeed(&["doctor", "--device", "cpu", "-q", "--json"])).unwrap();
    assert_eq!(one["devices"].as_array().unwrap().len(), 1);
    fail(&["doctor", "--device", "gpu:99"], &["gpu:99"]);
}
