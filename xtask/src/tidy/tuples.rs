//! Whether a function takes a tuple: `(height, width): (usize, usize)` says neither at the call which is which, nor to the
//! lint for too many arguments how many there are. A struct with names, or arguments of their own, say both.
//!
//! Reads the text, without a parser: comments and literals are blanked, then every `fn name(…)` is cut at its commas. A
//! tuple inside another type, as in `&[(A, B)]` or `Option<(A, B)>`, is data and passes; so do closures and `fn(…)` types.

use super::files::File;

/// The folders whose functions are checked; a trailing `/` keeps `crates/model` from meaning `crates/models`.
const CHECKED: &[&str] = &[
    "crates/train/",
    "crates/verify/",
    "crates/cli/",
    "crates/data/",
    "crates/files/",
    "crates/kernels/src/",
    "crates/model/",
    "crates/philox/",
    "crates/report/",
    "crates/tensor/src/",
    "examples/",
    "fuzz/",
    "shaders/src/",
    "xtask/",
];

/// Finds every function with a tuple among its arguments.
pub(super) fn check(file: &File) -> Vec<String> {
    let is_checked = CHECKED.iter().any(|folder| file.path.starts_with(folder));
    if !is_checked || !file.path.ends_with(".rs") {
        return Vec::new();
    }
    let found = functions_with_tuples(&file.text).into_iter();
    found
        .map(|Found { line, function }| {
            format!(
                "{}:{line}: `{function}` takes a tuple: name a struct, or pass its parts one by one",
                file.path
            )
        })
        .collect()
}

/// A function that takes a tuple, and the line of its name.
#[derive(Debug, PartialEq, Eq)]
struct Found {
    line: usize,
    function: String,
}

fn functions_with_tuples(text: &str) -> Vec<Found> {
    let code = blank(text);
    let mut found = Vec::new();
    let mut from = 0;
    while let Some(offset) = find(&code[from..], &['f', 'n', ' ']) {
        let keyword = from + offset;
        from = keyword + 3;
        if keyword > 0 && is_word(code[keyword - 1]) {
            continue;
        }
        let end = from + count(&code[from..], |c| is_word(c) || c == '$');
        let function: String = code[from..end].iter().collect();
        let Some(arguments) = arguments(&code[end..]) else {
            continue;
        };
        // The trait says what `From::from` takes.
        let is_conversion = function == "from";
        if !is_conversion && split(arguments).into_iter().any(is_tuple_argument) {
            let line = 1 + code[..keyword].iter().filter(|c| **c == '\n').count();
            found.push(Found { line, function });
        }
    }
    found
}

/// What is between the parentheses after a function's name and its generic parameters; none when it isn't a function.
fn arguments(after_name: &[char]) -> Option<&[char]> {
    let mut rest = trim(after_name);
    if rest.first() == Some(&'<') {
        rest = trim(&rest[closed_by(rest)? + 1..]);
    }
    (rest.first() == Some(&'(')).then_some(())?;
    Some(&rest[1..closed_by(rest)?])
}

/// The place of the bracket that closes the one which `code` begins with.
fn closed_by(code: &[char]) -> Option<usize> {
    let mut depth = 0;
    for idx in 0..code.len() {
        depth += step(code, idx);
        if depth == 0 {
            return Some(idx);
        }
    }
    None
}

/// By how much the character at a place changes the depth of brackets. The `>` of `->` and `=>` closes nothing.
fn step(code: &[char], idx: usize) -> i32 {
    match code[idx] {
        '(' | '[' | '{' | '<' => 1,
        '>' if idx > 0 && matches!(code[idx - 1], '-' | '=') => 0,
        ')' | ']' | '}' | '>' => -1,
        _ => 0,
    }
}

/// Cuts a list at the commas that are in no bracket.
fn split(list: &[char]) -> Vec<&[char]> {
    let mut parts = Vec::new();
    let (mut depth, mut begin) = (0, 0);
    for idx in 0..list.len() {
        depth += step(list, idx);
        if depth == 0 && list[idx] == ',' {
            parts.push(&list[begin..idx]);
            begin = idx + 1;
        }
    }
    parts.push(&list[begin..]);
    parts
}

