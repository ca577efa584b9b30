//! A key set as one instance of a host leaves it for another: the octets of the answer, and both times.
//!
//! What lies in a store is a cache, never an authority: it is parsed as strictly as an answer from the network, and what cannot
//! be read is not there.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use crate::jwks::MAX_KEY_SET_BYTES;
use crate::keys::Named;
use crate::time::Timestamp;

/// A record's text is at most six times its key set, whose every octet may need an escape, and the rest of it.
const MAX_RECORD_BYTES: usize = 6 * MAX_KEY_SET_BYTES + 16 * 1024;

/// The shape of the text. Another one is another version.
const VERSION: u32 = 3;

/// What is known of an issuer's keys, and when it was last asked for them.
pub(crate) struct KeyRecord {
    pub(crate) attempted: Timestamp,
    pub(crate) has_failed: bool,
    /// What its metadata said.
    pub(crate) named: Option<Named>,
    /// Nothing where no attempt has brought keys yet.
    pub(crate) set: Option<RecordedSet>,
}

/// A key set as it was fetched.
pub(crate) struct RecordedSet {
    pub(crate) fetched: Timestamp,
    /// Of when the answer is: not later.
    pub(crate) as_of: Timestamp,
    pub(crate) max_age: Option<Duration>,
    /// The content of the answer.
    pub(crate) body: Vec<u8>,
}

