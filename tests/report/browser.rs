//! Pages in a real browser: no error on its console, every section there, nothing wider than the window, in light and dark.

use std::fs;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use report::{write_comparison, write_report};

use super::chromium::{browser, dump, fits, fits_text};
use super::dashboard::serve;
use super::pages::SECTIONS;
use super::{STEP, made_up, recipe, train};

#[test]
fn a_report_opens_in_a_browser() {
    let Some(browser) = browser() else { return };
    let root = tempfile::tempdir().unwrap();
    let folder = root.path().join("run");
    train(&folder, recipe(), u64::MAX, &[]);
    let page = write_report(&folder).unwrap().report;
    let url = format!("file://{}", page.display());
    let dom = dump(&browser, &root.path().join("profile"), &url, false);
    for section in SECTIONS {
        assert!(
            dom.contains(&format!("{section}</h2>")),
            "no section {section}"
        );
    }
    let images = dom.matches("<svg").count() + dom.matches("class=\"tiles").count();
    assert!(images >= 8, "images");
    fits(&browser, root.path(), &page);
}

#[test]
fn a_comparison_with_many_classes_fits_narrow_windows() {
    let Some(browser) = browser() else { return };
    let root = tempfile::tempdir().unwrap();
    let runs = [
        ("one", 100),
        ("two-with-a-rather-long-name-that-goes-on", 10),
    ];
    let folders = runs.map(|(name, classes)| made_up(root.path(), name, classes));
    let page = root.path().join("both.html");
    write_comparison(&folders, &page).unwrap();
    fits(&browser, root.path(), &page);
}

#[test]
fn the_dashboard_follows_a_run_in_a_browser() {
    let Some(browser) = browser() else { return };
    let root = tempfile::tempdir().unwrap();
    let runs = root.path().join("runs");
    fs::create_dir(&runs).unwrap();
    let folder = made_up(&runs, "run", 3);
    let address = slowed(serve(&runs), folder.join("steps.jsonl"));
    let profile = root.path().join("profile");
    let dom = dump(
        &browser,
        &profile,
        &format!("http://{address}/runs/run/"),
        true,
    );
    assert!(dom.contains("<svg") && dom.contains("2.5000"), "{dom}");
    assert!(
        dom.contains("1.2345"),
        "the step after the page was loaded: {dom}"
    );
    assert!(dom.contains(">live</span>"), "{dom}");
    let dom = dump(&browser, &profile, &format!("http://{address}/"), false);
    assert!(
        dom.contains("/runs/run/") && dom.contains("1.2345"),
        "{dom}"
    );
    assert!(
        dom.contains("data-values") || !dom.contains("<svg"),
        "{dom}"
    );
}

#[test]
fn the_dashboards_pages_fit_narrow_windows() {
    let Some(browser) = browser() else { return };
    let root = tempfile::tempdir().unwrap();
    let runs = root.path().join("runs");
    fs::create_dir(&runs).unwrap();
    for name in ["run", "another-run-with-a-rather-long-name"] {
        made_up(&runs, name, 12);
    }
    let address = serve(&runs);
    for path in ["/", "/runs/run/"] {
        let mut server = TcpStream::connect(address).unwrap();
        write!(server, "GET {path} HTTP/1.0\r\nHost: {address}\r\n\r\n").unwrap();
        let mut answer = String::new();
        server.read_to_string(&mut answer).unwrap();
        let (_, page) = answer.split_once("\r\n\r\n").unwrap();
        // The script would wait for a server.
        let page = page.replace("<script src=\"/app.js\" defer></script>", "");
        fits_text(&browser, root.path(), &page, Path::new(path));
    }
}

