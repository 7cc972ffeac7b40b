//! Labelled images of one size, and the views (subset, limit, split) that data sets are cut into. Where the pixels come
//! from, memory or files, is behind [`Source`]; batches are made in `loader`.

mod resized;

use std::fmt;
use std::path::Path;
use std::sync::Arc;

use rayon::prelude::*;

use crate::channels::{Channels, ImageShape};
use crate::error::DataError;
use crate::random::{Philox, Stream};
use crate::sources::{Converted, Made, Memory};

/// Where pixels come from. Implement it to feed a [`crate::Loader`] from something that this crate does not know.
pub trait Source: fmt::Debug + Send + Sync {
    /// Writes image `index` as `[height, width, channels]` bytes into `out`, which has exactly that length.
    ///
    /// # Errors
    /// Whatever keeps the image from being read; the loader hands it to its caller.
    fn read(&self, index: usize, out: &mut [u8]) -> Result<(), DataError>;

    /// The file that image `index` came from, when it has one of its own.
    fn path(&self, index: usize) -> Option<&Path> {
        let _: usize = index;
        None
    }

    /// Whether the pixels of image `index` are in memory, so that reading it is a copy.
    fn is_decoded(&self, index: usize) -> bool {
        let _: usize = index;
        false
    }
}

/// Labelled images of one shape: a view into a shared [`Source`]. Cloning and taking subsets copy no pixels.
#[derive(Clone)]
pub struct Images {
    height: usize,
    width: usize,
    channels: Channels,
    class_names: Arc<[String]>,
    /// One per image of this view.
    labels: Arc<[u32]>,
    /// Where each image of this view is in the source.
    indices: Arc<[u32]>,
    source: Arc<dyn Source>,
}

impl Images {
    /// Images held in memory. `pixels`: `[n, height, width, channels]`; `labels`: one below `class_names.len()` per image.
    /// A shape of two numbers is one of colour images, with three channels.
    ///
    /// ```
    /// // Two grey images of 2x3 pixels.
    /// let names = ["dark", "light"].map(str::to_owned).to_vec();
    /// let pixels = vec![0, 9, 5, 3, 8, 1, 250, 244, 249, 251, 255, 248];
    /// let images = data::Images::from_pixels([2, 3, 1], pixels, vec![0, 1], names)?;
    /// assert_eq!((images.len(), images.shape()), (2, [2, 3, 1]));
    /// # Ok::<(), data::DataError>(())
    /// ```
    ///
    /// # Errors
    /// [`DataError::Argument`] when there is no image, sizes or labels don't agree, or there are other than 1, 3 or 4
    /// channels.
    pub fn from_pixels(
        shape: impl Into<ImageShape>,
        pixels: Vec<u8>,
        labels: Vec<u32>,
        class_names: Vec<String>,
    ) -> Result<Self, DataError> {
        let shape = shape.into();
        let sizes = [shape.height, shape.width, shape.channels];
        let image_bytes = sizes.into_iter().fold(1, usize::saturating_mul);
        let expected = labels.len().saturating_mul(image_bytes);
        if pixels.len() != expected {
            let wanted = format!("{expected} bytes ({} images of {shape})", labels.len());
            return Err(DataError::argument("pixels", wanted, pixels.len()));
        }
        let memory = Memory {
            image_bytes,
            pixels,
        };
        Self::from_source(shape, Arc::new(memory), labels, class_names)
    }

    /// Images that `read` makes whenever one is needed: it is given an image's index and the bytes `[height, width,
    /// channels]` to write. Many threads call it at a time, each image again and again, and the same one must always have
    /// the same pixels. What can fail, or is in files, is rather a [`Source`] of its own.
    ///
    /// ```
    /// let names = ["dark", "light"].map(str::to_owned).to_vec();
    /// let grey = |index: usize, out: &mut [u8]| out.fill(if index % 2 == 0 { 10 } else { 240 });
    /// let images = data::Images::from_fn([8, 12, 1], vec![0, 1, 0, 1], names, grey)?;
    /// assert_eq!(images.read_all()?[96..192], [240; 96]);
    /// # Ok::<(), data::DataError>(())
    /// ```
    ///
    /// # Errors
    /// As [`Images::from_source`].
    pub fn from_fn(
        shape: impl Into<ImageShape>,
        labels: Vec<u32>,
        class_names: Vec<String>,
        read: impl Fn(usize, &mut [u8]) + Send + Sync + 'static,
    ) -> Result<Self, DataError> {
        Self::from_source(shape, Arc::new(Made(read)), labels, class_names)
    }

