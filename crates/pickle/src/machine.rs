//! The machine that a pickle is a program for. Its opcodes are those of Python's `pickletools`.

use crate::graph::{Graph, Memo, Span, Value};
use crate::{Known, Result};

/// Protocols 0 and 1 are text, which nobody writes of arrays.
const PROTOCOLS: std::ops::RangeInclusive<u8> = 2..=5;
/// The longest name of a module, a class or a function.
const MOST_NAME: usize = 256;

pub(crate) struct Machine<'a, 'k, K: ?Sized> {
    pub(crate) at: usize,
    stack: Vec<Value>,
    marks: Vec<usize>,
    memo: Memo,
    pub(crate) graph: Graph<'a>,
    known: &'k mut K,
}

impl<'a, 'k, K: Known + ?Sized> Machine<'a, 'k, K> {
    pub(crate) fn new(bytes: &'a [u8], known: &'k mut K) -> Self {
        Self {
            known,
            at: 0,
            stack: Vec::new(),
            marks: Vec::new(),
            memo: Memo::default(),
            graph: Graph::new(bytes),
        }
    }

    /// Runs to the end; what is on the stack then.
    pub(crate) fn run(&mut self) -> Result<Value> {
        while self.step()? {}
        Ok(self.stack.pop().unwrap_or(Value::None))
    }

