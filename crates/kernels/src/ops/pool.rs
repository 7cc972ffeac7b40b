//! What both pools share: their sizes, and the cut of a batch into windows of whole images.

use std::ops::Range;

use super::window::{Placement, Window};
use super::{check_len, elements, row_windows, size};
use crate::buffer::{Buffer, Width};
use crate::device::Device;
use crate::error::{Error, Result};

/// The sizes of a pooling over `x: [n, h, w, channels]`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pool {
    /// Images.
    pub n: usize,
    /// Rows and columns of an image.
    pub input: [usize; 2],
    /// Channels.
    pub channels: usize,
    /// The windows.
    pub window: Window,
}

impl Pool {
    /// Rows and columns of the output.
    ///
    /// # Errors
    /// If the window does not fit the padded image.
    pub fn output(&self) -> Result<[usize; 2]> {
        Ok(self.place("pool")?.out)
    }

    pub(super) fn place(&self, op: &'static str) -> Result<Placement> {
        if self.channels == 0 {
            return Err(Error::argument(op, "channels", "at least one", "0"));
        }
        let placement = self.window.place(op, self.input)?;
        // Positions in a batch, as the shaders count them.
        size(op, "x", elements(&[self.n, self.input_len()]))?;
        size(op, "y", elements(&[self.n, self.output_len(&placement)]))?;
        Ok(placement)
    }

    /// Elements of an image.
    pub(super) fn input_len(&self) -> usize {
        elements(&[self.input[0], self.input[1], self.channels])
    }

    /// Elements of an image's output.
    pub(super) fn output_len(&self, placement: &Placement) -> usize {
        elements(&[placement.out[0], placement.out[1], self.channels])
    }

    /// Ranges of images that fit in bindings and start where windows may.
    pub(super) fn images(
        &self,
        device: &Device,
        width: Width,
        placement: &Placement,
    ) -> impl Iterator<Item = Range<usize>> + use<> {
        row_windows(
            device,
            width,
            self.n,
            &[self.input_len(), self.output_len(placement)],
        )
    }

    pub(super) fn check_len(
        &self,
        op: &'static str,
        argument: &'static str,
        buffer: &Buffer,
        image_len: usize,
    ) -> Result<()> {
        check_len(op, argument, buffer, elements(&[self.n, image_len]))
    }
}

/// The sizes in the order of the parameter structs: n, h, w, c, kh, kw, strides, padding before, dilations, outputs.
pub(super) fn words(op: &'static str, n: usize, pool: &Pool, at: &Placement) -> Result<[u32; 14]> {
    let Window {
        size: [kh, kw],
        stride: [sh, sw],
        dilation: [dh, dw],
        ..
    } = pool.window;
    let ([h, w], [top, left], [out_h, out_w]) = (pool.input, at.before, at.out);
    let sizes = [
        n,
        h,
        w,
        pool.channels,
        kh,
        kw,
        sh,
        sw,
        top,
        left,
        dh,
        dw,
        out_h,
        out_w,
    ];
    let mut words = [0; 14];
    for (word, value) in words.iter_mut().zip(sizes) {
        *word = size(op, "window", value)?;
    }
    Ok(words)
}
