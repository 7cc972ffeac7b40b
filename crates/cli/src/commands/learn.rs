//! `alexnet learn`: a page about an operator, from the sources that this program was built from.

use std::path::Path;
use std::process::ExitCode;

use ::report::{Lesson, LessonCode, LessonPicture, LessonTrials};
use anyhow::Result;
use data::DecodeOptions;
use tensor::Device;
use train::{Outcome, Summary, Trainer};
use verify::learn::{self, Ablation, Launched, PAPER, Picture, Topic, Variant};

use super::INTERRUPTED;
use super::kernels::{Shown, card};
use crate::args::LearnArgs;
use crate::progress::Progress;
use crate::signals::listen;
use crate::{hint, report};

/// The sides of a reader's picture.
const SIDE: u32 = 160;
/// Lines of a long source that a terminal shows.
const HEAD: usize = 60;

pub(crate) fn run(args: &LearnArgs) -> Result<ExitCode> {
    let Some(name) = &args.topic else {
        report::topics(Topic::all(), args.output)?;
        return Ok(ExitCode::SUCCESS);
    };
    let topic = Topic::named(name)?;
    let ablation = ablation(topic, args)?;
    let picture = match &args.image {
        Some(path) => read(path)?,
        None => Picture::made_up(),
    };
    let shown = card(&args.device)?;
    let device = super::device::open(&args.device, args.output)?;
    let trials = match ablation {
        Some(ablation) => match trials(ablation, args, &device)? {
            Some(trials) => Some(trials),
            None => return Ok(ExitCode::from(INTERRUPTED)),
        },
        None => None,
    };
    let lesson = lesson(topic, &shown, &device, &picture, trials)?;
    match &args.html {
        Some(path) => {
            lesson.write(path)?;
            report::lesson_page(path, args.output)?;
        }
        None => report::lesson(&lesson, args.output)?,
    }
    Ok(ExitCode::SUCCESS)
}

/// What is to be trained, if that was asked for.
fn ablation<'a>(topic: &'a Topic, args: &LearnArgs) -> Result<Option<&'a Ablation>> {
    if !args.ablate {
        return Ok(None);
    }
    for (flag, number) in [("epochs", args.epochs), ("seeds", args.seeds)] {
        if number == 0 {
            let message = format!("--{flag}: expected at least 1, got 0");
            return Err(hint::error(
                message,
                format!("leave `--{flag}` out for the usual number"),
            ));
        }
    }
    topic.ablation().map(Some).ok_or_else(|| {
        let message = format!("--ablate: nothing trains without {}", topic.name);
        let can = Topic::all()
            .iter()
            .filter(|topic| topic.ablation().is_some());
        let names: Vec<_> = can.map(|topic| topic.name).collect();
        hint::error(
            message,
            format!("these can be left out: {}", names.join(", ")),
        )
    })
}

/// The reader's picture.
fn read(path: &Path) -> Result<Picture> {
    let options = DecodeOptions {
        size: [SIDE; 2],
        ..DecodeOptions::default()
    };
    let rgb = data::image_pixels(&data::read_image(path)?, path, &options)?;
    Ok(Picture {
        caption: report::shown(path),
        size: [SIDE as usize; 2],
        rgb,
    })
}

fn lesson(
    topic: &Topic,
    shown: &Shown,
    device: &Device,
    picture: &Picture,
    trials: Option<LessonTrials>,
) -> Result<Lesson> {
    let pictures = topic.pictures(device, picture)?.into_iter();
    let pictures = pictures.map(|picture| LessonPicture {
        caption: picture.caption,
        size: picture.size,
        rgb: picture.rgb,
    });
    let name = topic.name;
    let mut commands = vec![
        format!("alexnet gradcheck {name}"),
        format!("alexnet kernels {name} --list"),
    ];
    if trials.is_none() && topic.ablation().is_some() {
        commands.insert(0, format!("alexnet learn {name} --ablate"));
    }
    Ok(Lesson {
        title: topic.title.to_owned(),
        about: topic.about.to_owned(),
        equation: topic.equation.to_owned(),
        source: format!("{PAPER}, {}", topic.section),
        shown: format!("{} Computed on {}.", topic.shown, device.name()),
        pictures: pictures.collect(),
        codes: codes(topic, shown)?,
        without: topic.without.to_owned(),
        trials,
        commands,
    })
}

