//! The pickles that `torch.save` makes of a state dict of tensors, read without running anything.
//!
//! A pickle is a program for a stack machine that may call any function. Here it may build text, numbers, tuples and
//! dictionaries, and "call" the four functions that such a state dict needs, each of which only fills in a description;
//! any other opcode or function is an error that names it. Values are kept in tables and named by their places, so that no
//! pickle can make them large or deep.

use std::collections::HashMap;

/// Why a pickle was refused: what was found, and at which byte.
pub(super) type Result<T> = std::result::Result<T, String>;

/// Where a tensor's elements are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct TensorPlace {
    /// The storage's class, such as `FloatStorage`.
    pub(super) kind: String,
    /// The storage's name in the archive.
    pub(super) storage: String,
    /// The first element.
    pub(super) offset: usize,
    pub(super) shape: Vec<usize>,
    /// Elements between neighbours, along each dimension.
    pub(super) strides: Vec<usize>,
}

/// A value, or its place in the reader's tables.
#[derive(Clone, Debug)]
enum Value {
    None,
    Bool,
    Int(i64),
    Text(String),
    Global(Global),
    Tuple(usize),
    Dict(usize),
    Storage { kind: String, name: String },
    Tensor(usize),
}

/// The functions and classes that may be named.
#[derive(Clone, Debug)]
enum Global {
    OrderedDict,
    RebuildTensor,
    RebuildParameter,
    Storage(String),
}

/// The tensors of a state dict in its order, from the bytes of `data.pkl`.
pub(super) fn state_dict(bytes: &[u8]) -> Result<Vec<(String, TensorPlace)>> {
    let mut machine = Machine {
        bytes,
        ..Machine::default()
    };
    while machine.step()? {}
    let Some(Value::Dict(dict)) = machine.stack.pop() else {
        return Err("no dictionary at its end".to_owned());
    };
    let mut tensors = Vec::new();
    for (key, value) in std::mem::take(&mut machine.dicts[dict]) {
        match (key, value) {
            (Value::Text(name), Value::Tensor(place)) => {
                tensors.push((name, machine.tensors[place].clone()));
            }
            (Value::Text(name), _) => return Err(format!("'{name}', which is no tensor")),
            _ => return Err("a key that is no text".to_owned()),
        }
    }
    Ok(tensors)
}

#[derive(Default)]
struct Machine<'a> {
    bytes: &'a [u8],
    at: usize,
    stack: Vec<Value>,
    marks: Vec<usize>,
    memo: HashMap<u32, Value>,
    tuples: Vec<Vec<Value>>,
    dicts: Vec<Vec<(Value, Value)>>,
    tensors: Vec<TensorPlace>,
}

