//! What a pickle makes: values in flat tables, referred to by index. Nothing is copied when it is used again, nothing is
//! nested in memory, and each table has a limit, so that no pickle takes more than a few tens of MiB beside its own bytes.

use std::borrow::Cow;

use crate::Result;

/// More values than a checkpoint of AlexNet with its optimizer has, by a thousand times, and three times those of CIFAR-100's
/// training images.
const MOST_VALUES: usize = 1 << 19;
/// Lists, dictionaries, objects, names of classes and remembered values, each: they take more memory than a value.
const MOST_OF_A_KIND: usize = 1 << 17;
/// A part of the pickle's bytes, or of the tuples' values.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Span {
    pub(crate) start: u32,
    pub(crate) length: u32,
}

/// A value, or its place in one of the graph's tables.
#[derive(Clone, Copy, Debug)]
pub enum Value {
    /// `None`.
    None,
    /// What nobody asks for: floats.
    Other,
    /// `True` or `False`.
    Bool(bool),
    /// An integer.
    Int(i64),
    /// A text; of Python 2, bytes that are UTF-8 too.
    Text(Span),
    /// Bytes.
    Bytes(Span),
    /// A tuple: see [`Graph::tuple`].
    Tuple(Span),
    /// A class or function: see [`Graph::global`].
    Global(usize),
    /// A list or a set: see [`Graph::sequence`].
    List(usize),
    /// A dictionary: see [`Graph::items`].
    Dict(usize),
    /// An object that is described, not made: see [`Graph::object`].
    Object(usize),
    /// An entry of the table that whoever reads the pickle keeps: see [`crate::Known`].
    Known(usize),
}

/// An object of a class, or the result of a function, which is described, not made.
#[derive(Clone, Copy, Debug)]
pub struct Object {
    /// The class or function, mostly a [`Value::Global`].
    pub class: Value,
    /// The tuple of its arguments.
    pub arguments: Value,
    /// What it was given by `BUILD`: the attributes of most objects.
    pub state: Value,
}

/// All values of a pickle.
#[derive(Debug)]
pub struct Graph<'a> {
    pub(crate) bytes: &'a [u8],
    tuples: Vec<Value>,
    /// Modules and names.
    globals: Vec<[Span; 2]>,
    pub(crate) lists: Vec<Vec<Value>>,
    pub(crate) dicts: Vec<Vec<(Value, Value)>>,
    pub(crate) objects: Vec<Object>,
    n_values: usize,
}

impl<'a> Graph<'a> {
    pub(crate) fn new(bytes: &'a [u8]) -> Self {
        Self {
            bytes,
            tuples: Vec::new(),
            globals: Vec::new(),
            lists: Vec::new(),
            dicts: Vec::new(),
            objects: Vec::new(),
            n_values: 0,
        }
    }

    /// Counts a value.
    ///
    /// # Errors
    /// If there are too many.
    pub fn count(&mut self) -> Result<()> {
        self.n_values += 1;
        if self.n_values > MOST_VALUES {
            return Err(format!("more than {MOST_VALUES} values"));
        }
        Ok(())
    }

