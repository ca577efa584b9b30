//! Where a runner's key server has what the issuers of a case publish.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Context, Result};
use serde_json::{Map, Value, json};

use super::key_set::{self, KeyAnswer, KeySet};
use super::policy::Place;
use super::tamper::put;
use super::template;
use crate::test_key::TestKey;

/// One of the documents that an issuer publishes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Document {
    /// Its key set.
    Keys,
    /// Its metadata as OpenID Connect Discovery 1.0 section 4 has them.
    Metadata,
    /// Its metadata as RFC 8414 section 3 has them.
    OauthMetadata,
}

impl Document {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Keys, Self::Metadata, Self::OauthMetadata];

    /// A name of `fetches`: that of a key set, with what is behind its `/`.
    pub fn named(name: &str) -> Option<(&str, Self)> {
        match name.split_once('/') {
            None => Some((name, Self::Keys)),
            Some((set, "metadata")) => Some((set, Self::Metadata)),
            Some((set, "oauth_metadata")) => Some((set, Self::OauthMetadata)),
            Some(_) => None,
        }
    }
}

/// A folder of a key server.
#[derive(Clone, Debug)]
pub struct Site {
    /// Host and port of the server, of loopback: nobody else may be asked by plain HTTP.
    authority: String,
    folder: String,
    /// The issuers at whose address nobody listens.
    refused: BTreeSet<String>,
}

/// Where nobody listens.
const NOBODY: &str = "127.0.0.1:1";

/// A document with its answers and their bodies, and its path on the server.
#[derive(Clone, Debug)]
pub struct Published {
    /// The path.
    pub path: String,
    /// The answers, one a fetch; the last one stays.
    pub answers: Vec<(KeyAnswer, Vec<u8>)>,
}

impl Site {
    /// The folder of that name on the server with that address.
    pub fn new(address: std::net::SocketAddr, folder: &str) -> Self {
        Self {
            authority: address.to_string(),
            folder: folder.to_owned(),
            refused: BTreeSet::new(),
        }
    }

    /// From now on that issuer is at an address where nobody listens.
    pub fn refuse(&mut self, name: &str) {
        self.refused.insert(name.to_owned());
    }

    /// The issuer of that name.
    pub fn issuer(&self, name: &str) -> String {
        self.at(name, &self.issuer_path(name))
    }

    /// The path of a document of that issuer.
    pub fn path(&self, name: &str, document: Document) -> String {
        let issuer = self.issuer_path(name);
        match document {
            Document::Keys => format!("/{}/{name}", self.folder),
            Document::Metadata => format!("{issuer}/.well-known/openid-configuration"),
            // Between host and path, and not behind it (RFC 8414 section 3).
            Document::OauthMetadata => format!("/.well-known/oauth-authorization-server{issuer}"),
        }
    }

    /// The URL of a document of that issuer.
    pub fn url(&self, name: &str, document: Document) -> String {
        self.at(name, &self.path(name, document))
    }

    fn at(&self, name: &str, path: &str) -> String {
        let authority = match self.refused.contains(name) {
            true => NOBODY,
            false => &self.authority,
        };
        format!("http://{authority}{path}")
    }

    /// Where a policy finds the key set of that name as a file.
    pub fn file(name: &str) -> String {
        format!("/keys/{name}.json")
    }

    fn issuer_path(&self, name: &str) -> String {
        format!("/{}/issuers/{name}", self.folder)
    }

    /// Everything that the issuer of that name publishes.
    ///
    /// # Errors
    /// A key that is not among the test keys, or a placeholder that means nothing.
    pub fn documents(
        &self,
        name: &str,
        set: &KeySet,
        keys: &BTreeMap<String, TestKey>,
    ) -> Result<Vec<(Document, Published)>> {
        let published = Document::ALL.map(|document| {
            let answers = match document {
                Document::Keys => &set.answers,
                Document::Metadata => &set.metadata,
                Document::OauthMetadata => &set.oauth_metadata,
            };
            let with_body = |answer: &KeyAnswer| {
                let body = match document {
                    Document::Keys => key_set::body(answer, keys)?,
                    _ => self.metadata(name, answer)?,
                };
                Ok((answer.clone(), body))
            };
            let published = Published {
                path: self.path(name, document),
                answers: answers.iter().map(with_body).collect::<Result<_>>()?,
            };
            Ok((document, published))
        });
        published.into_iter().collect()
    }

