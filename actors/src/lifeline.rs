//! The death watch: a panic in a handler ends an actor for good and nothing else notices.
