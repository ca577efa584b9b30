//! The paths there are, in so many classes that each policy takes all paths of a class alike.
//!
//! A path is told from another by its literals alone: those that some route of either policy has at that place, and anything else. So the
//! classes are found in the tree of all patterns of both policies, and each is known by one path that stands for all of its paths. What the policies say
//! about that path is asked of them, so that nothing of how routes are matched is repeated here.
//!
//! Two things are left out. A path with needless escapes (`/%61`) gets what its usual spelling gets, or 400. And a literal in another case is
//! only a class of its own where the patterns below it are not the same in both policies: elsewhere both refuse it alike, or take it for anything else.

use std::collections::{BTreeMap, BTreeSet};

use scopegate_core::Policy;
use scopegate_core::outline::{Pattern, PatternSegment, folded, usual_spelling};

/// The most classes. Each costs some microseconds; policies with more of them hold hundreds of parameters beside hundreds of literals, level upon level.
const MAX_REGIONS: usize = 300_000;

/// A class of paths.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Region {
    /// As a pattern: `{any}` is a segment that no literal at that place names, `{*more}` is at least one more segment.
    pub pattern: String,
    /// One of its paths, as it stands in a request.
    pub path: String,
    /// Whether a segment is a literal in another case.
    pub is_respelt: bool,
}

/// The policies have too many classes of paths.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TooEntangled;

/// Every class of paths that the two policies can tell apart.
///
/// # Errors
/// There are more than 300,000.
pub fn regions(old: &Policy, new: &Policy) -> Result<Vec<Region>, TooEntangled> {
    let mut walk = Walk {
        tree: Tree::of(old, new),
        regions: Vec::new(),
    };
    let root = Region {
        pattern: String::new(),
        path: String::new(),
        is_respelt: false,
    };
    walk.below(&[ROOT], &root)?;
    Ok(walk.regions)
}

/// The patterns of both policies. Literals that differ in case alone share a node, since a path may be ambiguous because of either.
struct Tree {
    nodes: Vec<Node>,
}

#[derive(Default)]
struct Node {
    /// By folded text.
    literals: BTreeMap<Vec<u8>, Literal>,
    parameter: Option<usize>,
}

struct Literal {
    node: usize,
    spellings: BTreeSet<Vec<u8>>,
    /// Whether one of the policies has a pattern through here that the other has not.
    is_changed: bool,
}

const ROOT: usize = 0;

impl Tree {
    fn of(old: &Policy, new: &Policy) -> Self {
        let patterns = |policy: &Policy| -> BTreeSet<Pattern> {
            let routes = policy.routes().iter();
            // INVARIANT: a route of a policy has a pattern.
            routes
                .filter_map(|route| Pattern::parse(&route.path).ok())
                .collect()
        };
        let (old, new) = (patterns(old), patterns(new));
        let mut tree = Self {
            nodes: vec![Node::default()],
        };
        for pattern in old.union(&new) {
            let is_changed = !(old.contains(pattern) && new.contains(pattern));
            tree.insert(pattern, is_changed);
        }
        tree
    }

    fn insert(&mut self, pattern: &Pattern, is_changed: bool) {
        let mut at = ROOT;
        for segment in &pattern.segments {
            let next = self.nodes.len();
            let Some(node) = self.nodes.get_mut(at) else {
                return;
            };
            at = match segment {
                PatternSegment::Parameter => *node.parameter.get_or_insert(next),
                PatternSegment::Literal(text) => {
                    let key = folded(text).into_owned();
                    let literal = node.literals.entry(key).or_insert(Literal {
                        node: next,
                        spellings: BTreeSet::new(),
                        is_changed: false,
                    });
                    literal.spellings.insert(text.clone());
                    literal.is_changed |= is_changed;
                    literal.node
                }
            };
            if at == next {
                self.nodes.push(Node::default());
            }
        }
    }
}

struct Walk {
    tree: Tree,
    regions: Vec<Region>,
}

