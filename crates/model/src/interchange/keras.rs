//! Keras 3's `.weights.h5`: HDF5 with `layers/CLASS[_N]/vars/I`, where layers of one class are counted in the model's
//! order. `model.load_weights("x.weights.h5")` reads it into a model with the same layers, channels last.

use std::collections::BTreeMap;
use std::path::Path;

use hdf5_pure::{File, FileBuilder};
use tensor::Device;

use crate::architecture::Architecture;
use crate::error::{Error, Result};
use crate::network::{Network, shapes};

/// The groups of a network's layers that have variables: the group's name and how many it has. A dropout layer of Keras
/// keeps the state of its random generator, so it has a group as well.
fn groups(architecture: &Architecture) -> Result<Vec<(String, usize)>> {
    let mut seen: BTreeMap<&str, usize> = BTreeMap::new();
    let mut groups = Vec::new();
    for stage in architecture.stages() {
        let Some(class) = stage.layer.module().keras() else {
            if stage.parameters.is_empty() {
                continue;
            }
            let found = format!("layer {}", stage.layer.name());
            return Err(Error::format("network", "layers that Keras has", found));
        };
        let number = seen.entry(class).or_default();
        let name = match *number {
            0 => class.to_owned(),
            n => format!("{class}_{n}"),
        };
        *number += 1;
        groups.push((name, stage.parameters.len()));
    }
    Ok(groups)
}

/// The file's bytes. Layouts are this project's own: kernels `[kh, kw, in / groups, out]`, dense `[in, out]`; batch
/// normalisation has gamma, beta, moving mean and moving variance.
pub(super) fn bytes(network: &Network) -> Result<Vec<u8>> {
    let mut file = FileBuilder::new();
    let mut layers = file.create_group("layers");
    let mut parameters = network.parameters().iter();
    for (name, count) in groups(network.architecture())? {
        let mut layer = layers.create_group(&name);
        if count == 0 {
            let mut generator = layer.create_group("seed_generator");
            let mut variables = generator.create_group("vars");
            variables
                .create_dataset("0")
                .with_data(&[0_u32, 0])
                .with_shape(&[2]);
            generator.add_group(variables.finish());
            layer.add_group(generator.finish());
        }
        let mut variables = layer.create_group("vars");
        for (idx, (_, tensor)) in parameters.by_ref().take(count).enumerate() {
            let shape: Vec<u64> = tensor.shape().iter().map(|&size| size as u64).collect();
            let values: Vec<f32> = tensor.to_vec()?;
            let variable = variables.create_dataset(&idx.to_string());
            variable.with_data(&values).with_shape(&shape);
        }
        layer.add_group(variables.finish());
        layers.add_group(layer.finish());
    }
    file.add_group(layers.finish());
    file.finish()
        .map_err(|error| Error::format("weights", "what HDF5 holds", error.to_string()))
}

/// Longer files are refused before they are read: the largest network's weights are a fifth of this.
const MOST_BYTES: u64 = 2 << 30;

/// A network of this architecture with a file's weights.
pub(super) fn import(path: &Path, architecture: &Architecture, device: &Device) -> Result<Network> {
    let wrong = |error: hdf5_pure::Error| {
        Error::format(path, "weights of Keras 3 in HDF5", error.to_string())
    };
    let file = File::from_bytes(files::read(path, MOST_BYTES)?).map_err(wrong)?;
    let expected = shapes(architecture);
    let mut values = Vec::new();
    for (name, count) in groups(architecture)? {
        for idx in 0..count {
            let place = format!("layers/{name}/vars/{idx}");
            let variable = file.dataset(&place).map_err(wrong)?;
            let shape = variable.shape().map_err(wrong)?;
            let (_, wanted) = &expected[values.len()];
            if !shape
                .iter()
                .map(|&size| usize::try_from(size).ok())
                .eq(wanted.iter().map(|&size| Some(size)))
            {
                return Err(Error::Tensor {
                    path: path.to_owned(),
                    tensor: place,
                    expected: format!("{wanted:?}"),
                    found: format!("{shape:?}"),
                });
            }
            values.push(variable.read::<f32>().map_err(wrong)?);
        }
    }
    Network::with_values(architecture.clone(), values, device)
}
