//! From file shape to policy: every problem is noted, and only a file without any becomes a policy.

use serde_json::Value;

use super::yaml::{Place, Spanned};

use super::error::Problems;
use super::file::{IssuerFile, PolicyFile, RouteFile};
use super::names::IssuerNames;
use super::read::{Entries, Field, List};
use super::route::InvalidRoute;
use super::scalar::Scalar;
use super::schema::{text_like, with};
use super::setting::{InvalidSetting, MODES, PREFLIGHTS, TOKEN_FORWARDINGS, word};
use super::{Issuer, Mode, Policy, RouteTable};
use super::{envoy, forward, issuer, quantity, route};
use crate::deny::Challenges;
use crate::route::AlreadyRouted;

/// The longest realm: it is sent with every challenge.
const MAX_REALM: usize = 256;

/// The policy that a file describes.
pub(super) fn policy(
    file: PolicyFile,
    fingerprint: [u8; 32],
    problems: &mut Problems<'_>,
) -> Option<Policy> {
    let PolicyFile {
        version,
        realm,
        issuers,
        forward,
        token,
        preflight,
        mode,
        token_cache,
        routes,
        envoy,
    } = file;
    check_version(version, problems);
    let realm = realm_text(realm, problems);
    let issuers = section(issuers);
    let names = IssuerNames::new(issuers.0.iter().map(|(name, _)| name));
    let issuers = issuer_list(issuers, problems);
    let forward = forward::forward(section(forward), problems);
    let token = word(token, "token", &TOKEN_FORWARDINGS, problems);
    let preflight = word(preflight, "preflight", &PREFLIGHTS, problems);
    let mode = word(mode, "mode", &MODES, problems);
    let token_cache_bytes = quantity::token_cache(token_cache, problems);
    if mode == Some(Some(Mode::Shadow)) {
        let routes = routes.iter().flat_map(|list| &list.value);
        refuse_enforcement(routes, problems);
    }
    let routes = route_table(routes, &names, problems);
    let envoy = envoy::settings(section(envoy), &names, problems);
    let realm = realm?;
    Some(Policy {
        challenges: Challenges::new(&realm),
        realm,
        issuers: issuers?,
        forward: forward?,
        token: token?.unwrap_or_default(),
        preflight: preflight?.unwrap_or_default(),
        mode: mode?.unwrap_or_default(),
        token_cache_bytes: token_cache_bytes?,
        routes: routes?,
        envoy: envoy?,
        fingerprint,
    })
}

/// What stands in a section; nothing for one that is not given.
fn section<T: Default>(field: Field<T>) -> T {
    field.map(|section| section.value).unwrap_or_default()
}

fn check_version(version: Option<Spanned<Scalar>>, problems: &mut Problems<'_>) {
    match version {
        None => problems.report(Place::NOWHERE, InvalidSetting::MissingVersion),
        Some(version) if version.value == Scalar::Number(1.into()) => {}
        Some(version) => problems.report(version.place, InvalidSetting::UnknownVersion),
    }
}

/// What a realm may be, for editors: not blank, and nothing that needs escaping.
pub(super) fn realm_schema() -> Value {
    let text = text_like(r"^[ !#-\[\]-~]*[!#-\[\]-~][ !#-\[\]-~]*$");
    with(text, "maxLength", MAX_REALM)
}

/// A realm stands in a quoted string (RFC 9110 section 5.6.4); we take only what needs no escaping there.
fn realm_text(realm: Option<Spanned<String>>, problems: &mut Problems<'_>) -> Option<String> {
    let Some(realm) = realm else {
        problems.report(Place::NOWHERE, InvalidSetting::MissingRealm);
        return None;
    };
    let unfit = |c: &char| !(*c == ' ' || c.is_ascii_graphic()) || *c == '"' || *c == '\\';
    let kind = if realm.value.trim().is_empty() {
        InvalidSetting::EmptyRealm
    } else if realm.value.len() > MAX_REALM {
        InvalidSetting::LongRealm { limit: MAX_REALM }
    } else if let Some(found) = realm.value.chars().find(unfit) {
        InvalidSetting::RealmCharacter(found)
    } else {
        return Some(realm.value);
    };
    problems.report(realm.place, kind);
    None
}

fn issuer_list(file: Entries<IssuerFile>, problems: &mut Problems<'_>) -> Option<Vec<Issuer>> {
    issuer::refuse_twins(&file.0, problems);
    let issuers: Vec<Option<Issuer>> = file
        .0
        .into_iter()
        .map(|(name, file)| issuer::issuer(&name, file.value, problems))
        .collect();
    issuers.into_iter().collect()
}

/// Shadow mode is for everything: what the path or the method alone would refuse takes no route's mode, and would pass.
fn refuse_enforcement<'a>(
    routes: impl Iterator<Item = &'a Spanned<RouteFile>>,
    problems: &mut Problems<'_>,
) {
    for mode in routes.filter_map(|route| route.value.mode.as_ref()) {
        if MODES.contains(&(mode.value.as_str(), Mode::Enforce)) {
            problems.report(mode.place, InvalidRoute::EnforceInShadow);
        }
    }
}

fn route_table(
    file: List<RouteFile>,
    issuers: &IssuerNames,
    problems: &mut Problems<'_>,
) -> Option<RouteTable> {
    let Some(file) = file else {
        problems.report(Place::NOWHERE, InvalidSetting::MissingRoutes);
        return None;
    };
    let mut table = RouteTable::with_capacity(file.value.len());
    // Where the routes of the table stand in the text, in the order of their insertion.
    let mut lines = Vec::with_capacity(file.value.len());
    let mut all_fit = true;
    for file in file.value {
        let place = file
            .value
            .path
            .as_ref()
            .map_or(file.place, |path| path.place);
        let Some((pattern, route)) = route::route(file, issuers, problems) else {
            all_fit = false;
            continue;
        };
        match table.insert(&pattern, route) {
            Ok(()) => lines.push(place.line),
            Err(AlreadyRouted { by, method }) => {
                let line = lines.get(by).copied().unwrap_or_default();
                problems.report(place, InvalidRoute::Taken { line, method });
                all_fit = false;
            }
        }
    }
    all_fit.then_some(table)
}
