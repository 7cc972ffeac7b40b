//! A case's attributes, read with their types checked.

use serde_json::{Map, Value};

use super::{Error, Result};

/// The attributes of a case or of a part of it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Attributes<'a>(pub(super) &'a Map<String, Value>);

impl<'a> Attributes<'a> {
    /// Whether there is a value that is not null.
    pub(super) fn has(self, name: &str) -> bool {
        self.0.get(name).is_some_and(|value| !value.is_null())
    }

    fn get(self, name: &str) -> Result<&'a Value> {
        let absent = || Error::Unknown(format!("attribute {name} is missing"));
        self.0.get(name).ok_or_else(absent)
    }

    fn read<T>(
        self,
        name: &str,
        what: &str,
        convert: impl Fn(&'a Value) -> Option<T>,
    ) -> Result<T> {
        let value = self.get(name)?;
        convert(value).ok_or_else(|| {
            Error::Unknown(format!("attribute {name}: expected {what}, got {value}"))
        })
    }

    pub(super) fn size(self, name: &str) -> Result<usize> {
        self.read(name, "a size", size)
    }

    pub(super) fn integer(self, name: &str) -> Result<i64> {
        self.read(name, "a whole number", Value::as_i64)
    }

    pub(super) fn real(self, name: &str) -> Result<f64> {
        self.read(name, "a number", Value::as_f64)
    }

    /// A number, rounded to f32.
    #[expect(
        clippy::cast_possible_truncation,
        reason = "rounding to f32 is the purpose"
    )]
    pub(super) fn float(self, name: &str) -> Result<f32> {
        Ok(self.real(name)? as f32)
    }

    /// A truth value, which may also be 0 or 1.
    pub(super) fn flag(self, name: &str) -> Result<bool> {
        self.read(name, "true or false", |value| {
            value.as_bool().or_else(|| value.as_i64().map(|x| x != 0))
        })
    }

    pub(super) fn text(self, name: &str) -> Result<&'a str> {
        self.read(name, "a text", Value::as_str)
    }

    pub(super) fn sizes(self, name: &str) -> Result<Vec<usize>> {
        self.read(name, "a list of sizes", |value| {
            value.as_array()?.iter().map(size).collect()
        })
    }

    pub(super) fn integers(self, name: &str) -> Result<Vec<i64>> {
        self.read(name, "a list of whole numbers", |value| {
            value.as_array()?.iter().map(Value::as_i64).collect()
        })
    }

    pub(super) fn reals(self, name: &str) -> Result<Vec<f64>> {
        self.read(name, "a list of numbers", |value| {
            value.as_array()?.iter().map(Value::as_f64).collect()
        })
    }

    /// A list of exactly `N` sizes.
    pub(super) fn array<const N: usize>(self, name: &str) -> Result<[usize; N]> {
        let sizes = self.sizes(name)?;
        let got = sizes.len();
        sizes.try_into().ok().ok_or_else(|| {
            Error::Unknown(format!("attribute {name}: expected {N} sizes, got {got}"))
        })
    }

    /// Attributes of their own.
    pub(super) fn object(self, name: &str) -> Result<Self> {
        self.read(name, "an object", Value::as_object)
            .map(Attributes)
    }

    /// A list of attributes of their own.
    pub(super) fn objects(self, name: &str) -> Result<Vec<Self>> {
        self.read(name, "a list of objects", |value| {
            let objects = value.as_array()?.iter().map(Value::as_object);
            objects.map(|object| object.map(Attributes)).collect()
        })
    }
}

/// A size up to `2^24`, so that products of two can't overflow.
fn size(value: &Value) -> Option<usize> {
    let size = value.as_u64().filter(|&x| x <= 1 << 24)?;
    usize::try_from(size).ok()
}
