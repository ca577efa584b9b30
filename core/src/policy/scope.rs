//! The scopes that a route demands, as the policy writes them.

use super::ScopeDemand;
use super::error::Problems;
use super::route::InvalidRoute;
use super::scalar::Scopes;
use super::yaml::Spanned;

/// The scopes that a route demands.
pub(super) fn demand(scopes: Spanned<Scopes>, problems: &mut Problems<'_>) -> Option<ScopeDemand> {
    let place = scopes.place;
    let (list, demand): (_, fn(Vec<String>) -> ScopeDemand) = match scopes.value {
        Scopes::All(list) => (list, ScopeDemand::All),
        Scopes::Any(list) => (list, ScopeDemand::Any),
        Scopes::Malformed => {
            problems.report(place, InvalidRoute::NotScopes);
            return None;
        }
    };
    if list.is_empty() {
        problems.report(place, InvalidRoute::NoScopes);
        return None;
    }
    let mut names = Vec::new();
    let mut all_fit = true;
    for scope in list {
        if let Err(kind) = check_scope(&scope.value) {
            problems.report(scope.place, kind);
            all_fit = false;
        }
        names.push(scope.value);
    }
    all_fit.then(|| demand(names))
}

/// A scope is `scope-token` of RFC 6749 section 3.3. It is sent in challenges, so that nothing else may be in it.
fn check_scope(scope: &str) -> Result<(), InvalidRoute> {
    if scope.contains('*') {
        return Err(InvalidRoute::WildcardScope);
    }
    let fits = |octet: u8| octet.is_ascii_graphic() && octet != b'"' && octet != b'\\';
    if scope.is_empty() || !scope.bytes().all(fits) {
        return Err(InvalidRoute::NotAScope);
    }
    Ok(())
}
