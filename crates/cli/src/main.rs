//! The alexnet command.

fn main() {}
