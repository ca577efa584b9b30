//! What becomes different between two policies.

use std::collections::{BTreeMap, BTreeSet};

use scopegate_core::outline::{
    Access, AllowInPath, Mode, Preflight, Route, Routed, ScopeDemand, TokenForwarding,
};
use scopegate_core::{
    Decision, KeyCache, Policy, Portable, Request, Timestamp, TokenCache, decide,
};

use super::region::{Region, TooEntangled, regions};
use super::setting::{SettingChange, setting_changes};
use crate::demand::{Admission, Demand, mode_of};

/// In which way.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Direction {
    /// Somebody may do what nobody like them could.
    MorePermissive,
    /// Neither is within the other, or that cannot be told: some may do more, and some less.
    Both,
    /// Fewer may.
    Stricter,
    /// The same may, and something else is different.
    Otherwise,
}

/// All that is different.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Comparison {
    /// Regions of paths and methods, together where the same rule became the same other rule.
    pub regions: Vec<RegionChange>,
    /// Settings of issuers and of the whole policy.
    pub settings: Vec<SettingChange>,
}

/// Regions in which one rule became another.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RegionChange {
    /// In which way.
    pub direction: Direction,
    /// What counted, in words.
    pub was: String,
    /// What counts, in words.
    pub now: String,
    /// The path patterns, each with its methods; see [`ANY_METHOD`].
    pub regions: BTreeMap<String, BTreeSet<String>>,
}

impl Direction {
    /// Whether somebody may do more.
    pub const fn lets_more_in(self) -> bool {
        matches!(self, Self::MorePermissive | Self::Both)
    }

    /// Its words.
    pub const fn name(self) -> &'static str {
        match self {
            Self::MorePermissive => "more permissive",
            Self::Both => "more permissive for some, stricter for others",
            Self::Stricter => "stricter",
            Self::Otherwise => "changed otherwise",
        }
    }

    /// From whether all of the old is in the new, and all of the new in the old.
    pub(super) const fn of(old_within_new: bool, new_within_old: bool) -> Option<Self> {
        match (old_within_new, new_within_old) {
            (true, true) => None,
            (true, false) => Some(Self::MorePermissive),
            (false, true) => Some(Self::Stricter),
            (false, false) => Some(Self::Both),
        }
    }
}

/// The most questions about a path and a method. Each costs up to twenty microseconds; policies of ten thousand routes have some
/// two hundred thousand of them.
const MAX_QUESTIONS: usize = 1_000_000;

/// In changes: every method, or where others stand beside it, every one that no route of either policy names.
pub const ANY_METHOD: &str = "*";

/// Compares two policies, region by region and setting by setting.
///
/// # Errors
/// They have too many regions.
pub fn compare(old: &Policy, new: &Policy) -> Result<Comparison, TooEntangled> {
    let methods = Methods::of(old, new);
    let mut changes = Changes::default();
    let mut preflights = Preflights::of(old, new);
    let regions = regions(old, new)?;
    if regions.len().saturating_mul(methods.all.len()) > MAX_QUESTIONS {
        return Err(TooEntangled);
    }
    for region in regions {
        for method in &methods.all {
            let was = Rule::of(old, method, &region);
            let now = Rule::of(new, method, &region);
            let Some(direction) = direction(&was, &now) else {
                continue;
            };
            // What is spelt in another way is refused by most policies, and nobody sends it: it counts where it lets somebody in.
            let is_odd = region.is_respelt || methods.respelt.contains(method);
            if is_odd && !direction.lets_more_in() {
                continue;
            }
            let (mut was_words, mut now_words) = (was.words(old), now.words(new));
            if was_words == now_words {
                was_words.push_str(&was.issuers());
                now_words.push_str(&now.issuers());
            }
            changes.note(direction, was_words, now_words, &region, method, &methods);
        }
        if old.preflight() == Preflight::Pass && new.preflight() == Preflight::Pass {
            preflights.compare(&region, &methods, &mut changes);
        }
    }
    let mut regions: Vec<RegionChange> = changes.found.into_values().collect();
    for named in regions
        .iter_mut()
        .flat_map(|change| change.regions.values_mut())
    {
        methods.shorten(named);
    }
    regions.sort_by(|one, other| {
        (one.direction, &one.regions).cmp(&(other.direction, &other.regions))
    });
    Ok(Comparison {
        regions,
        settings: setting_changes(old, new),
    })
}

