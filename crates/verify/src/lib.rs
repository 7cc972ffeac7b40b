//! Proof that operators, networks and trainers compute what they should. Not for: training, which needs none of it.
//!
//! - [`operators`]: the cases of every operator with forward in f64; shader, twin and backward are checked against it.
//! - `network` (a feature): whole networks at their own layer shapes.
//! - `cards` (a feature): which shaders AlexNet's shapes ask for on other people's cards.
//! - `learn` (a feature): what a student reads about an operator.
//! - `parity` (a feature): cases recorded from other frameworks.

// As in `train`: rustdoc looks for `Send` and `Sync` down to the insides of wgpu's buffers.
#![expect(
    clippy::disallowed_methods,
    reason = "references, compared within tolerances"
)]
#![recursion_limit = "256"]

#[cfg(feature = "cards")]
pub mod cards;
#[cfg(feature = "learn")]
pub mod learn;
#[cfg(feature = "network")]
pub mod network;
pub mod operators;
#[cfg(feature = "parity")]
pub mod parity;

mod error;

pub use error::{Error, Result};
