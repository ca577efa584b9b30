//! Routes of the HTTP trigger: exact paths, `:name` segments, and a trailing `/...`.

use anyhow::{Result, bail};

/// A route as the manifest writes it.
#[derive(Debug, Clone)]
pub(crate) struct Route {
    written: String,
    segments: Vec<Segment>,
    wildcard: bool,
}

// The order of the variants is that of precedence.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Segment {
    Literal(String),
    Parameter(String),
}

/// What a route says of a request, for the headers that Spin adds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Matched {
    pub(crate) route: String,
    /// The rest of the path behind the route's own part.
    pub(crate) path_info: String,
    pub(crate) parameters: Vec<(String, String)>,
}

impl Route {
    /// Reads a route.
    pub(crate) fn parse(written: &str) -> Result<Self> {
        let fixed = written.strip_suffix("/...");
        let wildcard = fixed.is_some();
        let fixed = fixed.unwrap_or(written).trim_matches('/');
        let mut segments = Vec::new();
        for segment in fixed.split('/').filter(|_| !fixed.is_empty()) {
            segments.push(match segment.strip_prefix(':') {
                Some("") => bail!("route `{written}`: a parameter needs a name"),
                Some(name) => Segment::Parameter(name.to_owned()),
                None if segment.is_empty() || segment == "..." => {
                    bail!("route `{written}`: `/...` stands at its end, and no segment is empty")
                }
                None => Segment::Literal(segment.to_owned()),
            });
        }
        if !written.starts_with('/') {
            bail!("route `{written}` does not begin with `/`");
        }
        Ok(Self {
            written: written.to_owned(),
            segments,
            wildcard,
        })
    }

    /// The route without a trailing `/...`, as Spin's `spin-component-route` says it.
    pub(crate) fn prefix(written: &str) -> &str {
        written.strip_suffix("/...").unwrap_or(written)
    }

    /// How the route is shown at the start: the prefix, and whether it is a wildcard.
    pub(crate) fn shown(&self) -> String {
        let prefix = Self::prefix(&self.written);
        if self.wildcard {
            format!("{prefix} (wildcard)")
        } else {
            prefix.to_owned()
        }
    }

    /// Compares two routes that match the same path: whichever says the path more exactly comes first.
    pub(crate) fn more_exact(&self, other: &Self) -> std::cmp::Ordering {
        self.segments
            .iter()
            .map(Segment::is_parameter)
            .zip(other.segments.iter().map(Segment::is_parameter))
            .map(|(own, others)| own.cmp(&others))
            .find(|order| order.is_ne())
            .unwrap_or_else(|| {
                (other.segments.len(), self.wildcard).cmp(&(self.segments.len(), other.wildcard))
            })
    }

    /// Matches a path; slashes at its beginning and end do not count.
    pub(crate) fn matches(&self, path: &str) -> Option<Matched> {
        let mut rest = Some(path.trim_matches('/')).filter(|path| !path.is_empty());
        let mut parameters = Vec::new();
        for segment in &self.segments {
            let (first, behind) = match rest?.split_once('/') {
                Some((first, behind)) => (first, Some(behind)),
                None => (rest?, None),
            };
            match segment {
                Segment::Literal(literal) if literal == first => {}
                Segment::Parameter(name) if !first.is_empty() => {
                    parameters.push((name.clone(), first.to_owned()));
                }
                Segment::Literal(_) | Segment::Parameter(_) => return None,
            }
            rest = behind;
        }
        if rest.is_some() && !self.wildcard {
            return None;
        }
        Some(Matched {
            route: self.written.clone(),
            path_info: match (self.wildcard, rest, path.ends_with('/')) {
                (false, _, _) | (true, None, false) => String::new(),
                (true, None, true) => "/".to_owned(),
                (true, Some(rest), false) => format!("/{rest}"),
                (true, Some(rest), true) => format!("/{rest}/"),
            },
            parameters,
        })
    }
}

impl Segment {
    fn is_parameter(&self) -> bool {
        matches!(self, Self::Parameter(_))
    }
}

impl Matched {
    /// The match that a request from another component of the application gets.
    pub(crate) fn chained(path: &str) -> Self {
        Self {
            route: "/...".to_owned(),
            path_info: path.to_owned(),
            parameters: Vec::new(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_that_a_route_matches() {
        let check = |route: &str, path: &str, path_info: Option<&str>| {
            let matched = Route::parse(route).unwrap().matches(path);
            let seen = matched.map(|matched| matched.path_info);
            assert_eq!(seen.as_deref(), path_info, "{route} for {path}");
        };
        check("/...", "/", Some("/"));
        check("/...", "/a/b", Some("/a/b"));
        check("/...", "/a/", Some("/a/"));
        check("/...", "", Some(""));
        check("/a/...", "/a", Some(""));
        check("/a/...", "/a/", Some("/"));
        check("/a/...", "/a/b", Some("/b"));
        check("/a/...", "/ab", None);
        check("/a", "/a", Some(""));
        check("/a", "/a/", Some(""));
        check("/a", "/a/b", None);
        check("/", "/", Some(""));
        check("/", "/a", None);
        check("/u/:id", "/u/7", Some(""));
        check("/u/:id", "/u", None);
        check("/u/:id/...", "/u/7/x", Some("/x"));
    }

    #[test]
    fn the_most_exact_route_comes_first() {
        let mut routes: Vec<Route> = ["/...", "/:a", "/a/...", "/a/:b", "/a/b", "/a/b/...", "/a"]
            .iter()
            .map(|route| Route::parse(route).unwrap())
            .collect();
        routes.sort_by(Route::more_exact);
        let first = |path: &str| {
            let mut matching = routes.iter().filter_map(|route| route.matches(path));
            matching.next().unwrap().route
        };
        assert_eq!(first("/a"), "/a");
        assert_eq!(first("/a/b"), "/a/b");
        assert_eq!(first("/a/b/c"), "/a/b/...");
        assert_eq!(first("/a/c"), "/a/:b");
        assert_eq!(first("/a/c/d"), "/a/...");
        assert_eq!(first("/x"), "/:a");
        assert_eq!(first("/x/y"), "/...");
    }

    #[test]
    fn routes_that_are_refused() {
        for bad in ["a", "", "/a//b", "/:", "/.../a"] {
            assert!(Route::parse(bad).is_err(), "{bad}");
        }
    }
}
