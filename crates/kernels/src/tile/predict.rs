//! The tile and the splits of a product by predicted time: a pure function of the product's sizes and the card.
//!
//! A multiprocessor takes one workgroup after the other, or several at once, and reaches its full rate only with
//! sums enough under way. So a product takes as long as the multiprocessor with the most workgroups, whose rate depends on how many
//! it has; splitting K makes more workgroups of less work, and costs the traffic of the partial sums.

use super::{Card, MAX_GROUPS, Product, TileKind, TilePlan};
use crate::profile::Cost;

/// Into how many stretches K may be cut, unless it has to be.
const SPLITS: [u32; 16] = [1, 2, 3, 4, 5, 6, 7, 8, 10, 12, 16, 20, 24, 32, 48, 64];
/// Steps of K that are worth a workgroup of their own.
const LEAST_STRETCH: u32 = 128;
/// Steps of K that take as long as what a workgroup does before and after its loop.
const AROUND_LOOP: u32 = 64;
/// Sums that a multiprocessor has to have under way for its full rate, which otherwise grows with their root. One workgroup of
/// [`TileKind::Large`] has as many; one of [`TileKind::Medium`] reached .4 of an H100's rate, four .87.
const SUMS: f64 = 16_384.0;
/// Turns of the loop over K that one dispatch may take: llvmpipe silently ends all loops of an invocation after 65,535
/// turns in sum (`LP_MAX_TGSI_LOOP_ITERATIONS`), so a longer K is split.
const MOST_TURNS: u32 = 32_768;

/// The share of a card's bandwidth that adding up partial sums reaches.
pub(super) const REACHED: f64 = 0.66;
/// Seconds that a further dispatch costs, the wait for the one before included.
pub(crate) const DISPATCH: f64 = 4e-6;

/// By how much a split has to be faster to be worth its memory.
const SPLIT: f64 = 1.05;

/// The best plan by [`cost`] among `tiles` and up to `most` splits.
pub(super) fn best(card: &Card, product: &Product, tiles: &[TileKind], most: u32) -> TilePlan {
    let plans = tiles.iter().flat_map(|&tile| {
        let least = product.k.div_ceil(MOST_TURNS * tile.tile().k()).max(1);
        let fits = move |&splits: &u32| splits <= most && product.k / splits >= LEAST_STRETCH;
        let more = SPLITS
            .into_iter()
            .filter(move |&splits| splits > least)
            .filter(fits);
        // A software rasteriser has few workgroups to fill.
        let more = more.filter(move |_| tile.tile().uses_workgroup_memory());
        let plan = move |splits| TilePlan { tile, splits };
        std::iter::once(least).chain(more).map(plan)
    });
    let cost = |plan: &TilePlan| cost(card, product, *plan);
    let fastest = plans.min_by(|a, b| cost(a).total_cmp(&cost(b)));
    fastest.unwrap_or(TilePlan {
        tile: TileKind::Small,
        splits: 1,
    })
}

/// What a plan costs: seconds, and somewhat more if it takes memory for partial sums.
fn cost(card: &Card, product: &Product, plan: TilePlan) -> f64 {
    let factor = if plan.splits > 1 { SPLIT } else { 1.0 };
    factor * seconds(card, product, plan)
}

/// How long a product takes on a card, until its partial sums are added up; for ever if the grid is too long.
pub(super) fn seconds(card: &Card, product: &Product, plan: TilePlan) -> f64 {
    let product_s = product_seconds(card, product, plan);
    if plan.splits == 1 {
        return product_s;
    }
    let results = f64::from(product.m) * f64::from(product.n) * f64::from(product.layers);
    let bytes = 4.0 * results * (2.0 * f64::from(plan.splits) + 1.0);
    product_s + bytes / (REACHED * card.bandwidth) + DISPATCH
}

/// How long a launch takes on a card, the wait for the one before included: its arithmetic if it is a product, or the traffic of what it
/// binds, whichever is longer.
pub(crate) fn launch_seconds(card: &Card, cost: &Cost) -> f64 {
    let product_s = cost
        .product
        .map_or(0.0, |(product, plan)| product_seconds(card, &product, plan));
    product_s.max(cost.bytes as f64 / (REACHED * card.bandwidth)) + DISPATCH
}

/// How long a product's own launch takes.
fn product_seconds(card: &Card, product: &Product, plan: TilePlan) -> f64 {
    let tile = plan.tile.tile();
    let [x, y] = tile.grid(product.m, product.n);
    if y > MAX_GROUPS {
        return f64::INFINITY;
    }
    let groups = f64::from(x) * f64::from(y) * f64::from(product.layers) * f64::from(plan.splits);
    let sums = f64::from(tile.m) * f64::from(tile.n);
    let stretch = product.k.div_ceil(plan.splits).next_multiple_of(tile.k());
    let work = 2.0 * sums * (f64::from(stretch) + f64::from(AROUND_LOOP));
    // Where there are many, the last ones are spread over all.
    let each = groups / f64::from(card.multiprocessors);
    let on_one = each.ceil().min((each + 0.75).max(4.0)).max(1.0);
    let filled = (on_one * sums / SUMS).min(1.0).sqrt();
    let (share, start_s) = measured(plan.tile);
    on_one * work / (card.flops * share * filled) + start_s
}

/// The share of its peak that a full multiprocessor reaches on an H100 (see the test), and the seconds by which the shortest product takes longer than
/// with the smallest tile: a kernel's first turn waits for its instructions, of which the large ones have many.
const fn measured(tile: TileKind) -> (f64, f64) {
    match tile {
        TileKind::Large => (0.66, 12e-6),
        TileKind::Medium => (0.60, 10e-6),
        TileKind::Compact => (0.48, 2e-6),
        TileKind::Wide => (0.51, 4e-6),
        TileKind::Small | TileKind::Register | TileKind::Subgroup => (0.42, 0.0),
    }
}

#[cfg(test)]
mod tests;
