//! Many small images on one, in labelled rows: a look at what a data set holds, or at what a network gets wrong.

use std::io::Cursor;
use std::path::Path;

use font8x8::legacy::BASIC_LEGACY;
use image::imageops::{self, FilterType};
use image::{ImageFormat, Rgb, RgbImage};

use crate::error::DataError;
use crate::image_file::rgb_image;
use crate::images::Images;
use crate::random::{Philox, Stream};

/// Sides of a letter, and the gap between images.
const LETTER: u32 = 8;
const GAP: u32 = 4;
/// Letters of a label that are shown.
const MAX_LETTERS: usize = 24;
/// Larger sheets are refused: few programs show an image of more than 64 million pixels.
const MAX_PIXELS: u64 = 1 << 26;

const PAPER: Rgb<u8> = Rgb([255; 3]);
const INK: Rgb<u8> = Rgb([32; 3]);

/// A row of a contact sheet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SheetRow {
    /// What stands at its left; the first 24 letters are shown, those that are not ASCII as `?`.
    pub label: String,
    /// Indices of images.
    pub samples: Vec<u32>,
}

/// An RGB image in memory.
#[derive(Clone, Debug)]
pub struct Raster {
    image: RgbImage,
}

impl Raster {
    pub(crate) fn new(image: RgbImage) -> Self {
        Self { image }
    }

    /// `[height, width]`.
    pub fn size(&self) -> [u32; 2] {
        [self.image.height(), self.image.width()]
    }

    /// `[height, width, 3]`.
    pub fn pixels(&self) -> &[u8] {
        self.image.as_raw()
    }

    /// The image with lines of text under it, in letters of 16 pixels; what is wider than the image is cut off.
    ///
    /// ```
    /// let shown = data::heat_map(&[128; 8 * 8], [8, 8], &[0.0, 0.0, 0.0, 1.0], 2)?;
    /// let [height, width] = shown.size();
    /// assert_eq!(shown.with_caption(&["rose 0.98"]).size(), [height + 24, width]);
    /// # Ok::<(), data::DataError>(())
    /// ```
    #[must_use]
    pub fn with_caption(&self, lines: &[&str]) -> Self {
        let (width, height) = self.image.dimensions();
        let line_height = LETTER + GAP;
        let rows = line_height * u32::try_from(lines.len()).unwrap_or(0);
        // Drawn at half its size, as letters have 8 pixels.
        let mut strip = RgbImage::from_pixel(width.div_ceil(2), rows, PAPER);
        for (line, top) in lines.iter().zip((GAP / 2..).step_by(line_height as usize)) {
            write_letters(&mut strip, line.chars(), GAP / 2, top);
        }
        let strip = imageops::resize(&strip, width, 2 * rows, FilterType::Nearest);
        let mut image = RgbImage::from_pixel(width, height + 2 * rows, PAPER);
        imageops::replace(&mut image, &self.image, 0, 0);
        imageops::replace(&mut image, &strip, 0, height.into());
        Self { image }
    }

    /// Writes the image as PNG: to a temporary name first, so that what has its name is whole.
    ///
    /// # Errors
    /// [`DataError::File`] when the file can't be written.
    pub fn write_png(&self, path: &Path) -> Result<(), DataError> {
        let mut bytes = Cursor::new(Vec::new());
        self.image
            .write_to(&mut bytes, ImageFormat::Png)
            .map_err(std::io::Error::other)
            .map_err(DataError::io(path, "write"))?;
        Ok(files::replace(path, bytes.get_ref())?)
    }
}

