//! The names of the policy's issuers, as other parts of the policy refer to them.

use std::collections::BTreeMap;

use super::yaml::Spanned;

use super::IssuerId;
use super::error::Explanation;
use super::excerpt;

/// The most names that an error lists.
const MAX_LISTED: usize = 8;

/// Every issuer's name and place.
pub(super) struct IssuerNames {
    places: BTreeMap<String, IssuerId>,
}

/// A name that no issuer has, and some that there are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct UnknownIssuer {
    pub(crate) known: Vec<String>,
}

impl IssuerNames {
    /// The names in the order of the text. No two are equal: the reader refuses duplicate keys.
    pub(super) fn new<'f>(names: impl Iterator<Item = &'f Spanned<String>>) -> Self {
        let mut places = BTreeMap::new();
        let names = names.enumerate();
        places.extend(names.map(|(place, name)| (name.value.clone(), IssuerId(place))));
        Self { places }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.places.is_empty()
    }

    /// The issuer of that name.
    pub(super) fn find(&self, name: &str) -> Result<IssuerId, UnknownIssuer> {
        self.places.get(name).copied().ok_or_else(|| UnknownIssuer {
            known: self.places.keys().take(MAX_LISTED).cloned().collect(),
        })
    }
}

impl UnknownIssuer {
    pub(super) fn explain(&self) -> Explanation {
        let names: Vec<&str> = self.known.iter().map(String::as_str).collect();
        let remedy = match names.as_slice() {
            [] => "write `issuers:` and under it this issuer".into(),
            names => format!(
                "write a name that stands under `issuers:`, as {}",
                excerpt::choice(names)
            ),
        };
        Explanation::new("the policy has no issuer of this name", remedy)
    }
}
