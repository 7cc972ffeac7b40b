//! Products whose operands are longer than a binding, cut into pieces that fit.

use super::{OP, Part};
use crate::buffer::Buffer;
use crate::device::Device;
use crate::error::Result;
use crate::ops::size;
use crate::tile;

/// A dimension that a product can be cut along.
#[derive(Clone, Copy, PartialEq)]
enum Cut {
    M,
    N,
    K,
}

impl Part {
    pub(super) fn run(self, device: &Device) -> Result<()> {
        let limit = device.max_binding_words();
        let [trans_a, trans_b] = self.transposed;
        // Which dimension the stored rows of A, B and C run along: cutting it gives windows of whole rows.
        let rows = [
            (if trans_a { Cut::K } else { Cut::M }, self.params.lda),
            (if trans_b { Cut::N } else { Cut::K }, self.params.ldb),
            (Cut::M, self.params.ldc),
        ];
        let too_long = self
            .buffers
            .iter()
            .zip(rows)
            .find(|(buffer, _)| buffer.len() > limit);
        let most_rows = tile::most_rows(device);
        match too_long {
            Some((_, (cut, leading))) => self.run_in_windows(device, cut, limit / leading as usize),
            None if self.params.m as usize > most_rows => {
                self.run_in_windows(device, Cut::M, most_rows)
            }
            None => self.dispatch(device),
        }
    }

    /// Cuts along a dimension into pieces of at most `most` rows, a multiple of that by which windows are aligned.
    fn run_in_windows(self, device: &Device, cut: Cut, most: usize) -> Result<()> {
        let alignment = self.buffers[0].width().alignment();
        let aligned = most.min(u32::MAX as usize) / alignment * alignment;
        let step = size(OP, "rows", aligned)?;
        let whole = match cut {
            Cut::M => self.params.m,
            Cut::N => self.params.n,
            Cut::K => self.params.k,
        };
        if step == 0 || step >= whole {
            // Not even so many rows fit: the launch reports the limit.
            return self.dispatch(device);
        }
        for start in (0..whole).step_by(step as usize) {
            let len = step.min(whole - start);
            self.piece(cut, start, len, start + len == whole)?
                .run(device)?;
        }
        Ok(())
    }

    fn piece(&self, cut: Cut, start: u32, len: u32, is_last: bool) -> Result<Self> {
        let mut piece = self.clone();
        let [trans_a, trans_b] = self.transposed;
        let p = &mut piece.params;
        let [a, b, c] = &mut piece.buffers;
        let window = |buffer: &Buffer, leading: u32| {
            let range =
                (start as usize) * leading as usize..(start + len) as usize * leading as usize;
            buffer.slice(range.start..range.end.min(buffer.len()))
        };
        match cut {
            Cut::M => {
                p.m = len;
                if trans_a {
                    p.a_offset += start;
                } else {
                    *a = window(a, p.lda)?;
                }
                *c = window(c, p.ldc)?;
            }
            Cut::N => {
                p.n = len;
                if trans_b {
                    *b = window(b, p.ldb)?;
                } else {
                    p.b_offset += start;
                }
                p.c_offset += start;
                if let Some(bias) = &mut piece.bias {
                    *bias = bias.slice(start as usize..(start + len) as usize)?;
                }
            }
            Cut::K => {
                (p.k, p.k_per_split) = (len, len);
                if trans_a {
                    *a = window(a, p.lda)?;
                } else {
                    p.a_offset += start;
                }
                if trans_b {
                    p.b_offset += start;
                } else {
                    *b = window(b, p.ldb)?;
                }
                // Later pieces add to the earlier ones; bias and ReLU come when the sum is complete.
                if start > 0 {
                    p.beta = 1.0;
                }
                if !is_last {
                    (piece.bias, p.relu) = (None, 0);
                }
            }
        }
        Ok(piece)
    }
}
