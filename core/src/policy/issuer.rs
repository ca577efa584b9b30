//! One issuer: whose tokens are taken, for whom they must be made, and how they may be signed.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::{Value, json};

use super::yaml::Spanned;

use super::address;
use super::error::{Explanation, Problems};
use super::excerpt;
use super::file::{IssuerFile, KeysFile};
use super::key_origin::{self, WrittenOrigin};
use super::quantity::{Bounds, duration};
use super::read::List;
use super::schema::{defaulted, some};
use super::setting::{InvalidSetting, ON_EMPTY, TOKEN_TYPES, non_empty, texts, truth, word};
use super::{Freshness, Issuer};
use crate::key_url::PlainHttp;
use crate::verify::Algorithm;

/// The longest name of an issuer: it is part of log lines and metrics.
const MAX_NAME: usize = 64;

/// What a name may hold: a dot would part it into two words of a metric, and a quote would end a field of a log.
fn is_name_octet(octet: u8) -> bool {
    octet.is_ascii_alphanumeric() || octet == b'-' || octet == b'_'
}

/// A clock that is off by more than two minutes needs repair, not tolerance.
pub(super) const CLOCK_SKEW: Bounds = Bounds {
    least: Duration::ZERO,
    most: Duration::from_secs(120),
    default: Duration::from_secs(30),
};
/// A day is the longest that a key which its issuer took back may go on to serve.
pub(super) const TTL: Bounds = Bounds {
    least: Duration::from_secs(1),
    most: Duration::from_secs(24 * 3600),
    default: Duration::from_secs(600),
};
pub(super) const MAX_STALE: Bounds = Bounds {
    least: Duration::ZERO,
    most: Duration::from_secs(24 * 3600),
    default: Duration::from_secs(3600),
};
/// Never zero: every token with an unknown `kid` would cause a fetch.
pub(super) const COOLDOWN: Bounds = Bounds {
    least: Duration::from_secs(1),
    most: Duration::from_secs(3600),
    default: Duration::from_secs(30),
};
pub(super) const TIMEOUT: Bounds = Bounds {
    least: Duration::from_millis(100),
    most: Duration::from_secs(60),
    default: Duration::from_secs(5),
};

/// Where the audience of a token is when the policy says nothing (RFC 7519 section 4.1.3).
pub(super) const AUDIENCE_CLAIM: &str = "aud";
/// Where its scopes are: in the claim of RFC 8693 section 4.2, or in that of Entra ID and Okta.
pub(super) const SCOPE_CLAIMS: [&str; 2] = ["scope", "scp"];

/// Why an issuer is refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum InvalidIssuer {
    Name,
    MissingIssuer,
    MissingAudiences,
    /// The same `iss` as another issuer's.
    Same {
        name: String,
        line: u32,
    },
    NoneAlgorithm,
    /// HS256 and the like: whoever can verify could sign.
    SharedSecretAlgorithm,
    UnknownAlgorithm,
}

/// The issuer that stands under that name.
pub(super) fn issuer(
    name: &Spanned<String>,
    file: IssuerFile,
    problems: &mut Problems<'_>,
) -> Option<Issuer> {
    let IssuerFile {
        issuer,
        audiences,
        jwks_uri,
        jwks,
        jwks_file,
        algorithms,
        token_type,
        audience_claim,
        scope_claims,
        clock_skew,
        keys,
        danger_http_jwks,
    } = file;
    if name.value.is_empty()
        || name.value.len() > MAX_NAME
        || !name.value.bytes().all(is_name_octet)
    {
        problems.report(name.place, InvalidIssuer::Name);
    }
    let keys = keys.map(|section| section.value).unwrap_or_default();
    let http = match truth(danger_http_jwks, problems) {
        Some(true) => PlainHttp::Permitted,
        Some(false) | None => PlainHttp::Refused,
    };
    let origin = WrittenOrigin {
        jwks_uri,
        jwks,
        jwks_file,
        settings: &keys,
    };
    let key_origin = key_origin::key_origin(origin, issuer.as_ref(), http, problems);
    let issuer = match issuer {
        Some(text) => address::issuer(&text, problems),
        None => {
            problems.report(name.place, InvalidIssuer::MissingIssuer);
            None
        }
    };
    let audiences = match audiences {
        Some(list) => audience_list(list, problems),
        None => {
            problems.report(name.place, InvalidIssuer::MissingAudiences);
            None
        }
    };
    let algorithms = algorithm_list(algorithms, problems);
    let token_type = word(token_type, "token_type", &TOKEN_TYPES, problems);
    let audience_claim = match audience_claim {
        None => Some(AUDIENCE_CLAIM.into()),
        Some(claim) => non_empty(claim, "audience_claim", problems),
    };
    let scope_claims = match scope_claims {
        None => Some(SCOPE_CLAIMS.map(String::from).to_vec()),
        Some(list) => texts(
            list,
            "scope_claims",
            "remove it for `[scope, scp]`, or name the claim that holds the scopes",
            problems,
        ),
    };
    let clock_skew = duration(clock_skew, &CLOCK_SKEW, problems);
    let keys = freshness(keys, problems);
    Some(Issuer {
        name: name.value.clone(),
        issuer: issuer?,
        audiences: audiences?,
        key_origin: key_origin?,
        algorithms: algorithms?,
        token_type: token_type?.unwrap_or_default(),
        audience_claim: audience_claim?,
        scope_claims: scope_claims?,
        clock_skew: clock_skew?,
        keys: keys?,
    })
}