    /// Runs an opcode; false after the last.
    fn step(&mut self) -> Result<bool> {
        let at = self.at;
        let [opcode] = self.take()?;
        match opcode {
            b'.' => return Ok(false),
            0x80 => {
                let [protocol] = self.take()?;
                if !PROTOCOLS.contains(&protocol) {
                    return Err(format!("protocol {protocol}, where 2 to 5 are read"));
                }
            }
            b'(' => {
                self.graph.count()?;
                self.marks.push(self.stack.len());
            }
            b'N' => self.push(Value::None)?,
            0x88 | 0x89 => self.push(Value::Bool(opcode == 0x88))?,
            b'G' => {
                let _number: [u8; 8] = self.take()?;
                self.push(Value::Other)?;
            }
            b'K' | b'M' | b'J' | 0x8a => self.integer(opcode)?,
            b'X' | b'T' | b'U' | 0x8c | 0x8d => self.text(opcode)?,
            b'B' | b'C' | 0x8e | 0x96 => self.bytes(opcode)?,
            b'c' => self.global(at)?,
            0x93 => self.global_of_texts(at)?,
            b')' | 0x85 | 0x86 | 0x87 | b't' | 0x91 => self.tuple(opcode)?,
            b']' | 0x8f | b'l' => self.list(opcode)?,
            b'a' | b'e' | 0x90 => self.append(opcode)?,
            b'}' | b'd' => self.dict(opcode)?,
            b's' | b'u' => self.set_items(opcode)?,
            b'q' | b'r' | 0x94 | b'h' | b'j' => self.remember(opcode)?,
            b'0' | b'1' | b'2' => self.drop_or_double(opcode)?,
            b'Q' => {
                let id = self.pop()?;
                let value = self.known.persistent(&mut self.graph, id, self.at)?;
                self.push(value)?;
            }
            b'R' => {
                let arguments = self.pop_tuple()?;
                let function = self.pop()?;
                let value = self
                    .known
                    .call(&mut self.graph, [function, arguments], at)?;
                self.push(value)?;
            }
            0x81 | 0x92 => self.new_object(opcode)?,
            b'b' => self.build()?,
            // FRAME, which says how many bytes to read at once.
            0x95 => {
                let length = u64::from_le_bytes(self.take()?);
                let left = (self.graph.bytes.len() - self.at) as u64;
                if length > left {
                    return Err(format!(
                        "a frame of {length} bytes at byte {at} of {left} more"
                    ));
                }
            }
            b'S' | b'V' | b'I' | b'L' | b'F' | b'p' | b'g' => {
                return Err(format!(
                    "opcode {opcode:#04x} of protocol 0, which is text, at byte {at}, where 2 to 5 are read"
                ));
            }
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

    /// The length before a text or bytes: of 1, 4 or 8 bytes.
    fn length(&mut self, width: usize) -> Result<usize> {
        let mut whole = [0; 8];
        whole[..width].copy_from_slice(self.slice(width)?);
        usize::try_from(u64::from_le_bytes(whole))
            .map_err(|_long| format!("a length beyond its end at byte {}", self.at))
    }

    /// A text; of Python 2 (`T` and `U`) it may be any bytes.
    fn text(&mut self, opcode: u8) -> Result<()> {
        let length = match opcode {
            b'U' | 0x8c => self.length(1)?,
            0x8d => self.length(8)?,
            _ => self.length(4)?,
        };
        let span = self.span(self.at, length)?;
        let text = self.slice(length)?;
        match str::from_utf8(text) {
            Ok(_) => self.push(Value::Text(span)),
            Err(_) if matches!(opcode, b'T' | b'U') => self.push(Value::Bytes(span)),
            Err(_) => Err("text that is not UTF-8".to_owned()),
        }
    }

    fn bytes(&mut self, opcode: u8) -> Result<()> {
        let length = match opcode {
            b'C' => self.length(1)?,
            b'B' => self.length(4)?,
            _ => self.length(8)?,
        };
        let span = self.span(self.at, length)?;
        self.slice(length)?;
        self.push(Value::Bytes(span))
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
            let end = rest.iter().take(MOST_NAME).position(|&byte| byte == b'\n');
            let end = end.ok_or_else(|| format!("a name without an end at byte {start}"))?;
            if str::from_utf8(&rest[..end]).is_err() {
                return Err(format!("a name that is not UTF-8 at byte {start}"));
            }
            self.at += end + 1;
            self.span(start, end)
        };
        let names = [line()?, line()?];
        self.allowed(names, at)
    }

    /// The same from two texts.
    fn global_of_texts(&mut self, at: usize) -> Result<()> {
        let (name, module) = (self.pop()?, self.pop()?);
        match (module, name) {
            (Value::Text(module), Value::Text(name))
                if module.length.max(name.length) as usize <= MOST_NAME =>
            {
                self.allowed([module, name], at)
            }
            _ => Err(format!("a name that is none at byte {at}")),
        }
    }

    fn allowed(&mut self, names: [Span; 2], at: usize) -> Result<()> {
        let [module, name] = names.map(|span| self.graph.part(span));
        if !self.known.allows(module, name) {
            return Err(format!("the global {module}.{name} at byte {at}"));
        }
        let global = self.graph.new_global(names)?;
        self.push(global)
    }

    fn tuple(&mut self, opcode: u8) -> Result<()> {
        let values = match opcode {
            b')' => Vec::new(),
            b't' | 0x91 => self.since_mark()?,
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

    fn list(&mut self, opcode: u8) -> Result<()> {
        let values = match opcode {
            b'l' => self.since_mark()?,
            _ => Vec::new(),
        };
        let list = self.graph.new_list(values)?;
        self.push(list)
    }

    fn dict(&mut self, opcode: u8) -> Result<()> {
        let values = match opcode {
            b'd' => self.since_mark()?,
            _ => Vec::new(),
        };
        let items = values.chunks_exact(2).map(|pair| (pair[0], pair[1]));
        let dict = self.graph.new_dict(items.collect())?;
        self.push(dict)
    }

    /// Puts the last value into the memo, or takes one out of it.
    fn remember(&mut self, opcode: u8) -> Result<()> {
        if matches!(opcode, b'h' | b'j') {
            let place = self.place(opcode == b'h')?;
            let value = self.memo.get(place)?;
            return self.push(value);
        }
        let place = match opcode {
            0x94 => self.memo.next()?,
            _ => self.place(opcode == b'q')?,
        };
        let value = self.pop()?;
        self.memo.put(place, value)?;
        self.stack.push(value);
        Ok(())
    }

    fn drop_or_double(&mut self, opcode: u8) -> Result<()> {
        let floor = self.marks.last().copied().unwrap_or(0);
        match opcode {
            b'2' => {
                let value = self.pop()?;
                self.stack.push(value);
                self.push(value)
            }
            b'0' if self.stack.len() > floor => self.pop().map(|_| ()),
            _ => self.since_mark().map(|_| ()),
        }
    }

    /// `NEWOBJ` and `NEWOBJ_EX`: class and arguments to an object.
    fn new_object(&mut self, opcode: u8) -> Result<()> {
        if opcode == 0x92 {
            self.pop()?;
        }
        let arguments = self.pop_tuple()?;
        let class = self.pop()?;
        let object = self.graph.new_object(class, arguments)?;
        self.push(object)
    }

    fn append(&mut self, opcode: u8) -> Result<()> {
        let values = match opcode {
            b'e' | 0x90 => self.since_mark()?,
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
