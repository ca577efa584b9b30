//! The patterns of a policy's routes as a tree, to ask which of them lie within others. Which one *decides* about a path is for
//! [`Policy::route_for`] alone.

use std::collections::BTreeMap;

use scopegate_core::Policy;
use scopegate_core::outline::{Pattern, PatternSegment};

/// The patterns, each with the places of its routes in [`Policy::routes`].
pub struct PatternTree {
    nodes: Vec<Node>,
    patterns: Vec<(Pattern, Vec<usize>)>,
}

#[derive(Default)]
struct Node {
    literals: BTreeMap<Vec<u8>, usize>,
    parameter: Option<usize>,
    /// The pattern that ends here.
    end: Option<usize>,
    /// The pattern that ends here in `{*…}`.
    rest: Option<usize>,
}

const ROOT: usize = 0;

impl PatternTree {
    /// The patterns of all routes.
    pub fn of(policy: &Policy) -> Self {
        let mut tree = Self {
            nodes: vec![Node::default()],
            patterns: Vec::new(),
        };
        for (place, route) in policy.routes().iter().enumerate() {
            // INVARIANT: a route of a policy has a pattern.
            if let Ok(pattern) = Pattern::parse(&route.path) {
                tree.insert(pattern, place);
            }
        }
        tree
    }

    /// Every pattern, with its routes.
    pub fn patterns(&self) -> impl Iterator<Item = (&Pattern, &[usize])> {
        let patterns = self.patterns.iter();
        patterns.map(|(pattern, routes)| (pattern, routes.as_slice()))
    }

    /// The routes of the patterns, other than this one, that match every path which this one matches.
    pub fn covering(&self, pattern: &Pattern) -> impl Iterator<Item = &[usize]> {
        let mut found = Vec::new();
        self.cover(ROOT, &pattern.segments, pattern.rest, &mut found);
        let found = found.into_iter();
        let others = found.filter_map(|place| self.patterns.get(place));
        let others = others.filter(move |(other, _)| other != pattern);
        others.map(|(_, routes)| routes.as_slice())
    }

    /// Whether more specific patterns leave this one no path at all.
    pub fn is_unreachable(&self, pattern: &Pattern) -> bool {
        // Literals leave nearly everything to a parameter, so that only `{*…}` can be left with nothing.
        pattern.rest
            && self
                .node_of(pattern)
                .is_some_and(|node| self.is_covered(node))
    }

    fn insert(&mut self, pattern: Pattern, route: usize) {
        let mut at = ROOT;
        for segment in &pattern.segments {
            let next = self.nodes.len();
            let Some(node) = self.nodes.get_mut(at) else {
                return;
            };
            at = match segment {
                PatternSegment::Literal(text) => *node.literals.entry(text.clone()).or_insert(next),
                PatternSegment::Parameter => *node.parameter.get_or_insert(next),
            };
            if at == next {
                self.nodes.push(Node::default());
            }
        }
        let new = self.patterns.len();
        let Some(node) = self.nodes.get_mut(at) else {
            return;
        };
        let end = match pattern.rest {
            true => &mut node.rest,
            false => &mut node.end,
        };
        let place = *end.get_or_insert(new);
        match self.patterns.get_mut(place) {
            Some((_, routes)) => routes.push(route),
            None => self.patterns.push((pattern, vec![route])),
        }
    }

    /// A node is reached in one way, so that no more of them are visited than there are.
    fn cover(&self, at: usize, segments: &[PatternSegment], rest: bool, found: &mut Vec<usize>) {
        let Some(node) = self.nodes.get(at) else {
            return;
        };
        found.extend(node.rest);
        let Some((segment, behind)) = segments.split_first() else {
            if !rest {
                found.extend(node.end);
            }
            return;
        };
        if let PatternSegment::Literal(text) = segment
            && let Some(child) = node.literals.get(text)
        {
            self.cover(*child, behind, rest, found);
        }
        if let Some(child) = node.parameter {
            self.cover(child, behind, rest, found);
        }
    }

    fn node_of(&self, pattern: &Pattern) -> Option<&Node> {
        let mut node = self.nodes.get(ROOT)?;
        for segment in &pattern.segments {
            let child = match segment {
                PatternSegment::Literal(text) => *node.literals.get(text)?,
                PatternSegment::Parameter => node.parameter?,
            };
            node = self.nodes.get(child)?;
        }
        Some(node)
    }

    /// Whether every path that ends here or goes on from here finds a pattern other than the `{*…}` of this node.
    fn is_covered(&self, node: &Node) -> bool {
        let Some(parameter) = node.parameter.and_then(|place| self.nodes.get(place)) else {
            return false;
        };
        node.end.is_some() && (parameter.rest.is_some() || self.is_covered(parameter))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tree(paths: &[&str]) -> (Policy, PatternTree) {
        let routes: Vec<String> = paths
            .iter()
            .map(|path| format!("  - {{ path: \"{path}\", public: true }}\n"))
            .collect();
        let text = format!("version: 1\nrealm: t\nroutes:\n{}", routes.concat());
        let policy = Policy::parse(&text).unwrap();
        let tree = PatternTree::of(&policy);
        (policy, tree)
    }

    #[test]
    fn what_covers_a_pattern() {
        let paths = [
            "/{*all}",
            "/a/{*rest}",
            "/a/{x}",
            "/a/b",
            "/{x}/b",
            "/a/b/c",
        ];
        let (_, tree) = tree(&paths);
        let covering = |path: &str| -> Vec<&str> {
            let pattern = Pattern::parse(path).unwrap();
            let mut found: Vec<&str> = tree
                .covering(&pattern)
                .flatten()
                .map(|place| paths[*place])
                .collect();
            found.sort_unstable();
            found
        };
        assert_eq!(
            covering("/a/b"),
            ["/a/{*rest}", "/a/{x}", "/{*all}", "/{x}/b"]
        );
        assert_eq!(covering("/a/{x}"), ["/a/{*rest}", "/{*all}"]);
        assert_eq!(covering("/a/{*rest}"), ["/{*all}"]);
        assert_eq!(covering("/{x}/b"), ["/{*all}"]);
        assert!(covering("/{*all}").is_empty());
    }

    #[test]
    fn a_rest_that_is_left_with_nothing() {
        let is_unreachable = |paths: &[&str], path: &str| {
            let (policy, tree) = tree(paths);
            let pattern = Pattern::parse(path).unwrap();
            let nothing = tree.is_unreachable(&pattern);
            if nothing {
                // Nor does the gate find it for any path of the alphabet there is.
                for path in ["/a", "/a/b", "/a/b/c", "/a/x", "/a/x/y", "/a/x/y/z", "/"] {
                    let routed = policy.route_for(b"GET", path.as_bytes());
                    let found = format!("{routed:?}");
                    assert!(
                        !found.contains(&format!("path: {:?}", "/a/{*rest}")),
                        "{found}"
                    );
                }
            }
            nothing
        };
        let rest = "/a/{*rest}";
        assert!(!is_unreachable(&[rest], rest));
        assert!(!is_unreachable(&[rest, "/a", "/a/{x}"], rest));
        assert!(!is_unreachable(&[rest, "/a/{x}/{*more}"], rest));
        assert!(is_unreachable(&[rest, "/a", "/a/{x}/{*more}"], rest));
        assert!(is_unreachable(
            &[rest, "/a", "/a/{x}", "/a/{x}/{y}/{*more}"],
            rest
        ));
        assert!(!is_unreachable(&[rest, "/a", "/a/b/{*more}"], rest));
    }
}
