//! How large the images in a data set's files are.

use rayon::prelude::*;

use crate::budget::DECODE_BYTES;
use crate::dataset::{DataSet, Split};
use crate::decode::check_header;
use crate::error::DataError;

/// Sizes of images in files: `[height, width]`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ImageSizes {
    /// The one with the fewest pixels.
    pub smallest: [u32; 2],
    /// The one with as many that have fewer pixels as have more.
    pub median: [u32; 2],
    /// The one with the most pixels.
    pub largest: [u32; 2],
}

/// Reads the headers of all images of a data set's splits, in parallel. `None` where the images are in no files of their
/// own.
///
/// ```
/// let root = tempfile::tempdir()?;
/// for (class, side) in [("small", 20), ("large", 60)] {
///     std::fs::create_dir(root.path().join(class))?;
///     image::GrayImage::new(side, side).save(root.path().join(class).join("1.png"))?;
/// }
/// let set = data::read_folder(root.path(), &data::FolderOptions::default(), &mut |_| {})?;
/// let sizes = data::image_sizes(&set)?.expect("the images are in files");
/// assert_eq!((sizes.smallest, sizes.largest), ([20, 20], [60, 60]));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
/// The first file's that can't be read.
pub fn image_sizes(data: &DataSet) -> Result<Option<ImageSizes>, DataError> {
    let splits = [Split::Train, Split::Validation, Split::Test];
    let images = splits.into_iter().filter_map(|split| data.split(split));
    let paths = images.flat_map(|images| (0..images.len()).filter_map(|index| images.path(index)));
    let paths: Vec<_> = paths.collect();
    let sizes: Result<Vec<_>, _> = paths
        .into_par_iter()
        .map(|path| check_header(path, DECODE_BYTES))
        .collect();
    let mut sizes = sizes?;
    sizes.sort_by_key(|size| (u64::from(size[0]) * u64::from(size[1]), *size));
    Ok(match (sizes.first(), sizes.last()) {
        (Some(&smallest), Some(&largest)) => Some(ImageSizes {
            smallest,
            median: sizes[sizes.len() / 2],
            largest,
        }),
        _ => None,
    })
}
