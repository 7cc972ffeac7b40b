//! The pickles that `torch.save` makes, read without running anything.
//!
//! A pickle is a program for a stack machine that may call any function. Here it may build text, numbers, tuples, lists and
//! dictionaries; the few functions that tensors need only fill in a description, and an object of any other class is a
//! note of its name and attributes. Any other opcode, and functions that do things, are errors that name them.

mod calls;
mod graph;
mod state;

use graph::{Graph, Memo, Span, Value};

pub(super) use graph::TensorPlace;
pub(super) use state::State;

/// Why a pickle was refused: what was found, and at which byte.
pub(super) type Result<T> = std::result::Result<T, String>;

/// The tensors that a pickle describes: those of a state dict, of a checkpoint around one, or of a whole model. The bytes
/// may go on behind it.
pub(super) fn state_dict(bytes: &[u8]) -> Result<State> {
    let mut machine = Machine::new(bytes);
    let root = machine.run()?;
    State::of(&machine.graph, root, machine.at)
}

/// The texts of a list, and how many bytes it took: the keys of the storages in a file before the zip format.
pub(super) fn list_of_texts(bytes: &[u8]) -> Result<(Vec<String>, usize)> {
    let mut machine = Machine::new(bytes);
    let root = machine.run()?;
    let texts = machine.graph.sequence(root);
    let texts = texts.and_then(|values| {
        let text = |value: &Value| machine.graph.text(*value).map(str::to_owned);
        values.iter().map(text).collect()
    });
    let texts = texts.ok_or_else(|| "no list of names".to_owned())?;
    Ok((texts, machine.at))
}

/// The length of a pickle of anything.
pub(super) fn length(bytes: &[u8]) -> Result<usize> {
    let mut machine = Machine::new(bytes);
    machine.run()?;
    Ok(machine.at)
}

struct Machine<'a> {
    at: usize,
    stack: Vec<Value>,
    marks: Vec<usize>,
    memo: Memo,
    graph: Graph<'a>,
}

impl<'a> Machine<'a> {
    fn new(bytes: &'a [u8]) -> Self {
        Self {
            at: 0,
            stack: Vec::new(),
            marks: Vec::new(),
            memo: Memo::default(),
            graph: Graph::new(bytes),
        }
    }

