//! What everybody can know of a key, as the secret of an HMAC: the attack on verifiers that let a token choose its algorithm.

use anyhow::{Context, Result, bail};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use hmac::digest::KeyInit;
use hmac::{Hmac, Mac};
use rsa::pkcs1::EncodeRsaPublicKey as _;
use rsa::pkcs8::EncodePublicKey as _;
use rsa::sha2::{Sha256, Sha384, Sha512};

use super::{Private, TestKey};

/// The forms of a public key that an attacker might key an HMAC with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum PublicForm {
    /// The JSON Web Key.
    Jwk,
    /// The text of `n` or `x` in the JSON Web Key.
    Member,
    /// The bytes that this text stands for.
    Octets,
    /// The `SubjectPublicKeyInfo` in PEM: "BEGIN PUBLIC KEY".
    Pem,
    /// The `SubjectPublicKeyInfo` in DER.
    Der,
    /// PKCS #1 in PEM: "BEGIN RSA PUBLIC KEY".
    Pkcs1Pem,
    /// A line of OpenSSH's `authorized_keys`.
    Ssh,
    /// Nothing at all: the secret that was never set.
    Empty,
}

impl TestKey {
    /// The HMAC of that algorithm (of HS256 where it names none), keyed with what everybody can know: the public key in that form.
    ///
    /// # Errors
    /// The key has no such form.
    pub fn mac_with_public(
        &self,
        form: PublicForm,
        algorithm: &str,
        message: &[u8],
    ) -> Result<Vec<u8>> {
        let secret = self.in_form(form)?;
        match algorithm {
            "HS384" => mac::<Hmac<Sha384>>(&secret, message),
            "HS512" => mac::<Hmac<Sha512>>(&secret, message),
            _ => mac::<Hmac<Sha256>>(&secret, message),
        }
    }

    fn in_form(&self, form: PublicForm) -> Result<Vec<u8>> {
        Ok(match form {
            PublicForm::Jwk => serde_json::to_vec(&self.public_jwk())?,
            PublicForm::Member => self.first_member()?.as_bytes().to_vec(),
            PublicForm::Octets => URL_SAFE_NO_PAD.decode(self.first_member()?)?,
            PublicForm::Pem => pem("PUBLIC KEY", &self.spki_der()?),
            PublicForm::Der => self.spki_der()?,
            PublicForm::Pkcs1Pem => match &self.private {
                Private::Rsa(key) => pem(
                    "RSA PUBLIC KEY",
                    key.to_public_key().to_pkcs1_der()?.as_bytes(),
                ),
                _ => bail!("PKCS #1 is made of RSA keys alone"),
            },
            PublicForm::Ssh => self.ssh_line()?.into_bytes(),
            PublicForm::Empty => Vec::new(),
        })
    }

    /// The modulus of an RSA key, else the first coordinate.
    fn first_member(&self) -> Result<&str> {
        self.jwk
            .get("n")
            .or_else(|| self.jwk.get("x"))
            .and_then(serde_json::Value::as_str)
            .context("a key without `n` and `x`")
    }

    /// The public point as it stands in DER and in OpenSSH's form: uncompressed, or for Ed25519 as it is.
    fn point(&self) -> Result<Vec<u8>> {
        let member = |name: &str| match self.jwk.get(name).and_then(serde_json::Value::as_str) {
            Some(text) => URL_SAFE_NO_PAD.decode(text).context("a coordinate"),
            None => Ok(Vec::new()),
        };
        let (x, y) = (member("x")?, member("y")?);
        let sign: &[u8] = if y.is_empty() { &[] } else { &[4] };
        Ok([sign, &x, &y].concat())
    }

