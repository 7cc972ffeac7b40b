//! Which tile and how many splits suit each matrix product of a network's training step on a GPU: every plan is tried on every product, in
//! whole steps, with each kernel timed by the device's clock.

use std::collections::BTreeMap;

use model::{Architecture, Network};
use tensor::{Device, Launch, Product, TileKind, TilePlan};

use crate::error::Result;
use crate::recipe::Recipe;
use crate::step::recipe_optimizer::RecipeOptimizer;
use crate::throughput::{Noise, captured};

/// Steps that are timed with each plan, after one that is not; the median counts.
const STEPS: u32 = 3;
/// Stretches of K that are tried.
const SPLITS: [u32; 11] = [1, 2, 3, 4, 6, 8, 12, 16, 24, 32, 48];

/// What was found for one product.
#[derive(Clone, Debug)]
pub struct Tuned {
    /// The product.
    pub product: Product,
    /// How often a step computes it.
    pub calls: usize,
    /// What is used without tuning, and its seconds.
    pub predicted: (TilePlan, f64),
    /// Every plan that was tried, the fastest first.
    pub plans: Vec<(TilePlan, f64)>,
}

impl Tuned {
    /// Floating-point operations of all calls.
    #[must_use]
    #[expect(clippy::cast_precision_loss, reason = "a count of calls")]
    pub fn flops(&self) -> f64 {
        let sizes = [
            self.product.m,
            self.product.n,
            self.product.k,
            self.product.layers,
        ];
        2.0 * self.calls as f64 * sizes.map(f64::from).iter().product::<f64>()
    }
}

/// Seconds of one step's calls of each product, by plan.
type Times = BTreeMap<Product, BTreeMap<TilePlan, (usize, f64)>>;

/// Tries `tiles` with all splits on the products of a training step of `architecture` on batches of `n` images. `report` is told how many
/// of how many plans are done. The longest product comes first.
///
/// ```no_run
/// use tensor::{Device, TileKind};
///
/// let architecture = model::Architecture::new("alexnet-cifar", Some(10), None)?;
/// let recipe = train::Recipe::named("cifar10")?;
/// let device = Device::open("gpu")?;
/// let tiles = [TileKind::Medium, TileKind::Small];
/// for tuned in train::tune::tune(&architecture, &recipe, 64, &device, &tiles, |_, _| {})? {
///     println!("{:?}: {:?}", tuned.product, tuned.plans.first());
/// }
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
/// If the device has no room, fails, or can't time its kernels.
pub fn tune(
    architecture: &Architecture,
    recipe: &Recipe,
    n: usize,
    device: &Device,
    tiles: &[TileKind],
    mut report: impl FnMut(usize, usize),
) -> Result<Vec<Tuned>> {
    let network = Network::new(architecture.clone(), recipe.seed, device)?;
    let optimizer = RecipeOptimizer::new(recipe, &network)?;
    let noise = Noise::new(architecture, n)?;
    let times = |plan: Option<TilePlan>| -> Result<Times> {
        device.set_plan(plan);
        let step = captured(&network, &optimizer, recipe, &noise);
        device.set_plan(None);
        let mut step = step?;
        step.train(&optimizer)?;
        device.start_profile();
        for _ in 0..STEPS {
            step.train(&optimizer)?;
        }
        let profile = device.finish_profile().map_err(tensor::Error::from)?;
        Ok(by_product(&profile.launches))
    };
    let predicted = times(None)?;
    let mut all = Times::new();
    let candidates: Vec<TilePlan> = tiles
        .iter()
        .flat_map(|&tile| SPLITS.map(|splits| TilePlan { tile, splits }))
        .collect();
    for (done, plan) in candidates.iter().enumerate() {
        report(done, candidates.len());
        keep_best(&mut all, times(Some(*plan))?);
    }
    // Once more: at first the device's clock was still low.
    keep_best(&mut all, times(None)?);
    report(candidates.len(), candidates.len());
    let mut tuned: Vec<Tuned> = predicted
        .into_iter()
        .filter_map(|(product, plans)| {
            let (&plan, &(calls, _)) = plans.first_key_value()?;
            let mut plans: Vec<_> = all[&product]
                .iter()
                .map(|(&plan, time)| (plan, time.1))
                .collect();
            plans.sort_by(|a, b| a.1.total_cmp(&b.1));
            let seconds = all[&product][&plan].1;
            Some(Tuned {
                product,
                calls,
                predicted: (plan, seconds),
                plans,
            })
        })
        .collect();
    tuned.sort_by(|a, b| b.predicted.1.total_cmp(&a.predicted.1));
    Ok(tuned)
}

/// Adds times, of which the shortest counts.
fn keep_best(all: &mut Times, times: Times) {
    for (product, plans) in times {
        let known = all.entry(product).or_default();
        for (plan, time) in plans {
            let best = known.entry(plan).or_insert(time);
            best.1 = best.1.min(time.1);
        }
    }
}

/// The median over steps of the seconds that each product took, the reduction of split sums included.
fn by_product(launches: &[Launch]) -> Times {
    let mut steps: Vec<BTreeMap<(Product, TilePlan), (usize, f64)>> = Vec::new();
    let per_step = launches.len() / STEPS as usize;
    for launches in launches.chunks(per_step.max(1)).take(STEPS as usize) {
        let mut sums = BTreeMap::new();
        let mut last = None;
        for launch in launches {
            if let Some(key) = launch.product {
                let sum: &mut (usize, f64) = sums.entry(key).or_default();
                *sum = (sum.0 + 1, sum.1 + launch.seconds);
                last = Some(key);
            } else if launch.kernel == "gemm_reduce"
                && let Some(sum) = last.and_then(|key| sums.get_mut(&key))
            {
                sum.1 += launch.seconds;
            }
        }
        steps.push(sums);
    }
    let mut times = Times::new();
    if let Some(first) = steps.first() {
        for (key, (calls, _)) in first {
            let mut seconds: Vec<f64> = steps
                .iter()
                .filter_map(|step| step.get(key).map(|sum| sum.1))
                .collect();
            seconds.sort_by(f64::total_cmp);
            let median = seconds[seconds.len() / 2];
            times
                .entry(key.0)
                .or_default()
                .insert(key.1, (*calls, median));
        }
    }
    times
}
