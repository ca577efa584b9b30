//! What grows, and how far, while all else stays as it is in a small service.

use anyhow::{Context, Result};
use scopegate_core::CacheUse;

use super::scene::{Scene, Size};

/// A small service.
const USUAL: Size = Size {
    routes: 8,
    issuers: 1,
    keys: 2,
    token: 800,
    // Enough that the processor does not learn one of them by heart.
    tokens: 64,
    // The most that a policy may allow.
    cache_kib: 64 * 1024,
};

/// What grows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Dimension {
    Routes,
    Issuers,
    Keys,
    TokenOctets,
    Tokens,
}

impl Dimension {
    const ALL: [Self; 5] = [
        Self::Routes,
        Self::Issuers,
        Self::Keys,
        Self::TokenOctets,
        Self::Tokens,
    ];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Routes => "routes",
            Self::Issuers => "issuers",
            Self::Keys => "keys of an issuer",
            Self::TokenOctets => "octets of a token",
            Self::Tokens => "tokens known",
        }
    }

    fn sizes(self) -> &'static [usize] {
        match self {
            Self::Routes => &[5, 10, 100, 1000, 10_000],
            Self::Issuers => &[1, 3, 10, 30, 100],
            Self::Keys => &[1, 3, 10, 50],
            Self::TokenOctets => &[300, 600, 1200, 2400, 4800, 8192],
            Self::Tokens => &[1, 10, 100, 1000, 10_000],
        }
    }

    fn size(self, size: usize) -> Size {
        match self {
            // Enough that most of the routes, or many of them, are asked for.
            Self::Routes => Size {
                routes: size,
                tokens: 1024,
                ..USUAL
            },
            // As many tokens, or some issuers would not be asked for.
            Self::Issuers => Size {
                issuers: size,
                tokens: size.max(USUAL.tokens),
                ..USUAL
            },
            Self::Keys => Size {
                keys: size,
                ..USUAL
            },
            Self::TokenOctets => Size {
                token: size,
                ..USUAL
            },
            Self::Tokens => Size {
                tokens: size,
                ..USUAL
            },
        }
    }
}

/// Whether the tokens are known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Token {
    Known,
    New,
}

impl Token {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Known => "known",
            Self::New => "new, signature apart",
        }
    }
}

/// One thing that grows.
pub(crate) struct Series {
    pub(crate) dimension: Dimension,
    pub(crate) token: Token,
    pub(crate) points: Vec<Point>,
}

/// One size of it.
pub(crate) struct Point {
    pub(crate) size: usize,
    pub(crate) scene: Scene,
}

/// All of them.
pub(crate) fn all() -> Result<Vec<Series>> {
    let mut all = Vec::new();
    for dimension in Dimension::ALL {
        for token in [Token::Known, Token::New] {
            // How many tokens are known does not matter to one that is not.
            if dimension == Dimension::Tokens && token == Token::New {
                continue;
            }
            let points = dimension.sizes().iter();
            let points = points.map(|size| point(dimension, token, *size));
            all.push(Series {
                dimension,
                token,
                points: points.collect::<Result<_>>()?,
            });
        }
    }
    Ok(all)
}

fn point(dimension: Dimension, token: Token, size: usize) -> Result<Point> {
    let wanted = dimension.size(size);
    let scene = match token {
        Token::Known => Scene::new(wanted, CacheUse::Hit),
        Token::New => {
            // Without a cache each is new when it comes again.
            let uncached = Size {
                cache_kib: 0,
                ..wanted
            };
            Scene::new(uncached, CacheUse::Miss)
        }
    };
    let scene = scene.with_context(|| format!("{size} {}", dimension.name()))?;
    Ok(Point { size, scene })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_beginning_of_every_series_can_be_had() {
        for dimension in Dimension::ALL {
            for size in &dimension.sizes()[..2] {
                let point = point(dimension, Token::Known, *size);
                assert!(point.is_ok(), "{size}: {:?}", point.err());
            }
        }
        for size in [300, 8192] {
            let point = point(Dimension::TokenOctets, Token::New, size);
            assert!(point.is_ok(), "{size}: {:?}", point.err());
        }
    }
}
