//! Twins of `augment.wgsl`. The plan is drawn by the same operations in the same order; images are resampled one axis
//! after the other.

use std::cell::RefCell;

use rayon::prelude::*;

use super::shared::exact::power;
use super::shared::resample::Taps;
use super::shared::scratch::with_scratch;
use crate::kernel::{CpuArgs, params, words};
use crate::philox::{philox, unit};

params! {
    /// Parameters of both kernels; see the shader.
    pub(crate) struct AugmentParams {
        n: u32, resident: u32, images: u32,
        in_h: u32, in_w: u32, out_h: u32, out_w: u32, resized_h: u32, resized_w: u32,
        crop: u32, top: i32, left: i32, pad: u32, reflect: u32,
        area_low: f32, area_high: f32, ratio_low: f32, ratio_high: f32,
        flip: f32, alternate: u32, brightness: f32, contrast: f32,
        shift_rr: f32, shift_rg: f32, shift_rb: f32,
        shift_gr: f32, shift_gg: f32, shift_gb: f32,
        shift_br: f32, shift_bg: f32, shift_bb: f32,
        erase: f32, erase_low: f32, erase_high: f32, erase_ratio_low: f32, erase_ratio_high: f32,
        mean_r: f32, mean_g: f32, mean_b: f32, mean_a: f32,
        std_r: f32, std_g: f32, std_b: f32, deviation_a: f32,
    }
}

/// Floats that say what happens to one image.
pub(crate) const RECORD: usize = 22;
/// The random numbers' stream.
pub(crate) const STREAM: u32 = 0x6175_6775;

/// Draws of a random part before it is given up.
const ATTEMPTS: u32 = 10;

/// The random numbers of one image.
pub(crate) struct Draws<'a> {
    pub(crate) sample: u32,
    pub(crate) step: &'a [u32],
}

impl Draws<'_> {
    /// Four numbers in `[0, 1)`.
    pub(crate) fn draw(&self, block: u32) -> [f32; 4] {
        let counter = [self.sample, self.step[2], block, self.step[1]];
        philox(counter, [self.step[0], STREAM]).map(unit)
    }

    /// Whether the image is mirrored in the present epoch, if it is in every other one: by its number alone, as steps count
    /// from 1.
    fn alternates(&self) -> bool {
        let counter = [self.sample, 0, 0, self.step[1]];
        philox(counter, [self.step[0], STREAM])[0] >> 31 != self.step[8] & 1
    }

    /// Three near-normal numbers: sums of twelve uniform ones less 6.
    pub(crate) fn normals(&self) -> [f32; 3] {
        let mut sum = [-6.0; 3];
        for block in 0..3 {
            for (sum, part) in sum.iter_mut().zip(0..) {
                let [x, y, z, w] = self.draw(4 + 3 * block + part);
                *sum += (x + y) + (z + w);
            }
        }
        sum
    }

    /// Top, left, height and width of a random part of an image, if one fits.
    fn part(&self, block: u32, [h, w]: [f32; 2], p: &Part) -> Option<[f32; 4]> {
        (0..ATTEMPTS).find_map(|attempt| {
            let u = self.draw(block + attempt);
            let area = h * w * mix(p.share, u[0]);
            let ratio = power(mix(p.ratio, u[1]));
            let part_h = ((area / ratio).sqrt() + 0.5).floor();
            let part_w = ((area * ratio).sqrt() + 0.5).floor();
            let fits = part_h >= 1.0 && part_w >= 1.0 && part_h <= h && part_w <= w;
            let top = below(u[2], h - part_h + 1.0);
            let left = below(u[3], w - part_w + 1.0);
            fits.then_some([top, left, part_h, part_w])
        })
    }
}

/// Limits of a random part: its share of the area, and the logarithm to base 2 of its ratio.
struct Part {
    share: [f32; 2],
    ratio: [f32; 2],
}

fn mix([low, high]: [f32; 2], u: f32) -> f32 {
    low * (1.0 - u) + high * u
}

/// A whole number in `0..count`.
fn below(u: f32, count: f32) -> f32 {
    (u * count).floor().min(count - 1.0)
}

/// A size as a float: they are below `2^15`.
#[expect(clippy::cast_precision_loss, reason = "sizes are below 2^15")]
fn real(size: u32) -> f32 {
    size as f32
}

/// What happens to each image.
pub(crate) fn plan(p: &AugmentParams, args: CpuArgs<'_>) {
    let ([samples, step], [plan]) = args.split();
    let (samples, step) = (words(samples), words(step));
    plan.par_chunks_mut(RECORD)
        .zip(samples)
        .enumerate()
        .with_min_len(16)
        .for_each(|(idx, (record, &sample))| {
            record.copy_from_slice(&plan_image(p, &Draws { sample, step }));
            let place = if p.resident == 1 { index(sample) } else { idx };
            record[19] = float(place.min(index(p.images)));
        });
}