impl Machine<'_> {
    /// Runs an opcode; false after the last. The opcodes are those of `pickletools`, protocol 2.
    fn step(&mut self) -> Result<bool> {
        let at = self.at;
        let [opcode] = self.take()?;
        match opcode {
            b'.' => return Ok(false),
            0x80 => match self.take()? {
                [2] => {}
                [other] => return Err(format!("protocol {other} in place of 2")),
            },
            b'(' => self.marks.push(self.stack.len()),
            b'N' => self.stack.push(Value::None),
            0x88 | 0x89 => self.stack.push(Value::Bool),
            b'K' | b'M' | b'J' | 0x8a => self.integer(opcode)?,
            b'X' => {
                let length = u32::from_le_bytes(self.take()?);
                let text = self.slice(length as usize)?;
                let text = str::from_utf8(text).map(str::to_owned);
                let text = text.map_err(|_utf8| "text that is no UTF-8".to_owned())?;
                self.stack.push(Value::Text(text));
            }
            b'c' => self.global(at)?,
            b')' | 0x85 | 0x86 | 0x87 | b't' => self.tuple(opcode)?,
            b'}' => self.new_dict(),
            b's' | b'u' => self.set_items(opcode)?,
            b'q' => {
                let [place] = self.take()?;
                self.remember(place.into())?;
            }
            b'r' => {
                let place = u32::from_le_bytes(self.take()?);
                self.remember(place)?;
            }
            b'h' => {
                let [place] = self.take()?;
                self.recall(place.into())?;
            }
            b'j' => {
                let place = u32::from_le_bytes(self.take()?);
                self.recall(place)?;
            }
            b'Q' => self.storage()?,
            b'R' => self.call(at)?,
            // A state dict's version numbers, which nothing here needs.
            b'b' => drop(self.pop()?),
            other => return Err(format!("opcode {other:#04x} at byte {at}")),
        }
        Ok(true)
    }

    fn slice(&mut self, length: usize) -> Result<&[u8]> {
        let end = self
            .at
            .checked_add(length)
            .filter(|&end| end <= self.bytes.len());
        let end = end.ok_or_else(|| format!("its end at byte {}", self.bytes.len()))?;
        let slice = &self.bytes[self.at..end];
        self.at = end;
        Ok(slice)
    }

    fn take<const N: usize>(&mut self) -> Result<[u8; N]> {
        let slice = self.slice(N)?;
        Ok(slice.try_into().expect("a slice of that length"))
    }

    fn pop(&mut self) -> Result<Value> {
        let floor = self.marks.last().copied().unwrap_or(0);
        if self.stack.len() <= floor {
            return Err(format!("too few values at byte {}", self.at));
        }
        self.stack.pop().ok_or_else(String::new)
    }

    /// The values since the last mark.
    fn since_mark(&mut self) -> Result<Vec<Value>> {
        let mark = self
            .marks
            .pop()
            .ok_or_else(|| format!("no mark at byte {}", self.at))?;
        Ok(self.stack.split_off(mark))
    }

    fn integer(&mut self, opcode: u8) -> Result<()> {
        let value = match opcode {
            b'K' => u8::from_le_bytes(self.take()?).into(),
            b'M' => u16::from_le_bytes(self.take()?).into(),
            b'J' => i32::from_le_bytes(self.take()?).into(),
            _ => {
                let [length] = self.take()?;
                let digits = self.slice(length.into())?;
                if digits.len() > 8 {
                    return Err("a number of more than 64 bits".to_owned());
                }
                let is_negative = digits.last().is_some_and(|&top| top >= 0x80);
                let mut whole = [if is_negative { 0xFF } else { 0 }; 8];
                whole[..digits.len()].copy_from_slice(digits);
                i64::from_le_bytes(whole)
            }
        };
        self.stack.push(Value::Int(value));
        Ok(())
    }

    /// A function's module and name, a line each.
    fn global(&mut self, at: usize) -> Result<()> {
        let mut line = || -> Result<String> {
            let rest = &self.bytes[self.at..];
            let end = rest.iter().take(256).position(|&byte| byte == b'\n');
            let end = end.ok_or_else(|| format!("a name without an end at byte {}", self.at))?;
            self.at += end + 1;
            Ok(String::from_utf8_lossy(&rest[..end]).into_owned())
        };
        let (module, name) = (line()?, line()?);
        let global = match (module.as_str(), name.as_str()) {
            ("collections", "OrderedDict") => Global::OrderedDict,
            ("torch._utils", "_rebuild_tensor_v2") => Global::RebuildTensor,
            ("torch._utils", "_rebuild_parameter") => Global::RebuildParameter,
            ("torch", storage) if storage.ends_with("Storage") => Global::Storage(name),
            _ => return Err(format!("the global {module}.{name} at byte {at}")),
        };
        self.stack.push(Value::Global(global));
        Ok(())
    }

    fn tuple(&mut self, opcode: u8) -> Result<()> {
        let values = match opcode {
            b')' => Vec::new(),
            b't' => self.since_mark()?,
            _ => {
                let mut values = Vec::new();
                for _ in 0x85..=opcode {
                    values.push(self.pop()?);
                }
                values.reverse();
                values
            }
        };
        self.tuples.push(values);
        self.stack.push(Value::Tuple(self.tuples.len() - 1));
        Ok(())
    }

    fn new_dict(&mut self) {
        self.dicts.push(Vec::new());
        self.stack.push(Value::Dict(self.dicts.len() - 1));
    }

    fn set_items(&mut self, opcode: u8) -> Result<()> {
        let items = if opcode == b'u' {
            self.since_mark()?
        } else {
            let value = self.pop()?;
            vec![self.pop()?, value]
        };
        let Some(Value::Dict(dict)) = self.stack.last() else {
            return Err(format!(
                "no dictionary to put items into at byte {}",
                self.at
            ));
        };
        let mut items = items.into_iter();
        while let (Some(key), Some(value)) = (items.next(), items.next()) {
            self.dicts[*dict].push((key, value));
        }
        Ok(())
    }

    fn remember(&mut self, place: u32) -> Result<()> {
        let value = self.pop()?;
        self.memo.insert(place, value.clone());
        self.stack.push(value);
        Ok(())
    }

    fn recall(&mut self, place: u32) -> Result<()> {
        let value = self.memo.get(&place).cloned();
        self.stack
            .push(value.ok_or_else(|| format!("nothing remembered as {place}"))?);
        Ok(())
    }

    fn pop_tuple(&mut self) -> Result<Vec<Value>> {
        match self.pop()? {
            Value::Tuple(place) => Ok(self.tuples[place].clone()),
            _ => Err(format!("no tuple before byte {}", self.at)),
        }
    }

    /// `('storage', torch.FloatStorage, '0', 'cpu', 24)`.
    fn storage(&mut self) -> Result<()> {
        let parts = self.pop_tuple()?;
        let [
            Value::Text(word),
            Value::Global(Global::Storage(kind)),
            Value::Text(name),
            Value::Text(_),
            Value::Int(_),
        ] = &parts[..]
        else {
            return Err(format!(
                "an unknown kind of storage before byte {}",
                self.at
            ));
        };
        // The name becomes an entry's in the archive: nothing but a number is one.
        if word != "storage" || name.is_empty() || !name.bytes().all(|b| b.is_ascii_digit()) {
            return Err(format!("a storage named '{name}'"));
        }
        let (kind, name) = (kind.clone(), name.clone());
        self.stack.push(Value::Storage { kind, name });
        Ok(())
    }

    fn call(&mut self, at: usize) -> Result<()> {
        let arguments = self.pop_tuple()?;
        let function = self.pop()?;
        let wrong = || format!("other arguments than torch.save's at byte {at}");
        match (function, &arguments[..]) {
            (Value::Global(Global::OrderedDict), []) => self.new_dict(),
            (Value::Global(Global::RebuildParameter), [Value::Tensor(place), ..]) => {
                self.stack.push(Value::Tensor(*place));
            }
            (
                Value::Global(Global::RebuildTensor),
                [
                    Value::Storage { kind, name },
                    Value::Int(offset),
                    Value::Tuple(shape),
                    Value::Tuple(strides),
                    ..,
                ],
            ) => {
                let tensor = TensorPlace {
                    kind: kind.clone(),
                    storage: name.clone(),
                    offset: usize::try_from(*offset).map_err(|_negative| wrong())?,
                    shape: self.sizes(*shape).ok_or_else(wrong)?,
                    strides: self.sizes(*strides).ok_or_else(wrong)?,
                };
                if tensor.shape.len() != tensor.strides.len() {
                    return Err(wrong());
                }
                self.tensors.push(tensor);
                self.stack.push(Value::Tensor(self.tensors.len() - 1));
            }
            _ => return Err(wrong()),
        }
        Ok(())
    }

    fn sizes(&self, tuple: usize) -> Option<Vec<usize>> {
        let size = |value: &Value| match value {
            Value::Int(size) => usize::try_from(*size).ok(),
            _ => None,
        };
        self.tuples[tuple].iter().map(size).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(bytes: &[u8]) -> String {
        state_dict(bytes).unwrap_err()
    }

    #[test]
    fn functions_that_a_state_dict_does_not_need_are_refused_by_name() {
        let message = refused(b"\x80\x02cos\nsystem\nX\x02\x00\x00\x00ls\x85R.");
        assert_eq!(message, "the global os.system at byte 2");
        let message = refused(b"\x80\x02cbuiltins\neval\n.");
        assert!(message.contains("builtins.eval"), "{message}");
        let message = refused(b"\x80\x02c__builtin__\ngetattr\n.");
        assert!(message.contains("__builtin__.getattr"), "{message}");
    }

    #[test]
    fn opcodes_that_a_state_dict_does_not_need_are_refused_by_number() {
        // INST, OBJ, STACK_GLOBAL and EXT1 are other ways to a function.
        for (bytes, opcode) in [
            (&b"\x80\x02(ios\nsystem\n."[..], "0x69"),
            (b"\x80\x02(o.", "0x6f"),
            (b"\x80\x02\x93.", "0x93"),
            (b"\x80\x02\x82\x01.", "0x82"),
            (b"\x80\x02S'a'\n.", "0x53"),
        ] {
            let message = refused(bytes);
            assert!(message.contains(opcode), "{message}");
        }
        assert!(
            refused(b"\x80\x04.").contains("protocol 4"),
            "another protocol"
        );
    }

    #[test]
    fn damaged_pickles_are_errors() {
        for bytes in [
            &b""[..],
            b"\x80",
            b"\x80\x02.",
            b"\x80\x02t.",
            b"\x80\x02R.",
            b"\x80\x02)R.",
            b"\x80\x02(}u.",
            b"\x80\x02Q.",
            b"\x80\x02h\x00.",
            b"\x80\x02X\xff\xff\xff\xffab.",
            b"\x80\x02\x8a\xff.",
            b"\x80\x02ccollections\nOrderedDict",
            b"\x80\x02}X\x01\x00\x00\x00aK\x01s.",
        ] {
            assert!(!refused(bytes).is_empty(), "{bytes:?}");
        }
    }

    #[test]
    fn doubling_and_nesting_take_no_more_than_the_pickle() {
        // Each step doubles what the last one holds: written out it would be 2^4000 values.
        let mut bytes = b"\x80\x02)".to_vec();
        for _ in 0..4000 {
            bytes.extend(b"q\x00h\x00\x86");
        }
        bytes.push(b'.');
        assert_eq!(refused(&bytes), "no dictionary at its end");
    }
}
