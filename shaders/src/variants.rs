//! Every variant that can be asked for, one function per family. What is not listed here is not validated, so launches
//! take their variants from these functions and never name a constant themselves.

pub mod augment;
mod conv2d;
mod gemm;
mod rows;
mod tile;
pub mod update;

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
    let of = |other| all.iter().filter(move |listed| listed.reals != other);
    let full = of(Reals::Half).map(|listed| listed.variant);
    let half = of(Reals::Full).map(|listed| listed.variant.half(true));
    full.chain(half).collect()
}

/// The floats that a template's `real` may be, with one set of constants.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Reals {
    /// 32-bit ones; most such templates have no `real`.
    Full,
    /// 32-bit or 16-bit ones: what activations and their gradients pass through.
    Both,
    /// 16-bit ones: it converts between them and 32-bit ones.
    Half,
}

/// A template with one set of constants.
#[derive(Clone, Copy, Debug)]
struct Listed {
    variant: Variant,
    reals: Reals,
}

impl Reals {
    /// Declares a variant that is rendered with these.
    const fn of(self, variant: Variant) -> Listed {
        Listed {
            variant,
            reals: self,
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
        .collect()
}

/// The entry points that templates without constants say they have. Their operands may be of 16 bits where they say `real`.
fn without_constants() -> impl Iterator<Item = Listed> {
    FILES.iter().flat_map(|&(name, text)| {
        let stem = name.strip_suffix(".wgsl").unwrap_or(name);
        let list = text.split_once(ENTRY_POINTS);
        let list = list.and_then(|(_, rest)| rest.split_once("#}"));
        let entries = list.map_or("", |(entries, _)| entries).split_whitespace();
        let reals = if text.contains("{{ real }}") {
            Reals::Both
        } else {
            Reals::Full
        };
        entries.map(move |entry| reals.of(Variant::new(stem, entry)))
    })
}