/// What may stand at one place of a path.
#[derive(Default)]
struct Choice {
    spellings: BTreeSet<Vec<u8>>,
    is_changed: bool,
}

impl Walk {
    /// All paths that begin like this, where the search for a route stands at these nodes.
    fn below(&mut self, active: &[usize], region: &Region) -> Result<(), TooEntangled> {
        self.emit(region)?;
        let mut choices: BTreeMap<Vec<u8>, Choice> = BTreeMap::new();
        let mut parameters = Vec::new();
        for node in active
            .iter()
            .filter_map(|place| self.tree.nodes.get(*place))
        {
            parameters.extend(node.parameter);
            for (key, literal) in &node.literals {
                let choice = choices.entry(key.clone()).or_default();
                choice.spellings.extend(literal.spellings.iter().cloned());
                choice.is_changed |= literal.is_changed;
            }
        }
        for (key, choice) in &choices {
            let nodes = active.iter().filter_map(|place| {
                let node = self.tree.nodes.get(*place)?;
                Some(node.literals.get(key)?.node)
            });
            let next: Vec<usize> = nodes.chain(parameters.iter().copied()).collect();
            for spelling in &choice.spellings {
                self.below(&next, &region.then(spelling, false))?;
            }
            if choice.is_changed
                && let Some(other) = in_another_case(&choice.spellings)
            {
                self.below(&next, &region.then(&other, true))?;
            }
        }
        let any = anything_else(&choices);
        match parameters.is_empty() {
            false => self.below(&parameters, &region.then_any(&any)),
            // Whatever follows, the patterns that are left end in `{*…}` before here.
            true => self.emit(&region.then_more(&any)),
        }
    }

    fn emit(&mut self, region: &Region) -> Result<(), TooEntangled> {
        if self.regions.len() >= MAX_REGIONS {
            return Err(TooEntangled);
        }
        let mut region = region.clone();
        if region.path.is_empty() {
            region.path = "/".into();
            region.pattern = "/".into();
        }
        self.regions.push(region);
        Ok(())
    }
}

impl Region {
    /// Whether some segment is data, in which a `;` or an escaped slash may hide. What hides one is no literal.
    pub(super) fn has_data(&self) -> bool {
        self.pattern.contains('{')
    }

    fn then(&self, literal: &[u8], is_respelt: bool) -> Self {
        let shown = String::from_utf8_lossy(literal);
        Self {
            pattern: format!("{}/{shown}", self.pattern),
            path: format!("{}/{}", self.path, usual_spelling(literal)),
            is_respelt: self.is_respelt || is_respelt,
        }
    }

    fn then_any(&self, any: &str) -> Self {
        Self {
            pattern: format!("{}/{{any}}", self.pattern),
            path: format!("{}/{any}", self.path),
            ..*self
        }
    }

    fn then_more(&self, any: &str) -> Self {
        Self {
            pattern: format!("{}/{{*more}}", self.pattern),
            path: format!("{}/{any}", self.path),
            ..*self
        }
    }
}

/// A spelling that is none of these, and the same when case is ignored.
fn in_another_case(spellings: &BTreeSet<Vec<u8>>) -> Option<Vec<u8>> {
    let first = str::from_utf8(spellings.first()?).ok()?;
    let candidates = [
        first.to_uppercase(),
        first.to_lowercase(),
        capitalised(first),
    ];
    let candidates = candidates.into_iter().map(String::into_bytes);
    let is_same = |text: &[u8]| folded(text) == folded(first.as_bytes());
    let mut others = candidates.filter(|text| !spellings.contains(text) && is_same(text));
    others.next()
}

fn capitalised(text: &str) -> String {
    let mut characters = text.chars();
    let first = characters.next();
    first
        .into_iter()
        .flat_map(char::to_uppercase)
        .chain(characters)
        .collect()
}

/// A segment that is none of the literals, whatever case they are in.
fn anything_else(choices: &BTreeMap<Vec<u8>, Choice>) -> String {
    let mut any = String::from("any");
    while choices.contains_key(any.as_bytes()) {
        any.push('-');
    }
    any
}
