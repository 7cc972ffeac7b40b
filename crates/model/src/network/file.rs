//! Networks in weight files: the weights, and as metadata the network, its classes' names, how images are prepared, and its
//! layers.

use std::path::Path;

use tensor::Device;

use super::{Network, shapes};
use crate::architecture::Architecture;
use crate::error::{Error, Result};
use crate::layers::compute_the_same;
use crate::preparation::{IMAGES_KEY, Preparation};
use crate::weights::{TensorFile, file_bytes};

/// The key of a weight file's metadata under which the network is named.
const NETWORK_KEY: &str = "network";
/// The key of a weight file's metadata for the classes' names: a JSON array of strings, in the order of the logits.
const CLASSES_KEY: &str = "classes";
/// The key of a weight file's metadata for the layers of a network that its name does not tell.
const LAYERS_KEY: &str = "layers";

impl Network {
    /// The network in a weight file, with its weights.
    ///
    /// ```
    /// use model::layers::{Dense, Flatten};
    /// use model::{Architecture, Network};
    /// use tensor::Device;
    ///
    /// let layers = vec![Flatten::new().into(), Dense::new(10).into()];
    /// let architecture = Architecture::from_layers("linear", [8, 8, 1], layers)?;
    /// let network = Network::new(architecture, 42, &Device::cpu())?;
    /// let folder = tempfile::tempdir()?;
    /// let path = folder.path().join("linear.safetensors");
    /// std::fs::write(&path, network.to_bytes()?)?;
    /// let again = Network::open(&path, &Device::cpu())?;
    /// assert_eq!(again.architecture(), network.architecture());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// If the file can't be read, is damaged, names no network, or has other tensors than that network.
    pub fn open(path: &Path, device: &Device) -> Result<Self> {
        let file = TensorFile::open(path)?;
        let architecture = architecture_of(&file)?;
        let names = class_names_of(&file)?;
        let preparation = Preparation::in_file(path)?;
        let values = read_finite(file, &shapes(&architecture))?;
        let mut network = Self::with_values(architecture, values, device)?;
        network.preparation = preparation;
        match names {
            Some(names) => network.with_class_names(&names),
            None => Ok(network),
        }
    }

    /// Overwrites the weights with those in a file.
    ///
    /// # Errors
    /// As [`Network::open`]; [`Error::OtherNetwork`] if the file holds another network.
    pub fn load(&self, path: &Path) -> Result<()> {
        let file = TensorFile::open(path)?;
        let found = file.metadata(NETWORK_KEY).unwrap_or("an unnamed network");
        let expected = self.architecture.to_string();
        if found != expected {
            return Err(Error::OtherNetwork {
                path: path.to_owned(),
                expected,
                found: found.to_owned(),
            });
        }
        // What its name says everything of is not listed.
        let defined = self.architecture.definition_json();
        let own = self.architecture.layers_json().or_else(|| defined.clone());
        let found = file.metadata(LAYERS_KEY).or(defined.as_deref());
        if let (Some(found), Some(own)) = (found, own)
            && !compute_the_same(found, &own)
        {
            return Err(Error::OtherNetwork {
                path: path.to_owned(),
                expected,
                found: "a network of that name with other layers".to_owned(),
            });
        }
        let values = read_finite(file, &shapes(&self.architecture))?;
        for ((_, tensor), data) in self.parameters.iter().zip(values) {
            tensor.write(&data)?;
        }
        Ok(())
    }

    /// The weights as a safetensors file: `NAME.weight` and `NAME.bias` of each layer in f32, convolutions as
    /// `[kh, kw, c_in / groups, c_out]`, dense layers as `[in, out]`; metadata `network` is
    /// `alexnet-small classes=10 input_size=32`, `classes`, if they are known, the classes' names as a JSON array, `images`,
    /// if it is known, a [`Preparation`] as JSON, and `layers`, of a network that is none of [`crate::networks`], what it is made
    /// of. The same weights always give the same bytes.
    ///
    /// # Errors
    /// [`Error::NotFinite`] if a weight is NaN or infinite; if the device fails.
    pub fn to_bytes(&self) -> Result<Vec<u8>> {
        let mut tensors = Vec::new();
        for (name, tensor) in &self.parameters {
            let values: Vec<f32> = tensor.to_vec()?;
            if let Some(found) = not_finite(&values) {
                let tensor = name.clone();
                return Err(Error::NotFinite { tensor, found });
            }
            tensors.push((name.clone(), tensor.shape().to_vec(), values));
        }
        let name = self.architecture.to_string();
        let about = self.about();
        let about = about.iter().map(|(key, json)| (*key, json.as_str()));
        let metadata: Vec<_> = [(NETWORK_KEY, name.as_str())]
            .into_iter()
            .chain(about)
            .collect();
        file_bytes(tensors, &metadata)
    }

    /// What is known beside the weights, by the keys of a file's metadata, as JSON.
    pub(crate) fn about(&self) -> Vec<(&'static str, String)> {
        let classes = self.classes_json().map(|json| (CLASSES_KEY, json));
        let images = self.preparation.as_ref().map(Preparation::to_json);
        let images = images.map(|json| (IMAGES_KEY, json));
        let layers = self.architecture.layers_json();
        let layers = layers.map(|json| (LAYERS_KEY, json));
        classes.into_iter().chain(images).chain(layers).collect()
    }

    /// The classes' names as a JSON array.
    fn classes_json(&self) -> Option<String> {
        let names = self.class_names.as_ref()?;
        Some(serde_json::Value::from(names.clone()).to_string())
    }
}

/// The architecture that a weight file names.
pub(crate) fn architecture_of(file: &TensorFile) -> Result<Architecture> {
    let wrong = |found: &str| {
        let expected = "weights of a network of this program";
        Error::format(file.path(), expected, found)
    };
    let name = file
        .metadata(NETWORK_KEY)
        .ok_or_else(|| wrong("no network's name in its metadata"))?;
    match Architecture::parse(name, file.metadata(LAYERS_KEY)) {
        Some(Ok(architecture)) => Ok(architecture),
        Some(Err(error)) => Err(wrong(&error.to_string())),
        None => Err(wrong(&format!("the network '{name}'"))),
    }
}

/// The classes' names that a weight file has, if it has any.
pub(crate) fn class_names_of(file: &TensorFile) -> Result<Option<Vec<String>>> {
    let parse = |json: &str| {
        serde_json::from_str(json).map_err(|error| {
            let found = format!("invalid metadata {CLASSES_KEY}: {error}");
            Error::format(file.path(), "a JSON array of class names", found)
        })
    };
    file.metadata(CLASSES_KEY).map(parse).transpose()
}

/// The weights in a file, which must be finite: a network with a NaN answers with nothing else.
fn read_finite(file: TensorFile, expected: &[(String, Vec<usize>)]) -> Result<Vec<Vec<f32>>> {
    let path = file.path().to_owned();
    let tensors = file.read(expected)?;
    for (values, (name, _)) in tensors.iter().zip(expected) {
        if let Some(found) = not_finite(values) {
            return Err(Error::Tensor {
                path,
                tensor: name.clone(),
                expected: "finite numbers".to_owned(),
                found,
            });
        }
    }
    Ok(tensors)
}

/// What and where the first value is that is NaN or infinite, if there is one.
pub(crate) fn not_finite(values: &[f32]) -> Option<String> {
    let at = values.iter().position(|value| !value.is_finite())?;
    Some(format!("{} at element {at}", values[at]))
}
