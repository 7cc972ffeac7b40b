//! Every variant that can be asked for, one function per family. What is not listed here is not validated, so launches
//! take their variants from these functions and never name a constant themselves.

pub mod augment;
mod conv2d;
mod gemm;
mod rows;
mod tile;
pub mod update;
pub mod winograd;

pub use conv2d::Conv2d;
pub use gemm::Gemm;
pub use rows::{
    RowLanes, Targets, batch_norm, bias, cast, column_sum, cross_entropy_backward,
    cross_entropy_forward, cross_entropy_total, lrn, max_pool, softmax,
};
pub use tile::Tile;

use crate::Variant;
use crate::files::{ENTRY_POINTS, FILES};

/// Every variant of every file.
#[must_use]
pub fn variants() -> Vec<Variant> {
    let all = templates();
    let of = |other| all.iter().filter(move |listed| listed.dtypes != other);
    let full = of(Dtypes::F16).map(|listed| listed.variant);
    let f16 = of(Dtypes::F32).map(|listed| listed.variant.f16(true));
    full.chain(f16).collect()
}

/// The floats that a template's `dtype` may be, with one set of constants.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Dtypes {
    /// 32-bit ones; most such templates have no `dtype`.
    F32,
    /// 32-bit or 16-bit ones: what activations and their gradients pass through.
    Both,
    /// 16-bit ones: it converts between them and 32-bit ones.
    F16,
}

/// A template with one set of constants.
#[derive(Clone, Copy, Debug)]
struct Listed {
    variant: Variant,
    dtypes: Dtypes,
}

impl Dtypes {
    /// Declares a variant that is rendered with these.
    const fn of(self, variant: Variant) -> Listed {
        Listed {
            variant,
            dtypes: self,
        }
    }
}

/// Every template with every set of constants.
fn templates() -> Vec<Listed> {
    without_constants()
        .chain(rows::all())
        .chain(gemm::all())
        .chain(conv2d::all())
        .chain(update::all())
        .chain(augment::all())
        .chain(winograd::all())
        .collect()
}

/// The entry points that templates without constants say they have. Their operands may be of 16 bits where they say `dtype`.
fn without_constants() -> impl Iterator<Item = Listed> {
    FILES.iter().flat_map(|&(name, text)| {
        let stem = name.strip_suffix(".wgsl").unwrap_or(name);
        let list = text.split_once(ENTRY_POINTS);
        let list = list.and_then(|(_, rest)| rest.split_once("#}"));
        let entries = list.map_or("", |(entries, _)| entries).split_whitespace();
        let dtypes = if text.contains("{{ dtype }}") {
            Dtypes::Both
        } else {
            Dtypes::F32
        };
        entries.map(move |entry| dtypes.of(Variant::new(stem, entry)))
    })
}
