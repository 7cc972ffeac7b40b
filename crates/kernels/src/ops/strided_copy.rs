//! Copies between layouts: the dimensions of a tensor in another order, a part of it, and such a part filled in.
//!
//! All three are one kernel, `y[sum of i_d y_stride_d] = x[sum of i_d x_stride_d]`, with other strides. A buffer longer than a
//! binding of the device is refused.

use std::ops::Range;

use super::{check_len, size};
use crate::buffer::Buffer;
use crate::cpu;
use crate::device::Device;
use crate::error::{Error, Result};
use crate::kernel::{Grid, Kernel};

const OP: &str = "strided_copy";
const COPY: Kernel<cpu::strided_copy::StridedCopyParams> =
    Kernel::new(shaders::Variant::new(OP, OP), cpu::strided_copy::copy);

/// Dimensions that the kernel counts.
const RANK: usize = 6;

/// `x` of `sizes` with its dimensions in another order: dimension d of y is number `order[d]` of x.
///
/// # Errors
/// If `order` does not name each dimension once, `x` has another length, more than six dimensions move, memory runs out or the
/// device fails.
pub fn permute(device: &Device, x: &Buffer, sizes: &[usize], order: &[usize]) -> Result<Buffer> {
    let mut sorted = order.to_vec();
    sorted.sort_unstable();
    if sorted.iter().copied().ne(0..sizes.len()) {
        let expected = format!("each of 0..{} once", sizes.len());
        return Err(Error::argument(OP, "order", expected, format!("{order:?}")));
    }
    check_len(OP, "x", x, sizes.iter().product())?;
    let x_strides = strides(sizes);
    let out: Vec<usize> = order.iter().map(|&d| sizes[d]).collect();
    let y_strides = strides(&out);
    let dimension = |d: usize| Dimension {
        size: out[d],
        x: x_strides[order[d]],
        y: y_strides[d],
    };
    let y = device.alloc_as(x.width(), x.len())?;
    let dimensions = (0..out.len()).map(dimension).collect();
    launch(device, dimensions, Side::whole(x), Side::whole(&y))?;
    Ok(y)
}

/// What lies at `range` of dimension number `axis` of `x`, which has these sizes.
///
/// # Errors
/// If the range reaches beyond the dimension, `x` has another length, memory runs out or the device fails.
pub fn slice(
    device: &Device,
    x: &Buffer,
    sizes: &[usize],
    axis: usize,
    range: Range<usize>,
) -> Result<Buffer> {
    let part = Part::new(sizes, axis, range)?;
    check_len(OP, "x", x, sizes.iter().product())?;
    let y = device.alloc_as(x.width(), part.len())?;
    let from = Side {
        buffer: x,
        offset: part.offset(),
    };
    launch(device, part.dimensions(false), from, Side::whole(&y))?;
    Ok(y)
}

/// Writes `x` into `y`, which has these sizes, at `range` of dimension number `axis`: what [`slice()`] would read.
///
/// # Errors
/// As [`slice()`].
pub fn fill_in(
    device: &Device,
    x: &Buffer,
    y: &Buffer,
    sizes: &[usize],
    axis: usize,
    range: Range<usize>,
) -> Result<()> {
    let part = Part::new(sizes, axis, range)?;
    check_len(OP, "x", x, part.len())?;
    check_len(OP, "y", y, sizes.iter().product())?;
    let to = Side {
        buffer: y,
        offset: part.offset(),
    };
    launch(device, part.dimensions(true), Side::whole(x), to)
}

/// A part of a tensor seen as `[outer, axis, inner]`.
struct Part {
    outer: usize,
    axis: usize,
    inner: usize,
    range: Range<usize>,
}

impl Part {
    fn new(sizes: &[usize], axis: usize, range: Range<usize>) -> Result<Self> {
        let len = sizes.get(axis).copied().unwrap_or(0);
        if range.is_empty() || range.end > len {
            let expected = format!("a part of dimension {axis} of {sizes:?}");
            return Err(Error::argument(OP, "range", expected, format!("{range:?}")));
        }
        Ok(Self {
            outer: sizes[..axis].iter().product(),
            axis: len,
            inner: sizes[axis + 1..].iter().product(),
            range,
        })
    }

