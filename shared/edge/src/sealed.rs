//! What only the holder of a key may read, and links that prove themselves.
//!
//! Names and addresses are sealed with AES-256-GCM under a data key per customer: whoever deletes the key has erased
//! them, wherever their items and their copies lie. What a link of a message is about is sealed under its marketplace's
//! secret; the link to an order's page is signed with HMAC-SHA256 under its cart's id. So neither needs a list.

use crate::problem::Problem;
use crate::world::{NoSecret, World};
use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use aws_lc_rs::hmac;
use base64::Engine;
use base64::engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD};
use domain::id::{CartId, CustomerId, OrderId};
use serde::{Serialize, de::DeserializeOwned};
use table::person::{DataKey, Sealed};

/// A fresh data key.
pub fn data_key(world: &World, customer: &CustomerId) -> Result<DataKey, NoSecret> {
    let key = world.random::<32>()?;
    Ok(DataKey { customer: customer.clone(), key: STANDARD_NO_PAD.encode(key) })
}

fn key_of(key: &DataKey) -> Option<LessSafeKey> {
    let bytes = STANDARD_NO_PAD.decode(&key.key).ok()?;
    UnboundKey::new(&AES_256_GCM, &bytes).ok().map(LessSafeKey::new)
}

/// Seals a value to what it is `about`: nobody can pass it off as another's.
pub fn seal<T: Serialize>(world: &World, key: &DataKey, about: &str, value: &T) -> Result<Sealed, Problem> {
    let nonce = world.random::<NONCE_LEN>().map_err(|error| Problem::fault(&error))?;
    let mut text = serde_json::to_vec(value).map_err(|error| Problem::fault(&error))?;
    let sealing = key_of(key).ok_or_else(Problem::internal)?;
    let sealed = sealing.seal_in_place_append_tag(
        Nonce::assume_unique_for_key(nonce),
        Aad::from(about.as_bytes()),
        &mut text,
    );
    sealed.map_err(|_| Problem::internal())?;
    Ok(Sealed { nonce: STANDARD_NO_PAD.encode(nonce), text: STANDARD_NO_PAD.encode(text) })
}

/// What was sealed; none with another key, about something else, or changed.
pub fn unseal<T: DeserializeOwned>(key: &DataKey, about: &str, sealed: &Sealed) -> Option<T> {
    let nonce: [u8; NONCE_LEN] = STANDARD_NO_PAD.decode(&sealed.nonce).ok()?.try_into().ok()?;
    let mut text = STANDARD_NO_PAD.decode(&sealed.text).ok()?;
    let nonce = Nonce::assume_unique_for_key(nonce);
    let plain = key_of(key)?.open_in_place(nonce, Aad::from(about.as_bytes()), &mut text).ok()?;
    serde_json::from_slice(plain).ok()
}

/// Seals a word to a place, the same each time: its nonce follows from both (as in RFC 5297), so none is used for two.
pub(crate) fn seal_word(secret: &str, place: &str, word: &str) -> Option<String> {
    let nonce = digest(secret, &["nonce", place, word].join("\n"));
    let nonce: [u8; NONCE_LEN] = nonce.as_ref().get(..NONCE_LEN)?.try_into().ok()?;
    let mut text = word.as_bytes().to_vec();
    let once = Nonce::assume_unique_for_key(nonce);
    sealing_key(secret)?.seal_in_place_append_tag(once, Aad::from(place.as_bytes()), &mut text).ok()?;
    Some(URL_SAFE_NO_PAD.encode([&nonce[..], &text].concat()))
}

/// The word that was sealed to a place; none with another secret, elsewhere, or changed.
pub(crate) fn open_word(secret: &str, place: &str, sealed: &str) -> Option<String> {
    let sealed = URL_SAFE_NO_PAD.decode(sealed).ok()?;
    let (nonce, text) = sealed.split_at_checked(NONCE_LEN)?;
    let (nonce, mut text) = (Nonce::try_assume_unique_for_key(nonce).ok()?, text.to_vec());
    let plain = sealing_key(secret)?.open_in_place(nonce, Aad::from(place.as_bytes()), &mut text).ok()?;
    String::from_utf8(plain.to_vec()).ok()
}

fn sealing_key(secret: &str) -> Option<LessSafeKey> {
    let key = digest(secret, "key");
    UnboundKey::new(&AES_256_GCM, key.as_ref()).ok().map(LessSafeKey::new)
}

