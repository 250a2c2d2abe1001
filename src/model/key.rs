//! R10: the idempotency key of a create is derived, not random.

use sha2::{Digest, Sha256};

/// The `request_id` for one object of one advertiser: 63 bits of SHA-256 as a decimal string (TikTok converts the
/// text with `int64`). The same object gives the same key in a second cluster or after a restore; `counter` and
/// `incarnation` ask for another one on purpose.
pub fn request_id(
    advertiser: &str,
    kind: &str,
    namespace: &str,
    name: &str,
    incarnation: i64,
    counter: u32,
) -> String {
    let mut hash = Sha256::new();
    for part in [
        advertiser,
        kind,
        namespace,
        name,
        &incarnation.to_string(),
        &counter.to_string(),
    ] {
        // The length in front keeps ("ab","c") and ("a","bc") apart.
        hash.update((part.len() as u64).to_be_bytes());
        hash.update(part.as_bytes());
    }
    let digest = hash.finalize();
    let mut first = [0u8; 8];
    first.copy_from_slice(&digest[..8]);
    // Zero is no id; the chance is 2^-63, the guard costs nothing.
    (u64::from_be_bytes(first) >> 1).max(1).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn r10_key_is_stable_and_fits_int64() {
        let a = request_id("7002238017842757633", "Campaign", "ads", "spring", 0, 0);
        assert_eq!(
            a,
            request_id("7002238017842757633", "Campaign", "ads", "spring", 0, 0)
        );
        assert!(a.parse::<i64>().is_ok_and(|n| n > 0));
    }

    proptest! {
        #[test]
        fn r10_every_part_enters_the_key(ns in "[a-z]{1,8}", name in "[a-z]{1,8}", inc in 0i64..5, counter in 0u32..16) {
            let base = request_id("1", "Campaign", &ns, &name, inc, counter);
            prop_assert_ne!(&base, &request_id("2", "Campaign", &ns, &name, inc, counter));
            prop_assert_ne!(&base, &request_id("1", "AdGroup", &ns, &name, inc, counter));
            prop_assert_ne!(&base, &request_id("1", "Campaign", &format!("{ns}{name}"), "", inc, counter));
            prop_assert_ne!(&base, &request_id("1", "Campaign", &ns, &name, inc + 1, counter));
            prop_assert_ne!(&base, &request_id("1", "Campaign", &ns, &name, inc, counter + 1));
            prop_assert!(base.parse::<i64>().is_ok());
        }
    }
}
