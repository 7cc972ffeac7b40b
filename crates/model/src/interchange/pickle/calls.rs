//! What the functions that a pickle "calls" would give: described, never run.

use super::Result;
use super::graph::{Graph, Storage, TensorPlace, Value};

/// More dimensions than any weight has.
const MOST_DIMENSIONS: usize = 16;

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

/// Whether a class or function may be named.
pub(super) fn is_allowed(module: &str, name: &str) -> bool {
    let root = module.split('.').next().unwrap_or_default();
    match root {
        "builtins" | "__builtin__" => PLAIN.contains(&name),
        _ => !REFUSED.contains(&root),
    }
}

impl Graph<'_> {
    /// What a persistent identifier stands for: `('storage', torch.FloatStorage, '0', 'cpu', 24)`, of files before the zip
    /// format with a view behind it, or `('module', class, file, source)`.
    pub(super) fn persistent(&mut self, id: Value, at: usize) -> Result<Value> {
        let unknown = || format!("an unknown kind of storage before byte {at}");
        let parts = self.tuple(id).ok_or_else(unknown)?;
        let (kind, key, view) = match *parts {
            [word, class, ..] if self.text(word) == Some("module") => return Ok(class),
            [word, kind, key, _, Value::Int(_)] if self.text(word) == Some("storage") => {
                (kind, key, Value::None)
            }
            [word, kind, key, _, Value::Int(_), view] if self.text(word) == Some("storage") => {
                (kind, key, view)
            }
            _ => return Err(unknown()),
        };
        let offset = match self.tuple(view) {
            Some(&[_, Value::Int(offset), Value::Int(_)]) => {
                usize::try_from(offset).map_err(|_negative| unknown())?
            }
            _ => 0,
        };
        let (Some(["torch" | "torch.cuda" | "torch.storage", kind]), Some(name)) =
            (self.global(kind), self.text(key))
        else {
            return Err(unknown());
        };
        // The name becomes an entry's in the archive: nothing but a number is one.
        if name.is_empty() || name.len() > 20 || !name.bytes().all(|b| b.is_ascii_digit()) {
            return Err(format!("a storage named '{name}'"));
        }
        let (kind, name) = (kind.to_owned(), name.to_owned());
        self.new_storage(Storage { kind, name, offset })
    }

    /// What `function(*arguments)` would give.
    pub(super) fn call(&mut self, function: Value, arguments: Value, at: usize) -> Result<Value> {
        let wrong = || format!("other arguments than torch.save's at byte {at}");
        let values = self.tuple(arguments).ok_or_else(wrong)?;
        let names = self.global(function).ok_or_else(wrong)?;
        match (names, values) {
            (["collections", "OrderedDict"], []) | (["collections", "defaultdict"], _) => {
                self.new_dict()
            }
            (["collections", "OrderedDict"], &[pairs]) => self.dict_of(pairs).ok_or_else(wrong)?,
            (["torch", "Size"], &[sizes]) => Ok(sizes),
            (["torch.jit._pickle", _], &[value, ..]) => Ok(value),
            (["torch._tensor", "_rebuild_from_type_v2"], &[rebuild, _, inner, ..]) => {
                match self.global(rebuild) {
                    Some(["torch._utils", _]) => self.call(rebuild, inner, at),
                    _ => Err(wrong()),
                }
            }
            (
                [
                    "torch._utils",
                    "_rebuild_parameter" | "_rebuild_parameter_with_state",
                ],
                &[tensor @ Value::Tensor(_), ..],
            ) => Ok(tensor),
            (
                ["torch._utils", "_rebuild_tensor" | "_rebuild_tensor_v2"],
                &[
                    Value::Storage(storage),
                    Value::Int(offset),
                    shape,
                    strides,
                    ..,
                ],
            ) => {
                let tensor = self.tensor(storage, offset, [shape, strides]);
                self.new_tensor(tensor.ok_or_else(wrong)?)
            }
            (
                [
                    "torch._utils",
                    "_rebuild_parameter" | "_rebuild_tensor" | "_rebuild_tensor_v2",
                ],
                _,
            ) => Err(wrong()),
            (_, _) => self.new_object(function),
        }
    }

    fn tensor(
        &self,
        storage: usize,
        offset: i64,
        [shape, strides]: [Value; 2],
    ) -> Option<TensorPlace> {
        let Storage {
            kind,
            name,
            offset: begin,
        } = &self.storages[storage];
        let (shape, strides) = (self.sizes(shape)?, self.sizes(strides)?);
        (shape.len() == strides.len()).then_some(TensorPlace {
            kind: kind.clone(),
            storage: name.clone(),
            offset: usize::try_from(offset).ok()?.checked_add(*begin)?,
            shape,
            strides,
        })
    }

    fn sizes(&self, tuple: Value) -> Option<Vec<usize>> {
        let size = |value: &Value| match value {
            Value::Int(size) => usize::try_from(*size).ok(),
            _ => None,
        };
        let values = self.sequence(tuple)?;
        (values.len() <= MOST_DIMENSIONS).then(|| values.iter().map(size).collect())?
    }

    /// A dictionary of pairs in a list, as Python 2 writes ordered ones; none if it is no such list.
    fn dict_of(&mut self, pairs: Value) -> Option<Result<Value>> {
        let mut items = Vec::new();
        for pair in self.sequence(pairs)? {
            let &[key, value] = self.sequence(*pair)? else {
                return None;
            };
            items.push((key, value));
        }
        for _ in &items {
            if let Err(fault) = self.count() {
                return Some(Err(fault));
            }
        }
        let dict = self.new_dict();
        if let Ok(Value::Dict(place)) = dict {
            self.dicts[place] = items;
        }
        Some(dict)
    }
}