fn digest(secret: &str, about: &str) -> hmac::Tag {
    hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, secret.as_bytes()), about.as_bytes())
}

/// The signature of a link to what `about` names.
fn signature(secret: &str, about: &str) -> String {
    URL_SAFE_NO_PAD.encode(digest(secret, about))
}

/// Whether a link's signature is the one; takes as long for every wrong one.
fn is_signed(secret: &str, about: &str, signature: &str) -> bool {
    let key = hmac::Key::new(hmac::HMAC_SHA256, secret.as_bytes());
    let given = URL_SAFE_NO_PAD.decode(signature).unwrap_or_default();
    hmac::verify(&key, about.as_bytes(), &given).is_ok()
}

/// The path of an order's page, for whoever has the link. It is signed under the cart's id, which only the shopper and
/// the order know.
pub fn order_page(order: &OrderId, cart: &CartId) -> String {
    format!("/v1/order-pages/{order}?signature={}", signature(cart.as_str(), order.as_str()))
}

/// Whether a signature is that of the link to an order's page.
pub fn is_order_page(order: &OrderId, cart: &CartId, signature: &str) -> bool {
    is_signed(cart.as_str(), order.as_str(), signature)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(bits: u128) -> DataKey {
        let byte = u8::try_from(bits).unwrap();
        DataKey { customer: CustomerId::from_bits(bits), key: STANDARD_NO_PAD.encode([byte; 32]) }
    }

    fn sealed(key: &DataKey, about: &str) -> Sealed {
        let mut text = serde_json::to_vec("Ines Groß").unwrap();
        let nonce = [7; NONCE_LEN];
        let (once, aad) = (Nonce::assume_unique_for_key(nonce), Aad::from(about.as_bytes()));
        key_of(key).unwrap().seal_in_place_append_tag(once, aad, &mut text).unwrap();
        Sealed { nonce: STANDARD_NO_PAD.encode(nonce), text: STANDARD_NO_PAD.encode(text) }
    }

    #[test]
    fn what_is_sealed_opens_with_its_key_for_its_thing_and_unchanged() {
        let kept = sealed(&key(1), "ord_1");
        assert!(!format!("{kept:?}").contains("Ines"));
        assert_eq!(unseal::<String>(&key(1), "ord_1", &kept).unwrap(), "Ines Groß");
        assert_eq!(unseal::<String>(&key(2), "ord_1", &kept), None);
        assert_eq!(unseal::<String>(&key(1), "ord_2", &kept), None);
        let first = if kept.text.starts_with('A') { "B" } else { "A" };
        let changed = Sealed { text: format!("{first}{}", &kept.text[1..]), ..kept };
        assert_eq!(unseal::<String>(&key(1), "ord_1", &changed), None);
    }

    #[test]
    fn a_word_is_sealed_the_same_each_time_and_opens_in_its_place_alone() {
        let sealed = seal_word("secret", "cart", "crt_1").unwrap();
        assert_eq!(seal_word("secret", "cart", "crt_1").unwrap(), sealed);
        assert_ne!(seal_word("secret", "cart", "crt_2").unwrap()[..16], sealed[..16], "another nonce");
        assert!(!sealed.contains("crt_1"));
        assert_eq!(open_word("secret", "cart", &sealed).unwrap(), "crt_1");
        let changed = format!("{}{}", if sealed.starts_with('A') { 'B' } else { 'A' }, &sealed[1..]);
        for (secret, place, sealed) in [
            ("other", "cart", sealed.as_str()),
            ("secret", "review", &sealed),
            ("secret", "cart", &changed),
            ("secret", "cart", ""),
            ("secret", "cart", "!"),
        ] {
            assert_eq!(open_word(secret, place, sealed), None, "{secret} {place} {sealed}");
        }
    }

    #[test]
    fn a_link_is_signed_for_one_thing_by_one_secret() {
        let link = signature("crt_secret", "ord_1");
        assert!(is_signed("crt_secret", "ord_1", &link));
        for (secret, about, link) in [
            ("crt_other", "ord_1", link.as_str()),
            ("crt_secret", "ord_2", &link),
            ("crt_secret", "ord_1", ""),
            ("crt_secret", "ord_1", "!"),
        ] {
            assert!(!is_signed(secret, about, link), "{secret} {about} {link}");
        }
    }
}