/// A row for each class, labelled with its name and number of images, of at most `n_samples` images drawn by `seed`.
///
/// ```
/// let set = data::Shapes10::default().with_sizes(100, 10, 10).generate()?;
/// let rows = data::rows_by_class(&set.train, 3, 0);
/// assert_eq!((rows.len(), rows[5].label.as_str(), rows[5].samples.len()), (10, "star 10", 3));
/// # Ok::<(), data::DataError>(())
/// ```
pub fn rows_by_class(images: &Images, n_samples: usize, seed: u64) -> Vec<SheetRow> {
    let mut samples = vec![Vec::new(); images.class_names().len()];
    for (sample, label) in (0_u32..).zip(images.labels()) {
        samples[*label as usize].push(sample);
    }
    let rows = samples.into_iter().zip(images.class_names()).zip(0_u64..);
    rows.map(|((mut samples, name), class)| {
        let n = samples.len().to_string();
        let name: String = name.chars().take(MAX_LETTERS - 1 - n.len()).collect();
        Philox::new(seed, Stream::ContactSheet, class).shuffle(&mut samples);
        samples.truncate(n_samples);
        SheetRow {
            label: format!("{name} {n}"),
            samples,
        }
    })
    .collect()
}

/// Draws the rows one under the other, each image scaled so that its longer side is `tile` pixels, and in the middle of its place.
///
/// ```
/// let set = data::Shapes10::default().with_sizes(100, 10, 10).generate()?;
/// let rows = data::rows_by_class(&set.train, 5, 0);
/// let sheet = data::contact_sheet(&set.train, &rows, 32)?;
/// let folder = tempfile::tempdir()?;
/// sheet.write_png(&folder.path().join("shapes.png"))?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
/// [`DataError::Argument`] when there is nothing to draw, an index is out of range, or the sheet would have more than 64
/// million pixels; the source's error when an image can't be read.
pub fn contact_sheet(images: &Images, rows: &[SheetRow], tile: u32) -> Result<Raster, DataError> {
    let layout = layout(rows, tile)?;
    let mut sheet = RgbImage::from_pixel(layout.width, layout.height, PAPER);
    let mut buffer = vec![0; images.image_bytes()];
    let mut top = GAP;
    for row in rows {
        write_text(
            &mut sheet,
            &row.label,
            GAP,
            top + (layout.pitch - GAP - LETTER) / 2,
        );
        let mut left = layout.label_width + GAP;
        for sample in &row.samples {
            images.read(*sample as usize, &mut buffer)?;
            let image = scaled(images, &buffer, tile);
            let (x, y) = (tile - image.width(), tile - image.height());
            imageops::replace(
                &mut sheet,
                &image,
                (left + x / 2).into(),
                (top + y / 2).into(),
            );
            left += layout.pitch;
        }
        top += layout.pitch;
    }
    Ok(Raster { image: sheet })
}

/// Draws the images in rows of `columns`, each with its class' name under it, scaled as [`contact_sheet`] scales them.
///
/// ```
/// let set = data::Shapes10::default().with_sizes(30, 10, 10).generate()?;
/// let sheet = data::captioned(&set.train.limit(25)?, 5, 64)?;
/// assert!(sheet.size()[1] >= 5 * 64);
/// # Ok::<(), data::DataError>(())
/// ```
///
/// # Errors
/// As [`contact_sheet`].
pub fn captioned(images: &Images, columns: usize, tile: u32) -> Result<Raster, DataError> {
    let longest = images.class_names().iter().map(|name| name.chars().count());
    let letters = longest.max().unwrap_or(0).min(MAX_LETTERS) as u64;
    let pitch = u64::from(tile).max(letters * u64::from(LETTER)) + u64::from(GAP);
    let line = u64::from(tile) + u64::from(LETTER) + 3 * u64::from(GAP);
    let columns = columns.min(images.len()) as u64;
    let rows = (images.len() as u64).div_ceil(columns.max(1));
    let [width, height] = [columns.saturating_mul(pitch), rows.saturating_mul(line)];
    if tile == 0 || columns == 0 || width.saturating_mul(height) > MAX_PIXELS {
        let expected = format!("1 to {MAX_PIXELS} pixels");
        let found = format!("{width}x{height} with tiles of {tile}");
        return Err(DataError::argument("contact sheet", expected, found));
    }
    let mut sheet = RgbImage::from_pixel(small(width) + GAP, small(height) + GAP, PAPER);
    let mut buffer = vec![0; images.image_bytes()];
    for (number, label) in (0_u64..).zip(images.labels()) {
        images.read(small(number) as usize, &mut buffer)?;
        let image = scaled(images, &buffer, tile);
        let (left, top) = (number % columns * pitch, number / columns * line);
        let (left, top) = (small(left) + GAP, small(top) + GAP);
        let indent = (small(pitch) - GAP - image.width()) / 2;
        let place = [left + indent, top + (tile - image.height())].map(i64::from);
        imageops::replace(&mut sheet, &image, place[0], place[1]);
        let name = &images.class_names()[*label as usize];
        let n = name.chars().count().min(MAX_LETTERS) as u64;
        let indent = (small(pitch) - GAP - small(n * u64::from(LETTER))) / 2;
        write_text(&mut sheet, name, left + indent, top + tile + GAP);
    }
    Ok(Raster { image: sheet })
}

