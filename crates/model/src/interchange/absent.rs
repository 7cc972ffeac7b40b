//! What stands in for formats that this build was made without.

use crate::error::{Error, Result};

/// The error of a format whose feature is off.
fn absent<T>(network: &str, feature: &'static str) -> Result<T> {
    Err(Error::Argument {
        network: network.to_owned(),
        argument: "format",
        expected: format!("a build of `model` with the feature {feature}"),
        got: "one without it".to_owned(),
    })
}

#[cfg(not(feature = "keras"))]
pub(super) mod keras {
    use std::path::Path;

    use tensor::Device;

    use crate::architecture::Architecture;
    use crate::error::Result;
    use crate::network::Network;

    pub(crate) fn bytes(network: &Network) -> Result<Vec<u8>> {
        super::absent(network.architecture().name(), "keras")
    }

    pub(crate) fn import(_: &Path, architecture: &Architecture, _: &Device) -> Result<Network> {
        super::absent(architecture.name(), "keras")
    }
}

#[cfg(not(feature = "onnx"))]
pub(super) mod onnx {
    use tensor::Tensor;

    use crate::error::Result;
    use crate::interchange::Pixels;
    use crate::network::Network;

    #[expect(dead_code, reason = "as the module that it stands in for has it")]
    pub(crate) enum Fault {
        File(String),
        Tensor(tensor::Error),
    }

    pub(crate) fn bytes(network: &Network, _: Option<&Pixels>, _: bool) -> Result<Vec<u8>> {
        super::absent(network.architecture().name(), "onnx")
    }

    pub(crate) fn run(_: &[u8], _: &Tensor) -> std::result::Result<Vec<f32>, Fault> {
        Err(Fault::File("no reader in this build".to_owned()))
    }
}
