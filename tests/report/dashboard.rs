//! The dashboard over real sockets: what it shows, that it follows a run, and what it keeps to itself.

use std::fs::{self, OpenOptions};
use std::io::{BufRead, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::time::Duration;

use report::Dashboard;

use super::{STEP, made_up};

/// Serves a folder until the test ends.
pub(crate) fn serve(folder: &Path) -> SocketAddr {
    let dashboard = Dashboard::bind("127.0.0.1:0".parse().unwrap(), folder).unwrap();
    let address = dashboard.address();
    std::thread::spawn(move || dashboard.serve());
    address
}

fn connect(address: SocketAddr) -> TcpStream {
    let stream = TcpStream::connect(address).unwrap();
    stream
        .set_read_timeout(Some(Duration::from_secs(60)))
        .unwrap();
    stream
}

/// Asks for exactly this target, unlike a browser, which tidies paths up.
fn ask(address: SocketAddr, target: &str, host: &str) -> (u16, String) {
    let mut stream = connect(address);
    write!(
        stream,
        "GET {target} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n"
    )
    .unwrap();
    let mut bytes = Vec::new();
    stream.read_to_end(&mut bytes).unwrap();
    let answer = String::from_utf8_lossy(&bytes).replace("&#x2f;", "/");
    let status = answer.split(' ').nth(1).unwrap().parse().unwrap();
    (status, answer)
}

fn get(address: SocketAddr, target: &str) -> (u16, String) {
    ask(address, target, &address.to_string())
}

#[test]
fn runs_are_listed_and_shown() {
    let root = tempfile::tempdir().unwrap();
    let folder = made_up(root.path(), "first run", 3);
    fs::create_dir(root.path().join("no-run")).unwrap();
    let address = serve(root.path());
    let (status, page) = get(address, "/");
    assert_eq!(status, 200, "{page}");
    assert!(
        page.contains("first run") && page.contains("/runs/first%20run/"),
        "{page}"
    );
    assert!(
        page.contains("running") && !page.contains("no-run"),
        "{page}"
    );
    assert!(
        page.to_lowercase()
            .contains("content-security-policy: default-src 'none'")
    );
    let (status, page) = get(address, "/runs/first%20run/");
    assert_eq!(status, 200, "{page}");
    assert!(
        page.contains("<svg") && page.contains("2.5000"),
        "curves and log"
    );
    assert_eq!(
        get(address, "/runs/first%20run/report.html").0,
        404,
        "not yet"
    );
    fs::write(folder.join("report.html"), "the report").unwrap();
    let (status, page) = get(address, "/runs/first%20run/report.html");
    assert!(
        status == 200 && page.contains("the report") && page.contains("text/html"),
        "{page}"
    );
    assert!(get(address, "/runs/first%20run/metrics.csv").0 == 404);
    assert!(
        get(address, "/runs/first%20run/metrics.jsonl")
            .1
            .contains("train_loss")
    );
}

#[test]
fn nothing_but_files_of_runs_is_served() {
    let root = tempfile::tempdir().unwrap();
    let runs = root.path().join("runs");
    fs::create_dir(&runs).unwrap();
    let run = made_up(&runs, "run", 3);
    fs::write(root.path().join("secret.txt"), "SECRET").unwrap();
    fs::write(run.join("secret.txt"), "SECRET").unwrap();
    fs::create_dir_all(run.join("checkpoints/last")).unwrap();
    fs::write(run.join("checkpoints/last/model.safetensors"), "SECRET").unwrap();
    fs::create_dir(run.join("plots")).unwrap();
    fs::write(run.join("plots/secret.txt"), "SECRET").unwrap();
    fs::write(run.join("plots/fine.svg"), "<svg/>").unwrap();
    let outside = made_up(root.path(), "outside", 3);
    fs::write(outside.join("metrics.csv"), "SECRET").unwrap();
    #[cfg(unix)]
    for (target, link) in [
        (root.path().join("secret.txt"), run.join("summary.json")),
        (root.path().join("secret.txt"), run.join("plots/link.svg")),
        (outside.clone(), runs.join("linked")),
    ] {
        std::os::unix::fs::symlink(target, link).unwrap();
    }
    let address = serve(&runs);
    for target in [
        "/secret.txt",
        "/../secret.txt",
        "/%2e%2e/secret.txt",
        "/runs/../secret.txt",
        "/runs/%2e%2e/secret.txt",
        "/runs/..%2foutside/metrics.csv",
        "/runs/../outside/metrics.csv",
        "/runs/%2e%2e%2foutside/metrics.csv",
        "/runs/run/../../secret.txt",
        "/runs/run/..%2f..%2fsecret.txt",
        "/runs/run/%2e%2e/%2e%2e/secret.txt",
        "/runs/run//etc/passwd",
        "/runs/run/%2fetc%2fpasswd",
        "/runs/run/plots/../secret.txt",
        "/runs/run/plots/..%5csecret.txt",
        "/runs/run/plots/secret.txt",
        "/runs/run/secret.txt",
        "/runs/run/checkpoints/last/model.safetensors",
        "/runs/run/summary.json",
        "/runs/run/plots/link.svg",
        "/runs/linked/",
        "/runs/linked/metrics.csv",
        "/runs/./metrics.jsonl",
        "/runs/run%00/metrics.jsonl",
        "/runs/nosuch/metrics.jsonl",
    ] {
        let (status, answer) = get(address, target);
        assert!((400..500).contains(&status), "{target}: {answer}");
        assert!(
            !answer.contains("SECRET") && !answer.contains("root:"),
            "{target}: {answer}"
        );
    }
    assert_eq!(get(address, "/runs/run/plots/fine.svg").0, 200);
}

#[test]
fn foreign_hosts_are_refused() {
    let root = tempfile::tempdir().unwrap();
    made_up(root.path(), "run", 3);
    let address = serve(root.path());
    let port = address.port();
    for (host, expected) in [
        (format!("127.0.0.1:{port}"), 200),
        (format!("localhost:{port}"), 200),
        (format!("[::1]:{port}"), 200),
        ("evil.example".to_owned(), 403),
        (format!("evil.example:{port}"), 403),
        ("localhost.evil.example".to_owned(), 403),
        ("127.0.0.1.evil.example".to_owned(), 403),
        (String::new(), 403),
    ] {
        let (status, answer) = ask(address, "/", &host);
        assert_eq!(status, expected, "{host}: {answer}");
        assert_eq!(answer.contains("/runs/run/"), status == 200, "{host}");
    }
}

/// Reads server-sent events until one holds `part`.
fn event_with(reader: &mut impl BufRead, part: &str) -> String {
    loop {
        let mut line = String::new();
        assert!(
            reader.read_line(&mut line).unwrap() > 0,
            "the stream ended before {part}"
        );
        if line.starts_with("data:") && line.contains(part) {
            return line;
        }
    }
}

#[test]
fn a_growing_run_is_followed() {
    let root = tempfile::tempdir().unwrap();
    let folder = made_up(root.path(), "run", 3);
    let address = serve(root.path());
    let open = |target: &str| {
        let mut stream = connect(address);
        write!(stream, "GET {target} HTTP/1.1\r\nHost: {address}\r\n\r\n").unwrap();
        BufReader::new(stream)
    };
    let (mut list, mut run) = (open("/events"), open("/runs/run/events"));
    event_with(&mut list, "2.5000");
    event_with(&mut run, "2.5000");
    // The rest of the half-written line, and another.
    let mut steps = OpenOptions::new()
        .append(true)
        .open(folder.join("steps.jsonl"))
        .unwrap();
    let next = STEP.replace("\"loss\":2.5", "\"loss\":1.2345");
    writeln!(steps, "{}", &next[40..]).unwrap();
    event_with(&mut list, "1.2345");
    let fragment = event_with(&mut run, "1.2345");
    assert!(fragment.contains("<svg"), "with its curves");
    // A run that begins appears.
    made_up(root.path(), "another", 3);
    event_with(&mut list, "another");
}

#[test]
fn weights_and_gradients_have_histograms() {
    let root = tempfile::tempdir().unwrap();
    made_up(root.path(), "run", 3);
    let address = serve(root.path());
    let (_, page) = get(address, "/runs/run/");
    for name in ["conv1.weight", "conv1.bias", "conv1.weight, gradient"] {
        assert!(
            page.contains(&format!("<figcaption>{name}</figcaption>")),
            "{name}"
        );
    }
    assert_eq!(
        page.matches("<polygon").count(),
        3 * 5,
        "a ridge for each epoch"
    );
    let (status, rows) = get(address, "/runs/run/histograms.jsonl");
    assert_eq!((status, rows.matches("is_gradient").count()), (200, 15));
}

#[test]
fn a_folder_that_is_none_and_a_port_that_is_taken_are_errors() {
    let root = tempfile::tempdir().unwrap();
    let any = "127.0.0.1:0".parse().unwrap();
    let message = Dashboard::bind(any, &root.path().join("none"))
        .unwrap_err()
        .to_string();
    assert!(message.contains("none"), "{message}");
    let first = Dashboard::bind(any, root.path()).unwrap();
    let message = Dashboard::bind(first.address(), root.path())
        .unwrap_err()
        .to_string();
    assert!(message.contains("cannot listen"), "{message}");
}

#[test]
#[cfg(unix)]
fn a_pipe_in_place_of_rows_stops_no_request() {
    let root = tempfile::tempdir().unwrap();
    made_up(root.path(), "good", 3);
    let bad = made_up(root.path(), "bad", 3);
    let rows = bad.join("metrics.jsonl");
    fs::remove_file(&rows).unwrap();
    let made = std::process::Command::new("mkfifo").arg(&rows).status();
    assert!(made.unwrap().success(), "mkfifo");
    let address = serve(root.path());
    // Whoever opens it without a writer waits for ever.
    let (status, page) = get(address, "/runs/bad/");
    assert_eq!(status, 200, "{page}");
    assert!(page.contains("not a regular file"), "{page}");
    let (status, list) = get(address, "/");
    assert_eq!(status, 200, "{list}");
    assert!(
        list.contains("unreadable") && list.contains("good"),
        "{list}"
    );
    assert_eq!(get(address, "/runs/bad/metrics.jsonl").0, 404, "no file");
    assert_eq!(get(address, "/runs/good/").0, 200, "the other run");
}
