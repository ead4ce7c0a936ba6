//! Segment conditions: operators, values, regexes, JSONPath.
