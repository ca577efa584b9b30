use super::*;

/// The orders of the groups (FIPS 186-4 appendices D.1.2.3 and D.1.2.4).
const P256_ORDER: &str = "ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551";
const P384_ORDER: &str = concat!(
    "ffffffffffffffffffffffffffffffffffffffffffffffff",
    "c7634d81f4372ddf581a0db248b0a77aecec196accc52973"
);

fn hex(text: &str) -> Vec<u8> {
    let digits: Vec<u8> = text
        .chars()
        .map(|digit| digit.to_digit(16).unwrap() as u8)
        .collect();
    digits
        .chunks(2)
        .map(|pair| pair[0] * 16 + pair[1])
        .collect()
}

fn curves() -> [(Algorithm, PublicKey, Vec<u8>); 2] {
    [
        (Algorithm::Es256, P256_ORDER),
        (Algorithm::Es384, P384_ORDER),
    ]
    .map(|(algorithm, order)| (algorithm, public_key(&jwk(algorithm)), hex(order)))
}

#[test]
fn r_and_s_lie_between_zero_and_the_order() {
    for (algorithm, key, order) in curves() {
        let good = sign(algorithm, INPUT);
        let (r, s) = good.split_at(good.len() / 2);
        let zero = vec![0; r.len()];
        let top = vec![0xff; r.len()];
        for (shown, r, s) in [
            ("r = 0", &zero[..], s),
            ("s = 0", r, &zero[..]),
            // CVE-2022-21449, "psychic signatures".
            ("r = s = 0", &zero, &zero),
            ("r = n", &order, s),
            ("s = n", r, &order),
            ("r = s = n", &order, &order),
            ("r beyond n", &top, s),
            ("s beyond n", r, &top),
            ("r and s exchanged", s, r),
        ] {
            let forged = [r, s].concat();
            assert!(
                !portable(algorithm, &key, INPUT, &forged),
                "{algorithm}: {shown}"
            );
        }
    }
}

#[test]
fn the_other_s_of_a_signature_verifies_too() {
    // RFC 7518 asks for no low s, and BoringSSL takes both: a host and the module must not differ.
    let key = public_key(&jwk(Algorithm::Es256));
    let good = sign(Algorithm::Es256, INPUT);
    let signature = p256::ecdsa::Signature::from_slice(&good).unwrap();
    let (r, s) = signature.split_scalars();
    let other = p256::ecdsa::Signature::from_scalars(r, -s).unwrap();
    assert_ne!(other, signature);
    assert!(portable(Algorithm::Es256, &key, INPUT, &other.to_bytes()));
}

#[test]
fn der_in_the_place_of_r_and_s_is_refused() {
    for (algorithm, key, _) in curves() {
        let good = sign(algorithm, INPUT);
        let der = ecdsa_signature_der(algorithm, &good).unwrap();
        assert!(!portable(algorithm, &key, INPUT, &der), "{algorithm}");
        let mut padded = der;
        padded.resize(good.len(), 0);
        assert!(!portable(algorithm, &key, INPUT, &padded), "{algorithm}");
    }
}

#[test]
fn der_spells_the_same_numbers_in_the_shortest_way() {
    // 0x01 and 0x80: the second needs a zero octet before it, or DER would read a negative number.
    let mut signature = [0; 64];
    signature[31] = 0x01;
    signature[63] = 0x80;
    let der = ecdsa_signature_der(Algorithm::Es256, &signature);
    assert_eq!(
        der.as_deref(),
        Some(&[0x30, 7, 2, 1, 0x01, 2, 2, 0x00, 0x80][..])
    );

    for (algorithm, ..) in curves() {
        let good = sign(algorithm, INPUT);
        let der = ecdsa_signature_der(algorithm, &good).unwrap();
        let back = match algorithm {
            Algorithm::Es256 => p256::ecdsa::Signature::from_der(&der).unwrap().to_vec(),
            _ => p384::ecdsa::Signature::from_der(&der).unwrap().to_vec(),
        };
        assert_eq!(back, good);
    }
}

#[test]
fn der_is_not_made_of_what_no_key_has_signed() {
    for (algorithm, _, order) in curves() {
        let good = sign(algorithm, INPUT);
        let (r, s) = good.split_at(good.len() / 2);
        let zero = vec![0; r.len()];
        for forged in [
            [&zero[..], s].concat(),
            [r, &zero[..]].concat(),
            [&order[..], s].concat(),
            [r, &order[..]].concat(),
            good[1..].to_vec(),
            Vec::new(),
        ] {
            assert_eq!(ecdsa_signature_der(algorithm, &forged), None);
        }
    }
    let es256 = sign(Algorithm::Es256, INPUT);
    for algorithm in Algorithm::ALL {
        let is_es256 = algorithm == Algorithm::Es256;
        assert_eq!(
            ecdsa_signature_der(algorithm, &es256).is_some(),
            is_es256,
            "{algorithm}"
        );
    }
}