/// The methods that the policies can tell apart.
struct Methods {
    all: Vec<String>,
    /// Named ones in another case: no route for any method takes them.
    respelt: BTreeSet<String>,
    /// Stands for all others.
    other: String,
}

impl Methods {
    fn of(old: &Policy, new: &Policy) -> Self {
        let routes = old.routes().iter().chain(new.routes());
        let mut named: BTreeSet<String> = routes.flat_map(|route| route.methods.clone()).collect();
        named.insert("OPTIONS".into());
        // A route for GET takes HEAD too.
        if named.contains("GET") {
            named.insert("HEAD".into());
        }
        let respelt: BTreeSet<String> = named
            .iter()
            .filter_map(|method| in_another_case(method, &named))
            .collect();
        let mut other = String::from("OTHER");
        while named
            .iter()
            .any(|method| method.eq_ignore_ascii_case(&other))
        {
            other.push('-');
        }
        let all = named.iter().chain(&respelt).chain([&other]);
        Self {
            all: all.cloned().collect(),
            respelt,
            other,
        }
    }

    /// Says every method in one word.
    fn shorten(&self, named: &mut BTreeSet<String>) {
        let mut usual = self
            .all
            .iter()
            .filter(|method| !self.respelt.contains(*method));
        if usual.all(|method| *method == self.other || named.contains(method))
            && named.contains(ANY_METHOD)
        {
            *named = BTreeSet::from([ANY_METHOD.to_owned()]);
        }
    }
}

/// A spelling of a method that differs in case from all that are named.
fn in_another_case(method: &str, named: &BTreeSet<String>) -> Option<String> {
    let mut spelling = method.to_ascii_lowercase();
    // One letter after the other in capitals, until nobody names it: more spellings than a policy has names.
    for place in 0..method.len() {
        if !named.contains(&spelling) {
            return Some(spelling);
        }
        if let Some(letter) = spelling.get_mut(place..place.saturating_add(1)) {
            letter.make_ascii_uppercase();
        }
    }
    (!named.contains(&spelling)).then_some(spelling)
}

/// What counts for a path and a method.
struct Rule<'p> {
    admission: Admission<'p>,
    /// The route, if one decides.
    route: Option<&'p Route>,
    is_shadow: bool,
    token: TokenForwarding,
    allow_in_path: AllowInPath,
}

impl<'p> Rule<'p> {
    fn of(policy: &'p Policy, method: &str, region: &Region) -> Self {
        match policy.route_for(method.as_bytes(), region.path.as_bytes()) {
            Routed::Route(_, route) => Self {
                admission: Admission::of(policy, route),
                route: Some(route),
                is_shadow: mode_of(policy, route) == Mode::Shadow,
                token: route.token.unwrap_or(match route.access {
                    // Nobody has looked at it there.
                    Access::Public => TokenForwarding::Strip,
                    Access::Protected(_) => policy.token(),
                }),
                allow_in_path: match region.has_data() {
                    true => route.allow_in_path,
                    false => AllowInPath::default(),
                },
            },
            Routed::NoPath | Routed::NoMethod { .. } | Routed::Ambiguous { .. } => Self {
                admission: Admission::without_route(policy),
                route: None,
                is_shadow: policy.mode() == Mode::Shadow,
                token: TokenForwarding::Keep,
                allow_in_path: AllowInPath::default(),
            },
        }
    }

    fn is_within(&self, other: &Self) -> bool {
        self.admission == Admission::Nobody
            || (self.admission.is_within(&other.admission)
                && other.allow_in_path.covers(self.allow_in_path)
                && (!self.hands_on_unchecked() || other.hands_on_unchecked()))
    }

    /// Whether the upstream sees a token that nobody has checked.
    fn hands_on_unchecked(&self) -> bool {
        let is_public = |route: &Route| route.access == Access::Public;
        self.token == TokenForwarding::Keep && self.route.is_some_and(is_public)
    }

