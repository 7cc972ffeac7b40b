//! Globs for names of parameters and of recorded cases: `*` stands for any text, also for none.

/// Whether all of `name` matches `pattern`: `conv*.weight` matches `conv1.weight`, `conv1` does not.
///
/// ```
/// use train::globs::is_match;
///
/// assert!(is_match("conv*.weight", "conv1.weight") && !is_match("conv1", "conv1.weight"));
/// ```
#[must_use]
pub fn is_match(pattern: &str, name: &str) -> bool {
    let mut parts = pattern.split('*');
    let first = parts.next().unwrap_or("");
    let Some(mut rest) = name.strip_prefix(first) else {
        return false;
    };
    let Some(last) = parts.next_back() else {
        return rest.is_empty();
    };
    for part in parts {
        let Some(at) = rest.find(part) else {
            return false;
        };
        rest = &rest[at + part.len()..];
    }
    rest.len() >= last.len() && rest.ends_with(last)
}

#[cfg(test)]
mod tests {
    use super::is_match;

    #[test]
    fn stars_stand_for_any_text() {
        for (pattern, name) in [
            ("conv1.weight", "conv1.weight"),
            ("conv*", "conv12.bias"),
            ("*.bias", "fc8.bias"),
            ("conv*.weight", "conv1.weight"),
            ("*", ""),
        ] {
            assert!(is_match(pattern, name), "{pattern} and {name}");
        }
        for (pattern, name) in [
            ("conv1", "conv1.weight"),
            ("conv*.weight", "conv1.bias"),
            ("a*a", "a"),
            ("", "fc8"),
        ] {
            assert!(!is_match(pattern, name), "{pattern} and {name}");
        }
    }
}
