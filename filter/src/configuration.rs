//! The plugin configuration: the policy's text in a `google.protobuf.StringValue`.

use std::fmt;

use scopegate_core::{InvalidPolicy, Policy};

/// A configuration that the filter does not serve with.
#[derive(Debug)]
pub(crate) enum InvalidConfiguration {
    /// No text at all.
    Empty,
    /// Octets that are no text: a `Struct` reaches a filter as the octets of its protobuf message.
    NotText,
    /// A policy that does not parse.
    Policy(InvalidPolicy),
    /// Issuers whose keys cannot be had.
    Issuers(Vec<UnreachableKeys>),
}

/// Why an issuer's keys cannot be had.
#[derive(Debug)]
pub(crate) enum UnreachableKeys {
    /// `envoy.clusters` names no cluster for them.
    MissingCluster { issuer: String },
    /// They are in a file, and a filter has none.
    InFile { issuer: String, path: String },
}

/// The policy that the configuration holds.
pub(crate) fn read(octets: &[u8]) -> Result<Policy, InvalidConfiguration> {
    let text = str::from_utf8(octets).map_err(|_| InvalidConfiguration::NotText)?;
    if text.contains(is_forbidden_in_yaml) {
        return Err(InvalidConfiguration::NotText);
    }
    if text.trim().is_empty() {
        return Err(InvalidConfiguration::Empty);
    }
    let policy = Policy::parse(text).map_err(InvalidConfiguration::Policy)?;
    let in_files = policy
        .key_files()
        .map(|(name, path)| UnreachableKeys::InFile {
            issuer: name.to_owned(),
            path: path.to_owned(),
        });
    let names = policy.fetched_issuers();
    let without_cluster = names.filter(|name| policy.cluster(name).is_none());
    let without_cluster = without_cluster.map(|name| UnreachableKeys::MissingCluster {
        issuer: name.to_owned(),
    });
    let unreachable: Vec<_> = in_files.chain(without_cluster).collect();
    match unreachable.is_empty() {
        true => Ok(policy),
        false => Err(InvalidConfiguration::Issuers(unreachable)),
    }
}

/// Control characters that neither YAML 1.2 (section 5.1) nor JSON text may hold, but any protobuf `Struct` does:
/// the tags of its map values and of its strings are 0x12 and 0x1A.
fn is_forbidden_in_yaml(character: char) -> bool {
    character < ' ' && !matches!(character, '\t' | '\n' | '\r')
}

/// One problem a line.
impl fmt::Display for InvalidConfiguration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Empty => f.write_str(
                "the configuration is empty: put the text of the policy into `configuration`, \
                 as the `value` of a google.protobuf.StringValue",
            ),
            Self::NotText => f.write_str(
                "the configuration is not text (a google.protobuf.Struct reaches a filter as the octets of its \
                 message): put the text of the policy, YAML or JSON, into a google.protobuf.StringValue",
            ),
            Self::Policy(invalid) => write!(f, "{invalid}"),
            Self::Issuers(unreachable) => {
                for (index, keys) in unreachable.iter().enumerate() {
                    let separator = if index == 0 { "" } else { "\n" };
                    write!(f, "{separator}{keys}")?;
                }
                Ok(())
            }
        }
    }
}

impl fmt::Display for UnreachableKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::MissingCluster { issuer } => write!(
                f,
                "issuer `{issuer}` has no cluster to fetch its keys through: \
                 write `envoy: {{ clusters: {{ {issuer}: NAME_OF_A_CLUSTER }} }}`",
            ),
            Self::InFile { issuer, path } => write!(
                f,
                "issuer `{issuer}` has its keys in the file `{path}`, and a filter in Envoy can read no file: \
                 write the key set into the policy, as `jwks`, or let Envoy fetch it, with `jwks_uri`",
            ),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::samples::POLICY;

    fn check(configuration: &[u8], expected: &[&str]) {
        let shown = String::from_utf8_lossy(configuration);
        let problem = match read(configuration) {
            Ok(_) => panic!("accepted: {shown}"),
            Err(invalid) => invalid.to_string(),
        };
        for part in expected {
            assert!(
                problem.contains(part),
                "`{part}` is not said of {shown}, but: {problem}"
            );
        }
    }

    #[test]
    fn a_policy_is_read() {
        assert_eq!(
            read(POLICY.as_bytes())
                .map(|policy| policy.issuer_names().count())
                .ok(),
            Some(2)
        );
    }

    #[test]
    fn a_struct_is_refused_with_what_to_write_instead() {
        // `{"version": 1}` as a google.protobuf.Struct: fields = 1, key = 1, value = 2, number_value = 2.
        let octets = b"\x0a\x14\x0a\x07version\x12\x09\x11\0\0\0\0\0\0\xf0\x3f";
        check(octets, &["not text", "google.protobuf.StringValue"]);
        // `{"realm": "x"}`: all octets are ASCII.
        check(
            b"\x0a\x0c\x0a\x05realm\x12\x03\x1a\x01x",
            &["not text", "google.protobuf.StringValue"],
        );
        check(b"\xff\xfe", &["not text"]);
    }

    #[test]
    fn nothing_is_no_policy() {
        check(
            b"",
            &["the configuration is empty", "google.protobuf.StringValue"],
        );
        check(b" \r\n\t\n", &["the configuration is empty"]);
    }

    #[test]
    fn a_problem_of_the_policy_says_where_it_is() {
        check(
            POLICY.replace("[api]", "[]").as_bytes(),
            &["line 7", "line 12"],
        );
    }

    #[test]
    fn an_issuer_without_a_cluster_is_named() {
        let text = POLICY.replace("second: keys_of_second", "");
        check(
            text.as_bytes(),
            &["issuer `second` has no cluster", "clusters: { second:"],
        );
        let text = POLICY.replace("envoy: {", "#");
        check(text.as_bytes(), &["issuer `first`", "\nissuer `second`"]);
    }

    #[test]
    fn keys_in_a_file_are_refused_with_what_to_write_instead() {
        let text = POLICY.replace(
            "jwks_uri: https://first.example.com/jwks",
            "jwks_file: /etc/keys.json",
        );
        check(
            text.as_bytes(),
            &["issuer `first`", "`/etc/keys.json`", "`jwks`", "`jwks_uri`"],
        );
    }

    #[test]
    fn keys_in_the_policy_need_no_cluster() {
        let key = r#"{ keys: [{ kty: OKP, crv: Ed25519, x: 11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo }] }"#;
        let text = POLICY
            .replace(
                "jwks_uri: https://first.example.com/jwks",
                &format!("jwks: {key}"),
            )
            .replace("    keys: { timeout: 5s }\n", "")
            .replace("first: keys_of_first, ", "");
        if let Err(invalid) = read(text.as_bytes()) {
            panic!("{invalid}");
        }
    }
}