    /// Runs to the end; what is on the stack then.
    fn run(&mut self) -> Result<Value> {
        while self.step()? {}
        Ok(self.stack.pop().unwrap_or(Value::None))
    }

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
            b'(' => {
                self.graph.count()?;
                self.marks.push(self.stack.len());
            }
            b'N' => self.push(Value::None)?,
            0x88 | 0x89 => self.push(Value::Other)?,
            b'G' => {
                let _number: [u8; 8] = self.take()?;
                self.push(Value::Other)?;
            }
            b'K' | b'M' | b'J' | 0x8a => self.integer(opcode)?,
            b'X' | b'T' | b'U' => self.text(opcode)?,
            b'c' => self.global(at)?,
            b')' | 0x85 | 0x86 | 0x87 | b't' => self.tuple(opcode)?,
            b']' => {
                let list = self.graph.new_list()?;
                self.push(list)?;
            }
            b'a' | b'e' => self.append(opcode)?,
            b'}' => {
                let dict = self.graph.new_dict()?;
                self.push(dict)?;
            }
            b's' | b'u' => self.set_items(opcode)?,
            b'q' | b'r' => {
                let place = self.place(opcode == b'q')?;
                let value = self.pop()?;
                self.memo.put(place, value)?;
                self.stack.push(value);
            }
            b'h' | b'j' => {
                let place = self.place(opcode == b'h')?;
                let value = self.memo.get(place)?;
                self.push(value)?;
            }
            b'Q' => {
                let id = self.pop()?;
                let value = self.graph.persistent(id, self.at)?;
                self.push(value)?;
            }
            b'R' => {
                let arguments = self.pop_tuple()?;
                let function = self.pop()?;
                let value = self.graph.call(function, arguments, at)?;
                self.push(value)?;
            }
            // NEWOBJ: class and arguments to an object.
            0x81 => {
                let _arguments = self.pop_tuple()?;
                let class = self.pop()?;
                let object = self.graph.new_object(class)?;
                self.push(object)?;
            }
            b'b' => self.build()?,
            other => return Err(format!("opcode {other:#04x} at byte {at}")),
        }
        Ok(true)
    }

    fn push(&mut self, value: Value) -> Result<()> {
        self.graph.count()?;
        self.stack.push(value);
        Ok(())
    }

    fn slice(&mut self, length: usize) -> Result<&'a [u8]> {
        let bytes = self.graph.bytes;
        let end = self
            .at
            .checked_add(length)
            .filter(|&end| end <= bytes.len());
        let end = end.ok_or_else(|| format!("its end at byte {}", bytes.len()))?;
        let slice = &bytes[self.at..end];
        self.at = end;
        Ok(slice)
    }

    fn take<const N: usize>(&mut self) -> Result<[u8; N]> {
        let slice = self.slice(N)?;
        Ok(slice.try_into().expect("a slice of that length"))
    }

    /// A place in the memo, of one byte or four.
    fn place(&mut self, is_short: bool) -> Result<u32> {
        if is_short {
            let [place] = self.take()?;
            return Ok(place.into());
        }
        Ok(u32::from_le_bytes(self.take()?))
    }

    fn pop(&mut self) -> Result<Value> {
        let floor = self.marks.last().copied().unwrap_or(0);
        if self.stack.len() <= floor {
            return Err(format!("too few values at byte {}", self.at));
        }
        self.stack.pop().ok_or_else(String::new)
    }

    fn pop_tuple(&mut self) -> Result<Value> {
        match self.pop()? {
            tuple @ Value::Tuple(_) => Ok(tuple),
            _ => Err(format!("no tuple before byte {}", self.at)),
        }
    }

    /// The values since the last mark.
    fn since_mark(&mut self) -> Result<Vec<Value>> {
        let mark = self
            .marks
            .pop()
            .ok_or_else(|| format!("no mark at byte {}", self.at))?;
        if mark > self.stack.len() {
            return Err(format!("too few values at byte {}", self.at));
        }
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
        self.push(Value::Int(value))
    }

    /// A text; of Python 2 (`T` and `U`) it may be any bytes.
    fn text(&mut self, opcode: u8) -> Result<()> {
        let length = match opcode {
            b'U' => u8::from_le_bytes(self.take()?).into(),
            _ => u32::from_le_bytes(self.take()?),
        };
        let span = self.span(self.at, length as usize)?;
        let text = self.slice(length as usize)?;
        match str::from_utf8(text) {
            Ok(_) => self.push(Value::Text(span)),
            Err(_) if opcode != b'X' => self.push(Value::Other),
            Err(_) => Err("text that is not UTF-8".to_owned()),
        }
    }

    fn span(&self, start: usize, length: usize) -> Result<Span> {
        let too_long = |_| format!("more than 4 GiB at byte {}", self.at);
        Ok(Span {
            start: u32::try_from(start).map_err(too_long)?,
            length: u32::try_from(length).map_err(too_long)?,
        })
    }

    /// A function's module and name, a line each.
    fn global(&mut self, at: usize) -> Result<()> {
        let mut line = || -> Result<Span> {
            let start = self.at;
            let rest = &self.graph.bytes[start..];
            let end = rest.iter().take(256).position(|&byte| byte == b'\n');
            let end = end.ok_or_else(|| format!("a name without an end at byte {start}"))?;
            if str::from_utf8(&rest[..end]).is_err() {
                return Err(format!("a name that is not UTF-8 at byte {start}"));
            }
            self.at += end + 1;
            self.span(start, end)
        };
        let names = [line()?, line()?];
        let [module, name] = names.map(|span| self.graph.part(span));
        if !calls::is_allowed(module, name) {
            return Err(format!("the global {module}.{name} at byte {at}"));
        }
        let global = self.graph.new_global(names)?;
        self.push(global)
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
        let tuple = self.graph.new_tuple(&values)?;
        self.push(tuple)
    }

    fn append(&mut self, opcode: u8) -> Result<()> {
        let values = match opcode {
            b'e' => self.since_mark()?,
            _ => vec![self.pop()?],
        };
        match self.stack.last() {
            Some(Value::List(list)) => self.graph.lists[*list].extend(values),
            // What an object that is a list holds is nobody's weights.
            Some(Value::Object(_)) => {}
            _ => return Err(format!("no list to append to at byte {}", self.at)),
        }
        Ok(())
    }

    fn set_items(&mut self, opcode: u8) -> Result<()> {
        let items = if opcode == b'u' {
            self.since_mark()?
        } else {
            let value = self.pop()?;
            vec![self.pop()?, value]
        };
        match self.stack.last() {
            Some(Value::Dict(dict)) => {
                let pairs = items.chunks_exact(2).map(|pair| (pair[0], pair[1]));
                self.graph.dicts[*dict].extend(pairs);
                Ok(())
            }
            Some(Value::Object(_)) => Ok(()),
            _ => Err(format!(
                "no dictionary to put items into at byte {}",
                self.at
            )),
        }
    }

    /// An object's attributes. Those of dictionaries and tensors are version numbers, which nothing here needs.
    fn build(&mut self) -> Result<()> {
        let state = self.pop()?;
        match self.stack.last() {
            Some(Value::Object(object)) => self.graph.objects[*object].state = state,
            Some(_) => {}
            None => return Err(format!("nothing to give attributes to at byte {}", self.at)),
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
