//! What must hold of the whole room: fixtures, any bytes, and the round from composing to reading.
