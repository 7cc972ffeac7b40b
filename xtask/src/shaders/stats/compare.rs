//! Two tables beside each other: what is new, gone, and by how much each compiler's figures changed.

use super::table::{Row, Section, Table};

/// The most variants of a compiler whose changes are told one by one, those whose cycles changed most first.
const MOST: usize = 12;

/// What changed from `before` to `after`, a few lines for each compiler.
pub(super) fn report(before: &Table, after: &Table) -> String {
    let mut text = String::new();
    for section in &after.sections {
        let mut earlier = before.sections.iter();
        match earlier.find(|earlier| earlier.compiler == section.compiler) {
            Some(earlier) => text += &of_section(earlier, section),
            None => text += &format!("{}: not there before\n", section.compiler),
        }
    }
    text
}

fn of_section(before: &Section, after: &Section) -> String {
    let spilling = |section: &Section| section.rows.values().filter(|r| r.spills > 0).count();
    let lacking = |of: &Section, other: &Section| {
        let is_lacking = |label: &&String| !other.rows.contains_key(*label);
        of.rows.keys().filter(is_lacking).count()
    };
    let mut pairs: Vec<(&String, &Row, &Row)> = Vec::new();
    for (label, row) in &after.rows {
        if let Some(earlier) = before.rows.get(label) {
            pairs.push((label, earlier, row));
        }
    }
    let cycles = |of: fn(&(&String, &Row, &Row)) -> u64| pairs.iter().map(of).sum::<u64>();
    let (old, new) = (cycles(|pair| pair.1.cycles), cycles(|pair| pair.2.cycles));
    let mut text = format!(
        "{}: {} variants, {} new, {} gone; {} spilled, {} spill; cycles of the {} in both {old} -> {new} ({:+.1} %)\n",
        after.compiler,
        after.rows.len(),
        lacking(after, before),
        lacking(before, after),
        spilling(before),
        spilling(after),
        pairs.len(),
        percent(old, new),
    );
    if before.driver != after.driver {
        text += &format!("  {} -> {}\n", before.driver, after.driver);
    }
    pairs.retain(|(_, old, new)| figures(old) != figures(new));
    let change = |pair: &(&String, &Row, &Row)| percent(pair.1.cycles, pair.2.cycles).abs();
    pairs.sort_by(|a, b| change(b).total_cmp(&change(a)));
    for (label, old, new) in pairs.iter().take(MOST) {
        text += &format!("  {label}:");
        for ((name, old), (_, new)) in figures(old).into_iter().zip(figures(new)) {
            if old != new {
                text += &format!(" {name} {old} -> {new}");
            }
        }
        text.push('\n');
    }
    if pairs.len() > MOST {
        text += &format!("  and {} others\n", pairs.len() - MOST);
    }
    text
}

/// What is worth telling of a row: the time of compiling is different each time.
const fn figures(row: &Row) -> [(&'static str, u64); 5] {
    [
        ("registers", row.registers),
        ("spills", row.spills),
        ("occupancy", row.occupancy),
        ("cycles", row.cycles),
        ("FMA %", row.fma),
    ]
}

#[expect(clippy::cast_precision_loss, reason = "a percentage to one digit")]
fn percent(old: u64, new: u64) -> f64 {
    100.0 * (new as f64 / old.max(1) as f64 - 1.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn section(rows: &[(&str, u64, u64)]) -> Section {
        let row = |&(label, spills, cycles): &(&str, u64, u64)| {
            let row = Row {
                spills,
                cycles,
                ..Row::default()
            };
            (label.to_owned(), row)
        };
        Section {
            compiler: "m1".to_owned(),
            driver: String::new(),
            rows: rows.iter().map(row).collect(),
        }
    }

    #[test]
    fn changes_are_told_the_largest_first() {
        let before = section(&[("gone", 3, 5), ("a", 0, 100), ("b", 2, 100), ("c", 0, 7)]);
        let after = section(&[("new", 0, 5), ("a", 0, 90), ("b", 0, 50), ("c", 0, 7)]);
        let [before, after] = [before, after].map(|one| Table {
            sections: vec![one],
        });
        let text = report(&before, &after);
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(
            lines,
            [
                "m1: 4 variants, 1 new, 1 gone; 2 spilled, 0 spill; cycles of the 3 in both 207 -> 147 (-29.0 %)",
                "  b: spills 2 -> 0 cycles 100 -> 50",
                "  a: cycles 100 -> 90",
            ]
        );
    }
}
