//! Plain loops under the widest vectors that the processor has.

use std::array;

use pulp::{Simd, WithSimd};

/// Runs `work` compiled for AVX-512, AVX2, NEON or whatever else is there, so that its loops are vectorised for that.
///
/// The closure and the functions it calls must be `#[inline(always)]`: what is not inlined keeps the instructions of the
/// oldest supported processor.
#[inline(always)]
pub(crate) fn wide(work: impl FnMut()) {
    pulp::Arch::new().dispatch(Wide(work));
}

struct Wide<F>(F);

// `FnMut` and not `FnOnce`, which closures have only through a shim that is never inlined.
impl<F: FnMut()> WithSimd for Wide<F> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(mut self, _: S) {
        (self.0)();
    }
}

/// Floats of the widest vectors.
pub(crate) const LANES: usize = 16;

/// `out[i] = f(out[i], reads[..][i])` for each `i`, a vector at a time.
///
/// Rows of images have a few dozen channels. A plain loop over so few is no good: compilers vectorise it for several
/// vectors an iteration and leave all of a short row to the scalar remainder.
#[inline(always)]
pub(crate) fn each<const READS: usize>(
    out: &mut [f32],
    reads: [&[f32]; READS],
    f: impl Fn(f32, [f32; READS]) -> f32,
) {
    let reads = reads.map(|read| read[..out.len()].as_chunks::<LANES>());
    let (blocks, tail) = out.as_chunks_mut::<LANES>();
    for (idx, block) in blocks.iter_mut().enumerate() {
        // By value: what is read can't be what is written, so the lanes become one vector.
        let (old, reads) = (*block, reads.map(|(blocks, _)| blocks[idx]));
        *block = array::from_fn(|lane| f(old[lane], reads.map(|read| read[lane])));
    }
    for (idx, out) in tail.iter_mut().enumerate() {
        *out = f(*out, reads.map(|(_, tail)| tail[idx]));
    }
}
