//! What stands after a `?`.
use super::cursor::Cursor;
use super::filter::{Comparator, Expression, FilterQuery, Operand};
use super::functions::{Function, Type};
use super::{PathError, Query};
use crate::python::{Integer, PyValue};

/// A filter's expression.
pub(super) fn filter(cursor: &mut Cursor<'_>) -> Result<Expression, PathError> {
    let first = conjunction(cursor)?;
    let mut alternatives = vec![first];
    while take_after_blanks(cursor, "||") {
        alternatives.push(conjunction(cursor)?);
    }
    Ok(Expression::Any(alternatives))
}

fn conjunction(cursor: &mut Cursor<'_>) -> Result<Expression, PathError> {
    let mut parts = vec![basic(cursor)?];
    while take_after_blanks(cursor, "&&") {
        parts.push(basic(cursor)?);
    }
    Ok(Expression::All(parts))
}

fn take_after_blanks(cursor: &mut Cursor<'_>, expected: &str) -> bool {
    let before = cursor.place();
    cursor.skip_blanks();
    let found = cursor.take(expected);
    if !found {
        cursor.return_to(before);
    }
    found
}

fn basic(cursor: &mut Cursor<'_>) -> Result<Expression, PathError> {
    cursor.skip_blanks();
    if cursor.take("!") {
        let negated = cursor.nested(basic)?;
        // `!@.a == 1` negates `@.a` in no reading: a comparison needs parentheses.
        return match negated {
            Expression::Compare(..) => Err(PathError::Syntax),
            other => Ok(Expression::Not(Box::new(other))),
        };
    }
    if cursor.take("(") {
        let inner = cursor.nested(filter)?;
        cursor.skip_blanks();
        cursor.expect(")")?;
        return Ok(Expression::All(vec![inner]));
    }
    let left = operand(cursor)?;
    match comparator(cursor) {
        Some(comparator) => {
            cursor.skip_blanks();
            let right = operand(cursor)?;
            Ok(Expression::Compare(
                comparable(left)?,
                comparator,
                comparable(right)?,
            ))
        }
        None => test(left),
    }
}

fn test(operand: Operand) -> Result<Expression, PathError> {
    match operand {
        Operand::Query(query) => Ok(Expression::Exists(query)),
        Operand::Function(function) if function.returns() == Type::Logical => Ok(Expression::Test(function)),
        Operand::Function(_) => Err(PathError::Raised),
        Operand::Literal(_) => Err(PathError::Syntax),
    }
}

fn comparable(operand: Operand) -> Result<Operand, PathError> {
    let is_comparable = match &operand {
        Operand::Query(query) => query.query.is_singular(),
        Operand::Function(function) => function.returns() == Type::Value,
        Operand::Literal(_) => true,
    };
    if is_comparable {
        Ok(operand)
    } else {
        Err(PathError::Raised)
    }
}

fn comparator(cursor: &mut Cursor<'_>) -> Option<Comparator> {
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

fn operand(cursor: &mut Cursor<'_>) -> Result<Operand, PathError> {
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

fn word(cursor: &mut Cursor<'_>) -> Result<Operand, PathError> {
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
    Function::new(name, arguments).map(|function| Operand::Function(Box::new(function)))
}

fn arguments(cursor: &mut Cursor<'_>) -> Result<Vec<Operand>, PathError> {
    let mut arguments = Vec::new();
    cursor.skip_blanks();
    if cursor.take(")") {
        return Ok(arguments);
    }
    loop {
        cursor.skip_blanks();
        arguments.push(operand(cursor)?);
        cursor.skip_blanks();
        if cursor.take(")") {
            return Ok(arguments);
        }
        cursor.expect(",")?;
    }
}

fn number(cursor: &mut Cursor<'_>) -> Result<PyValue, PathError> {
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

fn digits(cursor: &mut Cursor<'_>) -> Result<(), PathError> {
    let digits = cursor.take_while(|character| character.is_ascii_digit());
    if digits.is_empty() {
        Err(PathError::Syntax)
    } else {
        Ok(())
    }
}
