//! The patterns of all routes as a tree of whole segments, and the most specific one for a path.

use std::borrow::Cow;
use std::collections::BTreeMap;

use super::pattern::{Pattern, PatternSegment};

/// A tree of whole segments: `matchit` refuses `/t/{id}` beside `/t/{*rest}`, and our precedence is part of the
/// policy's contract. A literal beats a `{parameter}`, which beats a `{*rest}`, from the left.
#[derive(Clone, Debug)]
pub(super) struct Tree {
    /// The root is the first node. Children have higher places than their parents.
    nodes: Vec<Node>,
}

#[derive(Clone, Debug, Default)]
struct Node {
    literals: BTreeMap<Vec<u8>, usize>,
    parameter: Option<usize>,
    /// The leaf of the pattern that ends here. A tree that folds literals may have several.
    end: Vec<usize>,
    /// The leaf of the pattern that ends here in `{*…}`.
    rest: Vec<usize>,
}

/// A segment of a path as routers read it.
pub(super) struct Segment<'p> {
    /// What it says: it may be a literal.
    pub(super) text: Cow<'p, [u8]>,
    /// Whether a router that does not decode sees no literal there.
    pub(super) may_hide: bool,
}

const ROOT: usize = 0;

impl Tree {
    /// A tree without patterns: it matches nothing.
    pub(super) fn new() -> Self {
        Self {
            nodes: vec![Node::default()],
        }
    }

    /// The leaves where that pattern ends, its literals spelt by `spelt`; none if it is new.
    pub(super) fn leaves_of(
        &mut self,
        pattern: &Pattern,
        spelt: impl Fn(&[u8]) -> Vec<u8>,
    ) -> Option<&mut Vec<usize>> {
        let mut at = ROOT;
        for segment in &pattern.segments {
            let next = self.nodes.len();
            let node = self.nodes.get_mut(at)?;
            at = match segment {
                PatternSegment::Literal(text) => *node.literals.entry(spelt(text)).or_insert(next),
                PatternSegment::Parameter => *node.parameter.get_or_insert(next),
            };
            if at == next {
                self.nodes.push(Node::default());
            }
        }
        let node = self.nodes.get_mut(at)?;
        Some(match pattern.rest {
            true => &mut node.rest,
            false => &mut node.end,
        })
    }

    /// The leaves of the most specific pattern for a path, whose segments `text` gives by their places; empty when no
    /// pattern matches.
    ///
    /// A node stands at one depth and is reached in one way, so a search visits no node twice, however it
    /// backtracks: it costs at most one comparison of a segment per node of the tree, whatever the path.
    pub(super) fn find<'p>(&self, text: &dyn Fn(usize) -> Option<&'p [u8]>) -> &[usize] {
        self.below(ROOT, 0, text)
    }

    /// As deep as the deepest pattern.
    fn below<'p>(
        &self,
        node: usize,
        depth: usize,
        text: &dyn Fn(usize) -> Option<&'p [u8]>,
    ) -> &[usize] {
        let Some(node) = self.nodes.get(node) else {
            return &[];
        };
        let Some(segment) = text(depth) else {
            return node.ends();
        };
        let literal = node.literals.get(segment).copied();
        let deeper = depth.saturating_add(1);
        for child in [literal, node.parameter].into_iter().flatten() {
            let found = self.below(child, deeper, text);
            if !found.is_empty() {
                return found;
            }
        }
        &node.rest
    }

    /// Whether some router ends at leaves of which `is_other` holds. Each may take a segment that may hide for a literal or not, whatever
    /// it does with the others: that is more than any router does, and no combination is left out.
    ///
    /// It visits no node twice either.
    pub(super) fn may_end<'p>(
        &self,
        segment: &dyn Fn(usize) -> Option<Segment<'p>>,
        is_other: &dyn Fn(&[usize]) -> bool,
    ) -> bool {
        self.ends_below(ROOT, 0, segment, is_other).elsewhere
    }

    fn ends_below<'p>(
        &self,
        node: usize,
        depth: usize,
        segment: &dyn Fn(usize) -> Option<Segment<'p>>,
        is_other: &dyn Fn(&[usize]) -> bool,
    ) -> Ends {
        let Some(node) = self.nodes.get(node) else {
            return Ends::NOWHERE;
        };
        let Some(read) = segment(depth) else {
            return Ends::at(node.ends(), is_other);
        };
        let deeper = depth.saturating_add(1);
        let mut ends = Ends::NOWHERE;
        if let Some(child) = node.literals.get(read.text.as_ref()) {
            ends = self.ends_below(*child, deeper, segment, is_other);
            ends.or_nowhere |= read.may_hide;
        }
        if ends.or_nowhere
            && let Some(child) = node.parameter
        {
            ends = ends.else_at(self.ends_below(child, deeper, segment, is_other));
        }
        match ends.or_nowhere {
            true => ends.else_at(Ends::at(&node.rest, is_other)),
            false => ends,
        }
    }
}

impl Node {
    /// The leaves of the pattern for a path that ends here.
    fn ends(&self) -> &[usize] {
        first_of([&self.end, &self.rest])
    }
}

/// Where routers end below a node.
#[derive(Clone, Copy)]
struct Ends {
    /// Some of them at other leaves.
    elsewhere: bool,
    /// Some of them at none, so that they look further.
    or_nowhere: bool,
}

impl Ends {
    const NOWHERE: Self = Self {
        elsewhere: false,
        or_nowhere: true,
    };

    fn at(leaves: &[usize], is_other: &dyn Fn(&[usize]) -> bool) -> Self {
        Self {
            elsewhere: !leaves.is_empty() && is_other(leaves),
            or_nowhere: leaves.is_empty(),
        }
    }

    /// With what those find who found nothing so far.
    fn else_at(self, further: Self) -> Self {
        Self {
            elsewhere: self.elsewhere || further.elsewhere,
            or_nowhere: further.or_nowhere,
        }
    }
}

fn first_of<const N: usize>(lists: [&[usize]; N]) -> &[usize] {
    let found = lists.into_iter().find(|list| !list.is_empty());
    found.unwrap_or_default()
}
