//! One image file to pixels of a given size: JPEG, PNG, WebP, BMP, GIF or TIFF, told apart by content. Files are hostile
//! until proven otherwise, so every size is checked before memory is taken for it, and the memory comes out of one budget.
//!
//! Of several frames or pages, the first counts. 16 bits become 8 by dividing by 257 and rounding, so that white stays white
//! (Pillow drops the low byte, which is 1 less at most). Inks (CMYK, and Adobe's inverted ones) become RGB as in Pillow,
//! `255 - min(255, c + k)` up to rounding; colour profiles are not applied, as they are not there.
//!
//! Not read: HEIC, whose decoders are covered by patents, and AVIF: `image` decodes it by the C library dav1d, and its
//! translation to Rust, rav1d, is unsafe code under C's interface.

use std::fmt::Display;
use std::io::Cursor;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;

use image::imageops::{self, FilterType};
use image::metadata::Orientation;
use image::{
    DynamicImage, ImageBuffer, ImageDecoder, ImageFormat, ImageReader, Limits, Pixel, RgbImage,
};

use crate::budget::{DECODE_BYTES, Reservation};
use crate::channels::{Channels, on_white};
use crate::error::DataError;
use crate::resample::{Interpolation, Sizes, resized};
use crate::{jpeg, png_chunks, webp_chunks};

/// Files longer than this are refused.
pub(crate) const MAX_FILE_BYTES: u64 = 256 << 20;
/// Images with more pixels than this (8192 x 8192) are refused.
const MAX_PIXELS: u64 = 1 << 26;
/// What a decoder keeps beside the pixels: tables, rows, a thumbnail.
const TABLE_BYTES: u64 = 1 << 20;
/// The formats, as messages name them.
pub(crate) const FORMATS: &str = "JPEG, PNG, WebP, BMP, GIF or TIFF";

/// How an image of another shape becomes one of the wanted size.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fit {
    /// The largest centred part of the wanted shape is scaled: nothing is distorted, edges are lost.
    Crop,
    /// All of it is scaled, each side by itself.
    Stretch,
}

/// How an image file becomes pixels.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DecodeOptions {
    /// `[height, width]` that every image is brought to.
    pub size: [u32; 2],
    /// How an image of another shape becomes one of that size.
    pub fit: Fit,
    /// How pixels between pixels are made.
    pub interpolation: Interpolation,
    /// Whether an image is turned as its EXIF orientation says. torchvision and Keras don't.
    pub exif_rotation: bool,
    /// What each pixel becomes. Of a colour image, grey is its luminance (see [`Channels::convert`]); of one with
    /// transparency, grey and RGB are what is seen of it before white. Where RGBA is scaled, transparent colours count too.
    pub channels: Channels,
    /// Bytes that all decodes of this process may take together; see [`DECODE_BYTES`].
    pub memory_bytes: u64,
}

impl Default for DecodeOptions {
    fn default() -> Self {
        Self {
            size: [256, 256],
            fit: Fit::Crop,
            interpolation: Interpolation::default(),
            exif_rotation: true,
            channels: Channels::Rgb,
            memory_bytes: DECODE_BYTES,
        }
    }
}

/// Decodes the file into `out` (`[height, width, channels]`). In colour, grey becomes three equal channels, and transparency
/// is laid on white; the camera's orientation is applied if it should be, and scaling averages over the pixels that fall together.
pub(crate) fn decode(
    path: &Path,
    options: &DecodeOptions,
    out: &mut [u8],
) -> Result<(), DataError> {
    let unreadable = |reason| DataError::Image {
        path: path.to_owned(),
        reason,
    };
    let (mut held, mut bytes) = read(path, options.memory_bytes)?;
    let needed = catching(|| needed_bytes(&bytes, options)).map_err(unreadable)?;
    if !held.grow(needed, options.memory_bytes) {
        // Holding some and waiting for more would let two wait for each other.
        drop((held, bytes));
        let too_much = || unreadable(over_budget(needed, options.memory_bytes));
        held = Reservation::take(needed, options.memory_bytes).ok_or_else(too_much)?;
        bytes = files::read(path, MAX_FILE_BYTES)?;
    }
    let pixels = catching(|| decoded(&bytes, options)).map_err(unreadable)?;
    out.copy_from_slice(&pixels);
    drop(held);
    Ok(())
}

