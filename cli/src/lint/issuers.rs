//! Issuers that are spelt as no token spells them, or that take tokens which were not meant.

use std::collections::BTreeSet;

use scopegate_core::outline::{Access, Issuer, KeySource};

use super::{Subject, warning};
use crate::diagnostic::Diagnostic;
use crate::place::{Place, Step};

pub(super) fn look(subject: &Subject<'_>, found: &mut Vec<Diagnostic>) {
    let used = used_issuers(subject);
    for (place, issuer) in subject.policy.issuers().iter().enumerate() {
        let at = At { subject, issuer };
        spelling(&at, found);
        audiences(&at, found);
        scope_claims(&at, found);
        skew(&at, found);
        plain_http(&at, found);
        if !used.contains(&place) {
            found.push(warning(
                "issuer-unused",
                subject
                    .places
                    .at(&[Step::Value("issuers"), Step::Key(&issuer.name)]),
                "no route takes the tokens of this issuer",
                "remove it, or name it in the `issuers` of a route",
            ));
        }
    }
}

/// One issuer, and where its fields stand.
struct At<'a> {
    subject: &'a Subject<'a>,
    issuer: &'a Issuer,
}

impl At<'_> {
    fn field(&self, name: &str) -> Place {
        self.subject.places.at(&self.steps(name))
    }

    fn item(&self, list: &str, text: &str) -> Place {
        self.subject.places.item(&self.steps(list), text)
    }

    fn steps<'s>(&'s self, name: &'s str) -> [Step<'s>; 3] {
        [
            Step::Value("issuers"),
            Step::Value(&self.issuer.name),
            Step::Value(name),
        ]
    }
}

/// The `iss` of well-known providers, which is compared byte for byte.
fn spelling(at: &At<'_>, found: &mut Vec<Diagnostic>) {
    let iss = at.issuer.issuer.as_str();
    let Some((host, path)) = address(iss) else {
        return;
    };
    let ends_in_slash = path.ends_with('/');
    let warn =
        |code, message: String, remedy: String| warning(code, at.field("issuer"), message, remedy);
    if host.ends_with(".auth0.com") && !ends_in_slash {
        found.push(warn(
            "auth0-issuer-slash",
            "Auth0 ends the `iss` of its tokens with a slash, so that none would be taken".into(),
            format!("write `{iss}/`"),
        ));
    }
    // Microsoft's names for "any tenant" stand in metadata alone; a token names its own tenant.
    let entra = host == "login.microsoftonline.com";
    let first = path.trim_start_matches('/').split('/').next();
    if entra && matches!(first, Some("common" | "organizations" | "consumers")) {
        found.push(warn(
            "issuer-many-tenants",
            "no token has this `iss`: Entra ID puts the id of a tenant in its place".into(),
            "write the id of your tenant, as in `https://login.microsoftonline.com/TENANT-ID/v2.0`"
                .into(),
        ));
    }
    let without_slash = [
        (entra && path.contains("/v2.0"), "Entra ID"),
        (path.contains("/realms/"), "Keycloak"),
        (path.contains("/oauth2/"), "Okta"),
        (host == "accounts.google.com", "Google"),
        (host.starts_with("cognito-idp."), "Amazon Cognito"),
    ];
    let provider = without_slash.iter().find(|(is_it, _)| *is_it);
    if let (Some((_, provider)), true) = (provider, ends_in_slash) {
        found.push(warn(
            "issuer-slash",
            format!("{provider} does not end the `iss` of its tokens with a slash, so that none would be taken"),
            format!("write `{}`", iss.trim_end_matches('/')),
        ));
    }
    if host == "sts.windows.net" && !ends_in_slash {
        found.push(warn(
            "issuer-slash",
            "Entra ID ends the `iss` of its v1.0 tokens with a slash, so that none would be taken"
                .into(),
            format!("write `{iss}/`"),
        ));
    }
}

/// Host, and path from its slash on; nothing for an issuer that is no https URL.
fn address(iss: &str) -> Option<(&str, &str)> {
    let behind = iss.strip_prefix("https://")?;
    match behind.find('/') {
        Some(slash) => behind.split_at_checked(slash),
        None => Some((behind, "")),
    }
}

