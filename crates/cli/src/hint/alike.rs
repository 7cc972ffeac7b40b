//! Names that are spelt alike.

use strsim::jaro_winkler;
use train::{Error, Recipe};

/// How alike two names must be: 1 is the same, 0 is nothing in common. Slips of one or two letters are above.
const ALIKE: f64 = 0.8;

/// The tables of a recipe.
const TABLES: [&str; 11] = [
    "optimizer",
    "schedule",
    "images",
    "evaluation",
    "runtime",
    "mix",
    "layers",
    "checkpoints",
    "early_stopping",
    "ema",
    "images.erase",
];

/// `did you mean 'x'? `, or nothing if none of the known names is like this one.
pub(crate) fn did_you_mean<'a>(name: &str, known: impl Iterator<Item = &'a str>) -> String {
    let name = name.to_lowercase();
    let scored = known.map(|known| (jaro_winkler(&name, &known.to_lowercase()), known));
    let near = scored.filter(|(score, _)| *score > ALIKE);
    let nearest = near.max_by(|a, b| a.0.total_cmp(&b.0));
    nearest.map_or_else(String::new, |(_, known)| {
        format!("did you mean '{}'? ", files::escape(known))
    })
}

/// The same for a recipe's setting: one of its table, or of that name in another.
pub(super) fn setting_like(key: &str, known: &[String]) -> String {
    let (table, name) = match key.rsplit_once('.') {
        Some((table, name)) => (Some(table), name),
        None => (None, key),
    };
    let elsewhere: Vec<_> = TABLES
        .iter()
        .map(|table| format!("{table}.{name}"))
        .filter(|key| is_known(key))
        .collect();
    if !elsewhere.is_empty() {
        return format!("did you mean '{}'? ", elsewhere.join("' or '"));
    }
    let whole = known.iter().map(|known| match table {
        Some(table) => format!("{table}.{known}"),
        None => known.clone(),
    });
    let whole: Vec<_> = whole.collect();
    did_you_mean(key, whole.iter().map(String::as_str))
}

/// Whether a recipe has this setting, whatever its value must be.
fn is_known(key: &str) -> bool {
    let Ok(recipe) = Recipe::named("shapes10") else {
        return false;
    };
    let set = recipe.with_settings(&[format!("{key}=0")]);
    !matches!(set, Err(Error::UnknownSetting { .. }))
        && !matches!(set, Err(Error::Format { message, .. }) if message.contains("missing field"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slips_are_found_and_other_words_are_not() {
        let known = || ["cifar10", "cifar100", "shapes10", "flowers"].into_iter();
        for (name, like) in [
            ("cifar", "did you mean 'cifar10'? "),
            ("CIFAR-10", "did you mean 'cifar10'? "),
            ("shape10", "did you mean 'shapes10'? "),
            ("flower", "did you mean 'flowers'? "),
            ("imagenet", ""),
            ("", ""),
        ] {
            assert_eq!(did_you_mean(name, known()), like, "{name}");
        }
    }

    #[test]
    fn a_setting_may_be_of_another_table() {
        let known = ["epochs", "batch_size", "seed"].map(str::to_owned);
        for (key, like) in [
            ("epoch", "did you mean 'epochs'? "),
            ("batch_sise", "did you mean 'batch_size'? "),
            ("learning_rate", "did you mean 'optimizer.learning_rate'? "),
            (
                "patience",
                "did you mean 'schedule.patience' or 'early_stopping.patience'? ",
            ),
            ("nonsense", ""),
        ] {
            assert_eq!(setting_like(key, &known), like, "{key}");
        }
        let known = ["learning_rate", "momentum"].map(str::to_owned);
        let like = setting_like("optimizer.momentun", &known);
        assert_eq!(like, "did you mean 'optimizer.momentum'? ");
    }
}
