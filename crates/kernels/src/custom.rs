//! Kernels of a program's own: WGSL and a native twin that this crate knows nothing of.

use std::fmt;

use shaders::Variant;

use crate::buffer::Buffer;
use crate::device::Device;
use crate::error::{Error, Result};
use crate::kernel::{CpuArgs, Grid, Kernel, Params};

/// The most parameters of a custom kernel, in words.
pub(crate) const MOST_PARAMS: usize = 16;

/// A custom kernel's parameters, zeros after those that were given.
pub type CustomParams = [u32; MOST_PARAMS];

impl Params for CustomParams {
    const FIELDS: &'static [(&'static str, usize)] = &[];
}

/// A WGSL entry point of the program's own and its native twin, which the CPU device runs.
///
/// The shader's bindings are of group 0: 0 is a uniform, as a struct of `u32` and `f32` fields; then come the storage
/// buffers that are read, then those that are written. Buffers end at a multiple of 16 bytes, so lengths are parameters, not
/// `arrayLength`. A workgroup has 64 invocations, numbered by `id.y * groups.x * 64 + id.x` of `global_invocation_id` and
/// `num_workgroups`; those past the end have nothing to do. wgpu guards the indices.
#[derive(Clone, Copy)]
pub struct CustomKernel(Kernel<CustomParams>);

impl CustomKernel {
    /// The entry point `entry` of `wgsl`, and its twin, which gets the same parameters and buffers.
    #[must_use]
    pub const fn new(
        entry: &'static str,
        wgsl: &'static str,
        twin: fn(&CustomParams, CpuArgs<'_>),
    ) -> Self {
        Self(Kernel::new(Variant::of_text(entry, wgsl), twin))
    }

    /// The entry point's name.
    #[must_use]
    pub const fn entry(&self) -> &'static str {
        self.0.variant.entry
    }

    /// Launches it with `invocations` invocations at least; the twin runs once. Floats among the parameters are given by
    /// [`f32::to_bits`].
    ///
    /// # Errors
    /// If there are more than 16 parameters, the WGSL is not valid or has other bindings, a buffer is another device's, is
    /// longer than a binding or is written and bound twice, or the device fails.
    pub fn launch(
        &self,
        device: &Device,
        params: &[u32],
        reads: &[&Buffer],
        writes: &[&Buffer],
        invocations: usize,
    ) -> Result<()> {
        let mut all: CustomParams = [0; MOST_PARAMS];
        let Some(given) = all.get_mut(..params.len()) else {
            let expected = format!("{MOST_PARAMS} at most");
            let got = params.len().to_string();
            return Err(Error::argument(self.entry(), "params", expected, got));
        };
        given.copy_from_slice(params);
        device.launch(&self.0, &all, reads, writes, Grid::linear(invocations))
    }
}

impl fmt::Debug for CustomKernel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("CustomKernel").field(&self.entry()).finish()
    }
}
