//! Single images: from a file or its bytes to pixels, all the images under a folder, and an image with a heat map beside
//! it.

use std::path::{Path, PathBuf};

use image::RgbImage;
use image::imageops::{self, FilterType};
use walkdir::WalkDir;

use crate::channels::{CHANNELS, Channels};
use crate::contact_sheet::Raster;
use crate::dataset::{LeftOut, Skipped};
use crate::decode::{DecodeOptions, MAX_FILE_BYTES, decode_bytes};
use crate::error::DataError;
use crate::folder::names::{ending, is_ignored, is_image, natural};

/// The shorter side of an image with a heat map: smaller ones are enlarged.
const SHOWN: u32 = 256;

/// The bytes of an image file, which is no larger than is sensible.
///
/// ```
/// let folder = tempfile::tempdir()?;
/// let path = folder.path().join("grey.png");
/// image::GrayImage::new(4, 4).save(&path)?;
/// assert!(data::read_image(&path)?.starts_with(b"\x89PNG"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
/// [`DataError::File`], also for a file of more than 256 MiB and for anything but a regular file.
pub fn read_image(path: &Path) -> Result<Vec<u8>, DataError> {
    Ok(files::read(path, MAX_FILE_BYTES)?)
}

/// The pixels `[height, width, channels]` of an image (JPEG, PNG, WebP, BMP, GIF or TIFF), brought to a size as a folder's are. `name` is what
/// an error calls it.
///
/// ```
/// let folder = tempfile::tempdir()?;
/// let path = folder.path().join("red.png");
/// image::RgbImage::from_pixel(40, 30, image::Rgb([255, 0, 0])).save(&path)?;
/// let options = data::DecodeOptions { size: [2, 2], ..Default::default() };
/// let pixels = data::image_pixels(&data::read_image(&path)?, &path, &options)?;
/// assert_eq!(pixels, [255, 0, 0].repeat(4));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
/// [`DataError::Image`] if it is not a complete image, or is too large.
pub fn image_pixels(
    bytes: &[u8],
    name: &Path,
    options: &DecodeOptions,
) -> Result<Vec<u8>, DataError> {
    decode_bytes(bytes, options).map_err(|reason| DataError::Image {
        path: name.to_owned(),
        reason,
    })
}

/// What lies under a folder.
#[derive(Clone, Debug, Default)]
pub struct Found {
    /// Images by their names, in natural order.
    pub files: Vec<PathBuf>,
    /// What can't be looked into.
    pub skipped: Vec<Skipped>,
    /// The other files.
    pub left_out: LeftOut,
}

/// The files under `folder`, but for hidden ones and what systems leave there.
///
/// ```
/// let folder = tempfile::tempdir()?;
/// for name in ["10.png", "2.png", "notes.txt"] {
///     std::fs::write(folder.path().join(name), "")?;
/// }
/// let found = data::images_under(folder.path());
/// assert_eq!(found.files, ["2.png", "10.png"].map(|name| folder.path().join(name)));
/// assert_eq!(found.left_out.files_line().as_deref(), Some("1 .txt"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn images_under(folder: &Path) -> Found {
    let mut found = Found::default();
    let walk = WalkDir::new(folder)
        .follow_links(true)
        .sort_by(|a, b| natural(a.file_name(), b.file_name()));
    let seen = |entry: &walkdir::DirEntry| entry.depth() == 0 || !is_ignored(entry.file_name());
    for entry in walk.into_iter().filter_entry(seen) {
        match entry {
            Ok(entry) if entry.file_type().is_file() && is_image(entry.path()) => {
                found.files.push(entry.into_path());
            }
            Ok(entry) if entry.file_type().is_dir() => {}
            Ok(entry) => *found.left_out.files.entry(ending(&entry)).or_default() += 1,
            Err(error) => found.skipped.push(Skipped {
                path: error.path().unwrap_or(folder).to_owned(),
                reason: error.to_string(),
            }),
        }
    }
    found
}

