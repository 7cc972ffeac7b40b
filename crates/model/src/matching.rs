//! Weights of another network: what suits by name and shape is taken over, for fine-tuning.

use std::path::Path;

use crate::error::Result;
use crate::network::Network;
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
    /// Overwrites the weights whose name and shape are in a file too, whatever network it is of.
    ///
    /// # Errors
    /// If the file can't be read or is damaged.
    pub fn load_matching(&self, path: &Path) -> Result<Matching> {
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
                    tensor.write(&data)?;
                    matching.loaded.push(name.clone());
                }
                None => matching.missing.push(name.clone()),
            }
        }
        Ok(matching)
    }
}
