//! Nothing: this crate's dependencies are its purpose, and its manifest says which.
