//! Weights of another network: what suits by name and shape is taken over, for fine-tuning.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::path::Path;

use tensor::{Device, Tensor};

use crate::error::{Error, Result};
use crate::interchange::is_foreign;
use crate::layers::Layer;
use crate::network::{Network, class_names_of, not_finite};
use crate::weights::TensorFile;

/// What [`Network::load_matching`] found, by the parameters' names.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Matching {
    /// Taken from the file.
    pub loaded: Vec<String>,
    /// Not in the file, or not in this shape: they are as they were.
    pub missing: Vec<String>,
    /// In the file alone, or there in another shape, in alphabetical order.
    pub unused: Vec<String>,
    /// How the outputs of the last layer became the network's classes.
    pub head: Head,
}

/// How the outputs of a file's last layer become a network's classes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Head {
    /// In their order: the names are the same, or not known.
    #[default]
    AsItIs,
    /// By name: they are in another order.
    ByName,
    /// Not at all: they have other names, and the last layer is as it was.
    New,
}

impl Network {
    /// Overwrites the weights whose name and shape are in a file too, whatever network it is of: one of this program's weight
    /// files, or one that [`Network::import`] reads. Where both have names for their classes, the outputs of the last layer
    /// are taken by name; they are left as they are, unless the names are the same but for their order.
    ///
    /// ```
    /// use model::layers::{Dense, Flatten, Module as _};
    /// use model::{Architecture, Network};
    ///
    /// let linear = |classes| {
    ///     let layers = vec![Flatten::new().into(), Dense::new(6).named("hidden"), Dense::new(classes).named("logits")];
    ///     Network::new(Architecture::from_layers("two", [8, 8, 1], layers)?, 42, &tensor::Device::cpu())
    /// };
    /// let folder = tempfile::tempdir()?;
    /// let path = folder.path().join("ten.safetensors");
    /// std::fs::write(&path, linear(10)?.to_bytes()?)?;
    /// let matching = linear(3)?.load_matching(&path)?;
    /// assert_eq!(matching.loaded, ["hidden.weight", "hidden.bias"]);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// If the file can't be read or is damaged.
    pub fn load_matching(&self, path: &Path) -> Result<Matching> {
        if is_foreign(path)? {
            return self.take_matching(&Self::import_torchvision(path, &Device::cpu())?);
        }
        let file = TensorFile::open(path)?;
        let shapes = self.parameters().iter();
        let shapes: Vec<_> = shapes
            .map(|(name, tensor)| (name.clone(), tensor.shape().to_vec()))
            .collect();
        let of_file = class_names_of(&file)?;
        let order = match (self.class_names(), of_file) {
            (Some(own), Some(theirs)) if own != theirs => Some(order(own, &theirs)),
            _ => None,
        };
        let head = self.architecture().layers().next_back();
        let head = head.map_or("", Layer::name);
        let (values, unused) = file.read_matching(&shapes)?;
        let mut matching = Matching {
            unused,
            ..Matching::default()
        };
        for ((name, tensor), data) in self.parameters().iter().zip(values) {
            let is_of_head = name.split('.').next() == Some(head);
            let data = match (&order, data) {
                (Some(Some(order)), Some(data)) if is_of_head => {
                    matching.head = Head::ByName;
                    Some(by_name(&data, order))
                }
                (Some(None), Some(_)) if is_of_head => {
                    matching.head = Head::New;
                    matching.unused.push(name.clone());
                    None
                }
                (_, data) => data,
            };
            match data {
                Some(data) => {
                    if let Some(found) = not_finite(&data) {
                        return Err(Error::Tensor {
                            path: path.to_owned(),
                            tensor: name.clone(),
                            expected: "finite numbers".to_owned(),
                            found,
                        });
                    }
                    tensor.write(&data)?;
                    matching.loaded.push(name.clone());
                }
                None => matching.missing.push(name.clone()),
            }
        }
        matching.unused.sort();
        Ok(matching)
    }

    /// The same from another network.
    fn take_matching(&self, other: &Self) -> Result<Matching> {
        let mut theirs: BTreeMap<&str, &Tensor> = BTreeMap::new();
        theirs.extend(
            other
                .parameters()
                .iter()
                .map(|(name, tensor)| (name.as_str(), tensor)),
        );
        let mut matching = Matching::default();
        for (name, tensor) in self.parameters() {
            match theirs.get(name.as_str()) {
                Some(own) if own.shape() == tensor.shape() => {
                    tensor.write(&own.to_vec::<f32>()?)?;
                    theirs.remove(name.as_str());
                    matching.loaded.push(name.clone());
                }
                _ => matching.missing.push(name.clone()),
            }
        }
        matching.unused = theirs.into_keys().map(str::to_owned).collect();
        Ok(matching)
    }
}

/// For each of these classes its place among `theirs`; `None` unless they are the same classes.
fn order(own: &[String], theirs: &[String]) -> Option<Vec<usize>> {
    if own.len() != theirs.len() {
        return None;
    }
    let indices: HashMap<&String, usize> = theirs.iter().zip(0..).collect();
    let indices: Option<Vec<usize>> = own.iter().map(|name| indices.get(name).copied()).collect();
    // A name that is there twice is no name.
    indices.filter(|indices| indices.iter().collect::<HashSet<_>>().len() == own.len())
}

/// The columns of weights `[in, classes]`, or the elements of a bias `[classes]`, in this order.
fn by_name(data: &[f32], order: &[usize]) -> Vec<f32> {
    let rows = data.chunks_exact(order.len());
    rows.flat_map(|row| order.iter().map(|&place| row[place]))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(names: &[&str]) -> Vec<String> {
        names.iter().map(|&name| name.to_owned()).collect()
    }

    #[test]
    fn columns_follow_the_names() {
        let theirs = names(&["a", "b", "c"]);
        let order_of = |own: &[&str]| order(&names(own), &theirs);
        let indices = order_of(&["c", "a", "b"]).unwrap();
        assert_eq!(indices, [2, 0, 1]);
        assert_eq!(
            by_name(&[1.0, 2.0, 3.0, 4.0, 5.0, 6.0], &indices),
            [3.0, 1.0, 2.0, 6.0, 4.0, 5.0]
        );
        assert_eq!(order_of(&["a", "b"]), None);
        assert_eq!(order_of(&["a", "b", "d"]), None);
        assert_eq!(order_of(&["a", "b", "b"]), None);
    }
}
