//! What a run's network sees and does, as sheets of images: first-layer kernels, samples with its answers, mistakes,
//! activations, augmentation. For these the weights and images of the run are opened again.

mod kernels;
mod maps;

use std::sync::Arc;

use data::{Channels, Images, Split, statistics};
use image::imageops::{self, FilterType};
use image::{Rgba, RgbaImage};
use model::Network;
use tensor::Device;
use train::{Mistake, Preview, Weights};

use crate::error::{Error, Result};
use crate::plots::sheet::{Grid, Tile, sheet};
use crate::plots::shortened;
use crate::run::Run;
use crate::svg::{GREEN, INK, Plot, RED, SOFT};

pub use maps::Shown;

/// Images on a sheet of samples or mistakes.
const N_SAMPLES: usize = 20;
/// Classes on a sheet of samples.
const MOST_CLASSES: usize = 100;
/// Images that are searched for mistakes when the run has left no list of them.
const N_ASKED: usize = 200;
/// Versions of one image.
const N_VERSIONS: usize = 7;
/// Larger images are scaled down to this side before they go into a sheet.
const MOST_SIDE: u32 = 96;
/// Images whose colours are taken for the principal components.
const N_COLOURS: usize = 500;

/// A run's weights and images.
#[derive(Debug)]
pub(crate) struct Sheets<'a> {
    run: &'a Run,
    network: Network,
    images: Images,
    split: Split,
}

impl<'a> Sheets<'a> {
    /// Opens the run's best weights on the CPU device and its images, which are not downloaded.
    pub(crate) fn open(run: &'a Run) -> Result<Self> {
        let weights = Weights::find(&run.path)?;
        let network = Network::open(&weights.path, &Device::cpu())?;
        let data = run.recipe.open_data(false, &mut |_| {})?;
        // The run's list of mistakes counts the images that it took.
        let data = match run.recipe.limit {
            Some(limit) => data.limit(limit)?,
            None => data,
        };
        let found = [Split::Test, Split::Validation, Split::Train]
            .into_iter()
            .find_map(|split| Some((split, data.split(split)?.clone())));
        let (split, images) =
            found.ok_or_else(|| Error::plot("samples", "the data set has no images"))?;
        if images.class_names().len() != network.architecture().classes() {
            let message = "the data set has other classes than the weights";
            return Err(Error::plot("samples", message));
        }
        Ok(Self {
            run,
            network,
            images,
            split,
        })
    }

