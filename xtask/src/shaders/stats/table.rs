//! The table `benches/shader-stats.md`: made of what a driver tells, written, and read again.

use std::collections::BTreeMap;
use std::fmt;

use anyhow::{Context as _, Result, bail};

/// One section a compiler.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Table {
    pub(super) sections: Vec<Section>,
}

/// What one compiler makes of the variants.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Section {
    /// The compiler's name.
    pub(super) compiler: String,
    /// The driver, its version and the card, in its own words.
    pub(super) driver: String,
    /// By the variant's label.
    pub(super) rows: BTreeMap<String, Row>,
}

/// What a compiler makes of one variant.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Row {
    /// In how many training runs it is launched.
    pub(super) runs: u64,
    /// Registers of an invocation.
    pub(super) registers: u64,
    /// Registers that were spilled, or instructions that do it.
    pub(super) spills: u64,
    /// Subgroups, invocations: what the driver counts.
    pub(super) occupancy: u64,
    /// Cycles, by the compiler's own model.
    pub(super) cycles: u64,
    /// Multiply-adds among all instructions, in percent.
    pub(super) fma: u64,
    /// Milliseconds that the compiler took.
    pub(super) ms: u64,
}

const HEAD: &str = "\
| variant | runs | registers | spills | occupancy | cycles | FMA % | ms |
|---|---|---|---|---|---|---|---|
";

/// The names under which a driver tells what a row has; several are added up.
struct Names {
    compilers: &'static [&'static str],
    registers: &'static str,
    spills: &'static [&'static str],
    occupancy: &'static str,
    cycles: &'static [&'static str],
}

const NAMES: [Names; 5] = [
    Names {
        compilers: &["navi21", "navi31", "gfx1201"],
        registers: "VGPRs",
        spills: &["Spilled VGPRs", "Spilled SGPRs"],
        occupancy: "Subgroups per SIMD",
        cycles: &["Latency"],
    },
    Names {
        compilers: &["ada"],
        registers: "Number of GPRs",
        spills: &["Spills to memory"],
        occupancy: "Max warps/SM",
        cycles: &["Static cycle count"],
    },
    Names {
        compilers: &["dg2"],
        registers: "Max live registers",
        spills: &["Spills", "Fills"],
        occupancy: "Max dispatch width",
        cycles: &["Cycles"],
    },
    Names {
        compilers: &["m1"],
        registers: "GPRs",
        spills: &["Spills", "Fills"],
        occupancy: "Threads",
        cycles: &["ALU"],
    },
    Names {
        compilers: &["a740"],
        registers: "Registers used",
        spills: &["STP Count", "LDP Count"],
        occupancy: "Max Waves Per Core",
        cycles: &[
            "Instruction Count",
            "Estimated cycles stalled on SS",
            "Estimated cycles stalled on SY",
        ],
    },
];

impl Section {
    /// From what `pipeline-stats compile` printed.
    pub(super) fn read(compiler: &str, text: &str) -> Result<Self> {
        let (driver, lines) = text.split_once('\n').context("no output")?;
        let names = NAMES.iter();
        let mut names = names.filter(|names| names.compilers.contains(&compiler));
        let names = names
            .next()
            .with_context(|| format!("no such compiler: {compiler}"))?;
        let mut rows = BTreeMap::new();
        for line in lines.lines() {
            let (label, row) =
                Row::read(names, line).with_context(|| format!("{compiler}: {line}"))?;
            rows.insert(label, row);
        }
        Ok(Self {
            compiler: compiler.to_owned(),
            driver: driver.to_owned(),
            rows,
        })
    }
}

impl Row {
    fn read(names: &Names, line: &str) -> Result<(String, Self)> {
        let mut fields = line.split('\t');
        let label = fields.next().unwrap_or_default().to_owned();
        let runs = fields.next().context("no runs")?.parse()?;
        let told: BTreeMap<&str, &str> = fields.filter_map(|field| field.split_once('=')).collect();
        if let Some(error) = told.get("failed") {
            bail!("the compiler fails: {error}");
        }
        let number = |name: &str| -> Result<u64> {
            let text = told.get(name).with_context(|| format!("no `{name}`"))?;
            text.parse()
                .with_context(|| format!("`{name}` is no whole number: {text}"))
        };
        let all = number("instructions")?.max(1);
        let sum = |names: &[&str]| names.iter().map(|name| number(name)).sum::<Result<u64>>();
        let row = Self {
            runs,
            registers: number(names.registers)?,
            spills: sum(names.spills)?,
            occupancy: number(names.occupancy)?,
            cycles: sum(names.cycles)?,
            fma: 100 * number("fma")? / all,
            ms: number("ms")?,
        };
        Ok((label, row))
    }