/// Whether the pattern or the type of an argument is a tuple, be it behind a reference.
fn is_tuple_argument(argument: &[char]) -> bool {
    let mut argument = trim(argument);
    while argument.first() == Some(&'#') {
        let Some(end) = closed_by(&argument[1..]) else {
            return false;
        };
        argument = trim(&argument[end + 2..]);
    }
    let mut depth = 0;
    for idx in 0..argument.len() {
        depth += step(argument, idx);
        let is_path = argument.get(idx + 1) == Some(&':') || (idx > 0 && argument[idx - 1] == ':');
        if depth == 0 && argument[idx] == ':' && !is_path {
            return is_tuple(&argument[..idx]) || is_tuple(&argument[idx + 1..]);
        }
    }
    false
}

/// Whether a pattern or a type is a tuple: `(A, B)`, `(A,)`, and both behind `&`, `&mut` and `&'a`; not `()` and not
/// `(dyn Trait)`.
fn is_tuple(code: &[char]) -> bool {
    let mut rest = trim(code);
    while rest.first() == Some(&'&') {
        rest = trim(&rest[1..]);
        if rest.first() == Some(&'\'') {
            rest = trim(&rest[1 + count(&rest[1..], is_word)..]);
        }
        if rest.starts_with(&['m', 'u', 't', ' ']) {
            rest = trim(&rest[4..]);
        }
    }
    rest.first() == Some(&'(') && closed_by(rest).is_some_and(|end| split(&rest[1..end]).len() > 1)
}

/// The code with a space for every character of comments and of string and character literals; lines stay where they are.
fn blank(text: &str) -> Vec<char> {
    let mut code: Vec<char> = text.chars().collect();
    let mut idx = 0;
    while idx < code.len() {
        let length = literal(&code[idx..], idx == 0 || !is_word(code[idx - 1]));
        for character in &mut code[idx..idx + length] {
            if *character != '\n' {
                *character = ' ';
            }
        }
        idx += length.max(1);
    }
    code
}

/// How many characters the comment or literal takes that `code` begins with; 0 when it begins with neither.
/// `begins_word` says whether the character before is no part of a word, so that an `r` may begin a raw string.
fn literal(code: &[char], begins_word: bool) -> usize {
    let length = match code {
        ['/', '/', ..] => count(code, |c| c != '\n'),
        ['/', '*', ..] => block_comment(code),
        ['"', ..] => quoted(code, '"'),
        ['\'', '\\', ..] => quoted(code, '\''),
        // Two quotes around one character; one quote alone begins a lifetime.
        ['\'', _, '\'', ..] => 3,
        ['r', '"' | '#', ..] if begins_word => raw_string(code),
        ['b', 'r', '"' | '#', ..] if begins_word => 1 + raw_string(&code[1..]),
        _ => 0,
    };
    length.min(code.len())
}

/// Up to the end of a block comment; such comments nest.
fn block_comment(code: &[char]) -> usize {
    let (mut depth, mut idx) = (0, 0);
    while idx < code.len() {
        let by = match code[idx..] {
            ['/', '*', ..] => 1,
            ['*', '/', ..] => -1,
            _ => 0,
        };
        depth += by;
        idx += if by == 0 { 1 } else { 2 };
        if depth == 0 {
            break;
        }
    }
    idx
}

/// Up to the closing quote, which no backslash stands before.
fn quoted(code: &[char], quote: char) -> usize {
    let mut idx = 1;
    while idx < code.len() && code[idx] != quote {
        idx += if code[idx] == '\\' { 2 } else { 1 };
    }
    idx + 1
}

/// Up to the end of `r"…"` or `r#"…"#`; 0 for a raw identifier, as `r#type`.
fn raw_string(code: &[char]) -> usize {
    let n_hashes = count(&code[1..], |c| c == '#');
    if code.get(1 + n_hashes) != Some(&'"') {
        return 0;
    }
    let end: Vec<char> = std::iter::once('"')
        .chain(std::iter::repeat_n('#', n_hashes))
        .collect();
    let begin = 2 + n_hashes;
    find(&code[begin..], &end).map_or(code.len(), |offset| begin + offset + end.len())
}

fn find(code: &[char], what: &[char]) -> Option<usize> {
    code.windows(what.len()).position(|window| window == what)
}