/// An image (`pixels: [height, width, channels]`, with 1, 3 or 4 channels) and, at its right, the same with a heat map on it: `heat`, row by row with
/// `columns` each, is spread over the image; nothing (0 or less) is left as it is, in grey, its most is red.
///
/// ```
/// // A grey image of 8x8 pixels, and heat in its lower right quarter.
/// let shown = data::heat_map(&[128; 8 * 8], [8, 8], &[0.0, 0.0, 0.0, 1.0], 2)?;
/// let [height, width] = shown.size();
/// assert_eq!(width, 2 * height, "the image, and the image with the heat");
/// # Ok::<(), data::DataError>(())
/// ```
///
/// # Errors
/// [`DataError::Argument`] if pixels or heat do not fill their shapes.
pub fn heat_map(
    pixels: &[u8],
    [height, width]: [u32; 2],
    heat: &[f32],
    columns: usize,
) -> Result<Raster, DataError> {
    let wrong =
        |argument, expected: String, got: usize| DataError::argument(argument, expected, got);
    let length = pixels.len();
    let places = height as usize * width as usize;
    let image = Channels::of(length / places.max(1))
        .filter(|channels| length == places * channels.count())
        .and_then(|channels| rgb_image(pixels, [height, width], channels))
        .ok_or_else(|| {
            let expected = format!("{height}x{width} pixels of 1, 3 or 4 bytes");
            wrong("pixels", expected, length)
        })?;
    if columns == 0 || heat.is_empty() || !heat.len().is_multiple_of(columns) {
        return Err(wrong(
            "heat",
            format!("rows of {columns} numbers"),
            heat.len(),
        ));
    }
    let scale = SHOWN.div_ceil(width.min(height).max(1)).max(1);
    let (w, h) = (width * scale, height * scale);
    let image = imageops::resize(&image, w, h, FilterType::Nearest);
    let most = heat.iter().copied().fold(f32::MIN_POSITIVE, f32::max);
    let mut shown = RgbImage::new(2 * w, h);
    imageops::replace(&mut shown, &image, 0, 0);
    for (x, y, pixel) in image.enumerate_pixels() {
        let rows = heat.len() / columns;
        let at = Place {
            column: along(x, w, columns),
            row: along(y, h, rows),
        };
        let share = at.value(heat, columns).max(0.0) / most;
        let [r, g, b] = pixel.0.map(f32::from);
        let grey = 0.3 * r + 0.6 * g + 0.1 * b;
        let mixed = [255.0, 32.0, 0.0].map(|c: f32| grey * 0.8 * (1.0 - share) + c * share);
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "a mean of bytes, and a conversion that saturates"
        )]
        let bytes = mixed.map(|c| c.round() as u8);
        shown.put_pixel(w + x, y, image::Rgb(bytes));
    }
    Ok(Raster::new(shown))
}

/// Pixels of any kind as an image in colour; none if they don't fill it.
pub(crate) fn rgb_image(
    pixels: &[u8],
    [height, width]: [u32; 2],
    channels: Channels,
) -> Option<RgbImage> {
    let mut colours = vec![0; pixels.len() / channels.count() * CHANNELS];
    channels.convert(pixels, Channels::Rgb, &mut colours);
    RgbImage::from_raw(width, height, colours)
}

/// Between two cells of a row: the first, and the share of the second.
fn along(pixel: u32, of: u32, cells: usize) -> (usize, f32) {
    #[expect(
        clippy::cast_precision_loss,
        reason = "sides of images are far below 2^24"
    )]
    let at = ((pixel as f32 + 0.5) / of as f32 * cells as f32 - 0.5).clamp(0.0, (cells - 1) as f32);
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "clamped to the cells"
    )]
    let first = at.floor() as usize;
    (first, at - at.floor())
}

/// A place on a heat map.
struct Place {
    column: (usize, f32),
    row: (usize, f32),
}

impl Place {
    /// The heat there, bilinear.
    fn value(&self, heat: &[f32], columns: usize) -> f32 {
        let rows = heat.len() / columns;
        let at =
            |row: usize, column: usize| heat[row.min(rows - 1) * columns + column.min(columns - 1)];
        let ((x, right), (y, below)) = (self.column, self.row);
        let line = |row| at(row, x) * (1.0 - right) + at(row, x + 1) * right;
        line(y) * (1.0 - below) + line(y + 1) * below
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn heat_is_red_where_it_is_and_grey_where_it_is_not() {
        let image = heat_map(&[100; 4 * 4 * 3], [4, 4], &[0.0, 0.0, 0.0, 8.0], 2).unwrap();
        assert_eq!(image.size(), [256, 512], "enlarged, twice as wide");
        let pixel = |x: usize, y: usize| &image.pixels()[(y * 512 + x) * 3..][..3];
        assert_eq!(pixel(0, 0), [100; 3], "the image itself");
        assert_eq!(pixel(256, 0), [80; 3], "cold");
        assert_eq!(pixel(511, 255), [255, 32, 0], "hot");
        assert!(heat_map(&[0; 5], [1, 1], &[0.0], 1).is_err());
        assert!(heat_map(&[0; 3], [1, 1], &[0.0; 3], 2).is_err());
        assert!(heat_map(&[0; 3], [1, 1], &[1.0], 1).is_ok(), "no range");
    }
}
