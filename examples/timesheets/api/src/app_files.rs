//! The files of the single-page app, which the API hands out beside its answers: `/` is the app, and below `/app/` is what it loads.
//!
//! They are for everybody, as the policy says: no identity is asked for. On a machine of its own the app may come from
//! anywhere else; it needs no more than the headers that are set here.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};
use axum::body::Body;
use axum::http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, REFERRER_POLICY, X_CONTENT_TYPE_OPTIONS,
};
use axum::http::request::Parts;
use axum::http::uri::PathAndQuery;
use axum::http::{HeaderValue, Method, Request, StatusCode, Uri};
use axum::response::Response;
use tokio::io::AsyncReadExt as _;
use tower_http::services::ServeDir;

use crate::answer::Refusal;
use crate::content_security_policy;

/// Below this folder a file's name changes with what is in it.
const HASHED: &str = "/assets/";

/// The page, and the settings that whoever starts the app writes.
const INDEX: &str = "/index.html";
const CONFIG: &str = "/config.json";

/// Four members, some of them URLs.
const MAX_CONFIG_BYTES: u64 = 64 * 1024;

/// A folder with an app.
#[derive(Clone, Debug)]
pub(crate) struct AppFiles {
    folder: PathBuf,
    files: ServeDir,
}

impl AppFiles {
    /// # Errors
    /// There is no app in it.
    pub(crate) fn open(folder: &Path) -> anyhow::Result<Self> {
        let index = folder.join("index.html");
        let found = std::fs::metadata(&index)
            .with_context(|| format!("there is no app in {}", folder.display()))?;
        if !found.is_file() {
            bail!("{} is no file", index.display());
        }
        Ok(Self {
            folder: folder.to_owned(),
            files: ServeDir::new(folder).append_index_html_on_directories(false),
        })
    }

    /// Which file of an app this path of a request is for, if it is for one.
    pub(crate) fn named(path: &str) -> Option<&str> {
        match path {
            "/" => Some(INDEX),
            _ => path
                .strip_prefix("/app")
                .filter(|file| file.starts_with('/')),
        }
    }

    /// That file, or why there is none.
    pub(crate) async fn answer(&self, head: &Parts, file: &str) -> Response {
        let answer = match self.find(head, file).await {
            Ok(answer) => self.guarded(answer, file).await,
            Err(refusal) => Err(refusal),
        };
        let mut answer = answer.unwrap_or_else(|refusal| {
            let answer: http::Response<String> = refusal.into();
            answer.map(Body::from)
        });
        let headers = answer.headers_mut();
        headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
        headers.insert(REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
        answer
    }

    async fn find(&self, head: &Parts, file: &str) -> Result<Response, Refusal> {
        if head.method != Method::GET && head.method != Method::HEAD {
            return Err(Refusal::of_method("GET,HEAD"));
        }
        let nothing = || Refusal::new(StatusCode::NOT_FOUND, "There is no such file");
        let uri = PathAndQuery::try_from(file).map_err(|_| nothing())?;
        let mut request = Request::new(Body::empty());
        *request.method_mut() = head.method.clone();
        *request.uri_mut() = Uri::from(uri);
        *request.headers_mut() = head.headers.clone();
        let answer = self.files.clone().try_call(request).await;
        match answer {
            // `..`, in whatever spelling, and what is no file are not found.
            Ok(answer) if answer.status() == StatusCode::NOT_FOUND => Err(nothing()),
            Ok(answer) => Ok(answer.map(Body::new)),
            Err(error) if is_missing(&error) => Err(nothing()),
            Err(error) => Err(unavailable(&error.to_string())),
        }
    }

    /// With what a browser has to know about the app.
    async fn guarded(&self, mut answer: Response, file: &str) -> Result<Response, Refusal> {
        let caching = match file {
            INDEX | CONFIG => "no-store",
            _ if file.starts_with(HASHED) && is_good(answer.status()) => {
                "public, max-age=31536000, immutable"
            }
            // Kept, but asked for again.
            _ => "no-cache",
        };
        let config = self.config().await.map_err(|error| unavailable(&error))?;
        let policy = content_security_policy::of(config.as_deref())
            .map_err(|error| unavailable(&error.to_string()))?;
        let headers = answer.headers_mut();
        headers.insert(CACHE_CONTROL, HeaderValue::from_static(caching));
        headers.insert(CONTENT_SECURITY_POLICY, policy);
        if let Some(kind) = headers.get(CONTENT_TYPE)
            && kind.as_bytes().starts_with(b"text/")
            && !kind.as_bytes().contains(&b';')
            && let Ok(kind) = HeaderValue::try_from([kind.as_bytes(), b"; charset=utf-8"].concat())
        {
            headers.insert(CONTENT_TYPE, kind);
        }
        Ok(answer)
    }

    /// Read anew each time: it is written when the addresses of all parts are known, which may be after the API's start.
    async fn config(&self) -> Result<Option<String>, String> {
        let file = self.folder.join("config.json");
        let opened = match tokio::fs::File::open(&file).await {
            Ok(opened) => opened,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(format!("config.json: {error}")),
        };
        let mut text = String::new();
        match opened
            .take(MAX_CONFIG_BYTES)
            .read_to_string(&mut text)
            .await
        {
            Ok(_) => Ok(Some(text)),
            Err(error) => Err(format!("config.json: {error}")),
        }
    }
}

fn is_good(status: StatusCode) -> bool {
    status.is_success() || status == StatusCode::NOT_MODIFIED
}

/// Also a name that is too long or goes through a file, which a client can ask for.
fn is_missing(error: &std::io::Error) -> bool {
    use std::io::ErrorKind::{InvalidFilename, NotADirectory, NotFound, PermissionDenied};
    matches!(
        error.kind(),
        InvalidFilename | NotADirectory | NotFound | PermissionDenied
    )
}

/// The client is told that it is not its fault, the log what is.
fn unavailable(why: &str) -> Refusal {
    eprintln!("timesheets: the app's files: {why}");
    Refusal::new(StatusCode::INTERNAL_SERVER_ERROR, "The app cannot be had")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_root_and_what_is_below_app_are_files() {
        for (path, file) in [
            ("/", Some("/index.html")),
            ("/app/", Some("/")),
            ("/app/config.json", Some("/config.json")),
            ("/app/assets/index-B2.js", Some("/assets/index-B2.js")),
            ("/app", None),
            ("/application", None),
            ("/timesheets", None),
            ("/index.html", None),
        ] {
            assert_eq!(AppFiles::named(path), file, "{path}");
        }
    }
}
