//! The height and width of images, where most often both are the same.

use std::fmt;

use serde::{Deserialize, Serialize};

/// A height and a width. In texts, a square's is one number, another's `[height, width]`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(from = "Text", into = "Text")]
pub struct ImageSize {
    /// Rows.
    pub height: usize,
    /// Columns.
    pub width: usize,
}

/// What it is in TOML and JSON.
#[derive(Serialize, Deserialize)]
#[serde(untagged, expecting = "expected a number, or [height, width]")]
enum Text {
    Side(usize),
    Sides([usize; 2]),
}

impl ImageSize {
    /// `[height, width]`.
    #[must_use]
    pub const fn sides(self) -> [usize; 2] {
        [self.height, self.width]
    }

    /// The shorter side.
    #[must_use]
    pub fn shorter(self) -> usize {
        self.height.min(self.width)
    }
}

impl From<usize> for ImageSize {
    fn from(side: usize) -> Self {
        Self::from([side; 2])
    }
}

impl From<[usize; 2]> for ImageSize {
    fn from([height, width]: [usize; 2]) -> Self {
        Self { height, width }
    }
}

impl From<Text> for ImageSize {
    fn from(text: Text) -> Self {
        match text {
            Text::Side(side) => Self::from(side),
            Text::Sides(sides) => Self::from(sides),
        }
    }
}

impl From<ImageSize> for Text {
    fn from(size: ImageSize) -> Self {
        if size.height == size.width {
            Self::Side(size.height)
        } else {
            Self::Sides(size.sides())
        }
    }
}

/// `32`, or `32x48`: height before width.
impl fmt::Display for ImageSize {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { height, width } = self;
        if height == width {
            write!(f, "{height}")
        } else {
            write!(f, "{height}x{width}")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn squares_are_one_number() {
        for (size, json, shown) in [
            (ImageSize::from(32), "32", "32"),
            (ImageSize::from([20, 12]), "[20,12]", "20x12"),
        ] {
            assert_eq!(serde_json::to_string(&size).unwrap(), json);
            assert_eq!(serde_json::from_str::<ImageSize>(json).unwrap(), size);
            assert_eq!(size.to_string(), shown);
        }
        let wrong = serde_json::from_str::<ImageSize>("[1,2,3]").unwrap_err();
        assert!(wrong.to_string().contains("[height, width]"), "{wrong}");
    }
}
