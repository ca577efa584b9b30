//! The table of all routes: which one decides about a path and a method.

use std::collections::BTreeMap;

use super::Route;
use super::pattern::{Pattern, PatternSegment};
use crate::path::CanonicalPath;

/// All routes, in the order of the policy, and the tree that finds them in no order.
///
/// A tree of whole segments: `matchit` refuses `/t/{id}` beside `/t/{*rest}`, and our precedence is part of the
/// policy's contract. A literal beats a `{parameter}`, which beats a `{*rest}`, from the left.
#[derive(Clone, Debug)]
pub(crate) struct RouteTable {
    routes: Vec<Route>,
    /// The root is the first node. Children have higher places than their parents.
    nodes: Vec<Node>,
}

/// What the table says about a path and a method.
#[derive(Debug)]
pub(crate) enum Match<'p> {
    /// This route decides.
    Route(&'p Route),
    /// No pattern matches the path.
    NoPath,
    /// This pattern matches, and has no route for the method. A broader pattern is never asked.
    NoMethod {
        /// The pattern, as the policy writes it.
        pattern: &'p str,
    },
    /// The path holds an encoded slash, a semicolon or a double escape, and no route was found that takes
    /// it as data.
    AmbiguousPath,
}

#[derive(Clone, Debug, Default)]
struct Node {
    literals: BTreeMap<Vec<u8>, usize>,
    parameter: Option<usize>,
    /// The pattern that ends here.
    end: Option<Leaf>,
    /// The pattern that ends here in `{*…}`.
    rest: Option<Leaf>,
}

/// The routes of one pattern, by method: places in `RouteTable::routes`.
#[derive(Clone, Debug)]
struct Leaf {
    pattern: String,
    named: BTreeMap<Vec<u8>, usize>,
    any: Option<usize>,
}

/// Another route has the same pattern and method.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct AlreadyRouted {
    /// The place of the other route, in the order of insertion.
    pub(crate) by: usize,
    /// The method; none when both routes take any.
    pub(crate) method: Option<String>,
}

const ROOT: usize = 0;

impl RouteTable {
    /// A table without routes: it matches nothing.
    pub(crate) fn new() -> Self {
        Self {
            routes: Vec::new(),
            nodes: vec![Node::default()],
        }
    }

    /// Adds a route, unless one of the same pattern takes one of its methods already.
    pub(crate) fn insert(&mut self, pattern: &Pattern, route: Route) -> Result<(), AlreadyRouted> {
        let place = self.routes.len();
        let node = self.node_for(pattern);
        // INVARIANT: `node_for` returns the place of a node. Were it not so, the route would be missing, which refuses.
        let Some(node) = self.nodes.get_mut(node) else {
            return Ok(());
        };
        let leaf = if pattern.rest {
            &mut node.rest
        } else {
            &mut node.end
        };
        let leaf = leaf.get_or_insert_with(|| Leaf {
            pattern: route.path.clone(),
            named: BTreeMap::new(),
            any: None,
        });
        leaf.take(&route.methods, place)?;
        self.routes.push(route);
        Ok(())
    }

    /// The route that decides about this path and method.
    ///
    /// A node stands at one depth and is reached in one way, so a search visits no node twice, however it
    /// backtracks: it costs at most one comparison of a segment per node of the tree, whatever the path.
    pub(crate) fn find(&self, path: &CanonicalPath, method: &[u8]) -> Match<'_> {
        let needs = path.needs();
        let ordinary = needs.is_nothing();
        match self.leaf(ROOT, path, 0) {
            None if ordinary => Match::NoPath,
            None => Match::AmbiguousPath,
            Some(leaf) => match leaf.place(method).and_then(|place| self.routes.get(place)) {
                Some(route) if route.allow_in_path.covers(needs) => Match::Route(route),
                None if ordinary => Match::NoMethod {
                    pattern: &leaf.pattern,
                },
                _ => Match::AmbiguousPath,
            },
        }
    }

    /// Every route, in the order of the policy.
    #[cfg(test)]
    pub(crate) fn iter(&self) -> impl Iterator<Item = &Route> {
        self.routes.iter()
    }

    /// The leaf for the segments of `path` from `depth` on, below that node. As deep as the deepest pattern.
    fn leaf(&self, node: usize, path: &CanonicalPath, depth: usize) -> Option<&Leaf> {
        let node = self.nodes.get(node)?;
        let Some(segment) = path.segment(depth) else {
            return node.end.as_ref().or(node.rest.as_ref());
        };
        let below = depth.saturating_add(1);
        // No literal holds a `/`, a `;` or a `%`, so that a segment which hides one never passes for it.
        node.literals
            .get(segment)
            .and_then(|child| self.leaf(*child, path, below))
            .or_else(|| self.leaf(node.parameter?, path, below))
            .or(node.rest.as_ref())
    }

    /// The node where that pattern ends, made if it is not there.
    fn node_for(&mut self, pattern: &Pattern) -> usize {
        let mut at = ROOT;
        for segment in &pattern.segments {
            let next = self.nodes.len();
            let Some(node) = self.nodes.get_mut(at) else {
                break;
            };
            at = match segment {
                PatternSegment::Literal(text) => *node.literals.entry(text.clone()).or_insert(next),
                PatternSegment::Parameter => *node.parameter.get_or_insert(next),
            };
            if at == next {
                self.nodes.push(Node::default());
            }
        }
        at
    }
}

impl Leaf {
    /// Gives these methods to the route at that place; none given means any.
    fn take(&mut self, methods: &[String], place: usize) -> Result<(), AlreadyRouted> {
        if methods.is_empty() {
            return match self.any {
                Some(by) => Err(AlreadyRouted { by, method: None }),
                None => {
                    self.any = Some(place);
                    Ok(())
                }
            };
        }
        for method in methods {
            if let Some(by) = self.named.get(method.as_bytes()) {
                return Err(AlreadyRouted {
                    by: *by,
                    method: Some(method.clone()),
                });
            }
        }
        for method in methods {
            self.named.insert(method.clone().into_bytes(), place);
        }
        Ok(())
    }

    /// The place of the route for a method, compared byte for byte (RFC 9110 section 9.1). GET takes HEAD
    /// too (RFC 9110 section 9.3.2) unless HEAD is named.
    ///
    /// A route for any method does not take `delete` where DELETE has a route of its own: an upstream that
    /// reads methods without their case would serve it as the one that this route was not meant for.
    fn place(&self, method: &[u8]) -> Option<usize> {
        let get = self.named.get(b"GET".as_slice());
        let as_get = get.filter(|_| method == b"HEAD");
        if let Some(place) = self.named.get(method).or(as_get) {
            return Some(*place);
        }
        let is_like = |name: &[u8]| name.eq_ignore_ascii_case(method);
        let looks_named = self.named.keys().any(|name| is_like(name));
        match looks_named || (get.is_some() && is_like(b"HEAD")) {
            true => None,
            false => self.any,
        }
    }
}

#[cfg(test)]
mod tests;
