//! Local response normalisation's twin: `y_i = x_i s_i^-beta`, `s_i = bias + alpha * sum over a window of x_j^2`
//! (Krizhevsky et al. 2012, section 3.3; alpha is on the raw sum).
//!
//! A few rows at a time are laid out with zeros between them, so that a window never leaves its row and every loop is
//! one long run of vectors, whatever the number of channels.

use std::array;

use rayon::prelude::*;

use crate::cpu::shared::scratch::with_scratch;
use crate::cpu::shared::wide::{each, wide};
use crate::kernel::{CpuArgs, params};

params! {
    /// Parameters of both kernels. The window of channel i is `i - before..=i + after`, cut at the ends.
    pub(crate) struct LrnParams {
        rows: u32,
        channels: u32,
        before: u32,
        after: u32,
        bias: f32,
        /// On the raw sum of squares, as in the paper; PyTorch and ONNX divide it by the window.
        alpha: f32,
        beta: f32,
    }
}

/// Floats of the working rows of a task: three arrays of this length stay in the first cache.
const BLOCK: usize = 3072;

/// The paper's window of five channels, whose sums are taken in one go.
const PAPER_WINDOW: usize = 5;

/// Rows of a task; enough blocks that starting the task costs nothing.
const TASK_LEN: usize = 1 << 15;

/// Twin of the forward kernel: x is read, y is written; both `[rows, channels]`.
pub(crate) fn forward(p: &LrnParams, args: CpuArgs<'_>) {
    let ([x], [y]) = args.split();
    let layout = Layout::new(p);
    let task_len = layout.task_len();
    y.par_chunks_mut(task_len)
        .zip(x.par_chunks(task_len))
        .for_each(|(y, x)| {
            with_scratch(2 * layout.len(), |scratch| {
                let (squares, sums) = scratch.split_at_mut(layout.len());
                let blocks = y
                    .chunks_mut(layout.block_len())
                    .zip(x.chunks(layout.block_len()));
                for (y, x) in blocks {
                    wide(
                        #[inline(always)]
                        || layout.forward(x, y, squares, sums),
                    );
                }
            });
        });
}

/// Twin of the backward kernel: dy and x are read, dx is written.
///
/// `dx_i = dy_i s_i^-beta - 2 alpha beta x_i * sum of dy_j x_j s_j^(-beta - 1)` over the j whose windows hold i.
pub(crate) fn backward(p: &LrnParams, args: CpuArgs<'_>) {
    let ([dy, x], [dx]) = args.split();
    let layout = Layout::new(p);
    let task_len = layout.task_len();
    let operands = x.par_chunks(task_len).zip(dy.par_chunks(task_len));
    dx.par_chunks_mut(task_len)
        .zip(operands)
        .for_each(|(dx, (x, dy))| {
            with_scratch(3 * layout.len(), |scratch| {
                let (squares, rest) = scratch.split_at_mut(layout.len());
                let (sums, terms) = rest.split_at_mut(layout.len());
                let operands = x
                    .chunks(layout.block_len())
                    .zip(dy.chunks(layout.block_len()));
                for (dx, (x, dy)) in dx.chunks_mut(layout.block_len()).zip(operands) {
                    wide(
                        #[inline(always)]
                        || layout.backward([x, dy], dx, [squares, sums, terms]),
                    );
                }
            });
        });
}

/// How the rows of a block lie in the working arrays: `gap` zeros, then each row followed by `gap` zeros.
#[derive(Clone, Copy, Debug)]
struct Layout {
    channels: usize,
    before: usize,
    after: usize,
    gap: usize,
    rows: usize,
    bias: f32,
    alpha: f32,
    beta: f32,
}

impl Layout {
    fn new(p: &LrnParams) -> Self {
        let channels = (p.channels as usize).max(1);
        // A window that reaches further than the row sees nothing more.
        let [before, after] = [p.before, p.after].map(|reach| (reach as usize).min(channels - 1));
        let gap = before.max(after);
        let rows = (BLOCK / (channels + gap)).max(1);
        Self {
            channels,
            before,
            after,
            gap,
            rows,
            bias: p.bias,
            alpha: p.alpha,
            beta: p.beta,
        }
    }

    fn block_len(&self) -> usize {
        self.rows * self.channels
    }

    fn task_len(&self) -> usize {
        self.block_len() * (TASK_LEN / self.block_len()).max(1)
    }

    fn stride(&self) -> usize {
        self.channels + self.gap
    }

    fn len(&self) -> usize {
        self.gap + self.rows * self.stride()
    }

