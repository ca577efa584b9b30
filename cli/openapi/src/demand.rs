//! What an operation demands, in the words of a policy; or why a policy has none for it.

use std::collections::BTreeMap;

use scopegate_core::outline::ScopeDemand;

use crate::scheme::Scheme;
use crate::security::{Alternative, Security};
use crate::specification::{Operation, Specification};

/// Who may pass.
#[derive(Clone, Debug, PartialEq)]
pub enum Demand {
    /// Anybody.
    Public,
    /// Whoever has a token.
    Token {
        /// The schemes whose tokens are taken, the first of each issuer, sorted; none where any issuer's are.
        schemes: Vec<String>,
        /// What they must grant.
        scopes: ScopeDemand,
    },
}

/// Why an operation cannot be said in a policy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unsaid {
    /// What kind of reason this is: a stable word for programs.
    pub code: &'static str,
    /// The reason, as a sentence without its full stop.
    pub message: String,
}

/// Which schemes have the same issuer: the name of a scheme and what tells its issuer from others.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Issuers(pub BTreeMap<String, String>);

/// What is taken in another way than OpenAPI says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Leniency {
    /// What is listed with bearer schemes are scopes; OpenAPI calls them roles, which no token need hold.
    pub roles_are_scopes: bool,
    /// What an operation means without any security.
    pub undeclared: Undeclared,
}

/// What an operation means for which the document declares no security at all.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Undeclared {
    /// Nothing: it is left out, and so refused.
    LeaveOut,
    /// Anybody may pass.
    Public,
    /// A valid token is needed, of any issuer and with any scope.
    Authenticated,
}

impl Issuers {
    /// The first scheme of the document that has the same issuer.
    fn first_of_the_same<'a>(&self, scheme: &'a str, specification: &'a Specification) -> &'a str {
        let Some(issuer) = self.0.get(scheme) else {
            return scheme;
        };
        let mut schemes = specification.schemes.iter().map(|(name, _)| name.as_str());
        let first = schemes.find(|name| self.0.get(*name) == Some(issuer));
        first.unwrap_or(scheme)
    }
}

impl Unsaid {
    /// With a code and the reason.
    pub fn new(code: &'static str, message: impl Into<String>) -> Self {
        let message = message.into();
        Self { code, message }
    }
}

impl Demand {
    /// As a policy writes it.
    pub fn shown(&self) -> String {
        match self {
            Self::Public => "public".into(),
            Self::Token { scopes, .. } => scopes_shown(scopes),
        }
    }

    /// Whether two demands let the same tokens pass.
    pub fn is_same(&self, other: &Self) -> bool {
        let schemes = |demand: &Self| match demand {
            Self::Token { schemes, .. } => schemes.clone(),
            Self::Public => Vec::new(),
        };
        self.wants_the_same(other) && schemes(self) == schemes(other)
    }

    /// Whether they do as far as scopes tell.
    pub fn wants_the_same(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Public, Self::Public) => true,
            (Self::Token { scopes, .. }, Self::Token { scopes: others, .. }) => {
                canonical(scopes) == canonical(others)
            }
            _ => false,
        }
    }
}

/// As a policy writes them.
fn scopes_shown(scopes: &ScopeDemand) -> String {
    let list = |scopes: &[String]| scopes.join(", ").escape_debug().to_string();
    match scopes {
        ScopeDemand::None => "authenticated, any scope".into(),
        ScopeDemand::All(scopes) => format!("scopes [{}]", list(scopes)),
        ScopeDemand::Any(scopes) => format!("any of the scopes [{}]", list(scopes)),
    }
}

/// The scopes without order, and whether one is enough; of a single one all are.
fn canonical(scopes: &ScopeDemand) -> (Vec<&str>, bool) {
    let (list, any) = match scopes {
        ScopeDemand::None => return (Vec::new(), false),
        ScopeDemand::All(list) => (list, false),
        ScopeDemand::Any(list) => (list, true),
    };
    let mut list: Vec<&str> = list.iter().map(String::as_str).collect();
    list.sort_unstable();
    list.dedup();
    let any = any && list.len() > 1;
    (list, any)
}

/// What an operation demands.
///
/// # Errors
/// Why no policy can say it.
pub fn demand(
    operation: &Operation,
    specification: &Specification,
    issuers: &Issuers,
    leniency: Leniency,
) -> Result<Demand, Unsaid> {
    let alternatives = match &operation.security {
        Security::Any(alternatives) => alternatives,
        Security::Malformed => {
            let message = "its `security` is no list of requirements";
            return Err(Unsaid::new("malformed-security", message));
        }
        Security::Undeclared => return undeclared(leniency.undeclared),
    };
    // `security: []`, and `[{}]`: without a credential.
    if alternatives.iter().all(Vec::is_empty) {
        return Ok(Demand::Public);
    }
    let mut tokens = Vec::new();
    for alternative in alternatives {
        tokens.push(token(alternative, specification, issuers, leniency)?);
    }
    united(tokens)
}

