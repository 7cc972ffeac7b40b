//! What augmentation can do to an image: crops, shifts of colour, erasing.

/// Which part of an image becomes the output.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub enum Crop {
    /// The middle, after the image was resized to `resized` (height, width).
    Centre {
        /// The image's size before cropping; the output's for plain resizing.
        resized: [usize; 2],
    },
    /// A fixed place, after the image was resized: for ten-crop evaluation.
    At {
        /// The image's size before cropping.
        resized: [usize; 2],
        /// The first row.
        top: usize,
        /// The first column.
        left: usize,
    },
    /// The middle, moved by a few pixels: for evaluation by several views.
    Shifted {
        /// The image's size before cropping.
        resized: [usize; 2],
        /// Pixels down and to the right by which the window is moved.
        by: [i32; 2],
    },
    /// A random place, after the image was resized and padded.
    Random {
        /// The image's size before padding.
        resized: [usize; 2],
        /// Pixels added on each side.
        pad: usize,
    },
    /// A random part of the source, resized to the output.
    Area {
        /// The least and the largest share of the source's area.
        share: [f32; 2],
        /// The smallest and the largest aspect ratio, width over height.
        ratio: [f32; 2],
    },
}

/// What is beside a resized image, where a random or a shifted crop reaches over its edge.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Beside {
    /// Black.
    #[default]
    Black,
    /// Its mirror image, the edge itself not repeated: PyTorch's and numpy's `reflect`.
    Reflection,
}

impl Crop {
    /// Whether a window of `output` reaches no further over the edges than their reflections do.
    pub(super) fn is_within_reflections(&self, output: [usize; 2]) -> bool {
        let is_within = |axis: usize| -> Option<bool> {
            let signed = |size: usize| i64::try_from(size).ok();
            let (side, [first, last]) = match *self {
                Self::Random { resized, pad } => {
                    let (side, pad) = (signed(resized[axis])?, signed(pad)?);
                    (side, [-pad, side + pad - 1])
                }
                Self::Shifted { resized, by } => {
                    let (side, out) = (signed(resized[axis])?, signed(output[axis])?);
                    let first = (side - out).div_euclid(2) + i64::from(by[axis]);
                    (side, [first, first + out - 1])
                }
                _ => return Some(true),
            };
            Some(first > -side && last <= 2 * (side - 1))
        };
        [0, 1].into_iter().all(|axis| is_within(axis) == Some(true))
    }
}

/// A random shift along the colours' principal components: `components z std`, with `z` near-normal.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ColourShift {
    /// A row for each of red, green and blue, a column for each principal component times its eigenvalue, for colours in
    /// `[0, 1]`.
    pub components: [[f32; 3]; 3],
    /// The paper's is 0.1.
    pub std: f32,
}

/// Random erasing: a rectangle becomes the mean colour (0 after normalisation).
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Erase {
    /// How likely it is.
    pub probability: f32,
    /// The least and the largest share of the output's area.
    pub share: [f32; 2],
    /// The smallest and the largest aspect ratio, width over height.
    pub ratio: [f32; 2],
}