/// How many characters from the start pass a test.
fn count(code: &[char], passes: impl Fn(char) -> bool) -> usize {
    code.iter().take_while(|c| passes(**c)).count()
}

fn trim(code: &[char]) -> &[char] {
    &code[count(code, char::is_whitespace)..]
}

fn is_word(character: char) -> bool {
    character.is_alphanumeric() || character == '_'
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The names of the functions that are found in a text.
    fn names(text: &str) -> Vec<String> {
        let found = functions_with_tuples(text).into_iter();
        found.map(|found| found.function).collect()
    }

    #[test]
    fn tuples_are_caught() {
        for arguments in [
            "(a, b): (usize, usize)",
            "size: (usize, usize)",
            "size: &(usize, usize)",
            "size: &'a mut (usize, usize)",
            "&(a, b): &(usize, usize)",
            "&self, size: (usize, usize)",
            "x: &[f32], size: (usize,)",
            "\n    x: &[f32],\n    size: (\n        usize,\n        &str,\n    ),\n",
            "#[cfg(test)] size: (A, B)",
            "f: impl Fn(usize) -> bool, size: (A, B)",
        ] {
            assert_eq!(
                names(&format!("fn f({arguments}) {{}}")),
                ["f"],
                "{arguments}"
            );
        }
        assert_eq!(names("fn f<'a, F: Fn(u8) -> Vec<u8>>(x: (A, B)) {}"), ["f"]);
        assert_eq!(names("const fn $name(x: (A, B)) {}"), ["$name"]);
        assert_eq!(names("fn outer() { fn inner(x: (A, B)) {} }"), ["inner"]);
    }

    #[test]
    fn other_arguments_pass() {
        for arguments in [
            "",
            "&self",
            "self: Box<Self>",
            "nothing: ()",
            "f: &(dyn Fn(A, B) + Send)",
            "f: impl Fn((A, B)) -> (A, B)",
            "f: fn((A, B)) -> C",
            "pairs: &[(A, B)], pair: Option<(A, B)>",
            "Size(a, b): Size, [c, d]: [usize; 2]",
            "Point { a, b }: Point",
            "path: std::fmt::Formatter<'_>, g: HashMap<A, B>",
            "x: A, // size: (A, B)\n y: B",
        ] {
            let text = format!("fn f({arguments}) -> (A, B) {{ call((a, b)) }}");
            assert_eq!(names(&text), Vec::<String>::new(), "{arguments}");
        }
        let text = "let f = |(a, b): (A, B)| a;\nimpl From<(A, B)> for C { fn from(x: (A, B)) -> C { C } }";
        assert_eq!(names(text), Vec::<String>::new());
        assert_eq!(names("type F = fn ((A, B));"), Vec::<String>::new());
    }

    #[test]
    fn comments_and_literals_are_no_code() {
        for text in [
            "// fn f(x: (A, B))",
            "/* fn f(x: (A, B)) /* deeper */ fn g(x: (A, B)) */",
            "\"fn f(x: (A, B))\"",
            "\"\\\" fn f(x: (A, B))\"",
            "r#\"\" fn f(x: (A, B))\"#",
            "br\"fn f(x: (A, B))\"",
        ] {
            assert_eq!(names(text), Vec::<String>::new(), "{text}");
        }
        // What follows them is.
        for before in [
            "'\"' ",
            "'\\'' ",
            "b'(' ",
            "\"\\\\\" ",
            "r#type ",
            "&'a str ",
        ] {
            let text = format!("{before}\nfn f(x: (A, B))");
            let found = functions_with_tuples(&text);
            let function = "f".to_owned();
            assert_eq!(found, [Found { line: 2, function }], "{before}");
        }
    }

    #[test]
    fn only_the_listed_folders_are_checked() {
        let text = "//! A file.\n\nfn f(x: (A, B)) {}\n";
        let found = check(&File::made_up("shaders/src/a.rs", text));
        assert_eq!(
            found,
            ["shaders/src/a.rs:3: `f` takes a tuple: name a struct, or pass its parts one by one"]
        );
        for path in ["benches/a.rs", "shaders/src/a.wgsl"] {
            assert_eq!(check(&File::made_up(path, text)), Vec::<String>::new());
        }
    }
}
