//! docs/settings.md: each key in it is a setting that takes the example, and no recipe that is written has a key that is not in it.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use toml::Table;
use train::Recipe;

/// Key and example of each row of the tables.
fn documented() -> Vec<[String; 2]> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/settings.md");
    let text = fs::read_to_string(path).unwrap();
    let cell = |row: &str, column: usize| {
        let cell = row.split('|').nth(column).unwrap().trim();
        cell.trim_matches('`').to_owned()
    };
    let rows = text.lines().filter(|line| line.starts_with("| `"));
    rows.map(|row| [1, 2].map(|column| cell(row, column)))
        .collect()
}

/// The keys of a table and of those in it, with dots.
fn collect_keys(table: &Table, prefix: &str, keys: &mut BTreeSet<String>) {
    for (key, value) in table {
        let key = format!("{prefix}{key}");
        match value.as_table() {
            Some(table) => collect_keys(table, &format!("{key}."), keys),
            None => drop(keys.insert(key)),
        }
    }
}

#[test]
fn every_setting_is_documented_and_takes_its_example() {
    let documented = documented();
    let settings: Vec<_> = documented.iter().map(|row| row.join("=")).collect();
    let start = Recipe::for_dataset("shapes10").unwrap();
    let all = start.with_settings(&settings).unwrap();
    let mut keys = BTreeSet::new();
    for recipe in Recipe::built_in().unwrap().iter().chain([&all]) {
        let table = recipe.to_toml().unwrap().parse::<Table>().unwrap();
        collect_keys(&table, "", &mut keys);
    }
    let documented: BTreeSet<_> = documented.into_iter().map(|[key, _]| key).collect();
    let missing: Vec<_> = keys.difference(&documented).collect();
    assert!(missing.is_empty(), "not in docs/settings.md: {missing:?}");
}
