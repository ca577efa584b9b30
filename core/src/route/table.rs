//! The table of all routes: which one decides about a path and a method.

use std::borrow::Cow;

use super::Route;
use super::pattern::Pattern;
use super::tree::{Segment, Tree};
use crate::path::CanonicalPath;

/// All routes, in the order of the policy, and the trees that find them in no order.
#[derive(Clone, Debug)]
pub(crate) struct RouteTable {
    routes: Vec<Route>,
    /// The patterns, in the order of their first routes.
    leaves: Vec<Leaf>,
    /// The patterns as they are written: this tree decides.
    exact: Tree,
    /// The patterns with their literals folded, for the second opinion of a router that ignores case; as long as no literal is another when
    /// it is folded, that is the tree above.
    any_case: Option<Tree>,
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
    /// it as data; or a router that ignores case, or that does not decode, would take it for another pattern.
    AmbiguousPath {
        /// The pattern that it falls under, as the policy writes it, if it does.
        pattern: Option<&'p str>,
    },
}

/// The routes of one pattern, by method: places in `RouteTable::routes`.
#[derive(Clone, Debug)]
struct Leaf {
    pattern: String,
    /// By the octets of the method. As a rule there are one or two, for which a map takes ten times the memory.
    named: Vec<(Box<[u8]>, usize)>,
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

impl RouteTable {
    /// A table without routes, which matches nothing, with room for that many.
    pub(crate) fn with_capacity(routes: usize) -> Self {
        Self {
            routes: Vec::with_capacity(routes),
            leaves: Vec::with_capacity(routes),
            exact: Tree::new(),
            any_case: None,
        }
    }

    /// Adds a route, unless one of the same pattern takes one of its methods already.
    pub(crate) fn insert(&mut self, pattern: &Pattern, route: Route) -> Result<(), AlreadyRouted> {
        let (place, new) = (self.routes.len(), self.leaves.len());
        if self.any_case.is_none() && pattern.literals().any(changes_case) {
            self.any_case = Some(self.exact.clone());
        }
        // INVARIANT: a pattern has a node. Were it not so, the route would be missing, which refuses.
        let Some(leaves) = self.exact.leaves_of(pattern, <[u8]>::to_vec) else {
            return Ok(());
        };
        let known = leaves.first().copied();
        if known.is_none() {
            leaves.push(new);
            self.leaves.push(Leaf {
                pattern: route.path.clone(),
                named: Vec::new(),
                any: None,
            });
            let folded = |text: &[u8]| folded(text).into_owned();
            let any_case = self.any_case.as_mut();
            if let Some(twins) = any_case.and_then(|tree| tree.leaves_of(pattern, folded)) {
                twins.push(new);
            }
        }
        if let Some(leaf) = self.leaves.get_mut(known.unwrap_or(new)) {
            leaf.take(&route.methods, place)?;
            self.routes.push(route);
        }
        Ok(())
    }

    /// The route that decides about this path and method.
    pub(crate) fn find(&self, path: &CanonicalPath<'_>, method: &[u8]) -> Match<'_> {
        let needs = path.needs();
        let ordinary = needs.is_nothing();
        // No literal holds a `/`, a `;` or a `%`, so that a segment which hides one never passes for it.
        let found = self.exact.find(&|place| path.segment(place));
        let Some((place, leaf)) = found
            .first()
            .and_then(|place| Some((*place, self.leaves.get(*place)?)))
        else {
            return match ordinary {
                true => Match::NoPath,
                false => Match::AmbiguousPath { pattern: None },
            };
        };
        let ambiguous = Match::AmbiguousPath {
            pattern: Some(&leaf.pattern),
        };
        if self.is_another_to_others(path, place) {
            return ambiguous;
        }
        match leaf.place(method).and_then(|place| self.routes.get(place)) {
            Some(route) if route.allow_in_path.covers(needs) => Match::Route(route),
            None if ordinary => Match::NoMethod {
                pattern: &leaf.pattern,
            },
            _ => ambiguous,
        }
    }

    /// Whether the router of an upstream may take the path for another pattern than the one of that leaf.
    ///
    /// Express ignores the case of literals by default; Express and code on WHATWG URLs compare literals with the path as it
    /// came, escapes and all, and Fastify leaves some escapes in (docs/upstreams.md); whoever decodes first and looks for the query
    /// then cuts the path at a `?` that was escaped (CVE-2024-38474). All of that may come together. Where no other
    /// pattern is near, every reading ends at the same leaf or at none, and nothing is ambiguous.
    fn is_another_to_others(&self, path: &CanonicalPath<'_>, leaf: usize) -> bool {
        let may_fold = self.any_case.is_some() || path.has(&is_of_a_case);
        let may_end_early = !path.is_clear() && path.has(&is_mark);
        if !may_fold && !may_end_early && !path.has_respelt() {
            return false;
        }
        let is_other = |found: &[usize]| !found.contains(&leaf);
        let whole = |place: usize| {
            Some(Segment {
                text: Cow::Borrowed(path.segment(place)?),
                may_hide: path.is_respelt(place),
            })
        };
        let cut_off = |place: usize| {
            let is_behind = (0..place).any(|before| path.segment(before).is_none_or(has_mark));
            let before_mark = path.segment(place)?.split(is_mark).next()?;
            (!is_behind && !before_mark.is_empty()).then(|| Segment {
                text: Cow::Borrowed(before_mark),
                may_hide: path.is_respelt(place),
            })
        };
        self.may_end(&whole, may_fold, &is_other)
            || (may_end_early && self.may_end(&cut_off, may_fold, &is_other))
    }

    /// Whether a router that reads these segments, in any case if it `may_fold`, may end elsewhere.
    fn may_end<'p>(
        &self,
        segment: &dyn Fn(usize) -> Option<Segment<'p>>,
        may_fold: bool,
        is_other: &dyn Fn(&[usize]) -> bool,
    ) -> bool {
        let in_any_case = |place: usize| {
            let Segment { text, may_hide } = segment(place)?;
            let text = match text {
                Cow::Borrowed(text) => folded(text),
                Cow::Owned(text) => Cow::Owned(folded(&text).into_owned()),
            };
            Some(Segment { text, may_hide })
        };
        let any_case = self.any_case.as_ref().unwrap_or(&self.exact);
        self.exact.may_end(segment, is_other)
            || (may_fold && any_case.may_end(&in_any_case, is_other))
    }

