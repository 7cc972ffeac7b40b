//! Tensors on a device with tape autograd. Not for: layers, files, or kernels (those are `model` and `kernels`).
//!
//! A [`Tensor`] is a device buffer with a shape. Operators (methods, one module each under [`ops`]) launch kernels at
//! once and, where an input is a parameter, remember how to go back; [`Tensor::backward`] walks that tape and returns
//! the [`Gradients`]. There is one concrete tensor type: the device is chosen at run time.
#![doc = include_str!("../README.md")]
#![cfg_attr(
    test,
    expect(clippy::disallowed_methods, reason = "references in tests")
)]

pub mod custom;
pub mod gradcheck;
pub mod ops;
pub mod pixels;
pub mod random;
pub mod update;

mod error;
mod log_sum_exp;
mod shape;
mod tape;
mod tensor;

pub use error::{Error, Result};
pub use kernels::Error as DeviceError;
pub use kernels::{
    Activation, Adapter, AdapterKind, Avoided, Card, CardSpec, CpuArgs, CustomParams, Device,
    FunctionError, KernelTime, Launch, Options as DeviceOptions, PendingRead, Probe, Product,
    Profile, QUIRKS, Quirk, Recording, Roofline, TileKind, TilePlan, Winograd, probe,
};
#[doc(hidden)]
pub use kernels::{Fault, Faults};
pub use log_sum_exp::log_sum_exp;
pub use shape::Shape;
pub use tape::{Gradients, is_recording, no_grad};
pub use tensor::{DType, Tensor, WithDType};
