//! Twin of `resize.wgsl`: along the rows of the source into scratch memory, then along its columns.

use rayon::prelude::*;

use super::shared::scratch::with_scratch;
use crate::kernel::{CpuArgs, params, words};

params! {
    /// Parameters of the kernel.
    pub(crate) struct ResizeParams {
        n: u32,
        in_h: u32,
        in_w: u32,
        out_h: u32,
        out_w: u32,
        channels: u32,
        taps_h: u32,
        taps_w: u32,
        rounded: u32,
    }
}

/// The weights of one position, with the source position of each; none that is 0.
fn taps(record: &[u32]) -> impl Iterator<Item = (usize, f32)> {
    let (first, weights) = record.split_first().expect("a record is not empty");
    (index(*first)..)
        .zip(weights.iter().map(|&bits| f32::from_bits(bits)))
        .filter(|(_, weight)| *weight != 0.0)
}

fn index(size: u32) -> usize {
    usize::try_from(size).expect("it came from a usize")
}

/// `y = rows x columns`, for each image and channel.
pub(crate) fn resize(p: &ResizeParams, args: CpuArgs<'_>) {
    let ([x, rows, columns], [y]) = args.split();
    let (rows, columns) = (words(rows), words(columns));
    let [in_h, in_w, out_h, out_w, channels] =
        [p.in_h, p.in_w, p.out_h, p.out_w, p.channels].map(index);
    let (source_line, line) = (in_w * channels, out_w * channels);
    y.par_chunks_mut(out_h * line)
        .zip(x.par_chunks(in_h * source_line))
        .for_each(|(y, x)| {
            with_scratch(in_h * line, |lines| {
                for (source, line) in x
                    .chunks_exact(source_line)
                    .zip(lines.chunks_exact_mut(line))
                {
                    let records = columns.chunks_exact(1 + index(p.taps_w));
                    for (sums, record) in line.chunks_exact_mut(channels).zip(records) {
                        sums.fill(0.0);
                        for (at, weight) in taps(record) {
                            let pixel = &source[at * channels..][..channels];
                            sums.iter_mut()
                                .zip(pixel)
                                .for_each(|(s, &v)| *s += weight * v);
                        }
                    }
                }
                let records = rows.chunks_exact(1 + index(p.taps_h));
                for (y, record) in y.chunks_exact_mut(line).zip(records) {
                    y.fill(0.0);
                    for (at, weight) in taps(record) {
                        let line = &lines[at * line..][..line];
                        y.iter_mut().zip(line).for_each(|(y, &v)| *y += weight * v);
                    }
                    if p.rounded != 0 {
                        y.iter_mut()
                            .for_each(|y| *y = (*y + 0.5).floor().clamp(0.0, 255.0));
                    }
                }
            });
        });
}
