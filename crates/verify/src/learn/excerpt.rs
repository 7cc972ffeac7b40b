//! Functions, cut out of source files.

/// The function that begins so in a text, to its closing brace, without the indentation that its first line has.
pub(super) fn function(text: &str, begin: &str) -> Option<String> {
    let at = text.find(begin)?;
    let line = text[..at].rfind('\n').map_or(0, |end| end + 1);
    let indent = &text[line..at];
    let indent = &indent[..indent.len() - indent.trim_start().len()];
    let close = format!("\n{indent}}}");
    let end = at + text[at..].find(&close)? + close.len();
    let lines = text[line..end].lines();
    let lines = lines.map(|line| line.strip_prefix(indent).unwrap_or(line));
    Some(lines.collect::<Vec<_>>().join("\n"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_function_is_cut_out_with_its_body() {
        let text = "impl A {\n    fn a(&self) {\n        if b {\n            c\n        }\n    }\n\n    fn d() {}\n}\n\npub fn e() {\n    f\n}\n";
        let cut = |begin| function(text, begin).unwrap();
        assert_eq!(
            cut("fn a("),
            "fn a(&self) {\n    if b {\n        c\n    }\n}"
        );
        assert_eq!(cut("pub fn e("), "pub fn e() {\n    f\n}");
        assert_eq!(function(text, "fn x("), None);
    }
}