/// Access tokens name an API; ID tokens, which are for the application alone, name its client id.
fn audiences(at: &At<'_>, found: &mut Vec<Diagnostic>) {
    let issuer = at.issuer;
    // The claim that names the client holds client ids; and Entra ID names an API by its application id.
    let is_meant = issuer.audience_claim != "aud"
        || address(&issuer.issuer).is_some_and(|(host, _)| {
            matches!(host, "login.microsoftonline.com" | "sts.windows.net")
        });
    if is_meant {
        return;
    }
    for audience in issuer
        .audiences
        .iter()
        .filter(|audience| is_client_id(audience))
    {
        found.push(warning(
            "audience-client-id",
            at.item("audiences", audience),
            "this looks like the client id of an application: with it, ID tokens would pass for access tokens",
            "write the name of the API, as it stands in the `aud` of access tokens",
        ));
    }
}

/// Auth0: 32 letters and digits. Okta: 20, which begin with `0oa`. Google: under a domain of its own. Many others: a UUID.
fn is_client_id(audience: &str) -> bool {
    let is_alphanumeric = audience.bytes().all(|octet| octet.is_ascii_alphanumeric());
    let has = |is_such: fn(&u8) -> bool| audience.bytes().any(|octet| is_such(&octet));
    let is_random = has(u8::is_ascii_digit) && has(u8::is_ascii_alphabetic);
    (audience.len() == 32 && is_alphanumeric && is_random)
        || (audience.len() == 20 && is_alphanumeric && audience.starts_with("0oa"))
        || audience.ends_with(".apps.googleusercontent.com")
        || is_uuid(audience)
}

fn is_uuid(text: &str) -> bool {
    let lengths: Vec<usize> = text.split('-').map(str::len).collect();
    lengths == [8, 4, 4, 4, 12]
        && text
            .bytes()
            .all(|octet| octet == b'-' || octet.is_ascii_hexdigit())
}

/// Auth0's `permissions` are what the *user* may do; `scope` is what this client was granted.
fn scope_claims(at: &At<'_>, found: &mut Vec<Diagnostic>) {
    let claims = &at.issuer.scope_claims;
    let has = |name: &str| claims.iter().any(|claim| claim == name);
    if has("permissions") && (has("scope") || has("scp")) {
        found.push(warning(
            "permissions-beside-scope",
            at.item("scope_claims", "permissions"),
            "a token without the other claim would be taken with all that its user may do, whatever its client was granted",
            "keep `scope`, and ask for permissions in a claim rule, as in `{ claim: permissions, contains: read:x }`",
        ));
    }
}

fn skew(at: &At<'_>, found: &mut Vec<Diagnostic>) {
    let issuer = at.issuer;
    let is_fetched = !matches!(issuer.key_source(), KeySource::Inline { .. });
    if is_fetched && issuer.clock_skew > issuer.keys.ttl {
        let steps = [
            Step::Value("issuers"),
            Step::Value(&issuer.name),
            Step::Value("clock_skew"),
        ];
        let place = match at.subject.places.has(&steps) {
            true => at.field("clock_skew"),
            false => at.field("keys"),
        };
        found.push(warning(
            "skew-beyond-keys",
            place,
            format!(
                "the leeway for clocks ({} s) is longer than keys may be used ({} s)",
                issuer.clock_skew.as_secs(),
                issuer.keys.ttl.as_secs()
            ),
            "shorten `clock_skew`, or lengthen `keys.ttl`",
        ));
    }
}

fn plain_http(at: &At<'_>, found: &mut Vec<Diagnostic>) {
    let url = match at.issuer.key_source() {
        KeySource::Address(url) => url,
        KeySource::Metadata { openid, .. } => openid,
        KeySource::File(_) | KeySource::Inline { .. } => return,
    };
    let Some(behind) = url.strip_prefix("http://") else {
        return;
    };
    let is_loopback = ["127.", "localhost", "[::1]"]
        .iter()
        .any(|start| behind.starts_with(start));
    if !is_loopback {
        found.push(warning(
            "http-keys",
            at.field("danger_http_jwks"),
            "whoever stands between the gate and this address can publish keys of their own, and sign what they like",
            "fetch the keys over https, and remove `danger_http_jwks`",
        ));
    }
}

/// The places of the issuers that some route takes.
fn used_issuers(subject: &Subject<'_>) -> BTreeSet<usize> {
    let policy = subject.policy;
    let mut used = BTreeSet::new();
    for route in policy.routes() {
        let Access::Protected(wanted) = &route.access else {
            continue;
        };
        for (place, id) in policy.issuer_ids().enumerate() {
            if wanted.issuers.as_ref().is_none_or(|ids| ids.contains(&id)) {
                used.insert(place);
            }
        }
    }
    used
}
