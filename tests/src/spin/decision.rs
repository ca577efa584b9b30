//! The lines in the component's log that tell a decision: `scopegate: refused reason="token_expired" route="/timesheets"`.

/// What a line says of one request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Decision {
    /// What was decided.
    pub verdict: Verdict,
    /// Why it was refused, would have been in shadow mode, or got no answer.
    pub reason: Option<String>,
    /// The route's pattern.
    pub route: Option<String>,
}

/// What was decided.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It went on.
    Allowed,
    /// It went on, because the route is only watched.
    WouldBeRefused,
    /// It did not go on.
    Refused,
    /// It was to go on, and could not, or nobody answered.
    NotForwarded,
}

const VERDICTS: [(&str, Verdict); 4] = [
    ("allowed", Verdict::Allowed),
    ("would be refused", Verdict::WouldBeRefused),
    ("refused", Verdict::Refused),
    ("not forwarded", Verdict::NotForwarded),
];

/// The decisions in that log, in their order. Its other lines are about keys, or about what is wrong with the application.
pub fn decisions(log: &str) -> Vec<Decision> {
    log.lines().filter_map(parse).collect()
}

fn parse(line: &str) -> Option<Decision> {
    let line = line.strip_prefix("scopegate: ")?;
    let (details, verdict) = VERDICTS.iter().find_map(|(word, verdict)| {
        let rest = line.strip_prefix(word)?;
        (rest.is_empty() || rest.starts_with(' ')).then_some((rest, *verdict))
    })?;
    Some(Decision {
        verdict,
        reason: detail(details, "reason"),
        route: detail(details, "route"),
    })
}

/// The value behind ` NAME="`, as Rust writes text.
fn detail(line: &str, name: &str) -> Option<String> {
    let (_, rest) = line.split_once(&format!(" {name}=\""))?;
    let mut value = String::new();
    let mut signs = rest.chars();
    loop {
        match signs.next()? {
            '"' => return Some(value),
            '\\' => value.push(signs.next()?),
            sign => value.push(sign),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_lines_say() {
        let log = concat!(
            "scopegate: keys of `auth0`: http://127.0.0.1/: 2 keys\n",
            "scopegate: refused reason=\"token_expired\" route=\"/a/{id}\" issuer=\"auth0\"\n",
            "scopegate: refusedly\n",
            "scopegate: allowed route=\"/a\\\"b\"\n",
            "scopegate: would be refused reason=\"credential_missing\"\n",
        );
        let said = |verdict, reason: Option<&str>, route: Option<&str>| Decision {
            verdict,
            reason: reason.map(str::to_owned),
            route: route.map(str::to_owned),
        };
        assert_eq!(
            decisions(log),
            [
                said(Verdict::Refused, Some("token_expired"), Some("/a/{id}")),
                said(Verdict::Allowed, None, Some("/a\"b")),
                said(Verdict::WouldBeRefused, Some("credential_missing"), None),
            ]
        );
    }
}
