//! Compares what a request got with what its case expects. One judge for every runner.

use serde_json::{Value, json};

use crate::corpus::file::{Expect, Upstream};
use crate::server::Received;

/// What a runner saw of one request.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Seen {
    /// The status. `None` where gRPC hides it: its answers are all 200.
    pub status: Option<u16>,
    /// The headers of the answer.
    pub headers: Vec<(String, String)>,
    /// The body; `None` where there can be none, as in the answer to HEAD.
    pub body: Option<Vec<u8>>,
    /// The gRPC status and its message, of a gRPC answer.
    pub grpc: Option<(u8, String)>,
    /// The reason code in logs.
    pub reason: Option<String>,
    /// The route's pattern in logs.
    pub route: Option<String>,
    /// What the upstream saw.
    pub upstream: Option<Received>,
}

/// A request as it was sent, with its placeholders filled in.
#[derive(Clone, Debug, Default)]
pub struct Prepared {
    /// The method.
    pub method: String,
    /// The path.
    pub path: Option<Vec<u8>>,
    /// The headers.
    pub headers: Vec<(String, Vec<u8>)>,
    /// The body.
    pub body: Vec<u8>,
    /// The trailers.
    pub trailers: Vec<(String, Vec<u8>)>,
    /// The token, where it has one.
    pub token: Option<String>,
}

impl Prepared {
    /// A GET for that path.
    pub fn get(path: &str) -> Self {
        Self {
            method: "GET".to_owned(),
            path: Some(path.as_bytes().to_vec()),
            ..Self::default()
        }
    }

    /// A POST with that body.
    pub fn post(path: &str, body: &str) -> Self {
        Self {
            method: "POST".to_owned(),
            body: body.as_bytes().to_vec(),
            ..Self::get(path)
        }
    }

    /// The same request with a header more.
    #[must_use]
    pub fn with(mut self, name: &str, value: &str) -> Self {
        self.headers
            .push((name.to_owned(), value.as_bytes().to_vec()));
        self
    }

    /// The same request with that token.
    #[must_use]
    pub fn bearer(self, token: &str) -> Self {
        self.with("authorization", &format!("Bearer {token}"))
    }
}

/// Every difference between the two, as sentences; none when all is as it should be.
pub fn differences(sent: &Prepared, expect: &Expect, seen: &Seen) -> Vec<String> {
    let mut found = Differences::default();
    let Expect {
        status,
        challenge,
        title,
        reason,
        route,
        retry_after,
        grpc_status,
        upstream,
    } = expect;
    match (upstream, &seen.upstream) {
        (Some(wanted), Some(received)) => found.upstream(sent, wanted, received),
        (Some(_), None) => found.say("the upstream was to be reached, and was not"),
        (None, Some(_)) => found.say("the upstream was reached, and must not be"),
        (None, None) => {}
    }
    let status = status.unwrap_or(200);
    if let Some(seen) = seen.status {
        found.compare("status", &status, &seen);
    }
    found.compare(
        "WWW-Authenticate",
        &challenge.iter().map(String::as_str).collect(),
        &header(seen, "www-authenticate"),
    );
    found.compare("reason", reason, &seen.reason);
    if route.is_some() {
        found.compare("route", route, &seen.route);
    }
    let wait: Vec<u64> = header(seen, "retry-after")
        .iter()
        .map(|value| value.parse().unwrap_or(0))
        .collect();
    match (retry_after, wait.as_slice()) {
        (None, []) => {}
        (Some((least, most)), [wait]) if (least..=most).contains(&wait) => {}
        (wanted, seen) => found.say(&format!("Retry-After: expected {wanted:?}, saw {seen:?}")),
    }
    match (grpc_status, &seen.grpc) {
        (None, None) => {}
        (Some(code), Some(seen)) => found.compare(
            "gRPC status",
            &(*code, title.clone().unwrap_or_default()),
            seen,
        ),
        (wanted, seen) => found.say(&format!("gRPC status: expected {wanted:?}, saw {seen:?}")),
    }
    if upstream.is_none() {
        found.refusal(status, title.as_deref(), grpc_status.is_some(), seen);
    }
    found.0
}

fn header<'a>(seen: &'a Seen, name: &str) -> Vec<&'a str> {
    seen.headers
        .iter()
        .filter(|(known, _)| known.eq_ignore_ascii_case(name))
        .map(|(_, value)| value.as_str())
        .collect()
}

#[derive(Default)]
struct Differences(Vec<String>);

impl Differences {
    fn say(&mut self, sentence: &str) {
        self.0.push(sentence.to_owned());
    }

    fn compare<T: PartialEq + std::fmt::Debug>(&mut self, what: &str, expected: &T, seen: &T) {
        if expected != seen {
            self.0
                .push(format!("{what}: expected {expected:?}, saw {seen:?}"));
        }
    }

    /// What every refusal has in common: never stored, and a problem document that says no more than title and status.
    fn refusal(&mut self, status: u16, title: Option<&str>, grpc: bool, seen: &Seen) {
        self.compare(
            "Cache-Control",
            &vec!["no-store"],
            &header(seen, "cache-control"),
        );
        if grpc {
            return;
        }
        self.compare(
            "Content-Type",
            &vec!["application/problem+json"],
            &header(seen, "content-type"),
        );
        if let Some(body) = &seen.body {
            let text = String::from_utf8_lossy(body);
            match serde_json::from_slice::<Value>(body) {
                Ok(body) => {
                    self.compare("body", &json!({ "title": title, "status": status }), &body)
                }
                Err(error) => self.say(&format!("the body is not JSON ({error}): {text:?}")),
            }
        }
    }