/// The same from a file's bytes; or what is wrong with them.
pub(crate) fn decode_bytes(bytes: &[u8], options: &DecodeOptions) -> Result<Vec<u8>, String> {
    let needed = catching(|| needed_bytes(bytes, options))?;
    let held = Reservation::take(needed, options.memory_bytes);
    let held = held.ok_or_else(|| over_budget(needed, options.memory_bytes))?;
    let pixels = catching(|| decoded(bytes, options));
    drop(held);
    pixels
}

/// Checks the header of the file: its format and size. Gives the size: `[height, width]`.
pub(crate) fn check_header(path: &Path, budget: u64) -> Result<[u32; 2], DataError> {
    let (held, bytes) = read(path, budget)?;
    let checked = catching(|| open(&bytes, budget).map(|decoder| decoder.dimensions()));
    drop(held);
    let (width, height) = checked.map_err(|reason| DataError::Image {
        path: path.to_owned(),
        reason,
    })?;
    Ok([height, width])
}

/// A file's bytes, and their part of the budget: twice their number, as decoders copy them.
fn read(path: &Path, budget: u64) -> Result<(Reservation, Vec<u8>), DataError> {
    let length = files::open(path)?
        .metadata()
        .map_err(DataError::io(path, "read"))?
        .len();
    let needed = 2 * length.min(MAX_FILE_BYTES);
    let held = Reservation::take(needed, budget).ok_or_else(|| DataError::Image {
        path: path.to_owned(),
        reason: over_budget(needed, budget),
    })?;
    Ok((held, files::read(path, MAX_FILE_BYTES)?))
}

fn over_budget(needed: u64, budget: u64) -> String {
    let [needed, budget] = [needed, budget].map(|bytes| bytes.div_ceil(1 << 20));
    format!("decoding takes {needed} MiB, more than the {budget} MiB for all images together")
}

/// The decoders are other people's code on any bytes at all: their panics become errors as well.
fn catching<T>(run: impl FnOnce() -> Result<T, String>) -> Result<T, String> {
    catch_unwind(AssertUnwindSafe(run)).unwrap_or_else(|_| Err("the decoder panicked".to_owned()))
}

fn words(error: impl Display) -> String {
    // Some decoders' messages have several lines.
    error.to_string().replace('\n', " ")
}

/// The decoder for these bytes, once their header is found to be acceptable.
fn open(bytes: &[u8], budget: u64) -> Result<impl ImageDecoder + '_, String> {
    let format = image::guess_format(bytes).ok();
    let bytes = match format {
        Some(ImageFormat::Jpeg) if !jpeg::markers(bytes).is_whole => {
            return Err("the JPEG data is cut off".to_owned());
        }
        Some(ImageFormat::Png) => png_chunks::without_text(bytes),
        Some(ImageFormat::WebP) => {
            webp_chunks::check(bytes)?;
            bytes.into()
        }
        Some(ImageFormat::Jpeg | ImageFormat::Bmp | ImageFormat::Gif | ImageFormat::Tiff) => {
            bytes.into()
        }
        _ => return Err("neither JPEG, PNG, WebP, BMP, GIF nor TIFF".to_owned()),
    };
    let mut reader = ImageReader::new(Cursor::new(bytes))
        .with_guessed_format()
        .map_err(words)?;
    let mut limits = Limits::default();
    limits.max_alloc = Some(budget);
    reader.limits(limits);
    let decoder = reader.into_decoder().map_err(words)?;
    let (width, height) = decoder.dimensions();
    let n_pixels = u64::from(width) * u64::from(height);
    if n_pixels == 0 || n_pixels > MAX_PIXELS {
        return Err(format!(
            "{width}x{height} pixels are not between 1 and {MAX_PIXELS}"
        ));
    }
    Ok(decoder)
}