    /// Images behind a source of your own, which must know an image for each of `labels`.
    ///
    /// ```
    /// #[derive(Debug)]
    /// struct Stripes;
    ///
    /// impl data::Source for Stripes {
    ///     fn read(&self, index: usize, out: &mut [u8]) -> Result<(), data::DataError> {
    ///         (0..out.len()).for_each(|at| out[at] = if at / (index + 1) % 2 == 0 { 0 } else { 255 });
    ///         Ok(())
    ///     }
    /// }
    /// let names = ["narrow", "wide"].map(str::to_owned).to_vec();
    /// let images = data::Images::from_source([8, 8, 1], std::sync::Arc::new(Stripes), vec![0, 1], names)?;
    /// # Ok::<(), data::DataError>(())
    /// ```
    ///
    /// # Errors
    /// [`DataError::Argument`] when there is no image, a label has no class, or an image has no pixel or other than 1, 3 or 4
    /// channels.
    pub fn from_source(
        shape: impl Into<ImageShape>,
        source: Arc<dyn Source>,
        labels: Vec<u32>,
        class_names: Vec<String>,
    ) -> Result<Self, DataError> {
        let shape = shape.into();
        let (height, width) = (shape.height, shape.width);
        if height == 0 || width == 0 {
            return Err(DataError::argument(
                "image size",
                "at least 1x1",
                format!("{height}x{width}"),
            ));
        }
        let wrong = || DataError::argument("channels", "1, 3 or 4", shape.channels);
        let channels = Channels::of(shape.channels).ok_or_else(wrong)?;
        let n = u32::try_from(labels.len()).unwrap_or(u32::MAX);
        // The last number is taken: it marks the padding of a batch.
        if n == 0 || n == u32::MAX {
            return Err(DataError::argument(
                "images",
                format!("1 to {} images", u32::MAX - 1),
                labels.len(),
            ));
        }
        if let Some((image, label)) = labels
            .iter()
            .enumerate()
            .find(|(_, l)| **l as usize >= class_names.len())
        {
            let expected = format!("a label below {} for image {image}", class_names.len());
            return Err(DataError::argument("labels", expected, label));
        }
        let indices = (0..n).collect();
        Ok(Self {
            height,
            width,
            channels,
            class_names: class_names.into(),
            labels: labels.into(),
            indices,
            source,
        })
    }

