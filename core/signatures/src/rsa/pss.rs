//! RSASSA-PSS (RFC 8017 section 8.1.2), with one hash throughout and a salt of its length (RFC 7518 section 3.5).

use sha2::Digest;

use super::Modulus;

/// Whether `signature` is one of `message`.
pub(super) fn verify<H: Digest>(modulus: &Modulus, message: &[u8], signature: &[u8]) -> bool {
    modulus
        .power_65537(signature)
        .and_then(|encoded| is_consistent::<H>(&encoded, modulus.bits().checked_sub(1)?, message))
        .unwrap_or(false)
}

/// EMSA-PSS-VERIFY (RFC 8017 section 9.1.2), step by step; nothing where a part is too short.
///
/// `encoded` is as long as the modulus, which is one octet more than EM where emBits is a multiple of eight. That octet
/// must be zero, as one bit or more of the first octet otherwise.
fn is_consistent<H: Digest>(encoded: &[u8], em_bits: usize, message: &[u8]) -> Option<bool> {
    let hash_len = <H as Digest>::output_size();
    let em_len = em_bits.div_ceil(8);
    let (above, em) = encoded.split_at_checked(encoded.len().checked_sub(em_len)?)?;
    let (trailer, em) = em.split_last()?;
    let (masked_db, h) = em.split_at_checked(em.len().checked_sub(hash_len)?)?;
    let unused_bits = em_len.checked_mul(8)?.checked_sub(em_bits)?;
    let used = 0xff_u8.checked_shr(u32::try_from(unused_bits).ok()?)?;
    if above.iter().any(|octet| *octet != 0) || *trailer != 0xbc || masked_db.first()? & !used != 0
    {
        return Some(false);
    }
    let mut db = mgf1::<H>(h, masked_db.len());
    for (octet, masked) in db.iter_mut().zip(masked_db) {
        *octet ^= masked;
    }
    *db.first_mut()? &= used;
    let (padding, salt) = db.split_at_checked(db.len().checked_sub(hash_len)?)?;
    let (one, zeros) = padding.split_last()?;
    let hash = H::new()
        .chain_update([0; 8])
        .chain_update(H::digest(message))
        .chain_update(salt)
        .finalize();
    Some(*one == 1 && zeros.iter().all(|octet| *octet == 0) && hash[..] == *h)
}

/// MGF1 (RFC 8017 appendix B.2.1).
fn mgf1<H: Digest>(seed: &[u8], len: usize) -> Vec<u8> {
    let mut mask = Vec::with_capacity(len.saturating_add(<H as Digest>::output_size()));
    for counter in 0_u32.. {
        if mask.len() >= len {
            break;
        }
        let hash = H::new()
            .chain_update(seed)
            .chain_update(counter.to_be_bytes())
            .finalize();
        mask.extend_from_slice(&hash);
    }
    mask.truncate(len);
    mask
}
