//! Plots: SVG drawn with plotters, and the same as PNG. Text is measured and rasterised with the embedded font; a
//! browser takes its own.

use std::fmt::Write as _;
use std::io::Cursor;
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use image::{ImageFormat, RgbaImage};
use plotters::coord::Shift;
use plotters::drawing::{DrawingArea, IntoDrawingArea as _};
use plotters::prelude::SVGBackend;
use plotters::style::{FontStyle, RGBColor, register_font};
use resvg::tiny_skia::{Pixmap, Transform};
use resvg::usvg::{self, fontdb};

use crate::error::{Error, Result};

/// A subset of `DejaVu Sans` (`fonts/LICENSE.txt`).
const FONT: &[u8] = include_bytes!("../fonts/DejaVuSans.ttf");
/// What the font calls itself.
const FONT_NAME: &str = "DejaVu Sans";
/// What plots call it; a browser has its own of this name.
pub(crate) const SANS: &str = "sans-serif";

/// Pixels of the PNG for one of the SVG.
const PNG_SCALE: f32 = 2.0;

// The page's style sheet gives these other values in the dark.
pub(crate) const INK: RGBColor = RGBColor(0x1F, 0x29, 0x37);
/// Words of less weight.
pub(crate) const SOFT: RGBColor = RGBColor(0x5B, 0x64, 0x72);
pub(crate) const FAINT: RGBColor = RGBColor(0xD1, 0xD5, 0xDB);
// These are seen on white and on black.
pub(crate) const BLUE: RGBColor = RGBColor(0x3B, 0x82, 0xF6);
pub(crate) const ORANGE: RGBColor = RGBColor(0xF9, 0x73, 0x16);
pub(crate) const GREEN: RGBColor = RGBColor(0x16, 0xA3, 0x4A);
pub(crate) const RED: RGBColor = RGBColor(0xEF, 0x44, 0x44);
pub(crate) const GREY: RGBColor = RGBColor(0x8B, 0x94, 0xA3);
/// Colours of several runs.
pub(crate) const SERIES: [RGBColor; 6] = [
    BLUE,
    ORANGE,
    GREEN,
    RGBColor(0xA8, 0x55, 0xF7),
    RGBColor(0xEC, 0x48, 0x99),
    RGBColor(0x14, 0xB8, 0xA6),
];

/// Where plots are drawn.
pub(crate) type Area<'a> = DrawingArea<SVGBackend<'a>, Shift>;
/// What drawing comes to: plotters' errors have a type for each kind of area.
pub(crate) type Drawn<T = ()> = std::result::Result<T, Box<dyn std::error::Error + Send + Sync>>;

/// An image of something about a run, as SVG without a background.
#[derive(Clone, Debug)]
pub struct Plot {
    name: String,
    title: String,
    svg: String,
    /// The same for a page, if that can lay it out by its own width.
    html: Option<String>,
    /// What a script needs to tell values from places, as JSON.
    values: Option<String>,
}

/// A raster image in a plot.
#[derive(Clone, Debug)]
pub(crate) struct Placed {
    pub(crate) image: Arc<RgbaImage>,
    pub(crate) left: i32,
    pub(crate) top: i32,
    pub(crate) width: u32,
    pub(crate) height: u32,
}