    /// The body of an answer with metadata: its own text, else right ones with its members over them.
    fn metadata(&self, name: &str, answer: &KeyAnswer) -> Result<Vec<u8>> {
        if let Some(body) = &answer.body {
            return Ok(self.filled(body)?.into_bytes());
        }
        let mut metadata = Map::new();
        let keys = self.url(name, Document::Keys);
        metadata.insert("issuer".to_owned(), self.issuer(name).into());
        metadata.insert("jwks_uri".to_owned(), keys.into());
        // Two of those that no gate needs, so that it has something to read past.
        metadata.insert("response_types_supported".to_owned(), json!(["code"]));
        metadata.insert("claims_parameter_supported".to_owned(), false.into());
        for (member, value) in answer.members.iter().flatten() {
            let value = match value {
                Value::String(text) => self.filled(text)?.into(),
                value => value.clone(),
            };
            put(&mut metadata, &Map::from_iter([(member.clone(), value)]));
        }
        Ok(answer.filled_up(serde_json::to_vec(&metadata)?))
    }

    /// The text with its placeholders filled in.
    fn filled(&self, text: &str) -> Result<String> {
        template::fill(text, |inside| match inside.split_once(':') {
            Some(("issuer", name)) => Some(self.issuer(name)),
            Some(("jwks", name)) => Some(self.url(name, Document::Keys)),
            Some(("metadata", name)) => Some(self.url(name, Document::Metadata)),
            Some(("oauth_metadata", name)) => Some(self.url(name, Document::OauthMetadata)),
            Some(("path", name)) => Some(self.issuer_path(name)),
            None if inside == "authority" => Some(self.authority.clone()),
            None if inside == "port" => Some(
                self.authority
                    .rsplit_once(':')
                    .unwrap_or_default()
                    .1
                    .to_owned(),
            ),
            _ => template::repeated(inside),
        })
    }

    /// What a policy says of that issuer's keys, in Envoy by way of this cluster.
    ///
    /// # Errors
    /// A key that is not among the test keys.
    pub fn place(
        &self,
        name: &str,
        set: &KeySet,
        keys: &BTreeMap<String, TestKey>,
        cluster: &str,
    ) -> Result<Place> {
        let first = set.answers.first().context("a key set without an answer")?;
        Ok(Place {
            issuer: self.issuer(name),
            url: self.url(name, Document::Keys),
            file: Self::file(name),
            public: key_set::body(first, keys)?,
            cluster: cluster.to_owned(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn site() -> Site {
        Site::new(([127, 0, 0, 1], 7070).into(), "one")
    }

    /// The bodies and statuses under that path.
    fn published(set: &str, path: &str) -> Vec<(u16, String)> {
        let set: KeySet = serde_saphyr::from_str(set).unwrap();
        let keys = crate::test_key::load().unwrap();
        let documents = site().documents("main", &set, &keys).unwrap();
        let document = documents.into_iter().find(|(_, found)| found.path == path);
        let answers = document.unwrap().1.answers.into_iter();
        let text = |body| String::from_utf8(body).unwrap();
        answers
            .map(|(answer, body)| (answer.status.unwrap_or(200), text(body)))
            .collect()
    }

    const OIDC: &str = "/one/issuers/main/.well-known/openid-configuration";
    const OAUTH: &str = "/.well-known/oauth-authorization-server/one/issuers/main";

    #[test]
    fn metadata_are_right_unless_a_case_says_otherwise() {
        let answers = published("{ keys: [] }", OIDC);
        let metadata: Value = serde_json::from_str(&answers[0].1).unwrap();
        assert_eq!(answers.len(), 1);
        assert_eq!(metadata["issuer"], "http://127.0.0.1:7070/one/issuers/main");
        assert_eq!(metadata["jwks_uri"], "http://127.0.0.1:7070/one/main");
        assert_eq!(published("{ keys: [] }", OAUTH)[0].0, 404);
    }

    #[test]
    fn members_are_put_over_right_ones() {
        let set = "{ keys: [], oauth_metadata: { answers: [{ status: 500 }, { members: { issuer: '${issuer:other}/', jwks_uri: null } }] } }";
        let answers = published(set, OAUTH);
        let metadata: Value = serde_json::from_str(&answers[1].1).unwrap();
        assert_eq!(answers[0].0, 500);
        assert_eq!(
            metadata["issuer"],
            "http://127.0.0.1:7070/one/issuers/other/"
        );
        assert_eq!(metadata.get("jwks_uri"), None);
    }

    #[test]
    fn a_document_has_only_fields_of_its_own() {
        for set in [
            "{ keys: [], members: {} }",
            "{ keys: [], metadata: { keys: [] } }",
            "{ keys: [], metadata: { answers: [] } }",
            "{ keys: [], metadata: { answers: [{}], status: 200 } }",
            "{ metadata: {} }",
            "{ keys: [], colour: red }",
        ] {
            assert!(serde_saphyr::from_str::<KeySet>(set).is_err(), "{set}");
        }
    }
}
