//! Files of certificates and keys as accidents leave them, and what must not be said of them.

/// A certificate and its key, both as PEM, with what happens to such files: line breaks that are lost or written out (as by a
/// variable or a template), a section that is cut, characters that do not belong there.
pub fn broken(certificate: &str, key: &str) -> Vec<String> {
    let one_file = [
        format!("{certificate}{key}"),
        format!("{key}{certificate}"),
        key.to_owned(),
    ];
    let accidents: [fn(&str) -> String; 6] = [
        |pem| pem.replace('\n', "\\n"),
        |pem| pem.replace('\n', " "),
        |pem| pem.replace('\n', ""),
        |pem| pem[..pem.len() - 40].to_owned(),
        |pem| pem.replace('\n', "\n!"),
        // The end of a section, and the key behind it on the same line.
        |pem| pem.replacen("-----\n", "\n", 1).replace("\n-----END", "-----END"),
    ];
    one_file
        .iter()
        .flat_map(|pem| accidents.map(|accident| accident(pem)))
        .collect()
}

/// Checks that a text holds no part of a key: neither its characters nor their numbers.
///
/// # Panics
/// Where it does.
pub fn assert_holds_nothing_of(text: &str, key: &str) {
    for line in key.lines().filter(|line| !line.starts_with('-')) {
        for part in line.as_bytes().windows(8) {
            let characters = String::from_utf8_lossy(part);
            let numbers = part.iter().map(u8::to_string).collect::<Vec<_>>().join(", ");
            assert!(
                !text.contains(&*characters) && !text.contains(&numbers),
                "a part of the key is told: {text}"
            );
        }
    }
}