#[test]
fn the_dashboards_script_tells_values_and_smooths() {
    let Some(browser) = browser() else { return };
    let root = tempfile::tempdir().unwrap();
    let runs = root.path().join("runs");
    fs::create_dir(&runs).unwrap();
    made_up(&runs, "run", 3);
    let address = serve(&runs);
    let get = |path: &str| {
        let mut server = TcpStream::connect(address).unwrap();
        write!(server, "GET {path} HTTP/1.0\r\nHost: {address}\r\n\r\n").unwrap();
        let mut answer = String::new();
        server.read_to_string(&mut answer).unwrap();
        answer.split_once("\r\n\r\n").unwrap().1.to_owned()
    };
    // A page of its own, whose script moves the slider and the pointer.
    let script = get("/app.js");
    let test = "slider.value = 0.6; slider.oninput();\
                const plot = document.querySelector('[data-values]');\
                const box = plot.querySelector('svg').getBoundingClientRect();\
                plot.dispatchEvent(new PointerEvent('pointermove', { clientX: box.left + box.width / 2, clientY: box.top + 9 }));";
    let page = get("/runs/run/").replace("<script src=\"/app.js\" defer></script>", "");
    let script = script.replace(
        "new EventSource(document.body.dataset.events)",
        "new EventTarget()",
    );
    let page = page.replace(
        "</body>",
        &format!("<script>{script}\n{test}</script></body>"),
    );
    let file = root.path().join("page.html");
    fs::write(&file, page).unwrap();
    let url = format!("file://{}", file.display());
    let dom = dump(&browser, &root.path().join("profile"), &url, false);
    for part in [
        "class=\"smooth\"",
        "class=\"plot smoothed\"",
        "class=\"tip\">epoch 2",
        "train ",
        "validation ",
    ] {
        assert!(dom.contains(part), "no {part}:\n{dom}");
    }
}

/// A server before the dashboard whose pages have an image that is slow to come: the browser, which tells what it shows
/// when a page is loaded, tells later. When the events are asked for, the run goes on by a step; when that was sent to the
/// browser, the image comes.
fn slowed(dashboard: SocketAddr, steps: PathBuf) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let was_sent = Arc::new(AtomicBool::new(false));
    std::thread::spawn(move || {
        for client in listener.incoming().flatten() {
            let (steps, was_sent) = (steps.clone(), Arc::clone(&was_sent));
            std::thread::spawn(move || drop(forward(client, dashboard, &steps, &was_sent)));
        }
    });
    address
}

fn forward(
    mut client: TcpStream,
    dashboard: SocketAddr,
    steps: &Path,
    was_sent: &AtomicBool,
) -> std::io::Result<()> {
    let mut lines = BufReader::new(client.try_clone()?).lines();
    let request = lines.next().transpose()?.unwrap_or_default();
    let target = request.split(' ').nth(1).unwrap_or("/").to_owned();
    if target == "/slow.png" {
        for _ in 0..300 {
            if was_sent.load(Ordering::Acquire) {
                break;
            }
            std::thread::sleep(Duration::from_millis(100));
        }
        // The script has yet to show it.
        std::thread::sleep(Duration::from_millis(500));
        return client
            .write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
    }
    let mut server = TcpStream::connect(dashboard)?;
    // Answers to HTTP/1.0 come in one piece, not in chunks.
    write!(server, "GET {target} HTTP/1.0\r\nHost: {dashboard}\r\n\r\n")?;
    if target.ends_with("events") {
        let mut file = fs::OpenOptions::new().append(true).open(steps)?;
        let step = STEP.replace("\"loss\":2.5", "\"loss\":1.2345");
        let begun = !was_sent.load(Ordering::Acquire);
        if begun {
            writeln!(file, "{}", &step[40..])?;
        }
        for line in BufReader::new(server).lines() {
            let line = line?;
            client.write_all(format!("{line}\r\n").as_bytes())?;
            if line.is_empty() || !line.contains("1.2345") {
                continue;
            }
            client.write_all(b"\r\n")?;
            was_sent.store(true, Ordering::Release);
        }
        return Ok(());
    }
    let mut answer = String::new();
    server.read_to_string(&mut answer)?;
    let length = answer.find("content-length").unwrap_or(0);
    let end = answer[length..].find('\r').unwrap_or(0) + length;
    answer.replace_range(length..end, "x-length: unknown");
    let answer = answer.replace("</body>", "<img src=\"/slow.png\" alt=\"\"></body>");
    client.write_all(answer.as_bytes())
}