    fn len(&self) -> usize {
        self.outer * self.range.len() * self.inner
    }

    fn offset(&self) -> usize {
        self.range.start * self.inner
    }

    /// Between the whole and the part alone: from the first, or to it.
    fn dimensions(&self, is_whole_written: bool) -> Vec<Dimension> {
        let row = self.range.len() * self.inner;
        let (mut x, mut y) = (self.axis * self.inner, row);
        if is_whole_written {
            (x, y) = (y, x);
        }
        let dimension = |size, x, y| Dimension { size, x, y };
        vec![dimension(self.outer, x, y), dimension(row, 1, 1)]
    }
}

/// A dimension and how far its elements are apart on both sides.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Dimension {
    size: usize,
    x: usize,
    y: usize,
}

impl Dimension {
    const ONE: Self = Self {
        size: 1,
        x: 0,
        y: 0,
    };
}

/// How far the elements of each dimension are apart.
fn strides(sizes: &[usize]) -> Vec<usize> {
    (1..=sizes.len())
        .map(|d| sizes[d..].iter().product())
        .collect()
}

/// The fewest dimensions that say the same: those that lie behind one another on both sides are one.
fn merged(dimensions: Vec<Dimension>) -> Vec<Dimension> {
    let mut all: Vec<Dimension> = Vec::new();
    for next in dimensions.into_iter().filter(|d| d.size != 1) {
        match all.last_mut() {
            Some(last) if last.x == next.x * next.size && last.y == next.y * next.size => {
                *last = Dimension {
                    size: last.size * next.size,
                    ..next
                };
            }
            _ => all.push(next),
        }
    }
    all
}

/// What is read or written, and from which element on.
#[derive(Clone, Copy)]
struct Side<'a> {
    buffer: &'a Buffer,
    offset: usize,
}

impl<'a> Side<'a> {
    fn whole(buffer: &'a Buffer) -> Self {
        Self { buffer, offset: 0 }
    }
}

fn launch(device: &Device, dimensions: Vec<Dimension>, from: Side<'_>, to: Side<'_>) -> Result<()> {
    let n: usize = dimensions.iter().map(|d| d.size).product();
    if n == 0 {
        return Ok(());
    }
    let dimensions = merged(dimensions);
    if dimensions.len() > RANK {
        let got = format!("{} that move", dimensions.len());
        return Err(Error::argument(OP, "x", "six dimensions at most", got));
    }
    // The outermost comes first, the others last, with dimensions of one between. A single one is innermost: a row.
    let mut all = [Dimension::ONE; RANK];
    let row = to.buffer.len() - to.offset;
    all[0] = Dimension { y: row, ..all[0] };
    let inner = match &dimensions[..] {
        [first, rest @ ..] if !rest.is_empty() => {
            all[0] = *first;
            rest
        }
        only => only,
    };
    all[RANK - inner.len()..].copy_from_slice(inner);
    size(OP, "x", from.buffer.len())?;
    let mut words = [0; 20];
    let numbers = [n, from.offset, to.offset].into_iter();
    let numbers = numbers.chain(all[1..].iter().map(|d| d.size));
    let numbers = numbers.chain(all.iter().map(|d| d.x));
    for (word, number) in words.iter_mut().zip(numbers.chain(all.iter().map(|d| d.y))) {
        *word = size(OP, "y", number)?;
    }
    let params = bytemuck::cast(words);
    let grid = Grid::linear(n);
    device.launch(&COPY, &params, &[from.buffer], &[to.buffer], grid)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dimensions_in_their_order_become_one() {
        let dimension = |size, x, y| Dimension { size, x, y };
        let whole = vec![
            dimension(2, 15, 15),
            dimension(1, 5, 7),
            dimension(3, 5, 5),
            dimension(5, 1, 1),
        ];
        assert_eq!(merged(whole), [dimension(30, 1, 1)], "contiguous");
        let turned = vec![dimension(5, 1, 3), dimension(3, 5, 1)];
        assert_eq!(merged(turned.clone()), turned, "a transpose");
    }
}
