//! Runs one case on one host, step by step.

use std::collections::BTreeMap;

use anyhow::{Result, bail};

use crate::corpus::file::{Expect, Request};
use crate::corpus::site::Document;
use crate::corpus::{Case, KeySet, mint, template};
use crate::judge::{Prepared, Seen, differences};
use crate::test_key::TestKey;

/// What a case runs on: the core alone, a real Envoy, or an application of Spin.
pub trait Host {
    /// The time of this host, in milliseconds since the epoch.
    fn now_ms(&self) -> u64;

    /// Lets that much time pass.
    ///
    /// # Errors
    /// Its clock cannot be set.
    fn wait(&mut self, ms: u64) -> Result<()>;

    /// Sends the request, and tells what became of it.
    ///
    /// # Errors
    /// No answer at all.
    fn ask(&mut self, request: &Prepared) -> Result<Seen>;

    /// The issuer of that name.
    fn issuer(&self, name: &str) -> String;

    /// Publishes that instead of what the issuer of that name has published so far.
    ///
    /// # Errors
    /// A key set that names no test key.
    fn publish(&mut self, name: &str, set: &KeySet) -> Result<()>;

    /// How often that document of the issuer of that name was fetched in this case.
    fn fetches(&self, name: &str, document: Document) -> usize;
}

/// One request of a case, what it must get, and what it got.
pub struct Asked {
    /// The request as it was sent.
    pub sent: Prepared,
    /// The expectation, its placeholders filled in.
    pub expect: Expect,
    /// What came of it; an error is no answer at all.
    pub seen: Result<Seen>,
}

/// Sends the requests of the case, one after the other, up to the first without an answer.
///
/// # Errors
/// A request that cannot be made.
pub fn ask(
    case: &Case,
    keys: &BTreeMap<String, TestKey>,
    host: &mut dyn Host,
) -> Result<Vec<Asked>> {
    let mut asked = Vec::new();
    let mut token = None;
    for step in &case.steps {
        for (name, set) in &step.keys {
            host.publish(name, set)?;
        }
        host.wait(step.wait_ms)?;
        let mut request = step.request.clone();
        if let Some(token) = &mut request.token {
            token.name_issuers(|name| host.issuer(name))?;
        }
        let sent = prepare(&request, keys, token.as_deref(), host.now_ms())?;
        let expect = filled(&step.expect, sent.token.as_deref())?;
        let seen = host.ask(&sent);
        let is_answered = seen.is_ok();
        token = sent.token.clone().or(token);
        asked.push(Asked { sent, expect, seen });
        if !is_answered {
            break;
        }
    }
    Ok(asked)
}

/// Runs the case; the error lists everything that was not as expected.
///
/// # Errors
/// See above.
pub fn run(case: &Case, keys: &BTreeMap<String, TestKey>, host: &mut dyn Host) -> Result<()> {
    let asked = ask(case, keys, host)?;
    let wrong = complaints(case, &asked, host);
    if !wrong.is_empty() {
        bail!("{}", wrong.join("\n"));
    }
    Ok(())
}

/// Everything about these requests of the case that was not as expected.
pub fn complaints(case: &Case, asked: &[Asked], host: &dyn Host) -> Vec<String> {
    let mut wrong = Vec::new();
    for (index, asked) in asked.iter().enumerate() {
        let found = match &asked.seen {
            Ok(seen) => differences(&asked.sent, &asked.expect, seen),
            Err(error) => vec![format!("{error:#}")],
        };
        let number = index + 1;
        wrong.extend(
            found
                .into_iter()
                .map(|difference| format!("request {number}: {difference}")),
        );
    }
    for (name, expected) in &case.fetches {
        let Some((issuer, document)) = Document::named(name) else {
            continue;
        };
        let seen = host.fetches(issuer, document);
        if seen != *expected {
            wrong.push(format!(
                "fetches of {name}: expected {expected}, saw {seen}"
            ));
        }
    }
    wrong
}

/// Makes the token and fills it in.
fn prepare(
    request: &Request,
    keys: &BTreeMap<String, TestKey>,
    last: Option<&str>,
    now_ms: u64,
) -> Result<Prepared> {
    let token = request
        .token
        .as_ref()
        .map(|spec| mint::token(spec, keys, last, now_ms))
        .transpose()?;
    let mut is_placed = token.is_none();
    let path = match (&request.path, request.path()?) {
        (Some(text), _) => {
            is_placed |= text.contains("${token}");
            Some(fill(text, token.as_deref())?.into_bytes())
        }
        (None, bytes) => bytes,
    };
    let mut headers = Vec::new();
    for (name, value) in &request.headers {
        is_placed |= value.contains("${token}");
        headers.push((name.clone(), fill(value, token.as_deref())?.into_bytes()));
    }
    headers.extend(request.header_bytes()?);
    if !is_placed {
        headers.push((
            "authorization".to_owned(),
            fill("Bearer ${token}", token.as_deref())?.into_bytes(),
        ));
    }
    let trailers = request
        .trailers
        .iter()
        .map(|(name, value)| (name.clone(), value.clone().into_bytes()))
        .collect();
    Ok(Prepared {
        method: request.method.clone(),
        path,
        headers,
        body: request.body.clone().into_bytes(),
        trailers,
        token,
    })
}

fn filled(expect: &Expect, token: Option<&str>) -> Result<Expect> {
    let mut expect = expect.clone();
    if let Some(upstream) = &mut expect.upstream {
        for (_, value) in &mut upstream.headers {
            *value = fill(value, token)?;
        }
    }
    Ok(expect)
}

fn fill(text: &str, token: Option<&str>) -> Result<String> {
    template::fill(text, |inside| match inside {
        "token" => token.map(str::to_owned),
        other => template::repeated(other),
    })
}
