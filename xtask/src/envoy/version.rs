//! Which Envoy it is.

use std::fmt;

/// Major, minor, patch.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Version(pub u32, pub u32, pub u32);

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}.{}", self.0, self.1, self.2)
    }
}

/// Reads the answer to `envoy --version`: `envoy  version: <commit>/1.40.0/Clean/RELEASE/BoringSSL`.
pub fn parse(said: &str) -> Option<Version> {
    let (_, build) = said.split_once("version:")?;
    let number = build.trim().split('/').nth(1)?;
    // A development build calls itself `1.41.0-dev`.
    let number = number.split('-').next()?;
    let mut parts = number.split('.').map(str::parse);
    let version = Version(
        parts.next()?.ok()?,
        parts.next()?.ok()?,
        parts.next()?.ok()?,
    );
    parts.next().is_none().then_some(version)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_read() {
        for (said, version) in [
            (
                "\nenvoy  version: 7b5a/1.40.0/Clean/RELEASE/BoringSSL\n",
                Some(Version(1, 40, 0)),
            ),
            (
                "envoy  version: 7b5a/1.41.0-dev/Modified/DEBUG/BoringSSL",
                Some(Version(1, 41, 0)),
            ),
            ("envoy  version: 7b5a/1.9.1/Clean", Some(Version(1, 9, 1))),
            ("envoy 1.40.0", None),
            ("envoy  version: 7b5a/1.40/Clean", None),
            ("", None),
        ] {
            assert_eq!(parse(said), version, "{said}");
        }
    }

    #[test]
    fn versions_compare_as_numbers() {
        assert!(Version(1, 9, 1) < Version(1, 33, 0));
        assert!(Version(1, 33, 0) <= Version(1, 33, 0));
        assert!(Version(2, 0, 0) > Version(1, 33, 0));
    }
}
