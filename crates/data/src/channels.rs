//! What the numbers of a pixel are, and how pixels of one kind become another's.

use std::fmt;

/// The weights of red, green and blue in a pixel's luminance, in 10,000ths: those of ITU-R BT.709, which the `image` crate
/// uses too.
const LUMINANCE: [u32; 3] = [2126, 7152, 722];

/// Red, green, blue: the channels of a photo, in this order, last. Images of other [`Channels`] have 1 or 4.
pub const CHANNELS: usize = 3;

/// The shape of each of some images: from `[height, width]`, in colour, or from `[height, width, channels]`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ImageShape {
    /// Rows.
    pub height: usize,
    /// Columns.
    pub width: usize,
    /// Numbers in a pixel: 1, 3 or 4, as [`Channels`] says.
    pub channels: usize,
}

impl From<[usize; 2]> for ImageShape {
    fn from([height, width]: [usize; 2]) -> Self {
        Self::from([height, width, CHANNELS])
    }
}

impl From<[usize; 3]> for ImageShape {
    fn from([height, width, channels]: [usize; 3]) -> Self {
        Self {
            height,
            width,
            channels,
        }
    }
}

impl fmt::Display for ImageShape {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            height,
            width,
            channels,
        } = self;
        write!(f, "{height}x{width}x{channels}")
    }
}

/// How many numbers a pixel has, and what they are. They come last: `[height, width, channels]`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Channels {
    /// One: luminance, as MNIST has it.
    Grey,
    /// Three: red, green, blue.
    #[default]
    Rgb,
    /// Four: red, green, blue, and opacity, by which the colours are not multiplied.
    Rgba,
}

impl Channels {
    /// The kind of pixels with so many numbers: 1, 3 or 4.
    #[must_use]
    pub const fn of(count: usize) -> Option<Self> {
        match count {
            1 => Some(Self::Grey),
            3 => Some(Self::Rgb),
            4 => Some(Self::Rgba),
            _ => None,
        }
    }

    /// Numbers in a pixel: 1, 3 or 4.
    #[must_use]
    pub const fn count(self) -> usize {
        match self {
            Self::Grey => 1,
            Self::Rgb => 3,
            Self::Rgba => 4,
        }
    }

    /// Writes the pixels `from`, which are of this kind, as pixels of kind `to` into `out`, for as many pixels as both hold.
    /// Grey is 0.2126 red + 0.7152 green + 0.0722 blue (ITU-R BT.709), rounded; what is transparent is laid on
    /// white; what had no opacity is opaque.
    pub fn convert(self, from: &[u8], to: Self, out: &mut [u8]) {
        if self == to {
            let n = from.len().min(out.len());
            out[..n].copy_from_slice(&from[..n]);
            return;
        }
        let pixels = from.chunks_exact(self.count());
        for (pixel, out) in pixels.zip(out.chunks_exact_mut(to.count())) {
            let colour = |pixel: &[u8]| match *pixel {
                [r, g, b, alpha] => [r, g, b].map(|value| on_white(value, alpha)),
                [r, g, b] => [r, g, b],
                _ => [pixel[0]; 3],
            };
            match to {
                Self::Grey => out[0] = luminance(colour(pixel)),
                Self::Rgb => out.copy_from_slice(&colour(pixel)),
                Self::Rgba => {
                    out[..3].copy_from_slice(&colour(pixel));
                    out[3] = u8::MAX;
                }
            }
        }
    }
}

impl fmt::Display for Channels {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Grey => "grey",
            Self::Rgb => "RGB",
            Self::Rgba => "RGBA",
        })
    }
}

fn luminance(colour: [u8; 3]) -> u8 {
    let weighted = LUMINANCE.iter().zip(colour);
    let sum: u32 = weighted
        .map(|(weight, value)| weight * u32::from(value))
        .sum();
    let whole: u32 = LUMINANCE.iter().sum();
    u8::try_from((sum + whole / 2) / whole).expect("a mean of bytes")
}

/// A colour value of this opacity before a white background, rounded.
pub(crate) fn on_white(value: u8, alpha: u8) -> u8 {
    let alpha = u32::from(alpha);
    let mixed = (u32::from(value) * alpha + 255 * (255 - alpha) + 127) / 255;
    u8::try_from(mixed).expect("a mean of two bytes")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pixels_become_those_of_another_kind() {
        let converted = |from: Channels, pixels: &[u8], to: Channels| {
            let mut out = vec![0; pixels.len() / from.count() * to.count()];
            from.convert(pixels, to, &mut out);
            out
        };
        use Channels::{Grey, Rgb, Rgba};
        assert_eq!(converted(Grey, &[7, 200], Rgb), [7, 7, 7, 200, 200, 200]);
        assert_eq!(converted(Grey, &[7], Rgba), [7, 7, 7, 255]);
        let colours = [255, 0, 0, 0, 255, 0, 0, 0, 255];
        assert_eq!(converted(Rgb, &colours, Grey), [54, 182, 18]);
        assert_eq!(converted(Rgba, &[10, 20, 30, 0], Rgb), [255; 3], "white");
        assert_eq!(converted(Rgba, &[10, 20, 30, 255], Rgb), [10, 20, 30]);
        assert_eq!(converted(Rgba, &[0, 0, 0, 0], Grey), [255]);
        for value in 0..=255 {
            let grey = converted(Rgb, &[value; 3], Grey);
            let ours = image::DynamicImage::from(
                image::RgbImage::from_raw(1, 1, vec![value, 255 - value, value / 2]).unwrap(),
            );
            let theirs = ours.to_luma8().into_raw();
            assert_eq!(converted(Rgb, ours.as_bytes(), Grey), theirs, "as `image`");
            assert_eq!(grey, [value], "grey stays as it is");
        }
    }
}
