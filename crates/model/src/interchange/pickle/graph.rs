//! What a pickle makes: values in flat tables, referred to by index. Nothing is copied when it is used again, nothing is
//! nested in memory, and each table has a limit, so that a pickle of a MiB takes a few tens of MiB at most.

use super::Result;

/// More values than a checkpoint of AlexNet with its optimizer has, by a thousand times.
const MOST_VALUES: usize = 1 << 19;
/// Lists, dictionaries, objects, names of classes and remembered values, each: they take more memory than a value.
const MOST_OF_A_KIND: usize = 1 << 17;
/// Tensors and storages, each.
const MOST_TENSORS: usize = 1 << 15;

/// Where a tensor's elements are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::interchange) struct TensorPlace {
    /// The storage's class, such as `FloatStorage`.
    pub(in crate::interchange) kind: String,
    /// The storage's name in the file.
    pub(in crate::interchange) storage: String,
    /// The first element.
    pub(in crate::interchange) offset: usize,
    pub(in crate::interchange) shape: Vec<usize>,
    /// Elements between neighbours, along each dimension.
    pub(in crate::interchange) strides: Vec<usize>,
}

/// A part of the pickle's bytes, or of the tuples' values.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Span {
    pub(super) start: u32,
    pub(super) length: u32,
}

/// A value, or its place in one of the tables.
#[derive(Clone, Copy, Debug)]
pub(super) enum Value {
    None,
    /// What nobody asks for: booleans, floats, bytes.
    Other,
    Int(i64),
    Text(Span),
    Tuple(Span),
    Global(usize),
    List(usize),
    Dict(usize),
    Storage(usize),
    Tensor(usize),
    Object(usize),
}

/// An object of a class that is not known here. It is described, not made.
#[derive(Clone, Copy, Debug)]
pub(super) struct Object {
    pub(super) class: Value,
    /// What it was given by `BUILD`: the attributes of most objects.
    pub(super) state: Value,
}

#[derive(Clone, Debug)]
pub(super) struct Storage {
    pub(super) kind: String,
    pub(super) name: String,
    /// Elements by which it begins behind the storage that it is a view of: files before PyTorch 0.4.
    pub(super) offset: usize,
}

#[derive(Debug)]
pub(super) struct Graph<'a> {
    pub(super) bytes: &'a [u8],
    tuples: Vec<Value>,
    /// Modules and names.
    globals: Vec<[Span; 2]>,
    pub(super) lists: Vec<Vec<Value>>,
    pub(super) dicts: Vec<Vec<(Value, Value)>>,
    pub(super) storages: Vec<Storage>,
    pub(super) tensors: Vec<TensorPlace>,
    pub(super) objects: Vec<Object>,
    n_values: usize,
}

impl<'a> Graph<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        Self {
            bytes,
            tuples: Vec::new(),
            globals: Vec::new(),
            lists: Vec::new(),
            dicts: Vec::new(),
            storages: Vec::new(),
            tensors: Vec::new(),
            objects: Vec::new(),
            n_values: 0,
        }
    }

    /// Counts a value.
    pub(super) fn count(&mut self) -> Result<()> {
        self.n_values += 1;
        if self.n_values > MOST_VALUES {
            return Err(format!("more than {MOST_VALUES} values"));
        }
        Ok(())
    }

    pub(super) fn text(&self, value: Value) -> Option<&'a str> {
        match value {
            Value::Text(span) => Some(self.part(span)),
            _ => None,
        }
    }

    /// A text; spans of texts are checked when they are made.
    pub(super) fn part(&self, span: Span) -> &'a str {
        let start = span.start as usize;
        let bytes = self.bytes.get(start..start + span.length as usize);
        bytes
            .and_then(|bytes| str::from_utf8(bytes).ok())
            .unwrap_or_default()
    }

    pub(super) fn tuple(&self, value: Value) -> Option<&[Value]> {
        match value {
            Value::Tuple(span) => {
                let start = span.start as usize;
                self.tuples.get(start..start + span.length as usize)
            }
            _ => None,
        }
    }

    /// The elements of a list or a tuple.
    pub(super) fn sequence(&self, value: Value) -> Option<&[Value]> {
        match value {
            Value::List(place) => Some(&self.lists[place]),
            _ => self.tuple(value),
        }
    }

    /// Module and name of a class or function.
    pub(super) fn global(&self, value: Value) -> Option<[&'a str; 2]> {
        match value {
            Value::Global(place) => Some(self.globals[place].map(|span| self.part(span))),
            _ => None,
        }
    }

    /// The value under a text in a dictionary.
    pub(super) fn get(&self, dict: usize, key: &str) -> Option<Value> {
        let mut items = self.dicts[dict].iter().rev();
        items
            .find(|(own, _)| self.text(*own) == Some(key))
            .map(|(_, value)| *value)
    }

    pub(super) fn new_tuple(&mut self, values: &[Value]) -> Result<Value> {
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

    pub(super) fn new_global(&mut self, names: [Span; 2]) -> Result<Value> {
        put(&mut self.globals, names, MOST_OF_A_KIND).map(Value::Global)
    }

    pub(super) fn new_list(&mut self) -> Result<Value> {
        put(&mut self.lists, Vec::new(), MOST_OF_A_KIND).map(Value::List)
    }

    pub(super) fn new_dict(&mut self) -> Result<Value> {
        put(&mut self.dicts, Vec::new(), MOST_OF_A_KIND).map(Value::Dict)
    }

    pub(super) fn new_object(&mut self, class: Value) -> Result<Value> {
        let state = Value::None;
        put(&mut self.objects, Object { class, state }, MOST_OF_A_KIND).map(Value::Object)
    }

    pub(super) fn new_storage(&mut self, storage: Storage) -> Result<Value> {
        put(&mut self.storages, storage, MOST_TENSORS).map(Value::Storage)
    }

    pub(super) fn new_tensor(&mut self, tensor: TensorPlace) -> Result<Value> {
        put(&mut self.tensors, tensor, MOST_TENSORS).map(Value::Tensor)
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
pub(super) struct Memo(std::collections::HashMap<u32, Value>);

impl Memo {
    pub(super) fn put(&mut self, place: u32, value: Value) -> Result<()> {
        if self.0.len() >= MOST_OF_A_KIND && !self.0.contains_key(&place) {
            return Err(format!("more than {MOST_OF_A_KIND} remembered values"));
        }
        self.0.insert(place, value);
        Ok(())
    }

    pub(super) fn get(&self, place: u32) -> Result<Value> {
        let value = self.0.get(&place).copied();
        value.ok_or_else(|| format!("nothing remembered as {place}"))
    }
}
