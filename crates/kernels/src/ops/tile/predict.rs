//! The tile and the splits of a product by predicted time: a pure function of the product's sizes and the card.
//!
//! A multiprocessor takes one workgroup after the other, or several at once, and reaches its full rate only with
//! sums enough under way. So a product takes as long as the multiprocessor with the most workgroups, whose rate depends on how many
//! it has; splitting K makes more workgroups of less work, and costs the traffic of the partial sums.

use super::{Card, MAX_GROUPS, Product, TileKind, TilePlan};

/// Into how many stretches K may be cut, unless it has to be.
const SPLITS: [u32; 16] = [1, 2, 3, 4, 5, 6, 7, 8, 10, 12, 16, 20, 24, 32, 48, 64];
/// Steps of K that are worth a workgroup of their own.
const LEAST_STRETCH: u32 = 128;
/// Steps of K that take as long as what a workgroup does before and after its loop.
const AROUND_LOOP: u32 = 64;
/// Sums that a multiprocessor has to have under way for its full rate. An H100 reaches it with one workgroup of
/// [`TileKind::Large`]; with one of [`TileKind::Medium`], a quarter, it reaches .4 of it, with four .87 (cuda cores 4.6,
/// benches/README.md, "On an H100").
const SUMS: f64 = 16_384.0;
/// Turns of the loop over K that one dispatch may take: llvmpipe silently ends all loops of an invocation after 65,535
/// turns in sum (`LP_MAX_TGSI_LOOP_ITERATIONS`), so a longer K is split.
const MOST_TURNS: u32 = 32_768;

/// The share of a card's bandwidth that adding up partial sums reaches.
const REACHED: f64 = 0.66;
/// Seconds that a further dispatch costs, the wait for the one before included.
const DISPATCH: f64 = 4e-6;

/// The fastest plan by [`seconds`] among `tiles` and up to `most` splits.
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
    let time = |plan: &TilePlan| seconds(card, product, *plan);
    let fastest = plans.min_by(|a, b| time(a).total_cmp(&time(b)));
    fastest.unwrap_or(TilePlan {
        tile: TileKind::Small,
        splits: 1,
    })
}

/// How long a product takes on a card; for ever if the grid is too long.
pub(super) fn seconds(card: &Card, product: &Product, plan: TilePlan) -> f64 {
    let tile = plan.tile.tile();
    let [x, y] = tile.grid(product.m, product.n);
    if y > MAX_GROUPS {
        return f64::INFINITY;
    }
    let groups = f64::from(x) * f64::from(y) * f64::from(product.layers) * f64::from(plan.splits);
    let sums = f64::from(tile.m) * f64::from(tile.n);
    let stretch = product.k.div_ceil(plan.splits).next_multiple_of(tile.k());
    let work = 2.0 * sums * (f64::from(stretch) + f64::from(AROUND_LOOP));
    let on_one = (groups / f64::from(card.multiprocessors)).ceil();
    let filled = (on_one * sums / SUMS).min(1.0).powf(0.7);
    let (share, start_s) = measured(plan.tile);
    let product_s = on_one * work / (card.flops * share * filled) + start_s;
    if plan.splits == 1 {
        return product_s;
    }
    let results = f64::from(product.m) * f64::from(product.n) * f64::from(product.layers);
    let bytes = 4.0 * results * (2.0 * f64::from(plan.splits) + 1.0);
    product_s + bytes / (REACHED * card.bandwidth) + DISPATCH
}

