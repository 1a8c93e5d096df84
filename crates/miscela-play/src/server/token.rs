//! What a request must know to be answered.

use crate::error::PlayError;
use std::fmt::Write;
use subtle::ConstantTimeEq;

/// 128 bits of the system's randomness, as 32 digits.
pub(super) struct Token(String);

impl Token {
    pub(super) fn draw() -> Result<Self, PlayError> {
        let mut bytes = [0; 16];
        getrandom::fill(&mut bytes)?;
        Ok(Self(bytes.iter().fold(String::new(), |mut digits, byte| {
            // Writing to a string does not fail.
            let _ = write!(digits, "{byte:02x}");
            digits
        })))
    }

    /// Whether it is this one, in a time that does not tell how much of it is.
    pub(super) fn is(&self, guess: &str) -> bool {
        self.0.as_bytes().ct_eq(guess.as_bytes()).into()
    }

    pub(super) fn digits(&self) -> &str {
        &self.0
    }
}

/// Keeps the token out of messages.
impl std::fmt::Debug for Token {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Token")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_are_long_and_differ() {
        let (one, other) = (Token::draw().unwrap(), Token::draw().unwrap());
        assert_eq!(one.digits().len(), 32);
        assert!(one.is(one.digits()) && !one.is(other.digits()));
        assert!(!one.is("") && !one.is(&one.digits()[..31]) && !one.is(&format!("{}0", one.digits())));
        assert!(!format!("{one:?}").contains(one.digits()));
    }
}
