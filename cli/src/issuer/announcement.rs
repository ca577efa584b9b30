//! What the command says when it serves: its name, and the lines for a policy.

use anyhow::bail;
use scopegate_core::{Algorithm, Policy};
use serde_json::{Value, json};

use super::addresses::Addresses;

/// Where the issuer is, and what a policy has to say of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Announcement {
    issuer: String,
    keys: String,
    token: String,
    audiences: Vec<String>,
    algorithms: Vec<&'static str>,
    /// Whether the policy has to permit plain http.
    danger: bool,
}

impl Announcement {
    /// That of an issuer whose tokens are for these audiences.
    ///
    /// # Errors
    /// No policy takes such an issuer.
    pub(super) fn of(
        addresses: &Addresses,
        audiences: &[&str],
        algorithms: &[Algorithm],
    ) -> anyhow::Result<Self> {
        let audiences = match audiences {
            [] => vec!["local".to_owned()],
            named => named.iter().map(|&name| name.to_owned()).collect(),
        };
        let announcement = Self {
            issuer: addresses.issuer.clone(),
            keys: addresses.keys(),
            token: addresses.token(),
            audiences,
            algorithms: algorithms.iter().map(|one| one.name()).collect(),
            danger: addresses.needs_permission(),
        };
        let lines = announcement.lines();
        let policy = format!(
            "version: 1\nrealm: local\n{lines}routes: [{{ path: /, authenticated: true }}]\n"
        );
        if let Err(invalid) = Policy::parse(&policy) {
            let problem = invalid.problems.first();
            let problem =
                problem.map(|problem| format!("{}; {}", problem.message(), problem.remedy()));
            bail!(
                "no policy takes this issuer: {}",
                problem.unwrap_or_default()
            );
        }
        Ok(announcement)
    }

    /// For people: the name alone in the first line, then the token if there is one, then YAML with comments.
    pub(super) fn text(&self, token: Option<&str>) -> String {
        let token = token.map_or(String::new(), |token| format!("{token}\n"));
        format!(
            "{}\n{token}\n# A token: curl -d 'scope=a b' {}\n# New keys: curl -X POST {}\n# In a policy:\n{}",
            self.issuer,
            self.token,
            self.rotate(),
            self.lines()
        )
    }

    /// For programs.
    pub(super) fn json(&self, token: Option<&str>) -> Value {
        let mut said = json!({
            "issuer": self.issuer,
            "jwks_uri": self.keys,
            "token_endpoint": self.token,
            "rotate_endpoint": self.rotate(),
            "policy": { "issuers": { "local": self.in_policy() } },
        });
        if let (Some(token), Some(members)) = (token, said.as_object_mut()) {
            members.insert("access_token".into(), token.into());
        }
        said
    }

    fn rotate(&self) -> String {
        let base = self.token.strip_suffix(super::addresses::TOKEN);
        format!("{}{}", base.unwrap_or_default(), super::addresses::ROTATE)
    }

    fn in_policy(&self) -> Value {
        let mut issuer = json!({
            "issuer": self.issuer,
            "audiences": self.audiences,
            "jwks_uri": self.keys,
            "algorithms": self.algorithms,
        });
        if let (true, Some(members)) = (self.danger, issuer.as_object_mut()) {
            members.insert("danger_http_jwks".into(), json!(true));
        }
        issuer
    }

    /// JSON texts are YAML texts, whatever stands in them.
    fn lines(&self) -> String {
        let danger = match self.danger {
            true => "    danger_http_jwks: true\n",
            false => "",
        };
        format!(
            "issuers:\n  local:\n    issuer: {}\n    audiences: {}\n    jwks_uri: {}\n    algorithms: {}\n{danger}",
            json!(self.issuer),
            json!(self.audiences),
            json!(self.keys),
            json!(self.algorithms),
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn announced(
        issuer: &str,
        listening: &str,
        audiences: &[&str],
    ) -> anyhow::Result<Announcement> {
        let addresses = Addresses::of(issuer, listening.parse().unwrap());
        Announcement::of(
            &addresses,
            audiences,
            &[Algorithm::Rs256, Algorithm::Ed25519],
        )
    }

    #[test]
    fn the_lines_are_those_of_a_policy() {
        let said = announced(
            "http://127.0.0.1:9101/",
            "127.0.0.1:9101",
            &["api", "b: \"c\""],
        );
        assert_eq!(
            said.unwrap().text(Some("e.y.J")),
            r#"http://127.0.0.1:9101/
e.y.J

# A token: curl -d 'scope=a b' http://127.0.0.1:9101/token
# New keys: curl -X POST http://127.0.0.1:9101/rotate
# In a policy:
issuers:
  local:
    issuer: "http://127.0.0.1:9101/"
    audiences: ["api","b: \"c\""]
    jwks_uri: "http://127.0.0.1:9101/.well-known/jwks.json"
    algorithms: ["RS256","EdDSA"]
"#
        );
    }

    #[test]
    fn plain_http_from_elsewhere_has_to_be_permitted() {
        let said = announced("http://issuer:9101/", "0.0.0.0:9101", &[]).unwrap();
        assert!(said.text(None).ends_with("    danger_http_jwks: true\n"));
        assert_eq!(
            said.json(None)["policy"]["issuers"]["local"]["danger_http_jwks"],
            true
        );
    }

    #[test]
    fn an_issuer_that_no_policy_takes_is_refused() {
        let refused = announced("two words", "127.0.0.1:9101", &[]).unwrap_err();
        assert!(
            refused
                .to_string()
                .starts_with("no policy takes this issuer: "),
            "{refused}"
        );
    }
}
