//! Layers in weight files: `[{"name": "conv1", "kind": "convolution", "filters": 96, ...}, ...]`.

use std::sync::Arc;

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use super::{KINDS, Layer, Module};

/// Numbers in a file beyond this are refused, so that no size overflows.
const MOST: f64 = 65_536.0;

/// A type of layers under its kind, with how its settings are read and written.
pub(super) struct Kind {
    name: &'static str,
    read: fn(Value) -> serde_json::Result<Arc<dyn Module>>,
    /// None for a layer of another type.
    write: fn(&Layer) -> Option<Value>,
}

impl Kind {
    pub(super) const fn of<M: Module + Serialize + DeserializeOwned>(name: &'static str) -> Self {
        Self {
            name,
            read: |settings| Ok(Arc::new(serde_json::from_value::<M>(settings)?)),
            write: |layer| serde_json::to_value(layer.downcast::<M>()?).ok(),
        }
    }
}

/// The layers as JSON, or none if one is of another crate.
pub(crate) fn to_json(layers: &[Layer]) -> Option<String> {
    let of_layer = |layer: &Layer| {
        let settings = KINDS.iter().find_map(|kind| (kind.write)(layer));
        let Value::Object(settings) = settings? else {
            return None;
        };
        let mut all = Map::new();
        all.insert("name".to_owned(), Value::from(layer.name.as_str()));
        all.insert("kind".to_owned(), Value::from(layer.module.kind()));
        all.extend(settings);
        Some(Value::Object(all))
    };
    let layers: Option<Vec<Value>> = layers.iter().map(of_layer).collect();
    Some(Value::Array(layers?).to_string())
}

/// The layers that [`to_json`] wrote; or what is wrong.
pub(crate) fn from_json(text: &str) -> Result<Vec<Layer>, String> {
    let layers: Vec<Map<String, Value>> =
        serde_json::from_str(text).map_err(|error| error.to_string())?;
    layers.into_iter().map(of_map).collect()
}

fn of_map(mut all: Map<String, Value>) -> Result<Layer, String> {
    let mut take = |key: &str| match all.remove(key) {
        Some(Value::String(text)) => Ok(text),
        _ => Err(format!("a layer without {key}")),
    };
    let (name, kind) = (take("name")?, take("kind")?);
    let settings = Value::Object(all);
    if !is_bounded(&settings) {
        return Err(format!("layer {name} with a number beyond {MOST}"));
    }
    let known = KINDS.iter().find(|known| known.name == kind);
    let known = known.ok_or_else(|| format!("layer {name} of unknown kind {kind}"))?;
    let module = (known.read)(settings).map_err(|error| format!("layer {name}: {error}"))?;
    Ok(Layer { name, module })
}

/// Whether two texts of [`to_json`] are of layers that compute the same when they are used: they may begin with other weights,
/// and differ in dropout.
pub(crate) fn compute_the_same(one: &str, other: &str) -> bool {
    let layers = |text| -> Option<Vec<Map<String, Value>>> {
        let mut layers: Vec<Map<String, Value>> = serde_json::from_str(text).ok()?;
        layers.retain(|layer| layer.get("kind").is_none_or(|kind| kind != "dropout"));
        for layer in &mut layers {
            layer.retain(|key, _| !key.ends_with("_init"));
        }
        Some(layers)
    };
    layers(one).is_some_and(|layers_of_one| Some(layers_of_one) == layers(other))
}

fn is_bounded(value: &Value) -> bool {
    match value {
        Value::Number(number) => number.as_f64().is_some_and(|number| number.abs() <= MOST),
        Value::Array(values) => values.iter().all(is_bounded),
        Value::Object(values) => values.values().all(is_bounded),
        _ => true,
    }
}
