//! Every compute shader of the workspace as text: the WGSL files, the templates they are written as, and naga's check of each.
//!
//! A [`Variant`] names one entry point of one file with the values of its template constants. [`source`] renders it,
//! [`parse`] gives naga's module of it, and [`variants()`] lists every variant that can be asked for, so that a test without
//! a GPU can check them all. This crate knows no device: it neither picks variants nor dispatches them.
//!
//! ```
//! let forward = shaders::Variant::new("relu", "relu_forward");
//! assert!(shaders::source(&forward)?.contains("fn relu_forward"));
//! # Ok::<(), shaders::Error>(())
//! ```

mod error;
mod files;
mod template;
mod variant;
pub mod variants;

pub use error::Error;
pub use template::{parse, source, web_source};
pub use variant::Variant;
pub use variants::variants;

/// The example in README.md, which is tested.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
