//! Tint, the compiler of WGSL in Chromium, through WebGPU in a headless browser on its own SwiftShader. One start for all variants: the page is
//! served on the loopback interface and posts its results there.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};
use serde_json::{Value, json};

use super::report::{Outcome, Report, Verdict};
use super::{Variant, file, tools};

const PAGE: &str = include_str!("tint.html");

/// How long the browser may be silent: SwiftShader takes seconds for the slowest pipeline.
const PATIENCE: Duration = Duration::from_secs(90);

/// WebGPU on SwiftShader, and nothing that a check does not need.
const FLAGS: [&str; 15] = [
    "--headless=new",
    "--no-sandbox",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-dev-shm-usage",
    "--disable-gpu-watchdog",
    "--disable-sync",
    "--enable-unsafe-webgpu",
    "--enable-features=Vulkan",
    "--ignore-gpu-blocklist",
    "--use-webgpu-adapter=swiftshader",
    "--use-vulkan=swiftshader",
    "--use-gl=angle",
    "--use-angle=swiftshader",
];

/// What WebGPU must offer for a variant.
pub(super) fn needs(variant: &Variant) -> Vec<&'static str> {
    let f16 = variant.is_f16.then_some("shader-f16");
    let subgroups = variant.has_subgroups.then_some("subgroups");
    f16.into_iter().chain(subgroups).collect()
}

/// SwiftShader compiles these in a minute in all; unrolled tiles of registers take it gigabytes.
fn has_pipeline(variant: &Variant) -> bool {
    !variant.is_f16 && (!variant.is_tiled() || variant.is_small_example())
}

pub(super) fn run(folder: &Path, variants: &[Variant]) -> Result<Outcome> {
    let Some(program) = browser() else {
        let hint = "Tint: no Chromium on PATH (apt-get install chromium)";
        return Ok(Outcome::Absent(hint.to_owned()));
    };
    let mut shaders = Vec::new();
    for variant in variants {
        shaders.push(json!({
            "name": variant.name,
            "entry": variant.entry,
            "code": tools::read(&file(folder, "wgsl", variant, "wgsl"))?,
            "needs": needs(variant),
            "pipeline": has_pipeline(variant),
        }));
    }
    let listener = TcpListener::bind("127.0.0.1:0").context("cannot listen on 127.0.0.1")?;
    let address = listener.local_addr()?;
    let profile = folder.join("profile");
    let log = folder.join("chromium.log");
    let log =
        std::fs::File::create(&log).with_context(|| format!("cannot write {}", log.display()))?;
    let child = Command::new(&program)
        .args(FLAGS)
        .arg(format!("--user-data-dir={}", profile.display()))
        .arg(format!("http://{address}/"))
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(log)
        .spawn()
        .with_context(|| format!("cannot start {}", program.display()))?;
    let mut browser = Browser(child);
    let (results, info) = serve(&listener, &Value::Array(shaders).to_string(), &mut browser)
        .context("Tint: see chromium.log in the folder of the check")?;
    drop(browser);
    if let Some(error) = info["error"].as_str() {
        bail!("Tint: the browser says: {error}");
    }
    Ok(Outcome::Ran(reports(variants, &results, &info)))
}

/// `$CHROMIUM`, or what is on the path.
pub(super) fn browser() -> Option<PathBuf> {
    tools::find(
        "CHROMIUM",
        &["chromium", "chromium-browser", "google-chrome"],
    )
}

/// A browser that ends with this program's interest in it.
struct Browser(Child);

impl Drop for Browser {
    fn drop(&mut self) {
        // One that has ended by itself can't be ended again, which is fine.
        drop(self.0.kill());
        drop(self.0.wait());
    }
}

/// Answers the browser until it is done: its results, and what it says of itself.
fn serve(
    listener: &TcpListener,
    shaders: &str,
    browser: &mut Browser,
) -> Result<(Vec<Value>, Value)> {
    listener.set_nonblocking(true)?;
    let mut results = Vec::new();
    let mut heard = Instant::now();
    loop {
        let Ok((client, _)) = listener.accept() else {
            if let Some(status) = browser.0.try_wait()? {
                bail!("the browser ended before its time: {status}");
            }
            if heard.elapsed() > PATIENCE {
                bail!("nothing from the browser for {} s", PATIENCE.as_secs());
            }
            std::thread::sleep(Duration::from_millis(1));
            continue;
        };
        heard = Instant::now();
        // A connection that the browser opens and drops is no failure.
        match answer(client, shaders) {
            Ok(Some(Posted::Part(part))) => results.extend(part),
            Ok(Some(Posted::Done(info))) => return Ok((results, info)),
            Ok(None) | Err(_) => {}
        }
    }
}

/// What the page sends.
enum Posted {
    Part(Vec<Value>),
    Done(Value),
}

