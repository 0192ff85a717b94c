//! Cutting: the tokens of the query language, handed to tantivy.

use crate::domain::query::Tokens;
use tantivy::tokenizer::{Token, TokenStream, Tokenizer};

/// The name under which the schema knows it.
pub(super) const CUTTER: &str = "folded";

/// Cuts texts that are folded already.
#[derive(Clone, Default)]
pub(super) struct Cutter;

pub(super) struct Cuts<'a> {
    tokens: Tokens<'a>,
    token: Token,
}

impl Tokenizer for Cutter {
    type TokenStream<'a> = Cuts<'a>;

    fn token_stream<'a>(&'a mut self, text: &'a str) -> Cuts<'a> {
        Cuts { tokens: Tokens::new(text), token: Token::default() }
    }
}

impl TokenStream for Cuts<'_> {
    fn advance(&mut self) -> bool {
        let Some(next) = self.tokens.next() else { return false };
        self.token.text.clear();
        self.token.text.push_str(next.text);
        self.token.position = next.position;
        self.token.offset_from = next.at;
        self.token.offset_to = next.at + next.text.len();
        true
    }

    fn token(&self) -> &Token {
        &self.token
    }

    fn token_mut(&mut self) -> &mut Token {
        &mut self.token
    }
}
