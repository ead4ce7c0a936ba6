//! Where a condition finds its value.

use super::json;
use crate::condition::{Budget, Node, Path, Property, Room};

#[test]
fn names_the_common_paths() {
    for (property, expected) in [
        ("$.identity.identifier", "Path(IdentityIdentifier)"),
        ("$.identity['identifier']", "Path(IdentityIdentifier)"),
        ("$.identity.key", "Path(IdentityKey)"),
        ("$.environment.key", "Path(EnvironmentKey)"),
        ("$.environment.name", "Path(EnvironmentName)"),
        ("$.identity.traits.plan", "Path(IdentityTrait(\"plan\"))"),
        ("$.identity.traits.x-y", "Path(IdentityTrait(\"x-y\"))"),
        ("$.identity.traits['a b']", "Path(IdentityTrait(\"a b\"))"),
        ("$.identity.traits[\"it's\"]", "Path(IdentityTrait(\"it's\"))"),
        ("$.identity .traits [ 'é' ]", "Path(IdentityTrait(\"é\"))"),
        ("plan", "Trait(\"plan\")"),
        ("$", "Trait(\"$\")"),
        ("$x", "Trait(\"$x\")"),
        ("$['identity']['key']", "Trait(\"$['identity']['key']\")"),
        ("", "Trait(\"\")"),
        ("$.", "Trait(\"$.\")"),
        ("$.a b", "Trait(\"$.a b\")"),
        ("$.identity.traits.", "Trait(\"$.identity.traits.\")"),
        ("$.1", "Trait(\"$.1\")"),
        ("$.identity.key ", "Trait(\"$.identity.key \")"),
        ("$.a[?foo(@)]", "Path(Raising)"),
        ("$.a[9007199254740992]", "Path(Raising)"),
    ] {
        assert_eq!(
            format!("{:?}", Property::parse(property, &mut Room::default())),
            expected,
            "{property}"
        );
    }
}

#[test]
fn reads_another_flags_result() {
    let Property::Path(Path::Flags { name, rest }) =
        Property::parse("$.flags['a flag'].value[0]", &mut Room::default())
    else {
        panic!("no path of a flag");
    };
    assert_eq!(name, "a flag");
    let result = json(r#"{"enabled": true, "value": [7]}"#);
    assert_eq!(
        rest.first(Node::Value(&result), &Budget::new())
            .unwrap()
            .unwrap()
            .text(),
        "7"
    );
    assert!(matches!(
        Property::parse("$.flags.*", &mut Room::default()),
        Property::Path(Path::General(_))
    ));
    assert!(matches!(
        Property::parse("$.flags.a[?@.b]", &mut Room::default()),
        Property::Path(Path::General(_))
    ));
}
