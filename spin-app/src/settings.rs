//! What the application's manifest says besides the policy: the component's variables.

use std::fmt;

use crate::host;
use crate::onward::{InvalidTarget, Target};

/// All that the variables say.
#[derive(Debug)]
pub(crate) struct Settings {
    pub(crate) target: Target,
    pub(crate) logged: Logged,
    pub(crate) forwarded: Forwarded,
}

/// Which decisions are worth a line in the log.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Logged {
    /// Every one.
    All,
    /// What was refused, would have been refused in shadow mode, or found no upstream.
    #[default]
    Refused,
    /// None.
    Nothing,
}

/// Who says where a request came from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Forwarded {
    /// This gate, by what Spin saw. The client's word is taken away.
    #[default]
    Replace,
    /// A proxy in front, whose word passes as it is.
    Keep,
}

/// A variable that nothing can be done with.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum InvalidSetting {
    /// Where requests should go.
    Target(InvalidTarget),
    /// None of the three words of `log`.
    Log,
    /// Neither of the two words of `forwarded`.
    Forwarded,
}

impl Settings {
    /// Reads the variables. The outer error is the provider's, and may be gone the next time.
    pub(crate) async fn read() -> Result<Result<Self, InvalidSetting>, String> {
        let target = Target::read().await?.map_err(InvalidSetting::Target);
        let log = host::variable("log").await?;
        let forwarded = host::variable("forwarded").await?;
        Ok(target.and_then(|target| {
            Ok(Self {
                target,
                logged: Logged::parse(log.as_deref())?,
                forwarded: Forwarded::parse(forwarded.as_deref())?,
            })
        }))
    }
}

impl Logged {
    fn parse(word: Option<&str>) -> Result<Self, InvalidSetting> {
        match word {
            None => Ok(Self::default()),
            Some("all") => Ok(Self::All),
            Some("refused") => Ok(Self::Refused),
            Some("nothing") => Ok(Self::Nothing),
            Some(_) => Err(InvalidSetting::Log),
        }
    }
}

impl Forwarded {
    fn parse(word: Option<&str>) -> Result<Self, InvalidSetting> {
        match word {
            None => Ok(Self::default()),
            Some("replace") => Ok(Self::Replace),
            Some("keep") => Ok(Self::Keep),
            Some(_) => Err(InvalidSetting::Forwarded),
        }
    }
}

impl fmt::Display for InvalidSetting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Target(invalid) => write!(f, "{invalid}"),
            Self::Log => f.write_str("variable `log` must be `all`, `refused` or `nothing`"),
            Self::Forwarded => f.write_str("variable `forwarded` must be `replace` or `keep`"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words() {
        for (word, expected) in [
            (None, Ok(Logged::Refused)),
            (Some("all"), Ok(Logged::All)),
            (Some("refused"), Ok(Logged::Refused)),
            (Some("nothing"), Ok(Logged::Nothing)),
            (Some("ALL"), Err(InvalidSetting::Log)),
        ] {
            assert_eq!(Logged::parse(word), expected, "{word:?}");
        }
        for (word, expected) in [
            (None, Ok(Forwarded::Replace)),
            (Some("replace"), Ok(Forwarded::Replace)),
            (Some("keep"), Ok(Forwarded::Keep)),
            (Some("true"), Err(InvalidSetting::Forwarded)),
        ] {
            assert_eq!(Forwarded::parse(word), expected, "{word:?}");
        }
    }
}