/// The record as it is written.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    version: u32,
    issuer: String,
    url: String,
    attempted_ms: u64,
    has_failed: bool,
    named: Option<WrittenName>,
    set: Option<WrittenSet>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct WrittenName {
    jwks_uri: String,
    read_ms: u64,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct WrittenSet {
    fetched_ms: u64,
    as_of_ms: u64,
    max_age_s: Option<u64>,
    body: String,
}

impl KeyRecord {
    /// Reads a record of that issuer, by its name in tokens and by where its keys or its metadata are. Nothing for anything else.
    pub(crate) fn read(text: &[u8], issuer: &str, url: &str) -> Option<Self> {
        if text.len() > MAX_RECORD_BYTES {
            return None;
        }
        let Written {
            version,
            issuer: written_issuer,
            url: written_url,
            attempted_ms,
            has_failed,
            named,
            set,
        } = serde_json::from_str(str::from_utf8(text).ok()?).ok()?;
        let is_it = version == VERSION && written_issuer == issuer && written_url == url;
        // Nothing is fetched before it is asked for, and a success is the last time that was asked. Metadata may be read later: before the
        // keys of the next round.
        let is_possible = match (&set, has_failed) {
            (None, has_failed) => has_failed,
            (Some(set), true) => set.fetched_ms <= attempted_ms,
            (Some(set), false) => set.fetched_ms == attempted_ms,
        };
        (is_it && is_possible).then(|| Self {
            attempted: Timestamp::from_millis(attempted_ms),
            has_failed,
            named: named.map(|named| Named {
                jwks_uri: named.jwks_uri,
                read: Timestamp::from_millis(named.read_ms),
            }),
            set: set.map(|set| RecordedSet {
                fetched: Timestamp::from_millis(set.fetched_ms),
                as_of: Timestamp::from_millis(set.as_of_ms),
                max_age: set.max_age_s.map(Duration::from_secs),
                body: set.body.into_bytes(),
            }),
        })
    }

    /// The text of the record of that issuer. Nothing for a body that is not UTF-8, which no key set is (RFC 8259 section 8.1).
    pub(crate) fn write(self, issuer: &str, url: &str) -> Option<Vec<u8>> {
        let set = match self.set {
            None => None,
            Some(set) => Some(WrittenSet {
                fetched_ms: set.fetched.millis(),
                as_of_ms: set.as_of.millis(),
                max_age_s: set.max_age.map(|age| age.as_secs()),
                body: String::from_utf8(set.body).ok()?,
            }),
        };
        serde_json::to_vec(&Written {
            version: VERSION,
            issuer: issuer.to_owned(),
            url: url.to_owned(),
            attempted_ms: self.attempted.millis(),
            has_failed: self.has_failed,
            named: self.named.map(|named| WrittenName {
                jwks_uri: named.jwks_uri,
                read_ms: named.read.millis(),
            }),
            set,
        })
        .ok()
    }
}

/// Where the record lies that these parts tell from all others: two of them share no name, whatever they say.
pub(crate) fn name(parts: [&str; 4]) -> String {
    let mut hash = Sha256::new();
    for part in parts {
        hash.update((part.len() as u64).to_be_bytes());
        hash.update(part);
    }
    let digest = hash.finalize();
    let digits = digest.iter().map(|octet| format!("{octet:02x}"));
    format!("scopegate-keys-{}", digits.collect::<String>())
}

#[cfg(test)]
mod tests {
    use super::*;

    const ISSUER: &str = "https://one.example/";
    const URL: &str = "https://one.example/jwks.json";

    fn record() -> KeyRecord {
        KeyRecord {
            attempted: Timestamp::from_secs(150),
            has_failed: true,
            named: Some(Named {
                jwks_uri: URL.to_owned(),
                read: Timestamp::from_secs(90),
            }),
            set: Some(RecordedSet {
                fetched: Timestamp::from_secs(100),
                as_of: Timestamp::from_secs(40),
                max_age: Some(Duration::from_secs(300)),
                body: br#"{"keys":[]}"#.to_vec(),
            }),
        }
    }

    fn text() -> String {
        String::from_utf8(record().write(ISSUER, URL).expect("UTF-8")).expect("UTF-8")
    }

    #[test]
    fn what_was_written_is_read() {
        let text = text();
        let read = KeyRecord::read(text.as_bytes(), ISSUER, URL).expect("its own record");
        assert_eq!(read.attempted, Timestamp::from_secs(150));
        assert!(read.has_failed);
        assert_eq!(read.named, record().named);
        let set = read.set.expect("its keys");
        assert_eq!(set.fetched, Timestamp::from_secs(100));
        assert_eq!(set.as_of, Timestamp::from_secs(40));
        assert_eq!(set.max_age, Some(Duration::from_secs(300)));
        assert_eq!(set.body, br#"{"keys":[]}"#);
    }

    #[test]
    fn anything_else_is_not_there() {
        let good = text();
        let changed = |from: &str, to: &str| {
            assert!(good.contains(from), "{from} is not in {good}");
            good.replace(from, to)
        };
        for (shown, text) in [
            ("nothing", String::new()),
            ("no JSON", "keys".to_owned()),
            ("cut off", good.trim_end_matches('}').to_owned()),
            ("something behind it", format!("{good}x")),
            (
                "a success without keys",
                r#"{"version":3,"issuer":"https://one.example/","url":"https://one.example/jwks.json","attempted_ms":1,"has_failed":false,"named":null,"set":null}"#.to_owned(),
            ),
            ("another version", changed("\"version\":3", "\"version\":2")),
            (
                "another issuer",
                changed("one.example/\"", "two.example/\""),
            ),
            ("another URL", changed("jwks.json\",\"att", "other.json\",\"att")),
            (
                "an unknown field",
                changed("{\"version\"", "{\"x\":1,\"version\""),
            ),
            (
                "a field twice",
                changed("{\"version\"", "{\"version\":3,\"version\""),
            ),
            ("a negative time", changed("100000", "-1")),
            (
                "fetched after it was asked for",
                changed("100000", "150001"),
            ),
            (
                "a success that was asked for again",
                changed("\"has_failed\":true", "\"has_failed\":false"),
            ),
            (
                "too large",
                changed(
                    "{\\\"keys",
                    &format!("{}{{\\\"keys", " ".repeat(MAX_RECORD_BYTES)),
                ),
            ),
        ] {
            assert!(
                KeyRecord::read(text.as_bytes(), ISSUER, URL).is_none(),
                "{shown}"
            );
        }
    }

    #[test]
    fn no_two_share_a_name() {
        assert_ne!(name(["ab", "c", "", ""]), name(["a", "bc", "", ""]));
        assert_ne!(name([ISSUER, "a", "", ""]), name([ISSUER, "", "a", ""]));
        assert_ne!(name([ISSUER, "a", "", ""]), name([ISSUER, "b", "", ""]));
        assert_ne!(name([ISSUER, "a", "", "x"]), name([ISSUER, "a", "", "y"]));
        assert_eq!(
            name([ISSUER, URL, "", ""]).len(),
            "scopegate-keys-".len() + 64
        );
    }
}