/// One request, on a connection of its own.
fn answer(mut client: TcpStream, shaders: &str) -> Result<Option<Posted>> {
    client.set_nonblocking(false)?;
    client.set_read_timeout(Some(Duration::from_secs(10)))?;
    let mut reader = BufReader::new(client.try_clone()?);
    let mut line = String::new();
    reader.read_line(&mut line)?;
    let path = line.split(' ').nth(1).unwrap_or("/").to_owned();
    let mut length = 0;
    loop {
        line.clear();
        if reader.read_line(&mut line)? == 0 || line.trim().is_empty() {
            break;
        }
        let header = line.to_ascii_lowercase();
        if let Some(value) = header.strip_prefix("content-length:") {
            length = value.trim().parse()?;
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body)?;
    let (kind, reply) = match path.as_str() {
        "/shaders" => ("application/json", shaders),
        "/" => ("text/html; charset=utf-8", PAGE),
        _ => ("application/json", "{}"),
    };
    write!(
        client,
        "HTTP/1.1 200 OK\r\nContent-Type: {kind}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{reply}",
        reply.len()
    )?;
    Ok(match path.as_str() {
        "/part" => Some(Posted::Part(serde_json::from_slice(&body)?)),
        "/done" => Some(Posted::Done(serde_json::from_slice(&body)?)),
        _ => None,
    })
}

fn reports(variants: &[Variant], results: &[Value], info: &Value) -> Vec<Report> {
    let agent = info["agent"].as_str().unwrap_or("");
    let version = agent
        .split("Chrome/")
        .nth(1)
        .and_then(|rest| rest.split(['.', ' ']).next());
    let version = format!("Tint of Chromium {}", version.unwrap_or("?"));
    let mut reports = vec![
        report(format!("{version}: WGSL"), variants, results),
        report(
            format!(
                "{version}: pipelines on {}",
                info["adapter"].as_str().unwrap_or("?")
            ),
            variants,
            results,
        ),
    ];
    let piped: Vec<&str> = variants
        .iter()
        .filter(|variant| has_pipeline(variant))
        .map(|variant| variant.label.as_str())
        .collect();
    reports[1]
        .verdicts
        .retain(|(label, _)| piped.contains(&label.as_str()));
    // A pipeline that fails is no fault of the text.
    for (_, verdict) in &mut reports[0].verdicts {
        if matches!(verdict, Verdict::New(message) if message.starts_with("pipeline: ")) {
            *verdict = Verdict::Accepted;
        }
    }
    reports
}

/// Verdicts by what was posted: no error accepts, `skipped` is left out, and a variant that nothing was posted for is rejected.
pub(super) fn report(tool: String, variants: &[Variant], results: &[Value]) -> Report {
    let mut verdicts = Vec::new();
    for variant in variants {
        let result = results
            .iter()
            .find(|result| result["name"] == variant.name.as_str());
        let verdict = match result.and_then(|result| result["error"].as_str()) {
            Some("") => Verdict::Accepted,
            Some("skipped") => continue,
            Some(error) => Verdict::New(error.split_whitespace().collect::<Vec<_>>().join(" ")),
            None => Verdict::New("no answer".to_owned()),
        };
        verdicts.push((variant.label.clone(), verdict));
    }
    Report { tool, verdicts }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn variant(name: &str, label: &str) -> Variant {
        Variant {
            name: name.to_owned(),
            label: label.to_owned(),
            entry: "main".to_owned(),
            is_f16: false,
            has_subgroups: false,
        }
    }

    #[test]
    fn a_variant_without_an_answer_is_rejected() {
        let variants = ["a", "b", "c", "d"].map(|name| variant(name, name));
        let results = [
            json!({"name": "a", "error": ""}),
            json!({"name": "b", "error": "skipped"}),
            json!({"name": "c", "error": "line 1: no\n\tway"}),
        ];
        let report = report("tint".to_owned(), &variants, &results);
        let spelled: Vec<_> = report
            .verdicts
            .iter()
            .map(|(label, verdict)| format!("{label} {verdict:?}"))
            .collect();
        assert_eq!(
            spelled,
            [
                "a Accepted",
                "c New(\"line 1: no way\")",
                "d New(\"no answer\")"
            ]
        );
    }

    #[test]
    fn serves_the_page_and_takes_what_it_posts() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let client = std::thread::spawn(move || {
            let mut stream = TcpStream::connect(address).unwrap();
            write!(
                stream,
                "POST /part HTTP/1.1\r\nContent-Length: 12\r\n\r\n[{{\"name\":1}}]"
            )
            .unwrap();
            let mut reply = String::new();
            stream.read_to_string(&mut reply).unwrap();
            reply
        });
        let (stream, _) = listener.accept().unwrap();
        let posted = answer(stream, "[]").unwrap();
        assert!(matches!(posted, Some(Posted::Part(part)) if part == [json!({"name": 1})]));
        assert!(client.join().unwrap().ends_with("\r\n\r\n{}"));
    }
}