#[expect(
    clippy::cast_precision_loss,
    reason = "places of images are at most 2^24"
)]
fn float(place: usize) -> f32 {
    place as f32
}

#[expect(clippy::cast_precision_loss, reason = "places are below 2^15")]
fn plan_image(p: &AugmentParams, draws: &Draws<'_>) -> [f32; RECORD] {
    let size = [real(p.in_h), real(p.in_w)];
    let out = [real(p.out_h), real(p.out_w)];
    let mut resized = [real(p.resized_h), real(p.resized_w)];
    let u = draws.draw(0);
    let mut begin = [p.top as f32, p.left as f32];
    let mut window = [0.0, 0.0, size[0], size[1]];
    if p.crop == 1 {
        let pad = real(p.pad);
        begin = [0, 1].map(|i: usize| below(u[1 + i], resized[i] + 2.0 * pad - out[i] + 1.0) - pad);
    } else if p.crop == 2 {
        let part = Part {
            share: [p.area_low, p.area_high],
            ratio: [p.ratio_low, p.ratio_high],
        };
        window = draws.part(16, size, &part).unwrap_or(window);
        (begin, resized) = ([0.0; 2], out);
    }
    let v = draws.draw(1);
    let bright = 1.0 + p.brightness * (2.0 * v[0] - 1.0);
    let contrast = 1.0 + p.contrast * (2.0 * v[1] - 1.0);
    let z = draws.normals();
    let shift = [
        [p.shift_rr, p.shift_rg, p.shift_rb],
        [p.shift_gr, p.shift_gg, p.shift_gb],
        [p.shift_br, p.shift_bg, p.shift_bb],
    ]
    .map(|row| row[0] * z[0] + row[1] * z[1] + row[2] * z[2]);
    let mean = [p.mean_r, p.mean_g, p.mean_b];
    let std = [p.std_r, p.std_g, p.std_b];
    let gain = std.map(|d| bright * contrast / (255.0 * d));
    let bias = [0, 1, 2].map(|i: usize| (shift[i] - contrast * mean[i]) / std[i]);
    let erase = Part {
        share: [p.erase_low, p.erase_high],
        ratio: [p.erase_ratio_low, p.erase_ratio_high],
    };
    let erased = if v[2] < p.erase {
        draws.part(32, out, &erase)
    } else {
        None
    };
    let is_flipped = if p.alternate == 1 {
        draws.alternates()
    } else {
        u[0] < p.flip
    };
    let flip = if is_flipped { 1.0 } else { 0.0 };
    let fields = [&begin[..], &resized, &window, &[flip], &gain, &bias];
    let mut record = [0.0; RECORD];
    let values = fields.into_iter().flatten().chain(erased.iter().flatten());
    for (field, value) in record.iter_mut().zip(values) {
        *field = *value;
    }
    record[20] = 1.0 / (255.0 * p.deviation_a);
    record[21] = -p.mean_a / p.deviation_a;
    record
}

/// Does to each image what is planned for it.
pub(crate) fn apply<const RESAMPLE: bool, const C: usize>(p: &AugmentParams, args: CpuArgs<'_>) {
    let ([pixels, plan], [y]) = args.split();
    let [in_h, in_w, out_h, out_w] = [p.in_h, p.in_w, p.out_h, p.out_w].map(index);
    let image_bytes = C * in_h * in_w;
    let bytes: &[u8] = &bytemuck::cast_slice(pixels)[..index(p.images) * image_bytes];
    y.par_chunks_mut(C * out_h * out_w)
        .zip(plan.par_chunks(RECORD))
        .for_each(|(y, record)| {
            let first = whole(record[19]) * image_bytes;
            match bytes.get(first..first + image_bytes) {
                Some(image) if RESAMPLE => resample::<C>(p, image, record, y),
                Some(image) => copy::<C>(p, image, record, y),
                None => y.fill(0.0),
            }
            finish::<C>(record, C * out_w, y);
        });
}

fn index(size: u32) -> usize {
    usize::try_from(size).expect("it came from a usize")
}

