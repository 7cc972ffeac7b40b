//! Which shader variants a card runs, there or not: a dry device stands for it, and AlexNet's own shapes are asked for.

use kernels::{CardSpec, Device, Variant};

use crate::error::{Error, Result};
use crate::operators::{Case, Operator, operators};

/// What a card launches for an operator at one of AlexNet's shapes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Launched {
    /// The shape: the name of the case, such as `alexnet:conv1`, or its line.
    pub shape: &'static str,
    /// Forward, its own kernel first.
    pub forward: Vec<Variant>,
    /// Backward, without what forward launches too.
    pub backward: Vec<Variant>,
}

/// What `card` launches for the operator of this name, at the first of its cases.
///
/// ```
/// use kernels::{AdapterKind, CardSpec};
/// use verify::learn::launched;
///
/// let lrn = launched("lrn", &CardSpec::new("Apple M1", 0x106b, AdapterKind::Integrated))?;
/// assert_eq!((lrn.shape, lrn.forward[0].entry), ("alexnet:lrn1", "lrn_forward"));
/// # Ok::<(), verify::Error>(())
/// ```
///
/// # Errors
/// [`Error::UnknownOperator`]; others are bugs.
pub fn launched(operator: &str, card: &CardSpec) -> Result<Launched> {
    let all = operators();
    let found = all.iter().find(|known| known.stem == operator);
    let found = found.ok_or_else(|| Error::UnknownOperator {
        name: operator.to_owned(),
        known: all
            .iter()
            .map(|known| known.stem)
            .collect::<Vec<_>>()
            .join(", "),
    })?;
    let cases = cases(found)?;
    let (line, case) = cases.first().ok_or_else(|| Error::Cases {
        message: format!("tests/cases/{operator}.txt: no case"),
    })?;
    of_case(operator, line, &**case, card)
}

/// The variant with this entry point that `card` launches, and at which shape: that of the first case in which it does. None if no
/// case launches it there.
///
/// ```
/// use kernels::{AdapterKind, CardSpec};
/// use verify::learn::variant_on;
///
/// let card = CardSpec::new("Apple M1", 0x106b, AdapterKind::Integrated);
/// let (variant, shape) = variant_on("gemm", &card)?.expect("dense layers have products");
/// assert!(variant.constant("tile_m").is_some() && shape.starts_with("alexnet:fc6"));
/// # Ok::<(), verify::Error>(())
/// ```
///
/// # Errors
/// None but for bugs.
pub fn variant_on(entry: &str, card: &CardSpec) -> Result<Option<(Variant, &'static str)>> {
    let variants = kernels::shader_variants();
    let Some(stem) = variants
        .iter()
        .find(|it| it.entry == entry)
        .map(|it| it.stem)
    else {
        return Ok(None);
    };
    let mut all = operators();
    // Others launch it too, such as the sum of split products.
    all.sort_by_key(|operator| operator.stem != stem);
    for operator in &all {
        for (line, case) in cases(operator)? {
            let found = of_case(operator.stem, line, &*case, card)?;
            let shape = found.shape;
            let mut launched = found.forward.into_iter().chain(found.backward);
            if let Some(variant) = launched.find(|variant| variant.entry == entry) {
                return Ok(Some((variant, shape)));
            }
        }
    }
    Ok(None)
}

fn cases(operator: &Operator) -> Result<Vec<crate::operators::Line>> {
    operator.cases().map_err(|message| Error::Cases { message })
}

fn of_case(stem: &str, line: &'static str, case: &dyn Case, card: &CardSpec) -> Result<Launched> {
    let device = Device::dry(card.clone());
    let inputs = case.inputs();
    let inputs = inputs.iter().map(|input| device.alloc(input.len));
    let inputs = inputs.collect::<kernels::Result<Vec<_>>>()?;
    device.stand_for(card.clone());
    let outputs = case.forward(&device, &inputs)?;
    let forward = sorted(stem, device.compiled());
    device.stand_for(card.clone());
    let dy = device.alloc(outputs.first().map_or(1, kernels::Buffer::len))?;
    drop(case.backward(&device, &inputs, &dy)?);
    let mut backward = sorted(stem, device.compiled());
    backward.retain(|variant| !forward.contains(variant));
    Ok(Launched {
        shape: line.split('"').nth(1).unwrap_or(line),
        forward,
        backward,
    })
}

/// The operator's own first, then by name.
fn sorted(stem: &str, mut variants: Vec<Variant>) -> Vec<Variant> {
    variants.sort_by_key(|variant| (variant.stem != stem, variant.to_string()));
    variants
}
