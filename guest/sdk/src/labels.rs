//! Label values joined into one key, so that a look-up allocates nothing.

/// No UTF-8 text contains this byte; it ends each value.
const END: u8 = 0xff;

/// Writes the key of `values` into `key`, replacing what it held.
pub(crate) fn join<'a>(values: impl IntoIterator<Item = &'a str>, key: &mut Vec<u8>) {
    key.clear();
    for value in values {
        key.extend_from_slice(value.as_bytes());
        key.push(END);
    }
}

/// The values of a key that [`join`] made.
pub(crate) fn split(key: &[u8]) -> Vec<&str> {
    key.split_inclusive(|&byte| byte == END)
        .map(|value| str::from_utf8(&value[..value.len() - 1]).expect("keys are made of text"))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_gives_back_its_values() {
        for values in [&[][..], &[""], &["", ""], &["a", "", "\0ü\n"]] {
            let mut key = b"left over".to_vec();
            join(values.iter().copied(), &mut key);
            assert_eq!(split(&key), values);
        }
    }
}
