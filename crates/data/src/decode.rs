//! One picture file to pixels of a given size: JPEG, PNG, WebP or BMP, told apart by content. Files are hostile until
//! proven otherwise, so every size is checked before memory is taken for it.

use std::fmt::Display;
use std::io::Cursor;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;

use image::imageops::{self, FilterType};
use image::{DynamicImage, ImageDecoder, ImageFormat, ImageReader, Limits, RgbImage};

use crate::cifar::read_bounded;
use crate::error::DataError;

/// Files longer than this are refused.
const MAX_FILE_BYTES: u64 = 256 << 20;
/// Pictures with more pixels than this (8192 x 8192) are refused.
const MAX_PIXELS: u64 = 1 << 26;
/// Memory that a decoder may take: the largest picture at 8 bytes a pixel, and a working copy of it.
const MAX_DECODER_BYTES: u64 = 16 * MAX_PIXELS;

/// How a picture of another shape becomes one of the wanted size.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fit {
    /// The largest centred part of the wanted shape is scaled: nothing is distorted, edges are lost.
    Crop,
    /// All of it is scaled, each side by itself.
    Stretch,
}

/// Decodes the file into `out` (`[height, width, 3]`). Grey becomes three equal channels, transparency is laid on white,
/// the camera's orientation is applied, and scaling averages over the pixels that fall together.
pub(crate) fn decode(
    path: &Path,
    [height, width]: [u32; 2],
    fit: Fit,
    out: &mut [u8],
) -> Result<(), DataError> {
    let bytes = read_bounded(path, MAX_FILE_BYTES)?;
    // The decoders are other people's code on any bytes at all: their panics become errors as well.
    let picture = catch_unwind(AssertUnwindSafe(|| pixels(&bytes)))
        .unwrap_or_else(|_| Err("the decoder panicked".to_owned()))
        .map_err(|reason| DataError::Picture {
            path: path.to_owned(),
            reason,
        })?;
    out.copy_from_slice(&fitted(picture, height, width, fit));
    Ok(())
}

/// Checks the header of the file: its format and size. Gives the size: `[height, width]`.
pub(crate) fn check_header(path: &Path) -> Result<[u32; 2], DataError> {
    let bytes = read_bounded(path, MAX_FILE_BYTES)?;
    let checked = open(&bytes).map(|decoder| decoder.dimensions());
    let (width, height) = checked.map_err(|reason| DataError::Picture {
        path: path.to_owned(),
        reason,
    })?;
    Ok([height, width])
}

fn words(error: impl Display) -> String {
    // Some decoders' messages have several lines.
    error.to_string().replace('\n', " ")
}

/// The decoder for these bytes, once their header is found to be acceptable.
fn open(bytes: &[u8]) -> Result<impl ImageDecoder + '_, String> {
    let mut reader = ImageReader::new(Cursor::new(bytes))
        .with_guessed_format()
        .map_err(words)?;
    match reader.format() {
        Some(ImageFormat::Jpeg) if is_cut_off(bytes) => {
            return Err("the JPEG data is cut off".to_owned());
        }
        Some(ImageFormat::Jpeg | ImageFormat::Png | ImageFormat::WebP | ImageFormat::Bmp) => {}
        _ => return Err("neither JPEG, PNG, WebP nor BMP".to_owned()),
    }
    let mut limits = Limits::default();
    limits.max_alloc = Some(MAX_DECODER_BYTES);
    reader.limits(limits);
    let decoder = reader.into_decoder().map_err(words)?;
    let (width, height) = decoder.dimensions();
    let n_pixels = u64::from(width) * u64::from(height);
    if n_pixels == 0 || n_pixels > MAX_PIXELS || decoder.total_bytes() > MAX_DECODER_BYTES {
        return Err(format!(
            "{width}x{height} pixels are not between 1 and {MAX_PIXELS}"
        ));
    }
    Ok(decoder)
}

/// Whether no end marker follows the last start of a scan: the decoder would make up the missing rows. Neither marker
/// can stand inside a scan's data.
fn is_cut_off(jpeg: &[u8]) -> bool {
    let last = |marker: u8| jpeg.windows(2).rposition(|pair| pair == [0xFF, marker]);
    match (last(0xDA), last(0xD9)) {
        (Some(scan), Some(end)) => end < scan,
        _ => true,
    }
}

fn pixels(bytes: &[u8]) -> Result<RgbImage, String> {
    let mut decoder = open(bytes)?;
    let orientation = decoder.orientation().map_err(words)?;
    let mut image = DynamicImage::from_decoder(decoder).map_err(words)?;
    image.apply_orientation(orientation);
    if !image.color().has_alpha() {
        return Ok(image.into_rgb8());
    }
    let image = image.into_rgba8();
    Ok(RgbImage::from_fn(image.width(), image.height(), |x, y| {
        let [r, g, b, alpha] = image.get_pixel(x, y).0;
        image::Rgb([r, g, b].map(|value| on_white(value, alpha)))
    }))
}

/// A colour value of this opacity before a white background, rounded.
fn on_white(value: u8, alpha: u8) -> u8 {
    let alpha = u32::from(alpha);
    let mixed = (u32::from(value) * alpha + 255 * (255 - alpha) + 127) / 255;
    u8::try_from(mixed).expect("a mean of two bytes")
}

fn fitted(mut image: RgbImage, height: u32, width: u32, fit: Fit) -> Vec<u8> {
    if fit == Fit::Crop {
        let (has_width, has_height) = (u64::from(image.width()), u64::from(image.height()));
        let (wants_width, wants_height) = (u64::from(width), u64::from(height));
        // The widest part of the wanted shape at full height, or the highest at full width.
        let part_width = (has_height * wants_width / wants_height).clamp(1, has_width);
        let part_height = (has_width * wants_height / wants_width).clamp(1, has_height);
        if (part_width, part_height) != (has_width, has_height) {
            let small = |value: u64| u32::try_from(value).expect("at most the side of a picture");
            let left = small((has_width - part_width) / 2);
            let top = small((has_height - part_height) / 2);
            image = imageops::crop_imm(&image, left, top, small(part_width), small(part_height))
                .to_image();
        }
    }
    if image.dimensions() != (width, height) {
        image = imageops::resize(&image, width, height, FilterType::Triangle);
    }
    image.into_raw()
}
