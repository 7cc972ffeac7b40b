//! A page about one operator, for those who learn: what it computes, the sources that compute it, pictures, and what training
//! is like without it. One file that needs no network and no script.

use std::path::Path;

use image::RgbaImage;
use serde::Serialize;
use serde_json::json;

use crate::error::{Error, Result};
use crate::page::{STYLE, render};
use crate::svg::data_url;

const TEMPLATE: &str = include_str!("../templates/lesson.html");

/// The page's contents.
#[derive(Clone, Debug, Default)]
pub struct Lesson {
    /// What the operator is called.
    pub title: String,
    /// What it does.
    pub about: String,
    /// The equation, in lines.
    pub equation: String,
    /// Where it is published.
    pub source: String,
    /// What the pictures show.
    pub shown: String,
    /// What goes in and what comes out.
    pub pictures: Vec<LessonPicture>,
    /// Reference, shaders, twin.
    pub codes: Vec<LessonCode>,
    /// What it is like without.
    pub without: String,
    /// Trainings with and without it, if there were any.
    pub trials: Option<LessonTrials>,
    /// What to do next, for a shell.
    pub commands: Vec<String>,
}

/// A picture of the page.
#[derive(Clone, Debug, Default)]
pub struct LessonPicture {
    /// What it is.
    pub caption: String,
    /// `[height, width]`.
    pub size: [usize; 2],
    /// `[height, width, 3]`.
    pub rgb: Vec<u8>,
}

/// A source.
#[derive(Clone, Debug, Default, Serialize)]
pub struct LessonCode {
    /// What it is.
    pub title: String,
    /// Where it is from, and where it runs.
    pub note: String,
    /// All of it.
    pub text: String,
    /// How many of its lines are shown where room is short; all by default.
    pub head: Option<usize>,
    /// The command that prints all of it, if there is one.
    pub command: Option<String>,
}

/// Trainings that differ in one thing.
#[derive(Clone, Debug, Default, Serialize)]
pub struct LessonTrials {
    /// What the columns are.
    pub columns: Vec<String>,
    /// A training each.
    pub rows: Vec<Vec<String>>,
    /// How much they say.
    pub note: String,
}

impl Lesson {
    /// Writes the page.
    ///
    /// ```
    /// let folder = tempfile::tempdir()?;
    /// let page = folder.path().join("relu.html");
    /// let lesson = report::Lesson { title: "ReLU".to_owned(), equation: "y = max(x, 0)".to_owned(), ..Default::default() };
    /// lesson.write(&page)?;
    /// assert!(page.metadata()?.len() > 1000);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// If a picture has not as many numbers as its size says, or the file can't be written.
    pub fn write(&self, path: &Path) -> Result<()> {
        let pictures = self.pictures.iter().map(LessonPicture::shown);
        let context = json!({
            "style": STYLE,
            "title": self.title,
            "about": self.about,
            "equation": self.equation,
            "source": self.source,
            "shown": self.shown,
            "pictures": pictures.collect::<Result<Vec<_>>>()?,
            "codes": self.codes,
            "without": self.without,
            "trials": self.trials,
            "commands": self.commands,
        });
        let page = render("lesson.html", TEMPLATE, &context)?;
        Ok(files::replace(path, page.as_bytes())?)
    }
}

impl LessonPicture {
    /// Its caption, its address and its width and height.
    fn shown(&self) -> Result<(String, String, [u32; 2])> {
        let [height, width] = self
            .size
            .map(|side| u32::try_from(side).unwrap_or(u32::MAX));
        let pixels = self.rgb.chunks_exact(3);
        let opaque = pixels.flat_map(|rgb| [rgb[0], rgb[1], rgb[2], u8::MAX]);
        let image = RgbaImage::from_raw(width, height, opaque.collect());
        let image = image.ok_or_else(|| {
            let message = format!(
                "expected {height}x{width}x3 numbers, found {}",
                self.rgb.len()
            );
            Error::plot(&self.caption, message)
        })?;
        let url = data_url(&image, &self.caption)?;
        Ok((self.caption.clone(), url, [width, height]))
    }
}