    /// The upstream sees the request as it was sent, but for what its case says.
    fn upstream(&mut self, sent: &Prepared, wanted: &Upstream, received: &Received) {
        let escaped = |bytes: &[u8]| bytes.escape_ascii().to_string();
        self.compare("method upstream", &sent.method, &received.method);
        self.compare(
            "path upstream",
            &sent.path.as_deref().map(escaped),
            &Some(escaped(&received.path)),
        );
        self.compare(
            "body upstream",
            &escaped(&sent.body),
            &escaped(&received.body),
        );
        let Upstream {
            headers,
            absent,
            trailers,
            absent_trailers,
        } = wanted;
        self.fields("header", headers, absent, |name| received.header(name));
        self.fields("trailer", trailers, absent_trailers, |name| {
            received.trailer(name)
        });
    }

    fn fields(
        &mut self,
        what: &str,
        present: &[(String, String)],
        absent: &[String],
        seen: impl Fn(&str) -> Vec<String>,
    ) {
        let mut names: Vec<&str> = present.iter().map(|(name, _)| name.as_str()).collect();
        names.dedup();
        for name in names {
            let values: Vec<String> = present
                .iter()
                .filter(|(known, _)| known == name)
                .map(|(_, value)| value.clone())
                .collect();
            self.compare(&format!("{what} {name} upstream"), &values, &seen(name));
        }
        for name in absent {
            self.compare(&format!("{what} {name} upstream"), &Vec::new(), &seen(name));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused() -> Seen {
        let headers = [
            ("cache-control", "no-store"),
            ("content-type", "application/problem+json"),
            ("www-authenticate", "Bearer realm=\"r\""),
        ];
        Seen {
            status: Some(401),
            headers: headers
                .map(|(name, value)| (name.to_owned(), value.to_owned()))
                .to_vec(),
            body: Some(br#"{"title":"Missing","status":401}"#.to_vec()),
            reason: Some("credential_missing".to_owned()),
            ..Seen::default()
        }
    }

    fn expected(yaml: &str) -> Expect {
        serde_saphyr::from_str(yaml).unwrap()
    }

    const REFUSAL: &str = "{ status: 401, challenge: 'Bearer realm=\"r\"', title: Missing, reason: credential_missing }";

    fn check(seen: &Seen, differs: &[&str]) {
        let found = differences(&Prepared::default(), &expected(REFUSAL), seen);
        assert_eq!(found.len(), differs.len(), "{found:?}");
        for (found, differs) in found.iter().zip(differs) {
            assert!(found.contains(differs), "{found}");
        }
    }

    #[test]
    fn each_difference_is_told() {
        check(&refused(), &[]);
        check(
            &Seen {
                status: Some(403),
                ..refused()
            },
            &["status"],
        );
        check(
            &Seen {
                reason: Some("other".to_owned()),
                ..refused()
            },
            &["reason"],
        );
        check(
            &Seen {
                upstream: Some(Received::default()),
                ..refused()
            },
            &["the upstream was reached"],
        );
        check(
            &Seen {
                body: Some(b"{\"title\":\"Missing\",\"status\":401,\"detail\":\"kid\"}".to_vec()),
                ..refused()
            },
            &["body"],
        );
        check(
            &Seen {
                headers: Vec::new(),
                ..refused()
            },
            &["WWW-Authenticate", "Cache-Control", "Content-Type"],
        );
        let twice = [refused().headers, refused().headers].concat();
        check(
            &Seen {
                headers: twice,
                ..refused()
            },
            &["WWW-Authenticate", "Cache-Control", "Content-Type"],
        );
    }

    #[test]
    fn an_upstream_that_saw_something_else_is_told() {
        let sent = Prepared {
            method: "GET".to_owned(),
            path: Some(b"/a".to_vec()),
            ..Prepared::default()
        };
        let expect =
            expected("{ upstream: { headers: [[x-auth-sub, alice]], absent: [X-Auth-Email] } }");
        let received = |headers: &[(&str, &str)]| Seen {
            status: Some(200),
            upstream: Some(Received {
                method: "GET".to_owned(),
                path: b"/a".to_vec(),
                headers: headers
                    .iter()
                    .map(|(name, value)| ((*name).to_owned(), value.as_bytes().to_vec()))
                    .collect(),
                ..Received::default()
            }),
            ..Seen::default()
        };
        assert_eq!(
            differences(&sent, &expect, &received(&[("x-auth-sub", "alice")])),
            Vec::<String>::new()
        );
        assert_eq!(
            differences(
                &sent,
                &expect,
                &received(&[("x-auth-sub", "alice"), ("x-auth-sub", "alice")])
            )
            .len(),
            1
        );
        assert_eq!(
            differences(
                &sent,
                &expect,
                &received(&[("x-auth-sub", "eve"), ("x-auth-email", "e")])
            )
            .len(),
            2
        );
        assert_eq!(
            differences(
                &sent,
                &expect,
                &Seen {
                    status: Some(200),
                    ..Seen::default()
                }
            )
            .len(),
            1
        );
    }
}
