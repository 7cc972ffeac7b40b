//! A browser, headless, that tests look at pages with: what it makes of a page, its console, and whether a page fits windows of
//! three widths, in light and dark. Without Chromium a test says so and passes; with `REQUIRE_BROWSER=1` it fails.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Told to the page around: what the page is like at this width.
const PROBE: &str = include_str!("probe.html");

/// WCAG 2's least contrast of text.
const LEAST_CONTRAST: f64 = 4.5;
/// A page that is longer than this on a phone is not looked through.
const MOST_HEIGHT: u32 = 9_000;

/// Chromium, if it is there.
pub(crate) fn browser() -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let folders: Vec<_> = std::env::split_paths(&path).collect();
    let names = ["chromium", "chromium-browser", "google-chrome"];
    let found = names
        .iter()
        .flat_map(|name| folders.iter().map(move |folder| folder.join(name)))
        .find(|file| file.is_file());
    if found.is_none() {
        assert!(
            std::env::var_os("REQUIRE_BROWSER").is_none(),
            "no Chromium on PATH"
        );
        eprintln!("skipped: no Chromium on PATH (apt-get install chromium)");
    }
    found
}

/// What the browser makes of a page: its elements as text. Its console must stay empty.
pub(crate) fn dump(browser: &Path, profile: &Path, url: &str, is_dark: bool) -> String {
    dump_with(&[], browser, profile, url, is_dark)
}

/// The same with more flags of the browser.
pub(crate) fn dump_with(
    flags: &[&str],
    browser: &Path,
    profile: &Path,
    url: &str,
    is_dark: bool,
) -> String {
    let output = Command::new(browser)
        .args([
            "--headless",
            "--no-sandbox",
            "--disable-gpu",
            "--disable-dev-shm-usage",
            "--enable-logging=stderr",
            "--timeout=4000",
            "--dump-dom",
        ])
        .args(flags)
        .arg(format!(
            "--blink-settings=preferredColorScheme={}",
            u8::from(!is_dark)
        ))
        .arg(format!("--user-data-dir={}", profile.display()))
        .arg(url)
        .output()
        .unwrap();
    let log = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{url}: {log}");
    let console: Vec<_> = log
        .lines()
        .filter(|line| line.contains("CONSOLE"))
        .collect();
    assert!(console.is_empty(), "{url}: {console:?}");
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// Opens a copy of a page in frames of three widths: nothing is wider than its frame, no word is broken, and all text can be
/// read.
pub(crate) fn fits(browser: &Path, root: &Path, page: &Path) {
    fits_text(browser, root, &fs::read_to_string(page).unwrap(), page);
}

/// The same with the page's text; `page` is what messages call it.
pub(crate) fn fits_text(browser: &Path, root: &Path, text: &str, page: &Path) {
    let copy = text
        .replace(
            "default-src 'none';",
            "default-src 'none'; script-src 'unsafe-inline';",
        )
        .replace("</body>", &format!("{PROBE}</body>"));
    assert!(copy.contains("postMessage"), "the probe is in the page");
    fs::write(root.join("copy.html"), copy).unwrap();
    let frames = "<!DOCTYPE html><body><script>addEventListener('message', e => document.body.append('PROBE ' + e.data + ' END'))</script>\
                  <iframe src='copy.html' width='360' height='800'></iframe><iframe src='copy.html' width='800' height='800'></iframe>\
                  <iframe src='copy.html' width='1440' height='800'></iframe></body>";
    fs::write(root.join("frames.html"), frames).unwrap();
    let url = format!("file://{}", root.join("frames.html").display());
    for is_dark in [false, true] {
        // Until the frames have told what they are like.
        let wait = ["--virtual-time-budget=10000"];
        let dom = dump_with(&wait, browser, &root.join("profile"), &url, is_dark);
        let probes = dom
            .split("PROBE ")
            .skip(1)
            .filter_map(|rest| rest.split_once(" END"));
        let mut widths = Vec::new();
        for (probe, _) in probes.filter(|(probe, _)| !probe.contains('\'')) {
            let mut parts = probe.splitn(6, '|');
            let [needs, has, height] =
                [(); 3].map(|()| parts.next().unwrap().parse::<u32>().unwrap());
            let contrast: f64 = parts.next().unwrap().parse().unwrap();
            let at = format!("{} at {has}, dark: {is_dark}", page.display());
            eprintln!("{at}: {height} high, contrast {contrast}");
            assert!(contrast >= LEAST_CONTRAST, "{at}: {probe}");
            assert!(height <= MOST_HEIGHT || has > 360, "{at}: {height} high");
            assert!(
                needs <= has,
                "{} is wider than {has}: {probe}",
                page.display()
            );
            let colour = if is_dark {
                "rgb(17, 21, 28)"
            } else {
                "rgb(255, 255, 255)"
            };
            assert_eq!(parts.next(), Some(colour), "dark: {is_dark}");
            assert_eq!(parts.next(), Some(""), "{at}: broken words");
            widths.push(has);
        }
        widths.sort_unstable();
        assert_eq!(widths, [360, 800, 1440], "{dom}");
    }
}
