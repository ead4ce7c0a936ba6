"""The values that conditions and traits are drawn from: ordinary ones, and every edge that Python has."""

# JSON values of traits, missing ones aside. Numbers first, then strings, then the rest.
TRAITS = [
    0, 1, -1, 7, 10, -3, 100, 2**31, 2**53 + 1, 2**63 - 1, -(2**63), 2**64 - 1,
    0.0, -0.0, 1.0, 1.5, -1.5, 2.5, 0.1, 100.0, 1e16, 1e22, 1.5e-7, 5e-324, 1.7976931348623157e308,
    True, False, None,
    "", " ", "a", "A", "abc", "ABC", "a\n", "ab\nc", "a,b", "[", "é", "e\u0301", "ß", "日本", "\U0001f600",
    "\u0000",
    " 1", "1 ", "1_000", "007", "0412", "-0", "-07", "+1", "1.50", "1.10", "-1.5", "1.", ".5", "1e5", "1e400",
    "nan",
    "inf", "-inf", "--1", "1,5", "0x10", "\u0663", "\uff11", "1\n", "12345678901234567890123", "1." + "0" * 25,
    "99999999999999999999.5", "9" * 400 + ".0",
    "True", "true", "False", "false", "None", "null", "yes",
    "1.2.3", "1.2.4", "1.10.0", "2.0.0-rc.1", "2.0.0-rc.2", "2.0.0-beta", "2.0.0", "1.2.3+build", "1.2.3+b2",
    "v1.2.3",
    "1.2", "01.2.3", "1.2.3\n", "1.0.0-alpha.1+x.7", "1.2.3-0", "1.2.3-00", "1.2.3-0a",
    "18446744073709551616.0.1", "test@example.com", "premium plan", "foo_bar", "x-y", "free",
]

# Integers that no trait of the HTTP surface may have (400), but identifiers, condition values and features may.
BIG_INTEGERS = [2**64, 10**30, -(10**30)]

# Condition values: mostly strings, as Flagsmith stores them; a document can hold any JSON value.
VALUES = [
    "", " ", "a", "A", "abc", "b", "a\n", "é", "ß", "日本", "\U0001f600", "bc", "premium", "free", "@example.com",
    "0", "1", "-1", "7", "10", "-3", "007", "0412", "+1", "-0", " 1", "1 ", "\t1\n", "1_000", "1__0", "_1",
    "1.0", "1.5",
    "1.50", "1.1", ".5", "1.", "1e1", "1e5", "1E5", "1e400", "-1e400", "nan", "inf", "-Infinity", "\u0663",
    "\uff11",
    "9223372036854775807", "9223372036854775808", "12345678901234567890123", "9007199254740993",
    "9007199254740993.0",
    "1" + "0" * 30, "0x10", "1j", "True", "true", "False", "false", "FALSE", " false", "None", "null", "yes",
    None, 0, 1, 7, 1.0, 1.5, True, False, -3, 10**30, [], [1, "a", None, True, 2.5], ["7", "abc"], {}, {"a": 1},
]

SEMVERS = [
    "1.2.3:semver", "1.2.4:semver", "1.10.0:semver", "2.0.0:semver", "2.0.0-rc.1:semver", "2.0.0-beta:semver",
    "1.2.3+other:semver", "1.2:semver", "v1.2.3:semver", "01.2.3:semver", ":semver", "a:semver", "rc.1:semver",
    "build:semver", "rc.1:SEMVER", "1.2.3:semver ", "18446744073709551616.0.0:semver", "1.2.3-0:semver",
    "0:semver",
    "1.2.3\n:semver", "alpha.1:semver", "x.7:semver", "3:semver",
]

LISTS = [
    "a,b", "a, b", "7,abc", " 7", "1,2.5,True,None", ",", "1.0", "1.5,2.5", "True", "None,nan",
    '["a","b"]', "[1,2]", "[7]", "[1.0, 1.5]", "[true, null, 2.5]", '["7", "412"]', "[1,", "[abc", '["a"] ',
    "[]", "[",
    '[["a"], {"b": 1}]', "[1e5]", "[NaN]", "[1]]", "412", "[100000000000000000000000000000000]", '[ "a"\n]',
    '["\\u00e9"]', "[-0]", "[-0.0]", "é,ß", "test@example.com", "abc,", "\ufeff[1]",
]