/// Reference, shaders and twin.
fn codes(topic: &Topic, shown: &Shown) -> Result<Vec<LessonCode>> {
    let name = topic.name;
    let Launched {
        shape,
        forward,
        backward,
    } = learn::launched(name, &shown.spec)?;
    let mut codes = vec![LessonCode {
        title: "Reference in 64 bits".to_owned(),
        note: format!(
            "What shader and twin are tested against: crates/verify/src/operators/{name}.rs"
        ),
        text: topic.reference(),
        ..LessonCode::default()
    }];
    let stand_in = if shown.is_stand_in {
        "This machine computes on its CPU, by the twin. "
    } else {
        ""
    };
    let shader = |variant: &Variant, pass: &str, head| -> Result<LessonCode> {
        let entry = variant.entry;
        Ok(LessonCode {
            title: format!("Shader, {pass}: {entry}"),
            note: format!("{stand_in}This is what {} at {shape}: {variant}", shown.who),
            text: learn::shader_source(variant)?,
            head: Some(head),
            command: Some(format!("alexnet kernels {entry}")),
        })
    };
    for (variant, at) in forward.iter().zip(0..) {
        codes.push(shader(variant, "forward", if at == 0 { HEAD } else { 0 })?);
    }
    for variant in &backward {
        codes.push(shader(variant, "backward", 0)?);
    }
    let twin = LessonCode {
        title: "Twin in Rust".to_owned(),
        note: format!(
            "What the CPU device runs, with the same bindings and parameters: crates/kernels/src/cpu/{name}.rs"
        ),
        text: topic.twin().to_owned(),
        head: Some(HEAD),
        command: Some(format!("alexnet kernels {name} --twin")),
    };
    codes.push(twin);
    Ok(codes)
}

/// Trains with and without it; nothing if that was interrupted.
fn trials(ablation: &Ablation, args: &LearnArgs, device: &Device) -> Result<Option<LessonTrials>> {
    let stop = listen()?;
    let mut summaries = Vec::new();
    for seed in 0..args.seeds {
        for is_with in [true, false] {
            let mut recipe = ablation.recipe(is_with, 42 + seed)?;
            (recipe.epochs, recipe.limit) = (args.epochs, Some(args.limit));
            let data = recipe.open_data(false, &mut |_| {})?;
            let network = ablation.network(is_with)?;
            let mut trainer = Trainer::with_network(recipe, network, data, device)?;
            let mut progress = Progress::new(args.output);
            let what = if is_with {
                ablation.with
            } else {
                ablation.without
            };
            progress.line(&format!("seed {}, {what}", 42 + seed));
            let mut listener = |event: train::Event<'_>| progress.event(&event);
            let outcome = stop.heeded(|stop| trainer.run(stop, &mut listener))?;
            progress.clear();
            let Outcome::Finished(summary) = outcome else {
                report::working("interrupted; nothing was written", args.output);
                return Ok(None);
            };
            summaries.push((seed, what, *summary));
        }
    }
    Ok(Some(table(&summaries, args)))
}

/// The scores of trainings, and how much they say.
fn table(summaries: &[(u64, &str, Summary)], args: &LearnArgs) -> LessonTrials {
    let number = |value: Option<f64>| value.map_or_else(String::new, |value| format!("{value:.3}"));
    let rows = summaries.iter().map(|(seed, what, summary)| {
        vec![
            (*what).to_owned(),
            (42 + seed).to_string(),
            format!("{:.3}", summary.train_loss),
            number(summary.test_loss),
            number(summary.test_accuracy),
        ]
    });
    let columns = [
        "network",
        "seed",
        "training loss",
        "test loss",
        "test accuracy",
    ];
    LessonTrials {
        columns: columns.map(str::to_owned).to_vec(),
        rows: rows.collect(),
        note: format!(
            "alexnet-small on {} images of shapes10, {} epochs. So short a run shows how fast it learns, not how good it \
             gets; compare the seeds to see what is chance.",
            args.limit, args.epochs
        ),
    }
}
