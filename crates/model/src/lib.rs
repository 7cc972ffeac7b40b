//! The AlexNet family: layers, networks, initial weights, summaries and weight files. Not for: training, images, or
//! what a device does.
//!
//! An [`Architecture`] is a network's list of layers with every shape worked out; it costs nothing. A [`Network`] is an
//! architecture with weights on a device. Weight files are safetensors, described at [`Network::to_bytes`].
//!
//! The features `keras` (HDF5) and `onnx` (protobuf) are on by default; without them those formats are errors.
#![doc = include_str!("../README.md")]

mod alexnet;
mod architecture;
mod error;
mod image_size;
mod init;
mod interchange;
pub mod layers;
mod network;
mod partial_loading;
mod preparation;
mod summary;
mod weights;

pub use architecture::{ActivationKind, Architecture, DropoutPlace, networks};
pub use error::{Error, Result};
pub use image_size::ImageSize;
pub use init::Init;
pub use interchange::{Exported, Format, Import, Imported, Pixels};
pub use layers::{Context, Layer, Module, Parameter};
pub use network::{Mode, Network};
pub use partial_loading::{Head, Matching};
pub use preparation::{Fit, Interpolation, Preparation, PreparedTta};
pub use summary::{Summary, SummaryRow, TrainingMemory};
pub use weights::{TensorFile, tensor_file_bytes};
