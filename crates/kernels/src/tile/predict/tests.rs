//! Predictions for cards of all sizes, and beside what an H100 took.

use super::*;

const fn card(multiprocessors: u32, gigabytes_per_s: f64, tiles: &'static [TileKind]) -> Card {
    Card {
        multiprocessors,
        flops: 0.5e12,
        bandwidth: 1e9 * gigabytes_per_s,
        tiles,
        spills: &[],
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
fn predictions_for_an_h100_choose_what_was_fastest_on_one() {
    let (mut chosen_ms, mut fastest_ms) = (0.0, 0.0);
    let lines = include_str!("../h100.txt").lines();
    for line in lines.filter(|line| !line.starts_with('#')) {
        let (what, times) = line.split_once(": ").unwrap();
        let words: Vec<&str> = what.split(' ').collect();
        let size = |idx: usize| words[idx].parse().unwrap();
        let product = product("measured", [size(1), size(2), size(3)]);
        let times: Vec<&str> = times.split(' ').collect();
        let plans = times
            .chunks(2)
            .map(|pair| (plan(pair[0]), pair[1].parse::<f64>().unwrap()));
        let plans: Vec<_> = plans.collect();
        let time = |plan: TilePlan| cost(&Card::H100, &product, plan);
        let chosen = plans.iter().min_by(|a, b| time(a.0).total_cmp(&time(b.0)));
        let (chosen, took) = *chosen.unwrap();
        let fastest = plans
            .iter()
            .map(|plan| plan.1)
            .fold(f64::INFINITY, f64::min);
        // The first layer's patches are gathered number by number, which the prediction does not know.
        assert!(
            took <= 1.2 * fastest,
            "{what}: {chosen:?} took {took}, not {fastest} ms"
        );
        (chosen_ms, fastest_ms) = (chosen_ms + took, fastest_ms + fastest);
    }
    assert!(
        chosen_ms <= 1.02 * fastest_ms,
        "{chosen_ms} ms in all, not {fastest_ms}"
    );
}

/// `large/3`
fn plan(text: &str) -> TilePlan {
    let (name, splits) = text.split_once('/').unwrap();
    let is_named = |tile: &TileKind| format!("{tile:?}").to_lowercase() == name;
    TilePlan {
        tile: TileKind::ALL.into_iter().find(is_named).unwrap(),
        splits: splits.parse().unwrap(),
    }
}

#[test]
fn a_plan_is_the_fastest_of_what_suits_the_card() {
    for card in CARDS {
        for product in [32, 128, 256].into_iter().flat_map(products) {
            let plan = best(&card, &product, card.tiles, u32::MAX);
            assert!(card.tiles.contains(&plan.tile), "{plan:?}");
            assert!(product.k / plan.splits >= LEAST_STRETCH || plan.splits == 1);
            let least = cost(&card, &product, plan);
            for &tile in card.tiles {
                for splits in SPLITS
                    .into_iter()
                    .filter(|s| product.k / s >= LEAST_STRETCH)
                {
                    let other = cost(&card, &product, TilePlan { tile, splits });
                    assert!(
                        least <= other,
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
