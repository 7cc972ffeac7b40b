//! torchvision's `alexnet`: the names and layouts of its state dict, in safetensors or `.pth`.

use std::collections::BTreeMap;
use std::path::Path;

use tensor::Device;

use super::layout::{
    filters_first, filters_last, permuted, rows_channels_first, rows_channels_last,
};
use super::names::{self, Names};
use super::pth::PthFile;
use super::{Import, Imported};
use crate::architecture::Architecture;
use crate::error::{Error, Result};
use crate::network::{Network, shapes};
use crate::preparation::{IMAGES_KEY, Preparation};
use crate::weights::{TensorFile, file_bytes};

/// The one network of this project that torchvision has.
const NETWORK: &str = "alexnet-torchvision";

/// A tensor that every one of its files has: the last layer's bias, which says for how many classes it is.
pub(super) const ANCHOR: &str = "classifier.6.bias";
/// The last layer.
const HEAD: &str = "classifier.6.";

const NO_TENSOR: &str = "no such tensor";

/// The names of `ImageNet`'s 1000 classes in the order of torchvision's weights, a line each: `_IMAGENET_CATEGORIES` of
/// torchvision 0.29 (BSD 3-clause, copyright Soumith Chintala 2016).
const IMAGENET: &str = include_str!("imagenet.txt");

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
    let about = network.about();
    metadata.extend(about.iter().map(|(key, json)| (*key, json.as_str())));
    file_bytes(tensors, &metadata)
}

/// Weights in torchvision's layout, from either kind of file.
struct Source<'a> {
    path: &'a Path,
    file: Kind,
    /// The tensors' shapes, by the names in the file.
    shapes: BTreeMap<String, Vec<usize>>,
    names: Names,
}

enum Kind {
    Safetensors(TensorFile),
    Pth(PthFile),
}

impl<'a> Source<'a> {
    fn open(path: &'a Path) -> Result<Self> {
        let (file, shapes) = if PthFile::is_one(path)? {
            let file = PthFile::open(path)?;
            let shapes = file.shapes();
            (Kind::Pth(file), shapes)
        } else {
            let file = TensorFile::open(path)?;
            let tensors = file.tensors().into_iter();
            let shapes = tensors.map(|(name, (_, shape))| (name, shape));
            let shapes = shapes.collect();
            (Kind::Safetensors(file), shapes)
        };
        let names = names::unwrapped(shapes.keys(), ANCHOR);
        let names = names.map_err(|found| Error::format(path, "one network's weights", found))?;
        Ok(Self {
            path,
            file,
            shapes,
            names,
        })
    }

    fn wrong(&self, tensor: &str, expected: String, found: String) -> Error {
        Error::Tensor {
            path: self.path.to_owned(),
            tensor: tensor.to_owned(),
            expected,
            found,
        }
    }

    /// For how many classes the last layer is.
    fn classes(&self) -> Result<usize> {
        let shape = self
            .names
            .own
            .get(ANCHOR)
            .and_then(|name| self.shapes.get(name));
        match shape.map(Vec::as_slice) {
            Some(&[classes]) => Ok(classes),
            _ => {
                let expected = "a number for each class, as torchvision's alexnet has".to_owned();
                Err(self.wrong(ANCHOR, expected, NO_TENSOR.to_owned()))
            }
        }
    }

    /// A value of a safetensors file's metadata.
    fn metadata(&self, key: &str) -> Option<&str> {
        match &self.file {
            Kind::Safetensors(file) => file.metadata(key),
            Kind::Pth(_) => None,
        }
    }

    /// What is in the file beside the network.
    fn ignored(&self) -> Vec<String> {
        let mut ignored = match &self.file {
            Kind::Safetensors(_) => Vec::new(),
            Kind::Pth(file) => file.ignored().to_vec(),
        };
        ignored.extend(self.names.ignored.iter().cloned());
        ignored
    }

