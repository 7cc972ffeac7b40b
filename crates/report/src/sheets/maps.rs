//! Activations: what a layer makes of an image, channel by channel.

use std::path::Path;
use std::sync::Arc;

use data::Images;
use image::RgbaImage;
use model::Layer;
use model::layers::{Flatten, MaxPool};
use train::Preview;

use super::{Sheets, byte, rgb, shown};
use crate::error::{Error, Result};
use crate::plots::sheet::{Grid, Tile, sheet};
use crate::svg::Plot;

/// Channels of a layer that are shown.
const N_MAPS: usize = 23;
/// A larger image file is no photo.
const MOST_IMAGE_BYTES: u64 = 256 << 20;

/// An image whose activations are asked for.
#[derive(Clone, Copy, Debug)]
pub enum Shown<'a> {
    /// By its number in the split that the report shows.
    Sample(u32),
    /// A file.
    File(&'a Path),
}

/// An image, its number in a preview, and the number of a layer.
struct Viewed {
    sample: u32,
    image: RgbaImage,
    layer: usize,
}

const MAPS: Grid = Grid {
    columns: 8,
    tile: 64,
    flows: true,
};

impl Sheets<'_> {
    /// What the first layer that is shown makes of the first sample.
    pub(super) fn activations(&self) -> Result<Option<Plot>> {
        let layers = self.network.architecture().layers();
        let pool = layers
            .clone()
            .position(|layer| layer.is::<MaxPool>() || layer.is::<Flatten>());
        let Some(layer) = pool.and_then(|pool| pool.checked_sub(1)) else {
            return Ok(None);
        };
        let Some(&sample) = self.asked().first() else {
            return Ok(None);
        };
        let image = self.image(sample)?;
        self.maps(
            &self.preview(),
            Viewed {
                sample,
                image,
                layer,
            },
        )
    }

    /// What a layer, by name, makes of an image of the split or of a file. Of a layer with units and no channels, the units
    /// are a row of pixels each.
    pub(crate) fn activations_of(&self, layer: &str, image: &Shown<'_>) -> Result<Option<Plot>> {
        let names: Vec<_> = self
            .network
            .architecture()
            .layers()
            .map(Layer::name)
            .collect();
        let number = names.iter().position(|name| *name == layer);
        let layer = number.ok_or_else(|| {
            let message = format!("expected a layer among {}, found {layer}", names.join(", "));
            Error::plot("activations", message)
        })?;
        match *image {
            Shown::Sample(sample) => {
                let n = self.images.len();
                if sample as usize >= n {
                    let split = self.split;
                    let message = format!(
                        "expected an image from 0 to {} of the {split} split, found {sample}",
                        n - 1
                    );
                    return Err(Error::plot("activations", message));
                }
                let image = self.image(sample)?;
                self.maps(
                    &self.preview(),
                    Viewed {
                        sample,
                        image,
                        layer,
                    },
                )
            }
            Shown::File(path) => {
                let images = self.file(path)?;
                let mut pixels = vec![0; images.image_bytes()];
                images.read(0, &mut pixels)?;
                let image = shown(&pixels, images.channels(), images.size());
                let preview = Preview::new(&self.network, &self.run.recipe, &images);
                self.maps(
                    &preview,
                    Viewed {
                        sample: 0,
                        image,
                        layer,
                    },
                )
            }
        }
    }

    /// An image file, decoded as the run's recipe decodes them, as a data set of one.
    fn file(&self, path: &Path) -> Result<Images> {
        let shape = self.images.shape();
        let size = [shape[0], shape[1]].map(|side| u32::try_from(side).unwrap_or(u32::MAX));
        let options = self.run.recipe.decode_options(size);
        let bytes = files::read(path, MOST_IMAGE_BYTES)?;
        let pixels = data::image_pixels(&bytes, path, &options)?;
        let names = self.images.class_names().to_vec();
        Ok(Images::from_fn(
            shape,
            vec![0],
            names,
            move |_, out: &mut [u8]| out.copy_from_slice(&pixels),
        )?)
    }

    /// An image and the channels of a layer, each on its own scale.
    fn maps(&self, preview: &Preview<'_>, viewed: Viewed) -> Result<Option<Plot>> {
        let Viewed {
            sample,
            image,
            layer,
        } = viewed;
        let maps = preview.activations(sample, layer)?;
        let [height, width, channels] = match maps.shape[..] {
            [height, width, channels] => [height, width, channels],
            // Units as the smallest square that holds them, row by row.
            [units] => {
                let side = units.saturating_sub(1).isqrt() + 1;
                [units.div_ceil(side), side, 1]
            }
            _ => return Ok(None),
        };
        let mut tiles = vec![Tile {
            image: Arc::new(image),
            lines: Vec::new(),
        }];
        for channel in 0..channels.min(N_MAPS) {
            let values: Vec<_> = maps.values.iter().skip(channel).step_by(channels).collect();
            let highest = values
                .iter()
                .fold(f32::NEG_INFINITY, |most, x| most.max(**x))
                .max(0.0);
            let lowest = values.iter().fold(highest, |least, x| least.min(**x));
            let range = (highest - lowest).max(f32::MIN_POSITIVE);
            let shades = values.iter().map(|x| viridis((**x - lowest) / range));
            let bytes: Vec<u8> = shades.flatten().collect();
            tiles.push(Tile {
                image: Arc::new(rgb(&bytes, [height, width])),
                lines: Vec::new(),
            });
        }
        let layers = self.network.architecture().layers();
        let name = layers.map(Layer::name).nth(layer).unwrap_or_default();
        let title = if maps.shape.len() == 1 {
            format!(
                "An image and the {} units after layer {name}",
                maps.values.len()
            )
        } else {
            let shown = tiles.len() - 1;
            format!("An image and the first {shown} of {channels} channels after layer {name}")
        };
        sheet("activations", &title, MAPS, &tiles)
    }
}

/// Matplotlib's viridis, between five of its colours.
fn viridis(share: f32) -> [u8; 3] {
    const STOPS: [[f32; 3]; 5] = [
        [68.0, 1.0, 84.0],
        [59.0, 82.0, 139.0],
        [33.0, 145.0, 140.0],
        [94.0, 201.0, 98.0],
        [253.0, 231.0, 37.0],
    ];
    let place = 4.0 * share.clamp(0.0, 1.0);
    let below = [1.0, 2.0, 3.0]
        .iter()
        .filter(|stop| place >= **stop)
        .count();
    let rest = place - [0.0, 1.0, 2.0, 3.0][below];
    [0, 1, 2].map(|channel| {
        let (a, b) = (STOPS[below][channel], STOPS[below + 1][channel]);
        byte((a + (b - a) * rest) / 255.0)
    })
}
