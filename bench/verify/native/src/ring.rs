//! ring, which is assembly where it matters, and does not compile to WebAssembly without a C compiler for it.

use bench_verify_guest::{Case, Prepared, Signed, Way, member};
use ring::signature::{self, RsaParameters, RsaPublicKeyComponents, UnparsedPublicKey};

/// ring's verification of the case.
pub(crate) fn prepare(case: &Case) -> Result<Prepared, String> {
    let point = || Ok::<_, String>([vec![4], member(case, "x")?, member(case, "y")?].concat());
    let rsa = |parameters| -> Result<Box<dyn Way>, String> {
        let (n, e) = (member(case, "n")?, member(case, "e")?);
        Ok(Box::new(Rsa {
            key: RsaPublicKeyComponents { n, e },
            parameters,
        }))
    };
    let way: Box<dyn Way> = match case.algorithm.as_str() {
        "RS256" => rsa(&signature::RSA_PKCS1_2048_8192_SHA256)?,
        "PS256" => rsa(&signature::RSA_PSS_2048_8192_SHA256)?,
        "ES256" => Box::new(Curve(UnparsedPublicKey::new(
            &signature::ECDSA_P256_SHA256_FIXED,
            point()?,
        ))),
        "ES384" => Box::new(Curve(UnparsedPublicKey::new(
            &signature::ECDSA_P384_SHA384_FIXED,
            point()?,
        ))),
        "EdDSA" => Box::new(Curve(UnparsedPublicKey::new(
            &signature::ED25519,
            member(case, "x")?,
        ))),
        other => return Err(format!("there is no ring for {other}")),
    };
    Prepared::new(way, case)
}

struct Rsa {
    key: RsaPublicKeyComponents<Vec<u8>>,
    parameters: &'static RsaParameters,
}

impl Way for Rsa {
    fn verifies(&self, signed: &Signed) -> bool {
        self.key
            .verify(self.parameters, &signed.message, &signed.signature)
            .is_ok()
    }
}

/// ring keeps no parsed key of these: it reads the point each time.
struct Curve(UnparsedPublicKey<Vec<u8>>);

impl Way for Curve {
    fn verifies(&self, signed: &Signed) -> bool {
        self.0.verify(&signed.message, &signed.signature).is_ok()
    }
}
