//! SPDX licence expressions, as far as packages use them: OR, AND, WITH, parentheses, and the old `/` for OR.

/// Whether a choice of licences from `allowed` satisfies `expression`; `None` if it cannot be read.
pub(crate) fn allows(expression: &str, allowed: &[String]) -> Option<bool> {
    let spaced = expression.replace('(', " ( ").replace(')', " ) ").replace('/', " OR ");
    let tokens: Vec<&str> = spaced.split_whitespace().collect();
    let mut reader = Reader { tokens: &tokens, allowed };
    let result = reader.any()?;
    reader.tokens.is_empty().then_some(result)
}

struct Reader<'t> {
    tokens: &'t [&'t str],
    allowed: &'t [String],
}

impl<'t> Reader<'t> {
    fn take(&mut self) -> Option<&'t str> {
        let (first, rest) = self.tokens.split_first()?;
        self.tokens = rest;
        Some(first)
    }

    fn take_if(&mut self, token: &str) -> bool {
        let found = self.tokens.first() == Some(&token);
        if found {
            self.tokens = &self.tokens[1..];
        }
        found
    }

    fn any(&mut self) -> Option<bool> {
        let mut result = self.all()?;
        while self.take_if("OR") {
            result |= self.all()?;
        }
        Some(result)
    }

    fn all(&mut self) -> Option<bool> {
        let mut result = self.one()?;
        while self.take_if("AND") {
            result &= self.one()?;
        }
        Some(result)
    }

    fn one(&mut self) -> Option<bool> {
        if self.take_if("(") {
            let result = self.any()?;
            return self.take_if(")").then_some(result);
        }
        let name = self.take().filter(|name| !["OR", "AND", "WITH", ")"].contains(name))?;
        let licence = match self.take_if("WITH") {
            true => format!("{name} WITH {}", self.take()?),
            false => name.to_owned(),
        };
        Some(self.allowed.contains(&licence))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn expressions_are_decided() {
        let allowed = ["MIT", "ISC", "Apache-2.0", "Unicode-3.0"].map(str::to_owned);
        for (expression, expected) in [
            ("MIT", Some(true)),
            ("GPL-3.0", Some(false)),
            ("MIT/GPL-3.0", Some(true)),
            ("GPL-3.0 OR Apache-2.0 WITH LLVM-exception", Some(false)),
            ("Apache-2.0 WITH LLVM-exception OR MIT", Some(true)),
            ("Apache-2.0 AND ISC", Some(true)),
            ("Apache-2.0 AND OpenSSL", Some(false)),
            ("(MIT OR GPL-3.0) AND Unicode-3.0", Some(true)),
            ("GPL-3.0 AND MIT OR ISC", Some(true)),
            ("GPL-3.0 AND (MIT OR ISC)", Some(false)),
            ("", None),
            ("MIT ISC", None),
            ("(MIT", None),
            ("MIT OR", None),
        ] {
            assert_eq!(allows(expression, &allowed), expected, "{expression:?}");
        }
    }
}
