//! Python's pickles, read without running anything.
//!
//! A pickle is a program for a stack machine that may call any function. Here it may build text, bytes, numbers, tuples,
//! lists and dictionaries; which classes and functions may be named is for the reader to say ([`Known`]), and what they
//! would give is described, never made. Any other opcode is an error that names it.
//!
//! Nothing is trusted: each length is checked against the bytes there are before anything is taken, values lie in flat
//! tables with limits ([`Graph`]), so nothing recurses, and texts and bytes stay where they are.
//!
//! Not here: pickles of protocols 0 and 1, which are text; buffers outside of a pickle (protocol 5); writing.

mod arrays;
mod graph;
mod machine;

pub use arrays::{Array, Arrays, ElementKind};
pub use graph::{Graph, Object, Span, Value};

/// Why a pickle was refused, in words: what was found, and at which byte.
pub type Result<T> = std::result::Result<T, String>;

/// What a reader knows of the classes and functions that a pickle names.
pub trait Known {
    /// Whether a class or function may be named; one that may not is an error.
    fn allows(&self, module: &str, name: &str) -> bool;

    /// What a function would give for a tuple of arguments; `at` is the byte of the call. An object that is described by
    /// both, unless this says otherwise.
    ///
    /// # Errors
    /// If the arguments are not those of a call that is known.
    fn call(
        &mut self,
        graph: &mut Graph<'_>,
        [function, arguments]: [Value; 2],
        at: usize,
    ) -> Result<Value> {
        let _: usize = at;
        graph.new_object(function, arguments)
    }

    /// What a persistent identifier, something outside of the pickle, stands for.
    ///
    /// # Errors
    /// If it is not known; nothing is, unless this says otherwise.
    fn persistent(&mut self, graph: &mut Graph<'_>, id: Value, at: usize) -> Result<Value> {
        let _: (&mut Graph<'_>, Value) = (graph, id);
        Err(format!("a persistent identifier at byte {at}"))
    }
}

/// A pickle that was read.
#[derive(Debug)]
pub struct Pickle<'a> {
    /// All its values.
    pub graph: Graph<'a>,
    /// What it is a pickle of.
    pub root: Value,
    /// How many bytes it took.
    pub length: usize,
}

/// Reads a pickle; the bytes may go on behind it.
///
/// # Errors
/// What is wrong with it, in words.
pub fn read<'a>(bytes: &'a [u8], known: &mut (impl Known + ?Sized)) -> Result<Pickle<'a>> {
    let mut machine = machine::Machine::new(bytes, known);
    let root = machine.run()?;
    Ok(Pickle {
        root,
        length: machine.at,
        graph: machine.graph,
    })
}

/// The example in README.md, which is tested.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;

#[cfg(test)]
mod tests;