    /// Who may pass, and how.
    fn words(&self, policy: &Policy) -> String {
        let mut words = match (&self.admission, self.route) {
            (Admission::Nobody, _) => "refused".to_owned(),
            (Admission::Everybody, Some(route)) if self.is_shadow => {
                format!("shadow mode ({})", demand_words(policy, route))
            }
            (Admission::Everybody, None) => "shadow mode (no route)".to_owned(),
            (_, Some(route)) => demand_words(policy, route),
            (Admission::Holders(_), None) => String::new(),
        };
        let allowed = self.allow_in_path;
        for (is_allowed, name) in [
            (allowed.encoded_slash, "encoded-slash"),
            (allowed.semicolon, "semicolon"),
            (allowed.double_escape, "double-escape"),
        ] {
            if is_allowed {
                words.push_str(&format!(", {name} in the path"));
            }
        }
        let is_public = self
            .route
            .is_some_and(|route| route.access == Access::Public);
        match self.token {
            TokenForwarding::Strip if !is_public => words.push_str(", the token stripped"),
            TokenForwarding::Keep if is_public => words.push_str(", an unchecked token kept"),
            TokenForwarding::Strip | TokenForwarding::Keep => {}
        }
        words
    }

    /// Whose tokens, and for whom: what words leave out as long as it is the same.
    fn issuers(&self) -> String {
        let Admission::Holders(demand) = &self.admission else {
            return String::new();
        };
        let issuers = demand.issuers.iter().map(|(issuer, audiences)| {
            let audiences: Vec<&str> = audiences.iter().copied().collect();
            format!("{issuer} for {}", audiences.join(" or "))
        });
        format!("; tokens of {}", issuers.collect::<Vec<_>>().join(", of "))
    }
}

/// What a route wants of a token.
pub fn demand_words(policy: &Policy, route: &Route) -> String {
    let Access::Protected(wanted) = &route.access else {
        return "public".into();
    };
    let mut words = match &wanted.scopes {
        ScopeDemand::None => "any valid token".to_owned(),
        ScopeDemand::All(scopes) => scopes.join(" and "),
        ScopeDemand::Any(scopes) => scopes.join(" or "),
    };
    let demand = Demand::of(policy, wanted);
    if wanted.issuers.is_some() {
        let issuers: Vec<&str> = demand.issuers.keys().copied().collect();
        words.push_str(&format!(", issued by {}", issuers.join(" or ")));
    }
    if let Some(audiences) = &wanted.audiences {
        words.push_str(&format!(", for {}", audiences.join(" or ")));
    }
    for rule in &wanted.claims {
        words.push_str(&format!(", {rule}"));
    }
    words
}

/// What is different, if anything is.
fn direction(was: &Rule<'_>, now: &Rule<'_>) -> Option<Direction> {
    Direction::of(was.is_within(now), now.is_within(was)).or_else(|| {
        let both_refuse = was.admission == Admission::Nobody;
        let is_same = was.token == now.token
            && was.is_shadow == now.is_shadow
            && (!was.is_shadow || was.route.map(|r| &r.access) == now.route.map(|r| &r.access));
        (!both_refuse && !is_same).then_some(Direction::Otherwise)
    })
}

/// Two policies that are asked about preflights.
struct Preflights<'p> {
    old: (&'p Policy, KeyCache, TokenCache),
    new: (&'p Policy, KeyCache, TokenCache),
}

impl<'p> Preflights<'p> {
    fn of(old: &'p Policy, new: &'p Policy) -> Self {
        let asked = |policy| (policy, KeyCache::new(policy), TokenCache::new(policy, 0));
        Self {
            old: asked(old),
            new: asked(new),
        }
    }

    /// Preflights that pass in one policy alone, where the routes for the method itself are there in both or in neither.
    fn compare(&mut self, region: &Region, methods: &Methods, changes: &mut Changes) {
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

/// Changes by what they are: two regions where the same became the same are one change.
#[derive(Default)]
struct Changes {
    found: BTreeMap<(Direction, String, String), RegionChange>,
}

impl Changes {
    fn note(
        &mut self,
        direction: Direction,
        was: String,
        now: String,
        region: &Region,
        method: &str,
        methods: &Methods,
    ) {
        let key = (direction, was.clone(), now.clone());
        let change = self.found.entry(key).or_insert_with(|| RegionChange {
            direction,
            was,
            now,
            regions: BTreeMap::new(),
        });
        let method = match method == methods.other {
            true => ANY_METHOD,
            false => method,
        };
        let known = change.regions.entry(region.pattern.clone()).or_default();
        known.insert(method.to_owned());
    }
}