impl Plot {
    /// Draws a plot of `[width, height]` pixels. `paint` returns the raster images that lie under what it draws.
    pub(crate) fn draw(
        name: &str,
        title: impl Into<String>,
        [width, height]: [u32; 2],
        paint: impl FnOnce(&Area<'_>) -> Drawn<Vec<Placed>>,
    ) -> Result<Self> {
        prepare_font(name)?;
        let mut svg = String::new();
        let images = {
            let area = SVGBackend::with_string(&mut svg, (width, height)).into_drawing_area();
            let images = paint(&area).map_err(|error| Error::plot(name, error))?;
            area.present().map_err(|error| Error::plot(name, error))?;
            images
        };
        let begin = svg
            .find("<svg")
            .and_then(|at| Some(at + svg[at..].find('>')? + 1));
        let begin = begin.ok_or_else(|| Error::plot(name, "no SVG was drawn"))?;
        let mut under = String::new();
        for image in &images {
            under.push_str(&image.element(name)?);
        }
        svg.insert_str(begin, &under);
        Ok(Self {
            name: name.to_owned(),
            title: title.into(),
            svg: svg[svg.find("<svg").unwrap_or(0)..].to_owned(),
            html: None,
            values: None,
        })
    }

    /// The plot with what a script needs to tell values from places.
    pub(crate) fn with_values(mut self, json: String) -> Self {
        self.values = Some(json);
        self
    }

    /// See [`Plot::with_values`].
    pub(crate) fn values(&self) -> Option<&str> {
        self.values.as_deref()
    }

    /// The plot with a form for pages.
    pub(crate) fn with_html(mut self, html: String) -> Self {
        self.html = Some(html);
        self
    }

    /// The form for pages, if there is one besides the SVG.
    pub(crate) fn html(&self) -> Option<&str> {
        self.html.as_deref()
    }

    /// What its files are called, without an end.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// A line on what it shows.
    #[must_use]
    pub fn title(&self) -> &str {
        &self.title
    }

    /// The SVG without a background, to stand in a page.
    #[must_use]
    pub fn inline(&self) -> &str {
        &self.svg
    }

    /// The SVG on white, as a file of its own.
    #[must_use]
    pub fn svg(&self) -> String {
        let begin = self.svg.find('>').map_or(0, |end| end + 1);
        let (head, rest) = self.svg.split_at(begin);
        format!("{head}<rect width=\"100%\" height=\"100%\" fill=\"#FFFFFF\"/>{rest}")
    }

    /// The plot on white as PNG, two pixels for each of the SVG.
    ///
    /// # Errors
    /// If it can't be rasterised.
    pub fn png(&self) -> Result<Vec<u8>> {
        let wrong = |error: &dyn std::fmt::Display| Error::plot(&self.name, error);
        let options = usvg::Options {
            fontdb: fonts(),
            ..usvg::Options::default()
        };
        let tree = usvg::Tree::from_str(&self.svg(), &options).map_err(|error| wrong(&error))?;
        let size = tree.size().to_int_size().scale_by(PNG_SCALE);
        let pixmap = size.and_then(|size| Pixmap::new(size.width(), size.height()));
        let mut pixmap = pixmap.ok_or_else(|| wrong(&"too large to rasterise"))?;
        let scale = Transform::from_scale(PNG_SCALE, PNG_SCALE);
        resvg::render(&tree, scale, &mut pixmap.as_mut());
        pixmap.encode_png().map_err(|error| wrong(&error))
    }

    /// Writes `NAME.svg` and `NAME.png` into a folder; the two files.
    ///
    /// # Errors
    /// If it can't be rasterised, or a file can't be written.
    pub fn save(&self, folder: &Path) -> Result<[PathBuf; 2]> {
        let [svg, png] = ["svg", "png"].map(|end| folder.join(format!("{}.{end}", self.name)));
        files::replace(&svg, self.svg().as_bytes())?;
        files::replace(&png, &self.png()?)?;
        Ok([svg, png])
    }
}

/// An image as an address that holds it.
pub(crate) fn data_url(image: &RgbaImage, plot: &str) -> Result<String> {
    let mut png = Cursor::new(Vec::new());
    image
        .write_to(&mut png, ImageFormat::Png)
        .map_err(|error| Error::plot(plot, error))?;
    let base64 = STANDARD.encode(png.into_inner());
    Ok(format!("data:image/png;base64,{base64}"))
}

impl Placed {
    fn element(&self, plot: &str) -> Result<String> {
        let url = data_url(&self.image, plot)?;
        let mut text = String::new();
        let Self {
            left,
            top,
            width,
            height,
            ..
        } = self;
        // Small images keep their pixels visible, large ones are averaged.
        let rendering = if self.image.width() < *width {
            "pixelated"
        } else {
            "auto"
        };
        write!(
            text,
            "<image x=\"{left}\" y=\"{top}\" width=\"{width}\" height=\"{height}\" preserveAspectRatio=\"none\" \
             style=\"image-rendering:{rendering}\" href=\"{url}\"/>"
        )
        .map_err(|error| Error::plot(plot, error))?;
        Ok(text)
    }
}

/// Makes plotters know the font.
fn prepare_font(plot: &str) -> Result<()> {
    static REGISTERED: OnceLock<bool> = OnceLock::new();
    let is_known = *REGISTERED.get_or_init(|| register_font(SANS, FontStyle::Normal, FONT).is_ok());
    is_known
        .then_some(())
        .ok_or_else(|| Error::plot(plot, "the embedded font is damaged"))
}

/// The fonts of the rasteriser: the embedded one, under the name that plots use.
fn fonts() -> Arc<fontdb::Database> {
    static FONTS: OnceLock<Arc<fontdb::Database>> = OnceLock::new();
    let fonts = FONTS.get_or_init(|| {
        let mut fonts = fontdb::Database::new();
        fonts.load_font_data(FONT.to_vec());
        fonts.set_sans_serif_family(FONT_NAME);
        Arc::new(fonts)
    });
    Arc::clone(fonts)
}
