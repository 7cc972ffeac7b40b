//! What students read: every lesson is whole, its pictures are the same on every device, and its shaders are those that cards run.

use kernels::{AdapterKind, CardSpec, Device};
use verify::learn::{Picture, Topic, launched, shader_source, shader_variants, variant_on};

const CARDS: [(&str, u32, AdapterKind); 4] = [
    ("NVIDIA GeForce RTX 4090", 0x10de, AdapterKind::Discrete),
    ("AMD Radeon RX 7900 XTX", 0x1002, AdapterKind::Discrete),
    ("Apple M1", 0x106b, AdapterKind::Integrated),
    (
        "llvmpipe (LLVM 15, 256 bits)",
        0x1_0005,
        AdapterKind::Software,
    ),
];

fn cards() -> impl Iterator<Item = CardSpec> {
    let cards = CARDS.into_iter();
    cards.map(|(name, vendor, kind)| CardSpec::new(name, vendor, kind))
}

#[test]
fn every_lesson_has_its_sources() {
    for topic in Topic::all() {
        let reference = topic.reference();
        assert!(reference.contains("fn reference("), "{}", topic.name);
        assert!(reference.ends_with('}'), "{}: {reference}", topic.name);
        assert!(topic.twin().starts_with("//!"), "{}", topic.name);
        for words in [topic.about, topic.shown, topic.without] {
            assert!(
                words.ends_with('.') && !words.contains("  "),
                "{}: {words}",
                topic.name
            );
        }
        for card in cards() {
            let launched = launched(topic.name, &card).unwrap();
            let own = launched.forward[0];
            assert_eq!(own.stem, topic.name, "{card:?}");
            assert!(
                shader_source(&own)
                    .unwrap()
                    .contains(&format!("fn {}(", own.entry))
            );
        }
    }
}

#[test]
fn cards_run_the_variants_that_are_listed() {
    let all = shader_variants();
    for card in cards() {
        let mut n_launched = 0;
        let mut entries: Vec<_> = all.iter().map(|variant| variant.entry).collect();
        entries.sort_unstable();
        entries.dedup();
        for entry in &entries {
            if let Some((variant, _)) = variant_on(entry, &card).unwrap() {
                assert!(all.contains(&variant), "{variant} on {}", card.name);
                n_launched += 1;
            }
        }
        // Those of f16, of Winograd's transforms and of comparisons are launched by no case.
        assert!(
            2 * n_launched > entries.len(),
            "{n_launched} on {}",
            card.name
        );
    }
}

#[test]
fn pictures_are_the_same_on_every_device() {
    let picture = Picture::made_up();
    let gpu = Device::open("gpu");
    if let Err(error) = &gpu {
        assert!(std::env::var_os("REQUIRE_GPU").is_none(), "{error}");
    }
    for topic in Topic::all() {
        let drawn = topic.pictures(&Device::cpu(), &picture).unwrap();
        assert!(drawn.len() >= 3, "{}", topic.name);
        for shown in &drawn {
            let [height, width] = shown.size;
            assert_eq!(shown.rgb.len(), 3 * height * width, "{}", shown.caption);
            let [least, most] = [shown.rgb.iter().min(), shown.rgb.iter().max()];
            assert!(least < most, "{}: nothing is seen", shown.caption);
        }
        let Ok(gpu) = &gpu else { continue };
        for (own, other) in drawn.iter().zip(topic.pictures(gpu, &picture).unwrap()) {
            let differs = |(a, b): (&u8, &u8)| a.abs_diff(*b) > 1;
            let n = own
                .rgb
                .iter()
                .zip(&other.rgb)
                .filter(|pair| differs(*pair))
                .count();
            assert_eq!(n, 0, "{}: {}", topic.name, own.caption);
        }
    }
}

#[test]
fn trainings_with_and_without_have_the_data_sets_classes() {
    for topic in Topic::all() {
        let Some(ablation) = topic.ablation() else {
            continue;
        };
        for is_with in [true, false] {
            assert_eq!(
                ablation.network(is_with).unwrap().classes(),
                10,
                "{}",
                topic.name
            );
            assert_eq!(
                ablation.recipe(is_with, 7).unwrap().seed,
                7,
                "{}",
                topic.name
            );
        }
        assert_ne!(ablation.with, ablation.without);
    }
}
