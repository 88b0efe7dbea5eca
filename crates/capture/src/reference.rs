//! What stands for an image or a document: its bytes are not kept.

use crate::facts::UnitKey;

/// What stands for bytes, as an agent has written them.
pub(crate) fn of_bytes(written: &str) -> String {
    format!("sha256-16:{}", UnitKey::of(&[written]).hex())
}

/// What stands for what is at an address, which may hold the bytes itself.
pub(crate) fn of_address(address: &str) -> String {
    match address.starts_with("data:") {
        true => of_bytes(address),
        false => address.to_owned(),
    }
}

/// The same where it stands in the output of a tool, among what is text: `[image/png, 48 kB, sha256-16:…]`.
/// `kind` is the media type, or what else is known of it.
pub(crate) fn bytes_in_output(kind: &str, base64: &str) -> String {
    let size = size_of(base64);
    format!("[{kind}, {size}, {}]", of_bytes(base64))
}

/// The same of an address.
pub(crate) fn address_in_output(kind: &str, address: &str) -> String {
    let Some((head, base64)) = data_of(address) else {
        return format!("[{kind}: {address}]");
    };
    let named = head.split(';').next().filter(|named| !named.is_empty());
    let (kind, size) = (named.unwrap_or(kind), size_of(base64));
    format!("[{kind}, {size}, {}]", of_bytes(address))
}

/// What stands before the bytes in an address, and the bytes.
fn data_of(address: &str) -> Option<(&str, &str)> {
    address.strip_prefix("data:")?.split_once(',')
}

/// How large the bytes are that were written in Base64.
fn size_of(base64: &str) -> String {
    let digits = base64.trim_end().trim_end_matches('=').len();
    match digits * 3 / 4 {
        bytes @ 0..1000 => format!("{bytes} bytes"),
        bytes => format!("{} kB", (bytes + 500) / 1000),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_in_an_output_is_told_by_its_kind_size_and_digest() {
        let written = "iVBORw0KGg==";
        let digest = of_bytes(written);
        let told = bytes_in_output("image/png", written);
        assert_eq!(told, format!("[image/png, 7 bytes, {digest}]"));
        let address = format!("data:image/jpeg;base64,{}", "A".repeat(64_000));
        let digest = of_address(&address);
        let told = address_in_output("image", &address);
        assert_eq!(told, format!("[image/jpeg, 48 kB, {digest}]"));
        let told = address_in_output("image", "https://a.example.org/b.png");
        assert_eq!(told, "[image: https://a.example.org/b.png]");
    }
}