    const fn cells(&self) -> [u64; 7] {
        [
            self.runs,
            self.registers,
            self.spills,
            self.occupancy,
            self.cycles,
            self.fma,
            self.ms,
        ]
    }
}

impl Table {
    /// Reads what `to_string` wrote; other sections and text are passed over.
    pub(super) fn parse(text: &str) -> Result<Self> {
        let mut table = Self::default();
        for line in text.lines() {
            if let Some(title) = line.strip_prefix("## ") {
                let (compiler, driver) = title.split_once(": ").unwrap_or((title, ""));
                table.sections.push(Section {
                    compiler: compiler.to_owned(),
                    driver: driver.to_owned(),
                    rows: BTreeMap::new(),
                });
                continue;
            }
            let cells = line.trim_matches('|').split('|').map(str::trim);
            let cells: Vec<&str> = cells.collect();
            let ([label, numbers @ ..], Some(section)) = (&cells[..], table.sections.last_mut())
            else {
                continue;
            };
            let numbers: Result<Vec<u64>, _> = numbers.iter().map(|cell| cell.parse()).collect();
            let Ok(&[runs, registers, spills, occupancy, cycles, fma, ms]) = numbers.as_deref()
            else {
                continue;
            };
            let row = Row {
                runs,
                registers,
                spills,
                occupancy,
                cycles,
                fma,
                ms,
            };
            section.rows.insert((*label).to_owned(), row);
        }
        if table.rows() == 0 {
            bail!("no row was found");
        }
        Ok(table)
    }

    /// Rows of all sections.
    pub(super) fn rows(&self) -> usize {
        self.sections.iter().map(|section| section.rows.len()).sum()
    }

    /// The compilers and variants that spill.
    pub(super) fn spilling(&self) -> Vec<String> {
        let of = |section: &Section| {
            let spilling = section.rows.iter().filter(|(_, row)| row.spills > 0);
            let name = |(label, row): (&String, &Row)| {
                format!("{}: {label}: {}", section.compiler, row.spills)
            };
            spilling.map(name).collect::<Vec<_>>()
        };
        self.sections.iter().flat_map(of).collect()
    }
}

impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(include_str!("head.md"))?;
        f.write_str("\n| compiler | variants | launched | that spill | ms in all |\n")?;
        f.write_str("|---|---|---|---|---|\n")?;
        for Section { compiler, rows, .. } in &self.sections {
            let launched = rows.values().filter(|row| row.runs > 0).count();
            let spilling = rows.values().filter(|row| row.spills > 0).count();
            let ms: u64 = rows.values().map(|row| row.ms).sum();
            let n = rows.len();
            writeln!(f, "| {compiler} | {n} | {launched} | {spilling} | {ms} |")?;
        }
        for section in &self.sections {
            write!(f, "\n## {}: {}\n\n{HEAD}", section.compiler, section.driver)?;
            for (label, row) in &section.rows {
                write!(f, "| {label} |")?;
                for cell in row.cells() {
                    write!(f, " {cell} |")?;
                }
                writeln!(f)?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TOLD: &str = "radv, Mesa 26.2.6-1, for AMD Radeon RX 7900 XTX\n\
        gemm 32x32x16/4x4\t3\tVGPRs=96\tSpilled VGPRs=0\tSpilled SGPRs=2\tSubgroups per SIMD=16\tLatency=9000\tfma=47\tinstructions=100\tms=12\n";

    #[test]
    fn a_table_is_read_as_it_was_written() {
        let section = Section::read("navi31", TOLD).unwrap();
        let row = section.rows["gemm 32x32x16/4x4"];
        assert_eq!(row.cells(), [3, 96, 2, 16, 9000, 47, 12]);
        let sections = vec![section];
        let table = Table { sections };
        let text = table.to_string();
        assert_eq!(Table::parse(&text).unwrap(), table, "{text}");
        assert_eq!(table.spilling(), ["navi31: gemm 32x32x16/4x4: 2"]);
    }

    #[test]
    fn what_a_driver_does_not_tell_is_named() {
        let wrong = TOLD.replace("Latency=9000", "Delay=9000");
        let error = Section::read("navi31", &wrong).unwrap_err();
        assert!(format!("{error:#}").contains("no `Latency`"), "{error:#}");
        let wrong = TOLD.replace("VGPRs=96", "failed=ERROR_UNKNOWN");
        let error = Section::read("navi31", &wrong).unwrap_err();
        assert!(format!("{error:#}").contains("ERROR_UNKNOWN"), "{error:#}");
        assert!(Table::parse("# Nothing\n").is_err(), "no rows");
    }
}