    /// The elements of exactly these tensors, in this order, but of those that are not `wanted`.
    fn read(
        self,
        expected: &[(String, Vec<usize>)],
        is_wanted: impl Fn(&str) -> bool,
    ) -> Result<Vec<Option<Vec<f32>>>> {
        let mut found = self.names.own.clone();
        let mut in_file = Vec::new();
        for (name, shape) in expected {
            let own = found.remove(name);
            let other = own.as_ref().and_then(|own| self.shapes.get(own));
            let is_right = other.is_some_and(|other| other == shape || !is_wanted(name));
            match own {
                Some(own) if is_right => in_file.push((own, shape.clone())),
                _ => {
                    let other = other.map_or_else(|| NO_TENSOR.to_owned(), |o| format!("{o:?}"));
                    return Err(self.wrong(name, format!("{shape:?}"), other));
                }
            }
        }
        if let Some((_, name)) = found.pop_first() {
            let shape = format!("{:?}", self.shapes.get(&name));
            return Err(self.wrong(&name, NO_TENSOR.to_owned(), shape));
        }
        match self.file {
            Kind::Safetensors(file) => {
                let wanted: Vec<_> = expected.iter().map(|(name, _)| is_wanted(name)).collect();
                let listed = in_file.iter().zip(&wanted);
                let listed = listed
                    .filter(|(_, wanted)| **wanted)
                    .map(|(tensor, _)| tensor.clone());
                let mut values = file.read_some(&listed.collect::<Vec<_>>())?.into_iter();
                let values = wanted
                    .into_iter()
                    .map(|wanted| values.next().filter(|_| wanted));
                Ok(values.collect())
            }
            Kind::Pth(mut file) => {
                let names = expected.iter().zip(&in_file);
                let read = names.map(|((name, _), (own, _))| {
                    is_wanted(name).then(|| file.read(own)).transpose()
                });
                read.collect()
            }
        }
    }
}

/// The network with the weights of torchvision's `alexnet`. The file says for how many classes.
pub(super) fn import(path: &Path, options: &Import, device: &Device) -> Result<Imported> {
    let source = Source::open(path)?;
    let in_file = source.classes()?;
    let classes = options.new_head.unwrap_or(in_file);
    let architecture = Architecture::new(NETWORK, Some(classes), None)?;
    let names = names_for(&source, options, classes)?;
    let preparation = match source.metadata(IMAGES_KEY) {
        Some(json) => {
            let own = Preparation::from_json(json, architecture.input());
            own.map_err(|fault| Error::format(path, "metadata images that say how", fault))?
        }
        None => Preparation::torchvision(),
    };
    let entries = entries(&architecture)?;
    let expected: Vec<_> = entries
        .iter()
        .map(|entry| (entry.name.clone(), entry.shape()))
        .collect();
    let ignored = source.ignored();
    let is_kept = |name: &str| options.new_head.is_none() || !name.starts_with(HEAD);
    let values = source.read(&expected, is_kept)?;
    let fresh = match options.new_head {
        Some(_) => Some(Network::new(architecture.clone(), 0, device)?),
        None => None,
    };
    let mut own = Vec::new();
    for (idx, (entry, values)) in entries.iter().zip(values).enumerate() {
        own.push(match (values, &fresh) {
            (Some(values), _) => entry.in_ours(values),
            (None, Some(fresh)) => fresh.parameters()[idx].1.to_vec()?,
            (None, None) => unreachable!("all are read where no head is new"),
        });
    }
    let network = Network::with_values(architecture, own, device)?.with_preparation(preparation);
    let network = match names {
        Some(names) => network.with_class_names(&names)?,
        None => network,
    };
    Ok(Imported { network, ignored })
}

/// The classes' names: those given, those of the file, or with as many classes `ImageNet`'s.
fn names_for(source: &Source<'_>, options: &Import, classes: usize) -> Result<Option<Vec<String>>> {
    if let Some(names) = &options.class_names {
        if names.len() != classes {
            return Err(Error::Argument {
                network: files::shown(source.path),
                argument: "class names",
                expected: format!("{classes} names, one for each class of its last layer"),
                got: names.len().to_string(),
            });
        }
        return Ok(Some(names.clone()));
    }
    if options.new_head.is_some() {
        return Ok(None);
    }
    if let Some(json) = source.metadata("classes") {
        let names = serde_json::from_str(json).map_err(|error| {
            Error::format(
                source.path,
                "a JSON array of class names",
                error.to_string(),
            )
        });
        return names.map(Some);
    }
    let imagenet = || IMAGENET.lines().map(str::to_owned).collect::<Vec<_>>();
    Ok(Some(imagenet()).filter(|names| names.len() == classes))
}