/// A number of pixels on a sheet.
fn small(value: u64) -> u32 {
    u32::try_from(value).expect("bounded by the number of pixels")
}

struct Layout {
    width: u32,
    height: u32,
    label_width: u32,
    /// From one tile to the next.
    pitch: u32,
}

fn layout(rows: &[SheetRow], tile: u32) -> Result<Layout, DataError> {
    let longest = |length: fn(&SheetRow) -> usize| rows.iter().map(length).max().unwrap_or(0);
    let n_letters = longest(|row| row.label.chars().count()).min(MAX_LETTERS) as u64;
    let n_columns = longest(|row| row.samples.len()) as u64;
    let pitch = u64::from(tile.max(LETTER)) + u64::from(GAP);
    let label_width = (n_letters + 1) * u64::from(LETTER);
    let width = label_width + n_columns.saturating_mul(pitch) + u64::from(GAP);
    let height = (rows.len() as u64).saturating_mul(pitch) + u64::from(GAP);
    if tile == 0 || n_columns == 0 || width.saturating_mul(height) > MAX_PIXELS {
        let expected = format!("1 to {MAX_PIXELS} pixels");
        let found = format!("{width}x{height} with tiles of {tile}");
        return Err(DataError::argument("contact sheet", expected, found));
    }
    Ok(Layout {
        width: small(width),
        height: small(height),
        label_width: small(label_width),
        pitch: small(pitch),
    })
}

/// An image as a tile whose longer side is `tile`. Small images keep their pixels visible, large ones are averaged.
fn scaled(images: &Images, pixels: &[u8], tile: u32) -> RgbImage {
    let side = |side: usize| u32::try_from(side).unwrap_or(u32::MAX);
    let [height, width] = images.size().map(side);
    let image = rgb_image(pixels, [height, width], images.channels())
        .expect("the buffer was made for this size");
    let filter = if height <= tile && width <= tile {
        FilterType::Nearest
    } else {
        FilterType::Triangle
    };
    let longer = u64::from(height.max(width));
    let shown = [width, height].map(|side| {
        let shown = (u64::from(side) * u64::from(tile) + longer / 2) / longer;
        u32::try_from(shown.max(1)).expect("at most the tile's side")
    });
    imageops::resize(&image, shown[0], shown[1], filter)
}

fn write_text(sheet: &mut RgbImage, text: &str, left: u32, top: u32) {
    write_letters(sheet, text.chars().take(MAX_LETTERS), left, top);
}

fn write_letters(sheet: &mut RgbImage, text: impl Iterator<Item = char>, left: u32, top: u32) {
    for (letter, x) in text.zip((left..).step_by(LETTER as usize)) {
        let glyph = BASIC_LEGACY
            .get(letter as usize)
            .unwrap_or(&BASIC_LEGACY[usize::from(b'?')]);
        for (row, y) in glyph.iter().zip(top..) {
            for column in (0..LETTER).filter(|column| row >> column & 1 == 1) {
                if let Some(pixel) = sheet.get_pixel_mut_checked(x + column, y) {
                    *pixel = INK;
                }
            }
        }
    }
}
