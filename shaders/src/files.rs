//! The WGSL files, embedded: what the build script has found in the folder, so that a new file needs no line here.

use crate::Variant;

/// Name and text of every template.
pub(crate) const FILES: &[(&str, &str)] = include!(concat!(env!("OUT_DIR"), "/files.rs"));

/// How a template without constants says what may be asked of it: `{# entry points: relu_backward relu_forward #}`.
const ENTRY_POINTS: &str = "{# entry points:";

/// The entry points of templates without constants. Those with constants are listed by [`mod@crate::variants`].
pub(crate) fn without_constants() -> impl Iterator<Item = Variant> {
    FILES.iter().flat_map(|&(name, text)| {
        let stem = name.strip_suffix(".wgsl").unwrap_or(name);
        let list = text.split_once(ENTRY_POINTS);
        let list = list.and_then(|(_, rest)| rest.split_once("#}"));
        let entries = list.map_or("", |(entries, _)| entries).split_whitespace();
        entries.map(move |entry| Variant::new(stem, entry))
    })
}