/// What an issuer's name may be, for editors.
pub(super) fn name_schema() -> Value {
    json!({ "pattern": format!("^[A-Za-z0-9_-]{{1,{MAX_NAME}}}$") })
}

/// What the list of algorithms may hold, for editors.
pub(super) fn algorithms_schema() -> Value {
    let mut names = Algorithm::ALL.map(Algorithm::name).to_vec();
    names.push(Algorithm::ED25519);
    let default = Algorithm::DEFAULT.map(Algorithm::name).to_vec();
    defaulted(some(json!({ "enum": names })), default)
}

/// A list of audiences, of an issuer or of a route.
pub(super) fn audience_list(
    list: Spanned<Vec<Spanned<String>>>,
    problems: &mut Problems<'_>,
) -> Option<Vec<String>> {
    texts(
        list,
        "audiences",
        "write the name of the API that the tokens are made for, as it stands in their `aud`",
        problems,
    )
}

fn algorithm_list(list: List<String>, problems: &mut Problems<'_>) -> Option<Vec<Algorithm>> {
    let Some(list) = list else {
        return Some(Algorithm::DEFAULT.to_vec());
    };
    if list.value.is_empty() {
        let kind = InvalidSetting::EmptyList {
            field: "algorithms",
            remedy: "name at least one, as in `[RS256]`, or remove the field",
        };
        problems.report(list.place, kind);
        return None;
    }
    let mut algorithms = Vec::new();
    let mut all_known = true;
    for name in list.value {
        match algorithm(&name.value) {
            // `EdDSA` and `Ed25519` are two names of one.
            Ok(algorithm) if algorithms.contains(&algorithm) => {}
            Ok(algorithm) => algorithms.push(algorithm),
            Err(kind) => {
                all_known = false;
                problems.report(name.place, kind);
            }
        }
    }
    all_known.then_some(algorithms)
}

fn algorithm(name: &str) -> Result<Algorithm, InvalidIssuer> {
    if let Some(algorithm) = Algorithm::from_name(name) {
        return Ok(algorithm);
    }
    Err(match name {
        "HS256" | "HS384" | "HS512" => InvalidIssuer::SharedSecretAlgorithm,
        _ if name.eq_ignore_ascii_case("none") => InvalidIssuer::NoneAlgorithm,
        _ => InvalidIssuer::UnknownAlgorithm,
    })
}

fn freshness(file: KeysFile, problems: &mut Problems<'_>) -> Option<Freshness> {
    let KeysFile {
        ttl,
        max_stale,
        cooldown,
        timeout,
        on_empty,
    } = file;
    let ttl = duration(ttl, &TTL, problems);
    let max_stale = duration(max_stale, &MAX_STALE, problems);
    let cooldown = duration(cooldown, &COOLDOWN, problems);
    let timeout = duration(timeout, &TIMEOUT, problems);
    let on_empty = word(on_empty, "on_empty", &ON_EMPTY, problems);
    Some(Freshness {
        ttl: ttl?,
        max_stale: max_stale?,
        cooldown: cooldown?,
        timeout: timeout?,
        on_empty: on_empty?.unwrap_or_default(),
    })
}

/// Two entries with one `iss` would leave it open which one's rules a token meets.
pub(super) fn refuse_twins(
    issuers: &[(Spanned<String>, Spanned<IssuerFile>)],
    problems: &mut Problems<'_>,
) {
    let mut seen: BTreeMap<&str, (&str, u32)> = BTreeMap::new();
    for (name, file) in issuers {
        let Some(issuer) = &file.value.issuer else {
            continue;
        };
        let place = issuer.place;
        if let Some((name, line)) = seen.get(issuer.value.as_str()) {
            let kind = InvalidIssuer::Same {
                name: String::from(*name),
                line: *line,
            };
            problems.report(place, kind);
        } else {
            seen.insert(&issuer.value, (&name.value, place.line));
        }
    }
}

impl InvalidIssuer {
    pub(super) fn explain(&self) -> Explanation {
        let known = || {
            let names = Algorithm::ALL.map(Algorithm::name);
            format!("write {}", excerpt::choice(&names))
        };
        match self {
            Self::Name => Explanation::new(
                "this is no name for an issuer, as it appears in logs and metrics",
                format!("use at most {MAX_NAME} ASCII letters, digits, `-` and `_`, as in `auth0`"),
            ),
            Self::MissingIssuer => Explanation::new(
                "this issuer does not say who it is",
                "write `issuer:` with the `iss` of its tokens, byte for byte",
            ),
            Self::MissingAudiences => Explanation::new(
                "this issuer has no audiences, so that a token made for any other API would pass",
                "write `audiences:` with the name of the API that the tokens are made for",
            ),
            Self::Same { name, line } => Explanation::new(
                format!(
                    "`{}` in line {line} has the same `issuer`",
                    excerpt::shown(name)
                ),
                "keep one of the two; a route can name `audiences` of its own",
            ),
            Self::NoneAlgorithm => {
                Explanation::new("a token without a signature is anybody's word", known())
            }
            Self::SharedSecretAlgorithm => Explanation::new(
                "with a shared secret, whoever can verify a token can make one, and a published key is no secret",
                known(),
            ),
            Self::UnknownAlgorithm => {
                Explanation::new("this is no signature algorithm that is known here", known())
            }
        }
    }
}
