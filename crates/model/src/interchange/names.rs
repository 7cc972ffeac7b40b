//! Tensors' names as frameworks change them: `module.` of `DataParallel`, `_orig_mod.` of `torch.compile`, and the name of
//! the attribute that holds the network in a program's own class.

use std::collections::BTreeMap;

/// Components that wrappers put into names, wherever they are: no name of torchvision's has them.
const WRAPPERS: [&str; 2] = ["module", "_orig_mod"];

/// What a file's names mean.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Names {
    /// The names in the file, by those that they mean.
    pub(super) own: BTreeMap<String, String>,
    /// Names that are not the network's: of what is beside it, and counters that nothing needs.
    pub(super) ignored: Vec<String>,
}

/// The names without what wrappers have put before and into them. `anchor` is a name that the network has: what is before
/// it in the file is before all of the network's. An error says what is ambiguous.
pub(super) fn unwrapped<'a>(
    names: impl Iterator<Item = &'a String>,
    anchor: &str,
) -> Result<Names, String> {
    let (mut found, mut plain) = (Names::default(), BTreeMap::new());
    for name in names {
        let parts = name.split('.').filter(|part| !WRAPPERS.contains(part));
        let short = parts.collect::<Vec<_>>().join(".");
        if short.rsplit('.').next() == Some("num_batches_tracked") {
            found.ignored.push(name.clone());
        } else if let Some(other) = plain.insert(short, name) {
            return Err(format!(
                "two tensors that mean the same: {other} and {name}"
            ));
        }
    }
    let prefixes = plain.keys().filter_map(|name| {
        let prefix = name.strip_suffix(anchor)?;
        (prefix.is_empty() || prefix.ends_with('.')).then_some(prefix)
    });
    let prefixes: Vec<&str> = prefixes.collect();
    let prefix = match prefixes[..] {
        [] => "",
        [prefix] => prefix,
        // A network whose names have nothing before them is the one; others are averages of it, or teachers.
        ["", ..] => "",
        [first, second, ..] => {
            return Err(format!("two networks, {first}* and {second}*"));
        }
    };
    for (short, name) in &plain {
        match short.strip_prefix(prefix) {
            Some(own) => {
                found.own.insert(own.to_owned(), (*name).clone());
            }
            None => found.ignored.push((*name).clone()),
        }
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn own(names: &[&str]) -> Result<Names, String> {
        let names: Vec<String> = names.iter().map(|&name| name.to_owned()).collect();
        unwrapped(names.iter(), "classifier.6.bias")
    }

    #[test]
    fn wrappers_are_taken_off_and_what_is_beside_the_network_is_listed() {
        for names in [
            ["features.0.weight", "classifier.6.bias"],
            ["module.features.0.weight", "module.classifier.6.bias"],
            ["features.module.0.weight", "classifier.6.bias"],
            ["_orig_mod.features.0.weight", "_orig_mod.classifier.6.bias"],
            ["model.features.0.weight", "model.classifier.6.bias"],
            [
                "net._orig_mod.module.features.0.weight",
                "net._orig_mod.module.classifier.6.bias",
            ],
        ] {
            let found = own(&names).unwrap();
            let keys: Vec<_> = found.own.keys().map(String::as_str).collect();
            assert_eq!(
                keys,
                ["classifier.6.bias", "features.0.weight"],
                "{names:?}"
            );
            assert_eq!(found.own["features.0.weight"], names[0]);
            assert!(found.ignored.is_empty(), "{names:?}");
        }
        let found = own(&[
            "model.classifier.6.bias",
            "loss.weight",
            "model.bn.num_batches_tracked",
        ]);
        let mut ignored = found.unwrap().ignored;
        ignored.sort();
        assert_eq!(ignored, ["loss.weight", "model.bn.num_batches_tracked"]);
        let two = own(&["a.classifier.6.bias", "b.classifier.6.bias"]).unwrap_err();
        assert!(two.contains("a.*") && two.contains("b.*"), "{two}");
        assert!(own(&["module.x", "x"]).unwrap_err().contains("module.x"));
    }
}
