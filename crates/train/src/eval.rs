//! What trained weights are worth and what they make of images: scores over a split, and answers to single images.

pub(crate) mod class_names;
pub(crate) mod classifier;
pub(crate) mod evaluate;
pub(crate) mod evaluation;
pub(crate) mod evaluator;
pub(crate) mod first_batch;
pub mod metrics;
pub(crate) mod preview;
pub(crate) mod score;
