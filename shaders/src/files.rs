//! The WGSL files, embedded: what the build script has found in the folder, so that a new file needs no line here.

/// Name and text of every template.
pub(crate) const FILES: &[(&str, &str)] = include!(concat!(env!("OUT_DIR"), "/files.rs"));

/// How a template without constants says what may be asked of it: `{# entry points: relu_backward relu_forward #}`.
pub(crate) const ENTRY_POINTS: &str = "{# entry points:";
