//! `alexnet kernels`: every shader, rendered as a card gets it.

use std::process::ExitCode;

use anyhow::Result;
use tensor::{AdapterKind, CardSpec, Device};
use verify::learn::{self, Variant};

use crate::args::KernelsArgs;
use crate::hint;
use crate::report::{self, KernelLine};

/// The card whose shaders are shown.
pub(super) struct Shown {
    pub(super) spec: CardSpec,
    /// Who runs them, in words that end in a verb.
    pub(super) who: String,
    /// Whether this machine computes on its CPU, so that the card is a stand-in.
    pub(super) is_stand_in: bool,
}

/// The card of the device that `selector` names; where that is the CPU, one of no known maker.
pub(super) fn card(selector: &str) -> Result<Shown> {
    let adapters = Device::adapters();
    let adapter = Device::find(selector)?.and_then(|idx| adapters.get(idx));
    Ok(match adapter {
        Some(adapter) => Shown {
            spec: adapter.into(),
            who: format!("{} runs", adapter.name),
            is_stand_in: false,
        },
        None => Shown {
            spec: CardSpec::new("GPU", 0, AdapterKind::Discrete),
            who: "a GPU of no known maker would run".to_owned(),
            is_stand_in: true,
        },
    })
}

pub(crate) fn run(args: &KernelsArgs) -> Result<ExitCode> {
    let all = learn::shader_variants();
    let Some(name) = &args.name else {
        report::kernels(&lines(&all), args.output)?;
        return Ok(ExitCode::SUCCESS);
    };
    let entry = entry(name, &all)?;
    let own: Vec<_> = all.into_iter().filter(|it| it.entry == entry).collect();
    if args.twin {
        let stem = own.first().map_or("", |variant| variant.stem);
        let text = learn::twin_source(stem).ok_or_else(|| {
            let message = format!("{entry}: it has no twin: only a GPU launches it");
            hint::error(message, "`alexnet kernels` lists the kernels")
        })?;
        report::source(&format!("the twin of {stem}.wgsl"), text, args.output)?;
        return Ok(ExitCode::SUCCESS);
    }
    let shown = card(&args.device)?;
    let launched = learn::variant_on(entry, &shown.spec)?;
    if args.list {
        let launched = launched.map(|(variant, _)| variant);
        report::variants(&own, launched.as_ref(), &shown.who, args.output)?;
        return Ok(ExitCode::SUCCESS);
    }
    let (variant, why) = match (&args.variant, launched) {
        (Some(part), _) => (named(&own, part)?, "as asked for".to_owned()),
        (None, Some((variant, shape))) => (variant, format!("what {} at {shape}", shown.who)),
        // None of AlexNet's shapes asks for it.
        (None, None) => (
            own[0],
            "one of its variants, which none of AlexNet's shapes asks for".to_owned(),
        ),
    };
    let text = learn::shader_source(&variant)?;
    report::source(&format!("{variant}: {why}"), &text, args.output)?;
    if args.variant.is_none() && own.len() > 1 && !args.output.json {
        let text = format!(
            "{} more variants: alexnet kernels {entry} --list",
            own.len() - 1
        );
        report::working(&text, args.output);
    }
    Ok(ExitCode::SUCCESS)
}

/// A line for each kernel.
fn lines(all: &[Variant]) -> Vec<KernelLine> {
    let mut lines: Vec<KernelLine> = Vec::new();
    for variant in all {
        match lines.iter_mut().find(|line| line.entry == variant.entry) {
            Some(line) => line.variants += 1,
            None => lines.push(KernelLine {
                entry: variant.entry,
                stem: variant.stem,
                variants: 1,
                has_twin: learn::twin_source(variant.stem).is_some(),
                about: about(variant),
            }),
        }
    }
    lines.sort_by_key(|line| (line.stem, line.entry));
    lines
}

/// The first sentence of the shader's file.
fn about(variant: &Variant) -> String {
    let text = learn::shader_source(variant).unwrap_or_default();
    let lines = text.lines().skip_while(|line| !line.starts_with("//"));
    let lines = lines.map_while(|line| line.strip_prefix("//"));
    let head = lines.map(str::trim).collect::<Vec<_>>().join(" ");
    let end = [": ", ". ", " ("]
        .iter()
        .filter_map(|end| head.find(end))
        .min();
    head[..end.unwrap_or(head.len())]
        .trim_end_matches('.')
        .to_owned()
}

/// The kernel of this name, or the first of the operator's: forward, where it has that.
fn entry(name: &str, all: &[Variant]) -> Result<&'static str> {
    let has = |entry: &str| all.iter().find(|it| it.entry == entry).map(|it| it.entry);
    let of_stem = || {
        let forward = has(&format!("{name}_forward"));
        forward.or_else(|| all.iter().find(|it| it.stem == name).map(|it| it.entry))
    };
    has(name).or_else(of_stem).ok_or_else(|| {
        let known = all.iter().flat_map(|it| [it.entry, it.stem]);
        let like = hint::did_you_mean(name, known);
        let message = format!("no kernel '{name}'");
        hint::error(message, format!("{like}`alexnet kernels` lists them"))
    })
}

/// The variant of this name, or the one with this in its name.
fn named(own: &[Variant], part: &str) -> Result<Variant> {
    let exact = own.iter().find(|variant| variant.to_string() == part);
    let mut like = own
        .iter()
        .filter(|variant| variant.to_string().contains(part));
    match (exact, like.next(), like.next()) {
        (Some(variant), ..) | (None, Some(variant), None) => Ok(*variant),
        (None, first, _) => {
            let found = if first.is_some() { "several" } else { "none" };
            let entry = own[0].entry;
            let message =
                format!("--variant {part}: expected the name of one variant, found {found}");
            Err(hint::error(
                message,
                format!("`alexnet kernels {entry} --list` lists them"),
            ))
        }
    }
}
