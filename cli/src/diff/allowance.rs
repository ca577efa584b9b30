//! Which changes are meant, though they let more in: `--allow`.

use anyhow::{Context as _, bail};
use scopegate_core::outline::{Pattern, PatternSegment};

use super::change::{Comparison, RegionChange};
use super::method::ANY_METHOD;
use super::setting::SettingChange;

/// Something that may become more permissive.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Allowance {
    /// Requests of these methods (none: any) on the paths of a pattern.
    Requests {
        /// Separated by commas on the command line; empty for `*`.
        methods: Vec<String>,
        /// The pattern.
        pattern: Pattern,
    },
    /// A setting, by the name under which the comparison shows it.
    Setting(String),
}

impl Allowance {
    /// Reads `GET,POST /reports/{*rest}`, `* /reports`, or the name of a setting.
    ///
    /// # Errors
    /// The pattern is none.
    pub fn parse(text: &str) -> anyhow::Result<Self> {
        let text = text.trim();
        if text.is_empty() {
            bail!(
                "`--allow` is empty; write what may become more permissive, as in `GET /reports/{{*rest}}`"
            );
        }
        let Some(slash) = text.find('/') else {
            return Ok(Self::Setting(text.to_owned()));
        };
        let (methods, path) = text.split_at_checked(slash).context("no path")?;
        let methods = methods.trim();
        if methods.is_empty() {
            bail!("`--allow {text}` names no method; write `* {text}` for all of them");
        }
        let pattern = Pattern::parse(path).map_err(|invalid| {
            anyhow::anyhow!(
                "`--allow {text}`: {}; {}",
                invalid.message(),
                invalid.remedy()
            )
        })?;
        let methods = match methods {
            ANY_METHOD => Vec::new(),
            list => list
                .split(',')
                .map(|method| method.trim().to_owned())
                .collect(),
        };
        if methods.iter().any(|method| method == ANY_METHOD) {
            bail!("`--allow {text}`: `*` is every method, and stands alone");
        }
        Ok(Self::Requests { methods, pattern })
    }

    fn allows(&self, method: &str, path: &Pattern) -> bool {
        match self {
            Self::Requests { methods, pattern } => {
                (methods.is_empty() || methods.iter().any(|allowed| allowed == method))
                    && covers(pattern, path)
            }
            Self::Setting(_) => false,
        }
    }
}

/// Whether every path of the one is a path of the other too.
fn covers(pattern: &Pattern, other: &Pattern) -> bool {
    let fits = |(own, other): (&PatternSegment, &PatternSegment)| {
        *own == PatternSegment::Parameter || own == other
    };
    let (own, others) = (pattern.segments.len(), other.segments.len());
    let as_long = match pattern.rest {
        true => own <= others,
        false => own == others && !other.rest,
    };
    as_long && pattern.segments.iter().zip(&other.segments).all(fits)
}

impl RegionChange {
    /// Whether it lets more in than is meant.
    pub fn is_unmeant(&self, allowed: &[Allowance]) -> bool {
        let is_allowed = |method: &str, path: &Pattern| {
            allowed
                .iter()
                .any(|allowance| allowance.allows(method, path))
        };
        self.direction.lets_more_in()
            && self.regions.iter().any(|(path, methods)| {
                // A literal may look like no pattern (`{`); then nothing covers it.
                let path = Pattern::parse(path).ok();
                let path = path.as_ref();
                methods
                    .iter()
                    .any(|method| path.is_none_or(|path| !is_allowed(method, path)))
            })
    }
}

impl SettingChange {
    /// Whether it lets more in than is meant.
    pub fn is_unmeant(&self, allowed: &[Allowance]) -> bool {
        let own = Allowance::Setting(self.subject.clone());
        self.direction.lets_more_in() && !allowed.contains(&own)
    }
}

impl Comparison {
    /// Whether something lets more in than is meant.
    pub fn is_unmeant(&self, allowed: &[Allowance]) -> bool {
        self.regions.iter().any(|change| change.is_unmeant(allowed))
            || self
                .settings
                .iter()
                .any(|change| change.is_unmeant(allowed))
    }

    /// Whether nothing is different.
    pub fn is_empty(&self) -> bool {
        self.regions.is_empty() && self.settings.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_covers_what() {
        for (pattern, path, expected) in [
            ("/a", "/a", true),
            ("/a", "/b", false),
            ("/{x}", "/a", true),
            ("/a", "/{any}", false),
            ("/{*rest}", "/", true),
            ("/{*rest}", "/a/{any}/{*more}", true),
            ("/a/{*rest}", "/a", true),
            ("/a/{x}", "/a/{*more}", false),
            ("/a/{*rest}", "/a/{*more}", true),
            ("/a/b/{*rest}", "/a/{*more}", false),
        ] {
            let (pattern, path) = (
                Pattern::parse(pattern).unwrap(),
                Pattern::parse(path).unwrap(),
            );
            assert_eq!(covers(&pattern, &path), expected, "{pattern:?} {path:?}");
        }
    }

    #[test]
    fn allowances_are_read() {
        let requests = Allowance::parse("GET, POST /a/{*rest}").unwrap();
        assert!(requests.allows("POST", &Pattern::parse("/a/b").unwrap()));
        assert!(!requests.allows("PUT", &Pattern::parse("/a/b").unwrap()));
        assert!(
            Allowance::parse("* /")
                .unwrap()
                .allows("PUT", &Pattern::parse("/").unwrap())
        );
        let setting = Allowance::parse("issuer auth0 clock_skew").unwrap();
        assert_eq!(
            setting,
            Allowance::Setting("issuer auth0 clock_skew".into())
        );
        for wrong in ["", "/a", "GET /a/*", "GET /a b/{", "GET,* /a"] {
            assert!(Allowance::parse(wrong).is_err(), "{wrong}");
        }
    }
}