    /// The public half as a DER `SubjectPublicKeyInfo` (RFC 5280 section 4.1).
    pub fn spki_der(&self) -> Result<Vec<u8>> {
        // What stands before the point is the same for every key of a type (RFC 5480 section 2, RFC 8410 section 4).
        let head: &[u8] = match &self.private {
            Private::Rsa(key) => return Ok(key.to_public_key().to_public_key_der()?.into_vec()),
            Private::P256(_) => b"\x30\x59\x30\x13\x06\x07\x2a\x86\x48\xce\x3d\x02\x01\x06\x08\x2a\x86\x48\xce\x3d\x03\x01\x07\x03\x42\x00",
            Private::P384(_) => b"\x30\x76\x30\x10\x06\x07\x2a\x86\x48\xce\x3d\x02\x01\x06\x05\x2b\x81\x04\x00\x22\x03\x62\x00",
            Private::Ed25519(_) => b"\x30\x2a\x30\x05\x06\x03\x2b\x65\x70\x03\x21\x00",
        };
        Ok([head, &self.point()?].concat())
    }

    /// RFC 4253 section 6.6, RFC 5656 section 3.1, RFC 8709 section 4.
    fn ssh_line(&self) -> Result<String> {
        let (name, curve) = match &self.private {
            Private::P256(_) => ("ecdsa-sha2-nistp256", Some("nistp256")),
            Private::P384(_) => ("ecdsa-sha2-nistp384", Some("nistp384")),
            Private::Ed25519(_) => ("ssh-ed25519", None),
            Private::Rsa(_) => bail!("no case needs an RSA key in OpenSSH's form"),
        };
        let point = self.point()?;
        let fields = [
            Some(name.as_bytes()),
            curve.map(str::as_bytes),
            Some(&point),
        ];
        let mut blob = Vec::new();
        for field in fields.into_iter().flatten() {
            blob.extend(u32::try_from(field.len())?.to_be_bytes());
            blob.extend_from_slice(field);
        }
        Ok(format!("{name} {}", STANDARD.encode(blob)))
    }
}

fn pem(label: &str, der: &[u8]) -> Vec<u8> {
    let text = STANDARD.encode(der);
    let mut pem = format!("-----BEGIN {label}-----\n");
    for (index, character) in text.chars().enumerate() {
        if index > 0 && index % 64 == 0 {
            pem.push('\n');
        }
        pem.push(character);
    }
    pem.push_str(&format!("\n-----END {label}-----\n"));
    pem.into_bytes()
}

fn mac<M: Mac + KeyInit>(secret: &[u8], message: &[u8]) -> Result<Vec<u8>> {
    let mut mac = <M as Mac>::new_from_slice(secret)?;
    mac.update(message);
    Ok(mac.finalize().into_bytes().to_vec())
}

#[cfg(test)]
mod tests {
    use p256::pkcs8::DecodePublicKey as _;

    use super::*;

    #[test]
    fn the_der_made_by_hand_is_that_of_the_libraries() {
        let keys = crate::test_key::load().unwrap();
        p256::PublicKey::from_public_key_der(&keys["p256"].spki_der().unwrap()).unwrap();
        p384::PublicKey::from_public_key_der(&keys["p384"].spki_der().unwrap()).unwrap();
        ed25519_compact::PublicKey::from_der(&keys["ed25519"].spki_der().unwrap()).unwrap();
    }

    #[test]
    fn an_openssh_line_names_its_type_twice() {
        let keys = crate::test_key::load().unwrap();
        let line = keys["ed25519"].ssh_line().unwrap();
        // As every `ssh-ed25519` line begins.
        assert!(
            line.starts_with("ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAI"),
            "{line}"
        );
        assert!(keys["p256"].ssh_line().unwrap().starts_with(
            "ecdsa-sha2-nistp256 AAAAE2VjZHNhLXNoYTItbmlzdHAyNTYAAAAIbmlzdHAyNTYAAABBB"
        ));
    }

    #[test]
    fn the_hash_is_the_algorithms() {
        let keys = crate::test_key::load().unwrap();
        let length = |algorithm| {
            let mac = keys["rsa"].mac_with_public(PublicForm::Pkcs1Pem, algorithm, b"message");
            mac.unwrap().len()
        };
        assert_eq!(
            ["HS256", "HS384", "HS512", "RS256"].map(length),
            [32, 48, 64, 32]
        );
    }
}
