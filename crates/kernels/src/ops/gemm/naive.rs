//! The matrix product without any tiles, straight from the equation: what those of [`super::product`] are measured against.

use crate::buffer::Buffer;
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

/// `C = A B`, one element an invocation and no memory shared between them: a: `[m, k]`, b: `[k, n]`, C: `[m, n]`, row-major. Slow;
/// for comparison with [`super::product`].
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
