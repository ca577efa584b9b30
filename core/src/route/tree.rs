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

/// A segment of a path as some reader sees it.
pub(super) enum Segment<'p> {
    /// It may be a literal.
    Text(Cow<'p, [u8]>),
    /// It may fill a parameter or a rest, and is no literal to this reader.
    NoLiteral,
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

    /// The leaves of the most specific pattern for a path, whose segments `segment` gives by their places; empty when no
    /// pattern matches.
    ///
    /// A node stands at one depth and is reached in one way, so a search visits no node twice, however it
    /// backtracks: it costs at most one comparison of a segment per node of the tree, whatever the path.
    pub(super) fn find<'p>(&self, segment: &dyn Fn(usize) -> Option<Segment<'p>>) -> &[usize] {
        self.below(ROOT, 0, segment)
    }

    /// As deep as the deepest pattern.
    fn below<'p>(
        &self,
        node: usize,
        depth: usize,
        segment: &dyn Fn(usize) -> Option<Segment<'p>>,
    ) -> &[usize] {
        let Some(node) = self.nodes.get(node) else {
            return &[];
        };
        let Some(read) = segment(depth) else {
            return first_of([&node.end, &node.rest]);
        };
        let literal = match &read {
            Segment::Text(text) => node.literals.get(text.as_ref()).copied(),
            Segment::NoLiteral => None,
        };
        let deeper = depth.saturating_add(1);
        for child in [literal, node.parameter].into_iter().flatten() {
            let found = self.below(child, deeper, segment);
            if !found.is_empty() {
                return found;
            }
        }
        &node.rest
    }
}

fn first_of<const N: usize>(lists: [&[usize]; N]) -> &[usize] {
    let found = lists.into_iter().find(|list| !list.is_empty());
    found.unwrap_or_default()
}
