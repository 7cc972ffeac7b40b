//! Shapes: sizes of a tensor's dimensions, row-major, the last varying fastest.

use std::fmt;
use std::ops::Deref;

/// The sizes of a tensor's dimensions.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Shape(Vec<usize>);

impl Shape {
    /// How many elements a tensor of this shape has (1 for a scalar); of one too large to count, more than any device holds.
    #[must_use]
    pub fn elements(&self) -> usize {
        count(&self.0)
    }

    /// All dimensions but the last multiplied, and the last: the shape as rows and columns.
    #[must_use]
    pub fn rows_and_columns(&self) -> (usize, usize) {
        match self.0.split_last() {
            Some((&columns, rows)) => (count(rows), columns),
            None => (1, 1),
        }
    }
}

fn count(sizes: &[usize]) -> usize {
    sizes.iter().copied().fold(1, usize::saturating_mul)
}

impl Deref for Shape {
    type Target = [usize];

    fn deref(&self) -> &[usize] {
        &self.0
    }
}

impl fmt::Display for Shape {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", self.0)
    }
}

impl<const N: usize> From<[usize; N]> for Shape {
    fn from(sizes: [usize; N]) -> Self {
        Self(sizes.to_vec())
    }
}

impl From<&[usize]> for Shape {
    fn from(sizes: &[usize]) -> Self {
        Self(sizes.to_vec())
    }
}

impl From<Vec<usize>> for Shape {
    fn from(sizes: Vec<usize>) -> Self {
        Self(sizes)
    }
}
