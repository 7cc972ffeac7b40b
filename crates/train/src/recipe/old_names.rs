//! Settings under the names that earlier versions wrote. A recipe's own text is read by serde's aliases; settings that
//! replace others are given today's names first, so that no key is there twice.

use toml::{Table, Value};

/// The table that a setting is in (none for the outermost), its name in earlier versions, and its name today.
const OLD_NAMES: [(Option<&str>, &str, &str); 4] = [
    (None, "average", "ema"),
    (None, "machine", "runtime"),
    (Some("images"), "deviation", "std"),
    (Some("evaluation"), "views", "tta"),
];

/// Renames the settings of a recipe's table. One that is there under both names stays, which serde reports.
pub(super) fn replace(settings: &mut Table) {
    for (table, old, new) in OLD_NAMES {
        let table = match table {
            None => Some(&mut *settings),
            Some(name) => settings.get_mut(name).and_then(Value::as_table_mut),
        };
        if let Some(table) = table
            && !table.contains_key(new)
            && let Some(value) = table.remove(old)
        {
            table.insert(new.to_owned(), value);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn old_names_become_new_ones() {
        let text = "average = { decay = 0.5 }\n[machine]\ndevice = \"cpu\"\n[images]\ndeviation = [1, 1, 1]\n\
                    [evaluation]\nviews = \"flip\"\n";
        let mut table: Table = text.parse().unwrap();
        replace(&mut table);
        let expected = "ema = { decay = 0.5 }\n[runtime]\ndevice = \"cpu\"\n[images]\nstd = [1, 1, 1]\n\
                        [evaluation]\ntta = \"flip\"\n";
        assert_eq!(table, expected.parse().unwrap());
        let mut both: Table = "machine = {}\nruntime = {}\n".parse().unwrap();
        replace(&mut both);
        assert_eq!(both.len(), 2, "left for the parser to refuse");
    }
}
