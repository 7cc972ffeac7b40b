//! What the matrix product is measured against: the `gemm` crate called by itself, and a kernel without any tiles.

use crate::buffer::Buffer;
use crate::cpu::gemm::GemmParams;
use crate::cpu::gemm::{Transposes, product};
use crate::device::Device;
use crate::error::Result;
use crate::kernel::{CpuArgs, Grid, Kernel, params};
use crate::ops::{check_len, size};

const OP: &str = "gemm_naive";
/// Invocations along each side of a workgroup; the shader says the same.
const SIDE: usize = 8;

params! {
    /// Parameters of the naive kernel.
    pub(crate) struct NaiveParams {
        m: u32,
        n: u32,
        k: u32,
    }
}

const NAIVE: Kernel<NaiveParams> = Kernel::new(shaders::Variant::new(OP, OP), naive);

/// `C = A B` on a device, one element an invocation: a: `[m, k]`, b: `[k, n]`.
///
/// # Errors
/// If a buffer's length does not fit the sizes, memory runs out or the device fails.
pub fn naive_product(
    device: &Device,
    [m, n, k]: [usize; 3],
    a: &Buffer,
    b: &Buffer,
) -> Result<Buffer> {
    check_len(OP, "a", a, m * k)?;
    check_len(OP, "b", b, k * n)?;
    let c = device.alloc(m * n)?;
    let params = NaiveParams {
        m: size(OP, "m", m)?,
        n: size(OP, "n", n)?,
        k: size(OP, "k", k)?,
    };
    let grid = Grid::groups(n.div_ceil(SIDE), m.div_ceil(SIDE), 1).flops(2 * m * n * k);
    device.launch(&NAIVE, &params, &[a, b], &[&c], grid)?;
    Ok(c)
}

fn naive(p: &NaiveParams, args: CpuArgs<'_>) {
    let ([a, b], [c]) = args.split();
    let [n, k] = [p.n, p.k].map(|size| size as usize);
    for (idx, c) in c.iter_mut().enumerate() {
        let (row, column) = (idx / n, idx % n);
        *c = (0..k).map(|i| a[row * k + i] * b[i * n + column]).sum();
    }
}

/// `C = A B` by the `gemm` crate on the host, with nothing of ours around it: a: `[m, k]`, b: `[k, n]`, c: `[m, n]`.
///
/// # Errors
/// If a size is beyond 32 bits.
///
/// # Panics
/// If a slice is shorter than its matrix.
pub fn library_product([m, n, k]: [usize; 3], a: &[f32], b: &[f32], c: &mut [f32]) -> Result<()> {
    let params = GemmParams::reduction([m, n, k], 1)?;
    product(&params, Transposes::default(), a, b, c);
    Ok(())
}
