//! `benches/shader-stats.md` is of the variants that the tables choose today, and none of them spills on its compiler.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use verify::cards::{COMPILERS, RUNS, choices};

/// How the table is made anew.
const AGAIN: &str = "measure again: cargo xtask shaders stats --chroot DIR";

/// The committed table: of each compiler, by variant, in how many runs it is launched and what it spills.
fn table() -> BTreeMap<String, BTreeMap<String, [usize; 2]>> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../benches/shader-stats.md");
    let text = std::fs::read_to_string(path).unwrap();
    let mut sections: BTreeMap<String, BTreeMap<String, [usize; 2]>> = BTreeMap::new();
    let mut compiler = None;
    for line in text.lines() {
        if let Some((name, _)) = line.strip_prefix("## ").and_then(|t| t.split_once(": ")) {
            compiler = Some(name.to_owned());
        }
        let cells: Vec<&str> = line.trim_matches('|').split('|').map(str::trim).collect();
        if let ([label, runs, _, spills, _, _, _, _], Some(name)) = (&cells[..], &compiler)
            && let (Ok(runs), Ok(spills)) = (runs.parse(), spills.parse())
        {
            let rows = sections.entry(name.clone()).or_default();
            rows.insert((*label).to_owned(), [runs, spills]);
        }
    }
    sections
}

#[test]
fn the_table_has_what_is_chosen_today_and_nothing_else() {
    let table = table();
    let names: BTreeSet<&str> = table.keys().map(String::as_str).collect();
    assert_eq!(names, COMPILERS.map(|compiler| compiler.name).into());
    for (compiler, choices) in COMPILERS.iter().zip(choices().unwrap()) {
        let today: BTreeMap<&str, usize> = choices
            .iter()
            .map(|(label, choice)| (label.as_str(), choice.runs))
            .collect();
        let committed: BTreeMap<&str, usize> = table[compiler.name]
            .iter()
            .map(|(label, [runs, _])| (label.as_str(), *runs))
            .collect();
        assert_eq!(today, committed, "{}: {AGAIN}", compiler.name);
    }
}

#[test]
fn nothing_that_can_be_chosen_spills() {
    for (compiler, rows) in table() {
        for (label, [_, spills]) in rows {
            assert_eq!(spills, 0, "{compiler}: {label}");
        }
    }
}

#[test]
fn a_card_launches_much_and_could_launch_more() {
    for (compiler, choices) in COMPILERS.iter().zip(choices().unwrap()) {
        let launched = choices.values().filter(|choice| choice.runs > 0).count();
        assert!(
            (40..choices.len()).contains(&launched),
            "{}: {launched} of {}",
            compiler.name,
            choices.len()
        );
        let most = choices.values().map(|choice| choice.runs).max();
        let most = most.unwrap();
        assert!(
            (RUNS / 2..=RUNS).contains(&most),
            "{}: {most}",
            compiler.name
        );
    }
}
