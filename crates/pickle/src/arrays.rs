//! `NumPy`'s arrays and numbers, from the calls by which they are pickled: `_reconstruct` and a state of shape, dtype and
//! bytes (protocols 2 to 4), or `_frombuffer` of bytes, dtype and shape (protocol 5).

use std::borrow::Cow;

use crate::{Graph, Known, Result, Value};

/// More dimensions than any array has.
const MOST_DIMENSIONS: usize = 32;

/// Bytes of a dtype's name, or of a number.
const MOST_NAME: usize = 64;

/// What a pickle of plain values and `NumPy`'s arrays may name.
#[derive(Clone, Copy, Debug)]
pub struct Arrays;

impl Known for Arrays {
    fn allows(&self, module: &str, name: &str) -> bool {
        match module {
            "numpy" => matches!(name, "ndarray" | "dtype"),
            "numpy.core.multiarray" | "numpy._core.multiarray" => {
                matches!(name, "_reconstruct" | "scalar")
            }
            "numpy.core.numeric" | "numpy._core.numeric" => name == "_frombuffer",
            "_codecs" => name == "encode",
            "collections" => name == "OrderedDict",
            "builtins" | "__builtin__" => name == "bytearray",
            _ => false,
        }
    }

    fn call(
        &mut self,
        graph: &mut Graph<'_>,
        [function, arguments]: [Value; 2],
        _: usize,
    ) -> Result<Value> {
        if graph.global(function) == Some(["collections", "OrderedDict"]) {
            return graph.new_dict(Vec::new());
        }
        graph.new_object(function, arguments)
    }
}

/// What an array's elements are: whole numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ElementKind {
    /// Bytes of an element: 1, 2, 4 or 8.
    pub width: usize,
    /// Whether it has a sign.
    pub is_signed: bool,
    /// Whether the first byte is the highest.
    pub is_big_endian: bool,
}

/// An array of whole numbers, row by row.
#[derive(Clone, Debug)]
pub struct Array<'a> {
    /// The size of each dimension.
    pub shape: Vec<usize>,
    /// What its elements are.
    pub kind: ElementKind,
    /// The elements' bytes, as many as shape and kind say.
    pub bytes: Cow<'a, [u8]>,
}

