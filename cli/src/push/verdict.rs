//! What Envoy says of an update, by the statistics of its admin interface.

use std::time::Duration;

use anyhow::{Context as _, bail};

use crate::clock;

/// How often Envoy is asked.
const INTERVAL: Duration = Duration::from_millis(100);

/// How long one question may take.
const ANSWER: Duration = Duration::from_secs(2);

/// More than the few lines that are asked for.
const MAX_STATS_BYTES: u64 = 1024 * 1024;

/// Envoy's admin interface, and the extension that is asked about.
pub struct Admin {
    url: String,
    prefix: String,
    agent: ureq::Agent,
}

/// How many updates Envoy has taken, and how many it has refused.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    taken: u64,
    refused: u64,
}

/// What became of an update.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UpdateVerdict {
    /// It serves.
    Taken,
    /// The filter has refused it, and the policy before it serves.
    Refused,
    /// Envoy has not looked, or not answered.
    Silent,
}

impl Admin {
    /// The admin interface at that address, which is `http://HOST:PORT`.
    ///
    /// # Errors
    /// It is no such address.
    pub fn new(url: &str, extension: &str) -> anyhow::Result<Self> {
        let url = url.trim_end_matches('/');
        if !url.starts_with("http://") {
            bail!(
                "`--admin {url}` is no address of Envoy's admin interface; write it as `http://127.0.0.1:9901`"
            );
        }
        let config = ureq::Agent::config_builder()
            .timeout_global(Some(ANSWER))
            .max_redirects(0)
            .build();
        Ok(Self {
            url: url.to_owned(),
            prefix: format!("extension_config_discovery.http_filter.{extension}."),
            agent: config.new_agent(),
        })
    }

    /// How many updates there were so far.
    ///
    /// # Errors
    /// Envoy does not answer, or not as Envoy does.
    pub fn counts(&self) -> anyhow::Result<Counts> {
        let url = format!("{}/stats?filter=%5Eextension_config_discovery", self.url);
        let answer = self.agent.get(&url).call();
        let mut answer = answer.with_context(|| format!("cannot ask Envoy at {}", self.url))?;
        let body = answer
            .body_mut()
            .with_config()
            .limit(MAX_STATS_BYTES)
            .read_to_string();
        let text = body.with_context(|| format!("cannot read what Envoy says at {}", self.url))?;
        Ok(Counts::read(&text, &self.prefix))
    }

    /// Waits until there is one more of either, as long as that takes at most. A question without an answer is asked again: an Envoy that takes a
    /// policy over may be busy.
    pub fn wait(&self, before: Counts, patience: Duration) -> UpdateVerdict {
        let since = clock::monotonic();
        while since.elapsed() < patience {
            std::thread::sleep(INTERVAL);
            let Ok(now) = self.counts() else { continue };
            if now.refused > before.refused {
                return UpdateVerdict::Refused;
            }
            if now.taken > before.taken {
                return UpdateVerdict::Taken;
            }
        }
        UpdateVerdict::Silent
    }
}

impl Counts {
    fn read(text: &str, prefix: &str) -> Self {
        let mut counts = Self::default();
        for line in text.lines() {
            let statistic = line.strip_prefix(prefix);
            let Some((name, value)) = statistic.and_then(|rest| rest.split_once(": ")) else {
                continue;
            };
            let value: u64 = value.parse().unwrap_or_default();
            match name {
                "update_success" => counts.taken = counts.taken.saturating_add(value),
                "update_rejected" | "update_failure" => {
                    counts.refused = counts.refused.saturating_add(value);
                }
                _ => {}
            }
        }
        counts
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn statistics_are_read() {
        let text = "extension_config_discovery.http_filter.other.update_success: 7\n\
                    extension_config_discovery.http_filter.scopegate.update_attempt: 9\n\
                    extension_config_discovery.http_filter.scopegate.update_failure: 1\n\
                    extension_config_discovery.http_filter.scopegate.update_rejected: 2\n\
                    extension_config_discovery.http_filter.scopegate.update_success: 3\n\
                    extension_config_discovery.http_filter.scopegate.version_text: \"17: 4\"\n";
        let counts = Counts::read(text, "extension_config_discovery.http_filter.scopegate.");
        assert_eq!(
            counts,
            Counts {
                taken: 3,
                refused: 3
            }
        );
    }

    #[test]
    fn an_address_that_is_none() {
        assert!(Admin::new("127.0.0.1:9901", "scopegate").is_err());
        assert!(Admin::new("https://127.0.0.1:9901", "scopegate").is_err());
    }
}