/// The most bytes that [`decoded`] takes at once, with the file's own and a decoder's copy of them.
fn needed_bytes(bytes: &[u8], options: &DecodeOptions) -> Result<u64, String> {
    let decoder = open(bytes, options.memory_bytes)?;
    let (width, height) = decoder.dimensions();
    let (n_pixels, native) = (u64::from(width) * u64::from(height), decoder.total_bytes());
    let work = match image::guess_format(bytes) {
        Ok(ImageFormat::Jpeg) => {
            let markers = jpeg::markers(bytes);
            // Coefficients have 2 bytes; blocks at the edges are whole ones, and smaller planes are enlarged.
            let all = markers.keeps_all || markers.components > 3;
            let kept = if all { n_pixels } else { 64 * u64::from(width) };
            2 * u64::from(markers.components.max(1)) * (kept + 32 * u64::from(width + height))
        }
        // A canvas and a frame of RGBA, or planes of luma, chroma and alpha.
        Ok(ImageFormat::WebP | ImageFormat::Gif) => 12 * n_pixels,
        // A strip or a tile may be the whole page, and inks become colours beside it.
        Ok(ImageFormat::Tiff) => 2 * native + 4 * n_pixels,
        _ => 16 * u64::from(width),
    };
    let rgba = if decoder.color_type().has_alpha() {
        4
    } else {
        0
    };
    let [out_height, out_width] = options.size.map(u64::from);
    // Scaling makes columns of the wanted height first, of four 32-bit floats a pixel.
    let channels = options.channels.count().max(3) as u64;
    let between = match options.interpolation {
        Interpolation::BilinearAntialias => 16 * u64::from(width) * out_height,
        // Rows of the wanted width come first.
        _ => channels * u64::from(height) * out_width,
    };
    let scaling = between + channels * out_width * out_height;
    let most = [
        native + work,
        native + (channels + rgba) * n_pixels,
        2 * channels * n_pixels,
        2 * channels * n_pixels + scaling,
    ];
    let most = most.into_iter().max().unwrap_or_default();
    Ok(2 * bytes.len() as u64 + most + TABLE_BYTES)
}

fn decoded(bytes: &[u8], options: &DecodeOptions) -> Result<Vec<u8>, String> {
    let image = pixels(bytes, options)?;
    Ok(match options.channels {
        Channels::Grey => fitted(image.into_luma8(), options),
        Channels::Rgb => fitted(image.into_rgb8(), options),
        Channels::Rgba => fitted(image.into_rgba8(), options),
    })
}

/// The whole image, upright, as RGB or, where that is asked for, RGBA.
fn pixels(bytes: &[u8], options: &DecodeOptions) -> Result<DynamicImage, String> {
    let mut decoder = open(bytes, options.memory_bytes)?;
    let orientation = if options.exif_rotation {
        decoder.orientation().map_err(words)?
    } else {
        Orientation::NoTransforms
    };
    let image = DynamicImage::from_decoder(decoder).map_err(words)?;
    // Turned once it has 8 bits a channel: there is less of it.
    let mut image = match options.channels {
        Channels::Rgba => DynamicImage::from(image.into_rgba8()),
        Channels::Grey | Channels::Rgb => DynamicImage::from(rgb(image)),
    };
    image.apply_orientation(orientation);
    Ok(image)
}

fn rgb(image: DynamicImage) -> RgbImage {
    if !image.color().has_alpha() {
        return image.into_rgb8();
    }
    let image = image.into_rgba8();
    RgbImage::from_fn(image.width(), image.height(), |x, y| {
        let [r, g, b, alpha] = image.get_pixel(x, y).0;
        image::Rgb([r, g, b].map(|value| on_white(value, alpha)))
    })
}

fn fitted<P: Pixel<Subpixel = u8> + 'static>(
    mut image: ImageBuffer<P, Vec<u8>>,
    options: &DecodeOptions,
) -> Vec<u8> {
    let [height, width] = options.size;
    if options.fit == Fit::Crop {
        let (has_width, has_height) = (u64::from(image.width()), u64::from(image.height()));
        let (wants_width, wants_height) = (u64::from(width), u64::from(height));
        // The widest part of the wanted shape at full height, or the highest at full width.
        let part_width = (has_height * wants_width / wants_height).clamp(1, has_width);
        let part_height = (has_width * wants_height / wants_width).clamp(1, has_height);
        if (part_width, part_height) != (has_width, has_height) {
            let small = |value: u64| u32::try_from(value).expect("at most the side of an image");
            let left = small((has_width - part_width) / 2);
            let top = small((has_height - part_height) / 2);
            image = imageops::crop_imm(&image, left, top, small(part_width), small(part_height))
                .to_image();
        }
    }
    if image.dimensions() == (width, height) {
        return image.into_raw();
    }
    if options.interpolation == Interpolation::BilinearAntialias {
        return imageops::resize(&image, width, height, FilterType::Triangle).into_raw();
    }
    let sizes = Sizes {
        from: [image.height(), image.width()].map(|side| side as usize),
        to: options.size.map(|side| side as usize),
        channels: P::CHANNEL_COUNT.into(),
    };
    resized(&image.into_raw(), sizes, options.interpolation)
}
