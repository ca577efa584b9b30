//! Whose tokens are taken. OpenAPI names security schemes; a policy names issuers, and for whom their tokens are made. What the document does not say
//! comes from the command line.

use std::collections::BTreeSet;

use anyhow::bail;

use super::plan::Target;
use super::{policy_text, probe};
use crate::openapi::{Given, GivenIssuers};
use scopegate_openapi::{Demand, Issuers, Scheme, Specification};

/// The longest name of an issuer in a policy.
const MAX_NAME: usize = 64;

/// The name of an issuer that no scheme gives one.
const NAME: &str = "issuer";

/// An issuer as the policy writes it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Issuer {
    pub(super) name: String,
    pub(super) iss: String,
    pub(super) audiences: Vec<String>,
    /// Where its keys are; discovered, if nothing is said.
    pub(super) key_address: Option<String>,
    /// The security schemes whose tokens it issues.
    pub(super) schemes: Vec<String>,
    /// Whether it was concluded from the address of its metadata.
    pub(super) is_derived: bool,
}

/// What the command line says of issuers.
pub(super) struct Options {
    issuers: GivenIssuers,
    audiences: Given,
    key_addresses: GivenIssuers,
}

impl Options {
    /// Reads `--issuer`, `--audience` and `--jwks-uri`.
    ///
    /// # Errors
    /// They name schemes that the document does not have, or say one thing twice.
    pub(super) fn read(
        issuers: &[String],
        audiences: &[String],
        key_addresses: &[String],
        specification: &Specification,
    ) -> anyhow::Result<Self> {
        Ok(Self {
            issuers: GivenIssuers::read(issuers, "--issuer", specification)?,
            audiences: Given::read(audiences, "--audience", specification)?,
            key_addresses: GivenIssuers::read(key_addresses, "--jwks-uri", specification)?,
        })
    }

    /// Which schemes have the same issuer.
    pub(super) fn identities(&self, specification: &Specification) -> Issuers {
        self.issuers.identities(specification)
    }

    /// The issuers whose tokens the operations take.
    ///
    /// # Errors
    /// The document does not say who they are, and the command line does not either; or a policy cannot have them.
    pub(super) fn used(
        &self,
        specification: &Specification,
        identities: &Issuers,
        targets: &[Target],
    ) -> anyhow::Result<Vec<Issuer>> {
        let demands = targets.iter().filter_map(|target| match target {
            Target::In(route) => match &route.demand {
                Demand::Token { schemes, .. } => Some(schemes),
                Demand::Public => None,
            },
            Target::Out(_) => None,
        });
        let mut wanted = BTreeSet::new();
        let mut wants_any = false;
        for schemes in demands {
            wants_any |= schemes.is_empty();
            wanted.extend(schemes.iter().map(String::as_str));
        }
        let mut issuers: Vec<Issuer> = Vec::new();
        for (name, scheme) in &specification.schemes {
            let is_wanted = wanted.iter().any(|wanted| {
                let identity = |name: &str| identities.0.get(name).cloned();
                *wanted == name || identity(wanted).is_some_and(|own| identity(name) == Some(own))
            });
            let is_given = wants_any && self.issuers.own(name).is_some();
            if !is_wanted && !is_given {
                continue;
            }
            let Some((iss, is_derived)) = self.issuers.iss(name, scheme) else {
                bail!("{}", unknown(name, scheme));
            };
            match issuers.iter_mut().find(|known| known.iss == iss) {
                Some(known) => known.schemes.push(name.clone()),
                None => {
                    let known = issuers.iter().map(|issuer| issuer.name.as_str());
                    let name_in_policy = policy_name(name, &known.collect::<Vec<_>>());
                    issuers.push(Issuer {
                        name: name_in_policy,
                        iss: iss.to_owned(),
                        audiences: Vec::new(),
                        key_address: None,
                        schemes: vec![name.clone()],
                        is_derived,
                    });
                }
            }
        }
        if wants_any && issuers.is_empty() {
            let Some(iss) = self.issuers.others() else {
                bail!(
                    "operations without any `security` shall want a token, and nobody says whose; give `--issuer URL` with the `iss` of the tokens"
                );
            };
            issuers.push(Issuer {
                name: NAME.into(),
                iss: iss.to_owned(),
                audiences: Vec::new(),
                key_address: None,
                schemes: Vec::new(),
                is_derived: false,
            });
        }
        for issuer in &mut issuers {
            self.complete(issuer)?;
        }
        Ok(issuers)
    }

    /// Adds the audiences, and where the keys are.
    fn complete(&self, issuer: &mut Issuer) -> anyhow::Result<()> {
        let mut known: Option<(&str, Vec<&String>)> = None;
        for scheme in &issuer.schemes {
            let mut audiences: Vec<&String> = self.audiences.own(scheme).iter().collect();
            if audiences.is_empty() {
                audiences = self.audiences.others().iter().collect();
            }
            audiences.sort_unstable();
            audiences.dedup();
            match &known {
                None => known = Some((scheme, audiences)),
                Some((_, same)) if *same == audiences => {}
                Some((first, _)) => bail!(
                    "`{first}` and `{scheme}` have one issuer and different audiences, and a policy has one list for an issuer: tokens made for either would pass for both"
                ),
            }
        }
        let audiences = match known {
            Some((_, audiences)) => audiences,
            None => self.audiences.others().iter().collect(),
        };
        issuer.audiences = audiences.into_iter().cloned().collect();
        let mut own = issuer.schemes.iter();
        let own = own.find_map(|scheme| self.key_addresses.own(scheme));
        let address = own.or_else(|| self.key_addresses.others());
        issuer.key_address = address.map(str::to_owned);
        let name = issuer.schemes.first().unwrap_or(&issuer.name);
        if issuer.audiences.is_empty() {
            bail!(
                "for whom the tokens of `{name}` are made does not stand in an OpenAPI document; give `--audience AUD` with the name of the API in their `aud`"
            );
        }
        if let Some(complaint) = probe::issuer(&policy_text::issuer_fields(issuer)) {
            bail!(
                "the issuer `{}` of `{name}`: {complaint} (`--issuer` says who it is, `--jwks-uri` where its keys are)",
                issuer.iss.escape_debug()
            );
        }
        Ok(())
    }
}

fn unknown(name: &str, scheme: &Scheme) -> String {
    let (kind, hint) = match scheme {
        Scheme::Token { kind, hint, .. } => (*kind, hint.as_deref()),
        Scheme::Other(_) => ("", None),
    };
    let hint = hint.map(|hint| format!("; its tokens come from {}", hint.escape_debug()));
    format!(
        "who issues the tokens of `{name}` ({kind}) does not stand in the document{}; give `--issuer {name}=URL` with their `iss`",
        hint.unwrap_or_default()
    )
}

/// The name of a scheme as the name of an issuer, which is a word of metrics.
fn policy_name(scheme: &str, taken: &[&str]) -> String {
    let fit = |sign: char| match sign {
        'a'..='z' | 'A'..='Z' | '0'..='9' | '_' | '-' => sign,
        _ => '-',
    };
    // With room for a number.
    let room = MAX_NAME.saturating_sub(8);
    let name: String = scheme.chars().map(fit).take(room).collect();
    let name = match name.is_empty() {
        true => NAME.to_owned(),
        false => name,
    };
    let numbers = (2_usize..).map(|number| format!("{name}-{number}"));
    let mut names = std::iter::once(name.clone()).chain(numbers);
    let free = names.find(|name| !taken.contains(&name.as_str()));
    free.unwrap_or(name)
}
