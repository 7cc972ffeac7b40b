//! What the functions that a pickle "calls" would give: described, never run.

use pickle::{Graph, Known, Result, Value};

/// More dimensions than any weight has.
const MOST_DIMENSIONS: usize = 16;
/// Tensors and storages, together.
const MOST_TENSORS: usize = 1 << 16;

/// Modules whose functions do things. Everything is described only, but a file that asks for these is not a weight file.
const REFUSED: [&str; 24] = [
    "os",
    "posix",
    "nt",
    "sys",
    "subprocess",
    "importlib",
    "runpy",
    "shutil",
    "socket",
    "pty",
    "commands",
    "ctypes",
    "webbrowser",
    "code",
    "codeop",
    "pickle",
    "_pickle",
    "cPickle",
    "marshal",
    "pip",
    "pdb",
    "timeit",
    "asyncio",
    "multiprocessing",
];
/// What may be named of Python's own: types of plain values.
const PLAIN: [&str; 13] = [
    "set",
    "frozenset",
    "list",
    "dict",
    "tuple",
    "slice",
    "complex",
    "object",
    "bytearray",
    "int",
    "float",
    "bool",
    "str",
];

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

#[derive(Clone, Debug)]
pub(super) struct Storage {
    pub(super) kind: String,
    pub(super) name: String,
    /// Elements by which it begins behind the storage that it is a view of: files before PyTorch 0.4.
    offset: usize,
}

#[derive(Debug)]
enum Part {
    Storage(Storage),
    Tensor(TensorPlace),
}

/// What PyTorch's files name: storages and tensors, in the order in which they come.
#[derive(Debug, Default)]
pub(super) struct Torch(Vec<Part>);

impl Torch {
    /// The tensor that a value is.
    pub(super) fn tensor(&self, value: Value) -> Option<&TensorPlace> {
        match value {
            Value::Known(place) => match self.0.get(place) {
                Some(Part::Tensor(tensor)) => Some(tensor),
                _ => None,
            },
            _ => None,
        }
    }

    pub(super) fn storages(&self) -> impl Iterator<Item = &Storage> {
        self.0.iter().filter_map(|part| match part {
            Part::Storage(storage) => Some(storage),
            Part::Tensor(_) => None,
        })
    }

    fn storage(&self, value: Value) -> Option<&Storage> {
        match value {
            Value::Known(place) => match self.0.get(place) {
                Some(Part::Storage(storage)) => Some(storage),
                _ => None,
            },
            _ => None,
        }
    }

    fn put(&mut self, part: Part) -> Result<Value> {
        if self.0.len() >= MOST_TENSORS {
            return Err(format!("more than {MOST_TENSORS} values of one kind"));
        }
        self.0.push(part);
        Ok(Value::Known(self.0.len() - 1))
    }

    /// A view of a storage.
    fn place(
        &self,
        graph: &Graph<'_>,
        [storage, offset, shape, strides]: [Value; 4],
    ) -> Option<TensorPlace> {
        let Value::Int(offset) = offset else {
            return None;
        };
        let Storage {
            kind,
            name,
            offset: begin,
        } = self.storage(storage)?;
        let (shape, strides) = (sizes(graph, shape)?, sizes(graph, strides)?);
        (shape.len() == strides.len()).then_some(TensorPlace {
            kind: kind.clone(),
            storage: name.clone(),
            offset: usize::try_from(offset).ok()?.checked_add(*begin)?,
            shape,
            strides,
        })
    }
}

impl Known for Torch {
    fn allows(&self, module: &str, name: &str) -> bool {
        let root = module.split('.').next().unwrap_or_default();
        match root {
            "builtins" | "__builtin__" => PLAIN.contains(&name),
            _ => !REFUSED.contains(&root),
        }
    }

