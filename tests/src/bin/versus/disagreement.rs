//! Where the native filters answer otherwise than a case expects.

use e2e::corpus::Upstream;
use e2e::judge::Prepared;
use e2e::runner::Asked;
use e2e::server::Received;
use serde::Deserialize;

use crate::answer::Answer;

/// What differs, the gravest first.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq, PartialOrd, Ord)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Kind {
    Admits,
    Refuses,
    Leaks,
    Upstream,
    Status,
    Challenge,
}

impl Kind {
    pub(crate) const ALL: [Self; 6] = [
        Self::Admits,
        Self::Refuses,
        Self::Leaks,
        Self::Upstream,
        Self::Status,
        Self::Challenge,
    ];

    pub(crate) const fn words(self) -> &'static str {
        match self {
            Self::Admits => "native lets through what the case refuses",
            Self::Refuses => "native refuses what the case lets through",
            Self::Leaks => "what a client must not say reaches the upstream",
            Self::Upstream => "both let it through, and the upstream sees something else",
            Self::Status => "both refuse, with another status",
            Self::Challenge => "both refuse, with another challenge",
        }
    }
}

/// One disagreement, in the words of the page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Disagreement {
    pub(crate) kind: Kind,
    pub(crate) expected: String,
    pub(crate) native: String,
}

/// The gravest disagreement of a case, if there is one.
pub(crate) fn gravest(asked: &[Asked]) -> Option<Disagreement> {
    // Of several equally grave ones the first is told.
    asked
        .iter()
        .filter_map(of_request)
        .min_by_key(|disagreement| disagreement.kind)
}

fn of_request(asked: &Asked) -> Option<Disagreement> {
    let Asked { sent, expect, seen } = asked;
    let expected = Answer::expected(expect);
    let (native, received) = match seen {
        Ok(seen) => (Answer::seen(seen, sent), seen.upstream.as_ref()),
        Err(_) => (Answer::None, None),
    };
    let (kind, expected, native) = match (&expect.upstream, received) {
        (None, Some(received)) => {
            let path = other_path(sent, received).map_or(String::new(), |path| format!(" {path}"));
            (Kind::Admits, expected.to_string(), format!("passes{path}"))
        }
        (Some(_), None) => (Kind::Refuses, "passes".to_owned(), native.to_string()),
        (Some(wanted), Some(received)) => {
            let (kind, what) = at_upstream(sent, wanted, received)?;
            (kind, "passes".to_owned(), format!("passes {what}"))
        }
        (None, None) => {
            if expected.status_text() != native.status_text() {
                (Kind::Status, expected.to_string(), native.to_string())
            } else if expected != native {
                (Kind::Challenge, expected.whole(), native.whole())
            } else {
                return None;
            }
        }
    };
    Some(Disagreement {
        kind,
        expected,
        native,
    })
}

/// What the upstream saw otherwise than it should have.
fn at_upstream(sent: &Prepared, wanted: &Upstream, received: &Received) -> Option<(Kind, String)> {
    let Upstream {
        headers,
        absent,
        trailers,
        absent_trailers,
    } = wanted;
    let client_said = |name: &str, value: &String| {
        let mut fields = sent.headers.iter().chain(&sent.trailers);
        fields.any(|(known, said)| known.eq_ignore_ascii_case(name) && said == value.as_bytes())
    };
    type Fields = fn(&Received, &str) -> Vec<String>;
    let mut others = Vec::new();
    for (part, present, absent, seen) in [
        ("", headers, absent, Received::header as Fields),
        ("the trailer ", trailers, absent_trailers, Received::trailer),
    ] {
        for name in present.iter().map(|(name, _)| name).chain(absent) {
            let wanted: Vec<&String> = present
                .iter()
                .filter(|(known, _)| known == name)
                .map(|(_, value)| value)
                .collect();
            let values = seen(received, name);
            let forged = values
                .iter()
                .find(|value| !wanted.contains(value) && client_said(name, value));
            if let Some(forged) = forged {
                return Some((Kind::Leaks, format!("with {part}`{name}: {}`", cut(forged))));
            }
            if values.iter().collect::<Vec<_>>() != wanted {
                others.push(match values.as_slice() {
                    [] => format!("without {part}`{name}`"),
                    _ => format!("with {part}`{name}: {}`", cut(&values.join(", "))),
                });
            }
        }
    }
    others.extend(other_path(sent, received));
    if sent.method != received.method || sent.body != received.body {
        others.push("with another method or body".to_owned());
    }
    others.into_iter().next().map(|what| (Kind::Upstream, what))
}

fn other_path(sent: &Prepared, received: &Received) -> Option<String> {
    let is_other = sent.path.as_deref() != Some(&received.path);
    is_other.then(|| format!("with the path `{}`", received.path.escape_ascii()))
}

fn cut(value: &str) -> String {
    const MOST: usize = 24;
    match value.char_indices().nth(MOST) {
        Some((end, _)) => format!("{}…", &value[..end]),
        None => value.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_header_that_the_client_wrote_is_a_leak_and_one_of_the_gate_is_not() {
        let check = |wanted: &str, received: &[(&str, &str)], expected: Option<Kind>| {
            let wanted: Upstream = serde_saphyr::from_str(wanted).unwrap();
            let received = Received {
                path: b"/a".to_vec(),
                method: "GET".to_owned(),
                headers: received
                    .iter()
                    .map(|(name, value)| ((*name).to_owned(), value.as_bytes().to_vec()))
                    .collect(),
                ..Received::default()
            };
            let sent = Prepared::get("/a").with("X-Sub", "admin");
            let found = at_upstream(&sent, &wanted, &received).map(|(kind, _)| kind);
            assert_eq!(found, expected, "{wanted:?}");
        };
        let leaks = Some(Kind::Leaks);
        check("{ absent: [x-sub] }", &[], None);
        check("{ absent: [x-sub] }", &[("x-sub", "admin")], leaks);
        check(
            "{ absent: [x-sub] }",
            &[("x-sub", "alice")],
            Some(Kind::Upstream),
        );
        let alice = "{ headers: [[x-sub, alice]] }";
        check(alice, &[("x-sub", "alice")], None);
        check(alice, &[("x-sub", "alice"), ("x-sub", "admin")], leaks);
        check(alice, &[], Some(Kind::Upstream));
    }
}