    /// The rows of a working array, one for each row of `x`.
    #[inline(always)]
    fn rows<'a>(&self, array: &'a [f32]) -> impl Iterator<Item = &'a [f32]> + use<'a> {
        let channels = self.channels;
        array[self.gap..]
            .chunks_exact(self.stride())
            .map(move |row| &row[..channels])
    }

    /// The same, to be written.
    #[inline(always)]
    fn rows_mut<'a>(&self, array: &'a mut [f32]) -> impl Iterator<Item = &'a mut [f32]> + use<'a> {
        let channels = self.channels;
        array[self.gap..]
            .chunks_exact_mut(self.stride())
            .map(move |row| &mut row[..channels])
    }

    #[inline(always)]
    fn forward(&self, x: &[f32], y: &mut [f32], squares: &mut [f32], sums: &mut [f32]) {
        self.fill_squares(x, squares);
        self.window_sums(self.before, self.after, squares, sums);
        // The squares have been used: the scales take their place.
        let scales = squares;
        self.powers(sums, scales);
        let operands = x.chunks_exact(self.channels).zip(self.rows(scales));
        for (y, (x, scales)) in y.chunks_exact_mut(self.channels).zip(operands) {
            each(y, [x, scales], |_, [x, scale]| x * scale);
        }
    }

    #[inline(always)]
    fn backward(&self, [x, dy]: [&[f32]; 2], dx: &mut [f32], work: [&mut [f32]; 3]) {
        let [squares, sums, terms] = work;
        self.fill_squares(x, squares);
        self.window_sums(self.before, self.after, squares, sums);
        let scales = squares;
        self.powers(sums, scales);
        terms.fill(0.0);
        let operands = x
            .chunks_exact(self.channels)
            .zip(dy.chunks_exact(self.channels));
        let factors = self.rows(scales).zip(self.rows(sums));
        for (terms, ((x, dy), (scales, sums))) in
            self.rows_mut(terms).zip(operands.clone().zip(factors))
        {
            each(
                terms,
                [dy, x, scales, sums],
                |_, [dy, x, scale, inverse]| dy * x * scale * inverse,
            );
        }
        // The j whose windows hold i are in the mirrored window of i.
        self.window_sums(self.after, self.before, terms, sums);
        let factor = -2.0 * self.alpha * self.beta;
        let factors = self.rows(scales).zip(self.rows(sums));
        for (dx, ((x, dy), (scales, sums))) in dx
            .chunks_exact_mut(self.channels)
            .zip(operands.zip(factors))
        {
            each(dx, [dy, x, scales, sums], |_, [dy, x, scale, sum]| {
                dy * scale + factor * x * sum
            });
        }
    }

    #[inline(always)]
    fn fill_squares(&self, x: &[f32], squares: &mut [f32]) {
        squares.fill(0.0);
        for (squares, x) in self.rows_mut(squares).zip(x.chunks_exact(self.channels)) {
            each(squares, [x], |_, [x]| x * x);
        }
    }

    /// `sums[i]` = sum of `values[i - before..=i + after]`, for all i but the first and last gap.
    #[inline(always)]
    fn window_sums(&self, before: usize, after: usize, values: &[f32], sums: &mut [f32]) {
        let inner = self.gap..self.len() - self.gap;
        let len = inner.len();
        let sums = &mut sums[inner];
        let first = self.gap - before;
        if before + after + 1 == PAPER_WINDOW {
            let [a, b, c, d, e]: [&[f32]; PAPER_WINDOW] =
                array::from_fn(|shift| &values[first + shift..][..len]);
            let values = a.iter().zip(b).zip(c.iter().zip(d)).zip(e);
            for (sum, (((a, b), (c, d)), e)) in sums.iter_mut().zip(values) {
                *sum = a + b + (c + d) + e;
            }
            return;
        }
        sums.copy_from_slice(&values[first..][..len]);
        for shift in 1..=before + after {
            for (sum, value) in sums.iter_mut().zip(&values[first + shift..][..len]) {
                *sum += value;
            }
        }
    }

    /// A sum becomes `1 / s` with `s = bias + alpha * sum`, and its scale `s^-beta`: by square roots where beta is one of
    /// the usual ones. An infinite `s` gives two zeros.
    #[inline(always)]
    fn powers(&self, sums: &mut [f32], scales: &mut [f32]) {
        let beta = self.beta;
        if beta == 0.75 {
            self.each_power(sums, scales, |s| {
                let root = 1.0 / s.sqrt();
                (root * root, root * root.sqrt())
            });
        } else if beta == 0.5 {
            self.each_power(sums, scales, |s| {
                let root = 1.0 / s.sqrt();
                (root * root, root)
            });
        } else if beta == 1.0 {
            self.each_power(sums, scales, |s| (1.0 / s, 1.0 / s));
        } else {
            self.each_power(sums, scales, |s| (1.0 / s, libm::powf(s, -beta)));
        }
    }

    #[inline(always)]
    fn each_power(&self, sums: &mut [f32], scales: &mut [f32], power: impl Fn(f32) -> (f32, f32)) {
        for (sum, scale) in sums.iter_mut().zip(scales) {
            (*sum, *scale) = power(self.bias + self.alpha * *sum);
        }
    }
}
