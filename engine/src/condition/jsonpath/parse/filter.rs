//! What stands after a `?`.
use super::cursor::Cursor;
use crate::condition::jsonpath::query::{
    Comparator, Expression, FilterQuery, Function, Operand, PathError, Query, Type,
};
use crate::python::{Integer, PyValue};

/// A filter: what it tests.
pub(super) fn filter(cursor: &mut Cursor<'_, '_>) -> Result<Operand, PathError> {
    let tested = alternatives(cursor)?;
    if matches!(&tested, Operand::Function(function) if function.returns() == Type::Value) {
        cursor.raise();
    }
    test(tested)
}

fn alternatives(cursor: &mut Cursor<'_, '_>) -> Result<Operand, PathError> {
    joined(
        cursor,
        "||",
        |cursor| joined(cursor, "&&", comparison, Expression::All),
        Expression::Any,
    )
}

fn joined<'t, 'r>(
    cursor: &mut Cursor<'t, 'r>,
    operator: &str,
    part: impl Fn(&mut Cursor<'t, 'r>) -> Result<Operand, PathError>,
    join: impl Fn(Vec<Operand>) -> Expression,
) -> Result<Operand, PathError> {
    let first = part(cursor)?;
    if !take_after_blanks(cursor, operator) {
        return Ok(first);
    }
    let mut parts = vec![test(first)?];
    loop {
        parts.push(test(part(cursor)?)?);
        if !take_after_blanks(cursor, operator) {
            return Ok(Operand::Logical(Box::new(join(parts))));
        }
    }
}

fn take_after_blanks(cursor: &mut Cursor<'_, '_>, expected: &str) -> bool {
    let before = cursor.place();
    cursor.skip_blanks();
    let found = cursor.take(expected);
    if !found {
        cursor.return_to(before);
    }
    found
}

/// Comparisons chain to the right, `!` binds closer, and anything may stand in parentheses: the library's grammar, which
/// takes more than the RFC's.
fn comparison(cursor: &mut Cursor<'_, '_>) -> Result<Operand, PathError> {
    let left = unary(cursor)?;
    let Some(comparator) = comparator(cursor) else {
        return Ok(left);
    };
    let right = cursor.nested(comparison)?;
    if !is_comparable(&left) || !is_comparable(&right) {
        cursor.raise();
    }
    Ok(Operand::Logical(Box::new(Expression::Compare(
        left, comparator, right,
    ))))
}

fn unary(cursor: &mut Cursor<'_, '_>) -> Result<Operand, PathError> {
    cursor.skip_blanks();
    if cursor.take("!") {
        let negated = cursor.nested(unary)?;
        return Ok(Operand::Logical(Box::new(Expression::Not(negated))));
    }
    if cursor.take("(") {
        let inner = cursor.nested(alternatives)?;
        cursor.skip_blanks();
        cursor.expect(")")?;
        return Ok(inner);
    }
    operand(cursor)
}

/// A literal is no test.
fn test(operand: Operand) -> Result<Operand, PathError> {
    if matches!(operand, Operand::Literal(_)) {
        Err(PathError::Syntax)
    } else {
        Ok(operand)
    }
}

fn is_comparable(operand: &Operand) -> bool {
    match operand {
        Operand::Query(query) => query.query.is_singular(),
        Operand::Function(function) => function.returns() == Type::Value,
        Operand::Literal(_) | Operand::Logical(_) => true,
    }
}

fn comparator(cursor: &mut Cursor<'_, '_>) -> Option<Comparator> {
    const COMPARATORS: [(&str, Comparator); 6] = [
        ("==", Comparator::Equal),
        ("!=", Comparator::NotEqual),
        ("<=", Comparator::LessOrEqual),
        (">=", Comparator::GreaterOrEqual),
        ("<", Comparator::Less),
        (">", Comparator::Greater),
    ];
    COMPARATORS
        .into_iter()
        .find(|(text, _)| take_after_blanks(cursor, text))
        .map(|(_, comparator)| comparator)
}

fn operand(cursor: &mut Cursor<'_, '_>) -> Result<Operand, PathError> {
    match cursor.peek().ok_or(PathError::Syntax)? {
        sigil @ ('@' | '$') => {
            cursor.next();
            let query = cursor.nested(Query::parse_segments)?;
            Ok(Operand::Query(FilterQuery {
                is_relative: sigil == '@',
                query,
            }))
        }
        quote @ ('\'' | '"') => {
            cursor.next();
            cursor
                .quoted(quote)
                .map(|string| Operand::Literal(PyValue::String(string)))
        }
        '-' | '0'..='9' => number(cursor).map(Operand::Literal),
        _ => word(cursor),
    }
}

fn word(cursor: &mut Cursor<'_, '_>) -> Result<Operand, PathError> {
    const LITERALS: [(&str, PyValue); 3] = [
        ("true", PyValue::Boolean(true)),
        ("false", PyValue::Boolean(false)),
        ("null", PyValue::None),
    ];
    let literal = LITERALS.into_iter().find(|(text, _)| cursor.take(text));
    if let Some((_, value)) = literal {
        return Ok(Operand::Literal(value));
    }
    let is_name = |character: char| matches!(character, 'a'..='z' | '0'..='9' | '_');
    let name = cursor.take_while(is_name);
    cursor.expect("(")?;
    let arguments = cursor.nested(arguments)?;
    Ok(match Function::new(name, arguments, cursor.room()) {
        Some(function) => Operand::Function(Box::new(function)),
        None => {
            cursor.raise();
            Operand::Query(FilterQuery {
                is_relative: true,
                query: Query { segments: Vec::new() },
            })
        }
    })
}

fn arguments(cursor: &mut Cursor<'_, '_>) -> Result<Vec<Operand>, PathError> {
    let mut arguments = Vec::new();
    cursor.skip_blanks();
    if cursor.take(")") {
        return Ok(arguments);
    }
    loop {
        cursor.skip_blanks();
        arguments.push(argument(cursor)?);
        cursor.skip_blanks();
        if cursor.take(")") {
            return Ok(arguments);
        }
        cursor.expect(",")?;
    }
}

fn argument(cursor: &mut Cursor<'_, '_>) -> Result<Operand, PathError> {
    match cursor.peek() {
        Some('!' | '(') => Err(PathError::Syntax),
        _ => alternatives(cursor),
    }
}

fn number(cursor: &mut Cursor<'_, '_>) -> Result<PyValue, PathError> {
    let start = cursor.place();
    cursor.take("-");
    let whole = cursor.take_while(|character| character.is_ascii_digit());
    let mut is_float = false;
    if cursor.take(".") {
        is_float = true;
        digits(cursor)?;
    }
    if cursor.take("e") || cursor.take("E") {
        is_float |= cursor.rest().starts_with('-');
        let _sign = cursor.take("-") || cursor.take("+");
        digits(cursor)?;
    }
    let text = cursor.since(start);
    if whole.is_empty() || (whole.len() > 1 && text.starts_with('0')) {
        return Err(PathError::Syntax);
    }
    let number: f64 = text.parse().map_err(|_| PathError::Syntax)?;
    if is_float {
        return Ok(PyValue::Float(number));
    }
    // The library reads integers by way of a float too.
    Integer::from_float(number)
        .map(PyValue::Integer)
        .ok_or(PathError::Raised)
}

fn digits(cursor: &mut Cursor<'_, '_>) -> Result<(), PathError> {
    let digits = cursor.take_while(|character| character.is_ascii_digit());
    if digits.is_empty() {
        Err(PathError::Syntax)
    } else {
        Ok(())
    }
}
