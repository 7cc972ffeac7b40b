//! Sliding windows, as convolutions and pools have them: padding and the size of what comes out.
//!
//! Along a dimension of size `n`, a window of `k` taps `d` apart reaches over `e = d (k - 1) + 1` elements. With `p`
//! elements of padding in all and stride `s` it fits `floor((n + p - e) / s) + 1` times (Dumoulin and Visin 2016,
//! relationship 15), or with `ceil` in place of `floor` in ceil mode.

use crate::error::{Error, Result};

/// How a dimension is padded before a window slides over it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Padding {
    /// None: windows lie inside.
    #[default]
    Valid,
    /// TensorFlow's SAME: `ceil(n / s)` windows; what can't be split evenly goes to the bottom and right.
    Same,
    /// This many rows and columns at each side.
    Explicit {
        /// Above the first row.
        top: usize,
        /// Left of the first column.
        left: usize,
        /// Below the last row.
        bottom: usize,
        /// Right of the last column.
        right: usize,
    },
}

impl Padding {
    /// The same padding at all four sides, as PyTorch's `padding=n`.
    #[must_use]
    pub const fn all(n: usize) -> Self {
        Self::Explicit {
            top: n,
            left: n,
            bottom: n,
            right: n,
        }
    }
}

/// A window over the two dimensions of an image: `[vertical, horizontal]`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Window {
    /// Taps.
    pub size: [usize; 2],
    /// Elements between windows.
    pub stride: [usize; 2],
    /// Elements between taps; 1 is dense.
    pub dilation: [usize; 2],
    /// Padding.
    pub padding: Padding,
    /// Whether a last window that starts inside the input or its leading padding counts although it reaches beyond
    /// (PyTorch's `ceil_mode`).
    pub is_ceil: bool,
}

/// Where the windows of one image lie.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Placement {
    /// How many windows, `[vertical, horizontal]`.
    pub out: [usize; 2],
    /// Padding before the first row and column.
    pub before: [usize; 2],
    /// Padding after the last row and column, as stated (ceil mode may reach further).
    pub after: [usize; 2],
}

impl Window {
    /// A dense window that advances by `stride`.
    #[must_use]
    pub const fn new(size: usize, stride: usize, padding: Padding) -> Self {
        Self {
            size: [size; 2],
            stride: [stride; 2],
            dilation: [1; 2],
            padding,
            is_ceil: false,
        }
    }

    /// Places the windows on an image of `input` rows and columns.
    ///
    /// # Errors
    /// If a size, stride or dilation is 0, or the window is larger than the padded image.
    pub fn place(&self, op: &'static str, input: [usize; 2]) -> Result<Placement> {
        let mut placement = Placement {
            out: [0; 2],
            before: [0; 2],
            after: [0; 2],
        };
        for axis in 0..2 {
            let (n, s, k, d) = (
                input[axis],
                self.stride[axis],
                self.size[axis],
                self.dilation[axis],
            );
            if s == 0 || k == 0 || d == 0 || n == 0 {
                let got = format!("{self:?} on {input:?}");
                return Err(Error::argument(
                    op,
                    "window",
                    "sizes, strides and dilations of at least 1",
                    got,
                ));
            }
            let extent = d.saturating_mul(k - 1).saturating_add(1);
            let (before, after) = self.padding_along(axis, n, extent);
            let room = (n.saturating_add(before).saturating_add(after))
                .checked_sub(extent)
                .ok_or_else(|| {
                    let side = ["rows", "columns"][axis];
                    let padded = n + before + after;
                    let expected = format!("at least {extent} {side} (window {k}, dilation {d})");
                    Error::argument(
                        op,
                        "input",
                        expected,
                        format!("{padded} {side}, padding included"),
                    )
                })?;
            let mut out = room / s + 1;
            if self.is_ceil && !room.is_multiple_of(s) && out * s < n + before {
                out += 1;
            }
            (
                placement.out[axis],
                placement.before[axis],
                placement.after[axis],
            ) = (out, before, after);
        }
        Ok(placement)
    }

    fn padding_along(&self, axis: usize, n: usize, extent: usize) -> (usize, usize) {
        match self.padding {
            Padding::Valid => (0, 0),
            Padding::Same => {
                let stride = self.stride[axis];
                let needed = ((n.div_ceil(stride) - 1) * stride + extent).saturating_sub(n);
                (needed / 2, needed - needed / 2)
            }
            Padding::Explicit {
                top,
                left,
                bottom,
                right,
            } => {
                if axis == 0 {
                    (top, bottom)
                } else {
                    (left, right)
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(size: usize, stride: usize, padding: Padding, input: usize) -> (usize, usize, usize) {
        let placed = Window::new(size, stride, padding)
            .place("test", [input; 2])
            .unwrap();
        (placed.out[0], placed.before[0], placed.after[0])
    }

    #[test]
    fn alexnets_windows_fall_where_the_papers_do() {
        assert_eq!(place(11, 4, Padding::Valid, 227), (55, 0, 0), "conv1");
        assert_eq!(place(3, 2, Padding::Valid, 55), (27, 0, 0), "pool1");
        assert_eq!(place(5, 1, Padding::all(2), 27), (27, 2, 2), "conv2");
        assert_eq!(
            place(11, 4, Padding::all(2), 224),
            (55, 2, 2),
            "torchvision's conv1"
        );
    }

    #[test]
    fn same_padding_is_tensorflows() {
        assert_eq!(
            place(7, 2, Padding::Same, 32),
            (16, 2, 3),
            "conv1 of alexnet-small"
        );
        assert_eq!(
            place(3, 2, Padding::Same, 16),
            (8, 0, 1),
            "pool1 of alexnet-small"
        );
        assert_eq!(
            place(3, 1, Padding::Same, 4),
            (4, 1, 1),
            "conv3 of alexnet-small"
        );
        assert_eq!(
            place(1, 3, Padding::Same, 7),
            (3, 0, 0),
            "stride beyond the window"
        );
    }

    #[test]
    fn ceil_mode_counts_a_last_window_that_starts_inside() {
        let ceil = |size, stride, padding, n: usize| {
            let window = Window {
                is_ceil: true,
                ..Window::new(size, stride, padding)
            };
            window.place("test", [n; 2]).unwrap().out[0]
        };
        assert_eq!(
            ceil(3, 2, Padding::Valid, 16),
            8,
            "one window over the edge"
        );
        assert_eq!(
            ceil(2, 2, Padding::all(1), 3),
            2,
            "none that starts in the trailing padding"
        );
        assert_eq!(ceil(3, 2, Padding::Valid, 15), 7, "nothing to round");
    }

    #[test]
    fn a_window_that_does_not_fit_is_an_error_with_sizes() {
        let error = Window::new(11, 4, Padding::Valid)
            .place("conv2d", [8, 20])
            .unwrap_err();
        let want = "conv2d: input: expected at least 11 rows (window 11, dilation 1), got 8 rows, padding included";
        assert_eq!(error.to_string(), want);
        assert!(
            Window::new(3, 0, Padding::Valid)
                .place("conv2d", [8, 8])
                .is_err(),
            "stride 0"
        );
    }
}
