//! Weights of another network: what suits by name and shape is taken over, for fine-tuning.

use std::collections::BTreeMap;
use std::path::Path;

use tensor::{Device, Tensor};

use crate::error::{Error, Result};
use crate::interchange::is_foreign;
use crate::network::{Network, not_finite};
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
}

impl Network {
    /// Overwrites the weights whose name and shape are in a file too, whatever network it is of: one of this program's weight
    /// files, or one that [`Network::import`] reads.
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
        let (values, unused) = file.read_matching(&shapes)?;
        let mut matching = Matching {
            unused,
            ..Matching::default()
        };
        for ((name, tensor), data) in self.parameters().iter().zip(values) {
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
