//! torchvision's `alexnet`: the names and layouts of its state dict, in safetensors or `.pth`.

use std::path::Path;

use tensor::Device;

use super::layout::{
    filters_first, filters_last, permuted, rows_channels_first, rows_channels_last,
};
use super::pth::PthFile;
use crate::architecture::Architecture;
use crate::error::{Error, Result};
use crate::network::{Network, shapes};
use crate::weights::{TensorFile, file_bytes};

/// The one network of this project that torchvision has.
const NETWORK: &str = "alexnet-torchvision";

/// This project's layers and torchvision's.
const LAYERS: [(&str, &str); 8] = [
    ("conv1", "features.0"),
    ("conv2", "features.3"),
    ("conv3", "features.6"),
    ("conv4", "features.8"),
    ("conv5", "features.10"),
    ("fc6", "classifier.1"),
    ("fc7", "classifier.4"),
    ("fc8", "classifier.6"),
];

/// The image that `fc6` sees flattened: height, width, channels.
const FLATTENED: [usize; 3] = [6, 6, 256];

/// A parameter on its way from one layout to the other.
struct Entry {
    /// torchvision's name.
    name: String,
    /// This project's shape.
    own: Vec<usize>,
    is_first_dense: bool,
}

impl Entry {
    /// torchvision's shape.
    fn shape(&self) -> Vec<usize> {
        match self.own[..] {
            [kh, kw, inputs, outputs] => vec![outputs, inputs, kh, kw],
            [inputs, outputs] => vec![outputs, inputs],
            _ => self.own.clone(),
        }
    }

    fn in_theirs(&self, values: Vec<f32>) -> Vec<f32> {
        match self.own[..] {
            [_, _, _, _] => filters_first(&values, &self.own).0,
            [_, outputs] if self.is_first_dense => {
                let rows = rows_channels_first(&values, FLATTENED, outputs);
                permuted(&rows, &self.own, &[1, 0])
            }
            [_, _] => permuted(&values, &self.own, &[1, 0]),
            _ => values,
        }
    }

    fn in_ours(&self, values: Vec<f32>) -> Vec<f32> {
        match self.own[..] {
            [_, _, _, _] => filters_last(&values, &self.shape()).0,
            [_, outputs] => {
                let rows = permuted(&values, &self.shape(), &[1, 0]);
                if self.is_first_dense {
                    rows_channels_last(&rows, FLATTENED, outputs)
                } else {
                    rows
                }
            }
            _ => values,
        }
    }
}

/// The parameters in this project's order.
fn entries(architecture: &Architecture) -> Result<Vec<Entry>> {
    if architecture.name() != NETWORK {
        return Err(Error::Argument {
            network: architecture.name().to_owned(),
            argument: "format torchvision",
            expected: format!("{NETWORK}, the one network that torchvision has"),
            got: "another network".to_owned(),
        });
    }
    let entry = |(name, own): (String, Vec<usize>)| {
        let (layer, suffix) = name.split_once('.')?;
        let (_, theirs) = LAYERS.iter().find(|(known, _)| *known == layer)?;
        Some(Entry {
            name: format!("{theirs}.{suffix}"),
            is_first_dense: name == "fc6.weight",
            own,
        })
    };
    let entries = shapes(architecture).into_iter().filter_map(entry);
    Ok(entries.collect())
}

/// A safetensors file with torchvision's names and layouts.
pub(super) fn bytes(network: &Network) -> Result<Vec<u8>> {
    let mut tensors = Vec::new();
    let entries = entries(network.architecture())?;
    for (entry, (_, tensor)) in entries.iter().zip(network.parameters()) {
        let values = entry.in_theirs(tensor.to_vec()?);
        tensors.push((entry.name.clone(), entry.shape(), values));
    }
    let mut metadata = vec![("format", "pt")];
    let classes = network.classes_json();
    metadata.extend(classes.as_deref().map(|json| ("classes", json)));
    file_bytes(tensors, &metadata)
}

/// Weights in torchvision's layout, from either kind of file.
enum Source {
    Safetensors(TensorFile),
    Pth(PthFile),
}

impl Source {
    /// A zip archive begins with `PK`.
    fn open(path: &Path) -> Result<Self> {
        if super::begins_with(path, b"PK\x03\x04")? {
            Ok(Self::Pth(PthFile::open(path)?))
        } else {
            Ok(Self::Safetensors(TensorFile::open(path)?))
        }
    }

    fn shape_of(&self, name: &str) -> Option<Vec<usize>> {
        match self {
            Self::Safetensors(file) => file.tensors().remove(name).map(|(_, shape)| shape),
            Self::Pth(file) => file.shapes().remove(name),
        }
    }

    /// The elements of exactly these tensors, in this order.
    fn read(self, path: &Path, expected: &[(String, Vec<usize>)]) -> Result<Vec<Vec<f32>>> {
        let mut file = match self {
            Self::Safetensors(file) => return file.read(expected),
            Self::Pth(file) => file,
        };
        let wrong = |tensor: &str, expected: String, found: String| Error::Tensor {
            path: path.to_owned(),
            tensor: tensor.to_owned(),
            expected,
            found,
        };
        let none = || "no such tensor".to_owned();
        let mut found = file.shapes();
        for (name, shape) in expected {
            match found.remove(name) {
                Some(other) if other == *shape => {}
                other => {
                    let other = other.map_or_else(none, |other| format!("{other:?}"));
                    return Err(wrong(name, format!("{shape:?}"), other));
                }
            }
        }
        if let Some((name, shape)) = found.pop_first() {
            return Err(wrong(&name, none(), format!("{shape:?}")));
        }
        expected.iter().map(|(name, _)| file.read(name)).collect()
    }
}

/// The network with the weights of a state dict of torchvision's `alexnet`. The file says for how many classes.
pub(super) fn import(path: &Path, device: &Device) -> Result<Network> {
    let source = Source::open(path)?;
    let bias = "classifier.6.bias";
    let Some([classes]) = source
        .shape_of(bias)
        .as_deref()
        .map(<[usize]>::to_vec)
        .and_then(|s| <[usize; 1]>::try_from(s).ok())
    else {
        return Err(Error::Tensor {
            path: path.to_owned(),
            tensor: bias.to_owned(),
            expected: "a number for each class, as torchvision's alexnet has".to_owned(),
            found: "no such tensor".to_owned(),
        });
    };
    let architecture = Architecture::new(NETWORK, Some(classes), None)?;
    let entries = entries(&architecture)?;
    let expected: Vec<_> = entries
        .iter()
        .map(|entry| (entry.name.clone(), entry.shape()))
        .collect();
    let values = source.read(path, &expected)?;
    let values = entries
        .iter()
        .zip(values)
        .map(|(entry, values)| entry.in_ours(values));
    Network::with_values(architecture, values.collect(), device)
}
