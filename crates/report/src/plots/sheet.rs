//! Sheets of small images with lines of text below each: samples, mistakes, kernels, activations.

use std::sync::Arc;

use image::RgbaImage;
use plotters::element::Text;
use plotters::style::RGBColor;

use super::{Anchor, count, pixels, shortened, text_style};
use crate::error::Result;
use crate::svg::{GREEN, Placed, Plot, RED, data_url};

const GAP: i32 = 8;
const LETTER: f64 = 11.0;
const LINE: i32 = 15;

/// An image with its lines.
#[derive(Clone, Debug)]
pub(crate) struct Tile {
    pub(crate) image: Arc<RgbaImage>,
    pub(crate) lines: Vec<(String, RGBColor)>,
}

/// How tiles are laid out.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Grid {
    pub(crate) columns: usize,
    /// The side of an image, in pixels.
    pub(crate) tile: u32,
    /// Whether a page may put as many into a row as fit: rows have no meaning.
    pub(crate) flows: bool,
}

/// The sheet, or `None` without tiles.
///
/// # Errors
/// If it can't be drawn.
pub(crate) fn sheet(name: &str, title: &str, grid: Grid, tiles: &[Tile]) -> Result<Option<Plot>> {
    let Some(n_lines) = tiles.iter().map(|tile| tile.lines.len()).max() else {
        return Ok(None);
    };
    let columns = grid.columns.clamp(1, tiles.len());
    let side = i32::try_from(grid.tile).unwrap_or(1);
    let gap = if n_lines == 0 { 2 } else { GAP };
    let text = LINE * i32::try_from(n_lines).unwrap_or(0) + if n_lines == 0 { 0 } else { 4 };
    let pitch = [side + gap, side + text + gap];
    let rows = tiles.len().div_ceil(columns);
    let extent = |pitch: i32, n: usize| {
        u32::try_from(pitch * i32::try_from(n).unwrap_or(1) + gap).unwrap_or(1)
    };
    let size = [extent(pitch[0], columns), extent(pitch[1], rows)];
    let letters = (f64::from(side + gap - 2) / (0.54 * LETTER)).floor();
    let plot = Plot::draw(name, title, size, |area| {
        let mut images = Vec::new();
        for (idx, tile) in tiles.iter().enumerate() {
            let left = gap + pitch[0] * i32::try_from(idx % columns)?;
            let top = gap + pitch[1] * i32::try_from(idx / columns)?;
            let [width, height] = within(&tile.image, grid.tile);
            images.push(Placed {
                image: Arc::clone(&tile.image),
                left: left + i32::try_from((grid.tile - width) / 2)?,
                top: top + i32::try_from((grid.tile - height) / 2)?,
                width,
                height,
            });
            for ((line, colour), row) in tile.lines.iter().zip(0..) {
                let style = text_style(LETTER, *colour, Anchor::Middle);
                let middle = (left + side / 2, top + side + 11 + LINE * row);
                area.draw(&Text::new(fitted(line, letters), middle, style))?;
            }
        }
        Ok(images)
    });
    let plot = plot?;
    if !grid.flows {
        return Ok(Some(plot));
    }
    let html = flowing(name, grid, tiles)?;
    Ok(Some(plot.with_html(html)))
}

/// The tiles for a page.
fn flowing(name: &str, grid: Grid, tiles: &[Tile]) -> Result<String> {
    let is_bare = tiles.iter().all(|tile| tile.lines.is_empty());
    let bare = if is_bare { " bare" } else { "" };
    let mut html = format!(
        "<div class=\"tiles{bare}\" style=\"--tile: {}px\">",
        grid.tile
    );
    for tile in tiles {
        let [width, height] = within(&tile.image, grid.tile);
        let pixels = if tile.image.width() < width {
            " class=\"pixels\""
        } else {
            ""
        };
        let url = data_url(&tile.image, name)?;
        html += &format!(
            "<div><img alt=\"\" width=\"{width}\" height=\"{height}\"{pixels} src=\"{url}\">"
        );
        for (line, colour) in &tile.lines {
            let class = match *colour {
                GREEN => " class=\"right\"",
                RED => " class=\"wrong\"",
                _ => "",
            };
            html += &format!("<span{class}>{}</span>", escaped(line));
        }
        html += "</div>";
    }
    Ok(html + "</div>")
}

fn escaped(text: &str) -> String {
    let text = text.replace('&', "&amp;").replace('<', "&lt;");
    text.replace('>', "&gt;").replace('"', "&quot;")
}

/// Width and height of an image whose longer side is `tile`.
fn within(image: &RgbaImage, tile: u32) -> [u32; 2] {
    let (width, height) = image.dimensions();
    let longer = width.max(height).max(1);
    [width, height].map(|side| (side * tile / longer).clamp(1, tile))
}

fn fitted(line: &str, letters: f64) -> String {
    let most = usize::try_from(pixels(letters)).unwrap_or(1);
    if count(line.chars().count()) <= letters {
        line.to_owned()
    } else {
        shortened(line, most)
    }
}
