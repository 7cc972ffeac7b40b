//! A recorded case's tensors: inputs, stored or generated, and outputs with their tolerances. Every bound is checked.

use safetensors::{Dtype, SafeTensors};

use super::array::{Array, SplitMix, elements_of};
use super::attributes::Attributes;
use super::{Error, Result};

/// The most elements of a generated input: four times the largest layer of AlexNet.
const MAX_GENERATED: usize = 1 << 28;

/// A recorded output.
#[derive(Clone, Debug)]
pub(super) struct Expected {
    pub(super) full_shape: Vec<usize>,
    pub(super) values: Array,
    /// Places of the values in the whole output, where only samples were recorded.
    pub(super) samples: Option<Vec<usize>>,
    /// Absolute and relative tolerance.
    pub(super) tolerance: (f64, f64),
    pub(super) is_exact: bool,
    /// Euclidean norm of the whole output, and its relative tolerance.
    pub(super) l2: Option<(f64, f64)>,
}

/// A case with its tensors.
#[derive(Debug)]
pub(super) struct Loaded<'a> {
    pub(super) op: &'a str,
    pub(super) attributes: Attributes<'a>,
    /// In the manifest's order; an ONNX input that was left out is absent.
    pub(super) inputs: Vec<(&'a str, Option<Array>)>,
    pub(super) outputs: Vec<(&'a str, Expected)>,
    pub(super) entry: Attributes<'a>,
}

impl Loaded<'_> {
    /// An input that must be there.
    pub(super) fn input(&self, name: &str) -> Result<&Array> {
        self.optional(name)
            .ok_or_else(|| Error::Unknown(format!("input {name} is missing")))
    }

    /// An input that need not be there.
    pub(super) fn optional(&self, name: &str) -> Option<&Array> {
        let found = self.inputs.iter().find(|(input, _)| *input == name);
        found.and_then(|(_, array)| array.as_ref())
    }

    /// Input number `index` of an ONNX case.
    pub(super) fn at(&self, index: usize) -> Result<&Array> {
        self.optional_at(index)
            .ok_or_else(|| Error::Unknown(format!("input {index} is missing")))
    }

    /// Input number `index` of an ONNX case, unless it was left out.
    pub(super) fn optional_at(&self, index: usize) -> Option<&Array> {
        self.inputs.get(index).and_then(|(_, array)| array.as_ref())
    }

    /// Arrays under the outputs' names, in order; those that were not recorded are dropped.
    pub(super) fn named(&self, arrays: impl IntoIterator<Item = Array>) -> Outcome {
        let names = self.outputs.iter().map(|(name, _)| (*name).to_owned());
        Outcome::Outputs(names.zip(arrays).collect())
    }
}

/// What running a case gave.
#[derive(Debug)]
pub(super) enum Outcome {
    /// The outputs by name.
    Outputs(Vec<(String, Array)>),
    /// Why it was not run.
    Skipped(String),
}

/// A stored or generated input; none where an optional one was left out.
pub(super) fn load_input(
    tensors: &SafeTensors<'_>,
    item: Attributes<'_>,
    place: &str,
) -> Result<Option<Array>> {
    if item.has("gen") {
        return generate(item, place).map(Some);
    }
    if !item.has("tensor") {
        return Ok(None);
    }
    let array = load(tensors, item.text("tensor")?, place)?;
    check_shape(&array, &item.sizes("shape")?, place)?;
    Ok(Some(array))
}

fn check_shape(array: &Array, shape: &[usize], place: &str) -> Result<()> {
    if array.shape == shape {
        return Ok(());
    }
    let message = format!(
        "stored as {:?}, but the manifest says {shape:?}",
        array.shape
    );
    Err(Error::damaged(place, message))
}

fn generate(item: Attributes<'_>, place: &str) -> Result<Array> {
    let fail = |message: &str| Error::damaged(place, message);
    let generator = item.object("gen")?;
    if generator.text("kind")? != "splitmix64-uniform" {
        return Err(fail("unknown generator"));
    }
    let exp2 = i32::try_from(generator.integer("exp2")?).ok();
    let exp2 = exp2
        .filter(|exp2| (-100..=100).contains(exp2))
        .ok_or_else(|| fail("exp2 is out of range"))?;
    let seed =
        parse_seed(generator.text("seed")?).ok_or_else(|| fail("the seed is not a number"))?;
    let shape = item.sizes("shape")?;
    let len = elements_of(&shape).filter(|&len| len <= MAX_GENERATED);
    let len = len.ok_or_else(|| fail("too many elements to generate"))?;
    Ok(Array::real(shape, SplitMix { seed, exp2 }.values(len)))
}

/// `0x` and up to 16 hexadecimal digits.
pub(super) fn parse_seed(text: &str) -> Option<u64> {
    u64::from_str_radix(text.strip_prefix("0x")?, 16).ok()
}

/// A recorded output with its tolerances.
pub(super) fn load_output(
    tensors: &SafeTensors<'_>,
    item: Attributes<'_>,
    tolerance: Attributes<'_>,
    place: &str,
) -> Result<Expected> {
    let values = load(tensors, item.text("tensor")?, place)?;
    check_shape(&values, &item.sizes("shape")?, place)?;
    let full_shape = if item.has("full_shape") {
        item.sizes("full_shape")?
    } else {
        values.shape.clone()
    };
    let samples = if item.has("sample_index") {
        let samples = load(tensors, item.text("sample_index")?, place)?.to_usize()?;
        let len = elements_of(&full_shape).unwrap_or(0);
        if samples.len() != values.len() || samples.iter().any(|&at| at >= len) {
            return Err(Error::damaged(place, "samples lie outside of the output"));
        }
        Some(samples)
    } else if full_shape == values.shape {
        None
    } else {
        return Err(Error::damaged(
            place,
            "a part of the output without its indices",
        ));
    };
    let l2 = if item.has("l2") && item.has("l2_rtol") {
        Some((item.real("l2")?, item.real("l2_rtol")?))
    } else {
        None
    };
    Ok(Expected {
        full_shape,
        values,
        samples,
        tolerance: (tolerance.real("atol")?, tolerance.real("rtol")?),
        is_exact: item.has("exact") && item.flag("exact")?,
        l2,
    })
}

/// A stored tensor, widened.
fn load(tensors: &SafeTensors<'_>, name: &str, place: &str) -> Result<Array> {
    let view = tensors
        .tensor(name)
        .map_err(|error| Error::damaged(place, error))?;
    let (shape, data) = (view.shape().to_vec(), view.data());
    let array = match view.dtype() {
        Dtype::F32 => Array::real(shape, numbers(data, |b| f64::from(f32::from_le_bytes(b)))),
        Dtype::F64 => Array::real(shape, numbers(data, f64::from_le_bytes)),
        Dtype::I64 => Array::integer(shape, numbers(data, i64::from_le_bytes)),
        Dtype::I32 => Array::integer(shape, numbers(data, |b| i64::from(i32::from_le_bytes(b)))),
        Dtype::U8 | Dtype::BOOL => {
            Array::integer(shape, data.iter().map(|&b| i64::from(b)).collect())
        }
        other => return Err(Error::damaged(place, format!("elements of type {other:?}"))),
    };
    if elements_of(&array.shape) == Some(array.len()) {
        Ok(array)
    } else {
        Err(Error::damaged(place, "fewer bytes than its shape says"))
    }
}

fn numbers<const N: usize, T>(data: &[u8], convert: impl Fn([u8; N]) -> T) -> Vec<T> {
    data.as_chunks::<N>()
        .0
        .iter()
        .map(|&bytes| convert(bytes))
        .collect()
}