    /// Every route, in the order of the policy.
    pub(crate) fn all(&self) -> &[Route] {
        &self.routes
    }

    /// The place of one of these routes in that order; nothing for another's.
    pub(crate) fn place_of(&self, route: &Route) -> Option<usize> {
        self.routes.element_offset(route)
    }
}

/// Whether an octet ends the path of a URL that is not decoded yet (RFC 3986 section 3.3).
fn is_mark(octet: &u8) -> bool {
    matches!(octet, b'?' | b'#')
}

fn has_mark(segment: &[u8]) -> bool {
    segment.iter().any(is_mark)
}

/// A text as a router reads it that ignores case: Fastify and .NET fold all of Unicode. What is in lower case already stays where it is.
pub fn folded(text: &[u8]) -> Cow<'_, [u8]> {
    match str::from_utf8(text) {
        Ok(text) if changes_case(text.as_bytes()) => {
            Cow::Owned(text.to_uppercase().to_lowercase().into_bytes())
        }
        // INVARIANT: segments and literals are UTF-8. What is none has no case.
        _ => Cow::Borrowed(text),
    }
}

/// Whether folding may change a text.
fn changes_case(text: &[u8]) -> bool {
    text.iter().any(is_of_a_case)
}

/// An octet of a capital letter, or of a letter beyond ASCII, of which some fold into ASCII (the Kelvin sign, the long s).
fn is_of_a_case(octet: &u8) -> bool {
    octet.is_ascii_uppercase() || !octet.is_ascii()
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
            if let Some(by) = self.named(method.as_bytes()) {
                return Err(AlreadyRouted {
                    by,
                    method: Some(method.clone()),
                });
            }
        }
        for method in methods {
            if let Err(at) = self.search(method.as_bytes()) {
                self.named.insert(at, (method.as_bytes().into(), place));
            }
        }
        Ok(())
    }

    /// The place of the route that names this method.
    fn named(&self, method: &[u8]) -> Option<usize> {
        let (_, place) = self.named.get(self.search(method).ok()?)?;
        Some(*place)
    }

    fn search(&self, method: &[u8]) -> Result<usize, usize> {
        self.named
            .binary_search_by(|(name, _)| name.as_ref().cmp(method))
    }

    /// The place of the route for a method, compared byte for byte (RFC 9110 section 9.1). GET takes HEAD
    /// too (RFC 9110 section 9.3.2) unless HEAD is named.
    ///
    /// A route for any method does not take `delete` where DELETE has a route of its own: an upstream that
    /// reads methods without their case would serve it as the one that this route was not meant for.
    fn place(&self, method: &[u8]) -> Option<usize> {
        let named = self.named(method);
        if named.is_some() {
            return named;
        }
        let get = self.named(b"GET");
        if get.is_some() && method == b"HEAD" {
            return get;
        }
        let is_like = |name: &[u8]| name.eq_ignore_ascii_case(method);
        let looks_named = self.named.iter().any(|(name, _)| is_like(name));
        match looks_named || (get.is_some() && is_like(b"HEAD")) {
            true => None,
            false => self.any,
        }
    }
}

#[cfg(test)]
mod tests;