    fn preview(&self) -> Preview<'_> {
        Preview::new(&self.network, &self.run.recipe, &self.images)
    }

    /// All sheets; `tell` hears how far they are.
    pub(crate) fn plots(&self, tell: &mut dyn FnMut(&str, usize, usize)) -> Result<Vec<Plot>> {
        let mut tell = |done| tell("answers", done, 4);
        tell(0);
        let asked = self.asked();
        let probabilities = self.preview().probabilities(&asked)?;
        let answers: Vec<_> = asked
            .iter()
            .zip(probabilities.chunks_exact(self.images.class_names().len()))
            .map(|(sample, row)| self.answer(*sample, row))
            .collect();
        tell(1);
        let mut plots = vec![self.samples(&answers)?, self.mistakes(&answers)?];
        tell(2);
        plots.push(self.activations()?);
        tell(3);
        plots.push(self.augmented()?);
        tell(4);
        let mut all = kernels::plots(self.run, &self.network)?;
        all.extend(plots.into_iter().flatten());
        Ok(all)
    }

    /// Images of every class, spread evenly over those of each, in turn: the first of each class, then the second.
    fn asked(&self) -> Vec<u32> {
        let mut classes = vec![Vec::new(); self.images.class_names().len()];
        for (sample, label) in (0_u32..).zip(self.images.labels()) {
            classes[*label as usize].push(sample);
        }
        classes.retain(|samples| !samples.is_empty());
        let of_each = N_ASKED.div_ceil(classes.len().max(1));
        let spread = |samples: &Vec<u32>| -> Vec<u32> {
            let (n, asked) = (samples.len(), samples.len().min(of_each));
            let places = (0..asked).map(|k| (2 * k + 1) * n / (2 * asked));
            places.map(|place| samples[place]).collect()
        };
        let spread: Vec<_> = classes.iter().map(spread).collect();
        let turns = (0..of_each).flat_map(|turn| spread.iter().filter_map(move |of| of.get(turn)));
        turns.copied().take(N_ASKED).collect()
    }

    fn answer(&self, sample: u32, probabilities: &[f32]) -> Mistake {
        let best = probabilities
            .iter()
            .enumerate()
            .filter(|(_, p)| !p.is_nan())
            .max_by(|a, b| a.1.total_cmp(b.1));
        let (predicted, confidence) = best.map_or((0, 0.0), |(class, p)| (class, *p));
        Mistake {
            sample,
            truth: self.images.labels()[sample as usize],
            predicted: u32::try_from(predicted).unwrap_or(u32::MAX),
            confidence: f64::from(confidence),
        }
    }

    fn name(&self, class: u32) -> &str {
        let names = self.images.class_names();
        names.get(class as usize).map_or("?", String::as_str)
    }

    /// An image with its class and the answer.
    fn tile(&self, answer: &Mistake) -> Result<Tile> {
        let Mistake {
            sample,
            truth,
            predicted,
            confidence,
        } = *answer;
        let name = shortened(self.name(predicted), 10);
        let (line, colour) = if truth == predicted {
            (format!("\u{2192} {name} {confidence:.2}"), GREEN)
        } else {
            (format!("\u{2192} {name} {confidence:.2}"), RED)
        };
        Ok(Tile {
            image: Arc::new(self.image(sample)?),
            lines: vec![(self.name(truth).to_owned(), INK), (line, colour)],
        })
    }

    fn image(&self, sample: u32) -> Result<RgbaImage> {
        let mut pixels = vec![0; self.images.image_bytes()];
        self.images.read(sample as usize, &mut pixels)?;
        Ok(shown(&pixels, self.images.channels(), self.images.size()))
    }

    fn samples(&self, answers: &[Mistake]) -> Result<Option<Plot>> {
        // As many of each class: they come in turn.
        let classes = self.images.class_names().len().clamp(1, MOST_CLASSES);
        let n = N_SAMPLES.max(classes) / classes * classes;
        let mut shown: Vec<_> = answers.iter().take(n).collect();
        shown.sort_by_key(|answer| answer.truth);
        let tiles = shown.into_iter().map(|answer| self.tile(answer));
        let title = format!(
            "Images of every class of the {} split, with the answers",
            self.split
        );
        let tiles = tiles.collect::<Result<Vec<_>>>()?;
        sheet("samples", &title, FACES, &tiles)
    }

    /// The run's own list, or the mistakes among the images that were asked here.
    fn mistakes(&self, answers: &[Mistake]) -> Result<Option<Plot>> {
        let kept = self.run.evaluation.as_ref();
        let kept = kept.filter(|kept| kept.split == self.split.to_string());
        let (mut mistakes, of) = match kept {
            Some(kept) => (kept.mistakes.clone(), kept.images),
            None => (answers.to_vec(), answers.len() as u64),
        };
        mistakes.retain(|answer| answer.truth != answer.predicted);
        mistakes.retain(|answer| (answer.sample as usize) < self.images.len());
        mistakes.sort_by(|a, b| b.confidence.total_cmp(&a.confidence));
        let tiles = mistakes
            .iter()
            .take(N_SAMPLES)
            .map(|answer| self.tile(answer));
        let title = format!("The most confident wrong answers on {of} images");
        let tiles = tiles.collect::<Result<Vec<_>>>()?;
        sheet("mistakes", &title, FACES, &tiles)
    }

    /// One image as training shows it, and with its colours shifted.
    fn augmented(&self) -> Result<Option<Plot>> {
        let Some(&sample) = self.asked().get(1).or(self.asked().first()) else {
            return Ok(None);
        };
        let [height, width, channels] = self.network.architecture().input();
        let n = N_VERSIONS;
        let colours = statistics(&self.images.limit(N_COLOURS)?)?.principal;
        let preview = self.preview();
        let mut rows = vec![(preview.augmented(sample, n)?, "training")];
        let mut title = "One image as the training recipe shows it".to_owned();
        if let Some(colours) = colours {
            let shifted = preview.colour_shifted(sample, n, &colours)?;
            rows.push((shifted, "PCA colour"));
            title.push_str("; below, PCA colour shifts ten times the paper's");
        }
        let original = Arc::new(self.image(sample)?);
        let mut tiles = Vec::new();
        for (pixels, label) in rows {
            tiles.push(Tile {
                image: Arc::clone(&original),
                lines: vec![("original".to_owned(), INK)],
            });
            for version in pixels.chunks_exact(height * width * channels) {
                tiles.push(Tile {
                    image: Arc::new(shown(version, self.images.channels(), [height, width])),
                    lines: vec![(label.to_owned(), SOFT)],
                });
            }
        }
        sheet("augmented", &title, VERSIONS, &tiles)
    }
}

const FACES: Grid = Grid {
    columns: 10,
    tile: 96,
    flows: true,
};
const VERSIONS: Grid = Grid {
    columns: 8,
    tile: 62,
    flows: false,
};

/// Pixels of any kind as an image.
fn shown(pixels: &[u8], channels: Channels, size: [usize; 2]) -> RgbaImage {
    let mut colours = vec![0; pixels.len() / channels.count() * 3];
    channels.convert(pixels, Channels::Rgb, &mut colours);
    rgb(&colours, size)
}

/// RGB bytes `[height, width, 3]` as an image, scaled down if it is large.
fn rgb(bytes: &[u8], [height, width]: [usize; 2]) -> RgbaImage {
    let [rows, columns] = [height, width].map(|side| u32::try_from(side).unwrap_or(0));
    let image = RgbaImage::from_fn(columns, rows, |x, y| {
        let at = 3 * (y as usize * width + x as usize);
        match bytes.get(at..at + 3) {
            Some(&[r, g, b]) => Rgba([r, g, b, 255]),
            _ => Rgba([0; 4]),
        }
    });
    if columns <= MOST_SIDE && rows <= MOST_SIDE {
        return image;
    }
    let longer = columns.max(rows);
    let [columns, rows] = [columns, rows].map(|side| (side * MOST_SIDE / longer).max(1));
    imageops::resize(&image, columns, rows, FilterType::Triangle)
}

/// A share from 0 to 1 as a byte.
fn byte(share: f32) -> u8 {
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "clamped to 0 to 255"
    )]
    let byte = (255.0 * share).round().clamp(0.0, 255.0) as u8;
    byte
}
