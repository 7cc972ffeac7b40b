//! The compute core: devices, buffers, recording, and every operator of the AlexNet family as a WGSL kernel with a
//! native twin. Not for: gradients as a graph (that is `tensor`), shapes of layers, or files.
//!
//! A [`Device`] is the host's cores or a GPU; an operator in [`ops`] checks its arguments, launches its kernels and
//! returns new [`Buffer`]s. Launches on a GPU are submitted together; [`Device::capture`] keeps them for replay.
//! Activations are `[n, h, w, c]`, filters `[kh, kw, c_in / groups, c_out]`, matrices row-major.
#![doc = include_str!("../README.md")]
#![cfg_attr(
    test,
    expect(clippy::disallowed_methods, reason = "references in tests")
)]

pub mod ops;
pub mod philox;

mod adapters;
mod buffer;
mod cpu;
mod cpu_device;
mod custom;
mod device;
mod dry_device;
mod error;
mod faults;
mod gpu_device;
mod kernel;
mod pipeline;
mod probe;
mod profile;
mod quirk;
mod recorder;
mod roofline;
mod sources;
mod step;
mod tile;

pub use adapters::{Adapter, AdapterKind};
pub use buffer::{Buffer, WINDOW_ALIGNMENT, Width, allocated_bytes};
pub use bytemuck::Pod;
pub use cpu_device::CpuDevice;
pub use custom::{CustomKernel, CustomParams};
pub use device::{Device, Options, PendingRead, Winograd};
pub use dry_device::DryDevice;
pub use error::{Error, Result};
#[doc(hidden)]
pub use faults::{Fault, Faults};
pub use gpu_device::GpuDevice;
pub use kernel::CpuArgs;
pub use ops::Activation;
pub use probe::{Avoided, F16Rounding, FunctionError, Probe, ProductErrors, probe};
pub use profile::{KernelTime, Launch, Profile};
pub use quirk::{QUIRKS, Quirk};
pub use recorder::Recording;
pub use roofline::Roofline;
pub use shaders::Variant;
pub use sources::{shader_source, shader_variants, twin_source};
pub use step::{Mix, ParameterUpdate, StepScalars};
pub use tile::{Card, CardSpec, Product, TileKind, TilePlan};
