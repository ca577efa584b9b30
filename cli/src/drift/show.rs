//! Differences for people and for programs.

use serde_json::{Value, json};

use super::compare::Difference;
use crate::document::Document;
use crate::place::{self, Place, Places};
use scopegate_openapi::Lines;

/// The two texts that differences are about.
pub(super) struct Shown<'d> {
    specification: &'d Document,
    lines: Lines<'d>,
    policy: &'d Document,
    places: Places<'d>,
}

impl<'d> Shown<'d> {
    pub(super) fn new(
        specification: &'d Document,
        policy: &'d Document,
        places: Places<'d>,
    ) -> Self {
        Self {
            specification,
            lines: Lines::of(&specification.text),
            policy,
            places,
        }
    }

    /// Three lines for each.
    pub(super) fn text(&self, differences: &[Difference]) -> String {
        let mut text = String::new();
        for difference in differences {
            let at = |name: &str, place: Option<Place>| match place {
                Some(place) => format!("  ({name}:{})", place.line),
                None => String::new(),
            };
            let spec_at = at(&self.specification.name, self.specified(difference));
            let policy_at = at(&self.policy.name, self.routed(difference));
            let method = difference.method.as_deref().unwrap_or("*");
            text.push_str(&format!(
                "{} {}: {}\n  spec:   {}{spec_at}\n  policy: {}{policy_at}\n",
                method.escape_debug(),
                difference.path.escape_debug(),
                difference.kind.code(),
                difference.specification,
                difference.policy,
            ));
        }
        text
    }

    /// An object with the names of both, and `differences`: a list of `kind`, `method` (absent for any), `path`, `spec` and `policy`, each with what is `said`
    /// there and its `line` if it has one.
    pub(super) fn json(&self, differences: &[Difference]) -> Value {
        let side = |said: &str, place: Option<Place>| match place {
            Some(place) => json!({ "said": said, "line": place.line }),
            None => json!({ "said": said }),
        };
        let one = |difference: &Difference| {
            let mut one = json!({
                "kind": difference.kind.code(),
                "path": difference.path,
                "spec": side(&difference.specification, self.specified(difference)),
                "policy": side(&difference.policy, self.routed(difference)),
            });
            if let (Some(members), Some(method)) = (one.as_object_mut(), &difference.method) {
                members.insert("method".into(), method.as_str().into());
            }
            one
        };
        json!({
            "spec": self.specification.name,
            "policy": self.policy.name,
            "differences": differences.iter().map(one).collect::<Vec<_>>(),
        })
    }

    fn specified(&self, difference: &Difference) -> Option<Place> {
        difference.spot.place(&self.lines).map(Place::from)
    }

    fn routed(&self, difference: &Difference) -> Option<Place> {
        Some(place::of_route(&self.places, difference.route?))
    }
}