    /// How many images there are: never zero.
    #[expect(
        clippy::len_without_is_empty,
        reason = "a set of images is never empty"
    )]
    pub fn len(&self) -> usize {
        self.labels.len()
    }

    /// `[height, width]` of every image.
    pub fn size(&self) -> [usize; 2] {
        [self.height, self.width]
    }

    /// What each pixel has.
    pub fn channels(&self) -> Channels {
        self.channels
    }

    /// `[height, width, channels]` of every image.
    pub fn shape(&self) -> [usize; 3] {
        [self.height, self.width, self.channels.count()]
    }

    /// Bytes in one image: `height * width * channels`.
    pub fn image_bytes(&self) -> usize {
        self.height * self.width * self.channels.count()
    }

    /// The same images with other channels, converted when they are read as [`Channels::convert`] says.
    #[must_use]
    pub fn with_channels(&self, channels: Channels) -> Self {
        let mut other = self.clone();
        if channels != self.channels {
            other.source = Arc::new(Converted {
                source: Arc::clone(&self.source),
                from: self.channels,
                to: channels,
            });
            other.channels = channels;
        }
        other
    }

    /// The classes' names; a label is an index into them.
    pub fn class_names(&self) -> &[String] {
        &self.class_names
    }

    /// The label of each image.
    pub fn labels(&self) -> &[u32] {
        &self.labels
    }

    /// The file that image `index` came from, when it has one of its own.
    pub fn path(&self, index: usize) -> Option<&Path> {
        self.source.path(*self.indices.get(index)? as usize)
    }

    /// Writes the pixels of image `index` (`[height, width, channels]`) into `out`.
    ///
    /// # Errors
    /// [`DataError::Argument`] when `index` or the length of `out` is wrong; otherwise the source's error.
    pub fn read(&self, index: usize, out: &mut [u8]) -> Result<(), DataError> {
        let Some(place) = self.indices.get(index) else {
            return Err(DataError::argument(
                "index",
                format!("an image below {}", self.len()),
                index,
            ));
        };
        if out.len() != self.image_bytes() {
            return Err(DataError::argument(
                "out",
                format!("{} bytes", self.image_bytes()),
                out.len(),
            ));
        }
        self.source.read(*place as usize, out)
    }

    /// Whether all pixels are in memory, so that reading an image is a copy.
    pub fn are_decoded(&self) -> bool {
        let mut indices = self.indices.iter();
        indices.all(|place| self.source.is_decoded(*place as usize))
    }

    /// Copies all pixels, `[n, height, width, channels]`, into one vector: for data sets that fit in memory.
    ///
    /// # Errors
    /// The source's first error.
    pub fn read_all(&self) -> Result<Vec<u8>, DataError> {
        let mut pixels = vec![0; self.len() * self.image_bytes()];
        self.read_from(0, &mut pixels)?;
        Ok(pixels)
    }

    /// Copies the pixels of the images from `first` on into `out`, as many as it has room for, on all cores.
    ///
    /// # Errors
    /// [`DataError::Argument`] when there are not so many, or they don't fill `out`; otherwise the source's first error.
    pub fn read_from(&self, first: usize, out: &mut [u8]) -> Result<(), DataError> {
        out.par_chunks_mut(self.image_bytes())
            .enumerate()
            .try_for_each(|(i, out)| self.read(first + i, out))
    }

    /// The images at `indices`, in that order.
    ///
    /// # Errors
    /// [`DataError::Argument`] when there is no index or one is out of range.
    pub fn subset(&self, indices: &[u32]) -> Result<Self, DataError> {
        if let Some(bad) = indices.iter().find(|i| **i as usize >= self.len()) {
            return Err(DataError::argument(
                "indices",
                format!("images below {}", self.len()),
                bad,
            ));
        }
        if indices.is_empty() {
            return Err(DataError::argument("indices", "at least 1 image", 0));
        }
        let labels = indices.iter().map(|i| self.labels[*i as usize]).collect();
        let indices = indices.iter().map(|i| self.indices[*i as usize]).collect();
        Ok(Self {
            labels,
            indices,
            ..self.clone()
        })
    }

    /// At most `n` images, evenly spread over the set so that one sorted by class keeps all its classes.
    ///
    /// # Errors
    /// [`DataError::Argument`] when `n` is zero.
    pub fn limit(&self, n: usize) -> Result<Self, DataError> {
        if n == 0 {
            return Err(DataError::argument("limit", "at least 1 image", 0));
        }
        if n >= self.len() {
            return Ok(self.clone());
        }
        let positions: Vec<u32> = (0..self.count()).collect();
        self.subset(&evenly(&positions, n))
    }

    /// Cuts the set into `(rest, n images)`, the `n` drawn by `seed` with each class in proportion.
    ///
    /// # Errors
    /// [`DataError::Argument`] unless `n` leaves at least one image on either side.
    pub fn split_off(&self, n: usize, seed: u64) -> Result<(Self, Self), DataError> {
        if n == 0 || n >= self.len() {
            let expected = format!("1 to {} of the {} images", self.len() - 1, self.len());
            return Err(DataError::argument("validation images", expected, n));
        }
        let mut order: Vec<u32> = (0..self.count()).collect();
        Philox::new(seed, Stream::Split, 0).shuffle(&mut order);
        // Sorted by class with a random order inside each, every step-th image is a proportional random draw.
        order.sort_by_key(|i| self.labels[*i as usize]);
        let mut taken = evenly(&order, n);
        taken.sort_unstable();
        let rest: Vec<u32> = (0..self.count())
            .filter(|i| taken.binary_search(i).is_err())
            .collect();
        Ok((self.subset(&rest)?, self.subset(&taken)?))
    }

    /// The same images with other classes: label `l` becomes `labels[l]`, an index into `class_names`.
    ///
    /// # Errors
    /// [`DataError::Argument`] unless there is a label for each class so far, and a name for each label.
    pub fn relabelled(&self, labels: &[u32], class_names: Vec<String>) -> Result<Self, DataError> {
        if labels.len() != self.class_names.len() {
            let expected = format!("{} labels", self.class_names.len());
            return Err(DataError::argument("labels", expected, labels.len()));
        }
        if let Some(bad) = labels.iter().find(|l| **l as usize >= class_names.len()) {
            let expected = format!("labels below {}", class_names.len());
            return Err(DataError::argument("labels", expected, bad));
        }
        Ok(Self {
            class_names: class_names.into(),
            labels: self.labels.iter().map(|l| labels[*l as usize]).collect(),
            ..self.clone()
        })
    }

    fn count(&self) -> u32 {
        u32::try_from(self.len()).expect("checked when the images were made")
    }
}

impl fmt::Debug for Images {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [h, w] = self.size();
        write!(
            f,
            "Images({} of {h}x{w}, {}, {} classes, {:?})",
            self.len(),
            self.channels,
            self.class_names.len(),
            self.source
        )
    }
}

/// `n` of `items`, at equal distances, from the middle of each stretch.
fn evenly(items: &[u32], n: usize) -> Vec<u32> {
    (0..n)
        .map(|k| items[(2 * k + 1) * items.len() / (2 * n)])
        .collect()
}
