//! What the compilers say, as a table, and what they are known to say.

/// A rejection that is somebody else's bug and that no change of our source avoids.
#[derive(Debug)]
pub(super) struct Known {
    pub(super) number: &'static str,
    pub(super) what: &'static str,
}

/// Types of variables in workgroup memory are laid out explicitly.
pub(super) const LAYOUT: Known = Known {
    number: "wgpu#7696",
    what: "naga lays out the types of workgroup memory as in a buffer; accepted once those decorations are taken away",
};
/// vkd3d-compiler's HLSL is not complete.
pub(super) const BYTE_ADDRESS: Known = Known {
    number: "vkd3d",
    what: "vkd3d-compiler 2.1 lacks methods of buffers that are written (Load, Load4, InterlockedAdd), or takes over 20 s",
};

/// What a compiler says of a variant.
#[derive(Debug)]
pub(super) enum Verdict {
    Accepted,
    Known(&'static Known),
    /// With its message.
    New(String),
}

/// What a compiler says of all variants that it was given, by their labels.
#[derive(Debug)]
pub(super) struct Report {
    /// With its version and what it was given.
    pub(super) tool: String,
    pub(super) verdicts: Vec<(String, Verdict)>,
}

/// Whether a tool ran.
#[derive(Debug)]
pub(super) enum Outcome {
    Ran(Vec<Report>),
    /// What is missing, and how to get it.
    Absent(String),
}

/// Prints the table, the known rejections and the new ones; false when there is a new one.
pub(super) fn print(reports: &[Report], absent: &[String]) -> bool {
    println!(
        "{:<66} {:>8} {:>8} {:>8} {:>8}",
        "compiler", "variants", "accepted", "known", "new"
    );
    let mut known: Vec<&Known> = Vec::new();
    let mut new = Vec::new();
    for Report { tool, verdicts } in reports {
        let (mut n_accepted, mut n_known, mut n_new) = (0, 0, 0);
        for (label, verdict) in verdicts {
            match verdict {
                Verdict::Accepted => n_accepted += 1,
                Verdict::Known(reason) => {
                    n_known += 1;
                    if known.iter().all(|other| other.number != reason.number) {
                        known.push(reason);
                    }
                }
                Verdict::New(message) => {
                    n_new += 1;
                    new.push(format!("{tool}: {label}: {message}"));
                }
            }
        }
        println!(
            "{tool:<66} {:>8} {n_accepted:>8} {n_known:>8} {n_new:>8}",
            verdicts.len()
        );
    }
    for Known { number, what } in known {
        println!("known: {number}: {what}");
    }
    for hint in absent {
        println!("not run: {hint}");
    }
    for line in &new {
        println!("rejected: {line}");
    }
    println!(
        "shaders check: {} checks, {} new rejections",
        reports.len(),
        new.len()
    );
    new.is_empty()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn report(verdict: Verdict) -> Report {
        Report {
            tool: "tool 1".to_owned(),
            verdicts: vec![("relu/relu_forward".to_owned(), verdict)],
        }
    }

    #[test]
    fn only_new_rejections_fail() {
        assert!(print(&[report(Verdict::Accepted)], &[]));
        assert!(print(
            &[report(Verdict::Known(&LAYOUT))],
            &["a tool".to_owned()]
        ));
        assert!(!print(&[report(Verdict::New("no".to_owned()))], &[]));
    }
}
