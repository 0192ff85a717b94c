//! Sending through a real Postfix, and to servers that misbehave.

mod fakes;
mod real;

use deskbell::{
    config::{Config, OutletConfig},
    domain::EmailAddress,
    outlet::Outlet,
};

fn config(keys: &str) -> OutletConfig {
    let text = format!("[smtp]\nhost = \"127.0.0.1\"\nhello_name = \"desk.test\"\n{keys}\n");
    let mut config = Config::parse(&text, "/config.toml".as_ref()).unwrap();
    config.outlets.remove("smtp").unwrap()
}

fn outlet(keys: &str) -> Outlet {
    Outlet::new(&config(keys), "/nowhere".as_ref())
}

fn address(text: &str) -> EmailAddress {
    EmailAddress::parse(text).unwrap()
}
