//! CORS preflights: which pass in one policy, and not in the other.

use scopegate_core::outline::Routed;
use scopegate_core::{
    Decision, KeyCache, Policy, Portable, Request, Timestamp, TokenCache, decide,
};

use super::change::{Changes, Direction};
use super::method::Methods;
use super::region::Region;

/// Two policies that are asked about preflights.
pub(super) struct Preflights<'p> {
    old: (&'p Policy, KeyCache, TokenCache),
    new: (&'p Policy, KeyCache, TokenCache),
}

impl<'p> Preflights<'p> {
    pub(super) fn of(old: &'p Policy, new: &'p Policy) -> Self {
        let asked = |policy| (policy, KeyCache::new(policy), TokenCache::new(policy, 0));
        Self {
            old: asked(old),
            new: asked(new),
        }
    }

    /// Preflights that pass in one policy alone, where the routes for the method itself are there in both or in neither.
    pub(super) fn compare(&mut self, region: &Region, methods: &Methods, changes: &mut Changes) {
        if region.is_respelt {
            return;
        }
        let usual = methods.all.iter();
        for method in usual.filter(|method| !methods.respelt.contains(*method)) {
            let is_routed = |policy: &Policy| {
                let routed = policy.route_for(method.as_bytes(), region.path.as_bytes());
                matches!(routed, Routed::Route(..))
            };
            if is_routed(self.old.0) != is_routed(self.new.0) {
                continue;
            }
            let (was, now) = (
                passes_preflight(&mut self.old, region, method),
                passes_preflight(&mut self.new, region, method),
            );
            if let Some(direction) = Direction::of(!was || now, !now || was) {
                let words = |passes| match passes {
                    true => "its preflight passes without a token".to_owned(),
                    false => "its preflight is decided like other requests".to_owned(),
                };
                changes.note(direction, words(was), words(now), region, method, methods);
            }
        }
    }
}

fn passes_preflight(
    (policy, keys, tokens): &mut (&Policy, KeyCache, TokenCache),
    region: &Region,
    method: &str,
) -> bool {
    let headers = [
        ("origin", "https://app.example"),
        ("access-control-request-method", method),
    ];
    let request = Request::new(b"OPTIONS", Some(region.path.as_bytes()), headers);
    let now = Timestamp::from_secs(0);
    let decision = decide(policy, &request, keys, tokens, &Portable, now);
    matches!(decision, Decision::Allow(_))
}
