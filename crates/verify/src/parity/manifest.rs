//! `manifest.json`: its cases, each read, run and compared. Every bound is checked.

use std::collections::BTreeMap;
use std::path::Path;

use safetensors::SafeTensors;
use serde_json::{Map, Value};
use tensor::Device;

use super::attributes::Attributes;
use super::compare::compare;
use super::recorded::{Loaded, Outcome, load_input, load_output};
use super::report::Verdict;
use super::{Error, Result, onnx, torch};

/// Longer files are refused: all of ONNX's cases are a hundredth of this.
const MOST_BYTES: u64 = 1 << 30;

/// Which suite a folder holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Suite {
    Torch,
    Onnx,
}

/// A case: its name and its part of the manifest.
#[derive(Debug)]
pub(super) struct Case {
    pub(super) name: String,
    pub(super) group: String,
    entry: Map<String, Value>,
}

/// A folder of cases.
#[derive(Debug)]
pub(super) struct Manifest {
    suite: Suite,
    cases: Vec<Case>,
    /// The bytes of the tensor files, by name.
    files: BTreeMap<String, Vec<u8>>,
    place: String,
}

impl Manifest {
    pub(super) fn read(folder: &Path) -> Result<Self> {
        let path = folder.join("manifest.json");
        let place = files::shown(&path);
        let text = read(&path)?;
        let manifest: Value =
            serde_json::from_slice(&text).map_err(|error| Error::damaged(&*place, error))?;
        let fail = |message: &str| Error::damaged(&*place, message);
        if manifest.get("format").and_then(Value::as_u64) != Some(1) {
            return Err(fail("expected format 1"));
        }
        let suite = match manifest.get("kind").and_then(Value::as_str) {
            None => Suite::Torch,
            Some("onnx-backend-cases") => Suite::Onnx,
            Some(_) => return Err(fail("unknown kind of cases")),
        };
        let entries = manifest.get("cases").and_then(Value::as_array);
        let entries = entries.ok_or_else(|| fail("expected a list of cases"))?;
        let cases: Vec<Case> = entries
            .iter()
            .map(|entry| {
                Case::new(entry, suite).ok_or_else(|| fail("a case without name, op or file"))
            })
            .collect::<Result<_>>()?;
        let mut files = BTreeMap::new();
        for case in &cases {
            let name = case.file();
            let is_plain = !name.contains(['/', '\\']) && name != "..";
            if !is_plain {
                return Err(fail(&format!(
                    "{}: file '{name}' lies elsewhere",
                    case.name
                )));
            }
            if !files.contains_key(name) {
                let path = folder.join(name);
                let bytes = read(&path)?;
                SafeTensors::deserialize(&bytes)
                    .map_err(|error| Error::damaged(files::shown(&path), error))?;
                files.insert(name.to_owned(), bytes);
            }
        }
        Ok(Self {
            suite,
            cases,
            files,
            place,
        })
    }

    pub(super) fn cases(&self) -> &[Case] {
        &self.cases
    }

    /// Runs a case and compares all that was recorded.
    pub(super) fn verdict(&self, case: &Case, device: &Device) -> Verdict {
        let failed = |error_over_tolerance, reason| Verdict::Failed {
            reason,
            error_over_tolerance,
        };
        let outcome = self.load(case).and_then(|loaded| {
            let outcome = match self.suite {
                Suite::Torch => torch::run(&loaded, device),
                Suite::Onnx => onnx::run(&loaded, device),
            }?;
            Ok((loaded, outcome))
        });
        let (loaded, outputs) = match outcome {
            Err(error) => return failed(f64::INFINITY, chain(&error)),
            Ok((_, Outcome::Skipped(reason))) => return Verdict::Skipped { reason },
            Ok((loaded, Outcome::Outputs(outputs))) => (loaded, outputs),
        };
        let mut worst = 0.0_f64;
        let mut failures = Vec::new();
        for (name, want) in &loaded.outputs {
            let Some((_, got)) = outputs.iter().find(|(output, _)| output == name) else {
                failures.push(format!("{name}: not computed"));
                continue;
            };
            let comparison = compare(name, got, want);
            worst = worst.max(comparison.error_over_tolerance);
            failures.extend(comparison.failure);
        }
        if failures.is_empty() {
            Verdict::Passed {
                error_over_tolerance: worst,
            }
        } else {
            failed(worst, failures.join("; "))
        }
    }

    fn load<'a>(&'a self, case: &'a Case) -> Result<Loaded<'a>> {
        let place = format!("{}: {}", self.place, case.name);
        let fail = |message: &str| Error::damaged(&*place, message);
        let bytes = self
            .files
            .get(case.file())
            .ok_or_else(|| fail("its file is missing"))?;
        let tensors =
            SafeTensors::deserialize(bytes).map_err(|error| Error::damaged(&*place, error))?;
        let entry = Attributes(&case.entry);
        let attributes = match self.suite {
            Suite::Torch => entry.object("attrs"),
            Suite::Onnx => entry.object("attrs_with_defaults"),
        };
        let mut inputs = Vec::new();
        for (name, item) in items(&case.entry, "inputs").ok_or_else(|| fail("no inputs"))? {
            inputs.push((
                name,
                load_input(&tensors, Attributes(item), &format!("{place}: {name}"))?,
            ));
        }
        let mut outputs = Vec::new();
        for (name, item) in items(&case.entry, "outputs").ok_or_else(|| fail("no outputs"))? {
            let tolerance = match self.suite {
                Suite::Torch => Attributes(item),
                Suite::Onnx => entry,
            };
            let place = format!("{place}: {name}");
            outputs.push((
                name,
                load_output(&tensors, Attributes(item), tolerance, &place)?,
            ));
        }
        Ok(Loaded {
            op: entry.text("op")?,
            attributes: attributes?,
            inputs,
            outputs,
            entry,
        })
    }
}

impl Case {
    fn new(entry: &Value, suite: Suite) -> Option<Self> {
        let entry = entry.as_object()?;
        let text = |name: &str| entry.get(name).and_then(Value::as_str).map(str::to_owned);
        text("file")?;
        Some(Self {
            name: text("name")?,
            group: text(if suite == Suite::Torch { "group" } else { "op" })?,
            entry: entry.clone(),
        })
    }

    fn file(&self) -> &str {
        self.entry.get("file").and_then(Value::as_str).unwrap_or("")
    }
}

/// An error with all that caused it.
fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(error) = source {
        text = format!("{text}: {error}");
        source = error.source();
    }
    text
}

fn read(path: &Path) -> Result<Vec<u8>> {
    files::read(path, MOST_BYTES).map_err(|error| Error::Io {
        path: files::shown(&error.path),
        source: error.source,
    })
}

/// Names and descriptions of inputs or outputs: an object by name, or a list with names.
fn items<'a>(
    entry: &'a Map<String, Value>,
    key: &str,
) -> Option<Vec<(&'a str, &'a Map<String, Value>)>> {
    match entry.get(key)? {
        Value::Object(object) => {
            let items = object.iter();
            items
                .map(|(name, item)| Some((name.as_str(), item.as_object()?)))
                .collect()
        }
        Value::Array(list) => {
            let items = list.iter().map(Value::as_object);
            items
                .map(|item| Some((item?.get("name")?.as_str()?, item?)))
                .collect()
        }
        _ => None,
    }
}
