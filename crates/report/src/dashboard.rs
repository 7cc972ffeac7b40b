//! The dashboard: a small local server that lists the runs of a folder and shows them while they train. Pages are whole
//! without their script, which only puts in place what the server sends (server-sent events).
//!
//! Only files of runs are served, by names that are looked up and never put together from what a client sends (`runs`).
//! A request whose `Host` is a name other than `localhost` is refused: that keeps web pages elsewhere from reaching a
//! loopback server under a name of theirs (DNS rebinding).

mod live;
mod runs;

use std::net::{IpAddr, SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::{Path as Segments, Request, State};
use axum::http::header::{CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, HOST};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::middleware::{Next, from_fn};
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse as _, Response};
use axum::routing::get;
use futures_util::stream::{self, Stream};
use serde_json::json;

use self::live::{Known, View};
use crate::error::{Error, Result};
use crate::page::{STYLE, render};

const PAGE: &str = include_str!("../templates/dashboard.html");
const SCRIPT: &str = include_str!("../templates/app.js");

/// How often the folder is looked at.
const LOOK_EVERY: Duration = Duration::from_millis(700);
/// Files and folders that are read at a time: a bound on memory, and more than the few that may hang on a bad disk.
const MOST_READERS: usize = 16;
/// A longer file is not served: it goes through memory.
const MOST_FILE_BYTES: u64 = 64 << 20;
/// Nothing from elsewhere, and no script but the one.
const POLICY: &str = "default-src 'none'; script-src 'self'; connect-src 'self'; style-src 'unsafe-inline'; img-src 'self' data:; \
                      base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/// A server that is bound and not yet serving.
#[derive(Debug)]
pub struct Dashboard {
    listener: TcpListener,
    address: SocketAddr,
    folder: PathBuf,
}

/// The folder of runs.
type Folder = State<Arc<Path>>;

impl Dashboard {
    /// Binds to `address` (port 0: any free one) for the runs in `folder`.
    ///
    /// ```
    /// let runs = tempfile::tempdir()?;
    /// let dashboard = report::Dashboard::bind(([127, 0, 0, 1], 0).into(), runs.path())?;
    /// println!("http://{}", dashboard.address());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// If the folder does not exist, or the address is not available.
    pub fn bind(address: SocketAddr, folder: &Path) -> Result<Self> {
        let full = std::fs::canonicalize(folder).map_err(Error::io(folder, "open"))?;
        if !full.is_dir() {
            return Err(Error::Format {
                path: folder.to_owned(),
                message: "expected a folder of runs, found a file".to_owned(),
            });
        }
        let failed = |source| Error::Listen { address, source };
        let listener = TcpListener::bind(address).map_err(failed)?;
        listener.set_nonblocking(true).map_err(failed)?;
        Ok(Self {
            address: listener.local_addr().map_err(failed)?,
            listener,
            folder: full,
        })
    }

    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Serves until the process ends.
    ///
    /// ```no_run
    /// let dashboard = report::Dashboard::bind(([127, 0, 0, 1], 8080).into(), "runs".as_ref())?;
    /// dashboard.serve()?;
    /// # Ok::<(), report::Error>(())
    /// ```
    ///
    /// # Errors
    /// If the operating system refuses to go on.
    pub fn serve(self) -> Result<()> {
        let address = self.address;
        let failed = |source| Error::Listen { address, source };
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .max_blocking_threads(MOST_READERS)
            .build()
            .map_err(failed)?;
        runtime.block_on(async {
            let listener = tokio::net::TcpListener::from_std(self.listener).map_err(failed)?;
            axum::serve(listener, router(self.folder.into()))
                .await
                .map_err(failed)
        })
    }
}

fn router(folder: Arc<Path>) -> Router {
    Router::new()
        .route("/", get(list))
        .route("/app.js", get(script))
        .route("/events", get(list_events))
        .route("/runs/{run}/", get(run))
        .route("/runs/{run}/events", get(run_events))
        .route("/runs/{run}/{*file}", get(file))
        .fallback(|| async { StatusCode::NOT_FOUND })
        .layer(from_fn(guarded))
        .with_state(folder)
}

