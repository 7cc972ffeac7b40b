//! Cases as data: a line of `tests/cases/<op>.txt` such as `n2 h55 w55 c96 window5 "alexnet:lrn1"`.

use std::collections::BTreeMap;
use std::fmt::Debug;

use kernels::{Buffer, Device, Result};

use super::fill::Input;

/// One operator at one size.
pub trait Case: Debug {
    /// The inputs, in the order that the other functions take them.
    fn inputs(&self) -> Vec<Input>;

    /// The outputs in f64, straight from the equation. The first is the one that backward differentiates.
    fn reference(&self, inputs: &[Vec<f64>]) -> Vec<Vec<f64>>;

    /// The outputs of the operator on `device`.
    ///
    /// # Errors
    /// Those of the operator.
    fn forward(&self, device: &Device, inputs: &[Buffer]) -> Result<Vec<Buffer>>;

    /// The gradients with respect to the differentiable inputs, in order; none if the operator has no backward.
    ///
    /// # Errors
    /// Those of the operator.
    fn backward(&self, device: &Device, inputs: &[Buffer], dy: &Buffer) -> Result<Vec<Buffer>>;

    /// How many terms the longest sum of forward and of backward has: tolerances follow from it.
    fn sizes(&self) -> Sizes;

    /// The names of the inputs that may be of f16, then with `dy`; none if the operator takes no such.
    fn f16_inputs(&self) -> &'static [&'static str] {
        &[]
    }

    /// How many kernels in a row store what the next one reads: each rounds to 16 bits.
    fn f16_stores(&self) -> u32 {
        1
    }

    /// The values of `dy`; uniform in `[-1, 1)` unless sums should be exact.
    fn upstream(&self, len: usize) -> Input {
        Input::constant("dy", len, super::Fill::Uniform(-1.0, 1.0))
    }
}

/// What a case costs and how errors accumulate in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sizes {
    /// Terms in the longest sum of forward; 0 if the result must be exact.
    pub forward_terms: usize,
    /// Terms in the longest sum of backward; 0 if the result must be exact.
    pub backward_terms: usize,
    /// Floating-point operations of forward.
    pub forward_flops: usize,
    /// Floating-point operations of backward.
    pub backward_flops: usize,
}

/// A line of a case file, and the case it describes.
pub type Line = (&'static str, Box<dyn Case>);

/// An operator and the text of its cases.
#[derive(Clone, Copy, Debug)]
pub struct Operator {
    /// The stem that all its files share.
    pub stem: &'static str,
    /// The text of `tests/cases/<stem>.txt`.
    pub text: &'static str,
    pub(crate) parse: fn(&Fields<'_>) -> Result<Box<dyn Case>, String>,
}

impl Operator {
    /// The cases, each with the line it stands in.
    ///
    /// # Errors
    /// A message that names the file, the line and what is wrong with it.
    pub fn cases(&self) -> Result<Vec<Line>, String> {
        let mut cases = Vec::new();
        for (number, line) in (1..).zip(self.text.lines()) {
            let line = line.trim();
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            let place =
                |message: String| format!("tests/cases/{}.txt:{number}: {message}", self.stem);
            let fields = Fields::new(line).map_err(place)?;
            let case = (self.parse)(&fields).map_err(place)?;
            fields.finish().map_err(place)?;
            cases.push((line, case));
        }
        Ok(cases)
    }
}

/// The words of a case line: `name` directly followed by its value, or a bare flag.
#[derive(Debug)]
pub struct Fields<'a> {
    values: BTreeMap<&'a str, &'a str>,
    used: std::cell::RefCell<Vec<&'a str>>,
}

impl<'a> Fields<'a> {
    /// Cuts a line into its words; a quoted name at the end is a comment.
    pub(crate) fn new(line: &'a str) -> Result<Self, String> {
        let mut values = BTreeMap::new();
        for word in line.split('"').next().unwrap_or("").split_whitespace() {
            let at = word
                .find(|c: char| c.is_ascii_digit() || c == '-')
                .unwrap_or(word.len());
            let (name, value) = word.split_at(at);
            if name.is_empty() || values.insert(name, value).is_some() {
                return Err(format!("'{word}': expected a new name and its value"));
            }
        }
        Ok(Self {
            values,
            used: Vec::new().into(),
        })
    }

    fn find(&self, name: &str) -> Option<&'a str> {
        let (name, value) = self.values.get_key_value(name)?;
        self.used.borrow_mut().push(name);
        Some(value)
    }

    /// The value of a size that must be there.
    ///
    /// # Errors
    /// If it is absent or not a number.
    pub fn get(&self, name: &str) -> Result<usize, String> {
        self.find(name)
            .and_then(|v| v.parse().ok())
            .ok_or_else(|| format!("expected {name} and a whole number"))
    }

    /// The value of a size, or `default` where the line does not have it.
    ///
    /// # Errors
    /// If it is not a number.
    pub fn get_or(&self, name: &str, default: usize) -> Result<usize, String> {
        if self.values.contains_key(name) {
            self.get(name)
        } else {
            Ok(default)
        }
    }

    /// The value of a real number, or `default` where the line does not have it.
    ///
    /// # Errors
    /// If it is not a number.
    pub fn real_or(&self, name: &str, default: f32) -> Result<f32, String> {
        let Some(value) = self.find(name) else {
            return Ok(default);
        };
        value
            .parse()
            .ok()
            .ok_or_else(|| format!("expected {name} and a number, got '{value}'"))
    }

    /// Whether the bare word stands in the line.
    pub fn flag(&self, name: &str) -> bool {
        self.find(name).is_some()
    }

    /// An error if a word of the line was not asked for.
    pub(crate) fn finish(&self) -> Result<(), String> {
        let used = self.used.borrow();
        match self.values.keys().find(|name| !used.contains(name)) {
            Some(name) => Err(format!("unknown field '{name}'")),
            None => Ok(()),
        }
    }
}