    /// What a persistent identifier stands for: `('storage', torch.FloatStorage, '0', 'cpu', 24)`, of files before the zip
    /// format with a view behind it, or `('module', class, file, source)`.
    fn persistent(&mut self, graph: &mut Graph<'_>, id: Value, at: usize) -> Result<Value> {
        let unknown = || format!("an unknown kind of storage before byte {at}");
        let parts = graph.tuple(id).ok_or_else(unknown)?;
        let (kind, key, view) = match *parts {
            [word, class, ..] if graph.text(word) == Some("module") => return Ok(class),
            [word, kind, key, _, Value::Int(_)] if graph.text(word) == Some("storage") => {
                (kind, key, Value::None)
            }
            [word, kind, key, _, Value::Int(_), view] if graph.text(word) == Some("storage") => {
                (kind, key, view)
            }
            _ => return Err(unknown()),
        };
        let offset = match graph.tuple(view) {
            Some(&[_, Value::Int(offset), Value::Int(_)]) => {
                usize::try_from(offset).map_err(|_negative| unknown())?
            }
            _ => 0,
        };
        let (Some(["torch" | "torch.cuda" | "torch.storage", kind]), Some(name)) =
            (graph.global(kind), graph.text(key))
        else {
            return Err(unknown());
        };
        // The name becomes an entry's in the archive: nothing but a number is one.
        if name.is_empty() || name.len() > 20 || !name.bytes().all(|b| b.is_ascii_digit()) {
            return Err(format!("a storage named '{name}'"));
        }
        let (kind, name) = (kind.to_owned(), name.to_owned());
        self.put(Part::Storage(Storage { kind, name, offset }))
    }

    /// What `function(*arguments)` would give.
    fn call(
        &mut self,
        graph: &mut Graph<'_>,
        [function, arguments]: [Value; 2],
        at: usize,
    ) -> Result<Value> {
        let wrong = || format!("other arguments than torch.save's at byte {at}");
        let values = graph.tuple(arguments).ok_or_else(wrong)?;
        let names = graph.global(function).ok_or_else(wrong)?;
        match (names, values) {
            (["collections", "OrderedDict"], []) | (["collections", "defaultdict"], _) => {
                graph.new_dict(Vec::new())
            }
            (["collections", "OrderedDict"], &[pairs]) => {
                let items = items(graph, pairs).ok_or_else(wrong)?;
                graph.new_dict(items)
            }
            (["torch", "Size"], &[sizes]) => Ok(sizes),
            (["torch.jit._pickle", _], &[value, ..]) => Ok(value),
            (["torch._tensor", "_rebuild_from_type_v2"], &[rebuild, _, inner, ..]) => {
                match graph.global(rebuild) {
                    Some(["torch._utils", _]) => self.call(graph, [rebuild, inner], at),
                    _ => Err(wrong()),
                }
            }
            (
                [
                    "torch._utils",
                    "_rebuild_parameter" | "_rebuild_parameter_with_state",
                ],
                &[tensor, ..],
            ) if self.tensor(tensor).is_some() => Ok(tensor),
            (
                ["torch._utils", "_rebuild_tensor" | "_rebuild_tensor_v2"],
                &[storage, offset, shape, strides, ..],
            ) => {
                let tensor = self.place(graph, [storage, offset, shape, strides]);
                self.put(Part::Tensor(tensor.ok_or_else(wrong)?))
            }
            (
                [
                    "torch._utils",
                    "_rebuild_parameter" | "_rebuild_tensor" | "_rebuild_tensor_v2",
                ],
                _,
            ) => Err(wrong()),
            (_, _) => graph.new_object(function, arguments),
        }
    }
}

fn sizes(graph: &Graph<'_>, tuple: Value) -> Option<Vec<usize>> {
    let size = |value: &Value| match value {
        Value::Int(size) => usize::try_from(*size).ok(),
        _ => None,
    };
    let values = graph.sequence(tuple)?;
    (values.len() <= MOST_DIMENSIONS).then(|| values.iter().map(size).collect())?
}

/// The pairs in a list, as Python 2 writes ordered dictionaries; none if it is no such list.
fn items(graph: &Graph<'_>, pairs: Value) -> Option<Vec<(Value, Value)>> {
    let pairs = graph.sequence(pairs)?.iter();
    let pairs = pairs.map(|&pair| match *graph.sequence(pair)? {
        [key, value] => Some((key, value)),
        _ => None,
    });
    pairs.collect()
}
