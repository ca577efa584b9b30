//! Which tokens a full cache has turned away lately: the second time one of them comes, it is let in.
//!
//! Without it every token that is never used again would push out one that is (TinyLFU by Einziger, Friedman and Manes calls what stands before a
//! cache its doorkeeper). Of 1,000 tokens of which the k-th comes with a probability that goes as 1/k, a cache for 100 then knows 59 of 100
//! instead of 54, and of 300 in turn 26 of 100 instead of none: a test of the token cache holds both.

/// Octets of the cache for each place here: about one for each token that the cache holds.
const OCTETS_PER_PLACE: usize = 2_048;

/// Marks of tokens, each in the place that its hash gives it, where another may overwrite it. Two tokens with one
/// mark are taken for each other: then one of them is let in early, which harms nobody.
pub(super) struct Doorkeeper {
    marks: Box<[u32]>,
}

impl Doorkeeper {
    /// For a cache of that many octets.
    pub(super) fn new(limit: usize) -> Self {
        let places = limit.div_ceil(OCTETS_PER_PLACE);
        Self {
            marks: vec![0; places].into(),
        }
    }

    /// Whether a token of that hash was turned away lately. If not, it is now.
    pub(super) fn knows(&mut self, hash: u64) -> bool {
        let [high, low] = [hash >> 32, hash & u64::from(u32::MAX)].map(u32::try_from);
        let (Ok(mark), Ok(low)) = (high, low) else {
            return false;
        };
        let place = usize::try_from(low)
            .ok()
            .and_then(|low| low.checked_rem(self.marks.len()));
        let Some(held) = place.and_then(|place| self.marks.get_mut(place)) else {
            return false;
        };
        // A place that holds nothing holds zero.
        let mark = mark.max(1);
        std::mem::replace(held, mark) == mark
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_known_the_second_time() {
        let mut doorkeeper = Doorkeeper::new(4 * OCTETS_PER_PLACE);
        // The same place, another mark; then a mark of zero.
        let hashes = [7 << 32 | 1, 8 << 32 | 5, 2];
        for hash in hashes {
            assert!(!doorkeeper.knows(hash));
            assert!(doorkeeper.knows(hash));
        }
        assert!(!doorkeeper.knows(hashes[0]), "overwritten by the second");
    }

    #[test]
    fn it_is_as_large_as_its_cache_asks_for() {
        for (limit, places) in [(0, 0), (1, 1), (2_048, 1), (2_049, 2), (4 << 20, 2_048)] {
            assert_eq!(Doorkeeper::new(limit).marks.len(), places);
        }
        assert!(!Doorkeeper::new(0).knows(1));
        assert!(!Doorkeeper::new(0).knows(1));
    }
}
