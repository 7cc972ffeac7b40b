//! Arrays as the cases have them: row-major, on the host, wide enough for every recorded type.

use tensor::{Device, Tensor};

use super::{Error, Result};

/// The elements of an array.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Elements {
    /// Floats, exact.
    Real(Vec<f64>),
    /// Whole numbers and truth values.
    Integer(Vec<i64>),
}

/// A shape and its elements.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Array {
    pub(super) shape: Vec<usize>,
    pub(super) elements: Elements,
}

impl Array {
    pub(super) fn real(shape: impl Into<Vec<usize>>, values: Vec<f64>) -> Self {
        Self {
            shape: shape.into(),
            elements: Elements::Real(values),
        }
    }

    pub(super) fn integer(shape: impl Into<Vec<usize>>, values: Vec<i64>) -> Self {
        Self {
            shape: shape.into(),
            elements: Elements::Integer(values),
        }
    }

    pub(super) fn scalar(value: f64) -> Self {
        Self::real([], vec![value])
    }

    /// The float elements of a tensor, in its shape.
    pub(super) fn from_tensor(tensor: &Tensor) -> Result<Self> {
        let values = tensor.to_vec::<f32>()?;
        let shape = tensor.shape().to_vec();
        Ok(Self::real(
            shape,
            values.into_iter().map(f64::from).collect(),
        ))
    }

    /// The words of a tensor, in its shape.
    pub(super) fn from_words(tensor: &Tensor) -> Result<Self> {
        let values = tensor.to_vec::<u32>()?.into_iter().map(i64::from);
        Ok(Self::integer(tensor.shape().to_vec(), values.collect()))
    }

    pub(super) fn len(&self) -> usize {
        match &self.elements {
            Elements::Real(values) => values.len(),
            Elements::Integer(values) => values.len(),
        }
    }

    /// The same elements in another shape of as many.
    pub(super) fn reshaped(self, shape: impl Into<Vec<usize>>) -> Result<Self> {
        let shape = shape.into();
        if elements_of(&shape) != Some(self.len()) {
            return Err(Error::Unknown(format!(
                "{:?} can't become {shape:?}",
                self.shape
            )));
        }
        Ok(Self {
            shape,
            elements: self.elements,
        })
    }

    /// All elements as f64.
    #[expect(clippy::cast_precision_loss, reason = "recorded integers are small")]
    pub(super) fn to_f64(&self) -> Vec<f64> {
        match &self.elements {
            Elements::Real(values) => values.clone(),
            Elements::Integer(values) => values.iter().map(|&x| x as f64).collect(),
        }
    }

