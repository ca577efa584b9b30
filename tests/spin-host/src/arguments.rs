//! The command line, which is that of `spin up` and some more.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use lexopt::{Arg, ValueExt as _};

use crate::host::Options;
use crate::instances::Reuse;
use crate::template;

/// What `--help` shows.
pub const USAGE: &str = "\
Runs a Spin application from its manifest, for tests.

Usage: spin-host up --from MANIFEST [OPTIONS]

  --from FILE|DIR           the manifest, or the folder of a spin.toml
  --listen ADDRESS          where to serve (default 127.0.0.1:3000; port 0: any free one)
  --variable NAME=VALUE     the value of a variable; as with SPIN_VARIABLE_NAME=VALUE in the environment
  --log-dir DIR             writes COMPONENT_stdout.txt and COMPONENT_stderr.txt there
  --quiet, -q               keeps the output of components off the terminal
  --state-dir DIR           taken and ignored: stores are in memory
  --runtime-config-file F   its [key_value_store.LABEL] tables define stores beside `default`
  --max-instance-reuse-count N              requests in the life of an instance (default 128)
  --max-instance-concurrent-reuse-count N   requests at once in an instance (default 16)
  --idle-instance-timeout TIME              life of an instance without a request (default 1s)
  --request-timeout TIME                    for a request (default: no limit)

Not of Spin:
  --control ADDRESS         serves the control interface for tests there
  --cache-dir DIR           keeps compiled components there
  --forbidden-headers none|strict           whether components see and set hop-by-hop headers (default strict: they do not)
";

/// Why there is nothing to run.
#[derive(Debug)]
pub enum Instead {
    /// The user asked for help.
    Help,
    /// The command line says too little, too much, or something unknown.
    Wrong(anyhow::Error),
}

/// Reads the command line. `environment` gives the variables of the application as Spin has them.
pub fn read(
    arguments: impl IntoIterator<Item = OsString>,
    environment: impl IntoIterator<Item = (OsString, OsString)>,
) -> Result<Options, Instead> {
    match parse(arguments, environment) {
        Ok(Some(options)) => Ok(options),
        Ok(None) => Err(Instead::Help),
        Err(error) => Err(Instead::Wrong(error)),
    }
}

/// `None` is a wish for help.
fn parse(
    arguments: impl IntoIterator<Item = OsString>,
    environment: impl IntoIterator<Item = (OsString, OsString)>,
) -> Result<Option<Options>> {
    let mut parser = lexopt::Parser::from_args(arguments);
    let mut options = Options {
        from: PathBuf::new(),
        listen: SocketAddr::from(([127, 0, 0, 1], 3000)),
        control: None,
        log_dir: None,
        cache_dir: default_cache(),
        quiet: false,
        variables: from_environment(environment)?,
        stores: Vec::new(),
        reuse: Reuse::default(),
        forbids_headers: true,
    };
    let mut from = None;
    let mut up = false;
    while let Some(argument) = parser.next()? {
        match argument {
            Arg::Value(command) if !up && command == "up" => up = true,
            Arg::Long("help") | Arg::Short('h') => return Ok(None),
            Arg::Long("from") | Arg::Short('f') => from = Some(PathBuf::from(parser.value()?)),
            Arg::Long("listen") => options.listen = parser.value()?.parse()?,
            Arg::Long("control") => options.control = Some(parser.value()?.parse()?),
            Arg::Long("log-dir") | Arg::Short('L') => {
                options.log_dir = Some(parser.value()?.into());
            }
            Arg::Long("cache-dir") => options.cache_dir = Some(parser.value()?.into()),
            Arg::Long("state-dir") => drop(parser.value()?),
            Arg::Long("quiet") | Arg::Short('q') => options.quiet = true,
            Arg::Long("variable") => {
                let (name, value) = read_assignment(&parser.value()?.string()?)?;
                options.variables.insert(name, value);
            }
            Arg::Long("runtime-config-file") => {
                options.stores = read_stores(Path::new(&parser.value()?))?;
            }
            Arg::Long("max-instance-reuse-count") => {
                options.reuse.requests = positive(&parser.value()?.string()?)?;
            }
            Arg::Long("max-instance-concurrent-reuse-count") => {
                options.reuse.concurrent_requests = positive(&parser.value()?.string()?)?;
            }
            Arg::Long("idle-instance-timeout") => {
                options.reuse.idle = read_time(&parser.value()?.string()?)?;
            }
            Arg::Long("request-timeout") => {
                options.reuse.request_timeout = Some(read_time(&parser.value()?.string()?)?);
            }
            Arg::Long("forbidden-headers") => {
                options.forbids_headers = match parser.value()?.string()?.as_str() {
                    "strict" => true,
                    "none" => false,
                    other => bail!("--forbidden-headers is `strict` or `none`, not `{other}`"),
                };
            }
            other => return Err(other.unexpected().into()),
        }
    }
    if !up {
        bail!("the command is `up`");
    }
    options.from = from.context("--from is missing")?;
    Ok(Some(options))
}

