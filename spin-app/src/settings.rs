//! What the application's manifest says besides the policy: the component's variables.

#[cfg(not(feature = "middleware"))]
use scopegate_core::spin::Upstream;
use scopegate_core::spin::{Forwarded, InvalidSetting, Logged};

use crate::host::variable;

/// All that the variables say.
pub(crate) struct Settings {
    #[cfg(not(feature = "middleware"))]
    pub(crate) upstream: Upstream,
    pub(crate) logged: Logged,
    pub(crate) forwarded: Forwarded,
}

impl Settings {
    /// Reads the variables. The outer error is the provider's, and may be gone the next time.
    pub(crate) async fn read() -> Result<Result<Self, InvalidSetting>, String> {
        let (log, forwarded) = (variable("log").await?, variable("forwarded").await?);
        #[cfg(not(feature = "middleware"))]
        let (url, timeout) = (
            variable("upstream").await?,
            variable("upstream_timeout").await?,
        );
        let settings = || {
            Ok(Self {
                #[cfg(not(feature = "middleware"))]
                upstream: Upstream::parse(url.as_deref(), timeout.as_deref())?,
                logged: Logged::parse(log.as_deref())?,
                forwarded: Forwarded::parse(forwarded.as_deref())?,
            })
        };
        Ok(settings())
    }
}
