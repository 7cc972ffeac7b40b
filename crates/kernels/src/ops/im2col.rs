//! Image patches as a matrix, and the sum of such a matrix back into images: the readable route of a convolution
//! (Chellapilla 2006), and an oracle for the implicit products of [`super::conv2d`], which is what training runs.
//!
//! `columns[(n, oy, ox), (ky, kx, c)] = x[n, oy s - p + ky d, ox s - p + kx d, c]`, 0 in the padding. columns:
//! `[n * out_h * out_w, kh * kw * c_in]`, all channels whatever the groups. Its transpose sums each pixel's copies in the order of
//! the taps. A batch longer than a binding is taken in parts.

use std::ops::Range;

use super::conv2d::{Checked, Conv2d};
use super::{check_len, elements, row_windows, slice_rows};
use crate::buffer::{Buffer, Width};
use crate::cpu;
use crate::cpu::conv2d::Conv2dParams;
use crate::device::Device;
use crate::error::Result;
use crate::kernel::{Grid, Kernel};

const OP: &str = "im2col";
const IM2COL: Kernel<Conv2dParams> =
    Kernel::new(shaders::Variant::new(OP, "im2col"), cpu::im2col::im2col);
const COL2IM: Kernel<Conv2dParams> =
    Kernel::new(shaders::Variant::new(OP, "col2im"), cpu::im2col::col2im);

/// The patches of `x: [n, h, w, c_in]`.
///
/// # Errors
/// If the buffer's length does not fit the sizes, memory runs out or the device fails.
pub fn forward(device: &Device, conv: &Conv2d, x: &Buffer) -> Result<Buffer> {
    let checked = conv.check()?;
    let columns_len = columns_len(&checked);
    check_len(OP, "x", x, elements(&[conv.n, checked.image_len()]))?;
    let columns = device.alloc(elements(&[conv.n, columns_len]))?;
    for images in parts(device, &checked) {
        let x = slice_rows(x, &images, checked.image_len())?;
        let columns = slice_rows(&columns, &images, columns_len)?;
        let grid = Grid::linear(columns.len());
        device.launch(&IM2COL, &checked.part(&images)?, &[&x], &[&columns], grid)?;
    }
    Ok(columns)
}

/// The gradient of x: the sum of each pixel's copies in `columns`.
///
/// # Errors
/// As [`forward`].
pub fn backward(device: &Device, conv: &Conv2d, columns: &Buffer) -> Result<Buffer> {
    let checked = conv.check()?;
    let columns_len = columns_len(&checked);
    check_len(OP, "columns", columns, elements(&[conv.n, columns_len]))?;
    let dx = device.alloc(elements(&[conv.n, checked.image_len()]))?;
    for images in parts(device, &checked) {
        let columns = slice_rows(columns, &images, columns_len)?;
        let dx = slice_rows(&dx, &images, checked.image_len())?;
        let grid = Grid::linear(dx.len()).flops(columns.len());
        device.launch(&COL2IM, &checked.part(&images)?, &[&columns], &[&dx], grid)?;
    }
    Ok(dx)
}

/// The patches of one image.
fn columns_len(checked: &Checked) -> usize {
    let [out_h, out_w] = checked.placement.out;
    let [kh, kw] = checked.spec.window.size;
    elements(&[out_h, out_w, kh, kw, checked.spec.c_in])
}

/// Parts of the batch of which neither the images nor the patches are longer than a binding.
fn parts(device: &Device, checked: &Checked) -> impl Iterator<Item = Range<usize>> + use<> {
    let lens = [checked.image_len(), columns_len(checked)];
    row_windows(device, Width::Word, checked.spec.n, &lens)
}
