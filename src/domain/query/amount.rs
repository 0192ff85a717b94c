//! Amounts: weights and times of work in queries.

use crate::domain::moment::work;

/// What a weight takes, and what a time of work takes, for faults.
pub(super) const WEIGHT: &str =
    "a number such as `3`, with `<`, `<=`, `>` or `>=` before it, `none` or `any`";
pub(super) const WORK: &str =
    "a time of work such as `2h` or `1d`, with `<`, `<=`, `>` or `>=` before it, `none` or `any`";

/// How an amount is compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Order {
    Less,
    AtMost,
    Same,
    AtLeast,
    More,
}

/// A condition on an amount: `3`, `>2h`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Amount {
    order: Order,
    number: i64,
}

impl Amount {
    /// Reads a condition on a weight; `None` when it is none.
    pub(super) fn weight(text: &str) -> Option<Self> {
        Self::read(text, |number| number.parse::<u32>().ok().map(i64::from))
    }

    /// Reads a condition on a time of work, in seconds; `None` when it is none.
    pub(super) fn work(text: &str) -> Option<Self> {
        Self::read(text, |time| work(time).filter(|seconds| *seconds > 0))
    }

    fn read(text: &str, number: impl Fn(&str) -> Option<i64>) -> Option<Self> {
        let orders = [
            ("<=", Order::AtMost),
            (">=", Order::AtLeast),
            ("<", Order::Less),
            (">", Order::More),
            ("", Order::Same),
        ];
        let (order, rest) =
            orders.into_iter().find_map(|(sign, order)| Some((order, text.strip_prefix(sign)?)))?;
        Some(Self { order, number: number(rest.trim())? })
    }

    /// Tells whether an amount fits.
    pub(super) fn holds(self, amount: i64) -> bool {
        match self.order {
            Order::Less => amount < self.number,
            Order::AtMost => amount <= self.number,
            Order::Same => amount == self.number,
            Order::AtLeast => amount >= self.number,
            Order::More => amount > self.number,
        }
    }
}