impl<'a> Graph<'a> {
    /// The array that a value is.
    ///
    /// # Errors
    /// If it is none, its elements are no whole numbers or lie column by column, or its bytes are not as many as its shape
    /// says.
    pub fn array(&self, value: Value) -> Result<Array<'a>> {
        let none = || "no array".to_owned();
        let object = self.object(value).ok_or_else(none)?;
        let names = self.global(object.class).ok_or_else(none)?;
        let arguments = self.tuple(object.arguments).ok_or_else(none)?;
        let (shape, dtype, data, by_columns) = match (names[1], arguments) {
            ("_reconstruct", _) => match self.tuple(object.state) {
                Some(&[_, shape, dtype, order, data]) => (shape, dtype, data, Self::flag(order)),
                _ => return Err("an array without its elements".to_owned()),
            },
            ("_frombuffer", &[data, dtype, shape, order]) => {
                (shape, dtype, data, self.is(order, b"F"))
            }
            _ => return Err(none()),
        };
        let (shape, kind) = (self.shape(shape)?, self.kind(dtype)?);
        if by_columns && shape.iter().filter(|&&size| size > 1).count() > 1 {
            return Err(
                "an array in Fortran's order; save numpy.ascontiguousarray of it".to_owned(),
            );
        }
        let bytes = self.bytes(data);
        let bytes = bytes.ok_or_else(|| "an array of something else than bytes".to_owned())?;
        let expected = shape
            .iter()
            .try_fold(kind.width, |n, &size| n.checked_mul(size));
        if expected != Some(bytes.len()) {
            return Err(format!(
                "{} bytes for an array of shape {shape:?} in elements of {}",
                bytes.len(),
                kind.width
            ));
        }
        Ok(Array { shape, kind, bytes })
    }

    /// The whole numbers of a list, a tuple or an array of one dimension, at most `most`.
    ///
    /// # Errors
    /// If it is none of these, or has something else among them, or more.
    pub fn integers(&self, value: Value, most: usize) -> Result<Vec<i64>> {
        let too_many = |n| format!("{n} numbers, where {most} are the most");
        if let Some(values) = self.sequence(value) {
            if values.len() > most {
                return Err(too_many(values.len()));
            }
            return values.iter().map(|&value| self.integer(value)).collect();
        }
        let array = self
            .array(value)
            .map_err(|_other| "no list of numbers".to_owned())?;
        let n = array.bytes.len() / array.kind.width;
        if n > most {
            return Err(too_many(n));
        }
        let elements = array.bytes.chunks_exact(array.kind.width);
        Ok(elements.map(|bytes| array.kind.number(bytes)).collect())
    }

    /// A whole number, also `NumPy`'s.
    fn integer(&self, value: Value) -> Result<i64> {
        if let Value::Int(value) = value {
            return Ok(value);
        }
        let none = || "something else than a whole number".to_owned();
        let object = self.object(value).ok_or_else(none)?;
        match (self.global(object.class), self.tuple(object.arguments)) {
            (Some([_, "scalar"]), Some(&[dtype, data])) => {
                let bytes = self.short_bytes(data, MOST_NAME).ok_or_else(none)?;
                let kind = self.kind(dtype)?;
                if bytes.len() != kind.width {
                    return Err(none());
                }
                Ok(kind.number(&bytes))
            }
            _ => Err(none()),
        }
    }

    fn shape(&self, value: Value) -> Result<Vec<usize>> {
        let size = |value: &Value| match value {
            Value::Int(size) => usize::try_from(*size).ok(),
            _ => None,
        };
        let sizes = self
            .tuple(value)
            .filter(|sizes| sizes.len() <= MOST_DIMENSIONS);
        let sizes = sizes.and_then(|sizes| sizes.iter().map(size).collect());
        sizes.ok_or_else(|| "an array without a shape".to_owned())
    }

    /// A dtype: `numpy.dtype('u1')`, and its byte order in its state.
    fn kind(&self, value: Value) -> Result<ElementKind> {
        let none = || "an array without a dtype".to_owned();
        let object = self.object(value).ok_or_else(none)?;
        let name = match (self.global(object.class), self.tuple(object.arguments)) {
            (Some(["numpy", "dtype"]), Some(&[name, ..])) => self.short_bytes(name, MOST_NAME),
            _ => None,
        };
        let name = name.ok_or_else(none)?;
        let (is_signed, width) = match name.as_ref() {
            b"u1" | b"|u1" | b"uint8" | b"b1" => (false, 1),
            b"i1" => (true, 1),
            b"u2" => (false, 2),
            b"i2" => (true, 2),
            b"u4" => (false, 4),
            b"i4" => (true, 4),
            b"u8" => (false, 8),
            b"i8" => (true, 8),
            other => {
                let name = String::from_utf8_lossy(&other[..other.len().min(16)]);
                return Err(format!("an array of {}", name.escape_default()));
            }
        };
        let order = self.tuple(object.state).and_then(|state| state.get(1));
        Ok(ElementKind {
            width,
            is_signed,
            is_big_endian: order.is_some_and(|&order| self.is(order, b">")),
        })
    }
}

impl ElementKind {
    /// The number in an element's bytes; of more than 63 bits, its lowest.
    #[must_use]
    fn number(self, bytes: &[u8]) -> i64 {
        let mut little = bytes.to_vec();
        if self.is_big_endian {
            little.reverse();
        }
        let is_negative = self.is_signed && little.last().is_some_and(|&top| top >= 0x80);
        let mut whole = [if is_negative { 0xFF } else { 0 }; 8];
        whole[..little.len()].copy_from_slice(&little);
        i64::from_le_bytes(whole)
    }
}
