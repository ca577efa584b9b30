//! What the command line says of security schemes: `NAME=VALUE` of one, or a value of all that are not named.

use std::collections::BTreeMap;

use anyhow::bail;

use scopegate_openapi::{Issuers, Scheme, Specification};

/// Values of one option.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Given {
    named: BTreeMap<String, Vec<String>>,
    others: Vec<String>,
}

impl Given {
    /// Reads the values of an option.
    ///
    /// # Errors
    /// They name schemes that the document does not have.
    pub(crate) fn read(
        arguments: &[String],
        option: &str,
        specification: &Specification,
    ) -> anyhow::Result<Self> {
        let mut given = Self::default();
        for argument in arguments {
            let values = match named(argument, option, specification)? {
                Some((name, value)) => {
                    let values = given.named.entry(name.into()).or_default();
                    (values, value)
                }
                None => (&mut given.others, argument.as_str()),
            };
            values.0.push(values.1.to_owned());
        }
        Ok(given)
    }

    /// The values for a scheme by its name.
    pub(crate) fn own(&self, scheme: &str) -> &[String] {
        self.named.get(scheme).map_or(&[], Vec::as_slice)
    }

    /// The values for all others.
    pub(crate) fn others(&self) -> &[String] {
        &self.others
    }
}

/// The `iss` of schemes: at most one for each.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct GivenIssuers(Given);

impl GivenIssuers {
    /// Reads the values of an option that has one value for each scheme.
    ///
    /// # Errors
    /// They name schemes that the document does not have, or say one thing twice.
    pub(crate) fn read(
        arguments: &[String],
        option: &str,
        specification: &Specification,
    ) -> anyhow::Result<Self> {
        let given = Given::read(arguments, option, specification)?;
        let each = given.named.values().chain([&given.others]);
        for values in each {
            if let [first, second, ..] = values.as_slice() {
                bail!("{option}: both {first} and {second} are given; keep one of the two");
            }
        }
        Ok(Self(given))
    }

    /// What is given for a scheme, by its name.
    pub(crate) fn own(&self, scheme: &str) -> Option<&str> {
        self.0.own(scheme).first().map(String::as_str)
    }

    /// What is given for all others.
    pub(crate) fn others(&self) -> Option<&str> {
        self.0.others().first().map(String::as_str)
    }

    /// The `iss` of a scheme's tokens, and whether it is derived from the document.
    pub(crate) fn iss<'a>(&'a self, name: &str, scheme: &'a Scheme) -> Option<(&'a str, bool)> {
        let Scheme::Token { issuer, .. } = scheme else {
            return None;
        };
        let derived = || issuer.as_deref().map(|issuer| (issuer, true));
        let own = self.own(name).map(|own| (own, false));
        let others = || self.others().map(|others| (others, false));
        own.or_else(derived).or_else(others)
    }

    /// Which schemes have the same issuer.
    pub(crate) fn identities(&self, specification: &Specification) -> Issuers {
        let known = specification.schemes.iter().filter_map(|(name, scheme)| {
            let (iss, _) = self.iss(name, scheme)?;
            Some((name.clone(), iss.to_owned()))
        });
        Issuers(known.collect())
    }
}

/// An argument `NAME=VALUE`; nothing where it is a value alone. A name has no colon and no slash, so that a URL is none.
fn named<'a>(
    argument: &'a str,
    option: &str,
    specification: &Specification,
) -> anyhow::Result<Option<(&'a str, &'a str)>> {
    let Some((name, value)) = argument.split_once('=') else {
        return Ok(None);
    };
    if name.contains([':', '/', '?']) {
        return Ok(None);
    }
    if !matches!(specification.scheme(name), Some(Scheme::Token { .. })) {
        let schemes = specification.schemes.iter();
        let tokens = schemes.filter(|(_, scheme)| matches!(scheme, Scheme::Token { .. }));
        let names: Vec<String> = tokens.map(|(name, _)| format!("`{name}`")).collect();
        let known = match names.is_empty() {
            true => "it has none; write the value alone".into(),
            false => format!("write one of {}", names.join(", ")),
        };
        bail!(
            "{option} {argument}: the document has no security scheme `{name}` with tokens; {known}"
        );
    }
    Ok(Some((name, value)))
}