MODULOS = [
    "2|0", "2|1", "3|1", "3|2", "-3|-1", "1.5|0", "0.1|0", "0|0", "0.0|1", "2|1|1", "2", "|", "2|", "a|1",
    " 2 | 1 ",
    "1_0|0", "1e1|0", "inf|1", "inf|-3", "-inf|1", "nan|1", "7|7", "10|7.0", "1|0", "2|1\n", "1e400|7",
    "100|0", "7|0",
]

REGEXES = [
    "", "a", "^a", "abc$", "^abc$", "b", ".*b", "a|b", r"\d+", r"\d+$", r"\w+", r"^\w+$", r"\s", r"[a-c]+$",
    "(?i)ABC",
    "(?i:a)BC", r"(?P<n>a).*", r"(?P<n>.)(?P=n)", r"(.)\1", r"(?=a)abc", r"a(?!b)", r"(?<=a)b", r"a(?<!b)",
    r"abc\Z", r"a\Z",
    r"a\z", "a$", "a.c", "(?s)ab.c", "(?m)ab$", "(?x) a b c # comment", "[", "(", ")", "*", "a**", "a{2",
    "a{,2}", "a{1,2}b?",
    "(?P<1>a)", r"\p{L}", r"\bfoo", r"\Bfoo", "7", "1.0", "1", "True", "True$", "False", "None",
    r"-?\d+\.\d+$", "412$",
    r"^[^@]+@example\.com$", r"[\w.]+@", r"(a+)+$", r"\u00e9", r"\x61", r"\N{DIGIT ONE}", "é", "[à-ü]",
    r"[^\W\d]+$",
    r"[[a]", r"[a&&b]", r"[a--b]", r"a++b", r"(?>a)b", r"(a)?(?(1)b|c)", r"\Aabc", r"(?:a|ab)c", r"[]a]",
    r"[^]a]",
    r"a*?", r"\/", r"\-", r"\_", r"\e", r"\<", r"(?a)\w+$", r"(?u)\w+$", r"(?L)a", "日", r"\S+$",
    "premium (plan|tier)",
    r"1e\+", r"-", r"^$", "$", r"\d{3}", r"(?#comment)a", r"\08", r"\1", r"[\b]", r"[z-a]", r"a{3,1}", r"x*",
    "ſ", "(?i)ſ",
    "(?i)K", "(?i)ß", r"(?i)é", r"\0", None, 7, True, 1.5, ["a"],
]

SPLITS = ["0", "100", "50", "33.3", "10", "99.99", "0.01", "-1", "101", "inf", "nan", "", "abc", " 50 ", "5_0",
    "1e1", None, 50, 12.5,
          True, [50]]

IDENTIFIERS = [
    "alice", "bob", "carol", "dave@example.com", "007", "7", "1.50", "1.5", "-0", "0", "42",
    "12345678901234567890123", "ü", "日本",
    "a,b", "a_b", "True", "None", "[x]", "nan", "1.2.3", "x" * 300, "\U0001f600", "0412", "-7",
]

COMPARISONS = ["EQUAL", "NOT_EQUAL", "GREATER_THAN", "GREATER_THAN_INCLUSIVE", "LESS_THAN",
    "LESS_THAN_INCLUSIVE"]

# Which values a condition of an operator is tested against in the grid, beside VALUES.
VALUES_BY_OPERATOR = {
    **{operator: SEMVERS for operator in [*COMPARISONS, "CONTAINS", "NOT_CONTAINS"]},
    "IN": LISTS,
    "REGEX": REGEXES,
    "MODULO": MODULOS,
    "IS_SET": [],
    "IS_NOT_SET": [],
    "PERCENTAGE_SPLIT": SPLITS,
    "SOMETHING_ELSE": [],
}

FEATURE_VALUES = [
    None, "", "on", "é", "日本\U0001f600", "a\"b\\c\n", "1", 0, 1, -5, 2**53 + 1, 2**63, 10**30, 1.0, 1.5, -0.0,
    1e22, 1e-7, True, False,
]

# Of feature states: core's for an experiment, what passes all the same, and what is none.
METADATA = [
    {"experiment": {"id": 7, "name": 'a "b" },{', "in_experiment": True}},
    {"experiment": {"id": 8, "name": "größe", "in_experiment": False}, "more": [1.5, None, {"]": "}"}]},
    {"id": 1},
    {},
    None,
    [1],
    "text",
]