    /// All elements as f32, which the recorded inputs are.
    #[expect(
        clippy::cast_possible_truncation,
        reason = "inputs are f32 values, widened"
    )]
    pub(super) fn to_f32(&self) -> Vec<f32> {
        self.to_f64().into_iter().map(|x| x as f32).collect()
    }

    /// All elements as whole numbers, if they are.
    pub(super) fn to_i64(&self) -> Result<Vec<i64>> {
        match &self.elements {
            Elements::Integer(values) => Ok(values.clone()),
            Elements::Real(_) => Err(Error::Unknown("expected whole numbers, got floats".into())),
        }
    }

    /// All elements as sizes or labels, if they are not negative.
    pub(super) fn to_usize(&self) -> Result<Vec<usize>> {
        let convert = |x: i64| {
            let message = || Error::Unknown(format!("expected a number from 0 on, got {x}"));
            usize::try_from(x).ok().ok_or_else(message)
        };
        self.to_i64()?.into_iter().map(convert).collect()
    }

    /// A float tensor with these elements.
    pub(super) fn to_tensor(&self, device: &Device) -> Result<Tensor> {
        Ok(Tensor::from_slice(
            device,
            &self.to_f32(),
            self.shape.clone(),
        )?)
    }

    /// A tensor of `u32` words with these elements; those that are none (such as -1) become `u32::MAX`.
    pub(super) fn to_words(&self, device: &Device) -> Result<Tensor> {
        let words = self.to_i64()?;
        let words: Vec<u32> = words
            .into_iter()
            .map(|x| u32::try_from(x).unwrap_or(u32::MAX))
            .collect();
        Ok(Tensor::from_slice(device, &words, self.shape.clone())?)
    }

    /// Dimensions in the order `axes`, as `NumPy`'s `transpose`.
    pub(super) fn permuted(&self, axes: &[usize]) -> Result<Self> {
        let mut sorted = axes.to_vec();
        sorted.sort_unstable();
        if sorted.iter().copied().ne(0..self.shape.len()) {
            return Err(Error::Unknown(format!(
                "axes {axes:?} of shape {:?}",
                self.shape
            )));
        }
        let shape: Vec<usize> = axes.iter().map(|&axis| self.shape[axis]).collect();
        let strides = strides(&self.shape);
        let strides: Vec<usize> = axes.iter().map(|&axis| strides[axis]).collect();
        let order = walk(&shape, &strides);
        let elements = match &self.elements {
            Elements::Real(values) => Elements::Real(order.iter().map(|&i| values[i]).collect()),
            Elements::Integer(values) => {
                Elements::Integer(order.iter().map(|&i| values[i]).collect())
            }
        };
        Ok(Self { shape, elements })
    }
}

/// How many elements a shape has, unless that overflows.
pub(super) fn elements_of(shape: &[usize]) -> Option<usize> {
    shape
        .iter()
        .try_fold(1_usize, |product, &size| product.checked_mul(size))
}

/// Steps in memory along each dimension.
fn strides(shape: &[usize]) -> Vec<usize> {
    let mut strides = vec![1; shape.len()];
    for axis in (1..shape.len()).rev() {
        strides[axis - 1] = strides[axis] * shape[axis];
    }
    strides
}

/// The indices of all elements of `shape`, row-major, where a step along a dimension is as `strides` says.
fn walk(shape: &[usize], strides: &[usize]) -> Vec<usize> {
    let mut indices = vec![0];
    for (&size, &stride) in shape.iter().zip(strides) {
        indices = indices
            .into_iter()
            .flat_map(|place| (0..size).map(move |i| place + i * stride))
            .collect();
    }
    indices
}

/// The recorded cases' generator: splitmix64, whose upper 24 bits become a float in `[-2^exp2, 2^exp2)`.
#[derive(Clone, Copy, Debug)]
pub(super) struct SplitMix {
    pub(super) seed: u64,
    pub(super) exp2: i32,
}

impl SplitMix {
    /// Word number `i`, from 0.
    pub(super) fn word(&self, i: u64) -> u64 {
        let steps = i.wrapping_add(1).wrapping_mul(0x9E37_79B9_7F4A_7C15);
        let mut z = self.seed.wrapping_add(steps);
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    /// Value number `i`, from 0, exact in f32.
    pub(super) fn value(&self, i: u64) -> f64 {
        let upper = u32::try_from(self.word(i) >> 40).expect("24 bits are left");
        (f64::from(upper) - 8_388_608.0) * 2.0_f64.powi(self.exp2 - 23)
    }

    pub(super) fn values(&self, len: usize) -> Vec<f64> {
        (0..len as u64).map(|i| self.value(i)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn permuting_moves_elements_as_numpy_does() {
        let array = Array::integer([2, 3], vec![0, 1, 2, 3, 4, 5]);
        let turned = array.permuted(&[1, 0]).unwrap();
        assert_eq!(turned, Array::integer([3, 2], vec![0, 3, 1, 4, 2, 5]));
        assert_eq!(turned.permuted(&[1, 0]).unwrap(), array, "and back");
        assert!(array.permuted(&[0, 0]).is_err(), "an axis twice");
    }
}
