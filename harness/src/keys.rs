//! The key pair that signs and checks ServiceAccount tokens, made for each control plane.

use aws_lc_rs::encoding::{AsDer, Pkcs8V1Der};
use aws_lc_rs::rsa::{KeyPair, KeySize};
use base64::Engine as _;

use crate::{Error, Result};

/// A fresh RSA key of 2048 bits as PKCS #8 in PEM. kube-apiserver reads the public half from the same file.
pub(crate) fn rsa_pem() -> Result<String> {
    let refused = |_| Error::Unusable("an RSA key could not be made".to_owned());
    let pair = KeyPair::generate(KeySize::Rsa2048).map_err(refused)?;
    let der: Pkcs8V1Der<'_> = pair.as_der().map_err(refused)?;
    let body = base64::engine::general_purpose::STANDARD.encode(der.as_ref());
    let mut pem = String::from("-----BEGIN PRIVATE KEY-----\n");
    for line in body.as_bytes().chunks(64) {
        pem.push_str(&String::from_utf8_lossy(line));
        pem.push('\n');
    }
    pem.push_str("-----END PRIVATE KEY-----\n");
    Ok(pem)
}
