//! What is done to a token: to its encoded parts before they are signed, and to all of it after.

use anyhow::{Context, Result, bail};
use base64::Engine as _;
use base64::alphabet::URL_SAFE;
use base64::engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD};
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use serde_json::{Map, Value};

use super::template;
use super::token::Tamper;
use crate::test_key::{TestKey, der, der_without_signs, es256_with_other_s};

/// Reads what a tampered encoding may hold: the bits that mean nothing are ignored here.
const LENIENT: GeneralPurpose = GeneralPurpose::new(
    &URL_SAFE,
    GeneralPurposeConfig::new()
        .with_decode_allow_trailing_bits(true)
        .with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// A token of three encoded parts, and what is done to it after signing.
pub(super) struct Written(Vec<String>);

impl Written {
    pub(super) fn of(header: String, claims: String, signature: &[u8]) -> Self {
        Self(vec![header, claims, URL_SAFE_NO_PAD.encode(signature)])
    }

    pub(super) fn text(self) -> String {
        self.0.join(".")
    }

    pub(super) fn tampered(mut self, tamper: &Tamper, key: &TestKey) -> Result<Self> {
        let signature = self
            .0
            .get(2)
            .map(|text| LENIENT.decode(text))
            .transpose()?
            .unwrap_or_default();
        let mut signed = |bytes: Vec<u8>| self.0[2] = URL_SAFE_NO_PAD.encode(bytes);
        match tamper {
            Tamper::FlipSignatureBit => {
                let mut bytes = signature;
                let middle = bytes.len() / 2;
                bytes[middle] ^= 0x10;
                signed(bytes);
            }
            Tamper::ShortenSignature => signed(signature[..signature.len() - 1].to_vec()),
            Tamper::PrependZero => signed([vec![0], signature].concat()),
            Tamper::LengthenSignature => signed([signature, vec![0]].concat()),
            Tamper::DropLeadingZero => match signature.split_first() {
                Some((0, rest)) => signed(rest.to_vec()),
                _ => bail!("the signature does not start with a zero byte"),
            },
            Tamper::EmptySignature => signed(Vec::new()),
            Tamper::ZeroSignature => signed(vec![0; signature.len()]),
            Tamper::ReplaceFirstHalf(hex) => {
                let (_, second) = signature.split_at(signature.len() / 2);
                signed([&half(hex, second.len())?, second].concat());
            }
            Tamper::ReplaceSecondHalf(hex) => {
                let (first, second) = signature.split_at(signature.len() / 2);
                signed([first, &half(hex, second.len())?].concat());
            }
            Tamper::AddOrder => signed(
                key.unreduced(&signature)?
                    .context("the sum needs a byte more")?,
            ),
            Tamper::DerSignature => signed(der(&signature)),
            Tamper::NegativeDerSignature => signed(der_without_signs(&signature)),
            Tamper::OtherS => signed(es256_with_other_s(&signature)?),
            Tamper::TrailingBitsInSignature => self.0[2] = with_trailing_bits(&self.0[2])?,
            Tamper::PadSignature => self.0[2] = padded(std::mem::take(&mut self.0[2])),
            Tamper::PlainBase64Signature => {
                self.0[2] = in_plain_base64(&STANDARD_NO_PAD.encode(&signature))?
            }
            Tamper::InsertIntoSignature(text) => self.0[2] = with_inserted(&self.0[2], text),
            Tamper::ReplaceHeader(members) => self.0[0] = replaced(&self.0[0], members)?,
            Tamper::ReplaceClaims(members) => self.0[1] = replaced(&self.0[1], members)?,
            Tamper::SwapHeaderAndClaims => self.0.swap(0, 1),
            Tamper::TwoParts => self.0.truncate(2),
            Tamper::OnePart => self.0.truncate(1),
            Tamper::FourParts => self.0.push(self.0[2].clone()),
            Tamper::LeadingDot => self.0.insert(0, String::new()),
            // Done before signing.
            Tamper::PadHeader
            | Tamper::PadClaims
            | Tamper::EmptyHeader
            | Tamper::EmptyClaims
            | Tamper::TrailingBitsInHeader
            | Tamper::TrailingBitsInClaims
            | Tamper::PlainBase64Header
            | Tamper::PlainBase64Claims
            | Tamper::InsertIntoHeader(_)
            | Tamper::InsertIntoClaims(_) => {}
        }
        Ok(self)
    }
}

/// Header and claims encoded, with what is done to them before they are signed.
pub(super) fn encoded(
    mut header: Vec<u8>,
    mut claims: Vec<u8>,
    tampers: &[Tamper],
) -> Result<(String, String)> {
    for tamper in tampers {
        match tamper {
            Tamper::TrailingBitsInHeader => leave_bits_to_spare(&mut header),
            Tamper::TrailingBitsInClaims => leave_bits_to_spare(&mut claims),
            _ => {}
        }
    }
    let mut head = URL_SAFE_NO_PAD.encode(&header);
    let mut body = URL_SAFE_NO_PAD.encode(&claims);
    for tamper in tampers {
        match tamper {
            Tamper::PadHeader => head = padded(head),
            Tamper::PadClaims => body = padded(body),
            Tamper::EmptyHeader => head.clear(),
            Tamper::EmptyClaims => body.clear(),
            Tamper::TrailingBitsInHeader => head = with_trailing_bits(&head)?,
            Tamper::TrailingBitsInClaims => body = with_trailing_bits(&body)?,
            Tamper::PlainBase64Header => head = in_plain_base64(&STANDARD_NO_PAD.encode(&header))?,
            Tamper::PlainBase64Claims => body = in_plain_base64(&STANDARD_NO_PAD.encode(&claims))?,
            Tamper::InsertIntoHeader(text) => head = with_inserted(&head, text),
            Tamper::InsertIntoClaims(text) => body = with_inserted(&body, text),
            _ => {}
        }
    }
    Ok((head, body))
}

/// White space that JSON ignores, until the last character of its base64 has bits to spare.
fn leave_bits_to_spare(json: &mut Vec<u8>) {
    while json.len().is_multiple_of(3) {
        json.push(b' ');
    }
}

fn in_plain_base64(encoded: &str) -> Result<String> {
    if !encoded.contains(['+', '/']) {
        bail!("this part looks the same in both alphabets");
    }
    Ok(encoded.to_owned())
}

fn with_inserted(encoded: &str, text: &str) -> String {
    let (before, behind) = encoded.split_at(encoded.len() / 2);
    format!("{before}{text}{behind}")
}

fn half(hex: &str, length: usize) -> Result<Vec<u8>> {
    let bytes = unhex(&template::fill(hex, template::repeated)?)?;
    if bytes.len() != length {
        bail!("half of this signature has {length} bytes");
    }
    Ok(bytes)
}

/// Bytes from hexadecimal digits, with white space between them where it helps.
pub(super) fn unhex(digits: &str) -> Result<Vec<u8>> {
    let digits: Vec<char> = digits
        .chars()
        .filter(|digit| !digit.is_whitespace())
        .collect();
    digits
        .chunks(2)
        .map(|pair| {
            u8::from_str_radix(&pair.iter().collect::<String>(), 16).context("not hexadecimal")
        })
        .collect()
}

fn replaced(encoded: &str, members: &Map<String, Value>) -> Result<String> {
    let mut object: Map<String, Value> = serde_json::from_slice(&LENIENT.decode(encoded)?)?;
    put(&mut object, members);
    Ok(URL_SAFE_NO_PAD.encode(serde_json::to_vec(&object)?))
}

fn padded(encoded: String) -> String {
    // Where no padding belongs, a whole block of it would be another mistake: one sign is the smallest.
    let missing = match encoded.len() % 4 {
        0 => 1,
        rest => 4 - rest,
    };
    encoded + &"=".repeat(missing)
}

/// The same bytes to a lenient reader, in another text.
fn with_trailing_bits(encoded: &str) -> Result<String> {
    const ALPHABET: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let last = encoded.chars().last().context("an empty part")?;
    let value = ALPHABET
        .find(last)
        .context("a part that is not base64url")?;
    if encoded.len().is_multiple_of(4) {
        bail!(
            "a part of {} characters has no bits to spare",
            encoded.len()
        );
    }
    let other = ALPHABET
        .chars()
        .nth(value | 1)
        .context("a character beyond the alphabet")?;
    let changed = format!("{}{other}", &encoded[..encoded.len() - 1]);
    if changed == encoded || LENIENT.decode(&changed)? != LENIENT.decode(encoded)? {
        bail!("the bits to spare are not spare");
    }
    Ok(changed)
}

/// Sets these members; `null` takes one away.
pub(super) fn put(into: &mut Map<String, Value>, members: &Map<String, Value>) {
    for (name, value) in members {
        match value {
            Value::Null => drop(into.remove(name)),
            value => drop(into.insert(name.clone(), value.clone())),
        }
    }
}
