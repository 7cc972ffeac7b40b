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
    /// A random place, after the image was resized and padded with black.
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