/// A crop without interpolation, mirrored where that is planned.
#[expect(clippy::cast_possible_truncation, reason = "places are below 2^15")]
fn copy<const C: usize>(p: &AugmentParams, bytes: &[u8], record: &[f32], y: &mut [f32]) {
    let (in_w, out_w) = (index(p.in_w), index(p.out_w));
    let [top, left] = [record[0], record[1]].map(|begin| begin as isize);
    let is_flipped = record[8] > 0.0;
    for (row, y) in (top..).zip(y.chunks_exact_mut(C * out_w)) {
        let source = shown(p, row, index(p.in_h))
            .and_then(|row| bytes.get(C * in_w * row..C * in_w * (row + 1)));
        let Some(source) = source else {
            y.fill(0.0);
            continue;
        };
        for (column, y) in y.chunks_exact_mut(C).enumerate() {
            let at = if is_flipped {
                out_w - 1 - column
            } else {
                column
            };
            let pixel = left
                .checked_add_unsigned(at)
                .and_then(|at| shown(p, at, in_w))
                .and_then(|at| source.get(C * at..C * at + C));
            match pixel {
                Some(pixel) => y
                    .iter_mut()
                    .zip(pixel)
                    .for_each(|(y, &v)| *y = f32::from(v)),
                None => y.fill(0.0),
            }
        }
    }
}

/// The place of an axis that a place beside the image shows; none where that is black.
fn shown(p: &AugmentParams, at: isize, length: usize) -> Option<usize> {
    let place = if p.reflect == 1 {
        let last = length.checked_sub(1)?;
        last.checked_sub(last.abs_diff(at.unsigned_abs()))?
    } else {
        usize::try_from(at).ok()?
    };
    (place < length).then_some(place)
}

/// The same for places between pixels.
fn mirrored(at: f32, length: f32) -> f32 {
    let last = length - 1.0;
    last - (last - at.abs()).abs()
}

/// A crop with interpolation: along rows into scratch memory, then along columns.
fn resample<const C: usize>(p: &AugmentParams, bytes: &[u8], record: &[f32], y: &mut [f32]) {
    thread_local! {
        static TAPS: RefCell<[Taps; 2]> = RefCell::default();
    }
    let (in_w, out_h, out_w) = (index(p.in_w), p.out_h, p.out_w);
    let [top, left, height, width] = [4, 5, 6, 7].map(|i: usize| whole(record[i]));
    let is_flipped = record[8] > 0.0;
    let centres = |axis: usize, at: f32| {
        let at = at + record[axis];
        let at = if p.reflect == 1 {
            mirrored(at, record[2 + axis])
        } else {
            at
        };
        let scale = record[6 + axis] / record[2 + axis];
        (at >= 0.0 && at < record[2 + axis]).then_some((at + 0.5) * scale)
    };
    let support = |axis: usize| (record[6 + axis] / record[2 + axis]).max(1.0);
    TAPS.with_borrow_mut(|[rows, columns]| {
        rows.set(
            (0..out_h).map(|at| centres(0, real(at))),
            record[6],
            support(0),
        );
        let mirrored = (0..out_w).map(|at| if is_flipped { out_w - 1 - at } else { at });
        columns.set(
            mirrored.map(|at| centres(1, real(at))),
            record[7],
            support(1),
        );
        let line = C * columns.len();
        with_scratch(height * line, |lines| {
            for (row, line) in (top..).zip(lines.chunks_exact_mut(line)) {
                let source = &bytes[C * (row * in_w + left)..][..C * width];
                for (column, sums) in line.chunks_exact_mut(C).enumerate() {
                    let mut sum = [0.0; C];
                    for (at, weight) in columns.at(column) {
                        let pixel = &source[C * at..C * at + C];
                        for (sum, &v) in sum.iter_mut().zip(pixel) {
                            *sum += weight * f32::from(v);
                        }
                    }
                    sums.copy_from_slice(&sum);
                }
            }
            for (row, y) in y.chunks_exact_mut(line).enumerate() {
                y.fill(0.0);
                for (at, weight) in rows.at(row) {
                    let line = &lines[at * line..][..line];
                    y.iter_mut().zip(line).for_each(|(y, &v)| *y += weight * v);
                }
            }
        });
    });
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "places and sizes are whole, small and not negative"
)]
fn whole(value: f32) -> usize {
    value as usize
}

/// Colours and erasing, in place.
fn finish<const C: usize>(record: &[f32], line: usize, y: &mut [f32]) {
    let gain = [record[9], record[10], record[11], record[20]];
    let bias = [record[12], record[13], record[14], record[21]];
    for pixel in y.chunks_exact_mut(C) {
        for ((y, gain), bias) in pixel.iter_mut().zip(gain).zip(bias) {
            *y = gain * *y + bias;
        }
    }
    let [top, left, height, width] = [15, 16, 17, 18].map(|i: usize| whole(record[i]));
    for row in y.chunks_exact_mut(line).skip(top).take(height) {
        row[C * left..C * (left + width)].fill(0.0);
    }
}
