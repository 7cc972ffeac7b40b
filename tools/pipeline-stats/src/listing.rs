//! Reads drivers' listings of machine code, as far as it takes to count instructions and, among them, multiply-adds of floats.

/// Multiply-adds and instructions.
#[derive(Clone, Copy, Debug, Default)]
pub struct Counts {
    pub fma: usize,
    pub all: usize,
}

/// Counts what a listing holds; nothing in a listing of something else than machine code. `name` is the driver's for it.
pub fn count(name: &str, listing: &str) -> Counts {
    let mut counts = Counts::default();
    for line in listing.lines() {
        let counted = match name {
            "Assembly" => radv(line),
            "NAK assembly" => nvk(line),
            "GEN Assembly" => anv(line),
            "IR3 Assembly" => turnip(line),
            "AGX" => honeykrisp(line),
            _ => None,
        };
        if let Some((fma, all)) = counted {
            counts.fma += fma;
            counts.all += all;
        }
    }
    counts
}

/// `\tv_fmac_f32_e32 v1, v2, v3 ; be840001`, or two at once: `\tv_dual_fmac_f32 … :: v_dual_fmac_f32 …`, or packed.
fn radv(line: &str) -> Option<(usize, usize)> {
    let code = line.strip_prefix('\t')?.split(';').next()?;
    let halves = code
        .split(" :: ")
        .map(|half| half.split_whitespace().next());
    let fma = halves.flatten().filter(|name| {
        let name = name.trim_start_matches("v_").trim_start_matches("dual_");
        let name = name.trim_start_matches("pk_");
        name.starts_with("fma") || name.starts_with("mad_f") || name.starts_with("mac_f")
    });
    Some((fma.count(), 1))
}

/// `      r0        = ffma.ftz r37 r38 r39    // delay=4`
fn nvk(line: &str) -> Option<(usize, usize)> {
    let code = line.strip_prefix("   ")?.split("//").next()?.trim();
    let is_fma = |word: &str| ["ffma", "hfma2"].contains(&word.split('.').next().unwrap_or(""));
    let fma = usize::from(code.split_whitespace().any(is_fma));
    (!code.is_empty()).then_some((fma, 1))
}

/// `(W)     mad (8)                   r82   r16   r4.4<0>  {I@7}`; of whole numbers with `:d` or the like.
fn anv(line: &str) -> Option<(usize, usize)> {
    let code = line.trim_start_matches(['(', 'W', ')', ' ']);
    let (name, rest) = code.split_once(" (")?;
    let is_name = !name.is_empty() && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'.');
    let is_whole = [":d", ":w", ":ud", ":uw"]
        .iter()
        .any(|ty| rest.contains(ty));
    is_name.then_some((usize::from(name == "mad" && !is_whole), 1))
}

/// `(sy)(rpt1)mad.f32 r0.x, …`, which is done twice.
fn turnip(line: &str) -> Option<(usize, usize)> {
    let mut code = line;
    let mut times = 1;
    while let Some((flag, rest)) = code.strip_prefix('(').and_then(|code| code.split_once(')')) {
        if let Some(more) = flag.strip_prefix("rpt") {
            times += more.parse().unwrap_or(0);
        }
        code = rest;
    }
    let is_code = code.starts_with(|first: char| first.is_ascii_lowercase());
    is_code.then_some((if code.starts_with("mad.f") { times } else { 0 }, times))
}

/// ` 534: 1208cc0201001130       ffma     r1, r2, r3, r4`
fn honeykrisp(line: &str) -> Option<(usize, usize)> {
    let mut words = line.split_whitespace();
    let is_hex = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_hexdigit());
    let place = words.next()?.strip_suffix(':')?;
    let code = words.next()?;
    let name = words.next()?;
    let fma = usize::from(name.starts_with("ffma") || name.starts_with("hfma"));
    (is_hex(place) && is_hex(code)).then_some((fma, 1))
}
