//! What a kernel is: a WGSL entry point and its Rust twin, with one parameter struct and one list of bindings.
//!
//! Bindings are ordered: 0 is the uniform parameter struct, then what is read, then what is written. The twin gets
//! the same buffers in the same order through [`CpuArgs`].

use shaders::Variant;

use crate::tile::{Product, TilePlan};

/// A parameter struct that a shader's uniform `params` mirrors field by field. Implemented by [`params!`].
pub(crate) trait Params: bytemuck::Pod + Send + Sync {
    /// Field names and byte offsets, in order; compared with naga's reflection of the WGSL.
    const FIELDS: &'static [(&'static str, usize)];
}

/// Declares a `#[repr(C)]` struct of `u32` and `f32` fields and its [`Params`] implementation.
macro_rules! params {
    ($(#[$meta:meta])* $vis:vis struct $name:ident { $($(#[$field_meta:meta])* $field:ident: $type:ty),+ $(,)? }) => {
        $(#[$meta])*
        #[repr(C)]
        #[derive(Clone, Copy, Debug, PartialEq, bytemuck::Pod, bytemuck::Zeroable)]
        $vis struct $name { $($(#[$field_meta])* pub(crate) $field: $type),+ }

        impl $crate::kernel::Params for $name {
            const FIELDS: &'static [(&'static str, usize)] =
                &[$((stringify!($field), std::mem::offset_of!($name, $field))),+];
        }
    };
}
pub(crate) use params;

/// The buffers of one dispatch on the CPU device: what is read and what is written, in binding order.
#[derive(Debug)]
pub struct CpuArgs<'a> {
    /// What is read.
    pub reads: Vec<&'a [f32]>,
    /// What is written.
    pub writes: Vec<&'a mut [f32]>,
}

impl<'a> CpuArgs<'a> {
    /// The buffers as arrays: `let ([x], [y]) = args.split();`. Words that are not floats (labels, positions, pixels)
    /// are seen through `words` and `words_mut`.
    ///
    /// # Panics
    /// If the launch bound other numbers of buffers.
    #[must_use]
    pub fn split<const R: usize, const W: usize>(self) -> ([&'a [f32]; R], [&'a mut [f32]; W]) {
        let reads = <[_; R]>::try_from(self.reads).expect("the launch binds what the twin reads");
        let writes = <[_; W]>::try_from(self.writes)
            .map_err(|got| got.len())
            .expect("the launch binds what the twin writes");
        (reads, writes)
    }
}

/// A buffer's words as unsigned integers.
pub(crate) fn words(buffer: &[f32]) -> &[u32] {
    bytemuck::cast_slice(buffer)
}

/// A buffer's words as unsigned integers, to be written.
pub(crate) fn words_mut(buffer: &mut [f32]) -> &mut [u32] {
    bytemuck::cast_slice_mut(buffer)
}

/// A kernel's Rust twin.
pub(crate) type Twin<P> = fn(&P, CpuArgs<'_>);

/// A WGSL entry point and its twin.
#[derive(Clone, Copy)]
pub(crate) struct Kernel<P> {
    pub(crate) variant: Variant,
    pub(crate) twin: Twin<P>,
}

impl<P: Params> Kernel<P> {
    pub(crate) const fn new(variant: Variant, twin: Twin<P>) -> Self {
        Self { variant, twin }
    }
}

/// How many workgroups a dispatch has, and the arithmetic it does (for profiles).
#[derive(Clone, Copy, Debug)]
pub(crate) struct Grid {
    pub(crate) groups: [u32; 3],
    pub(crate) flops: u64,
    pub(crate) product: Option<(Product, TilePlan)>,
}

/// Invocations in a workgroup of an element-wise kernel; the shaders say the same.
pub(crate) const WORKGROUP: usize = 64;
/// WebGPU's limit on workgroups in one dimension.
const MAX_GROUPS: usize = 65_535;

impl Grid {
    /// Exactly these workgroups.
    pub(crate) fn groups(x: usize, y: usize, z: usize) -> Self {
        Self {
            groups: [x, y, z].map(|count| u32::try_from(count).unwrap_or(u32::MAX)),
            flops: 0,
            product: None,
        }
    }

    /// One workgroup for each of `rows`, folded into two dimensions where one is too short. Kernels drop those past the end.
    pub(crate) fn rows(rows: usize) -> Self {
        let rows = rows.max(1);
        let folds = rows.div_ceil(MAX_GROUPS);
        Self::groups(rows.div_ceil(folds), folds, 1)
    }

    /// At least `invocations` invocations in workgroups of [`WORKGROUP`], folded into two dimensions where one is too
    /// short. Kernels number them by `linear_index` and drop those past the end.
    pub(crate) fn linear(invocations: usize) -> Self {
        let groups = invocations.div_ceil(WORKGROUP).max(1);
        let rows = groups.div_ceil(MAX_GROUPS);
        Self::groups(groups.div_ceil(rows), rows, 1)
    }

    /// One invocation for each four of `elements`.
    pub(crate) fn vec4(elements: usize) -> Self {
        Self::linear(elements.div_ceil(4))
    }

    /// The same with its floating-point operations stated.
    pub(crate) fn flops(self, flops: usize) -> Self {
        Self {
            flops: flops as u64,
            ..self
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn linear_grids_cover_every_invocation_within_the_limit() {
        for n in [0, 1, 64, 65, 65_535 * 64, 65_535 * 64 + 1, 1 << 31] {
            let [x, y, z] = Grid::linear(n).groups.map(|g| g as usize);
            assert!(x * y * z * WORKGROUP >= n, "{n}: {x} x {y} x {z}");
            assert!(x <= MAX_GROUPS && y <= MAX_GROUPS, "{n}: {x} x {y} x {z}");
        }
    }
}