/// Refuses foreign hosts, and adds the headers that every answer has.
async fn guarded(request: Request, next: Next) -> Response {
    if !is_own_host(request.headers()) {
        let message = "the dashboard answers to addresses and to localhost, not to other names\n";
        return (StatusCode::FORBIDDEN, message).into_response();
    }
    let mut response = next.run(request).await;
    let headers = response.headers_mut();
    for (name, value) in [
        (CONTENT_SECURITY_POLICY, POLICY),
        (CACHE_CONTROL, "no-store"),
        (axum::http::header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (axum::http::header::REFERRER_POLICY, "no-referrer"),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
    response
}

/// Whether the request names this server by an address or as `localhost`.
fn is_own_host(headers: &HeaderMap) -> bool {
    let mut hosts = headers.get_all(HOST).iter();
    let (Some(host), None) = (hosts.next(), hosts.next()) else {
        return false;
    };
    let Ok(host) = host.to_str() else {
        return false;
    };
    let name = match host.rsplit_once(':') {
        Some((name, port)) if port.parse::<u16>().is_ok() => name,
        _ => host,
    };
    let address = name.trim_start_matches('[').trim_end_matches(']');
    name.eq_ignore_ascii_case("localhost") || address.parse::<IpAddr>().is_ok()
}

fn html(text: String) -> Response {
    ([(CONTENT_TYPE, "text/html; charset=utf-8")], text).into_response()
}

fn failure(error: &Error) -> Response {
    let message = format!("{}\n", whole(error));
    (StatusCode::INTERNAL_SERVER_ERROR, message).into_response()
}

/// An error with what has caused it.
fn whole(error: &Error) -> String {
    let mut text = error.to_string();
    let mut cause = std::error::Error::source(error);
    while let Some(error) = cause {
        text.push_str(&format!(": {error}"));
        cause = error.source();
    }
    text
}

async fn script() -> Response {
    ([(CONTENT_TYPE, "text/javascript; charset=utf-8")], SCRIPT).into_response()
}

async fn list(State(folder): Folder) -> Response {
    reading(move || page(&folder, View::List).unwrap_or_else(|error| failure(&error))).await
}

async fn run(State(folder): Folder, Segments(name): Segments<String>) -> Response {
    reading(move || {
        if runs::run(&folder, &name).is_none() {
            return StatusCode::NOT_FOUND.into_response();
        }
        page(&folder, View::Run(name)).unwrap_or_else(|error| failure(&error))
    })
    .await
}

/// Makes an answer that takes reading, on a thread that may wait for a disk while others are served.
async fn reading(answer: impl FnOnce() -> Response + Send + 'static) -> Response {
    let answer = tokio::task::spawn_blocking(answer).await;
    answer.unwrap_or_else(|_| StatusCode::INTERNAL_SERVER_ERROR.into_response())
}

/// A page, whole as it stands.
fn page(folder: &Path, view: View) -> Result<Response> {
    let live = Known::default().fragment(folder, &view)?;
    let (title, events, is_run) = match &view {
        View::List => ("Runs".to_owned(), "/events".to_owned(), false),
        // Relative to the page, so that the name need not be put into an address.
        View::Run(name) => (name.clone(), "events".to_owned(), true),
    };
    let subtitle = if is_run {
        String::new()
    } else {
        format!("in {}", files::shown(folder))
    };
    let context = json!({
        "title": title,
        "subtitle": subtitle,
        "style": STYLE,
        "events": events,
        "is_run": is_run,
        "live": live,
    });
    Ok(html(render("dashboard.html", PAGE, &context)?))
}

async fn list_events(State(folder): Folder) -> Response {
    Sse::new(updates(folder, View::List))
        .keep_alive(KeepAlive::default())
        .into_response()
}

async fn run_events(State(folder): Folder, Segments(name): Segments<String>) -> Response {
    reading(move || {
        if runs::run(&folder, &name).is_none() {
            return StatusCode::NOT_FOUND.into_response();
        }
        Sse::new(updates(folder, View::Run(name)))
            .keep_alive(KeepAlive::default())
            .into_response()
    })
    .await
}

/// What a view shows, whenever it has changed. Ends when the run can't be read any more.
fn updates(folder: Arc<Path>, view: View) -> impl Stream<Item = Result<Event, Error>> {
    let begin = (Known::default(), String::new());
    stream::unfold(begin, move |(mut known, mut shown)| {
        let (folder, view) = (Arc::clone(&folder), view.clone());
        async move {
            loop {
                let (place, wanted) = (Arc::clone(&folder), view.clone());
                let look = move || {
                    let fragment = known.fragment(&place, &wanted);
                    (known, fragment)
                };
                let (kept, fragment) = tokio::task::spawn_blocking(look).await.ok()?;
                known = kept;
                let fragment = fragment.ok()?;
                if fragment != shown {
                    shown = fragment;
                    // As a JSON string it is one line.
                    let data = serde_json::Value::String(shown.clone()).to_string();
                    let event = Event::default().event("live").data(data);
                    return Some((Ok(event), (known, shown)));
                }
                tokio::time::sleep(LOOK_EVERY).await;
            }
        }
    })
}

async fn file(
    State(folder): Folder,
    Segments((name, file)): Segments<(String, String)>,
) -> Response {
    reading(move || {
        let found = runs::run(&folder, &name).and_then(|run| runs::file(&run, &file));
        let Some((path, kind)) = found else {
            return StatusCode::NOT_FOUND.into_response();
        };
        match files::read(&path, MOST_FILE_BYTES) {
            Ok(bytes) => ([(CONTENT_TYPE, kind)], bytes).into_response(),
            Err(error) => failure(&error.into()),
        }
    })
    .await
}