/// The share of its peak that a full multiprocessor reaches, and the seconds by which the shortest product takes longer than
/// with the smallest tile: a kernel's first turn waits for its instructions, of which the large ones have many.
const fn measured(tile: TileKind) -> (f64, f64) {
    match tile {
        TileKind::Large => (0.66, 12e-6),
        TileKind::Medium => (0.60, 6e-6),
        TileKind::Compact => (0.48, 2e-6),
        TileKind::Wide => (0.55, 6e-6),
        TileKind::Small | TileKind::Register | TileKind::Subgroup => (0.46, 0.0),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn card(multiprocessors: u32, gigabytes_per_s: f64, tiles: &'static [TileKind]) -> Card {
        Card {
            multiprocessors,
            flops: 0.5e12,
            bandwidth: 1e9 * gigabytes_per_s,
            tiles,
        }
    }

    const GPU: &[TileKind] = Card::H100.tiles;
    const NARROW: &[TileKind] = &[TileKind::Compact, TileKind::Small];
    /// From an integrated GPU to the largest there is.
    const CARDS: [Card; 6] = [
        card(8, 68.0, NARROW),
        card(20, 120.0, NARROW),
        card(24, 272.0, GPU),
        card(96, 960.0, GPU),
        Card::H100,
        card(170, 1792.0, GPU),
    ];

    fn product(kernel: &'static str, [m, n, k]: [u32; 3]) -> Product {
        Product {
            kernel,
            m,
            n,
            k,
            layers: 1,
        }
    }

    /// The products of alexnet-ungrouped's second, third and seventh layer and of its first layer's filters, for batches of `n`.
    fn products(n: u32) -> [Product; 11] {
        let (second, third) = (27 * 27 * n, 13 * 13 * n);
        [
            product("conv2d_forward", [second, 256, 2400]),
            product("conv2d_data_gradient", [second, 96, 6400]),
            product("conv2d_weight_gradient", [2400, 256, second]),
            product("conv2d_forward", [third, 384, 2304]),
            product("conv2d_data_gradient", [third, 256, 3456]),
            product("conv2d_weight_gradient", [2304, 384, third]),
            product("gemm", [n, 4096, 4096]),
            product("gemm", [4096, 4096, n]),
            product("conv2d_weight_gradient", [363, 96, 55 * 55 * n]),
            product("gemm", [n, 10, 4096]),
            product("gemm", [4096, 10, n]),
        ]
    }

    #[test]
    fn a_plan_is_the_fastest_of_what_suits_the_card() {
        for card in CARDS {
            for product in [32, 128, 256].into_iter().flat_map(products) {
                let plan = best(&card, &product, card.tiles, u32::MAX);
                assert!(card.tiles.contains(&plan.tile), "{plan:?}");
                assert!(product.k / plan.splits >= LEAST_STRETCH || plan.splits == 1);
                let time = seconds(&card, &product, plan);
                for &tile in card.tiles {
                    for splits in SPLITS
                        .into_iter()
                        .filter(|s| product.k / s >= LEAST_STRETCH)
                    {
                        let other = seconds(&card, &product, TilePlan { tile, splits });
                        assert!(
                            time <= other,
                            "{product:?}: {plan:?} or {tile:?} / {splits}"
                        );
                    }
                }
            }
        }
    }

    #[test]
    fn few_large_results_with_long_sums_are_split_until_the_card_is_full() {
        for card in CARDS {
            let product = product("conv2d_weight_gradient", [363, 96, 55 * 55 * 128]);
            let plan = best(&card, &product, card.tiles, u32::MAX);
            let [x, y] = plan.tile.tile().grid(product.m, product.n);
            let groups = x * y * plan.splits;
            assert!(
                4 * groups >= 3 * card.multiprocessors,
                "{plan:?} makes {groups} groups"
            );
        }
    }

    #[test]
    fn splits_keep_to_what_memory_allows() {
        let product = product("conv2d_weight_gradient", [2400, 256, 93_312]);
        for most in [1, 2, 5] {
            let plan = best(&Card::H100, &product, GPU, most);
            assert!(plan.splits <= most, "{plan:?}");
        }
    }

    #[test]
    fn a_software_rasteriser_splits_only_sums_that_are_too_long_for_it() {
        let tiles = [TileKind::Register];
        let splits = |k| {
            let product = product("gemm", [64, 64, k]);
            best(&card(1, 10.0, GPU), &product, &tiles, u32::MAX).splits
        };
        assert_eq!([100, 131_072, 131_073].map(splits), [1, 1, 2]);
    }
}
