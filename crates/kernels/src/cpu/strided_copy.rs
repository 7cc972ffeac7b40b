//! Twin of `strided_copy.wgsl`.

use rayon::prelude::*;

use crate::kernel::{CpuArgs, params};

params! {
    /// Parameters of the kernel: offsets, sizes from the second on, strides of both sides.
    pub(crate) struct StridedCopyParams {
        n: u32,
        x_offset: u32,
        y_offset: u32,
        size1: u32,
        size2: u32,
        size3: u32,
        size4: u32,
        size5: u32,
        x_stride0: u32,
        x_stride1: u32,
        x_stride2: u32,
        x_stride3: u32,
        x_stride4: u32,
        x_stride5: u32,
        y_stride0: u32,
        y_stride1: u32,
        y_stride2: u32,
        y_stride3: u32,
        y_stride4: u32,
        y_stride5: u32,
    }
}

/// One dimension: its size and its strides in x and y.
#[derive(Clone, Copy)]
struct Dimension {
    size: usize,
    x: usize,
    y: usize,
}

/// Copies each element to its place. Rows of y do not overlap: the launch has put its dimensions in their order in memory.
pub(crate) fn copy(p: &StridedCopyParams, args: CpuArgs<'_>) {
    let ([x], [y]) = args.split();
    let dimensions = [
        (p.size1, p.x_stride1, p.y_stride1),
        (p.size2, p.x_stride2, p.y_stride2),
        (p.size3, p.x_stride3, p.y_stride3),
        (p.size4, p.x_stride4, p.y_stride4),
        (p.size5, p.x_stride5, p.y_stride5),
    ];
    let dimensions = dimensions.map(|(size, x, y)| Dimension {
        size: size as usize,
        x: x as usize,
        y: y as usize,
    });
    let row: usize = dimensions.iter().map(|d| d.size).product();
    let rows = p.n as usize / row.max(1);
    let x = &x[p.x_offset as usize..];
    let y = y[p.y_offset as usize..].par_chunks_mut((p.y_stride0 as usize).max(1));
    y.take(rows)
        .enumerate()
        .for_each(|(idx, y)| copy_row(&x[idx * p.x_stride0 as usize..], y, &dimensions));
}

fn copy_row(x: &[f32], y: &mut [f32], dimensions: &[Dimension]) {
    let Some((&Dimension { size, x: dx, y: dy }, inner)) = dimensions.split_first() else {
        y[0] = x[0];
        return;
    };
    if inner.is_empty() {
        let (from, to) = (x.iter().step_by(dx.max(1)), y.iter_mut().step_by(dy.max(1)));
        for (to, from) in to.zip(from).take(size) {
            *to = *from;
        }
    } else {
        for at in 0..size {
            copy_row(&x[at * dx..], &mut y[at * dy..], inner);
        }
    }
}
