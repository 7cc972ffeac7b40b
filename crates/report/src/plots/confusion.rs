//! The confusion matrix: rows are true classes, columns predicted ones; a cell's colour is its share of its row.

use std::sync::Arc;

use image::{Rgba, RgbaImage};
use plotters::element::{Rectangle, Text};
use plotters::style::{BLACK, Color as _, FontTransform, RGBColor, WHITE};

use super::{Anchor, count, pixels, shortened, text_style};
use crate::error::Result;
use crate::svg::{Area, BLUE, Drawn, GREY, INK, Placed, Plot, SOFT};

/// Up to this many classes, cells show their counts; beyond, the matrix is a raster image.
const MOST_COUNTED: usize = 24;
/// Beyond this many classes, only every tenth is named.
const MOST_NAMED: usize = 120;
/// Letters of a class's name.
const LETTERS: usize = 16;

/// Where the cells lie, in pixels.
struct Layout {
    left: i32,
    top: i32,
    cell: i32,
    letter: f64,
}

/// The matrix of `counts` (a row for each true class), or `None` if there are no classes or it is not square.
///
/// # Errors
/// If it can't be drawn.
pub(crate) fn confusion(classes: &[String], counts: &[Vec<u64>]) -> Result<Option<Plot>> {
    let n = classes.len();
    if n == 0 || counts.len() != n || counts.iter().any(|row| row.len() != n) {
        return Ok(None);
    }
    let (cell, letter) = match n {
        0..=12 => (40, 13.0),
        13..=MOST_COUNTED => (30, 12.0),
        25..=50 => (14, 10.5),
        _ => (9, 8.5),
    };
    let longest = classes.iter().map(|name| name.chars().count()).max();
    let label = pixels(0.62 * letter * count(longest.unwrap_or(0).min(LETTERS))) + 12;
    let layout = Layout {
        left: label + 20,
        top: 8,
        cell,
        letter,
    };
    let side = cell * i32::try_from(n).unwrap_or(i32::MAX / 64);
    let size = [layout.left + side + 12, layout.top + side + label + 24];
    let size = size.map(|side| u32::try_from(side).unwrap_or(1));
    let title = format!("Confusion matrix of {n} classes: a cell's colour is its share of its row");
    let plot = Plot::draw("confusion", title, size, |area| {
        names(area, classes, &layout, side)?;
        if n <= MOST_COUNTED {
            cells(area, counts, &layout)?;
            Ok(Vec::new())
        } else {
            frame(area, &layout, side)?;
            Ok(vec![raster(counts, &layout, side)])
        }
    });
    plot.map(Some)
}

/// Black is read better than white on anything lighter: both have a contrast of 4.58 here.
const READABLE: f64 = 0.179;

/// A count's share of its row.
fn share(value: u64, row: &[u64]) -> f64 {
    let total: u64 = row.iter().sum();
    #[expect(clippy::cast_precision_loss, reason = "counts of images")]
    let share = value as f64 / total.max(1) as f64;
    share
}

fn names(area: &Area<'_>, classes: &[String], layout: &Layout, side: i32) -> Drawn {
    let every = if classes.len() > MOST_NAMED { 10 } else { 1 };
    let rows = text_style(layout.letter, INK, Anchor::End);
    let columns = rows.transform(FontTransform::Rotate270);
    let half = layout.cell / 2;
    for (idx, name) in classes.iter().enumerate().step_by(every) {
        let at = layout.cell * i32::try_from(idx)? + half;
        let name = shortened(name, LETTERS);
        let row = (layout.left - 6, layout.top + at);
        area.draw(&Text::new(name.clone(), row, rows.clone()))?;
        let column = (layout.left + at, layout.top + side + 6);
        area.draw(&Text::new(name, column, columns.clone()))?;
    }
    let title = text_style(13.0, SOFT, Anchor::Middle);
    let (_, height) = area.dim_in_pixel();
    let bottom = (layout.left + side / 2, i32::try_from(height)? - 10);
    area.draw(&Text::new("predicted", bottom, title.clone()))?;
    let title = title.transform(FontTransform::Rotate270);
    area.draw(&Text::new("true", (10, layout.top + side / 2), title))?;
    Ok(())
}

fn cells(area: &Area<'_>, counts: &[Vec<u64>], layout: &Layout) -> Drawn {
    for (row, line) in counts.iter().enumerate() {
        for (column, &value) in line.iter().enumerate() {
            let share = share(value, line);
            let x = layout.left + layout.cell * i32::try_from(column)?;
            let y = layout.top + layout.cell * i32::try_from(row)?;
            let corners = [(x, y), (x + layout.cell - 1, y + layout.cell - 1)];
            let cell = on_white(0.04 + 0.96 * share);
            area.draw(&Rectangle::new(corners, cell.filled()))?;
            if value == 0 {
                continue;
            }
            let colour = if luminance(cell) > READABLE {
                BLACK
            } else {
                RGBColor(WHITE.0, WHITE.1, WHITE.2)
            };
            let text = value.to_string();
            let room = f64::from(layout.cell) - 4.0;
            let size = (room / (0.62 * count(text.len()))).min(layout.letter);
            let style = text_style(size, colour, Anchor::Middle);
            let middle = (x + layout.cell / 2, y + layout.cell / 2);
            area.draw(&Text::new(text, middle, style))?;
        }
    }
    Ok(())
}

/// Blue on white, whatever the page's paper is: so that the numbers can be read on all of it.
fn on_white(share: f64) -> RGBColor {
    let mixed = |c: u8| {
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "a mean of two bytes"
        )]
        let byte = (255.0 + share * (f64::from(c) - 255.0)).round() as u8;
        byte
    };
    RGBColor(mixed(BLUE.0), mixed(BLUE.1), mixed(BLUE.2))
}

/// The relative luminance of WCAG 2.
#[expect(clippy::disallowed_methods, reason = "a contrast in a picture")]
fn luminance(colour: RGBColor) -> f64 {
    let linear = |c: u8| {
        let c = f64::from(c) / 255.0;
        if c <= 0.04045 {
            c / 12.92
        } else {
            ((c + 0.055) / 1.055).powf(2.4)
        }
    };
    0.2126 * linear(colour.0) + 0.7152 * linear(colour.1) + 0.0722 * linear(colour.2)
}

fn frame(area: &Area<'_>, layout: &Layout, side: i32) -> Drawn {
    let corners = [
        (layout.left - 1, layout.top - 1),
        (layout.left + side, layout.top + side),
    ];
    area.draw(&Rectangle::new(corners, GREY.stroke_width(1)))?;
    Ok(())
}

/// The cells as one small image, a pixel each. Opacity is the root of the share, so that single mistakes are seen.
fn raster(counts: &[Vec<u64>], layout: &Layout, side: i32) -> Placed {
    let n = u32::try_from(counts.len()).unwrap_or(0);
    let image = RgbaImage::from_fn(n, n, |x, y| {
        let row = &counts[y as usize];
        let opacity = 255.0 * share(row[x as usize], row).sqrt();
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "from 0 to 255"
        )]
        let opacity = opacity.round() as u8;
        Rgba([BLUE.0, BLUE.1, BLUE.2, opacity])
    });
    let side = u32::try_from(side).unwrap_or(0);
    Placed {
        image: Arc::new(image),
        left: layout.left,
        top: layout.top,
        width: side,
        height: side,
    }
}
