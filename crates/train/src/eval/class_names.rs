//! Classes by their names: of weights on one side, of a data set or a network on the other.

use std::collections::HashMap;
use std::path::Path;

use data::Images;

use crate::error::{Error, Result};

/// Images whose labels are those of a network.
#[derive(Debug)]
pub(crate) struct Matched {
    pub(crate) images: Images,
    /// The network's classes, in the order of its logits.
    pub(crate) classes: Vec<String>,
    /// Notes on how classes were matched.
    pub(crate) note: Option<String>,
}

/// Gives `images` the labels of the network in `weights`, whose classes have these names, if they are known: `known` of
/// them. Labels are reordered if need be; classes that the images lack are noted.
///
/// # Errors
/// [`Error::Classes`] for a class that the network does not know; [`Error::Setting`] for another number of classes where
/// no names are known.
pub(crate) fn match_images(
    weights: &Path,
    names: Option<&[String]>,
    known: usize,
    images: Images,
) -> Result<Matched> {
    let own = images.class_names().to_vec();
    let Some(names) = names else {
        if own.len() != known {
            let expected = format!("{known} classes, as {} has", files::shown(weights));
            return Err(Error::setting("data set", expected, own.len()));
        }
        let note = "the weights have no class names: their classes are taken for the data set's, in its order";
        return Ok(Matched {
            images,
            classes: own,
            note: Some(note.to_owned()),
        });
    };
    if names == own {
        return Ok(Matched {
            images,
            classes: own,
            note: None,
        });
    }
    let indices: HashMap<&str, u32> = names.iter().map(String::as_str).zip(0..).collect();
    let mut labels = Vec::new();
    for name in &own {
        labels.push(*indices.get(name.as_str()).ok_or_else(|| Error::Classes {
            path: weights.to_owned(),
            class: name.clone(),
            known: names.to_vec(),
        })?);
    }
    let note = if own.len() == names.len() {
        "classes are in another order than the network's: matched by name".to_owned()
    } else {
        let (n, of) = (own.len(), names.len());
        format!("the images are of {n} of the network's {of} classes: matched by name")
    };
    Ok(Matched {
        images: images.relabelled(&labels, names.to_vec())?,
        classes: names.to_vec(),
        note: Some(note),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(names: &[&str]) -> Vec<String> {
        names.iter().map(|&name| name.to_owned()).collect()
    }

    /// An image of each class.
    fn images(classes: &[&str]) -> Images {
        let labels: Vec<u32> = (0..).take(classes.len()).collect();
        let pixels = vec![0; 3 * classes.len()];
        Images::from_pixels([1, 1], pixels, labels, names(classes)).unwrap()
    }

    fn matched(known: &[&str], classes: &[&str]) -> Result<Matched> {
        let known = names(known);
        let path = Path::new("model.safetensors");
        match_images(path, Some(&known), known.len(), images(classes))
    }

    #[test]
    fn labels_follow_the_names() {
        let same = matched(&["cat", "dog"], &["cat", "dog"]).unwrap();
        assert_eq!((same.images.labels(), same.note), (&[0, 1][..], None));
        let swapped = matched(&["cat", "dog"], &["dog", "cat"]).unwrap();
        assert_eq!(swapped.images.labels(), [1, 0]);
        assert_eq!(swapped.images.class_names(), ["cat", "dog"]);
        assert!(swapped.note.unwrap().contains("another order"));
        let part = matched(&["cat", "dog", "fox"], &["dog", "fox"]).unwrap();
        assert_eq!(part.images.labels(), [1, 2]);
        assert!(part.note.unwrap().contains("2 of the network's 3"));
    }

    #[test]
    fn an_unknown_class_is_refused_with_those_that_are_known() {
        let error = matched(&["cat", "dog"], &["cat", "emu"]).unwrap_err();
        assert!(error.to_string().contains("'emu'"), "{error}");
        let Error::Classes { known, .. } = error else {
            panic!("{error}")
        };
        assert_eq!(known, ["cat", "dog"]);
        let unnamed = |known| match_images(Path::new("w"), None, known, images(&["a", "b"]));
        assert!(unnamed(2).unwrap().note.unwrap().contains("no class names"));
        assert!(unnamed(3).is_err(), "three classes and two");
    }
}
