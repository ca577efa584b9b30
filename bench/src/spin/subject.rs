//! What is measured: whom to ask, for what, and what has to come back.

use std::net::SocketAddr;

use anyhow::Result;

use crate::issuer::Algorithm;
use crate::load::{Expected, Requests};
use crate::spin::applications::{Applications, Component, Instances, SIGNED_WITH};
use crate::upstream;

/// An instance answers 128 requests, and of 16 at once there are at most 16: with so many tokens in turn, none meets one that it
/// has verified before.
const DISTINCT: usize = 16 * 128;

const SERVED: Expected = Expected {
    status: 200,
    content: upstream::CONTENT,
};

const REFUSED: Expected = Expected {
    status: 401,
    content: r#"{"title":"Missing or invalid token","status":401}"#,
};

/// One line of the tables.
pub(crate) struct Subject {
    pub(crate) name: String,
    /// Without any, no Spin stands between.
    pub(crate) instances: Option<Instances>,
    pub(crate) address: SocketAddr,
    pub(crate) requests: Requests,
    pub(crate) expected: Expected,
    /// Whether the others with such instances are compared with this one.
    pub(crate) is_baseline: bool,
}

impl Subject {
    /// All of them, in the order of the tables.
    ///
    /// Every request but the refused one has a token, so that none is shorter than another by the better part of a kilobyte.
    pub(crate) fn all(applications: &Applications) -> Result<Vec<Self>> {
        let issuer = &applications.issuer;
        let rsa = issuer.token(Algorithm::Rs256)?;
        let mut subjects = vec![Self {
            name: "no Spin: the upstream itself".to_owned(),
            instances: None,
            address: applications.upstream,
            requests: Requests::new(vec![head("/timesheets", Some(&rsa))]),
            expected: SERVED,
            is_baseline: false,
        }];
        let mut tokens = Vec::new();
        for algorithm in SIGNED_WITH {
            eprintln!("signing tokens with {}", algorithm.name());
            tokens.push((
                algorithm,
                issuer.token(algorithm)?,
                issuer.distinct(algorithm, DISTINCT)?,
            ));
        }
        for instances in [Instances::Warm, Instances::Cold] {
            let mut add = |name: &str, component, heads, expected| -> Result<()> {
                subjects.push(Self {
                    name: name.to_owned(),
                    instances: Some(instances),
                    address: applications.address(component, instances)?,
                    requests: Requests::new(heads),
                    expected,
                    is_baseline: component == Component::Handed,
                });
                Ok(())
            };
            let once = |path, token: Option<&str>| vec![head(path, token)];
            let with_token = || once("/timesheets", Some(&rsa));
            for (name, component) in [
                ("plain: hands the request on", Component::Handed),
                (
                    "plain: new request, its fields copied",
                    Component::Refielded,
                ),
                ("plain: new request, by the SDK's types", Component::Rebuilt),
            ] {
                add(name, component, with_token(), SERVED)?;
            }
            add(
                "gate: public route",
                Component::Gate,
                once("/healthz", Some(&rsa)),
                SERVED,
            )?;
            for (algorithm, repeated, distinct) in &tokens {
                let name = algorithm.name();
                if instances == Instances::Warm {
                    let heads = once("/timesheets", Some(repeated));
                    add(
                        &format!("gate: one {name} token, repeated"),
                        Component::Gate,
                        heads,
                        SERVED,
                    )?;
                }
                let heads = distinct
                    .iter()
                    .map(|token| head("/timesheets", Some(token)));
                add(
                    &format!("gate: distinct {name} tokens"),
                    Component::Gate,
                    heads.collect(),
                    SERVED,
                )?;
            }
            add(
                "gate: refused, no token",
                Component::Gate,
                once("/timesheets", None),
                REFUSED,
            )?;
        }
        Ok(subjects)
    }
}

/// A request as a browser's script sends it, with fewer fields.
fn head(path: &str, token: Option<&str>) -> Vec<u8> {
    let authorization = token.map(|token| format!("authorization: Bearer {token}\r\n"));
    format!(
        "GET {path} HTTP/1.1\r\nhost: timesheets.example.com\r\nuser-agent: bench/0.1\r\naccept: application/json\r\n\
         accept-language: en\r\norigin: https://app.example.com\r\n{}\r\n",
        authorization.unwrap_or_default()
    )
    .into_bytes()
}