fn undeclared(meaning: Undeclared) -> Result<Demand, Unsaid> {
    match meaning {
        Undeclared::Public => Ok(Demand::Public),
        Undeclared::Authenticated => Ok(Demand::Token {
            schemes: Vec::new(),
            scopes: ScopeDemand::None,
        }),
        Undeclared::LeaveOut => Err(Unsaid::new(
            "undeclared-security",
            "no `security` is declared for it, neither here nor at the top",
        )),
    }
}

/// A token that satisfies an alternative.
struct Token {
    /// The first scheme of its issuer.
    scheme: String,
    scopes: Vec<String>,
}

fn token(
    alternative: &Alternative,
    specification: &Specification,
    issuers: &Issuers,
    leniency: Leniency,
) -> Result<Token, Unsaid> {
    let mut found: Option<Token> = None;
    for requirement in alternative {
        let name = requirement.scheme.escape_debug();
        let has_scopes = match specification.scheme(&requirement.scheme) {
            Some(Scheme::Token { has_scopes, .. }) => *has_scopes,
            Some(Scheme::Other(what)) => {
                let message = format!("it takes {what} (`{name}`), which no gate checks");
                return Err(Unsaid::new("unsupported-scheme", message));
            }
            None => {
                let message = format!("no security scheme `{name}` is defined");
                return Err(Unsaid::new("unknown-scheme", message));
            }
        };
        if !has_scopes && !requirement.list.is_empty() && !leniency.roles_are_scopes {
            let message = format!(
                "it wants roles of `{name}`, and OpenAPI does not say that a token holds them (`--roles-are-scopes` does)"
            );
            return Err(Unsaid::new("roles", message));
        }
        let scheme = issuers.first_of_the_same(&requirement.scheme, specification);
        let token = found.get_or_insert_with(|| Token {
            scheme: scheme.to_owned(),
            scopes: Vec::new(),
        });
        if token.scheme != scheme {
            let message = "it wants tokens of two issuers at once";
            return Err(Unsaid::new("two-tokens", message));
        }
        for scope in &requirement.list {
            if !token.scopes.contains(scope) {
                token.scopes.push(scope.clone());
            }
        }
    }
    found.ok_or_else(|| {
        let message = "a token is optional for it, and a gate either checks one or strips it";
        Unsaid::new("optional-security", message)
    })
}

/// One demand that any of these tokens satisfies.
fn united(tokens: Vec<Token>) -> Result<Demand, Unsaid> {
    let mut families: Vec<(String, Vec<Vec<String>>)> = Vec::new();
    for token in tokens {
        let known = families.iter_mut().find(|(own, _)| *own == token.scheme);
        match known {
            Some((_, family)) => family.push(token.scopes),
            None => families.push((token.scheme, vec![token.scopes])),
        }
    }
    // In another order they are the same.
    families.sort_by(|(one, _), (other, _)| one.cmp(other));
    for (_, family) in &mut families {
        *family = without_implied(std::mem::take(family));
    }
    let mut each = families.iter().map(|(_, family)| family);
    let first = each.next().cloned().unwrap_or_default();
    if !each.all(|family| is_same(family, &first)) {
        let message = "it wants other scopes of one issuer than of another";
        return Err(Unsaid::new("issuers-differ", message));
    }
    let scopes = match first.as_slice() {
        [] => ScopeDemand::None,
        [scopes] if scopes.is_empty() => ScopeDemand::None,
        [scopes] => ScopeDemand::All(scopes.clone()),
        several if several.iter().all(|scopes| scopes.len() == 1) => {
            ScopeDemand::Any(several.concat())
        }
        _ => {
            let message = "it has alternatives of several scopes each, where a policy has either all of a list or one of it";
            return Err(Unsaid::new("alternatives", message));
        }
    };
    let schemes = families.into_iter().map(|(scheme, _)| scheme).collect();
    Ok(Demand::Token { schemes, scopes })
}

/// Without the alternatives that want more than another one does: whoever has them has the other.
fn without_implied(family: Vec<Vec<String>>) -> Vec<Vec<String>> {
    let mut kept: Vec<Vec<String>> = Vec::new();
    for scopes in family {
        if kept.iter().any(|weaker| is_within(weaker, &scopes)) {
            continue;
        }
        kept.retain(|stronger| !is_within(&scopes, stronger));
        kept.push(scopes);
    }
    kept
}

fn is_within(few: &[String], many: &[String]) -> bool {
    few.iter().all(|scope| many.contains(scope))
}

/// Whether two families of alternatives are the same, whatever their order. Neither has an alternative that implies another.
fn is_same(one: &[Vec<String>], other: &[Vec<String>]) -> bool {
    let has = |family: &[Vec<String>], scopes: &Vec<String>| {
        let mut family = family.iter();
        family.any(|known| is_within(known, scopes) && is_within(scopes, known))
    };
    one.len() == other.len() && one.iter().all(|scopes| has(other, scopes))
}
