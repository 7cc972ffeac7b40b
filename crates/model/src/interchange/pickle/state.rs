//! The named tensors of what a pickle describes: a state dict, a checkpoint around one, or a module with its parameters.

use pickle::{Graph, Pickle, Result, Value};

use super::calls::{TensorPlace, Torch};

/// The keys under which checkpoints keep a network, the most likely first.
const WRAPPERS: [&str; 8] = [
    "state_dict",
    "model_state_dict",
    "model_state",
    "model",
    "net",
    "network",
    "weights",
    "module",
];
/// Checkpoints in checkpoints.
const MOST_WRAPPERS: usize = 4;
/// Modules in modules.
const MOST_DEPTH: usize = 32;
/// Attributes that are looked at: a module may be shared, so there can be more than the pickle has.
const MOST_ATTRIBUTES: usize = 1 << 16;
/// Bytes of all tensors' names.
const MOST_NAMES: usize = 1 << 22;

/// What a file has.
#[derive(Debug)]
pub(in crate::interchange) struct State {
    pub(in crate::interchange) tensors: Vec<(String, TensorPlace)>,
    /// What is beside the network in a checkpoint, such as `epoch` and `optimizer`.
    pub(in crate::interchange) ignored: Vec<String>,
    /// Bytes that the pickle took.
    pub(in crate::interchange) length: usize,
    /// The storages' classes, by name.
    pub(in crate::interchange) storages: Vec<(String, String)>,
}

impl State {
    /// The tensors of a pickle.
    pub(super) fn of(pickle: &Pickle<'_>, torch: &Torch) -> Result<Self> {
        let (graph, mut root) = (&pickle.graph, pickle.root);
        let mut ignored = Vec::new();
        for _ in 0..MOST_WRAPPERS {
            let Some((key, inner)) = wrapped(graph, root) else {
                break;
            };
            let keys = graph.items(root).unwrap_or_default().iter();
            let others = keys.filter_map(|(own, _)| graph.text(*own));
            ignored.extend(others.filter(|own| *own != key).map(str::to_owned));
            root = inner;
        }
        let tensors = match root {
            Value::Dict(_) => of_dict(graph, torch, root)?,
            Value::Object(_) => of_module(graph, torch, root)?,
            _ => return Err("no dictionary at its end".to_owned()),
        };
        let storages = torch
            .storages()
            .map(|storage| (storage.name.clone(), storage.kind.clone()));
        Ok(Self {
            tensors,
            ignored,
            length: pickle.length,
            storages: storages.collect(),
        })
    }
}

/// The network in a checkpoint, with its key.
fn wrapped(graph: &Graph<'_>, root: Value) -> Option<(&'static str, Value)> {
    WRAPPERS.into_iter().find_map(|key| {
        let value = graph.item(root, key.as_bytes())?;
        matches!(value, Value::Dict(_) | Value::Object(_)).then_some((key, value))
    })
}

fn of_dict(graph: &Graph<'_>, torch: &Torch, dict: Value) -> Result<Vec<(String, TensorPlace)>> {
    let mut tensors = Vec::new();
    for &(key, value) in graph.items(dict).unwrap_or_default() {
        match (graph.text(key), torch.tensor(value)) {
            (Some(name), Some(place)) => tensors.push((name.to_owned(), place.clone())),
            (Some(name), _) => return Err(format!("'{name}', which is not a tensor")),
            _ => return Err("a key that is not a string".to_owned()),
        }
    }
    check(&tensors)?;
    Ok(tensors)
}

/// An error if names take too much memory: one text may be the name of many tensors.
fn check(tensors: &[(String, TensorPlace)]) -> Result<()> {
    if tensors.iter().map(|(name, _)| name.len()).sum::<usize>() > MOST_NAMES {
        return Err("names of more than 4 MiB".to_owned());
    }
    Ok(())
}

/// The tensors of a module and of those in it, by their attributes' names: of `torch.nn.Module`, what is in `_parameters`,
/// `_buffers` and `_modules`; of `TorchScript`, each attribute.
fn of_module(graph: &Graph<'_>, torch: &Torch, root: Value) -> Result<Vec<(String, TensorPlace)>> {
    let mut tensors = Vec::new();
    let mut names = 0;
    let mut n_attributes = 0;
    let mut open = vec![(String::new(), root, 0)];
    while let Some((prefix, value, depth)) = open.pop() {
        let Some(object) = graph.object(value) else {
            continue;
        };
        let attributes @ Value::Dict(_) = object.state else {
            continue;
        };
        if depth > MOST_DEPTH {
            return Err(format!("modules more than {MOST_DEPTH} deep"));
        }
        let mut inside = Vec::new();
        for key in ["_parameters", "_buffers", "_modules"] {
            let dict = graph.item(attributes, key.as_bytes());
            inside.extend(dict.filter(|dict| matches!(dict, Value::Dict(_))));
        }
        if inside.is_empty() {
            inside.push(attributes);
        }
        let items = inside.iter().filter_map(|dict| graph.items(*dict));
        for &(key, value) in items.flatten() {
            n_attributes += 1;
            let Some(key) = graph.text(key) else { continue };
            let tensor = torch.tensor(value);
            if tensor.is_none() && !matches!(value, Value::Object(_)) {
                continue;
            }
            let name = match prefix.as_str() {
                "" => key.to_owned(),
                prefix => format!("{prefix}.{key}"),
            };
            names += name.len();
            if n_attributes > MOST_ATTRIBUTES || names > MOST_NAMES {
                return Err("a model with too many attributes".to_owned());
            }
            match tensor {
                Some(place) => tensors.push((name, place.clone())),
                None => open.push((name, value, depth + 1)),
            }
        }
    }
    if tensors.is_empty() {
        let object = graph.object(root);
        let class = object.and_then(|object| graph.global(object.class));
        let [module, name] = class.unwrap_or(["an unknown", "class"]);
        return Err(format!(
            "an object of {module}.{name} in which no tensor has a name"
        ));
    }
    Ok(tensors)
}
