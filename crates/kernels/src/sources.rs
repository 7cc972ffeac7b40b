//! The texts of the kernels, for people to read: every shader variant, rendered, and the sources of the twins.

use shaders::Variant;

use crate::error::Result;

/// Embeds the files of the twins.
macro_rules! twins {
    ($($stem:literal),+ $(,)?) => {
        &[$(($stem, include_str!(concat!("cpu/", $stem, ".rs")))),+]
    };
}

/// The stems of the operators' twins, and their files.
const TWINS: &[(&str, &str)] = twins!(
    "accuracy",
    "adam",
    "augment",
    "avg_pool",
    "axis_sum",
    "batch_norm",
    "bias",
    "clip_grad_norm",
    "column_sum",
    "conv2d",
    "cross_entropy",
    "dropout",
    "elementwise",
    "ema",
    "gelu",
    "gemm",
    "im2col",
    "loss_scale",
    "lrn",
    "max_pool",
    "mix",
    "reduce",
    "relu",
    "resize",
    "sgd",
    "softmax",
    "strided_copy",
    "top_k",
    "unary",
    "winograd",
);

/// Every shader variant that a launch can ask for.
///
/// ```
/// let variants = kernels::shader_variants();
/// assert!(variants.iter().any(|variant| variant.entry == "lrn_forward"));
/// ```
#[must_use]
pub fn shader_variants() -> Vec<Variant> {
    shaders::variants()
}

/// The WGSL of a variant, as a GPU's driver gets it.
///
/// ```
/// let relu = kernels::Variant::new("relu", "relu_forward");
/// assert!(kernels::shader_source(&relu)?.contains("fn relu_forward"));
/// # Ok::<(), kernels::Error>(())
/// ```
///
/// # Errors
/// If there is no such template, or it needs constants that the variant has not.
pub fn shader_source(variant: &Variant) -> Result<String> {
    Ok(shaders::source(variant)?)
}

/// The Rust source of an operator's twin: what the CPU device runs in place of `shaders/STEM.wgsl`.
///
/// ```
/// assert!(kernels::twin_source("lrn").is_some_and(|text| text.contains("pub(crate) fn forward")));
/// assert_eq!(kernels::twin_source("cast"), None, "the CPU device has no f16");
/// ```
#[must_use]
pub fn twin_source(stem: &str) -> Option<&'static str> {
    let found = TWINS.iter().find(|(known, _)| *known == stem);
    found.map(|(_, text)| *text)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What only a GPU launches: conversions to f16, partial sums, and a product that is there to be compared with.
    const WITHOUT: [&str; 3] = ["cast", "gemm_naive", "gemm_reduce"];

    #[test]
    fn every_shader_has_a_twin_to_be_read() {
        for variant in shader_variants() {
            let stem = variant.stem;
            let is_there = twin_source(stem).is_some();
            assert_eq!(is_there, !WITHOUT.contains(&stem), "{stem}");
        }
    }
}