fn from_environment(
    environment: impl IntoIterator<Item = (OsString, OsString)>,
) -> Result<BTreeMap<String, String>> {
    let mut variables = BTreeMap::new();
    for (name, value) in environment {
        let name = name.to_str().and_then(|n| n.strip_prefix("SPIN_VARIABLE_"));
        if let Some(name) = name.map(str::to_ascii_lowercase) {
            let value = value
                .into_string()
                .map_err(|_| anyhow::anyhow!("SPIN_VARIABLE_{name} is not UTF-8"))?;
            variables.insert(name, value);
        }
    }
    Ok(variables)
}

fn read_assignment(text: &str) -> Result<(String, String)> {
    let (name, value) = text
        .split_once('=')
        .context("--variable needs NAME=VALUE")?;
    template::check_name(name)?;
    Ok((name.to_owned(), value.to_owned()))
}

/// The labels of the stores that a runtime configuration defines.
fn read_stores(path: &Path) -> Result<Vec<String>> {
    let shown = || format!("runtime configuration {}", path.display());
    let text = std::fs::read_to_string(path).with_context(shown)?;
    let table: toml::Table = text.parse().with_context(shown)?;
    let mut stores = Vec::new();
    for (key, value) in table {
        match (key.as_str(), value) {
            ("key_value_store", toml::Value::Table(labels)) => {
                stores.extend(labels.into_iter().map(|(label, _)| label))
            }
            _ => bail!(
                "{}: this host knows only [key_value_store.LABEL], not `{key}`",
                shown()
            ),
        }
    }
    Ok(stores)
}

fn positive(text: &str) -> Result<usize> {
    match text.parse() {
        Ok(number) if number > 0 => Ok(number),
        _ => bail!("`{text}` is not a positive number"),
    }
}

/// A number and a unit: `500ms`, `1s`, `2m`.
fn read_time(text: &str) -> Result<Duration> {
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let (number, unit) = text.split_at(digits);
    let number: u64 = number
        .parse()
        .with_context(|| format!("`{text}` is not a time"))?;
    Ok(match unit {
        "ms" => Duration::from_millis(number),
        "s" => Duration::from_secs(number),
        "m" => Duration::from_secs(number.saturating_mul(60)),
        _ => bail!("`{text}` needs a unit: ms, s or m"),
    })
}

/// Beside the program where cargo built it (`target/spin-host-cache`); else nowhere, since what is kept there is run: a folder that others
/// can write to would be a way in.
fn default_cache() -> Option<PathBuf> {
    let program = std::env::current_exe().ok()?;
    let target = program
        .ancestors()
        .find(|folder| folder.ends_with("target") || folder.join("CACHEDIR.TAG").is_file())?;
    Some(target.join("spin-host-cache"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read_words(words: &str, environment: &[(&str, &str)]) -> Result<Options, Instead> {
        read(
            words.split_whitespace().map(OsString::from),
            environment.iter().map(|(n, v)| (n.into(), v.into())),
        )
    }

    #[test]
    fn what_is_said_counts() {
        let environment = [
            ("SPIN_VARIABLE_UPSTREAM", "http://a"),
            ("SPIN_VARIABLE_OTHER", "x"),
            ("HOME", "/"),
        ];
        let options = read_words(
            "up --from spin.toml --listen 127.0.0.1:0 --variable upstream=http://b=c \
             --max-instance-reuse-count 3 --max-instance-concurrent-reuse-count 2 --idle-instance-timeout 50ms \
             --state-dir s --quiet --forbidden-headers none",
            &environment,
        )
        .unwrap();
        assert_eq!(options.listen.port(), 0);
        assert_eq!(options.variables["upstream"], "http://b=c");
        assert_eq!(options.variables["other"], "x");
        assert_eq!(options.variables.len(), 2);
        assert_eq!(
            (options.reuse.requests, options.reuse.concurrent_requests),
            (3, 2)
        );
        assert_eq!(options.reuse.idle, Duration::from_millis(50));
        assert!(options.quiet && !options.forbids_headers);
    }

    #[test]
    fn what_is_wrong_is_said() {
        for words in [
            "",
            "up",
            "--from a",
            "down --from a",
            "up up --from a",
            "up --from",
            "up --from a --listen nowhere",
            "up --from a --unknown",
            "up --from a --variable upstream",
            "up --from a --variable UP=1",
            "up --from a --max-instance-reuse-count 0",
            "up --from a --idle-instance-timeout 1",
            "up --from a --forbidden-headers some",
        ] {
            let read = read_words(words, &[]);
            assert!(matches!(read, Err(Instead::Wrong(_))), "{words}: {read:?}");
        }
        assert!(matches!(read_words("--help", &[]), Err(Instead::Help)));
    }
}
