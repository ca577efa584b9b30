//! What becomes different between two policies.

use std::collections::{BTreeMap, BTreeSet};

use scopegate_core::Policy;
use scopegate_core::outline::{
    Access, AllowInPath, Mode, Preflight, Route, Routed, ScopeDemand, TokenForwarding,
};

use super::method::Methods;
use super::preflight::Preflights;
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

/// What counts for a path and a method.
struct Rule<'p> {
    admission: Admission<'p>,
    /// The route, if one decides.
    route: Option<&'p Route>,
    is_shadow: bool,
    token: TokenForwarding,
    allow_in_path: AllowInPath,
    /// Whether ambiguous paths pass too: in shadow mode for everything they do.
    takes_ambiguous: bool,
    /// Whether a path of the region may be ambiguous by what its segments hold.
    has_data: bool,
}

impl<'p> Rule<'p> {
    fn of(policy: &'p Policy, method: &str, region: &Region) -> Self {
        let watches_all = policy.mode() == Mode::Shadow;
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
                takes_ambiguous: watches_all && mode_of(policy, route) == Mode::Shadow,
                has_data: region.has_data(),
            },
            Routed::NoPath | Routed::NoMethod { .. } | Routed::Ambiguous { .. } => Self {
                admission: Admission::without_route(policy),
                route: None,
                is_shadow: watches_all,
                token: TokenForwarding::Keep,
                allow_in_path: AllowInPath::default(),
                takes_ambiguous: watches_all,
                has_data: region.has_data(),
            },
        }
    }

    fn is_within(&self, other: &Self) -> bool {
        self.admission == Admission::Nobody
            || (self.admission.is_within(&other.admission)
                && (other.takes_ambiguous || self.takes_no_more_data_than(other))
                && (!self.hands_on_unchecked() || other.hands_on_unchecked()))
    }

    /// Whether the other takes in segments whatever this one takes there, where neither is in shadow mode for everything.
    fn takes_no_more_data_than(&self, other: &Self) -> bool {
        !(self.takes_ambiguous && self.has_data) && other.allow_in_path.covers(self.allow_in_path)
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

/// Changes by what they are: two regions where the same became the same are one change.
#[derive(Default)]
pub(super) struct Changes {
    found: BTreeMap<(Direction, String, String), RegionChange>,
}

impl Changes {
    pub(super) fn note(
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
        let method = methods.shown(method);
        let known = change.regions.entry(region.pattern.clone()).or_default();
        known.insert(method.to_owned());
    }
}
