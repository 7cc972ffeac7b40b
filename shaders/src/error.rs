//! Why a shader could not be produced. Each of these is a bug in this crate or a variant that it does not offer.

use crate::Variant;

/// What went wrong between a [`Variant`] and its module.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The template could not be rendered: no such file, or a constant that the variant does not give.
    #[error("cannot render {variant}")]
    Template {
        /// The variant that was asked for.
        variant: Box<Variant>,
        /// What minijinja says.
        source: Box<minijinja::Error>,
    },
    /// The rendered text is not WGSL.
    #[error("{variant} is not valid WGSL: {message}")]
    Parse {
        /// The variant that was asked for.
        variant: Box<Variant>,
        /// What naga says, with the line.
        message: String,
    },
}
