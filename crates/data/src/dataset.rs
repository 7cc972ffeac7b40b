//! A data set is its training images and, where they exist, its validation and test images.

use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;

use crate::channels::{Channels, ImageShape};
use crate::error::DataError;
use crate::images::Images;
use crate::resample::Interpolation;

/// The part of a data set that something is done with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Split {
    /// What the weights are fitted to.
    Train,
    /// What choices (stopping, the best checkpoint) are made by.
    Validation,
    /// What is looked at once, at the end.
    Test,
}

/// Its name, as files and flags have it.
impl fmt::Display for Split {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Train => "train",
            Self::Validation => "validation",
            Self::Test => "test",
        })
    }
}

/// Images for training, validation and test, which share size and classes.
#[derive(Clone, Debug)]
pub struct DataSet {
    /// The name it was opened by.
    pub name: String,
    /// The training images.
    pub train: Images,
    /// The validation images, when there are any.
    pub validation: Option<Images>,
    /// The test images, when there are any.
    pub test: Option<Images>,
    /// Files that were left out because they can't be read.
    pub skipped: Vec<Skipped>,
    /// What else was left out.
    pub left_out: LeftOut,
}

/// What was left out of a data set, beside images that can't be read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LeftOut {
    /// Files among the images that are none by their names, or no regular ones, by ending.
    pub files: BTreeMap<String, u64>,
    /// Folders, lines of lists and images that were left out, each with its reason.
    pub notes: Vec<String>,
}

impl LeftOut {
    /// How many files of which endings: `12 .heic, 3 .txt, 1 without ending`; none if there are none.
    #[must_use]
    pub fn files_line(&self) -> Option<String> {
        let mut files: Vec<_> = self.files.iter().collect();
        files.sort_by_key(|(_, count)| std::cmp::Reverse(**count));
        let files: Vec<_> = files
            .into_iter()
            .map(|(ending, count)| format!("{count} {ending}"))
            .collect();
        (!files.is_empty()).then(|| files.join(", "))
    }
}

/// A file that was left out of a data set.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Skipped {
    /// The file.
    pub path: PathBuf,
    /// Why it can't be read.
    pub reason: String,
}

impl DataSet {
    /// A data set of your own images, such as [`Images::from_fn`] makes. `name` is what a run folder and messages call it.
    ///
    /// ```
    /// let names = ["dark", "light"].map(str::to_owned).to_vec();
    /// let images = |n| {
    ///     let labels = (0..n).map(|index| index % 2).collect();
    ///     let shade = |index: usize, out: &mut [u8]| out.fill(if index % 2 == 0 { 10 } else { 240 });
    ///     data::Images::from_fn([8, 12, 1], labels, names.clone(), shade)
    /// };
    /// let set = data::DataSet::new("shades", images(100)?).with_test(images(20)?)?.with_validation(10, 0)?;
    /// assert_eq!((set.train.len(), set.class_names().len()), (90, 2));
    /// # Ok::<(), data::DataError>(())
    /// ```
    #[must_use]
    pub fn new(name: &str, train: Images) -> Self {
        Self {
            name: name.to_owned(),
            train,
            validation: None,
            test: None,
            skipped: Vec::new(),
            left_out: LeftOut::default(),
        }
    }

    /// The data set with these test images.
    ///
    /// # Errors
    /// [`DataError::Argument`] unless they have the training images' shape and classes.
    pub fn with_test(self, test: Images) -> Result<Self, DataError> {
        let (own, theirs) = (self.train.shape(), test.shape());
        if own != theirs {
            let [expected, found] = [own, theirs].map(|shape| ImageShape::from(shape).to_string());
            return Err(DataError::argument("test images", expected, found));
        }
        if self.class_names() != test.class_names() {
            let expected = "the classes of the training images, in their order";
            let found = test.class_names().join(", ");
            return Err(DataError::argument("test images", expected, found));
        }
        Ok(Self {
            test: Some(test),
            ..self
        })
    }

    /// The same images with other channels: see [`Images::with_channels`].
    #[must_use]
    pub fn with_channels(self, channels: Channels) -> Self {
        let other = |images: Option<Images>| images.map(|images| images.with_channels(channels));
        Self {
            train: self.train.with_channels(channels),
            validation: other(self.validation),
            test: other(self.test),
            ..self
        }
    }

    /// The same images in another size: see [`Images::resized`].
    ///
    /// # Errors
    /// [`DataError::Argument`] for a size of 0.
    pub fn resized(self, size: [usize; 2], by: Interpolation) -> Result<Self, DataError> {
        let other = |images: Option<Images>| images.map(|it| it.resized(size, by)).transpose();
        Ok(Self {
            train: self.train.resized(size, by)?,
            validation: other(self.validation)?,
            test: other(self.test)?,
            ..self
        })
    }

    /// The images of one split.
    pub fn split(&self, split: Split) -> Option<&Images> {
        match split {
            Split::Train => Some(&self.train),
            Split::Validation => self.validation.as_ref(),
            Split::Test => self.test.as_ref(),
        }
    }

    /// The classes' names; a label is an index into them.
    pub fn class_names(&self) -> &[String] {
        self.train.class_names()
    }

    /// Sets `n` of the training images aside for validation, drawn by `seed`, each class in proportion. They replace
    /// a validation split that was there.
    ///
    /// # Errors
    /// [`DataError::Argument`] unless `n` leaves at least one image on either side.
    pub fn with_validation(self, n: usize, seed: u64) -> Result<Self, DataError> {
        let (train, validation) = self.train.split_off(n, seed)?;
        Ok(Self {
            train,
            validation: Some(validation),
            ..self
        })
    }

    /// [`DataSet::with_validation`] by a share of the training images, strictly between 0 and 1, rounded, but one at least.
    ///
    /// ```
    /// let set = data::Shapes10::default().with_sizes(100, 10, 10).generate()?;
    /// let set = set.with_validation_fraction(0.2, 0)?;
    /// assert_eq!((set.train.len(), set.validation.map(|images| images.len())), (80, Some(20)));
    /// # Ok::<(), data::DataError>(())
    /// ```
    ///
    /// # Errors
    /// [`DataError::Argument`] for another fraction, or when it leaves nothing to train on.
    pub fn with_validation_fraction(self, fraction: f64, seed: u64) -> Result<Self, DataError> {
        if !(fraction > 0.0 && fraction < 1.0) {
            return Err(DataError::argument(
                "validation fraction",
                "a number between 0 and 1",
                fraction,
            ));
        }
        #[expect(
            clippy::cast_precision_loss,
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "counts fit u32, and a positive number below one keeps the product in range"
        )]
        let n = (self.train.len() as f64 * fraction).round() as usize;
        self.with_validation(n.max(1), seed)
    }

    /// Keeps at most `n` images of each split, evenly spread.
    ///
    /// ```
    /// let set = data::Shapes10::default().with_sizes(100, 50, 5).generate()?.limit(20)?;
    /// assert_eq!((set.train.len(), set.test.map(|images| images.len())), (20, Some(5)));
    /// # Ok::<(), data::DataError>(())
    /// ```
    ///
    /// # Errors
    /// [`DataError::Argument`] when `n` is zero.
    pub fn limit(self, n: usize) -> Result<Self, DataError> {
        Ok(Self {
            train: self.train.limit(n)?,
            validation: self.validation.map(|images| images.limit(n)).transpose()?,
            test: self.test.map(|images| images.limit(n)).transpose()?,
            ..self
        })
    }
}