    /// The text that a value is.
    #[must_use]
    pub fn text(&self, value: Value) -> Option<&'a str> {
        match value {
            Value::Text(span) => Some(self.part(span)),
            _ => None,
        }
    }

    /// A text; spans of texts are checked when they are made.
    pub(crate) fn part(&self, span: Span) -> &'a str {
        str::from_utf8(self.slice(span)).unwrap_or_default()
    }

    fn slice(&self, span: Span) -> &'a [u8] {
        let start = span.start as usize;
        let bytes = self.bytes.get(start..start + span.length as usize);
        bytes.unwrap_or_default()
    }

    /// The bytes that a value is: as they are, a text's (of Python 2, where bytes are texts), or those that Python 3 writes
    /// with protocol 2, as a text of the same numbers.
    #[must_use]
    pub fn bytes(&self, value: Value) -> Option<Cow<'a, [u8]>> {
        self.short_bytes(value, usize::MAX)
    }

    /// The same if there are at most so many: what many values share is decoded for each of them.
    pub(crate) fn short_bytes(&self, value: Value, most: usize) -> Option<Cow<'a, [u8]>> {
        match value {
            Value::Text(span) | Value::Bytes(span) => {
                (span.length as usize <= most).then(|| self.slice(span).into())
            }
            Value::Object(place) => {
                let object = self.objects[place];
                let (class, arguments) =
                    (self.global(object.class)?, self.tuple(object.arguments)?);
                match (class, arguments) {
                    (["_codecs", "encode"], &[text, _]) => {
                        let Value::Text(span) = text else {
                            return None;
                        };
                        // A byte takes up to two.
                        if span.length as usize / 2 > most {
                            return None;
                        }
                        let text = self.part(span).chars();
                        let bytes: Option<Vec<u8>> = text.map(|c| u8::try_from(c).ok()).collect();
                        bytes.map(Cow::Owned)
                    }
                    (["builtins" | "__builtin__", "bytearray"], &[bytes]) => match bytes {
                        Value::Text(span) | Value::Bytes(span) => Some(self.slice(span).into()),
                        _ => None,
                    },
                    _ => None,
                }
            }
            _ => None,
        }
    }

    /// Whether a value is this text, or these bytes.
    pub(crate) fn is(&self, value: Value, bytes: &[u8]) -> bool {
        let own = self.short_bytes(value, bytes.len());
        own.is_some_and(|own| own.as_ref() == bytes)
    }

    /// Whether a value is `True`, or a number other than 0.
    pub(crate) fn flag(value: Value) -> bool {
        matches!(value, Value::Bool(true)) || matches!(value, Value::Int(number) if number != 0)
    }

    /// The values of a tuple.
    #[must_use]
    pub fn tuple(&self, value: Value) -> Option<&[Value]> {
        match value {
            Value::Tuple(span) => {
                let start = span.start as usize;
                self.tuples.get(start..start + span.length as usize)
            }
            _ => None,
        }
    }

    /// The elements of a list or a tuple.
    #[must_use]
    pub fn sequence(&self, value: Value) -> Option<&[Value]> {
        match value {
            Value::List(place) => Some(&self.lists[place]),
            _ => self.tuple(value),
        }
    }

    /// Module and name of a class or function.
    #[must_use]
    pub fn global(&self, value: Value) -> Option<[&'a str; 2]> {
        match value {
            Value::Global(place) => Some(self.globals[place].map(|span| self.part(span))),
            _ => None,
        }
    }

    /// The keys and values of a dictionary, in order; a key may come twice, and its last value counts.
    #[must_use]
    pub fn items(&self, value: Value) -> Option<&[(Value, Value)]> {
        match value {
            Value::Dict(place) => Some(&self.dicts[place]),
            _ => None,
        }
    }

    /// The value under a key, a text or bytes, in a dictionary.
    #[must_use]
    pub fn item(&self, dict: Value, key: &[u8]) -> Option<Value> {
        let mut items = self.items(dict)?.iter().rev();
        let item = items.find(|(own, _)| self.is(*own, key));
        item.map(|(_, value)| *value)
    }

    /// What an object is described by.
    #[must_use]
    pub fn object(&self, value: Value) -> Option<Object> {
        match value {
            Value::Object(place) => Some(self.objects[place]),
            _ => None,
        }
    }

    pub(crate) fn new_tuple(&mut self, values: &[Value]) -> Result<Value> {
        for _ in values {
            self.count()?;
        }
        let [start, length] = [self.tuples.len(), values.len()].map(u32::try_from);
        self.tuples.extend_from_slice(values);
        match (start, length) {
            (Ok(start), Ok(length)) => Ok(Value::Tuple(Span { start, length })),
            _ => Err("too many values".to_owned()),
        }
    }

    pub(crate) fn new_global(&mut self, names: [Span; 2]) -> Result<Value> {
        put(&mut self.globals, names, MOST_OF_A_KIND).map(Value::Global)
    }

    pub(crate) fn new_list(&mut self, values: Vec<Value>) -> Result<Value> {
        put(&mut self.lists, values, MOST_OF_A_KIND).map(Value::List)
    }

    /// A new dictionary of these items.
    ///
    /// # Errors
    /// If there are too many values.
    pub fn new_dict(&mut self, items: Vec<(Value, Value)>) -> Result<Value> {
        for _ in &items {
            self.count()?;
        }
        put(&mut self.dicts, items, MOST_OF_A_KIND).map(Value::Dict)
    }

    /// A new object.
    ///
    /// # Errors
    /// If there are too many.
    pub fn new_object(&mut self, class: Value, arguments: Value) -> Result<Value> {
        let object = Object {
            class,
            arguments,
            state: Value::None,
        };
        put(&mut self.objects, object, MOST_OF_A_KIND).map(Value::Object)
    }
}

/// Appends to a table of at most so many entries; the place.
fn put<T>(table: &mut Vec<T>, entry: T, most: usize) -> Result<usize> {
    if table.len() >= most {
        return Err(format!("more than {most} values of one kind"));
    }
    table.push(entry);
    Ok(table.len() - 1)
}

/// What is remembered, by number.
#[derive(Debug, Default)]
pub(crate) struct Memo(std::collections::HashMap<u32, Value>);

impl Memo {
    /// The first number that pickles of protocol 4 have not used: they count.
    pub(crate) fn next(&self) -> Result<u32> {
        u32::try_from(self.0.len()).map_err(|_long| "too many remembered values".to_owned())
    }

    pub(crate) fn put(&mut self, place: u32, value: Value) -> Result<()> {
        if self.0.len() >= MOST_OF_A_KIND && !self.0.contains_key(&place) {
            return Err(format!("more than {MOST_OF_A_KIND} remembered values"));
        }
        self.0.insert(place, value);
        Ok(())
    }

    pub(crate) fn get(&self, place: u32) -> Result<Value> {
        let value = self.0.get(&place).copied();
        value.ok_or_else(|| format!("nothing remembered as {place}"))
    }
}
